/** What commands that judge are told on the command line in the same words. */
import { parseCalendar, type Calendar } from '../../models/calendar.ts'
import type { Micros } from '../../protocols/events.ts'
import { fromRfc3339 } from '../../protocols/time.ts'
import { readStructured } from '../config.ts'
import { UserError, reason } from '../errors.ts'

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
