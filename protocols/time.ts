/** Capture time as text. Off the hot path: only what is written for people or other programs is formatted. */
import type { Micros } from './events.ts'

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** RFC 3339 UTC with microseconds; times a capture cannot have mean (before 1970, after 9999) are held at the ends. */
export function rfc3339(at: Micros): string {
  const micros = at > 0 ? Math.floor(at) : 0
  const millis = Math.min(Math.floor(micros / 1000), LAST)
  const rest = millis === LAST ? 999 : micros % 1000
  return `${new Date(millis).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}

/** The inverse, for any RFC 3339 time; undefined when it is none. Digits beyond microseconds are dropped. */
export function fromRfc3339(text: string): Micros | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/.exec(text)
  if (match === null) return undefined
  const [, date, time, fraction = '', zone] = match
  const millis = Date.parse(`${date}T${time}${zone!.toUpperCase()}`)
  return Number.isNaN(millis) ? undefined : millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}
