import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DistinctState, DistinctCounter, LogHistogram, type LogHistogramState } from '../../../models/baseline/sketch.ts'

const sizes = fc.array(fc.oneof(fc.double({ min: 1, max: 2e4, noNaN: true }), fc.constant(0)), { minLength: 1, maxLength: 300 })
const saved = <T>(state: T): T => JSON.parse(JSON.stringify(state)) as T

function histogramOf(values: readonly number[]): LogHistogram {
  const histogram = new LogHistogram()
  for (const value of values) histogram.add(value)
  return histogram
}

describe('the histogram of sizes', () => {
  it('is each quantile within 1 % of the true one?', () => {
    fc.assert(fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
      const sorted = [...values].sort((a, b) => a - b)
      const truth = sorted[Math.max(0, Math.ceil(p * values.length) - 1)]!
      expect(Math.abs(histogramOf(values).quantile(p)! - truth)).toBeLessThanOrEqual(0.010001 * truth)
    }))
  })

  it('does it hold to 1 % for bytes, from one to a terabyte, at the top of the range that fits?', () => {
    const histogram = new LogHistogram({ accuracy: 0.01, bins: 2048 })
    for (let x = 1; x < 1e12; x *= 1.5) {
      histogram.add(x)
      expect(Math.abs(histogram.quantile(1)! / x - 1)).toBeLessThanOrEqual(0.010001)
    }
    expect(histogram.quantile(0)).toBeCloseTo(1, 1)
  })

  it('does a day forget its share, and the whole be forgotten in the end?', () => {
    const histogram = histogramOf([100, 100, 0])
    histogram.decay(0.5)
    histogram.add(1000)
    expect(histogram.total).toBe(2.5)
    expect(histogram.quantile(0.19)).toBe(0)
    expect(histogram.quantile(0.5)).toBeCloseTo(100, -1)
    expect(histogram.quantile(0.7)).toBeCloseTo(1000, -2)
    for (let day = 0; day < 700; day++) histogram.decay(0.97)
    expect([histogram.total, histogram.quantile(0.5), histogram.toJSON().bins]).toEqual([0, undefined, []])
    expect(histogram.add(7)).toBe(true)
    expect(histogram.quantile(0.5)).toBeCloseTo(7, 0)
  })

  it('do values wider apart than its bins keep the upper quantiles, and its size?', () => {
    const histogram = new LogHistogram({ accuracy: 0.01, bins: 100 })
    for (let i = -300; i <= 300; i++) histogram.add(10 ** i)
    expect(histogram.toJSON().bins.length).toBeLessThanOrEqual(200)
    expect(histogram.total).toBe(601)
    expect(histogram.quantile(1)! / 1e300).toBeCloseTo(1, 1)
    // The same values from above.
    const other = new LogHistogram({ accuracy: 0.01, bins: 100 })
    for (let i = 300; i >= -300; i--) other.add(10 ** i)
    expect(other.toJSON()).toEqual(histogram.toJSON())
  })

  it('is the share above a value right, its own bin halved?', () => {
    const histogram = histogramOf([0, 0, 10, 100, 100, 1000, 1000, 1000])
    expect([-1, 0, 1, 50, 1e6].map((x) => histogram.shareAbove(x))).toEqual([1, 7 / 8, 6 / 8, 5 / 8, 0])
    expect(histogram.shareAbove(100)).toBe(4 / 8)
    expect(histogram.shareAbove(NaN)).toBeUndefined()
    expect(new LogHistogram().shareAbove(1)).toBeUndefined()
  })

  it('are merged histograms the histogram of all, in any order?', () => {
    fc.assert(fc.property(sizes, sizes, (one, two) => {
      const [ab, ba] = [histogramOf(one), histogramOf(two)]
      ab.merge(histogramOf(two))
      ba.merge(histogramOf(one))
      expect(ab.toJSON()).toEqual(histogramOf([...one, ...two]).toJSON())
      expect(ba.toJSON()).toEqual(ab.toJSON())
    }))
    expect(() => new LogHistogram().merge(new LogHistogram({ accuracy: 0.02, bins: 10 }))).toThrow(RangeError)
  })

  it('does a run in two parts see what one run sees, to the last bit?', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(fc.property(sizes, sizes, share, share, (before, after, factor, p) => {
      const whole = histogramOf(before)
      whole.decay(factor)
      const parted = LogHistogram.from(saved(whole.toJSON()))
      for (const value of after) {
        whole.add(value)
        parted.add(value)
      }
      expect(parted.toJSON()).toEqual(whole.toJSON())
      expect([parted.total, parted.quantile(p), parted.shareAbove(500)]).toEqual([whole.total, whole.quantile(p), whole.shareAbove(500)])
    }))
  })

  it('are numbers that cannot be sizes left out, and states that cannot be empty?', () => {
    const histogram = new LogHistogram()
    for (const bad of [NaN, -1, Infinity, -Infinity]) expect(histogram.add(bad)).toBe(false)
    for (const bad of [NaN, -1, Infinity, 0]) expect(histogram.add(5, bad)).toBe(false)
    histogram.decay(NaN)
    histogram.decay(2)
    expect([histogram.total, histogram.quantile(0.5), histogram.quantile(2)]).toEqual([0, undefined, undefined])
    for (const bins of [[1], [2, 1, 1, 1], [1, -1], [1, NaN], [1.5, 1], [1e99, 1], 'bins' as unknown as number[]]) {
      expect(LogHistogram.from({ accuracy: 0.01, zeros: 0, bins }).total).toBe(0)
    }
    expect(LogHistogram.from({ accuracy: 0.02, zeros: 3, bins: [] }).total).toBe(0)
    expect(LogHistogram.from({} as LogHistogramState).total).toBe(0)
    expect(LogHistogram.from({ accuracy: 0.01, zeros: 0, bins: [-9e15, 1, 9e15, 1] }).total).toBe(2)
  })
})

/** As many different texts as asked for, shaped like pseudonyms. */
const names = (count: number, from = 0) => Array.from({ length: count }, (_, i) => (from + i).toString(32).padStart(16, '0'))

function counterOf(values: readonly string[], seed = 0): DistinctCounter {
  const counter = new DistinctCounter(seed)
  for (const value of values) counter.add(value)
  return counter
}

describe('the count of different values', () => {
  it('is it exact up to 64, and counts nothing twice?', () => {
    const counter = new DistinctCounter()
    for (const [i, name] of names(64).entries()) {
      expect(counter.add(name)).toBe(true)
      expect(counter.add(name)).toBe(false)
      expect(counter.count).toBe(i + 1)
    }
    expect(counter.exact).toBe(true)
    counter.add('one more')
    expect(counter.exact).toBe(false)
    expect(counter.count).toBeGreaterThanOrEqual(65)
    expect(counter.count).toBeLessThan(70)
  })

  it('is the estimate unbiased, with an error of 3.3 %, from 65 to 100,000?', () => {
    const seeds = 60
    for (const n of [65, 300, 1000, 2500, 5000, 20_000, 100_000]) {
      const values = names(n)
      const picked = n > 5000 ? 15 : seeds
      let bias = 0
      let square = 0
      for (let seed = 0; seed < picked; seed++) {
        const off = counterOf(values, seed * 7919).count / n - 1
        bias += off / picked
        square += (off * off) / picked
      }
      expect(Math.abs(bias), `bias at ${n}`).toBeLessThan((3.5 * 0.033) / Math.sqrt(picked))
      expect(Math.sqrt(square), `error at ${n}`).toBeLessThan(n > 5000 ? 0.06 : 0.045)
    }
  })

  it('does the count never fall, and never rise by a value seen before?', () => {
    const counter = new DistinctCounter(3)
    const values = names(3000)
    let last = 0
    for (const value of values) {
      const grew = counter.add(value)
      expect(counter.count).toBeGreaterThanOrEqual(last)
      if (!grew) expect(counter.count).toBe(last)
      last = counter.count
    }
    for (const value of values) expect(counter.add(value)).toBe(false)
    expect(counter.count).toBe(last)
  })

  it('does neither order nor repetition nor the way of merging matter?', () => {
    fc.assert(fc.property(fc.array(fc.nat(400), { maxLength: 300 }), fc.array(fc.nat(400), { maxLength: 300 }), (a, b) => {
      const [one, two] = [a.map(String), b.map(String)]
      const all = counterOf([...one, ...two])
      const merged = counterOf(two)
      merged.merge(counterOf(one))
      expect(merged.toJSON()).toEqual(all.toJSON())
      expect(merged.count).toBe(all.count)
      expect(counterOf([...two, ...one].reverse()).toJSON()).toEqual(all.toJSON())
      if (all.exact) expect(all.count).toBe(new Set([...one, ...two]).size)
    }))
    expect(() => new DistinctCounter(1).merge(new DistinctCounter(2))).toThrow(RangeError)
  })

  it('does a run in two parts see what one run sees?', () => {
    for (const [before, after] of [[10, 20], [60, 30], [1000, 500]] as const) {
      const whole = counterOf(names(before), 5)
      const parted = DistinctCounter.from(saved(whole.toJSON()), 5)
      for (const value of names(after, before - 5)) expect(parted.add(value)).toBe(whole.add(value))
      expect(parted.count).toBe(whole.count)
      expect(parted.toJSON()).toEqual(whole.toJSON())
    }
  })

  it('is it the same number on every machine?', () => {
    expect(counterOf(names(1000), 1).count).toMatchInlineSnapshot(`1013.4698227279308`)
    expect(counterOf(['patient'], 1).toJSON()).toMatchInlineSnapshot(`
      {
        "exact": [
          820571998980777,
        ],
      }
    `)
  })

  it('does its state stay small, hold no value, and come back empty when it cannot be?', () => {
    const state = counterOf(names(50_000)).toJSON()
    expect(JSON.stringify(state).length).toBeLessThan(1100)
    expect(JSON.stringify(counterOf(['SMITH^JOHN']).toJSON())).not.toContain('SMITH')
    const bad: DistinctState[] = [
      {}, { exact: [-1] }, { exact: [0.5] }, { exact: Array.from({ length: 65 }, (_, i) => i) },
      { registers: '0' }, { registers: 'z'.repeat(1024) }, { registers: '!'.repeat(1024) },
    ]
    for (const each of bad) expect(DistinctCounter.from(each).count).toBe(0)
    const cleared = counterOf(names(100))
    cleared.clear()
    expect([cleared.count, cleared.exact, cleared.add('x'), cleared.count]).toEqual([0, true, true, 1])
  })
})
