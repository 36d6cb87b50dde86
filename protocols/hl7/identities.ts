/** What is remembered per site key: the pseudonyms of identifiers as they stand on the wire, and the body hash. */
import type { Pseudonym, Pseudonyms } from '../phi.ts'
import { SegmentHash } from './body-hash.ts'
import { Interner } from './intern.ts'

/** Identifiers longer than this are hashed anew each time. */
const LONGEST = 31
/** A large hospital's patients and orders of a day. */
const SLOTS = 32_768

export class Identities {
  readonly pseudonyms: Pseudonyms
  readonly segmentHash: SegmentHash
  readonly #patients: Interner<Pseudonym | null>
  readonly #orders: Interner<Pseudonym | null>

  constructor(pseudonyms: Pseudonyms) {
    this.pseudonyms = pseudonyms
    const seed = pseudonyms.digest('body', 'hl7 body hash')
    this.segmentHash = new SegmentHash(parseInt(seed.slice(0, 6), 32), parseInt(seed.slice(6, 12), 32))
    this.#patients = new Interner(SLOTS, LONGEST, (b, start, end) => pseudonyms.makeOfBytes('patient', b, start, end))
    this.#orders = new Interner(SLOTS, LONGEST, (b, start, end) => pseudonyms.makeOfBytes('order', b, start, end))
  }

  /** Of plain ASCII bytes without escape sequences, and their hash (see `Interner`); others go as text to `pseudonyms`. */
  patient(b: Uint8Array, start: number, end: number, hash: number): Pseudonym | null {
    return this.#patients.getHashed(b, start, end, hash)
  }

  order(b: Uint8Array, start: number, end: number, hash: number): Pseudonym | null {
    return this.#orders.getHashed(b, start, end, hash)
  }
}
