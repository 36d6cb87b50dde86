/**
 * UTF-16 inside a block (a sender that ignores MLLP R2 1.2.3), one segment at a time as UTF-8. Units are two bytes; the order of
 * the bytes is that of the byte order mark, or of the first letter.
 */
import { LIMITS } from '../limits.ts'
import type { HeldBytes } from './held.ts'

/** Bytes that most segments fit into. */
const FIRST = 256
const EMPTY = new Uint8Array(0)

export class Utf16 {
  readonly #bigEndian: boolean
  readonly #memory: HeldBytes
  /** The current segment as UTF-8, up to what is read of any segment, or what there is room for. */
  bytes: Uint8Array = EMPTY
  size = 0
  /** Of the whole segment. */
  length = 0
  /** Stream offset of the segment's first unit. */
  offset: number
  #high = 0

  constructor(bigEndian: boolean, offset: number, memory: HeldBytes) {
    this.#bigEndian = bigEndian
    this.#memory = memory
    this.offset = offset
  }

  /** What a block that begins with these bytes is written in; undefined: not in UTF-16. */
  static of(b: Uint8Array, at: number, end: number, offset: number, memory: HeldBytes): Utf16 | undefined {
    if (end - at < 2) return undefined
    const first = b[at]!, second = b[at + 1]!
    if (first === 0xFF && second === 0xFE) return new Utf16(false, offset, memory)
    if (first === 0xFE && second === 0xFF) return new Utf16(true, offset, memory)
    if (second === 0 && isOpening(first)) return new Utf16(false, offset, memory)
    if (first === 0 && isOpening(second)) return new Utf16(true, offset, memory)
    return undefined
  }

  unit(first: number, second: number): number {
    return this.#bigEndian ? (first << 8) | second : (second << 8) | first
  }

  add(unit: number): void {
    if (unit === 0xFEFF) return
    if (unit >= 0xD800 && unit < 0xDC00) {
      this.#high = unit
      return
    }
    const low = unit >= 0xDC00 && unit < 0xE000
    this.#encode(!low ? unit : this.#high === 0 ? 0xFFFD : 0x10000 + ((this.#high - 0xD800) << 10) + (unit - 0xDC00))
    this.#high = 0
  }

  #encode(c: number): void {
    if (c < 0x80) {
      this.#put(c)
    } else if (c < 0x800) {
      this.#put(0xC0 | (c >> 6))
      this.#put(0x80 | (c & 0x3F))
    } else {
      if (c < 0x10000) {
        this.#put(0xE0 | (c >> 12))
      } else {
        this.#put(0xF0 | (c >> 18))
        this.#put(0x80 | ((c >> 12) & 0x3F))
      }
      this.#put(0x80 | ((c >> 6) & 0x3F))
      this.#put(0x80 | (c & 0x3F))
    }
  }

  #put(byte: number): void {
    // What does not fit is only counted, and so is all behind it.
    if (this.size === this.length && (this.size < this.bytes.length || this.#grow())) this.bytes[this.size++] = byte
    this.length++
  }

  #grow(): boolean {
    const { bytes } = this
    const room = bytes.length < LIMITS.hl7.segmentBytes ? this.#memory.take(2 * bytes.length || FIRST) : null
    if (room === null) return false
    room.set(bytes)
    this.#memory.giveBack(bytes)
    this.bytes = room
    return true
  }

  release(): void {
    this.#memory.giveBack(this.bytes)
    this.bytes = EMPTY
    this.next(this.offset)
  }

  next(offset: number): void {
    this.size = this.length = 0
    this.offset = offset
  }
}

/** M, F or B: the first letter of MSH, FHS and BHS. */
const isOpening = (c: number): boolean => c === 0x4D || c === 0x46 || c === 0x42
