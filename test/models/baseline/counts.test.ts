/** Do counts mean what they say: calibrated on streams of their own family and of none, quick on a real jump, forgetful of one bad day? */
import { describe, expect, test } from 'vitest'
import { count, crossings, dayMean, daySize, newStream, rate, type CountStream, type Pace } from '../../../models/baseline/counts.ts'
import { negativeBinomialUpperTail } from '../../../models/baseline/distributions.ts'

const PLAIN: Pace = { factor: () => 1, watched: () => 1, weekday: () => 1 }
const FIRST_DAY = 20_000

/** A seeded generator (mulberry32). */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function poisson(mean: number, next: () => number): number {
  let n = 0
  let product = next()
  const limit = Math.exp(-mean)
  while (product > limit) {
    n++
    product *= next()
  }
  return n
}

/** Gamma with this shape and mean 1 (Marsaglia and Tsang), for a rate that varies. */
function gamma(shape: number, next: () => number): number {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(next() || 1e-12)) * Math.cos(2 * Math.PI * next())
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(next() || 1e-12) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape
  }
}

/** Hours of a working day, as shares. */
const PROFILE = Array.from({ length: 24 }, (_, h) => (h >= 7 && h < 19 ? 0.075 : 0.1 / 12))

interface Exceedance {
  days: number
  /** How often a window's final count was as rare as 1e-2, 1e-3, 1e-4. */
  day: number[]
}

/** Lives streams for some weeks and asks, at each day's end, how rare the day was under the baseline before it. */
function live(streams: number, days: number, dailyMean: number, size: number, seed: number): Exceedance {
  const next = random(seed)
  const seen: Exceedance = { days: 0, day: [0, 0, 0] }
  for (let s = 0; s < streams; s++) {
    const stream = newStream(dailyMean * (0.5 + next()), 0.5, 0)
    for (let d = 0; d < days; d++) {
      const today = dailyMean * (size === Infinity ? 1 : gamma(size, next))
      for (let h = 0; h < 24; h++) {
        const n = poisson(today * PROFILE[h]!, next)
        for (let i = 0; i < n; i++) count(stream, 1, (FIRST_DAY + d) * 24 + h, PLAIN)
      }
      if (d < 21) continue
      const p = dayP(stream, FIRST_DAY + d)
      seen.days++
      for (const [k, level] of [1e-2, 1e-3, 1e-4].entries()) if (p < level) seen.day[k]!++
    }
  }
  return seen
}

/** The tail of a finished day, as the stream itself judges it. */
function dayP(stream: CountStream, day: number): number {
  return negativeBinomialUpperTail(stream.inDay, dayMean(stream, day, PLAIN), daySize(stream))
}

describe('calibration: how often is an ordinary day called rare?', () => {
  test.each([
    ['of its own family (negative binomial, size 15)', 30, 15],
    ['calmer than the prior (Poisson)', 30, Infinity],
    ['of few events', 3, 15],
  ])('a stream %s', (_name, mean, size) => {
    const { days, day } = live(120, 81, mean, size, 7)
    expect(days).toBe(7200)
    // Nominal: 72, 7.2, 0.72. Never more than twice as often (and some room for chance where little is expected).
    expect(day[0]! / days).toBeLessThan(2e-2)
    expect(day[1]!).toBeLessThanOrEqual(16)
    expect(day[2]!).toBeLessThanOrEqual(4)
  })

  test('nor is it blind: the family itself exceeds 1 in 100 at least a fifth as often as it should', () => {
    const { days, day } = live(120, 81, 30, 15, 11)
    expect(day[0]! / days).toBeGreaterThan(0.2e-2)
  })
})

/** Days of a constant rhythm. */
function routine(perDay: number, days: number, stream = newStream(20, 0.5, 0)): CountStream {
  const next = random(3)
  for (let d = 0; d < days; d++) {
    for (let h = 0; h < 24; h++) for (let n = poisson(perDay * PROFILE[h]!, next); n > 0; n--) count(stream, 1, (FIRST_DAY + d) * 24 + h, PLAIN)
  }
  return stream
}

test('does a jump fire on the very event that crosses, long before the day ends?', () => {
  const stream = routine(30, 28)
  const hour = (FIRST_DAY + 28) * 24 + 10
  let at = 0
  for (let n = 1; n <= 60 && at === 0; n++) if (count(stream, 1, hour, PLAIN) && crossings(stream, PLAIN).some((c) => c.p < 1e-4)) at = n
  expect(at).toBeGreaterThan(5)
  expect(at).toBeLessThan(30)
})

test('is the night more sensitive than the day?', () => {
  const fires = (h: number): number => {
    const stream = routine(30, 28)
    for (let n = 1; n < 100; n++) if (count(stream, 1, (FIRST_DAY + 28) * 24 + h, PLAIN) && crossings(stream, PLAIN).length > 0) return n
    return 100
  }
  expect(fires(2)).toBeLessThan(fires(10))
})

test('does one wild day teach little, and a new level that stays teach in full?', () => {
  const stream = routine(30, 28)
  const before = rate(stream)
  for (let n = 0; n < 600; n++) count(stream, 1, (FIRST_DAY + 28) * 24 + 12, PLAIN)
  count(stream, 1, (FIRST_DAY + 29) * 24 + 12, PLAIN)
  expect(rate(stream)).toBeLessThan(before * 1.2)
  const risen = routine(30, 28)
  const next = random(5)
  for (let d = 28; d < 70; d++) for (let n = poisson(90, next); n > 0; n--) count(risen, 1, (FIRST_DAY + d) * 24 + 12, PLAIN)
  expect(rate(risen)).toBeGreaterThan(60)
})

test('is a queue that drains after a silence allowed for, and the same flood without a silence not?', () => {
  const flood = (silent: boolean): number => {
    const stream = routine(240, 28)
    const day = (FIRST_DAY + 28) * 24
    for (let h = 7; h < 13; h++) if (!silent) for (let n = 0; n < 18; n++) count(stream, 1, day + h, PLAIN)
    let least = 1
    for (let n = 0; n < 120; n++) if (count(stream, 1, day + 13, PLAIN)) for (const c of crossings(stream, PLAIN)) least = Math.min(least, c.p)
    return least
  }
  expect(flood(true)).toBeGreaterThan(1e-4)
  expect(flood(false)).toBeLessThan(1e-6)
})

test('does a day without the sensor teach nothing?', () => {
  const blind: Pace = { ...PLAIN, watched: (day) => (day >= FIRST_DAY + 28 && day < FIRST_DAY + 48 ? 0 : 1) }
  const seen = routine(30, 28)
  const unseen = structuredClone(seen)
  count(seen, 1, (FIRST_DAY + 48) * 24 + 12, PLAIN)
  count(unseen, 1, (FIRST_DAY + 48) * 24 + 12, blind)
  expect(rate(unseen)).toBeGreaterThan(28)
  expect(rate(seen)).toBeLessThan(20)
})

test('is it plain data that continues where it was saved?', () => {
  const stream = routine(30, 10)
  const restored = JSON.parse(JSON.stringify({ ...stream, hourAlarm: 1e9, dayAlarm: 1e9 })) as CountStream
  expect(restored).toEqual({ ...stream, hourAlarm: 1e9, dayAlarm: 1e9 })
})
