/* blast ADDRESS PORT BYTES PACKETS_PER_SECOND SECONDS: UDP at a steady rate; prints how many were sent. For tests of capture, in namespaces of their own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) return 2;
  int size = atoi(argv[3]);
  double rate = atof(argv[4]), seconds = atof(argv[5]);
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) < 0) return 1;
  char payload[65536];
  memset(payload, 'w', sizeof payload);
  struct iovec part = { payload, size };
  struct mmsghdr burst[BURST];
  memset(burst, 0, sizeof burst);
  for (int i = 0; i < BURST; i++) { burst[i].msg_hdr.msg_iov = &part; burst[i].msg_hdr.msg_iovlen = 1; }
  long sent = 0, wanted = (long)(rate * seconds);
  double start = now();
  while (sent < wanted) {
    long due = (long)((now() - start) * rate);
    if (due <= sent) {
      struct timespec pause = { 0, 200000 };
      nanosleep(&pause, NULL);
      continue;
    }
    long n = due - sent < BURST ? due - sent : BURST;
    if (n > wanted - sent) n = wanted - sent;
    int done = sendmmsg(s, burst, n, 0);
    if (done > 0) sent += done;
  }
  printf("%ld\n", sent);
  return 0;
}
