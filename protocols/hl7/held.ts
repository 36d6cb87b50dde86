/** Memory for segments that have not ended, over all connections: each may hold little, but an attacker can open many. */
import { LIMITS } from '../limits.ts'

const SMALLEST = 64
/** Buffers kept at hand of each size. */
const SPARE = 16

export class HeldBytes {
  #used = 0
  readonly #spare: Uint8Array[][] = []

  /** @returns at least `size` bytes; null when too much is held already, and this is not little */
  take(size: number): Uint8Array | null {
    const kind = Math.max(0, 32 - Math.clz32(size - 1) - Math.log2(SMALLEST))
    const bytes = SMALLEST << kind
    if (bytes > LIMITS.smallBytes && this.#used + bytes > LIMITS.hl7.heldTotalBytes) return null
    this.#used += bytes
    return this.#spare[kind]?.pop() ?? new Uint8Array(bytes)
  }

  giveBack(buffer: Uint8Array): void {
    if (buffer.length === 0) return
    this.#used -= buffer.length
    const spare = (this.#spare[Math.log2(buffer.length / SMALLEST)] ??= [])
    if (spare.length < SPARE) spare.push(buffer)
  }

  /** Bytes held at present. */
  get used(): number {
    return this.#used
  }
}
