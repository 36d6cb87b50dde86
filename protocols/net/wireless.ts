/** IEEE 802.11 data frames, bare or behind the headers that receivers put in front of them. Encrypted ones are counted as such. */
import { u16le, u32be, u32le } from '../bytes.ts'
import { IEEE80211, LINK_ENCRYPTED, LINK_FRAGMENT, LINK_MALFORMED, LINK_NOT_IP, LINK_SHORT, LLC, type Cursor } from './layers.ts'
import { linkLayer, mac } from './link.ts'
import type { Packet } from './packet.ts'

const TO_DS = 0x0100
const FROM_DS = 0x0200
const MORE_FRAGMENTS = 0x0400
const PROTECTED = 0x4000
const ORDER = 0x8000

/**
 * IEEE 802.11 9.2.3: frame control u16, duration u16, address 1, 2 and 3, sequence control u16, address 4 (between access points),
 * QoS control u16, HT control u32. Several packets in one frame (A-MSDU) and fragments of one are not taken apart.
 */
export function ieee80211(cursor: Cursor, packet: Packet): number {
  return dataFrame(cursor, packet, 0)
}

/** @param alignment the header was padded to a multiple of this; 0: it was not */
function dataFrame(cursor: Cursor, packet: Packet, alignment: number): number {
  const { bytes, at } = cursor
  if (!cursor.has(24)) return LINK_SHORT
  const control = u16le(bytes, at)
  const subtype = (control >> 4) & 0xF
  const isData = (control & 0x000F) === 0x0008 && (subtype & 4) === 0
  if (!isData) return LINK_NOT_IP
  const isQos = (subtype & 8) !== 0
  const toDs = (control & TO_DS) !== 0
  const fromDs = (control & FROM_DS) !== 0
  const qos = at + (toDs && fromDs ? 30 : 24)
  let size = qos - at + (isQos ? 2 : 0) + (isQos && (control & ORDER) !== 0 ? 4 : 0)
  if (alignment !== 0) size = (size + alignment - 1) & -alignment
  if (!cursor.has(size)) return LINK_SHORT
  if ((control & PROTECTED) !== 0) return LINK_ENCRYPTED
  if ((control & MORE_FRAGMENTS) !== 0 || (u16le(bytes, at + 22) & 0xF) !== 0) return LINK_FRAGMENT
  if (isQos && (bytes[qos]! & 0x80) !== 0) return LINK_FRAGMENT
  packet.destinationMac = mac(bytes, at + (toDs ? 16 : 4))
  packet.sourceMac = mac(bytes, at + (fromDs ? toDs ? 24 : 16 : 10))
  cursor.at = at + size
  return LLC
}

const RADIOTAP_FCS = 0x10
const RADIOTAP_PADDED = 0x20

/** radiotap.org: version u8, pad u8, length u16, words of present fields (bit 31: one more follows), fields. All little-endian. */
export function radiotap(cursor: Cursor, packet: Packet): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return LINK_SHORT
  if (bytes[at] !== 0) return LINK_MALFORMED
  const size = u16le(bytes, at + 2)
  if (size < 8) return LINK_MALFORMED
  if (!cursor.has(size)) return LINK_SHORT
  const flags = radiotapFlags(bytes, at, at + size)
  cursor.at = at + size
  if ((flags & RADIOTAP_FCS) !== 0) {
    cursor.wireEnd -= 4
    cursor.end = Math.min(cursor.end, cursor.wireEnd)
  }
  return dataFrame(cursor, packet, (flags & RADIOTAP_PADDED) !== 0 ? 4 : 0)
}

/** The flags field: bit 1 of the first word, behind the 8 aligned bytes of bit 0. */
function radiotapFlags(bytes: Uint8Array, start: number, end: number): number {
  const present = u32le(bytes, start + 4)
  if ((present & 2) === 0) return 0
  let at = start + 4
  while (at + 4 <= end && (bytes[at + 3]! & 0x80) !== 0) at += 4
  at += 4
  if ((present & 1) !== 0) at = start + ((at - start + 7) & ~7) + 8
  return at < end ? bytes[at]! : 0
}

const AVS_MAGIC = 0x80211000

/** Message code u32, message length u32 (both in the order of the writing machine), fields; some writers put AVS headers here. */
export function prism(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return LINK_SHORT
  if ((u32be(bytes, at) & 0xFFFFF000) >>> 0 === AVS_MAGIC) return avs(cursor)
  const little = u32le(bytes, at + 4)
  return behind(cursor, little > 0xFFFF ? u32be(bytes, at + 4) : little)
}

/** AVS: magic and version u32, length u32, fields. */
export function avs(cursor: Cursor): number {
  return cursor.has(8) ? behind(cursor, u32be(cursor.bytes, cursor.at + 4)) : LINK_SHORT
}

function behind(cursor: Cursor, size: number): number {
  if (size < 8) return LINK_MALFORMED
  if (!cursor.has(size)) return LINK_SHORT
  cursor.at += size
  return IEEE80211
}

/** CACE PPI: version u8, flags u8, length u16, link type u32, fields. All little-endian. */
export function ppi(cursor: Cursor): number {
  const { bytes, at } = cursor
  if (!cursor.has(8)) return LINK_SHORT
  const size = u16le(bytes, at + 2)
  if (size < 8) return LINK_MALFORMED
  cursor.at = at + size
  return linkLayer(u32le(bytes, at + 4))
}
