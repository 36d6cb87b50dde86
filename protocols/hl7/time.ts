/** The TS and DTM data types (HL7 v2.5.1 section 2.A.22): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]. */
import { isDigit } from './header.ts'

/** Two digits, or -1. */
const two = (b: Uint8Array, at: number): number => (isDigit(b[at]!) && isDigit(b[at + 1]!) ? (b[at]! - 48) * 10 + b[at + 1]! - 48 : -1)

/**
 * Microseconds since 1970 of the time at `b[at..end)`; without a zone it is read as UTC. Undefined when it is none, or names less than a day:
 * then it says nothing about a clock.
 */
export function parseTime(b: Uint8Array, at: number, end: number): number | undefined {
  let digits = 0
  while (at + digits < end && isDigit(b[at + digits]!)) digits++
  if (digits < 8 || digits > 14 || digits % 2 !== 0) return undefined
  const year = two(b, at) * 100 + two(b, at + 2)
  const month = two(b, at + 4)
  const day = two(b, at + 6)
  const hour = digits >= 10 ? two(b, at + 8) : 0
  const minute = digits >= 12 ? two(b, at + 10) : 0
  const second = digits === 14 ? two(b, at + 12) : 0
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return undefined
  let micros = (daysFrom1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000
  let i = at + digits
  if (i < end && b[i] === 0x2E) {
    for (let unit = 100_000; ++i < end && isDigit(b[i]!) && unit >= 1; unit /= 10) micros += (b[i]! - 48) * unit
  }
  const sign = b[i] === 0x2B ? -1 : b[i] === 0x2D ? 1 : 0
  if (i + 5 <= end && sign !== 0 && two(b, i + 1) >= 0 && two(b, i + 3) >= 0) micros += sign * (two(b, i + 1) * 60 + two(b, i + 3)) * 60_000_000
  return micros
}

/** Days of the Gregorian calendar, by Howard Hinnant's rule of years that begin in March. */
function daysFrom1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}
