import { LIMITS } from './limits.ts'

/** Memory for the bytes that conversations keep for their dissectors, over all of them. */
export class KeptBytes {
  readonly #limit: number
  readonly #small: number
  /** The last buffer that was given back: what is kept is mostly gone with the next segment. */
  #spare: Uint8Array | null = null
  used = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#small = Math.min(LIMITS.smallBytes, limit / 32)
  }

  /** @returns null when too much is kept already, and this is not little */
  take(size: number): Uint8Array | null {
    const spare = this.#spare
    if (spare !== null && spare.length >= size && spare.length <= 4 * size) {
      this.#spare = null
      this.used += spare.length
      return spare
    }
    const capacity = Math.max(64, 2 ** Math.ceil(Math.log2(size)))
    if (capacity > this.#small && this.used + capacity > this.#limit) return null
    this.used += capacity
    return new Uint8Array(capacity)
  }

  giveBack(bytes: Uint8Array): void {
    this.used -= bytes.length
    this.#spare = bytes
  }
}
