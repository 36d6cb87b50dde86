/** What is remembered per site key: the pseudonyms of identifiers as they stand on the wire, and the seeds of the body hash. */
import { latin1 } from '../bytes.ts'
import type { Pseudonym, Pseudonyms } from '../phi.ts'
import { Interner } from './intern.ts'

/** Identifiers longer than this are hashed anew each time. */
const LONGEST = 32
/** A large hospital's patients and orders of a day. */
const SLOTS = 16_384

export class Identities {
  readonly pseudonyms: Pseudonyms
  readonly seedA: number
  readonly seedB: number
  readonly #patients: Interner<Pseudonym | null>
  readonly #orders: Interner<Pseudonym | null>

  constructor(pseudonyms: Pseudonyms) {
    this.pseudonyms = pseudonyms
    const seed = pseudonyms.digest('body', 'hl7 body hash')
    this.seedA = parseInt(seed.slice(0, 6), 32)
    this.seedB = parseInt(seed.slice(6, 12), 32)
    this.#patients = new Interner(SLOTS, LONGEST, (b, start, end) => flat(pseudonyms.patient(latin1(b, start, end))))
    this.#orders = new Interner(SLOTS, LONGEST, (b, start, end) => flat(pseudonyms.order(latin1(b, start, end))))
  }

  /** Of plain ASCII bytes without escape sequences; others go as text to `pseudonyms`. */
  patient(b: Uint8Array, start: number, end: number): Pseudonym | null {
    return this.#patients.get(b, start, end)
  }

  order(b: Uint8Array, start: number, end: number): Pseudonym | null {
    return this.#orders.get(b, start, end)
  }
}

/** A string that was put together letter by letter, as one piece: these are compared and looked up again and again. */
const flat = (id: Pseudonym | null): Pseudonym | null => (id === null ? null : Buffer.from(id, 'latin1').toString('latin1') as Pseudonym)

const known = new WeakMap<Pseudonyms, Identities>()

export function identitiesOf(pseudonyms: Pseudonyms): Identities {
  let found = known.get(pseudonyms)
  if (found === undefined) known.set(pseudonyms, (found = new Identities(pseudonyms)))
  return found
}
