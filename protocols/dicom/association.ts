/**
 * The state machine of PS3.8 section 9.2, followed for both ends from outside.
 *
 * Tables 9-6 to 9-10 say what an end does on local primitives and received units. A listener sees only units, so here they are
 * two tables of units: which may be *sent* in a state, and where *receiving* one leads. Where timing decides (a unit was
 * already on its way when the other side changed the state) the sender is in the right.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Direction } from '../protocol.ts'
import { A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RP, A_RELEASE_RQ, P_DATA_TF } from './pdu.ts'

/** States by the numbers of the standard: Sta1 idle, Sta2 awaiting A-ASSOCIATE-RQ, Sta3 about to answer it, Sta4 about to send it, Sta5 awaiting the answer, Sta6 established, Sta7 release asked, Sta8 release to be answered, Sta9 to Sta12 release collision, Sta13 awaiting the transport's end. */
const IDLE = 1
const AWAITING_RQ = 2
const ANSWERING = 3
const CONNECTED = 4
const ESTABLISHED = 6

type Row = readonly [state: number, unit: number, next: number]

/** Table 9-10, read by the end that sends. Release collisions (Sta9 to Sta12) differ for the requestor and the acceptor of the association. */
const SENDS: readonly Row[] = [
  [4, A_ASSOCIATE_RQ, 5],
  [3, A_ASSOCIATE_AC, 6], [3, A_ASSOCIATE_RJ, 13],
  [6, P_DATA_TF, 6], [8, P_DATA_TF, 8],
  [6, A_RELEASE_RQ, 7], [8, A_RELEASE_RP, 13], [9, A_RELEASE_RP, 11], [12, A_RELEASE_RP, 13],
  ...[2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((state): Row => [state, A_ABORT, 13]),
]

const RECEIVES: readonly Row[] = [
  [2, A_ASSOCIATE_RQ, 3],
  [5, A_ASSOCIATE_AC, 6], [5, A_ASSOCIATE_RJ, 1],
  [6, P_DATA_TF, 6], [7, P_DATA_TF, 7], [13, P_DATA_TF, 13],
  [6, A_RELEASE_RQ, 8], [7, A_RELEASE_RQ, 9], [7, A_RELEASE_RP, 1], [10, A_RELEASE_RP, 12], [11, A_RELEASE_RP, 1],
  ...[2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((state): Row => [state, A_ABORT, 1]),
]

const UNITS = 8
const table = (rows: readonly Row[]): Uint8Array => {
  const cells = new Uint8Array(14 * UNITS)
  for (const [state, unit, next] of rows) cells[state * UNITS + unit] = next
  return cells
}
const SENDING = table(SENDS)
const RECEIVING = table(RECEIVES)

class End {
  state = IDLE
  /** Units that it was sent and that changed its state, and the states before them, since it last showed that it has had them: it may not have, yet. */
  readonly #received: number[] = []
  readonly #before: number[] = []
  /** An A-RELEASE-RQ that came before this end had accepted: it is read afterwards. */
  isReleaseEarly = false
  isAcceptor = false

  begin(state: number, isAcceptor: boolean): void {
    this.state = state
    this.isAcceptor = isAcceptor
    this.#settle()
    this.isReleaseEarly = false
  }

  copy(from: End): void {
    this.state = from.state
    this.#settle()
    this.#received.push(...from.#received)
    this.#before.push(...from.#before)
    this.isReleaseEarly = from.isReleaseEarly
    this.isAcceptor = from.isAcceptor
  }

  maySend(unit: number): boolean {
    return SENDING[this.state * UNITS + unit] !== 0 || this.#before.some((state) => SENDING[state * UNITS + unit] !== 0)
  }

  send(unit: number): void {
    const { state } = this
    const next = SENDING[state * UNITS + unit]!
    if (next !== 0) {
      if (next !== state) this.#settle()
      this.state = next
      if (this.isReleaseEarly && next === ESTABLISHED) this.receive(A_RELEASE_RQ)
      return
    }
    this.#cross(unit)
  }

  /** It has had all that it was sent. Making a list empty costs more than looking whether it is. */
  #settle(): void {
    if (this.#received.length > 0) this.#received.length = this.#before.length = 0
  }

  /** It was sent before what the other side had sent came: that comes afterwards. */
  #cross(unit: number): void {
    const before = this.#before
    const from = before.findLastIndex((state) => SENDING[state * UNITS + unit] !== 0)
    if (from < 0) return
    let state = SENDING[before[from]! * UNITS + unit]!
    // Data says nothing new: it may have been sent earlier still.
    if (state === before[from]) return
    for (let i = from; i < before.length; i++) {
      before[i] = state
      state = this.#after(state, this.#received[i]!) || state
    }
    this.state = state
    before.splice(0, from)
    this.#received.splice(0, from)
  }

  receive(unit: number): void {
    const next = this.#after(this.state, unit)
    if (unit === A_RELEASE_RQ && this.state === ANSWERING) this.isReleaseEarly = true
    if (next === 0 || next === this.state) return
    this.#before.push(this.state)
    this.#received.push(unit)
    this.state = next
  }

  /** Table 9-10 splits the collision by AR-8: the requestor answers first (Sta9), the acceptor waits (Sta10). */
  #after(state: number, unit: number): number {
    const next = RECEIVING[state * UNITS + unit]!
    return next === 9 && this.isAcceptor ? 10 : next
  }
}

/** Both ends: the client of the connection is the requestor of associations (PS3.8 9.2.1). */
class Ends {
  readonly client = new End()
  readonly server = new End()

  begin(): void {
    this.client.begin(CONNECTED, false)
    this.server.begin(AWAITING_RQ, true)
  }

  copy(from: Ends): void {
    this.client.copy(from.client)
    this.server.copy(from.server)
  }

  sender(direction: Direction): End {
    return direction === 0 ? this.client : this.server
  }

  /** @returns false when its sender had no business to send it */
  unit(direction: Direction, type: number): boolean {
    const sender = this.sender(direction)
    const isAllowed = sender.maySend(type)
    sender.send(type)
    this.sender(direction === 0 ? 1 : 0).receive(type)
    if (!isAllowed) this.#recover(type)
    return isAllowed
  }

  /** After a unit out of place one fault should be one report: what answers an association settles it anyhow. */
  #recover(type: number): void {
    if (type === A_ASSOCIATE_AC) this.client.state = this.server.state = ESTABLISHED
    else if (type === A_ASSOCIATE_RJ || type === A_ABORT) this.client.state = this.server.state = IDLE
  }
}

/** Told of a unit that was sent in a state in which it must not be; `isAlone`: whatever the other side said, seen or not. */
export type OutOfPlace = (offset: number, type: number, state: number, at: Micros, isAlone: boolean) => void

/** A unit out of place, until it is sure that it is. */
interface Suspect {
  direction: Direction
  type: number
  state: number
  offset: number
  at: Micros
  /** It and what the same side sent after it. */
  units: number[]
}

/**
 * One association, watched. The capture may show the two directions in the wrong order (mirror ports, a hole that is filled later), so a unit that
 * would be in place had the other side's next unit come before it accuses nobody, unless it came in one segment with the unit
 * before it: then nothing can have come between.
 */
export class AssociationStates {
  readonly #ends = new Ends()
  readonly #before = new Ends()
  readonly #trial = new Ends()
  readonly #outOfPlace: OutOfPlace
  #suspect: Suspect | null = null
  /** When each side sent its last unit. */
  readonly #last: [Micros, Micros] = [-1, -1]

  constructor(outOfPlace: OutOfPlace) {
    this.#outOfPlace = outOfPlace
    this.#ends.begin()
  }

  /** @param offset of the sender's stream */
  unit(direction: Direction, type: number, offset: number, at: Micros): void {
    const { client, server } = this.#ends
    if (type === P_DATA_TF && client.state === ESTABLISHED && server.state === ESTABLISHED && this.#suspect === null) {
      this.#last[direction] = at
      return
    }
    if (this.#suspect !== null) {
      if (this.#suspect.direction === direction) this.#another(this.#suspect, type)
      else if (this.#isDisorder(this.#suspect, direction, type, at)) return
    }
    const { state } = this.#ends.sender(direction)
    this.#before.copy(this.#ends)
    const isInPlace = this.#ends.unit(direction, type)
    const isSameSegment = this.#last[direction] === at
    this.#last[direction] = at
    if (isInPlace || this.#suspect !== null) return
    if (isSameSegment) this.#outOfPlace(offset, type, state, at, true)
    else {
      this.#suspect = { direction, type, state, offset, at, units: [type] }
      this.#trial.copy(this.#before)
    }
  }

  /** A new association begins on the connection, or the connection ends: what is still suspect has no excuse left. */
  begin(at: Micros): void {
    this.#accuse(at)
    this.#ends.begin()
    this.#last[0] = this.#last[1] = -1
  }

  #another(suspect: Suspect, type: number): void {
    const { units } = suspect
    if (units.at(-1) !== type && units.length < UNITS) units.push(type)
  }

  /** The other side is heard: was its unit the first? Then the states are those of that order. */
  #isDisorder(suspect: Suspect, direction: Direction, type: number, at: Micros): boolean {
    const trial = this.#trial
    const fits = at - suspect.at < LIMITS.dicom.earlyAge && trial.unit(direction, type) && suspect.units.every((unit) => trial.unit(suspect.direction, unit))
    if (!fits) {
      this.#accuse(at)
      return false
    }
    this.#ends.copy(trial)
    this.#suspect = null
    this.#last[direction] = at
    return true
  }

  #accuse(at: Micros): void {
    const suspect = this.#suspect
    this.#suspect = null
    if (suspect !== null) this.#outOfPlace(suspect.offset, suspect.type, suspect.state, at, false)
  }
}
