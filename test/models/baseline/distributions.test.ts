import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as d from '../../../models/baseline/distributions.ts'

const positive = (min: number, max: number) => fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map(Math.exp)
const size = fc.oneof(positive(0.05, 1e6), fc.constant(Infinity))
const off = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / Math.abs(b))

/** P(X = n) by the recurrence of the definition: slow, and independent of the code under test. */
function masses(mean: number, size: number, upTo: number): number[] {
  const out = [(size / (size + mean)) ** size]
  for (let n = 1; n <= upTo; n++) out.push((out[n - 1]! * ((n - 1 + size) / n) * mean) / (mean + size))
  return out
}

describe('counts', () => {
  it('are the tails the sums of the masses?', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 60 }), positive(0.01, 40), positive(0.05, 1000), (n, mean, size) => {
      const mass = masses(mean, size, n)
      const below = mass.slice(0, n).reduce((a, b) => a + b, 0)
      expect(d.negativeBinomialUpperTail(n, mean, size)).toBeCloseTo(1 - below, 10)
      expect(Math.exp(d.logNegativeBinomialLowerTail(n, mean, size))).toBeCloseTo(below + mass[n]!, 10)
      expect(Math.exp(d.logNegativeBinomialMidP(n, mean, size))).toBeCloseTo(1 - below - mass[n]! / 2, 10)
    }))
  })

  it('are the start values of a new edge those of the design: 1.4e-2, 4.6e-4, 8e-8 for 20, 40, 94 studies?', () => {
    const [twenty, forty, many] = [20, 40, 94].map((n) => d.negativeBinomialUpperTail(n, 3, 0.5))
    expect(twenty).toBeCloseTo(1.4e-2, 3)
    expect(forty).toBeCloseTo(4.6e-4, 5)
    expect(many).toBeCloseTo(8e-8, 8)
  })

  it('does a tail fall with the count, and rise with the mean?', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), positive(1e-4, 1e5), size, (n, mean, size) => {
      const here = d.logNegativeBinomialUpperTail(n, mean, size)
      expect(d.logNegativeBinomialUpperTail(n + 1, mean, size)).toBeLessThanOrEqual(here + 1e-12 * Math.abs(here))
      expect(d.logNegativeBinomialUpperTail(n, mean * 1.01, size)).toBeGreaterThanOrEqual(here - 1e-12 * Math.abs(here))
    }))
  })

  it('do the plain and the logarithmic forms agree?', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10_000 }), positive(1e-3, 1e4), size, (n, mean, size) => {
      expect(off(Math.exp(d.logNegativeBinomialUpperTail(n, mean, size)), d.negativeBinomialUpperTail(n, mean, size))).toBeLessThan(1e-11)
    }), { examples: [[1088, 1.0672492662656259, 1]] })
  })

  it('is the mid-p value the mean of two tails, to the last digit that a double keeps of so small a number?', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10_000 }), positive(1e-3, 1e4), size, (n, mean, size) => {
      const tails = [n, n + 1].map((n) => d.negativeBinomialUpperTail(n, mean, size))
      if (tails[1]! > 1e-300) expect(off(Math.exp(d.logNegativeBinomialMidP(n, mean, size)), (tails[0]! + tails[1]!) / 2)).toBeLessThan(1e-11)
    }))
    // So small that a double counts in steps of 5e-324; half the sum of two tails was one step off. The truth is by mpmath.
    expect(Math.exp(d.logNegativeBinomialMidP(1088, 1.0672492662656259, 1))).toBe(3.0590691455e-313)
  })

  it('is what no double holds with all its digits still rarer than 1e-300 in both forms?', () => {
    for (const n of [1088, 2000, 10_000]) {
      expect(d.negativeBinomialUpperTail(n, 1.0672492662656259, 1)).toBeLessThan(1e-300)
      expect(d.logNegativeBinomialUpperTail(n, 1.0672492662656259, 1)).toBeLessThan(Math.log(1e-300))
    }
  })

  it('is a very large size Poisson, without a jump?', () => {
    for (const n of [1, 5, 20, 60]) expect(off(d.negativeBinomialUpperTail(n, 10, 1e13), d.negativeBinomialUpperTail(n, 10, Infinity))).toBeLessThan(1e-9)
  })

  it('is the critical value the smallest count that is rarer than p?', () => {
    fc.assert(fc.property(positive(1e-200, 0.999), positive(1e-6, 1e5), size, (p, mean, size) => {
      const n = d.negativeBinomialCritical(p, mean, size)
      expect(d.logNegativeBinomialUpperTail(n, mean, size)).toBeLessThan(Math.log(p))
      expect(d.logNegativeBinomialUpperTail(n - 1, mean, size)).toBeGreaterThanOrEqual(Math.log(p))
    }))
  })

  it('what is the critical value of the impossible?', () => {
    expect(d.negativeBinomialCritical(2, 5, 5)).toBe(0)
    expect(d.negativeBinomialCritical(1, 5, 5)).toBe(1)
    expect(d.negativeBinomialCritical(0.1, 0, 5)).toBe(1)
    for (const args of [[0, 5, 5], [-1, 5, 5], [NaN, 5, 5], [0.1, NaN, 5], [0.1, 5, 0], [0.1, Infinity, 5]] as const) {
      expect(d.negativeBinomialCritical(args[0], args[1], args[2])).toBe(Infinity)
    }
    // So bursty that its far quantiles are beyond any count.
    expect(d.negativeBinomialCritical(1e-300, 1e8, 1e-3)).toBe(Infinity)
  })

  it('does the score have the sign and size of a deviate, in both tails?', () => {
    expect(d.negativeBinomialScore(1000, 1000, Infinity)).toBeCloseTo(0, 1)
    expect(d.negativeBinomialScore(1100, 1000, Infinity)).toBeCloseTo(100 / Math.sqrt(1000), 0)
    expect(d.negativeBinomialScore(900, 1000, Infinity)).toBeCloseTo(-100 / Math.sqrt(1000), 0)
    expect(d.negativeBinomialScore(0, 1e4, 1e4)).toBeLessThan(-30)
    expect(d.negativeBinomialScore(1e6, 1, 15)).toBeGreaterThan(30)
    fc.assert(fc.property(fc.integer({ min: 0, max: 1000 }), positive(0.01, 500), size, (n, mean, size) => {
      expect(d.negativeBinomialScore(n + 1, mean, size)).toBeGreaterThanOrEqual(d.negativeBinomialScore(n, mean, size))
    }))
  })

  it('does the score average to zero under the baseline, also for the smallest counts?', () => {
    for (const [mean, size] of [[0.05, 8], [0.5, 15], [3, 0.5], [20, 15]] as const) {
      const clipped = (n: number) => Math.min(3, Math.max(-3, d.negativeBinomialScore(n, mean, size)))
      const sum = masses(mean, size, 2000).reduce((total, mass, n) => total + mass * clipped(n), 0)
      expect(Math.abs(sum)).toBeLessThan(0.1)
    }
  })

  it('is the binomial tail the sum of its terms?', () => {
    expect(d.binomialUpperTail(3, 10, 0.5)).toBeCloseTo(968 / 1024, 12)
    expect(off(d.binomialUpperTail(10, 10, 0.01), 1e-20)).toBeLessThan(1e-12)
    expect([d.binomialUpperTail(0, 10, 0.5), d.binomialUpperTail(11, 10, 0.5)]).toEqual([1, 0])
    expect([d.binomialUpperTail(3, 10, 0), d.binomialUpperTail(3, 10, 1)]).toEqual([0, 1])
  })

  it("is novelty the design's 0.0065 after 41 quiet days?", () => {
    expect(d.gammaPoissonNovelty(0.4, 61)).toBeCloseTo(0.0065, 4)
    expect([d.gammaPoissonNovelty(0, 5), d.gammaPoissonNovelty(1, 0), d.gammaPoissonNovelty(0, 0)]).toEqual([0, 1, 0])
  })
})

describe('sizes', () => {
  const MU = Math.log(1e8)

  it('is the log-normal median at e^mu, and its tail monotone?', () => {
    expect(Math.exp(d.logLogNormalUpperTail(Math.exp(19), 19, 0.9))).toBeCloseTo(0.5, 12)
    fc.assert(fc.property(positive(1, 1e15), (x) => d.logLogNormalUpperTail(x * 1.01, 19, 0.9) < d.logLogNormalUpperTail(x, 19, 0.9)))
  })

  it('is a sum of one the size itself, and no tail thinner than that of its largest part?', () => {
    fc.assert(fc.property(positive(1e-3, 20), positive(0.01, 4), (ratio, sigma) =>
      Math.abs(d.logLogNormalSumUpperTail(ratio * 1e8, 1, MU, sigma) - d.logLogNormalUpperTail(ratio * 1e8, MU, sigma)) < 1e-8))
    fc.assert(fc.property(positive(1e3, 1e15), fc.integer({ min: 1, max: 1000 }), positive(0.1, 4), (x, n, sigma) => {
      const largest = d.logSidak(d.logLogNormalUpperTail(x, 15, sigma), n)
      expect(d.logLogNormalSumUpperTail(x, n, 15, sigma)).toBeGreaterThanOrEqual(Math.min(Math.log(0.1), largest))
    }))
  })

  it('does the tail of a sum fall with the sum and rise with the number of its parts?', () => {
    fc.assert(fc.property(positive(1e3, 1e12), fc.integer({ min: 1, max: 1000 }), positive(0.05, 3), (x, n, sigma) => {
      const here = d.logLogNormalSumUpperTail(x, n, 15, sigma)
      expect(d.logLogNormalSumUpperTail(x * 1.01, n, 15, sigma)).toBeLessThanOrEqual(here + 1e-9)
      expect(d.logLogNormalSumUpperTail(x, n + 1, 15, sigma)).toBeGreaterThanOrEqual(here - 1e-9)
    }))
    // The mean of a skewed sum lies a little above its median.
    expect(d.logNormalSumUpperTail(31 * Math.exp(0.9 ** 2 / 2), 31, 0, 0.9)).toBeCloseTo(0.445, 2)
    expect(d.logNormalSumUpperTail(31.001, 31, 0, 0)).toBe(0)
    expect(d.logNormalSumUpperTail(30.999, 31, 0, 0)).toBe(1)
  })
})

describe('several tests', () => {
  it('is the correction m p for tiny p, never above 1, and the same in logarithms?', () => {
    expect(off(d.sidak(1e-18, 40), 4e-17)).toBeLessThan(1e-14)
    expect([d.sidak(1, 5), d.sidak(0.5, 1e9), d.sidak(0, 5), d.sidak(0.5, 0)]).toEqual([1, 1, 0, 0])
    fc.assert(fc.property(positive(1e-300, 0.999), positive(0.5, 1000), (p, m) =>
      Math.abs(d.logSidak(Math.log(p), m) - Math.log(d.sidak(p, m))) < 1e-11))
    expect(off(d.logSidak(-690 - 1e-9, 7), d.logSidak(-690 + 1e-9, 7))).toBeLessThan(1e-11)
    expect(d.logSidak(-Infinity, 40)).toBe(-Infinity)
  })
})

describe('hostile numbers', () => {
  const hostile = fc.oneof(
    fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, -1, 1, 5e-324, 1e-300, 1e300, Number.MAX_VALUE, 0.5, Number.MAX_SAFE_INTEGER),
    fc.double(), fc.integer({ min: -10, max: 10 }),
  )
  const plain = [
    d.negativeBinomialUpperTail, d.binomialUpperTail, d.gammaPoissonNovelty, d.logNormalSumUpperTail, d.sidak,
  ] as ((...args: number[]) => number)[]
  const logs = [
    d.logNegativeBinomialUpperTail, d.logNegativeBinomialLowerTail, d.logNegativeBinomialMidP, d.logBinomialUpperTail,
    d.logLogNormalUpperTail, d.logLogNormalSumUpperTail, d.logSidak,
  ] as ((...args: number[]) => number)[]

  it('is every answer a probability, whatever the numbers?', () => {
    fc.assert(fc.property(fc.array(hostile, { minLength: 4, maxLength: 4 }), (args) => {
      for (const tail of plain) {
        const p = tail(...args)
        expect(p >= 0 && p <= 1, `${tail.name}(${args.join(', ')}) is ${p}`).toBe(true)
      }
      for (const tail of logs) {
        const p = tail(...args)
        expect(p <= 0, `${tail.name}(${args.join(', ')}) is ${p}`).toBe(true)
      }
      expect(d.negativeBinomialScore(args[0]!, args[1]!, args[2]!)).not.toBeNaN()
      expect(d.negativeBinomialCritical(args[0]!, args[1]!, args[2]!)).toBeGreaterThanOrEqual(0)
    }), { numRuns: 1000 })
  })

  it('is what cannot be judged no evidence?', () => {
    expect(plain.map((tail) => tail(NaN, NaN, NaN, NaN))).toEqual(plain.map(() => 1))
    expect([d.negativeBinomialUpperTail(5, -1, 1), d.negativeBinomialUpperTail(5, 1, 0)]).toEqual([1, 1])
    expect(Math.exp(d.logLogNormalUpperTail(5, 0, -1))).toBe(1)
  })
})
