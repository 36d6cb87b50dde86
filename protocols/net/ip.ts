/**
 * IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers. Checksums are not checked: a capture on the sending machine
 * shows packets before the network card fills them in.
 */
import { u16be, u32be } from '../bytes.ts'
import type { Fragments } from './fragments.ts'
import {
  AUTHENTICATION, enterTunnel, ETHERIP, GRE, HOP_BY_HOP, IP_MALFORMED, IP_OTHER, IP_SHORT, IPV4, IPV4_TUNNEL, IPV6, IPV6_FRAGMENT, IPV6_TUNNEL, MPLS,
  MPLS_TUNNEL, OPTIONS, PACKET, ROUTING, TCP_SEGMENT, UDP_DATAGRAM, type Cursor,
} from './layers.ts'
import { TCP, UDP, type Packet } from './packet.ts'

/** The layer of an IANA protocol number. */
function ipProtocol(protocol: number): number {
  switch (protocol) {
    case TCP: return TCP_SEGMENT
    case UDP: return UDP_DATAGRAM
    case 0: return HOP_BY_HOP
    case 4: case 94: return IPV4_TUNNEL
    case 41: return IPV6_TUNNEL
    case 43: return ROUTING
    case 44: return IPV6_FRAGMENT
    case 47: return GRE
    case 51: return AUTHENTICATION
    // Destination options, mobility, HIP and Shim6 share one layout (RFC 6564).
    case 60: case 135: case 139: case 140: return OPTIONS
    case 97: return ETHERIP
    case 137: return MPLS_TUNNEL
    default: return IP_OTHER
  }
}

const MORE_FRAGMENTS = 0x2000
const FRAGMENT_OFFSET = 0x1FFF

/**
 * RFC 791 3.1: version and header length u8, service u8, total length u16, identification u16, flags and fragment offset u16,
 * TTL u8, protocol u8, checksum u16, source u32, destination u32, options.
 */
export function ipv4(cursor: Cursor, packet: Packet, fragments: Fragments): number {
  const { bytes, at } = cursor
  if (!cursor.has(20)) return IP_SHORT
  const first = bytes[at]!
  const size = (first & 0xF) * 4
  if (first >> 4 !== 4 || size < 20) return IP_MALFORMED
  if (!cursor.has(size)) return IP_SHORT
  const total = u16be(bytes, at + 2)
  if (!bounded(cursor, total, size)) return IP_MALFORMED

  packet.ipVersion = 4
  packet.ttl = bytes[at + 8]!
  const { addresses } = packet
  addresses[0] = addresses[1] = addresses[4] = addresses[5] = 0
  addresses[2] = addresses[6] = 0xFFFF
  addresses[3] = u32be(bytes, at + 12)
  addresses[7] = u32be(bytes, at + 16)

  cursor.at = at + size
  const protocol = bytes[at + 9]!
  const fragment = u16be(bytes, at + 6)
  if ((fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) === 0) return protocol === TCP ? TCP_SEGMENT : ipProtocol(protocol)
  const offset = (fragment & FRAGMENT_OFFSET) * 8
  const outcome = fragments.add(cursor, packet, u16be(bytes, at + 4), protocol, offset, (fragment & MORE_FRAGMENTS) !== 0)
  return outcome === PACKET ? ipProtocol(protocol) : outcome
}

/**
 * Sets the ends by the length that an IP header gives, header included; 0 is what segmentation offload leaves of a packet too
 * long for the field: then it goes to the end of what carries it. The outermost packet cannot be longer than its frame;
 * one in a tunnel can, because mirrors cut what they copy. Bytes beyond the length are padding of the link layer.
 */
function bounded(cursor: Cursor, length: number, headerSize: number): boolean {
  if (length === 0) return true
  if (length < headerSize) return false
  const end = cursor.at + length
  if (end < cursor.wireEnd || cursor.inTunnel) cursor.wireEnd = end
  if (end < cursor.end) cursor.end = end
  return true
}

/** RFC 8200 3: version, class and flow label u32, payload length u16, next header u8, hop limit u8, source 16, destination 16. */
export function ipv6(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(40)) return IP_SHORT
  if (bytes[at]! >> 4 !== 6) return IP_MALFORMED
  const length = u16be(bytes, at + 4)
  if (length !== 0) bounded(cursor, 40 + length, 40)
  packet.ipVersion = 6
  packet.ttl = bytes[at + 7]!
  for (let word = 0; word < 8; word++) packet.addresses[word] = u32be(bytes, at + 8 + 4 * word)
  cursor.at = at + 40
  return ipProtocol(bytes[at + 6]!)
}

/** RFC 8200 4.3: next header u8, length in eights without the first u8, options. Only the jumbo payload option (RFC 2675) matters. */
export function hopByHop(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return IP_SHORT
  const end = Math.min(at + 8 + bytes[at + 1]! * 8, cursor.end)
  for (let option = at + 2; option + 1 < end;) {
    const type = bytes[option]!
    if (type === 0xC2 && bytes[option + 1] === 4 && option + 6 <= end) bounded(cursor, u32be(bytes, option + 2), 8)
    option += type === 0 ? 1 : 2 + bytes[option + 1]!
  }
  return options(cursor)
}

/** The layout of RFC 6564: next header u8, length in eights without the first u8. */
export function options(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return IP_SHORT
  cursor.at = at + 8 + bytes[at + 1]! * 8
  return ipProtocol(bytes[at]!)
}

/**
 * RFC 8200 4.4: as `options`, then type u8, segments left u8. While there are segments left, the packet is on its way to an
 * address in here: the last of the list (type 0), the first (type 4, RFC 8754), the only one (type 2, RFC 6275).
 */
export function routing(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return IP_SHORT
  const size = 8 + bytes[at + 1]! * 8
  const type = bytes[at + 2]!
  if (bytes[at + 3] !== 0 && size >= 24 && (type === 0 || type === 2 || type === 4)) {
    const final = type === 0 ? at + size - 16 : at + 8
    if (final + 16 <= cursor.end) for (let word = 0; word < 4; word++) packet.addresses[4 + word] = u32be(bytes, final + 4 * word)
  }
  return options(cursor)
}

/** RFC 8200 4.5: next header u8, reserved u8, offset in eights and M flag u16, identification u32. */
export function ipv6Fragment(cursor: Cursor, packet: Packet, fragments: Fragments): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return IP_SHORT
  const next = bytes[at]!
  const word = u16be(bytes, at + 2)
  const offset = word & 0xFFF8
  const more = (word & 1) !== 0
  const id = u32be(bytes, at + 4)
  cursor.at = at + 8
  // RFC 6946: an atomic fragment is a whole packet, whatever waits under the same identification.
  if (offset === 0 && !more) return ipProtocol(next)
  const outcome = fragments.add(cursor, packet, id, next, offset, more)
  return outcome === PACKET ? ipProtocol(fragments.nextHeader) : outcome
}

/** RFC 4302: next header u8, length in fours minus 2 u8, and so on. */
export function authentication(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(12)) return IP_SHORT
  cursor.at = at + (bytes[at + 1]! + 2) * 4
  return ipProtocol(bytes[at]!)
}

/** IP in IP (RFC 2003, RFC 2473, RFC 4213). */
export function ipv4Tunnel(cursor: Cursor, packet: Packet): number {
  enterTunnel(cursor, packet, 4)
  return IPV4
}

export function ipv6Tunnel(cursor: Cursor, packet: Packet): number {
  enterTunnel(cursor, packet, 41)
  return IPV6
}

/** RFC 4023. */
export function mplsTunnel(cursor: Cursor, packet: Packet): number {
  enterTunnel(cursor, packet, 137)
  return MPLS
}
