/**
 * Which patient had a reason. Orders, appointments, admissions and fresh acquisitions are reasons; what is looked at without any is
 * "unexplained". Patients are pseudonyms, and only their equality is used. The second read-only feed of the engine.
 */
import type { Hl7Message, Micros } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import { DAY, HOUR } from './clock.ts'
import { chunks, unchunk } from './pack.ts'

/** Patients remembered; at the cap those whose reasons are oldest are forgotten (and look unexplained). */
const MOST_PATIENTS = 200_000
/** A reason explains access for so long. Appointments lie ahead, so they are told of before. */
const VALID = 14 * DAY
/** The feed counts as visible when it gave a reason within this time, has done so for some days, and said enough. */
const FEED_SILENT = 26 * HOUR
const FEED_AGE = 2 * DAY
const FEED_LEAST = 30
/** A reason is remembered to this precision, so that a busy patient costs a look-up and no more. */
const PRECISION = HOUR
/** Orders for imaging, appointments, arrivals and admissions: somebody is about to look at this patient's images. */
const REASONS = /^(ORM|OMI|OMG|SIU|ADT\^A0[14567]|ADT\^A14|ADT\^A10)/

interface ContextState {
  first: Micros
  last: Micros
  reasons: number
}

export class OrderContext {
  /** Pseudonym to time of the last reason, in that order. */
  #patients = new Map<string, Micros>()
  /** For measurements: as if no orders were seen. */
  blind = false
  #state: ContextState = { first: -1, last: -1, reasons: 0 }

  message(event: Hl7Message): void {
    if (event.patient === null || event.message_type === null || event.acknowledges !== null) return
    if (!REASONS.test(event.message_type)) return
    if (this.#state.first < 0) this.#state.first = event.at
    this.#state.last = event.at
    this.#state.reasons++
    this.reason(event.patient, event.at)
  }

  /** Also: images of the patient were just made. */
  reason(patient: string, at: Micros): void {
    const last = this.#patients.get(patient)
    if (last !== undefined && at - last < PRECISION) return
    if (last !== undefined) this.#patients.delete(patient)
    makeRoom(this.#patients, MOST_PATIENTS)
    this.#patients.set(patient, at)
  }

  explained(patient: string, at: Micros): boolean {
    const last = this.#patients.get(patient)
    return last !== undefined && at - last <= VALID
  }

  /** Does the sensor see the orders? Without them nothing can be called unexplained. */
  visible(at: Micros): boolean {
    if (this.blind) return false
    const { first, last, reasons } = this.#state
    return first >= 0 && at - first >= FEED_AGE && at - last <= FEED_SILENT && reasons >= FEED_LEAST
  }

  /** Days since the orders became visible: before, nothing could be unexplained. */
  age(at: Micros): number {
    const { first } = this.#state
    return first < 0 ? 0 : Math.max(0, (at - first - FEED_AGE) / DAY)
  }

  /** Forgets what explains nothing any more. */
  expire(at: Micros): void {
    for (const [patient, last] of this.#patients) {
      if (at - last <= VALID) break
      this.#patients.delete(patient)
    }
  }

  *save(): Iterable<[string, unknown]> {
    yield ['context', this.#state]
    yield* chunks('context/patients', [...this.#patients])
  }

  load(entries: Map<string, unknown>): void {
    const state = entries.get('context')
    if (state === undefined) return
    this.#state = { ...(state as ContextState) }
    this.#patients = new Map(unchunk('context/patients', entries) as [string, Micros][])
  }
}
