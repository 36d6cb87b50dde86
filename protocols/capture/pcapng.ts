/**
 * pcapng, draft-ietf-opsawg-pcapng: a sequence of blocks.
 *
 *     block: type u32, total length u32, body, total length u32 again
 *
 * A section header block sets the byte order and forgets the interfaces of the section before. Packets come in enhanced,
 * simple and (obsolete) packet blocks; every other block is skipped by its length, whatever it is.
 * Simple packet blocks carry no time: the last known time of the file stands in for it.
 */
import { u16be, u16le, u32be, u32le } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { withoutFcs } from './pcap.ts'
import { FRAME, MORE, type RecordWindow, type Statistics, type Step } from './window.ts'

export const SECTION_HEADER = 0x0A0D0D0A
const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6

const BYTE_ORDER_MAGIC = 0x1A2B3C4D
/** Type, total length, and total length again. */
const FRAMING_BYTES = 12

// Options: of every block, of interface descriptions, of interface statistics, of enhanced packets.
const END_OF_OPTIONS = 0
const IF_TSRESOL = 9
const IF_FCSLEN = 13
const IF_TSOFFSET = 14
const ISB_IFDROP = 5
const ISB_OSDROP = 7
const EPB_FLAGS = 2

interface Interface {
  linkType: number
  /** 0: no limit. */
  snapLength: number
  ticksPerSecond: number
  /** Microseconds to add to each time. */
  offset: number
  fcsBytes: number
}

export class PcapngBlocks {
  #bigEndian = false
  #interfaces: Interface[] = []

  next(window: RecordWindow): Step {
    for (;;) {
      const { bytes, from, to } = window
      if (to - from < FRAMING_BYTES) return MORE
      const type = this.#u32(bytes, from)
      if (type === SECTION_HEADER && !this.#readByteOrder(bytes, from + 8)) return window.corrupt('a section without byte-order magic')
      const total = this.#u32(bytes, from + 4)
      if (total < FRAMING_BYTES || total % 4 !== 0) return window.corrupt(`a block claims ${total} bytes`)
      if (!isRead(type)) {
        window.from = from + total
        continue
      }
      if (total > LIMITS.capture.recordBytes) return window.corrupt(`a block claims ${total} bytes`)
      if (from + total > to) return MORE
      if (this.#u32(bytes, from + total - 4) !== total) return window.corrupt('the two lengths of a block differ')
      const answer = this.#block(window, type, from + 8, from + total - 4)
      if (answer !== MORE) return answer
      window.from = from + total
    }
  }

  /** A block that is read, its body `bytes[body..end)`. MORE: no packet, go on. */
  #block(window: RecordWindow, type: number, body: number, end: number): Step {
    switch (type) {
      case ENHANCED_PACKET: return this.#enhancedPacket(window, body, end)
      case SIMPLE_PACKET: return this.#simplePacket(window, body, end)
      case OBSOLETE_PACKET: return this.#obsoletePacket(window, body, end)
      case INTERFACE_STATISTICS: return this.#statistics(window, body, end)
      case INTERFACE_DESCRIPTION: return this.#interfaceDescription(window, body, end)
      default: return this.#sectionHeader(window, body, end)
    }
  }

  /** Section 4.1: byte-order magic u32, major u16, minor u16, section length i64 (not needed), options. */
  #sectionHeader(window: RecordWindow, body: number, end: number): Step {
    if (end - body < 16) return window.corrupt('a section header too short')
    const major = this.#u16(window.bytes, body + 4)
    if (major !== 1) return window.stop('unsupported', `pcapng version ${major}.${this.#u16(window.bytes, body + 6)} is not supported`)
    this.#interfaces = []
    return MORE
  }

  #readByteOrder(bytes: Uint8Array, at: number): boolean {
    this.#bigEndian = u32be(bytes, at) === BYTE_ORDER_MAGIC
    return this.#bigEndian || u32le(bytes, at) === BYTE_ORDER_MAGIC
  }

  /** Section 4.2: link type u16, reserved u16, snap length u32, options. */
  #interfaceDescription(window: RecordWindow, body: number, end: number): Step {
    const { bytes } = window
    if (end - body < 8) return window.corrupt('an interface description too short')
    if (this.#interfaces.length === LIMITS.capture.interfaces) return MORE
    const described: Interface = {
      linkType: this.#u16(bytes, body), snapLength: this.#u32(bytes, body + 4), ticksPerSecond: 1e6, offset: 0, fcsBytes: 0,
    }
    for (let at = body + 8; at + 4 <= end;) {
      const code = this.#u16(bytes, at)
      const length = this.#u16(bytes, at + 2)
      const value = at + 4
      if (code === END_OF_OPTIONS || value + length > end) break
      if (code === IF_TSRESOL && length === 1) described.ticksPerSecond = ticksPerSecond(bytes[value]!)
      if (code === IF_TSOFFSET && length === 8) described.offset = this.#i64(bytes, value) * 1e6
      if (code === IF_FCSLEN && length === 1) described.fcsBytes = bytes[value]!
      at = value + padded(length)
    }
    this.#interfaces.push(described)
    return MORE
  }

  /** Section 4.3: interface u32, time high u32, time low u32, captured u32, original u32, bytes, options. */
  #enhancedPacket(window: RecordWindow, body: number, end: number): Step {
    const { bytes } = window
    if (end - body < 20) return window.corrupt('an enhanced packet too short')
    const id = this.#u32(bytes, body)
    const captured = this.#u32(bytes, body + 12)
    const after = body + 20 + padded(captured)
    if (after > end) return window.corrupt(`a packet claims ${captured} bytes, more than its block has`)
    const answer = this.#packet(window, id, body + 20, captured, this.#u32(bytes, body + 16), end + 4)
    if (answer !== FRAME) return answer
    this.#time(window, id, this.#u32(bytes, body + 4), this.#u32(bytes, body + 8))
    const fcsBytes = after < end ? this.#packetFcs(bytes, after, end) : 0
    if (fcsBytes !== 0 && this.#interfaces[id]!.fcsBytes === 0) withoutFcs(window, fcsBytes)
    return FRAME
  }

  /** Appendix A: interface u16, drops u16, then as an enhanced packet. */
  #obsoletePacket(window: RecordWindow, body: number, end: number): Step {
    const { bytes } = window
    if (end - body < 20) return window.corrupt('a packet block too short')
    const id = this.#u16(bytes, body)
    const captured = this.#u32(bytes, body + 12)
    if (body + 20 + padded(captured) > end) return window.corrupt(`a packet claims ${captured} bytes, more than its block has`)
    const answer = this.#packet(window, id, body + 20, captured, this.#u32(bytes, body + 16), end + 4)
    if (answer === FRAME) this.#time(window, id, this.#u32(bytes, body + 4), this.#u32(bytes, body + 8))
    return answer
  }

  /** Section 4.6: interface u32, time high u32, time low u32, options. Whoever captured tells how far its clock is, and what it lost. */
  #statistics(window: RecordWindow, body: number, end: number): Step {
    const { bytes } = window
    const id = end - body < 12 ? -1 : this.#u32(bytes, body)
    const source = this.#interfaces[id]
    if (source === undefined || window.onStatistics === null) return MORE
    const at = microsOf(this.#u32(bytes, body + 4), this.#u32(bytes, body + 8), source.ticksPerSecond) + source.offset
    const found: Statistics = { interfaceId: id, at: at >= 0 && at <= LIMITS.capture.time ? at : null, kernelDrops: 0, interfaceDrops: 0 }
    for (let option = body + 12; option + 12 <= end;) {
      const code = this.#u16(bytes, option)
      const length = this.#u16(bytes, option + 2)
      if (code === END_OF_OPTIONS) break
      if (code === ISB_OSDROP && length === 8) found.kernelDrops = this.#i64(bytes, option + 4)
      if (code === ISB_IFDROP && length === 8) found.interfaceDrops = this.#i64(bytes, option + 4)
      option += 4 + padded(length)
    }
    window.onStatistics(found)
    return MORE
  }

  /** Section 4.4: original u32, bytes up to the snap length of interface 0. */
  #simplePacket(window: RecordWindow, body: number, end: number): Step {
    if (end - body < 4) return window.corrupt('a simple packet too short')
    const original = this.#u32(window.bytes, body)
    const snapLength = this.#interfaces[0]?.snapLength || Infinity
    return this.#packet(window, 0, body + 4, Math.min(original, snapLength, end - body - 4), original, end + 4)
  }

  #packet(window: RecordWindow, id: number, start: number, captured: number, original: number, after: number): Step {
    const source = this.#interfaces[id]
    if (source === undefined) return window.corrupt(`a packet of interface ${id}, which is not described`)
    window.start = start
    window.end = start + captured
    window.wireLength = original > captured ? original : captured
    window.linkType = source.linkType
    window.interfaceId = id
    window.from = after
    if (source.fcsBytes !== 0) withoutFcs(window, source.fcsBytes)
    return FRAME
  }

  #time(window: RecordWindow, id: number, high: number, low: number): void {
    const { ticksPerSecond: ticks, offset } = this.#interfaces[id]!
    const at = microsOf(high, low, ticks) + offset
    if (at >= 0 && at <= LIMITS.capture.time) window.at = at
    // 2^32 is 296 more than a multiple of 1000.
    window.nanos = ticks === 1e9 ? ((high % 1000) * 296 + (low % 1000)) % 1000 : 0
  }

  /** The FCS length in bits 5 to 8 of epb_flags (section 4.3.1), in bytes. */
  #packetFcs(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at + 8 <= end;) {
      const code = this.#u16(bytes, at)
      if (code === END_OF_OPTIONS) return 0
      if (code === EPB_FLAGS) return (this.#u32(bytes, at + 4) >>> 5) & 0xF
      at += 4 + padded(this.#u16(bytes, at + 2))
    }
    return 0
  }

  #u16(bytes: Uint8Array, at: number): number {
    return this.#bigEndian ? u16be(bytes, at) : u16le(bytes, at)
  }

  #u32(bytes: Uint8Array, at: number): number {
    return this.#bigEndian ? u32be(bytes, at) : u32le(bytes, at)
  }

  #i64(bytes: Uint8Array, at: number): number {
    const high = this.#u32(bytes, this.#bigEndian ? at : at + 4) | 0
    return high * 0x1_0000_0000 + this.#u32(bytes, this.#bigEndian ? at + 4 : at)
  }
}

function isRead(type: number): boolean {
  return type === ENHANCED_PACKET || type === SIMPLE_PACKET || type === OBSOLETE_PACKET
    || type === INTERFACE_STATISTICS || type === INTERFACE_DESCRIPTION || type === SECTION_HEADER
}

/** Lengths are padded to 32 bits; as arithmetic, because a hostile length may need all 32. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4
}

/** if_tsresol (section 4.2): the high bit chooses powers of two over powers of ten. */
function ticksPerSecond(resolution: number): number {
  const exponent = resolution & 0x7F
  return (resolution & 0x80) !== 0 ? 2 ** exponent : 10 ** exponent
}

/** Where the long division below leaves the exact range of numbers. */
const LONG_DIVISION_LIMIT = 2 ** 37

/**
 * 64-bit ticks as microseconds, exact to what a number holds (a quarter of a microsecond in this century), and the same
 * for the same instant whatever the resolution. The 64 bits do not fit a number, so they are divided 16 at a time.
 */
export function microsOf(high: number, low: number, ticks: number): number {
  if (ticks === 1e6) return high * 0x1_0000_0000 + low
  if (ticks > LONG_DIVISION_LIMIT) return fineMicros(high, low, ticks)
  const top = Math.floor(high / ticks)
  const upper = (high - top * ticks) * 0x1_0000 + (low >>> 16)
  const middle = Math.floor(upper / ticks)
  const lower = (upper - middle * ticks) * 0x1_0000 + (low & 0xFFFF)
  const bottom = Math.floor(lower / ticks)
  const seconds = top * 0x1_0000_0000 + middle * 0x1_0000 + bottom
  return seconds * 1e6 + (lower - bottom * ticks) * 1e6 / ticks
}

/** Resolutions finer than 10 picoseconds: rare enough for big integers. */
function fineMicros(high: number, low: number, ticks: number): number {
  const count = (BigInt(high) << 32n) | BigInt(low)
  const perSecond = BigInt(ticks)
  return Number(count / perSecond) * 1e6 + Number((count % perSecond) * 1_000_000_000n / perSecond) / 1000
}
