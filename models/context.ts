/**
 * Which patient had a reason. Orders, appointments, admissions and fresh acquisitions are reasons; what is looked at without any is
 * "unexplained". Patients are pseudonyms, and only their equality is used. The second read-only feed of the engine.
 */
import type { Hl7Message, Micros } from '../protocols/events.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { countHour, expectedBetween, newWeekHours, type WeekHours } from './baseline/weekhours.ts'
import { DAY, HOUR, MINUTE } from './clock.ts'
import { chunks, unchunk } from './pack.ts'

/** Patients remembered; at the cap those whose reasons are oldest are forgotten (and look unexplained). */
const MOST_PATIENTS = 200_000
/** A reason explains access for so long. Appointments lie ahead, so they are told of before. */
const VALID = 14 * DAY
/** The feed counts as visible when it gave a reason within this time, has done so for some days, and said enough. */
const FEED_SILENT = 26 * HOUR
const FEED_AGE = 2 * DAY
const FEED_LEAST = 30
/** Systems that give reasons. Hospitals have a handful; invented ones push out none of them. */
const MOST_SENDERS = 256
/** The feed has moved to a sender that nobody knows yet when that one speaks and those who are known have not for so long: then nothing can be called unexplained. */
const MOVED = 2 * HOUR
/** A sender is silent when so many reasons would have come from it since its last; after `FEED_SILENT` it is gone, and what it gave is given by others or by nobody. */
const MISSED = 20
/** And it is asked about after this time. */
const PAUSE = 10 * MINUTE
/** A reason is remembered to this precision, so that a busy patient costs a look-up and no more. */
const PRECISION = HOUR
/** Orders for imaging, appointments, arrivals and admissions: somebody is about to look at this patient's images. */
const REASONS = /^(ORM|OMI|OMG|SIU|ADT\^A0[14567]|ADT\^A14|ADT\^A10)/

/** One that gives reasons: when first and last, and how many at what hours. */
interface Sender {
  first: Micros
  last: Micros
  hours: WeekHours
}

interface ContextState {
  first: Micros
  last: Micros
  reasons: number
  /** Since when senders are told apart, and when one that is not known yet was last heard. */
  since: Micros
  unknown: Micros
  /** When it was last looked whether a sender is silent, and was one? */
  looked: Micros
  silent: boolean
}

export class OrderContext {
  /** Pseudonym to time of the last reason, in that order. */
  #patients = new Map<string, Micros>()
  /** For measurements: as if no orders were seen. */
  blind = false
  /** By address. */
  #senders = new Map<string, Sender>()
  #state: ContextState = { first: -1, last: -1, reasons: 0, since: -1, unknown: -1, looked: -1, silent: false }

  message(event: Hl7Message): void {
    if (event.patient === null || event.message_type === null || event.acknowledges !== null) return
    if (!REASONS.test(event.message_type)) return
    if (!this.#believes(event.flow[event.direction].ip, event.at)) {
      this.#state.unknown = event.at
      return
    }
    if (this.#state.first < 0) this.#state.first = event.at
    this.#state.last = event.at
    this.#state.reasons++
    this.reason(event.patient, event.at)
  }

  /**
   * Anybody can send an order; whoever does so to make its own reading look ordered has never sent one before. So a sender counts when it has given reasons for as
   * long as a feed has to be seen, or when the feed itself is as young as that.
   */
  #believes(sender: string, at: Micros): boolean {
    const state = this.#state
    if (state.since < 0) state.since = at
    let known = this.#senders.get(sender)
    if (known === undefined) {
      makeRoom(this.#senders, MOST_SENDERS, ({ first, last }) => provenWorth(last - first >= FEED_AGE ? 0 : 1, last))
      this.#senders.set(sender, (known = { first: at - state.since < FEED_AGE ? state.since - FEED_AGE : at, last: at, hours: newWeekHours(at) }))
    }
    known.last = at
    countHour(known.hours, at)
    return at - known.first >= FEED_AGE
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
    const { first, last, reasons, unknown } = this.#state
    if (unknown > last && at - last > MOVED) return false
    return first >= 0 && at - first >= FEED_AGE && at - last <= FEED_SILENT && reasons >= FEED_LEAST && !this.#isSilent(at)
  }

  /** Has one of the senders fallen silent, so that what it would have ordered is not known? Looked at once a minute. */
  #isSilent(at: Micros): boolean {
    const state = this.#state
    if (at >= state.looked && at - state.looked < MINUTE) return state.silent
    state.looked = at
    state.silent = false
    for (const { first, last, hours } of this.#senders.values()) {
      // Whoever has only just begun to give reasons could blind the sensor by ending it.
      if (last - first >= FEED_AGE && at - last > PAUSE && at - last <= FEED_SILENT && expectedBetween(hours, last, at) >= MISSED) state.silent = true
    }
    return state.silent
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
    yield ['context/senders', [...this.#senders]]
    yield* chunks('context/patients', [...this.#patients])
  }

  load(entries: Map<string, unknown>): void {
    const state = entries.get('context')
    if (state === undefined) return
    // A state from before senders were told apart knows none: they are met as those of a young feed.
    this.#state = { since: -1, unknown: -1, looked: -1, silent: false, ...(state as Partial<ContextState> & Pick<ContextState, 'first' | 'last' | 'reasons'>) }
    this.#senders = new Map(((entries.get('context/senders') ?? []) as [string, Omit<Sender, 'hours'> & { hours?: WeekHours }][]).map(([ip, sender]) => [ip, { ...sender, hours: sender.hours ?? newWeekHours(sender.last) }]))
    this.#patients = new Map(unchunk('context/patients', entries) as [string, Micros][])
  }
}
