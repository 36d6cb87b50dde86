/**
 * On how many days something was seen: what "never", "hardly" and "known for it" rest on. Detectors judge in the middle of a day and ask for the
 * days before it. Whether the open day is among those counted depends on whether it was learned, and only this file knows.
 */
export interface DaysSeen {
  /** Local days that were learned, the open one among them as soon as it is. */
  days: number
  /** The last it was seen on. */
  day: number
  /** While nothing was learned: that day is not among `days`. */
  unlearned?: true
}

const isLearned = (seen: DaysSeen, day: number): boolean => seen.day === day && seen.unlearned !== true

/** Notes that it is seen on a day, however often. @param learn false: it stays as little known as it was */
export function see(seen: DaysSeen, day: number, learn: boolean): void {
  if (seen.day === day && (!learn || seen.unlearned !== true)) return
  seen.day = day
  if (!learn) {
    seen.unlearned = true
    return
  }
  seen.days++
  delete seen.unlearned
}

/** The same of what may never have been seen. */
export function seen(before: DaysSeen | undefined, day: number, learn: boolean): DaysSeen {
  const now = before ?? { days: 0, day: -1 }
  see(now, day, learn)
  return now
}

/** On how many of the days before this one was it seen? */
export const daysBefore = (seen: DaysSeen | undefined, day: number): number => (seen === undefined ? 0 : isLearned(seen, day) ? seen.days - 1 : seen.days)

/** Was this day the first that was learned of it? */
export const isFirstLearned = (seen: DaysSeen, day: number): boolean => seen.days === 1 && isLearned(seen, day)
