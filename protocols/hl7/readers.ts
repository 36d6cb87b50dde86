/**
 * Message readers, lent to directions while a message of theirs is open: interfaces stay connected for days and say something for
 * milliseconds, so a handful of readers serves a hospital.
 */
import type { Pseudonyms } from '../phi.ts'
import type { SegmentHash } from './body-hash.ts'
import { HeldBytes } from './held.ts'
import { Identities } from './identities.ts'
import { MessageReader } from './message.ts'

/** Readers kept at hand; more are made when more messages are open, and dropped afterwards. */
const SPARE = 64

export class ReaderPool {
  /** Stands where no message is open. */
  readonly none: MessageReader
  /** For what directions hold back. */
  readonly memory = new HeldBytes()
  readonly segmentHash: SegmentHash
  readonly #identities: Identities
  readonly #spare: MessageReader[] = []
  /** The one that is lent most: messages of different directions are rarely open at once. */
  #first: MessageReader | null = null

  constructor(pseudonyms: Pseudonyms) {
    this.#identities = new Identities(pseudonyms)
    this.segmentHash = this.#identities.segmentHash
    this.none = new MessageReader(this.#identities)
  }

  take(): MessageReader {
    const first = this.#first
    if (first === null) return this.#spare.pop() ?? new MessageReader(this.#identities)
    this.#first = null
    return first
  }

  giveBack(reader: MessageReader): void {
    if (this.#first === null) this.#first = reader
    else if (this.#spare.length < SPARE) this.#spare.push(reader)
  }
}

const pools = new WeakMap<Pseudonyms, ReaderPool>()

/** One pool per site key. */
export function readersOf(pseudonyms: Pseudonyms): ReaderPool {
  let found = pools.get(pseudonyms)
  if (found === undefined) pools.set(pseudonyms, (found = new ReaderPool(pseudonyms)))
  return found
}
