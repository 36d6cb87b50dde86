/** TCP (RFC 9293) and UDP (RFC 768) headers into `Packet`. */
import { u16be, u32be } from '../bytes.ts'
import { PACKET, TCP_MALFORMED, TCP_SHORT, UDP_MALFORMED, UDP_SHORT, type Cursor } from './layers.ts'
import { TCP, UDP, type Packet } from './packet.ts'
import { udpTunnel } from './tunnels.ts'

/**
 * RFC 9293 3.1: source port u16, destination port u16, sequence u32, acknowledgement u32, data offset in fours (4 bits),
 * flags u8, window u16, checksum u16, urgent pointer u16, options.
 */
export function tcp(cursor: Cursor, packet: Packet): number {
  const { bytes, at, end, wireEnd } = cursor
  if (at + 20 > wireEnd) return TCP_MALFORMED
  if (at + 20 > end) return TCP_SHORT
  const payload = at + (bytes[at + 12]! >> 4) * 4
  if (payload < at + 20 || payload > wireEnd) return TCP_MALFORMED
  packet.transport = TCP
  packet.sourcePort = u16be(bytes, at)
  packet.destinationPort = u16be(bytes, at + 2)
  packet.seq = u32be(bytes, at + 4)
  packet.ack = u32be(bytes, at + 8)
  packet.flags = bytes[at + 13]!
  packet.window = u16be(bytes, at + 14)
  packet.options = at + 20
  packet.optionsEnd = payload < end ? payload : end
  return deliver(cursor, packet, payload)
}

/** RFC 768: source port u16, destination port u16, length u16, checksum u16. A length of 0 is a jumbogram's (RFC 2675) or offload's. */
export function udp(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (at + 8 > cursor.wireEnd) return UDP_MALFORMED
  if (at + 8 > cursor.end) return UDP_SHORT
  const length = u16be(bytes, at + 4)
  if (length !== 0) {
    if (length < 8) return UDP_MALFORMED
    // A shorter length than IP's leaves bytes that are no payload; a longer one is what offload makes of many datagrams in one.
    if (at + length < cursor.wireEnd) cursor.wireEnd = at + length
    if (cursor.wireEnd < cursor.end) cursor.end = cursor.wireEnd
  }
  const sourcePort = u16be(bytes, at)
  const destinationPort = u16be(bytes, at + 2)
  cursor.at = at + 8
  const inner = udpTunnel(cursor, packet, sourcePort, destinationPort)
  if (inner !== PACKET) return inner
  packet.transport = UDP
  packet.sourcePort = sourcePort
  packet.destinationPort = destinationPort
  return deliver(cursor, packet, at + 8)
}

function deliver(cursor: Cursor, packet: Packet, payload: number): number {
  packet.bytes = cursor.bytes
  packet.payload = payload < cursor.end ? payload : cursor.end
  packet.payloadEnd = cursor.end
  packet.payloadLength = cursor.wireEnd - payload
  return PACKET
}
