/**
 * pcap, draft-ietf-opsawg-pcap: a 24-byte file header, then records.
 *
 *     file:   magic u32, major u16, minor u16, thiszone i32, sigfigs u32, snaplen u32, link type and FCS bits u32
 *     record: seconds u32, micro- or nanoseconds u32, captured length u32, original length u32, bytes
 *
 * The magic tells byte order and precision; A1B2CD34 (Alexey Kuznetzov's patch) adds interface index u32, protocol u16,
 * packet type u8 and padding u8 to each record. Before version 2.3 the two lengths stood the other way round.
 */
import { u16be, u16le, u32be, u32le } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { FRAME, MORE, type RecordWindow, type Step } from './window.ts'

export const PCAP_HEADER_BYTES = 24

const MICROSECONDS = 0xA1B2C3D4
const NANOSECONDS = 0xA1B23C4D
const MODIFIED = 0xA1B2CD34

export function isPcapMagic(bytes: Uint8Array, at: number): boolean {
  return isMagic(u32be(bytes, at)) || isMagic(u32le(bytes, at))
}

function isMagic(value: number): boolean {
  return value === MICROSECONDS || value === NANOSECONDS || value === MODIFIED
}

export class PcapRecords {
  readonly #bigEndian: boolean
  readonly #headerBytes: number
  readonly #unitsPerMicro: number
  /** Lengths in the old order: never, when the captured one would be the larger (2.3 was written both ways), always. */
  readonly #swapped: 'never' | 'perhaps' | 'always'
  /** Bytes of a frame check sequence at the end of each frame. */
  readonly #fcsBytes: number

  /** The file header is at the window's `from`, whole; the window is moved behind it. */
  constructor(window: RecordWindow) {
    const { bytes, from } = window
    this.#bigEndian = isMagic(u32be(bytes, from))
    const u16 = this.#bigEndian ? u16be : u16le
    const u32 = this.#bigEndian ? u32be : u32le
    const magic = u32(bytes, from)
    const major = u16(bytes, from + 4)
    const minor = u16(bytes, from + 6)
    const linkWord = u32(bytes, from + 20)
    this.#headerBytes = magic === MODIFIED ? 24 : 16
    this.#unitsPerMicro = magic === NANOSECONDS ? 1000 : 1
    this.#swapped = major === 543 || minor < 3 ? 'always' : minor === 3 ? 'perhaps' : 'never'
    // Bit 26 says that bits 28 to 31 hold the length of the FCS in 16-bit words.
    this.#fcsBytes = (linkWord & 0x0400_0000) !== 0 ? 2 * (linkWord >>> 28) : 0
    window.linkType = linkWord & 0xFFFF
    if (major !== 2 && major !== 543) window.stop('unsupported', `pcap version ${major}.${minor} is not supported`)
    window.from = from + PCAP_HEADER_BYTES
  }

  next(window: RecordWindow): Step {
    const { bytes, from, to } = window
    const start = from + this.#headerBytes
    if (start > to) return MORE
    const big = this.#bigEndian
    const seconds = big ? u32be(bytes, from) : u32le(bytes, from)
    const fraction = big ? u32be(bytes, from + 4) : u32le(bytes, from + 4)
    let captured = big ? u32be(bytes, from + 8) : u32le(bytes, from + 8)
    let original = big ? u32be(bytes, from + 12) : u32le(bytes, from + 12)
    if (this.#swapped === 'always' || (this.#swapped === 'perhaps' && captured > original)) [captured, original] = [original, captured]
    if (captured > LIMITS.capture.recordBytes) return window.corrupt(`a record claims ${captured} bytes`)
    if (captured === 0 && original === 0 && seconds === 0) return window.corrupt('zeros where a record should be')
    if (start + captured > to) return MORE

    window.start = start
    window.end = start + captured
    window.wireLength = original > captured ? original : captured
    window.at = seconds * 1e6 + fraction / this.#unitsPerMicro
    window.nanos = this.#unitsPerMicro === 1 ? 0 : fraction % 1000
    window.from = start + captured
    if (this.#fcsBytes !== 0) withoutFcs(window, this.#fcsBytes)
    return FRAME
  }
}

/** Takes the frame check sequence, or what was captured of it, off the frame's end. */
export function withoutFcs(window: RecordWindow, fcsBytes: number): void {
  if (window.wireLength < fcsBytes) return
  window.wireLength -= fcsBytes
  window.end = Math.min(window.end, window.start + window.wireLength)
}
