/** What one side of a connection sent: its newest messages, found by control id, and whether they were answered. */
import type { Hl7Message, Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'

export interface Sent {
  /** Null once it was told. */
  event: Hl7Message | null
  controlId: string
  /** MSH-3. */
  app: string | null
  body: number | undefined
  /** When its last byte came. */
  at: Micros
  /** The last code. */
  answered: string | null
  /** Answered, but more may come. */
  soft: boolean
  /** Bytes of memory, about, that its event takes. */
  weight: number
}

/** Bytes of memory, about, of what is remembered of a message that was told, and of one that waits: its event, and what is not shared with others. */
const REMEMBERED = 160
const EVENT = 512
const IDENTIFIER = 48
const DOCUMENT = 160

function weightOf({ orders, merged, documents }: Hl7Message, controlId: string): number {
  const weight = EVENT + controlId.length + IDENTIFIER * orders.length
  return merged === undefined && documents === undefined ? weight : weight + IDENTIFIER * (merged?.length ?? 0) + DOCUMENT * (documents?.length ?? 0)
}

/** How many acknowledgements of each side are remembered, to tell what answers an acknowledgement. */
const RECENT = 16
/** Slots of a new ring; it doubles as messages come, up to `LIMITS.hl7.messages`. Most connections never send that many. */
const FEW = 4

const NONE = new Int32Array(0)

/** Message n is in slot n & mask. */
export class Sender {
  /** Messages so far. */
  count = 0
  /** All messages before this one are told. */
  oldest = 0
  /** How many of them wait for a second acknowledgement that may not come. */
  soft = 0
  batchId = ''
  /** Weight of the messages that wait. */
  #waiting = 0
  #acknowledgements: string[] | undefined
  #acknowledged = 0
  #ring: (Sent | undefined)[] = []
  /** Of each slot, the hash of its control id: so that those of other ids need not be looked at, which by then lie far from the processor. */
  #hashes = NONE
  /** By hash of the control id: the newest message, plus one. And of each slot: the message before it with the same hash, plus one. */
  #newest = NONE
  #before = NONE
  #mask = -1

  /** The message that has to leave when another is added; undefined where there is room, or it was told already. */
  leaving(): Sent | undefined {
    const oldest = this.#hasRoom() ? undefined : this.#ring[this.count & this.#mask]
    return oldest?.event === null ? undefined : oldest
  }

  /** What leaves is told already; its place is used again. */
  add(event: Hl7Message, controlId: string, hash: number, at: Micros): void {
    const slot = this.#next(hash)
    const place = this.#ring[slot]
    const weight = weightOf(event, controlId)
    this.#waiting += weight
    if (place === undefined) {
      // Made of its values, so that numbers lie in it as numbers.
      this.#ring[slot] = { event, controlId, app: event.sending_app, body: event.body, at, answered: null, soft: false, weight }
      return
    }
    place.event = event
    place.controlId = controlId
    place.app = event.sending_app
    place.body = event.body
    place.at = at
    place.answered = null
    place.soft = false
    place.weight = weight
  }

  /** Takes over what another one sent, which is over: all of it is told. */
  adopt(other: Sender): void {
    for (let n = Math.max(0, other.count - other.size); n < other.count; n++) {
      const sent = other.at(n)
      // First the slot: for it the ring may grow, which makes another one.
      const slot = this.#next(hashText(sent.controlId))
      this.#ring[slot] = sent
    }
  }

  /** @returns the slot of the next message, whose control id has this hash */
  #next(hash: number): number {
    if (this.#hasRoom() && this.count > this.#mask) this.#grow()
    const slot = this.count & this.#mask
    this.#hashes[slot] = hash
    this.#link(this.count)
    this.count++
    this.oldest = Math.max(this.oldest, this.count - this.#ring.length)
    return slot
  }

  /** Takes its event from a message that is told now. */
  take(sent: Sent): Hl7Message | null {
    const { event } = sent
    if (event === null) return null
    if (sent.soft) this.soft--
    sent.soft = false
    sent.event = null
    this.#waiting -= sent.weight
    return event
  }

  /** Places for messages. */
  get size(): number {
    return this.#ring.length
  }

  /** Bytes of memory, about. */
  get holds(): number {
    return this.#waiting + REMEMBERED * this.#ring.length
  }

  #hasRoom(): boolean {
    return this.count <= this.#mask || this.#ring.length < LIMITS.hl7.messages
  }

  /** When the oldest message that is not told came; `Infinity` where all are. */
  waitsSince(): Micros {
    while (this.oldest < this.count && this.at(this.oldest).event === null) this.oldest++
    return this.oldest < this.count ? this.at(this.oldest).at : Infinity
  }

  /** The message n, which must be one of the newest. */
  at(n: number): Sent {
    return this.#ring[n & this.#mask]!
  }

  /** The message of this control id that an acknowledgement is for: the newest one that waits, else the newest. A message that is sent again before any answer is answered twice. */
  answeredBy(controlId: string): Sent | undefined {
    const hash = hashText(controlId)
    const newest = this.find(controlId, hash)
    return newest?.event === null ? (this.find(controlId, hash, true) ?? newest) : newest
  }

  /** The newest message of this control id; `hash` is that of the id. @param waits only one that is not told */
  find(controlId: string, hash: number, waits = false): Sent | undefined {
    if (this.count === 0) return undefined
    const first = Math.max(0, this.count - this.#ring.length)
    for (let n = this.#newest[hash & this.#mask]! - 1; n >= first; n = this.#before[n & this.#mask]! - 1) {
      if (this.#hashes[n & this.#mask] !== hash) continue
      const sent = this.#ring[n & this.#mask]!
      if (sent.controlId === controlId && !(waits && sent.event === null)) return sent
    }
    return undefined
  }

  acknowledges(controlId: string): void {
    this.#acknowledgements ??= []
    this.#acknowledgements[this.#acknowledged++ % RECENT] = controlId
  }

  /** Was this the control id of one of its acknowledgements? */
  acknowledgedAs(controlId: string): boolean {
    return this.#acknowledgements?.includes(controlId) === true
  }

  /** The message n, which stands in its slot, is the newest of its hash. */
  #link(n: number): void {
    const bucket = this.#hashes[n & this.#mask]! & this.#mask
    this.#before[n & this.#mask] = this.#newest[bucket]!
    this.#newest[bucket] = n + 1
  }

  #grow(): void {
    const old = this.#ring
    const size = Math.max(FEW, 2 * old.length)
    const from = this.count - old.length
    this.#ring = new Array<Sent | undefined>(size).fill(undefined)
    const oldHashes = this.#hashes
    this.#hashes = new Int32Array(size)
    this.#newest = new Int32Array(size)
    this.#before = new Int32Array(size)
    const oldMask = this.#mask
    this.#mask = size - 1
    for (let n = from; n < this.count; n++) {
      this.#ring[n & this.#mask] = old[n & oldMask]
      this.#hashes[n & this.#mask] = oldHashes[n & oldMask]!
      this.#link(n)
    }
  }
}

/** FNV-1a. */
export function hashText(text: string): number {
  let hash = 0x811C9DC5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
