/**
 * A fast keyed hash of message bodies: the same segments give the same 52 bits however they were cut into packets and ended.
 * Replay and retransmission are told apart by it, so it runs over every byte of every message, and an HMAC would cost more than all
 * the rest. Two 32-bit lanes seeded by the site's key, mixed at the end as MurmurHash3 does. Not a proof against somebody
 * who knows the key; who does not cannot aim for a collision, nor test guesses of what a body said.
 *
 * A segment is taken in words of four bytes from its first byte on; its last word has the bytes that are left, and how many they are.
 */
import { lensOf } from './lens.ts'

export class BodyHash {
  readonly #seedA: number
  readonly #seedB: number
  #a = 0
  #b = 0
  #length = 0
  /** Of the pieces of a segment: bytes that do not fill a word yet, lowest first. */
  #rest = 0
  #restBytes = 0

  constructor(seedA: number, seedB: number) {
    this.#seedA = seedA | 0
    this.#seedB = seedB | 0
    this.reset()
  }

  reset(): void {
    this.#a = this.#seedA
    this.#b = this.#seedB
    this.#length = this.#rest = this.#restBytes = 0
  }

  /** A whole segment. */
  segment(bytes: Uint8Array, start: number, end: number): void {
    this.#words(bytes, start, end)
    this.endPieces()
  }

  /** A piece of a segment, of any size; `endPieces` follows the last one. */
  piece(bytes: Uint8Array, start: number, end: number): void {
    let i = start
    while (this.#restBytes > 0 && i < end) {
      this.#rest |= bytes[i++]! << (this.#restBytes * 8)
      this.#restBytes = (this.#restBytes + 1) & 3
      if (this.#restBytes > 0) continue
      this.#word(this.#rest)
      this.#rest = 0
    }
    this.#length += i - start
    if (i < end) this.#words(bytes, i, end)
  }

  endPieces(): void {
    this.#word((this.#restBytes << 24) | this.#rest)
    this.#rest = this.#restBytes = 0
  }

  /** Nothing is left of what came before: whole words, and what remains. */
  #words(bytes: Uint8Array, start: number, end: number): void {
    let a = this.#a
    let b = this.#b
    const { words, shift } = lensOf(bytes)
    let i = start
    for (; i + 4 <= end; i += 4) {
      const word = words.getInt32(shift + i, true)
      a = Math.imul(a ^ word, 0x9E3779B1)
      a ^= a >>> 15
      b = Math.imul((b + word) | 0, 0x85EBCA77)
      b = (b << 13) | (b >>> 19)
    }
    this.#a = a
    this.#b = b
    this.#length += end - start
    this.#restBytes = end - i
    let rest = 0
    while (end > i) rest = (rest << 8) | bytes[--end]!
    this.#rest = rest
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x9E3779B1)
    this.#a ^= this.#a >>> 15
    this.#b = Math.imul((this.#b + word) | 0, 0x85EBCA77)
    this.#b = (this.#b << 13) | (this.#b >>> 19)
  }

  /** A whole number below 2^52, of all segments since `reset`. */
  value(): number {
    const a = mix(this.#a ^ this.#length)
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
