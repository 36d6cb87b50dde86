/**
 * Segments above a hole: ranges in order over pages of bytes. Ranges that touch are joined once there are many; until then the
 * beginnings of segments stay visible, since messages mostly begin there and a dissector that has lost bytes looks for one.
 *
 * A range is `STORED` (its bytes are in pages), `COUNTED` (nobody wants its bytes: no page) or `SLICED` (its bytes were not captured).
 * What came first stays; a later copy fills only what is still missing, and is compared with the rest.
 * Cost: finding a place is a binary search over at most `heldRanges` ranges; adding bytes is one copy.
 */
import type { TcpLimits } from './limits.ts'

export const STORED = 0
export const COUNTED = 1
export const SLICED = 2
export type RangeKind = typeof STORED | typeof COUNTED | typeof SLICED

/** Pages for all conversations, so that what is held in total is bounded. */
export class PagePool {
  readonly pageBytes: number
  readonly #limit: number
  readonly #free: Uint8Array[] = []
  used = 0

  constructor(limits: TcpLimits) {
    this.pageBytes = limits.pageBytes
    this.#limit = Math.floor(limits.heldTotalBytes / limits.pageBytes)
  }

  get isExhausted(): boolean {
    return this.used >= this.#limit
  }

  take(): Uint8Array {
    this.used++
    return this.#free.pop() ?? new Uint8Array(this.pageBytes)
  }

  giveBack(page: Uint8Array): void {
    this.used--
    // Enough for everyday reordering; what a burst needed beyond goes back to the runtime.
    if (this.#free.length < 64) this.#free.push(page)
  }
}

export class Held {
  /** Ranges [starts[i], ends[i]) in order, without overlap. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #kinds: RangeKind[] = []
  readonly #pages = new Map<number, Uint8Array>()
  readonly #pool: PagePool
  readonly #pageBytes: number
  readonly #crowd: number
  /** The last `add` brought other bytes than were held. */
  differs = false

  /** @param crowd from this many ranges on, those that touch are joined */
  constructor(pool: PagePool, crowd: number) {
    this.#pool = pool
    this.#pageBytes = pool.pageBytes
    this.#crowd = crowd
  }

  get ranges(): number {
    return this.#starts.length
  }

  get pages(): number {
    return this.#pages.size
  }

  /** Where the first range begins and ends, and its kind. Only while there are ranges. */
  get start(): number {
    return this.#starts[0]!
  }

  get firstEnd(): number {
    return this.#ends[0]!
  }

  get firstKind(): RangeKind {
    return this.#kinds[0]!
  }

  /** End of the last range. */
  get end(): number {
    return this.#ends[this.#ends.length - 1]!
  }

  /** Adds the range [start, end); for STORED its bytes are `bytes[from..]`. @returns bytes that were new */
  add(start: number, end: number, kind: RangeKind, bytes: Uint8Array, from: number): number {
    let at = start
    let isNew = 0
    this.differs = false
    for (let i = this.#firstEndingAfter(start); at < end;) {
      if (i < this.#ends.length && this.#ends[i]! <= at) {
        i++
      } else if (i < this.#starts.length && this.#starts[i]! <= at) {
        const stop = Math.min(end, this.#ends[i]!)
        if (kind === STORED && this.#kinds[i] === STORED && !this.#equals(at, stop, bytes, from + (at - start))) this.differs = true
        at = stop
      } else {
        const stop = i < this.#starts.length ? Math.min(end, this.#starts[i]!) : end
        if (kind === STORED) this.#write(at, stop, bytes, from + (at - start))
        isNew += stop - at
        i = this.#insert(i, at, stop, kind)
        at = stop
      }
    }
    return isNew
  }

  /** A view of the first range's bytes, up to the end of its page. Valid until `release`. */
  page(): Uint8Array {
    return this.#pages.get(Math.floor(this.start / this.#pageBytes))!
  }

  /** Where `page()` holds the first range's first byte. */
  get pageOffset(): number {
    return this.start % this.#pageBytes
  }

  /** How many bytes of the first range `page()` holds from there. */
  get pageLength(): number {
    return Math.min(this.firstEnd - this.start, this.#pageBytes - this.pageOffset)
  }

  /** The first `count` bytes of the first range are done with. */
  release(count: number): void {
    const start = this.#starts[0]! + count
    const hadPage = this.#kinds[0] === STORED
    const oldPage = Math.floor(this.#starts[0]! / this.#pageBytes)
    if (start === this.#ends[0]) {
      this.#starts.shift()
      this.#ends.shift()
      this.#kinds.shift()
    } else {
      this.#starts[0] = start
    }
    if (hadPage && !this.#isNeeded(oldPage)) this.#drop(oldPage)
  }

  /** Does a stored range reach into this page? Those that do are among the first ranges. */
  #isNeeded(page: number): boolean {
    const end = (page + 1) * this.#pageBytes
    for (let i = 0; i < this.#starts.length && this.#starts[i]! < end; i++) if (this.#kinds[i] === STORED) return true
    return false
  }

  #drop(page: number): void {
    const bytes = this.#pages.get(page)
    if (bytes === undefined) return
    this.#pages.delete(page)
    this.#pool.giveBack(bytes)
  }

  /** Index of the first range that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0
    let high = this.#ends.length
    // New segments mostly come at the end.
    if (high > 0 && this.#ends[high - 1]! <= offset) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ends[middle]! > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Puts a range before index `i`, or joins it with what it touches. @returns index of the range that holds it */
  #insert(i: number, start: number, end: number, kind: RangeKind): number {
    const mayJoin = kind !== STORED || this.#starts.length >= this.#crowd
    const joinsBefore = mayJoin && i > 0 && this.#ends[i - 1] === start && this.#kinds[i - 1] === kind
    const joinsAfter = mayJoin && i < this.#starts.length && this.#starts[i] === end && this.#kinds[i] === kind
    if (joinsBefore && joinsAfter) {
      this.#ends[i - 1] = this.#ends[i]!
      this.#starts.splice(i, 1)
      this.#ends.splice(i, 1)
      this.#kinds.splice(i, 1)
      return i - 1
    }
    if (joinsBefore) {
      this.#ends[i - 1] = end
      return i - 1
    }
    if (joinsAfter) {
      this.#starts[i] = start
      return i
    }
    this.#starts.splice(i, 0, start)
    this.#ends.splice(i, 0, end)
    this.#kinds.splice(i, 0, kind)
    return i
  }

  #write(start: number, end: number, bytes: Uint8Array, from: number): void {
    for (let at = start; at < end;) {
      const index = Math.floor(at / this.#pageBytes)
      let page = this.#pages.get(index)
      if (page === undefined) this.#pages.set(index, (page = this.#pool.take()))
      const stop = Math.min(end, (index + 1) * this.#pageBytes)
      page.set(bytes.subarray(from + at - start, from + stop - start), at - index * this.#pageBytes)
      at = stop
    }
  }

  #equals(start: number, end: number, bytes: Uint8Array, from: number): boolean {
    for (let at = start; at < end;) {
      const index = Math.floor(at / this.#pageBytes)
      const page = this.#pages.get(index)!
      const stop = Math.min(end, (index + 1) * this.#pageBytes)
      const base = index * this.#pageBytes
      for (; at < stop; at++) if (page[at - base] !== bytes[from + at - start]) return false
    }
    return true
  }
}
