/**
 * What `net/` makes of a frame and `tcp/` reads: one object, filled again for every packet, so that the hot path allocates nothing.
 * All offsets are into `bytes`.
 */
import type { Micros } from '../events.ts'

export const TCP = 6
export const UDP = 17

export class Packet {
  bytes: Uint8Array = new Uint8Array(0)
  at: Micros = 0
  /** 4 or 6. */
  ipVersion = 0
  /** Addresses as eight 32-bit words, source then destination; IPv4 as the mapped form (0, 0, 0xFFFF, a.b.c.d). */
  readonly addresses: Uint32Array = new Uint32Array(8)
  /** IANA protocol number: TCP or UDP here; everything else is counted in `net/` and goes no further. */
  transport = 0
  sourcePort = 0
  destinationPort = 0
  ttl = 0

  /** Payload of TCP or UDP: `bytes[payload..payloadEnd)` was captured. */
  payload = 0
  payloadEnd = 0
  /** Payload bytes the packet had on the wire, from the IP and TCP headers; at least `payloadEnd - payload`. */
  payloadLength = 0

  // TCP only.
  seq = 0
  ack = 0
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16. */
  flags = 0
  window = 0
  /** TCP options: `bytes[options..optionsEnd)`. */
  options = 0
  optionsEnd = 0

  // Link layer that carried this very packet: the innermost Ethernet-like header. -1: there was none, or only the one
  // that carries the tunnel the packet came through, whose addresses and VLANs are not the packet's.
  sourceMac = -1
  destinationMac = -1
  readonly vlans: Uint16Array = new Uint16Array(4)
  vlanCount = 0
}
