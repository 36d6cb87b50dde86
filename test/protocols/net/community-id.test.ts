import { expect, test } from 'vitest'
import { parseIp } from '../../../protocols/net/address.ts'
import { communityId } from '../../../protocols/net/community-id.ts'

// The published baseline of the specification: protocol, ends, and the ids without a seed and with seed 1.
test.each([
  [6, '128.232.110.120', 34_855, '66.35.250.204', 80, '1:LQU9qZlK+B5F3KDmev6m5PMibrg=', '1:3V71V58M3Ksw/yuFALMcW0LAHvc='],
  [17, '192.168.1.52', 54_585, '8.8.8.8', 53, '1:d/FP5EW3wiY1vCndhwleRRKHowQ=', '1:Q9We8WO3piVF8yEQBNJF4uiSVrI='],
  [6, '2001:470:e5bf:dead:4957:2174:e82c:4887', 63_943, '2607:f8b0:400c:c03::1a', 25, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=', '1:eJYTW6AOzFLlSUoESovMjnu7rMw='],
  [132, '192.168.170.8', 7, '192.168.170.56', 7, '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=', '1:5w3ZRjeKBzqT3zsaEECDGjUbYeg='],
] as const)('has conversation %i %s:%i - %s:%i its published id, both ways?', (protocol, a, aPort, b, bPort, plain, seeded) => {
  const forth = Uint32Array.from([...parseIp(a)!, ...parseIp(b)!])
  const back = Uint32Array.from([...parseIp(b)!, ...parseIp(a)!])
  for (const [seed, id] of [[0, plain], [1, seeded]] as const) {
    expect(communityId(forth, protocol, aPort, bPort, seed)).toBe(id)
    expect(communityId(back, protocol, bPort, aPort, seed)).toBe(id)
  }
})

test('do the ports decide the order between equal addresses?', () => {
  const same = Uint32Array.from([...parseIp('127.0.0.1')!, ...parseIp('127.0.0.1')!])
  expect(communityId(same, 6, 104, 50_000)).toBe(communityId(same, 6, 50_000, 104))
  expect(communityId(same, 6, 104, 50_000)).not.toBe(communityId(same, 17, 104, 50_000))
})
