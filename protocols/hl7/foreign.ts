/** Bytes where HL7 should be: how many, where, and a sample to tell what they look like. */
import { LIMITS } from '../limits.ts'
import { RANDOM, looksLike } from '../content.ts'

const TAB = 0x09, ESC = 0x1B

export class ForeignBytes {
  #sample: Uint8Array | undefined
  size = 0
  /** Stream offset of the first one. */
  offset = 0

  /** Control characters that came just before: nothing by themselves, but the beginning of what follows (a TLS record begins with SYN ETX). */
  #before = 0
  #beforeCount = 0

  /** A control character that says nothing by itself. */
  aside(byte: number): void {
    this.#before = (this.#before << 8) | byte
    if (this.#beforeCount < 4) this.#beforeCount++
  }

  /** @returns true when the sample is full now: time to say what it looks like. */
  add(byte: number, offset: number): boolean {
    this.#sample ??= new Uint8Array(LIMITS.hl7.sampleBytes)
    if (this.size === 0) {
      this.offset = offset - this.#beforeCount
      while (this.#beforeCount > 0) this.#sample[this.size++] = (this.#before >>> (--this.#beforeCount * 8)) & 0xFF
    }
    if (this.size < this.#sample.length) this.#sample[this.size] = byte
    return ++this.size === this.#sample.length
  }

  reset(): void {
    this.size = this.#beforeCount = 0
  }

  /** Not more than the sample: it is described when it ends or when the sample is full, whichever comes first. */
  get described(): boolean {
    return this.size === 0 || this.size >= LIMITS.hl7.sampleBytes
  }

  /** `27 bytes, which look like HTTP`. */
  describe(): string {
    const full = this.size >= LIMITS.hl7.sampleBytes
    const look = looksLike(this.#sample ?? new Uint8Array(0), 0, Math.min(this.size, LIMITS.hl7.sampleBytes))
    return `${this.size} bytes${full ? ' or more' : ''} that look like ${look}`
  }
}

/**
 * What a line inside a message that is no segment looks like; undefined where it may be free text whose sender did not escape its line ends. Text
 * that is not ASCII has no control characters (but the escapes of ISO 2022), and hardly any 64 random bytes have none.
 */
export function lineLook(b: Uint8Array, start: number, end: number): string | undefined {
  const stop = Math.min(end, start + LIMITS.hl7.sampleBytes)
  const look = looksLike(b, start, stop)
  if (look === 'text') return undefined
  if (look !== 'binary' && look !== RANDOM) return look
  for (let i = start; i < stop; i++) if (b[i]! < 0x20 && b[i] !== TAB && b[i] !== ESC) return look
  return undefined
}
