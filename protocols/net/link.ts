/**
 * Link layers and what sits between them and IP: tags, labels, PPP. Link types are those of the tcpdump registry (LINKTYPE_...).
 */
import { u16be, u16le, u32be, u32le } from '../bytes.ts'
import {
  AVS, BACKBONE, enterScope, enterTunnel, ERSPAN2, ERSPAN3, ETHERNET, HDLC, IEEE80211, IPOIB, IPV4, IPV6, LINK_ENCRYPTED, LINK_MALFORMED, LINK_NOT_IP, LINK_SHORT,
  LINK_UNSUPPORTED, LLC, MACSEC, MPLS, NFLOG, NSH, NULL_LOOP, PPI, PPP, PPP_DIRECTION, PPPOE, PRISM, RADIOTAP, RAW_IP, SLL, SLL2, TAG6, TAG8, VLAN,
  type Cursor,
} from './layers.ts'
import type { Packet } from './packet.ts'

/** The first layer of a link type, or LINK_UNSUPPORTED. */
export function linkLayer(linkType: number): number {
  switch (linkType) {
    case 1: return ETHERNET
    case 0: case 108: return NULL_LOOP
    case 9: return PPP
    case 50: case 104: return HDLC
    case 51: return PPPOE
    case 166: case 204: return PPP_DIRECTION
    // 12 and 14 are the values of DLT_RAW on most systems and on OpenBSD; some writers put them into files.
    case 12: case 14: case 101: return RAW_IP
    case 228: return IPV4
    case 229: return IPV6
    case 113: return SLL
    case 276: return SLL2
    case 105: return IEEE80211
    case 119: return PRISM
    case 127: return RADIOTAP
    case 163: return AVS
    case 192: return PPI
    case 219: return MPLS
    case 239: return NFLOG
    case 242: return IPOIB
    default: return LINK_UNSUPPORTED
  }
}

export function isSupportedLinkType(linkType: number): boolean {
  return linkLayer(linkType) !== LINK_UNSUPPORTED
}

/** EtherType registry of the IEEE; values up to 1500 are 802.3 lengths, 8870 (jumbo) an LLC frame without one. */
export function etherType(type: number): number {
  switch (type) {
    case 0x0800: return IPV4
    case 0x86DD: return IPV6
    // 802.1Q, 802.1ad, and the QinQ types in use before it.
    case 0x8100: case 0x88A8: case 0x9100: case 0x9200: case 0x9300: return VLAN
    case 0x8847: case 0x8848: return MPLS
    case 0x8864: return PPPOE
    case 0x8870: return LLC
    case 0x6558: return ETHERNET
    case 0x880B: return PPP
    case 0x88BE: return ERSPAN2
    case 0x22EB: return ERSPAN3
    // VN-Tag; HSR (IEC 62439-3).
    case 0x8926: case 0x892F: return TAG6
    // 802.1BR E-TAG; Cisco metadata (TrustSec).
    case 0x893F: case 0x8909: return TAG8
    case 0x88E7: return BACKBONE
    case 0x88E5: return MACSEC
    case 0x894F: return NSH
    default: return LINK_NOT_IP
  }
}

/** A MAC address as a 48-bit number. */
export function mac(bytes: Uint8Array, at: number): number {
  return u16be(bytes, at) * 0x1_0000_0000 + u32be(bytes, at + 2)
}

/** IEEE 802.3: destination, source, EtherType or length. */
export function ethernet(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(14)) return LINK_SHORT
  packet.destinationMac = mac(bytes, at)
  packet.sourceMac = mac(bytes, at + 6)
  packet.vlanCount = 0
  cursor.at = at + 14
  const type = u16be(bytes, at + 12)
  return type > 1500 ? etherType(type) : llcOfLength(cursor, type)
}

/** An 802.3 length: what follows the LLC frame is padding. */
function llcOfLength(cursor: Cursor, length: number): number {
  cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + length)
  cursor.end = Math.min(cursor.end, cursor.wireEnd)
  return LLC
}

/** IEEE 802.2, with the SNAP header of 802 where there is one. */
export function llc(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(3)) return LINK_SHORT
  if (bytes[at] === 0x06) {
    cursor.at = at + 3
    return IPV4
  }
  if (bytes[at] !== 0xAA || bytes[at + 1] !== 0xAA) return LINK_NOT_IP
  if (!cursor.has(8)) return LINK_SHORT
  cursor.at = at + 8
  const organisation = u16be(bytes, at + 3) << 8 | bytes[at + 5]!
  // RFC 1042, and the bridge tunnel encapsulation of 802.1H.
  return organisation === 0 || organisation === 0x0000F8 ? etherType(u16be(bytes, at + 6)) : LINK_NOT_IP
}

/** 802.1Q: priority and VLAN id u16, EtherType or length. Id 0 only gives a priority, and is no VLAN. */
export function vlan(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(4)) return LINK_SHORT
  const id = u16be(bytes, at) & 0xFFF
  if (id !== 0) {
    if (packet.vlanCount < packet.vlans.length) packet.vlans[packet.vlanCount++] = id
    enterScope(cursor, id)
  }
  return tagged(cursor, 4)
}

/** A tag of 4 bytes, then an EtherType or length. */
export function tag6(cursor: Cursor): number {
  return cursor.has(6) ? tagged(cursor, 6) : LINK_SHORT
}

/** A tag of 6 bytes, then an EtherType or length. */
export function tag8(cursor: Cursor): number {
  return cursor.has(8) ? tagged(cursor, 8) : LINK_SHORT
}

/** 802.1ah: priority and service id u32, then the customer's Ethernet frame. */
export function backbone(cursor: Cursor, packet: Packet): number {
  if (!cursor.has(4)) return LINK_SHORT
  enterTunnel(cursor, packet, u32be(cursor.bytes, cursor.at) & 0xFFFFFF)
  cursor.at += 4
  return ETHERNET
}

/** Moves behind a tag of `size` bytes whose last two are an EtherType or length. */
function tagged(cursor: Cursor, size: number): number {
  const type = u16be(cursor.bytes, cursor.at + size - 2)
  cursor.at += size
  return type > 1500 ? etherType(type) : llcOfLength(cursor, type)
}

const MACSEC_ICV_BYTES = 16

/** 802.1AE: flags u8, short length u8, packet number u32, SCI u64 if the SC flag is set. Readable when neither E nor C is set. */
export function macsec(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(6)) return LINK_SHORT
  const flags = bytes[at]!
  if ((flags & 0x0C) !== 0) return LINK_ENCRYPTED
  const size = (flags & 0x20) !== 0 ? 16 : 8
  if (!cursor.has(size)) return LINK_SHORT
  cursor.wireEnd -= MACSEC_ICV_BYTES
  cursor.end = Math.min(cursor.end, cursor.wireEnd)
  return tagged(cursor, size)
}

/** RFC 3032: labels of 4 bytes up to the one with the S bit. What follows is told by its first half byte (RFC 4928, RFC 4385). */
export function mpls(cursor: Cursor): number {
  const { bytes } = cursor
  for (;;) {
    if (!cursor.has(5)) return LINK_SHORT
    const bottom = (bytes[cursor.at + 2]! & 1) !== 0
    enterScope(cursor, u16be(bytes, cursor.at) << 4 | bytes[cursor.at + 2]! >> 4)
    cursor.at += 4
    if (bottom) break
  }
  const first = bytes[cursor.at]!
  if (first >> 4 === 4 && (first & 0xF) >= 5 && cursor.has(4) && u16be(bytes, cursor.at + 2) <= cursor.wireEnd - cursor.at) return IPV4
  if (first >> 4 === 6 && cursor.has(6) && u16be(bytes, cursor.at + 4) + 40 <= cursor.wireEnd - cursor.at) return IPV6
  // A pseudowire: its control word begins with zero bits, a MAC address hardly ever with eight of them and two reserved bytes.
  if (first === 0 && cursor.has(4)) cursor.at += 4
  return ETHERNET
}

/** RFC 2516, session stage: version and type u8, code u8, session u16, length u16. */
export function pppoe(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(6)) return LINK_SHORT
  if (bytes[at] !== 0x11) return LINK_MALFORMED
  if (bytes[at + 1] !== 0) return LINK_NOT_IP
  enterScope(cursor, u16be(bytes, at + 2))
  cursor.at = at + 6
  cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + u16be(bytes, at + 4))
  cursor.end = Math.min(cursor.end, cursor.wireEnd)
  return PPP
}

/** RFC 1661 and 1662: address and control may be left out, the protocol may be one byte. */
export function ppp(cursor: Cursor): number {
  const { bytes } = cursor
  if (cursor.has(2) && bytes[cursor.at] === 0xFF && bytes[cursor.at + 1] === 0x03) cursor.at += 2
  if (!cursor.has(2)) return LINK_SHORT
  const short = (bytes[cursor.at]! & 1) !== 0
  const protocol = short ? bytes[cursor.at]! : u16be(bytes, cursor.at)
  cursor.at += short ? 1 : 2
  switch (protocol) {
    case 0x0021: return IPV4
    case 0x0057: return IPV6
    case 0x0281: case 0x0283: return MPLS
    default: return LINK_NOT_IP
  }
}

/** PPP in HDLC-like framing, or Cisco's: address u8, control u8, EtherType. */
export function hdlc(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(4)) return LINK_SHORT
  if (bytes[at] !== 0x0F && bytes[at] !== 0x8F) return PPP
  cursor.at = at + 4
  return etherType(u16be(bytes, at + 2))
}

/** PPP behind one byte that tells the direction. */
export function pppDirection(cursor: Cursor): number {
  cursor.at += 1
  return PPP
}

/** Linux cooked v1: packet type u16, ARPHRD u16, address length u16, address 8, protocol u16. */
export function sll(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(16)) return LINK_SHORT
  if (u16be(bytes, at + 4) === 6) packet.sourceMac = mac(bytes, at + 6)
  cursor.at = at + 16
  return cooked(u16be(bytes, at + 2), u16be(bytes, at + 14))
}

/** Linux cooked v2: protocol u16, reserved u16, interface u32, ARPHRD u16, packet type u8, address length u8, address 8. */
export function sll2(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(20)) return LINK_SHORT
  if (bytes[at + 11] === 6) packet.sourceMac = mac(bytes, at + 12)
  cursor.at = at + 20
  return cooked(u16be(bytes, at + 8), u16be(bytes, at))
}

const ARPHRD_NETLINK = 824

function cooked(hardware: number, protocol: number): number {
  if (hardware === ARPHRD_NETLINK) return LINK_NOT_IP
  // LINUX_SLL_P_802_2; 1 is a Novell frame, which is never IP.
  if (protocol === 4) return LLC
  return protocol > 1500 ? etherType(protocol) : LINK_NOT_IP
}

/** Address family u32: in the byte order of the writing machine (LINKTYPE_NULL) or of the network (LINKTYPE_LOOP). */
export function nullLoop(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(4)) return LINK_SHORT
  const little = u32le(bytes, at)
  cursor.at = at + 4
  switch (little > 0xFFFF ? u32be(bytes, at) : little) {
    case 2: return IPV4
    // Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
    case 10: case 23: case 24: case 28: case 30: return IPV6
    default: return LINK_NOT_IP
  }
}

/** IP without a link layer: its version tells. */
export function rawIp(cursor: Cursor): number {
  if (!cursor.has(1)) return LINK_SHORT
  const version = cursor.bytes[cursor.at]! >> 4
  return version === 4 ? IPV4 : version === 6 ? IPV6 : LINK_NOT_IP
}

const NFULA_PAYLOAD = 9

/** Family u8, version u8, resource u16, then fields: length u16 and type u16 in the order of the writing machine, value, padding to 4. */
export function nflog(cursor: Cursor): number {
  const { bytes, at, end } = cursor
  if (!cursor.has(8)) return LINK_SHORT
  if (bytes[at + 1] !== 0) return LINK_MALFORMED
  // The high byte of the first type is 0 in either order; it tells where the low one is.
  const u16 = bytes[at + 7] === 0 ? u16le : u16be
  for (let field = at + 4; field + 4 <= end;) {
    const length = u16(bytes, field)
    if (length < 4) return LINK_MALFORMED
    if ((u16(bytes, field + 2) & 0x7FFF) === NFULA_PAYLOAD) {
      cursor.at = field + 4
      return RAW_IP
    }
    field += (length + 3) & ~3
  }
  return LINK_NOT_IP
}

/** IP over InfiniBand: pseudo header 40, EtherType u16, reserved u16. */
export function ipoib(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(44)) return LINK_SHORT
  cursor.at = at + 44
  return etherType(u16be(bytes, at + 40))
}

/** RFC 8300: version, flags, TTL and length (6 bits, in words), MD type, next protocol. */
export function nsh(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return LINK_SHORT
  const size = (bytes[at + 1]! & 0x3F) * 4
  if (size < 8) return LINK_MALFORMED
  cursor.at = at + size
  return nextProtocol(bytes[at + 3]!)
}

/** The numbering that NSH (RFC 8300 section 2.2) and VXLAN-GPE share. */
export function nextProtocol(protocol: number): number {
  switch (protocol) {
    case 1: return IPV4
    case 2: return IPV6
    case 3: return ETHERNET
    case 4: return NSH
    case 5: return MPLS
    default: return LINK_NOT_IP
  }
}
