/** How a receiver answers the HL7 messages of one sender: on earlier days, and today. */
import type { Hl7Message } from '../protocols/events.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { KEEP } from './baseline/counts.ts'

/** Receivers that are remembered of one sender. */
const MOST = 64
/** The latest messages to one receiver that are looked at together: in the longest window. */
export const WINDOWS = [16, 48] as const

/** An acknowledgement is late that took so many times the usual; and nobody has to wait who gets it within this. */
const LATE = 10
const SOON_MS = 1000
/** Captures tell no shorter time apart. */
const LEAST_MS = 0.1
/** Messages that tell what is usual. */
const TIMED = 20

/** Messages that were sent, and how many of them were refused, left unanswered, or accepted late. */
export interface Answered {
  sent: number
  refused: number
  unanswered: number
  /** Absent: none. */
  late?: number
  /** Acknowledgements whose latency is known, and the sum of its logarithms (of milliseconds); absent: none was timed. */
  timed?: number
  logs?: number
}

export interface Answers {
  /** Up to yesterday, forgotten slowly; and on how many days. */
  usual: Answered
  days: number
  day: number
  today: Answered
  /** How the latest were answered, one letter each: the first of `refused`, `unanswered` or `late`, else a dot. */
  latest: string
  /** Whose message was the last that was not accepted. */
  last: string | null
}

export type Refusal = 'refused' | 'unanswered' | 'late'

const none = (): Answered => ({ sent: 0, refused: 0, unanswered: 0 })

/** Why a message was not accepted, where what was lost does not explain it. */
export function refusalOf({ acks, complete, after_gap }: Hl7Message): Exclude<Refusal, 'late'> | undefined {
  if (acks.some(({ code }) => code.length === 2 && code.charCodeAt(1) !== 65)) return 'refused'
  return acks.length === 0 && complete && !after_gap ? 'unanswered' : undefined
}

/**
 * Counts a message of a sender to this receiver. The same one again is none more: senders try until it is accepted; and what is refused of
 * one patient, one after the other, is refused once.
 */
export function countAnswer(of: Map<string, Answers>, receiver: string, event: Hl7Message, day: number, frozen: boolean): Refusal | undefined {
  let answers = of.get(receiver)
  if (answers === undefined) {
    makeRoom(of, MOST, ({ days, day: last }) => provenWorth(days > 1 ? 0 : 1, last))
    answers = { usual: none(), days: 0, day, today: none(), latest: '', last: null }
    of.set(receiver, answers)
  }
  if (day !== answers.day) open(answers, day, frozen)
  if (event.repeat !== undefined && event.repeat.same_body) return undefined
  answers.today.sent++
  const refusal = refusalOf(event) ?? (late(answers, event) ? 'late' : undefined)
  const counts = refusal !== undefined && (event.patient === null || event.patient !== answers.last)
  answers.latest = answers.latest.slice(1 - WINDOWS.at(-1)!) + (counts ? refusal[0]! : '.')
  if (!counts) return undefined
  answers.last = event.patient
  add(answers.today, refusal, 1)
  return refusal
}

/**
 * Latency from which an acknowledgement is late, in milliseconds: a multiple of the usual (geometric mean) one. None while that is not
 * known.
 */
export const lateFrom = ({ usual: { timed = 0, logs = 0 } }: Answers): number => (timed < TIMED ? Infinity : Math.max(SOON_MS, LATE * Math.exp(logs / timed)))

/** Counts how long the first acknowledgement took, and answers whether that is late. What is late teaches no more than what is just not. */
function late(answers: Answers, { acks: [first] }: Hl7Message): boolean {
  if (first === undefined || first.latency_ms === null) return false
  const from = lateFrom(answers)
  add(answers.today, 'timed', 1)
  add(answers.today, 'logs', Math.log(Math.min(Math.max(first.latency_ms, LEAST_MS), from)))
  return first.latency_ms > from
}

function add(to: Answered, key: keyof Answered, by: number): void {
  to[key] = (to[key] ?? 0) + by
}

function open(answers: Answers, day: number, frozen: boolean): void {
  const { usual, today } = answers
  if (!frozen) {
    for (const key of ['sent', 'refused', 'unanswered', 'late', 'timed', 'logs'] as const) usual[key] = KEEP * (usual[key] ?? 0) + (today[key] ?? 0)
    answers.days++
  }
  Object.assign(answers, { day, today: none() })
}
