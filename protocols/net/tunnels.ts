/**
 * Tunnels: GRE with all that travels in it, and what travels in UDP. A UDP tunnel is known by its port and believed only when
 * its header makes sense; otherwise the datagram is what it says it is.
 */
import { u16be, u32be } from '../bytes.ts'
import {
  enterTunnel, ERSPAN2, ETHERNET, IEEE80211, IPV6, LINK_NOT_IP, MPLS, PACKET, PPP, PRISM, AVS, RADIOTAP, RAW_IP, TUNNEL_MALFORMED, TUNNEL_OTHER, type Cursor,
} from './layers.ts'
import { etherType, nextProtocol } from './link.ts'
import type { Packet } from './packet.ts'

const GRE_CHECKSUM = 0x8000
const GRE_ROUTING = 0x4000
const GRE_KEY = 0x2000
const GRE_SEQUENCE = 0x1000
const GRE_ACKNOWLEDGEMENT = 0x0080

/** RFC 1701, 2784, 2890, and 2637 (version 1): flags and version u16, EtherType u16, then what the flags announce. */
export function gre(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(4)) return TUNNEL_MALFORMED
  const flags = u16be(bytes, at)
  const version = flags & 7
  const type = u16be(bytes, at + 2)
  if (version > 1) return TUNNEL_OTHER
  let next = at + 4
  if ((flags & (GRE_CHECKSUM | GRE_ROUTING)) !== 0) next += 4
  const key = (flags & GRE_KEY) !== 0 ? u32be(bytes, next) : 0
  if ((flags & GRE_KEY) !== 0) next += 4
  if ((flags & GRE_SEQUENCE) !== 0) next += 4
  if (version === 1 && (flags & GRE_ACKNOWLEDGEMENT) !== 0) next += 4
  if ((flags & GRE_ROUTING) !== 0) next = behindRoutes(bytes, next, cursor.end)
  if (next >= cursor.wireEnd) return TUNNEL_OTHER
  cursor.at = next
  // In version 1 the upper half of the key is the length.
  enterTunnel(cursor, packet, version === 1 ? key & 0xFFFF : key)
  const layer = etherType(type)
  // ERSPAN type I has no header of its own; nor a sequence number, which tells it from type II.
  return layer === ERSPAN2 && (flags & GRE_SEQUENCE) === 0 ? ETHERNET : layer
}

/** Source route entries (RFC 1701): family u16, offset u8, length u8, routes; a zero family and length end them. */
function behindRoutes(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at + 4 <= end) {
    const length = bytes[at + 3]!
    at += 4 + length
    if (length === 0) break
  }
  return at
}

/** ERSPAN type II: version and VLAN u16, session u16, index u32; then Ethernet. */
export function erspan2(cursor: Cursor): number {
  if (!cursor.has(8)) return TUNNEL_MALFORMED
  cursor.at += 8
  return ETHERNET
}

/** ERSPAN type III: version and VLAN u16, session u16, time u32, group tag u16, frame type, hardware and flags u16, [platform 8]. */
export function erspan3(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(12)) return TUNNEL_MALFORMED
  const flags = u16be(bytes, at + 10)
  cursor.at = at + ((flags & 1) !== 0 ? 20 : 12)
  const frameType = (flags >> 10) & 0x1F
  return frameType === 0 ? ETHERNET : frameType === 2 ? RAW_IP : LINK_NOT_IP
}

/** RFC 3378: version 3, then Ethernet. */
export function etherIp(cursor: Cursor, packet: Packet): number {
  if (!cursor.has(2) || cursor.bytes[cursor.at]! >> 4 !== 3) return TUNNEL_MALFORMED
  cursor.at += 2
  enterTunnel(cursor, packet, 97)
  return ETHERNET
}

/** The layer in a UDP payload at the cursor, or PACKET when it is no tunnel. */
export function udpTunnel(cursor: Cursor, packet: Packet, sourcePort: number, destinationPort: number): number {
  // Nothing below 1701 is a tunnel, and most UDP (DNS, DHCP, NTP, SNMP) has a port there.
  if (destinationPort < 1701) return sourcePort === 2152 || sourcePort === 3544 ? udpTunnelAt(sourcePort, cursor, packet) : PACKET
  const layer = udpTunnelAt(destinationPort, cursor, packet)
  // GTP-U, Teredo and L2TP answer from the port they were asked at.
  return layer === PACKET && (sourcePort === 2152 || sourcePort === 3544 || sourcePort === 1701) ? udpTunnelAt(sourcePort, cursor, packet) : layer
}

function udpTunnelAt(port: number, cursor: Cursor, packet: Packet): number {
  switch (port) {
    case 1701: return l2tp(cursor, packet)
    case 2152: return gtpUser(cursor, packet)
    case 3544: return teredo(cursor, packet)
    // 8472 is what Linux took before there was a number.
    case 4789: case 8472: return vxlan(cursor, packet)
    case 4790: return vxlanGpe(cursor, packet)
    case 6081: return geneve(cursor, packet)
    case 6635: return mplsInUdp(cursor, packet)
    case 37008: return tzsp(cursor, packet)
    default: return PACKET
  }
}

/** RFC 7348: flags u8 (I set; G of the group policy extension), reserved 3, network u24, reserved u8. */
function vxlan(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8) || (bytes[at]! & 0x7F) !== 0x08 || bytes[at + 7] !== 0) return PACKET
  cursor.at = at + 8
  enterTunnel(cursor, packet, u32be(bytes, at + 4) >>> 8)
  return ETHERNET
}

/** draft-ietf-nvo3-vxlan-gpe: as VXLAN, with a P flag that makes the fourth byte the next protocol. */
function vxlanGpe(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8) || (bytes[at]! & 0xC8) !== 0x08) return PACKET
  cursor.at = at + 8
  enterTunnel(cursor, packet, u32be(bytes, at + 4) >>> 8)
  return (bytes[at]! & 0x04) !== 0 ? nextProtocol(bytes[at + 3]!) : ETHERNET
}

/** RFC 8926: version and options length u8, flags u8, EtherType u16, network u24, reserved u8, options. */
function geneve(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8) || bytes[at]! >> 6 !== 0) return PACKET
  const layer = etherType(u16be(bytes, at + 2))
  if (layer === LINK_NOT_IP) return PACKET
  cursor.at = at + 8 + (bytes[at]! & 0x3F) * 4
  enterTunnel(cursor, packet, u32be(bytes, at + 4) >>> 8)
  return layer
}

/** RFC 7510. */
function mplsInUdp(cursor: Cursor, packet: Packet): number {
  if (!cursor.has(5)) return PACKET
  enterTunnel(cursor, packet, 6635)
  return MPLS
}

const G_PDU = 255

/**
 * 3GPP TS 29.281 5.1: version and flags u8, message type u8, length u16, tunnel u32; with any of the flags E, S, PN also
 * sequence u16, N-PDU u8, next extension u8. Extension: length in fours u8, content, next extension u8.
 */
function gtpUser(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8) || (bytes[at]! & 0xF0) !== 0x30 || bytes[at + 1] !== G_PDU) return PACKET
  if (u16be(bytes, at + 2) > cursor.wireEnd - at - 8) return PACKET
  let next = at + 8
  if ((bytes[at]! & 0x07) !== 0) {
    if (!cursor.has(12)) return TUNNEL_MALFORMED
    let extension = (bytes[at]! & 0x04) !== 0 ? bytes[at + 11]! : 0
    next = at + 12
    while (extension !== 0) {
      const size = next < cursor.end ? bytes[next]! * 4 : 0
      if (size === 0 || next + size > cursor.end) return TUNNEL_MALFORMED
      extension = bytes[next + size - 1]!
      next += size
    }
  }
  cursor.at = next
  enterTunnel(cursor, packet, u32be(bytes, at + 4))
  return RAW_IP
}

/** RFC 4380 5.1.1: [authentication: 0001, lengths u8 u8, identifier, value, nonce 8, confirmation u8] [origin: 0000, port, address], IPv6. */
function teredo(cursor: Cursor, packet: Packet): number {
  const { bytes, end } = cursor
  let { at } = cursor
  if (at + 4 <= end && u16be(bytes, at) === 1) at += 13 + bytes[at + 2]! + bytes[at + 3]!
  if (at + 8 <= end && u16be(bytes, at) === 0) at += 8
  if (at + 40 > end || bytes[at]! >> 4 !== 6 || u16be(bytes, at + 4) + 40 > cursor.wireEnd - at) return PACKET
  cursor.at = at
  enterTunnel(cursor, packet, 3544)
  return IPV6
}

const TZSP_PADDING = 0
const TZSP_END = 1

/** TaZmen Sniffer Protocol: version u8, type u8, protocol u16, tagged fields (tag u8, length u8, value) up to the end tag. */
function tzsp(cursor: Cursor, packet: Packet): number {
  const { bytes, at, end } = cursor
  if (!cursor.has(5) || bytes[at] !== 1 || bytes[at + 1]! > 1) return PACKET
  let field = at + 4
  while (field < end && bytes[field] !== TZSP_END) field += bytes[field] === TZSP_PADDING || field + 1 >= end ? 1 : 2 + bytes[field + 1]!
  if (field >= end) return PACKET
  cursor.at = field + 1
  enterTunnel(cursor, packet, 37008)
  switch (u16be(bytes, at + 2)) {
    case 1: return ETHERNET
    case 18: return IEEE80211
    case 119: return PRISM
    case 126: return RADIOTAP
    case 127: return AVS
    default: return TUNNEL_OTHER
  }
}

/** RFC 2661 3.1, data messages: flags and version u16, [length u16], tunnel u16, session u16, [Ns u16, Nr u16], [offset u16, padding]. */
function l2tp(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return PACKET
  const flags = u16be(bytes, at)
  if ((flags & 0x800F) !== 2) return PACKET
  const ids = at + ((flags & 0x4000) !== 0 ? 4 : 2)
  let next = ids + 4 + ((flags & 0x0800) !== 0 ? 4 : 0)
  if ((flags & 0x0200) !== 0) next += 2 + (next + 2 <= cursor.end ? u16be(bytes, next) : 0)
  if (next >= cursor.end) return PACKET
  cursor.at = next
  enterTunnel(cursor, packet, u32be(bytes, ids))
  return PPP
}
