/** What commands that judge are told on the command line in the same words. */
import { parseCalendar, type Calendar } from '../../models/calendar.ts'
import type { Micros } from '../../protocols/events.ts'
import { fromRfc3339 } from '../../protocols/time.ts'
import { readStructured } from '../config.ts'
import { UserError, reason } from '../errors.ts'
import { FORMATS, isFormat, type Format } from '../sinks/formats/index.ts'

/** What `replay` and `watch` are told about judging, and where the outcome goes. */
export interface JudgingOptions {
  alerts?: string
  format?: string
  kafka?: string
  publish?: boolean
  publishEvents?: boolean
  events?: string
  state?: string
  freeze?: boolean
  learnUntil?: string
  calendar?: string
  config?: string
}

/** @returns what of it is more than text. @throws {UserError} when it does not go together */
export function judgingOf({ alerts, events, format = 'native', learnUntil }: JudgingOptions): { format: Format; learnUntil: Micros | undefined } {
  if (alerts === '-' && events === '-') throw new UserError('--alerts and --events cannot both go to standard output', 2)
  if (!isFormat(format)) throw new UserError(`--format ${format}: give one of ${Object.keys(FORMATS).join(', ')}`, 2)
  return { format, learnUntil: learnUntil === undefined ? undefined : learnUntilTime(learnUntil) }
}

/** @throws {UserError} */
export function learnUntilTime(text: string): Micros {
  const at = fromRfc3339(text)
  if (at === undefined) throw new UserError(`--learn-until ${text}: give a time as RFC 3339, for example 2026-03-01T00:00:00Z`, 2)
  return at
}

/** @throws {UserError} */
export function loadCalendar(path: string | undefined): Calendar | undefined {
  if (path === undefined) return undefined
  const json = readStructured(path, 'calendar')
  try {
    return parseCalendar(json)
  } catch (error) {
    throw new UserError(`${path}: ${reason(error)}`, 2)
  }
}
