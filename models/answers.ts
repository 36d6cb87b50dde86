/** How a receiver answers the HL7 messages of one sender: on earlier days, and today. */
import type { Hl7Message } from '../protocols/events.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { KEEP } from './baseline/counts.ts'

/** Receivers that are remembered of one sender. */
const MOST = 64
/** The latest messages to one receiver that are looked at together: in the longest window. */
export const WINDOWS = [16, 48] as const

/** Messages that were sent, and how many of them were refused or left unanswered. */
export interface Answered {
  sent: number
  refused: number
  unanswered: number
}

export interface Answers {
  /** Up to yesterday, forgotten slowly; and on how many days. */
  usual: Answered
  days: number
  day: number
  today: Answered
  /** How the latest were answered, one letter each: the first of `refused` or `unanswered`, else a dot. */
  latest: string
  /** Whose message was the last that was not accepted. */
  last: string | null
}

export type Refusal = 'refused' | 'unanswered'

const none = (): Answered => ({ sent: 0, refused: 0, unanswered: 0 })

/** Why a message was not accepted, where what was lost does not explain it. */
export function refusalOf({ acks, complete, after_gap }: Hl7Message): Refusal | undefined {
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
  const refusal = refusalOf(event)
  const counts = refusal !== undefined && (event.patient === null || event.patient !== answers.last)
  answers.latest = answers.latest.slice(1 - WINDOWS.at(-1)!) + (counts ? refusal[0]! : '.')
  if (!counts) return undefined
  answers.last = event.patient
  answers.today[refusal]++
  return refusal
}

function open(answers: Answers, day: number, frozen: boolean): void {
  const { usual, today } = answers
  if (!frozen) {
    for (const key of ['sent', 'refused', 'unanswered'] as const) usual[key] = KEEP * usual[key] + today[key]
    answers.days++
  }
  Object.assign(answers, { day, today: none() })
}
