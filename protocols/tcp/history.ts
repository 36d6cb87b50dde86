/** The last bytes that were delivered of one direction, to compare repetitions with. A ring; bytes that were skipped interrupt it. */
export class History {
  readonly #ring: Uint8Array
  #start = 0
  #end = 0

  /** @param size a power of two */
  constructor(size: number) {
    this.#ring = new Uint8Array(size)
  }

  /** For another conversation: nothing was delivered yet. */
  forget(): void {
    this.#start = this.#end = 0
  }

  /** `bytes[from..to)` were delivered at `offset` of the stream. */
  record(offset: number, bytes: Uint8Array, from: number, to: number): void {
    const ring = this.#ring
    const size = ring.length
    if (offset !== this.#end) this.#start = offset
    this.#end = offset + to - from
    if (this.#end - this.#start > size) this.#start = this.#end - size
    if (to - from > size) from = to - size
    const at = (this.#end - (to - from)) & (size - 1)
    const first = Math.min(to - from, size - at)
    copy(bytes, from, from + first, ring, at)
    if (from + first < to) copy(bytes, from + first, to, ring, 0)
  }

  /** Do `bytes[from..to)`, repeated at `offset`, differ from what was delivered there? What is no longer known does not. */
  differs(offset: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = Math.max(offset, this.#start)
    const end = Math.min(offset + to - from, this.#end)
    const mask = this.#ring.length - 1
    for (let at = start; at < end; at++) if (this.#ring[at & mask] !== bytes[from + at - offset]) return true
    return false
  }
}

function copy(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): void {
  // A view costs more than a few dozen bytes.
  if (to - from > 48) into.set(bytes.subarray(from, to), at)
  else for (let i = from; i < to; i++) into[at++] = bytes[i]!
}
