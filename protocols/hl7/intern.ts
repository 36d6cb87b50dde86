/** Start of the hash that `getHashed` wants. */
export const HASH_START = 0x811C9DC5 | 0
/** FNV-1a. */
export const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)

/**
 * Bytes to values, remembered: the same application names, message types and patients come again and again, and making a string
 * (or a keyed hash) of their bytes is dearer than comparing the bytes. Every key has two places; a newcomer takes the first, whose
 * owner moves to the second, whose owner is forgotten. So memory is bounded, and nothing but speed depends on what was seen before.
 * Keys lie side by side in one array, and no hashes beside them, because a miss of the processor's cache costs as much as reading a field.
 */
export class Interner<T> {
  readonly #make: (b: Uint8Array, start: number, end: number) => T
  readonly #shift: number
  /** Bytes of a key's place: its length, then its bytes. */
  readonly #stride: number
  readonly #keys: Uint8Array
  readonly #values: (T | undefined)[]

  /**
   * @param slots a power of two.
   * @param longest bytes, below 256; longer keys are made anew each time, and so is the empty one.
   */
  constructor(slots: number, longest: number, make: (b: Uint8Array, start: number, end: number) => T) {
    this.#make = make
    this.#shift = 32 - Math.log2(slots)
    this.#stride = longest + 1
    this.#keys = new Uint8Array(slots * this.#stride)
    this.#values = new Array<T | undefined>(slots).fill(undefined)
  }

  get(b: Uint8Array, start: number, end: number): T {
    let hash = HASH_START
    for (let i = start; i < end; i++) hash = hashByte(hash, b[i]!)
    return this.getHashed(b, start, end, hash)
  }

  /** `hash` is `hashByte` of all the bytes, from `HASH_START` on, by a caller who had to look at each of them anyway. */
  getHashed(b: Uint8Array, start: number, end: number, hash: number): T {
    const length = end - start
    if (length >= this.#stride || length === 0) return this.#make(b, start, end)
    const slot = Math.imul(hash, 0x9E3779B1) >>> this.#shift
    if (this.#isAt(slot, b, start, end)) return this.#values[slot] as T
    if (this.#isAt(slot ^ 1, b, start, end)) return this.#values[slot ^ 1] as T
    return this.#keep(b, start, end, slot)
  }

  #isAt(slot: number, b: Uint8Array, start: number, end: number): boolean {
    const keys = this.#keys
    const length = end - start
    let k = slot * this.#stride
    // A free place has length 0.
    if (keys[k] !== length) return false
    k += length
    // Identifiers differ most in their last characters.
    for (let i = end - 1; i >= start; i--, k--) if (keys[k] !== b[i]) return false
    return true
  }

  #keep(b: Uint8Array, start: number, end: number, slot: number): T {
    const value = this.#make(b, start, end)
    const keys = this.#keys
    const second = slot ^ 1
    let place = slot * this.#stride
    if (keys[place] !== 0) {
      this.#values[second] = this.#values[slot]
      // Keys are short: plain loops beat calls.
      for (let from = place, to = second * this.#stride, n = keys[place]!; n >= 0; n--) keys[to++] = keys[from++]!
    }
    this.#values[slot] = value
    keys[place] = end - start
    for (let i = start; i < end; i++) keys[++place] = b[i]!
    return value
  }
}
