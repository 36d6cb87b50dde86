import fc from 'fast-check'
import * as simple from 'simple-statistics'
import { describe, expect, it } from 'vitest'
import { median, quantile, rank, robustDeviate, robustSigma } from '../../../models/baseline/robust.ts'
import { normalQuantile, normalUpperTail } from '../../../models/baseline/special.ts'

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 })

const moderate = fc.double({ min: -1e150, max: 1e150, noNaN: true })

describe('robust summaries', () => {
  it('are median and quantiles what sorting gives?', () => {
    fc.assert(fc.property(values, (list) => {
      const sorted = [...list].sort((a, b) => a - b)
      const half = sorted.length / 2
      expect(median(list)).toBeCloseTo(half % 1 === 0 ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!, 4)
      expect(quantile(list, 0)).toBe(sorted[0])
      expect(quantile(list, 1)).toBe(sorted.at(-1))
      expect(quantile(list, 7)).toBe(sorted.at(-1))
      expect(quantile(list, -1)).toBe(sorted[0])
    }))
    expect(quantile([5, 1, 4, 2, 3], 0.9)).toBeCloseTo(4.6, 12)
  })

  it('is a rank the share below, with half of the equals?', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), fc.integer({ min: 0, max: 9 }), (list, x) => {
      const share = (list.filter((v) => v < x).length + list.filter((v) => v === x).length / 2) / list.length
      expect(rank(list, x)).toBeCloseTo(share, 12)
    }))
  })

  it('does a robust sigma estimate the standard deviation, and stand still for outliers?', () => {
    // The quantiles of a normal distribution with deviation 2.
    const list = Array.from({ length: 999 }, (_, i) => 10 + 2 * normalQuantile((i + 1) / 1000))
    expect(robustSigma(list, 0.01)).toBeCloseTo(2, 2)
    expect(robustSigma([...list, 1e9, 1e9, 1e9], 0.01)).toBeCloseTo(2, 1)
    expect(robustDeviate(16, list, 0.01)).toBeCloseTo(3, 1)
  })

  it('does it stay above zero where the median absolute deviation does not?', () => {
    expect(simple.medianAbsoluteDeviation([0, 0, 0, 0, 7])).toBe(0)
    expect(robustSigma([0, 0, 0, 0, 7], 0.5)).toBeCloseTo(1.2533 * 7 / 5, 3)
    expect(robustSigma([4, 4, 4], 0.5)).toBe(0.5)
    expect(robustDeviate(9, [4, 4, 4], 0.5)).toBe(10)
    fc.assert(fc.property(fc.array(fc.oneof(moderate, fc.constantFrom(NaN, Infinity, -Infinity))), moderate, (list, x) => {
      expect(robustSigma(list, 1)).toBeGreaterThanOrEqual(1)
      expect(robustDeviate(x, list, 1)).not.toBeNaN()
    }))
  })

  it('are no values, and values that are no numbers, harmless?', () => {
    expect([median([]), quantile([], 0.5), rank([], 1), median([NaN])]).toEqual([undefined, undefined, undefined, undefined])
    expect([quantile([1, 2], NaN), rank([1, 2], NaN)]).toEqual([undefined, undefined])
    expect([robustSigma([], 3), robustDeviate(5, [], 3), robustDeviate(NaN, [1], 3)]).toEqual([3, 0, 0])
    expect([median([NaN, 1, 3, 2]), quantile([3, NaN, 1], 0.5), rank([NaN, 1, 2], 1)]).toEqual([2, 2, 0.25])
  })

  it('is the list left as it was?', () => {
    const list = Object.freeze([3, 1, 2])
    expect([median(list), quantile(list, 0.5), rank(list, 2), robustSigma(list, 1)]).toEqual([2, 2, 0.5, 1.482602218505602])
    expect(list).toEqual([3, 1, 2])
  })
})

describe('why are the tails our own? What simple-statistics does:', () => {
  it('its normal table ends at 0.001, whatever the deviate', () => {
    for (const z of [3.1, 5, 8]) expect(1 - simple.cumulativeStdNormalProbability(z)).toBeCloseTo(0.001, 12)
    expect(normalUpperTail(8)).toBeCloseTo(6.22e-16, 18)
  })

  it('its error function is right to 6 deviates and gives nothing at 9', () => {
    const tail = (z: number) => 0.5 * (1 - simple.errorFunction(z / Math.SQRT2))
    for (const z of [1, 3, 6]) expect(tail(z) / normalUpperTail(z)).toBeCloseTo(1, 5)
    expect(tail(9)).toBe(0)
    expect(normalUpperTail(9)).toBeGreaterThan(1e-19)
  })

  it('its quantile of the normal distribution is right to two digits, and infinite at 1e-20', () => {
    expect(Math.abs(simple.probit(0.025) + 1.959963984540054)).toBeGreaterThan(1e-3)
    expect(simple.probit(1e-20)).toBe(-Infinity)
  })

  it('its Poisson and binomial distributions end at 0.9999: there is no tail', () => {
    expect(simple.poissonDistribution(10)).toHaveLength(25)
    expect(simple.binomialDistribution(100, 0.5)!.length).toBeLessThan(100)
  })

  it('it throws on nothing, and its median of a list with NaN depends on the order', () => {
    expect(() => simple.median([])).toThrow()
    expect(() => simple.quantile([1, 2], 1.5)).toThrow()
    expect(simple.quantileRankSorted([], 1)).toBeNaN()
    expect([simple.median([1, NaN, 3]), simple.median([NaN, 1, 3]), simple.median([NaN, 3, 1])]).toEqual([3, 1, NaN])
  })

  it('its rank of a value depends on how often it occurs', () => {
    expect(simple.quantileRankSorted([1, 2, 3], 2)).toBeCloseTo(2 / 3, 12)
    expect(simple.quantileRankSorted([1, 2, 2, 2, 3], 2)).toBeCloseTo(0.6, 12)
    expect([rank([1, 2, 3], 2), rank([1, 2, 2, 2, 3], 2)]).toEqual([0.5, 0.5])
  })

  it('its z-score divides by zero', () => {
    expect(simple.zScore(5, 5, 0)).toBeNaN()
  })
})
