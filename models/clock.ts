/** Capture time as a hospital lives it: hours and days of the site's time zone, as whole numbers. */
import type { Micros } from '../protocols/events.ts'

export const SECOND = 1_000_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Local hours since 1970; a day is 24 of them (the hour a clock change repeats or skips is simply busier or missing). */
export class SiteClock {
  readonly #format: Intl.DateTimeFormat | undefined
  #utcHour = -1
  #offset = 0

  /** @param zone IANA name; absent: UTC. Only shapes the learned profiles, so a wrong one costs sensitivity, not correctness. */
  constructor(zone?: string) {
    if (zone !== undefined && zone !== 'UTC') {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    }
  }

  hour(at: Micros): number {
    const utcHour = Math.floor(at / HOUR)
    if (utcHour !== this.#utcHour) {
      this.#utcHour = utcHour
      this.#offset = this.#format === undefined ? 0 : offsetOf(this.#format, utcHour * HOUR)
    }
    return Math.floor((at + this.#offset) / HOUR)
  }
}

/** Microseconds that a zone is ahead of UTC. `longOffset` reads GMT, GMT+05:30 or GMT-08:00. */
function offsetOf(format: Intl.DateTimeFormat, at: Micros): number {
  const name = format.formatToParts(new Date(at / 1000)).find((part) => part.type === 'timeZoneName')?.value ?? ''
  const match = /([+-])(\d{2}):(\d{2})/.exec(name)
  if (match === null) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3])
  return (match[1] === '-' ? -minutes : minutes) * MINUTE
}

export const dayOf = (hour: number): number => Math.floor(hour / 24)
export const hourOfDay = (hour: number): number => hour - 24 * Math.floor(hour / 24)
/** 0 Sunday ... 6 Saturday: 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7
