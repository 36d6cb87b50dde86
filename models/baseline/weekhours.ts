/** How many events each hour of a week brings, forgotten slowly; and so how many would have come in a silence. Hours of UTC: a change of the clock shifts them by one. */
import { HOUR, dayOf, hourOfDay, weekdayOf } from '../clock.ts'

const KEEP = 0.9
/** No silence is looked at for longer. */
const LONGEST = 48

export interface WeekHours {
  /** The open day, and its events by hour. */
  day: number
  open: number[]
  /** Events by weekday and hour, and days of each weekday. */
  events: number[]
  days: number[]
}

const hourAt = (at: number): number => Math.floor(at / HOUR)

export const newWeekHours = (at: number): WeekHours => ({ day: dayOf(hourAt(at)), open: new Array<number>(24).fill(0), events: new Array<number>(168).fill(0), days: new Array<number>(7).fill(0) })

/** One event. */
export function countHour(hours: WeekHours, at: number): void {
  const hour = hourAt(at)
  const day = dayOf(hour)
  // Days without any are days, too, but not those of a month in which nobody listened.
  if (day - hours.day > 7) hours.day = day - 1
  for (; hours.day < day; hours.day++) closeDay(hours)
  hours.open[hourOfDay(hour)]!++
}

function closeDay({ day, open, events, days }: WeekHours): void {
  const weekday = weekdayOf(day)
  for (let h = 0; h < 24; h++) {
    events[24 * weekday + h] = KEEP * events[24 * weekday + h]! + open[h]!
    open[h] = 0
  }
  days[weekday] = KEEP * days[weekday]! + 1
}

/** How many would have come from one time to another; 0 where no day was seen to its end. A weekday that was not seen yet is as the others. */
export function expectedBetween(hours: WeekHours, from: number, to: number): number {
  let expected = 0
  for (let at = from, n = 0; at < to && n < LONGEST; n++) {
    const hour = hourAt(at)
    const end = Math.min(to, (hour + 1) * HOUR)
    expected += (perHour(hours, weekdayOf(dayOf(hour)), hourOfDay(hour)) * (end - at)) / HOUR
    at = end
  }
  return expected
}

function perHour({ events, days }: WeekHours, weekday: number, hour: number): number {
  if (days[weekday]! > 0) return events[24 * weekday + hour]! / days[weekday]!
  let sum = 0
  let seen = 0
  for (let other = 0; other < 7; other++) {
    sum += events[24 * other + hour]!
    seen += days[other]!
  }
  return seen > 0 ? sum / seen : 0
}
