/**
 * Bytes to values, remembered: the same application names, message types and patients come again and again, and making a string
 * (or a keyed hash) of their bytes is dearer than comparing the bytes. Direct-mapped: a newcomer takes the place of whoever
 * has its slot, so memory is bounded and nothing depends on what was seen before but speed.
 */
export class Interner<T> {
  readonly #make: (b: Uint8Array, start: number, end: number) => T
  readonly #mask: number
  readonly #keys: (Uint8Array | undefined)[]
  readonly #values: (T | undefined)[]
  readonly #longest: number

  /**
   * @param slots a power of two.
   * @param longest bytes; longer ones are made anew each time.
   */
  constructor(slots: number, longest: number, make: (b: Uint8Array, start: number, end: number) => T) {
    this.#make = make
    this.#mask = slots - 1
    this.#longest = longest
    this.#keys = new Array<Uint8Array | undefined>(slots).fill(undefined)
    this.#values = new Array<T | undefined>(slots).fill(undefined)
  }

  get(b: Uint8Array, start: number, end: number): T {
    const length = end - start
    if (length > this.#longest) return this.#make(b, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ b[i]!, 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & this.#mask
    const key = this.#keys[slot]
    if (key !== undefined && key.length === length) {
      let i = 0
      while (i < length && key[i] === b[start + i]) i++
      if (i === length) return this.#values[slot] as T
    }
    const value = this.#make(b, start, end)
    this.#keys[slot] = Uint8Array.prototype.slice.call(b, start, end) // a copy also of a Buffer
    this.#values[slot] = value
    return value
  }
}
