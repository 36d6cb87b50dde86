/**
 * A fast keyed hash of message bodies, fed in pieces of any size: the same bytes give the same 52 bits however they were cut.
 * Replay and retransmission are told apart by it, so it runs over every byte of every message, and an HMAC would cost more than all
 * the rest. Two 32-bit lanes seeded by the site's key, mixed at the end as MurmurHash3 does. Not a proof against somebody
 * who knows the key; who does not cannot aim for a collision, nor test guesses of what a body said.
 */
import { lensOf } from './lens.ts'

export class BodyHash {
  readonly #seedA: number
  readonly #seedB: number
  #a = 0
  #b = 0
  #length = 0
  /** Bytes that do not fill a word yet, lowest first. */
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

  update(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start) return
    this.#length += end - start
    let i = start
    while (this.#restBytes > 0 && i < end) {
      this.#rest |= bytes[i++]! << (this.#restBytes * 8)
      this.#restBytes = (this.#restBytes + 1) & 3
      if (this.#restBytes === 0) {
        this.#word(this.#rest)
        this.#rest = 0
      }
    }
    let a = this.#a
    let b = this.#b
    const { words, shift } = lensOf(bytes)
    for (; i + 4 <= end; i += 4) {
      const word = words.getInt32(shift + i, true)
      a = Math.imul(a ^ word, 0x9E3779B1)
      a ^= a >>> 15
      b = Math.imul((b + word) | 0, 0x85EBCA77)
      b = (b << 13) | (b >>> 19)
    }
    this.#a = a
    this.#b = b
    while (i < end) this.#rest |= bytes[i++]! << (this.#restBytes++ * 8)
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x9E3779B1)
    this.#a ^= this.#a >>> 15
    this.#b = Math.imul((this.#b + word) | 0, 0x85EBCA77)
    this.#b = (this.#b << 13) | (this.#b >>> 19)
  }

  /** A whole number below 2^52, of all bytes since `reset`. */
  value(): number {
    if (this.#restBytes > 0) this.#word(this.#rest)
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
