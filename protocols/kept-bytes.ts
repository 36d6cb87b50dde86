import { LIMITS } from './limits.ts'

export interface Keeper {
  /** Its bytes are wanted by others: it gives them back, and what they were is lost. */
  drop(bytes: Uint8Array): void
}

/** Memory for the bytes that conversations keep for their dissectors, over all of them. Where it is used up, what has been kept for longest is lost: the rest of what is honest comes soon. */
export class KeptBytes {
  readonly #limit: number
  readonly #small: number
  /** Who keeps more than little, in the order it was taken. */
  readonly #keepers = new Map<Uint8Array, Keeper>()
  /** The last buffer that was given back: what is kept is mostly gone with the next segment. */
  #spare: Uint8Array | null = null
  used = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#small = Math.min(LIMITS.smallBytes, limit / 32)
  }

  /** @returns null when too much is kept already, this is not little, and nobody else has what it would take */
  take(size: number, keeper: Keeper): Uint8Array | null {
    const spare = this.#spare
    if (spare !== null && spare.length >= size && spare.length <= 4 * size && this.used + spare.length <= this.#limit) {
      this.#spare = null
      return this.#lend(spare, keeper)
    }
    const capacity = Math.max(64, 2 ** Math.ceil(Math.log2(size)))
    if (capacity > this.#small && this.used + capacity > this.#limit && !this.#makeRoom(capacity, keeper)) return null
    return this.#lend(new Uint8Array(capacity), keeper)
  }

  giveBack(bytes: Uint8Array): void {
    this.used -= bytes.length
    if (bytes.length > this.#small) this.#keepers.delete(bytes)
    this.#spare = bytes
  }

  #lend(bytes: Uint8Array, keeper: Keeper): Uint8Array {
    this.used += bytes.length
    if (bytes.length > this.#small) this.#keepers.set(bytes, keeper)
    return bytes
  }

  #makeRoom(capacity: number, keeper: Keeper): boolean {
    for (const [bytes, other] of this.#keepers) {
      if (this.used + capacity <= this.#limit) break
      if (other !== keeper) other.drop(bytes)
    }
    return this.used + capacity <= this.#limit
  }
}
