/**
 * How often something happens on a device: gamma-Poisson counts with forgetting, an hour profile and a weekday profile of their own,
 * in two windows (the open hour and the open day).
 *
 * The rate (events per standard day) is Gamma(a, b), so a window's count is negative binomial with mean rate x exposure and
 * 1/size = phi + 1/a, where phi is the stream's own overdispersion, learned and shrunk to a default. Counts only grow within a window,
 * so a critical value computed once per window lets a crossing fire on the event itself. The open window is never part of the
 * baseline it is judged by.
 */
import { negativeBinomialCritical, negativeBinomialScore, negativeBinomialUpperTail } from './distributions.ts'
import { dayOf, hourOfDay, weekdayOf } from '../clock.ts'

/** Forgetting per day: half-life 23 days. */
export const KEEP = 0.97
/** Prior overdispersion, as 1/size: 15 a day; hours have 1/8 more. Each weighs as many windows of data. */
const PHI_DAY = 1 / 15
const PHI_HOUR = 1 / 15 + 1 / 8
const PHI_DAY_WEIGHT = 10
const PHI_HOUR_WEIGHT = 120
/** A stream may prove more bursty than the prior by this, or calmer. */
const PHI_MOST = 12
const PHI_LEAST = 0.4
/** Uniform pseudo-events under every hour profile; pseudo-days under every weekday. */
const HOUR_PSEUDO = 20
const WEEKDAY_PSEUDO = 4
/** A stream that hardly ever occurs is judged as if it had at least this mean, and no thinner a tail: first uses are for novelty to judge. */
export const LEAST_MEAN = { hour: 0.1, day: 0.3 } as const
const LEAST_SIZE = 0.5
/** What is rarer is looked at; what is more usual is no evidence. */
export const LOOK = 1e-3
/** Winsorising: a day teaches at most the predictive 99.5 % point, unless it happens this many days in a row (then it is the new normal). */
const WINSOR = 0.005
export const NEW_NORMAL_DAYS = 5
/** Days before which nothing is winsorised and no dispersion is learned. */
const YOUNG = 3
/** Less than this of a day of a weekday (faded) is not to have seen it. */
const SEEN = 0.5
/** To have seen it twice. */
const TWICE = 1.8
/** A weekday seen less often (faded: about nine of them) says how much it brings, but not that its working hours are quiet: what is done by hand comes in piles. */
const OFTEN = 8
/** Hours of the day with at least so much of an even share are working hours. */
const WORKING = 0.5 / 24
/** The hour profile is used from so many days and events on. */
const HOURS_ARMED = { days: 7, events: 60 } as const
/** Days that can be taken back, and numbers kept of each: day, events, learned, exposure, weekday learned, watched, deviation, squared mean. */
const LOG_DAYS = 10
const LOGGED = 8
/** Idle days that are closed one by one; a longer absence adds only forgetting. */
const MOST_IDLE_DAYS = 60

export interface CountStream {
  /** Gamma posterior of events per standard day. */
  a: number
  b: number
  /** Sums for the overdispersion: (n - mean)^2 - mean, and mean^2. */
  devDay: number
  sqDay: number
  devHour: number
  sqHour: number
  /** Events by hour of the day and by weekday, with the standard days that passed on each weekday; forgotten like the rest. */
  hours: number[]
  weekdays: number[]
  weekdayDays: number[]
  /** Open windows (local hours and days since 1970; -1: none yet). */
  hour: number
  day: number
  inHour: number
  inDay: number
  /** The counts at which to look again. */
  hourAlarm: number
  dayAlarm: number
  /** Events that silent hours left undone: a queue that drains may bring them at once. */
  owed: number
  /** Days learned, and how many in a row were beyond the winsor point. */
  days: number
  above: number
  total: number
  /** What recent days taught, so that it can be taken back: LOGGED numbers a day (see `closeDay`). */
  log: number[]
}

/** What a stream must know of the world to expect something: supplied by device and site. */
export interface Pace {
  /** Common-mode factor of a day: what everybody of this role does, relative to normal. */
  factor(day: number): number
  /** Share of a day that the sensor saw this device's network (0..1). */
  watched(day: number): number
  /** The weekday's ratio at this site, by all devices. */
  weekday(weekday: number): number
  /** Windows open and close, but nothing is learned of them. */
  readonly frozen?: boolean
  /** What comes on a day comes in piles, as what comes in an hour does anywhere. */
  readonly piles?: boolean
}

export interface Crossing {
  window: 'hour' | 'day'
  observed: number
  expected: number
  p: number
  /** What p was computed from: P(N >= n), N negative binomial with this mean and size. */
  basis: { n: number; mean: number; size: number; floor?: number }
}

/**
 * @param mean events per day that the role's prior expects; strength: its weight (a0)
 * @param lived days the device was watched without any of these events
 */
export function newStream(mean: number, strength: number, lived: number): CountStream {
  const kept = KEEP ** lived
  return {
    a: Math.max(strength * kept, 0.05), b: (strength / mean) * kept + (1 - kept) / (1 - KEEP),
    devDay: 0, sqDay: 0, devHour: 0, sqHour: 0,
    hours: new Array<number>(24).fill(0), weekdays: new Array<number>(7).fill(0), weekdayDays: new Array<number>(7).fill(0),
    hour: -1, day: -1, inHour: 0, inDay: 0, hourAlarm: Infinity, dayAlarm: Infinity, owed: 0, days: lived, above: 0, total: 0, log: [],
  }
}

/** Counts n events in the local hour. Answers whether a critical value was reached: then `crossings` tells. */
export function count(stream: CountStream, n: number, hour: number, pace: Pace): boolean {
  if (hour !== stream.hour) roll(stream, hour, pace)
  stream.inHour += n
  stream.inDay += n
  stream.total += n
  return stream.inHour >= stream.hourAlarm || stream.inDay >= stream.dayAlarm
}

/** What the windows that crossed say now; sets the next counts to look at. */
export function crossings(stream: CountStream, pace: Pace): Crossing[] {
  const found: Crossing[] = []
  if (stream.inHour >= stream.hourAlarm) {
    stream.hourAlarm = next(stream.inHour)
    found.push(compare(stream, 'hour', stream.inHour, hourMean(stream, stream.hour, pace)))
  }
  if (stream.inDay >= stream.dayAlarm) {
    stream.dayAlarm = next(stream.inDay)
    found.push(compare(stream, 'day', stream.inDay, dayMean(stream, stream.day, pace), pace.piles))
  }
  return found.filter(({ p }) => p < LOOK)
}

/** How rare so many in a window are, of which `expected` were; what silent hours left undone is allowed for (`owed`). */
export function compare(stream: CountStream, window: 'hour' | 'day', observed: number, expected: number, piles = false, owed = stream.owed): Crossing {
  const size = cautious(expected, window === 'hour' || piles, window === 'hour' ? hourSize(stream) : daySize(stream))
  const basis = { n: observed - 1.5 * owed, mean: Math.max(expected, LEAST_MEAN[window]), size }
  return { window, observed, expected, p: negativeBinomialUpperTail(basis.n, basis.mean, basis.size), basis }
}

/** Are so many events from one hour of the open day until another one more than is usual of these hours? */
export function unusualSince(stream: CountStream, from: number, hour: number, n: number, pace: Pace): boolean {
  const share = dayBefore(stream, hourOfDay(hour) + 1).share - dayBefore(stream, hourOfDay(from)).share
  return compare(stream, 'hour', n, dayMean(stream, dayOf(hour), pace) * share, false, 0).p < LOOK
}

/** Looks get rarer as a count grows: every 5 %. */
const next = (n: number): number => Math.ceil(n * 1.05 + 0.5)

function critical(mean: number, window: 'hour' | 'day', size: number): number {
  return negativeBinomialCritical(LOOK, Math.max(mean, LEAST_MEAN[window]), cautious(mean, window === 'hour', size))
}

/** The few events of a quiet hour come in batches (a session, a pile of work), however calm the months before were. */
function cautious(mean: number, piles: boolean, size: number): number {
  return Math.max(LEAST_SIZE, piles ? Math.min(size, mean) : size)
}

/** The crossing if at least `floor` were expected: for streams that have a lower bound from elsewhere. */
export function withFloor(stream: CountStream, crossing: Crossing, floor: number): Crossing {
  if (floor <= crossing.expected) return crossing
  const size = crossing.window === 'hour' ? hourSize(stream) : daySize(stream)
  const basis = { n: crossing.observed, mean: Math.max(floor, LEAST_MEAN[crossing.window]), size: cautious(floor, true, size), floor }
  const p = negativeBinomialUpperTail(basis.n, basis.mean, basis.size)
  return p < crossing.p ? { ...crossing, expected: floor } : { ...crossing, expected: floor, p, basis }
}

/** Events per standard day. */
export const rate = (stream: CountStream): number => stream.a / stream.b

/** Enough seen to be judged without the caution of a first week. */
export function armed(stream: CountStream): boolean {
  return stream.days >= YOUNG || stream.a >= 30
}

/** Expected events of a whole day. A quiet day of everybody lowers what is expected only where it is known whether this goes quiet with them. */
export function dayMean(stream: CountStream, day: number, pace: Pace): number {
  const weekday = weekdayOf(day)
  const factor = pace.factor(day)
  return rate(stream) * weekdayRatio(stream, weekday, pace) * (stream.weekdayDays[weekday]! < SEEN ? Math.max(1, factor) : factor)
}

/** Expected events of an hour: of the likeliest of the hour and its neighbours, so that clock changes and late starts are no news. */
export function hourMean(stream: CountStream, hour: number, pace: Pace): number {
  const h = hourOfDay(hour)
  const { hours } = stream
  const all = allHours(hours)
  const share = Math.max(shareOf(hours, (h + 23) % 24, all), shareOf(hours, h, all), shareOf(hours, (h + 1) % 24, all))
  const day = dayOf(hour)
  const mean = dayMean(stream, day, pace)
  const known = share < WORKING || stream.weekdayDays[weekdayOf(day)]! >= OFTEN
  return (known ? mean : Math.max(mean, averageDay(stream) * pace.factor(day))) * share
}

/** Of so many days, each day's sum forgotten by KEEP: how much a day brought. */
export const dailyOf = (faded: number, days: number): number => faded * (1 - KEEP) / (1 - KEEP ** days)

/** Expected events of an hour at the least: of the unlikeliest of the hour and its neighbours; none while hours, or this weekday, are hardly known. */
export function leastMean(stream: CountStream, hour: number, pace: Pace): number {
  const { hours } = stream
  const day = dayOf(hour)
  if (stream.days < HOURS_ARMED.days || stream.total < HOURS_ARMED.events || stream.weekdayDays[weekdayOf(day)]! < TWICE) return 0
  const h = hourOfDay(hour)
  const all = allHours(hours)
  return dayMean(stream, day, pace) * Math.min(shareOf(hours, (h + 23) % 24, all), shareOf(hours, h, all), shareOf(hours, (h + 1) % 24, all))
}

/** Events of a day, whatever weekday it is. */
function averageDay(stream: CountStream): number {
  let events = 0
  let days = 0
  for (let weekday = 0; weekday < 7; weekday++) {
    events += stream.weekdays[weekday]!
    days += stream.weekdayDays[weekday]!
  }
  return days > 0 ? events / days : 0
}

/** Smoothed share of a day's events in an hour of the day. */
const hourShare = (stream: CountStream, h: number): number => shareOf(stream.hours, h, allHours(stream.hours))

/** Of a day's hours before one: their share of its events, and the size of their sum. */
export function dayBefore(stream: CountStream, hour: number): { share: number; size: number } {
  const { hours } = stream
  const all = allHours(hours)
  let share = 0
  let squares = 0
  for (let h = 0; h < hour; h++) {
    const part = shareOf(hours, h, all)
    share += part
    squares += part * part
  }
  return { share, size: sizeOfHours(stream, share, squares) }
}

/**
 * Size of the sum of several hours, by the sum of what they bring and of its squares. Hours vary each by itself, beside what the whole day
 * does, so that a morning's first hours are as wild as an hour, and a whole day as calm as a day.
 */
export function sizeOfHours(stream: CountStream, sum: number, squares: number): number {
  const [day, oneHour] = [1 / daySize(stream), 1 / hourSize(stream)]
  return 1 / (day + (sum > 0 ? Math.max(0, oneHour - day) * squares / (sum * sum) : 0))
}

function allHours(hours: readonly number[]): number {
  let all = HOUR_PSEUDO
  for (const n of hours) all += n
  return all
}

function shareOf(hours: readonly number[], h: number, all: number): number {
  const near = 0.2 * hours[(h + 23) % 24]! + 0.6 * hours[h]! + 0.2 * hours[(h + 1) % 24]!
  return (near + HOUR_PSEUDO / 24) / all
}

function weekdayRatio(stream: CountStream, weekday: number, pace: Pace): number {
  const r = rate(stream)
  const pseudo = WEEKDAY_PSEUDO * r
  return (stream.weekdays[weekday]! + pseudo * pace.weekday(weekday)) / (stream.weekdayDays[weekday]! * r + pseudo)
}

export const daySize = (stream: CountStream): number => size(stream, stream.devDay, stream.sqDay, PHI_DAY, PHI_DAY_WEIGHT, 1)
const hourSize = (stream: CountStream): number => size(stream, stream.devHour, stream.sqHour, PHI_HOUR, PHI_HOUR_WEIGHT, 24)

function size(stream: CountStream, dev: number, sq: number, prior: number, weight: number, perDay: number): number {
  // The prior weighs as so many windows of the average squared mean; before any, it stands alone.
  const windows = perDay * Math.min(Math.max(1, stream.days), 1 / (1 - KEEP))
  const unit = sq === 0 ? 1 : sq / windows
  const phi = (prior * weight * unit + dev) / (weight * unit + sq)
  return 1 / (Math.min(prior * PHI_MOST, Math.max(prior * PHI_LEAST, phi)) + 1 / stream.a)
}

// ---- time passes

/** Closes the windows before `hour` and opens new ones. Called by the first event of an hour. */
function roll(stream: CountStream, hour: number, pace: Pace): void {
  const day = dayOf(hour)
  if (stream.hour >= 0 && hour > stream.hour) {
    if (pace.frozen !== true) closeHours(stream, hour, pace)
    if (pace.frozen !== true && day !== stream.day) closeDays(stream, day, pace)
  } else if (hour < stream.hour) {
    return
  }
  stream.hour = hour
  stream.inHour = 0
  if (stream.day !== day) {
    stream.day = day
    stream.inDay = 0
  }
  const hoursArmed = stream.days >= HOURS_ARMED.days && stream.total >= HOURS_ARMED.events
  stream.hourAlarm = hoursArmed ? critical(hourMean(stream, hour, pace), 'hour', hourSize(stream)) : Infinity
  stream.dayAlarm = Math.max(stream.inDay + 1, critical(dayMean(stream, day, pace), 'day', daySize(stream)))
}

/** A day's end, when no event comes to roll it (silence has to be learned too). */
export function settle(stream: CountStream, hour: number, pace: Pace): void {
  if (stream.hour >= 0 && dayOf(hour) > stream.day) roll(stream, hour, pace)
}

function closeHours(stream: CountStream, hour: number, pace: Pace): void {
  stream.hours[hourOfDay(stream.hour)]! += stream.inHour
  const armedHours = stream.days >= HOURS_ARMED.days
  for (let h = stream.hour; h < hour && h < stream.hour + 48; h++) {
    const n = h === stream.hour ? stream.inHour : 0
    if (!armedHours) continue
    const mean = dayMean(stream, dayOf(h), pace) * hourShare(stream, hourOfDay(h)) * pace.watched(dayOf(h))
    if (mean <= 0) continue
    const seen = Math.min(n, critical(mean, 'hour', hourSize(stream)))
    stream.devHour += (seen - mean) ** 2 - mean
    stream.sqHour += mean * mean
    // A queue that drains brings what the silence left undone, and no more.
    stream.owed = n > mean ? Math.max(0, stream.owed - (n - mean)) : stream.owed * 0.9 + (n < mean / 3 ? mean - n : 0)
  }
}

function closeDays(stream: CountStream, day: number, pace: Pace): void {
  const last = Math.min(day, stream.day + MOST_IDLE_DAYS)
  for (let d = stream.day; d < last; d++) closeDay(stream, d, d === stream.day ? stream.inDay : 0, pace)
}

function closeDay(stream: CountStream, day: number, n: number, pace: Pace): void {
  const watched = pace.watched(day)
  if (watched <= 0) return
  const mean = dayMean(stream, day, pace) * watched
  let learned = n
  let dev = 0
  let sq = 0
  if (stream.days >= YOUNG) {
    const most = negativeBinomialCritical(WINSOR, Math.max(mean, LEAST_MEAN.day), Math.max(daySize(stream), LEAST_SIZE))
    stream.above = n > most ? stream.above + 1 : 0
    if (stream.above > 0 && stream.above < NEW_NORMAL_DAYS) learned = Math.min(n, most)
    // Dispersion is judged by what came, or the tail would look thinner than it is; but one wild day must not blind the next ones.
    const spread = Math.min(n, Math.max(most, critical(mean, 'day', daySize(stream))))
    dev = (spread - mean) ** 2 - mean
    sq = mean * mean
    stream.devDay = KEEP * stream.devDay + dev
    stream.sqDay = KEEP * stream.sqDay + sq
  }
  const weekday = weekdayOf(day)
  const exposure = weekdayRatio(stream, weekday, pace) * pace.factor(day) * watched
  const onWeekday = learned / pace.factor(day)
  stream.weekdays[weekday] = KEEP * stream.weekdays[weekday]! + onWeekday
  stream.weekdayDays[weekday] = KEEP * stream.weekdayDays[weekday]! + watched
  stream.a = KEEP * stream.a + learned
  stream.b = KEEP * stream.b + exposure
  for (let h = 0; h < 24; h++) stream.hours[h]! *= KEEP
  stream.devHour *= KEEP
  stream.sqHour *= KEEP
  stream.days++
  if (stream.log.length >= LOG_DAYS * LOGGED) stream.log.splice(0, LOGGED)
  stream.log.push(day, n, learned, rounded(exposure), rounded(onWeekday), watched, rounded(dev), rounded(sq))
}

/** Six digits are enough to take back, and short to save. */
const rounded = (x: number): number => Number(x.toPrecision(6))

/**
 * Takes back what the days from..to taught, as far as the log reaches; of an open window what it counted. The hours of the day lose the
 * days' share evenly, because which hours they were is not kept.
 */
export function unlearn(stream: CountStream, from: number, to: number): void {
  const { log } = stream
  const days = log.length / LOGGED
  for (let i = days - 1; i >= 0; i--) {
    const [day, n, learned, exposure, onWeekday, watched, dev, sq] = log.slice(i * LOGGED, (i + 1) * LOGGED) as [number, number, number, number, number, number, number, number]
    if (day < from || day > to || watched === 0) continue
    // Once is enough; the day keeps its place, because the days after it have faded it.
    log.fill(0, i * LOGGED + 1, (i + 1) * LOGGED)
    const kept = KEEP ** (days - 1 - i)
    stream.a = Math.max(0.05, stream.a - kept * learned)
    stream.b = Math.max(0.01, stream.b - kept * exposure)
    const hours = stream.hours.reduce((sum, x) => sum + x, 0)
    if (hours > 0) stream.hours = stream.hours.map((x) => x * Math.max(0, 1 - (kept * KEEP * n) / hours))
    const weekday = weekdayOf(day)
    // A weekday's memory fades only when that weekday comes again.
    let again = 0
    for (let j = i + 1; j < days; j++) if (weekdayOf(log[j * LOGGED]!) === weekday) again++
    stream.weekdays[weekday] = Math.max(0, stream.weekdays[weekday]! - KEEP ** again * onWeekday)
    stream.weekdayDays[weekday] = Math.max(0, stream.weekdayDays[weekday]! - KEEP ** again * watched)
    stream.devDay -= kept * dev
    stream.sqDay = Math.max(0, stream.sqDay - kept * sq)
    stream.days = Math.max(0, stream.days - 1)
    stream.total = Math.max(0, stream.total - n)
  }
  if (stream.day < from || stream.day > to) return
  stream.total = Math.max(0, stream.total - stream.inDay)
  stream.inDay = 0
  stream.inHour = 0
}

/** The deviate of a closed day's count, for slow change. */
export function dayScore(stream: CountStream, day: number, n: number, pace: Pace): { z: number; mean: number } {
  const mean = dayMean(stream, day, pace) * pace.watched(day)
  return { mean, z: negativeBinomialScore(n, Math.max(mean, LEAST_MEAN.day), Math.max(daySize(stream), LEAST_SIZE)) }
}
