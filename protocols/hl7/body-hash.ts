/**
 * A fast keyed hash of message bodies: the same segments give the same 52 bits however they were cut into packets and ended.
 * Replay and retransmission are told apart by it, so it runs over every byte of every message, and an HMAC would cost more than all
 * the rest. Two 32-bit lanes seeded by the site's key, mixed at the end as MurmurHash3 does. Not a proof against somebody
 * who knows the key; who does not cannot aim for a collision, nor test guesses of what a body said.
 *
 * A segment is hashed by itself, eight bytes at a time from its first byte on, its last step having the bytes that are left (0 to 7), and
 * how many they are. So the search for its end, which looks at the same bytes, hashes it on the way.
 */
import { lensOf } from './lens.ts'

// Written as plain literals, these are constants for the machine, too. Sums and fields are cut to 32 bits (`| 0`) at once: with a number
// that might be larger it calculates in floating point.
const A = 0x9E3779B1, B = 0x85EBCA77
const HIGHEST = 0x80808080

/** The hash of one segment at a time; all messages of a site share one. */
export class SegmentHash {
  readonly #seedA: number
  readonly #seedB: number
  /** What the bytes are multiplied with before the lanes take them: odd, so that none is lost, and secret, so that no two changes cancel each other. */
  readonly #keyA: number
  readonly #keyB: number
  /** Of the last segment. */
  a = 0
  b = 0

  constructor(seedA: number, seedB: number) {
    this.#seedA = seedA | 0
    this.#seedB = seedB | 0
    this.#keyA = seedB | 1
    this.#keyB = seedA | 1
  }

  start(): void {
    this.a = this.#seedA
    this.b = this.#seedB
  }

  /** The next eight bytes, lowest first. */
  step(low: number, high: number): void {
    this.a = stepA(this.a, low, high, this.#keyA)
    this.b = stepB(this.b, low, high, this.#keyB)
  }

  /** The last of them, and their count. */
  end(low: number, high: number, count: number): void {
    this.step(low, high | (count << 24))
  }

  /**
   * Hashes what stands from `start` on in front of the first control character (a byte below 20H).
   *
   * @returns where that is. There is none where this is `end`, and no hash then.
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    const lens = lensOf(bytes)
    const { words } = lens
    const shift = lens.shift | 0
    const last = end - 8
    const keyA = this.#keyA | 0
    const keyB = this.#keyB | 0
    let a = this.#seedA | 0
    let b = this.#seedB | 0
    let i = start
    for (; i <= last; i += 8) {
      const low = words.getInt32(shift + i, true)
      const high = words.getInt32(shift + i + 4, true)
      const controls = controlsIn(low)
      if (controls !== 0) return this.#scanned(a, b, i, low, 0, firstOf(controls))
      const more = controlsIn(high)
      if (more !== 0) return this.#scanned(a, b, i, low, high, 4 + firstOf(more))
      a = stepA(a, low, high, keyA)
      b = stepB(b, low, high, keyB)
    }
    let rest = i
    while (rest < end && bytes[rest]! >= 0x20) rest++
    if (rest < end) return this.#scanned(a, b, i, littleEndian(bytes, i, Math.min(rest, i + 4)), littleEndian(bytes, i + 4, rest), rest - i)
    return rest
  }

  /** Hashes a whole segment. */
  of(bytes: Uint8Array, start: number, end: number): void {
    this.start()
    const rest = this.steps(bytes, start, end)
    this.end(littleEndian(bytes, rest, Math.min(end, rest + 4)), littleEndian(bytes, rest + 4, end), end - rest)
  }

  /** As many steps as the bytes fill. @returns where the rest begins */
  steps(bytes: Uint8Array, start: number, end: number): number {
    const { words, shift } = lensOf(bytes)
    let i = start
    for (; i + 8 <= end; i += 8) this.step(words.getInt32(shift + i, true), words.getInt32(shift + i + 4, true))
    return i
  }

  /** At `i` stand the last `count` bytes of a segment and others behind them. */
  #scanned(a: number, b: number, i: number, low: number, high: number, count: number): number {
    this.a = a
    this.b = b
    this.end(count < 4 ? low & below(count) : low, count < 4 ? 0 : high & below(count - 4), count)
    return i + count
  }
}

/** Each lane takes all eight bytes, four of them as they are. */
const stepA = (a: number, low: number, high: number, key: number): number => {
  const keyed = Math.imul(high, key)
  const mixed = Math.imul(a ^ low ^ ((keyed << 16) | (keyed >>> 16)), A)
  return mixed ^ (mixed >>> 15)
}

const stepB = (b: number, low: number, high: number, key: number): number => {
  const mixed = Math.imul(((b + high) | 0) ^ Math.imul(low, key), B)
  return (mixed << 13) | (mixed >>> 19)
}

/** 80H in each byte of the word that is below 20H, and perhaps in bytes above such a one: the lowest is right. */
const controlsIn = (word: number): number => ((word - 0x20202020) | 0) & ~word & HIGHEST

/** Which byte of a word has the lowest of these. */
const firstOf = (controls: number): number => (31 - Math.clz32(controls & -controls)) >> 3

/** A mask of the lowest `count` bytes of a word, 0 to 3. */
const below = (count: number): number => (1 << (8 * count)) - 1

function littleEndian(bytes: Uint8Array, start: number, end: number): number {
  let word = 0
  for (let i = end - 1; i >= start; i--) word = (word << 8) | bytes[i]!
  return word
}

/** The hash of the segments of one message. */
export class BodyHash {
  readonly #segment: SegmentHash
  #a = 0
  #b = 0
  /** Of a segment in pieces: what was hashed of it, and the bytes that do not fill a step yet. */
  readonly #rest = new Uint8Array(8)
  #restBytes = 0
  #pieceA = 0
  #pieceB = 0
  #isInPieces = false

  constructor(segment: SegmentHash) {
    this.#segment = segment
  }

  reset(): void {
    this.#a = this.#b = this.#restBytes = 0
    this.#isInPieces = false
  }

  /** A whole segment. @param isScanned it is the one that was scanned last */
  segment(bytes: Uint8Array, start: number, end: number, isScanned: boolean): void {
    if (!isScanned) this.#segment.of(bytes, start, end)
    this.#add()
  }

  /** A piece of a segment, of any size; `endPieces` follows the last one. */
  piece(bytes: Uint8Array, start: number, end: number): void {
    const segment = this.#segment
    if (this.#isInPieces) this.#resume()
    else segment.start()
    this.#isInPieces = true
    let i = start
    if (this.#restBytes > 0) {
      while (this.#restBytes < 8 && i < end) this.#rest[this.#restBytes++] = bytes[i++]!
      if (this.#restBytes === 8) {
        segment.steps(this.#rest, 0, 8)
        this.#restBytes = 0
      }
    }
    if (this.#restBytes === 0) {
      for (i = segment.steps(bytes, i, end); i < end; i++) this.#rest[this.#restBytes++] = bytes[i]!
    }
    this.#pieceA = segment.a
    this.#pieceB = segment.b
  }

  endPieces(): void {
    if (this.#isInPieces) this.#resume()
    else this.#segment.start()
    const count = this.#restBytes
    this.#segment.end(littleEndian(this.#rest, 0, Math.min(4, count)), littleEndian(this.#rest, 4, count), count)
    this.#isInPieces = false
    this.#restBytes = 0
    this.#add()
  }

  #resume(): void {
    this.#segment.a = this.#pieceA
    this.#segment.b = this.#pieceB
  }

  #add(): void {
    const { a, b } = this.#segment
    this.#a = stepA(this.#a, a, b, B)
    this.#b = stepB(this.#b, a, b, A)
  }

  /** A whole number below 2^52, of all segments since `reset`. */
  value(): number {
    const a = mix(this.#a)
    const b = mix(this.#b + a)
    return (a >>> 0) * 0x10_0000 + ((b >>> 0) & 0xF_FFFF)
  }
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85EBCA6B)
  h = Math.imul(h ^ (h >>> 13), 0xC2B2AE35)
  return h ^ (h >>> 16)
}
