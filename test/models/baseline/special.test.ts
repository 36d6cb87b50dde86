import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  deviance, gammaP, incompleteBeta, log1mExp, logGamma, logGammaP, logGammaQ, logIncompleteBeta, logNormalTail,
  normalQuantile, normalUpperQuantile, normalUpperTail, stirlingError,
} from '../../../models/baseline/special.ts'

const positive = (min: number, max: number) => fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map(Math.exp)

/** |a - b| relative to b. */
const off = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / Math.abs(b))

describe('log-gamma', () => {
  it('is it the factorial?', () => {
    let factorial = 1
    for (let n = 1; n < 30; n++) {
      expect(off(Math.exp(logGamma(n + 1)), (factorial *= n))).toBeLessThan(2e-14 * n)
    }
    expect(logGamma(1)).toBe(0)
    expect(logGamma(2)).toBe(0)
  })

  it('does it obey its recurrence everywhere, across the seams of its pieces too?', () => {
    fc.assert(fc.property(positive(1e-6, 1e6), (x) =>
      Math.abs(logGamma(x + 1) - logGamma(x) - Math.log(x)) < 1e-14 * (10 + Math.abs(logGamma(x)))))
    for (const seam of [0.5, 1.5, 2.5, 10]) expect(off(logGamma(seam - 1e-13), logGamma(seam))).toBeLessThan(1e-11)
  })

  it('what does it say at the edge of its domain and outside?', () => {
    expect([logGamma(0), logGamma(Infinity), logGamma(-1), logGamma(NaN)]).toEqual([Infinity, Infinity, NaN, NaN])
  })

  it("is Stirling's error continuous where its series takes over?", () => {
    expect(off(stirlingError(10 - 1e-9), stirlingError(10))).toBeLessThan(1e-9)
  })

  it('does the deviance keep its digits where value and expectation nearly agree?', () => {
    // d^2/(2m) - d^3/(6m^2) + ..., d = 1
    expect(off(deviance(1e8 + 1, 1e8), 5e-9 - 1 / 6e16)).toBeLessThan(1e-14)
    expect(deviance(5, 5)).toBe(0)
    expect(deviance(0, 7)).toBe(7)
  })
})

describe('incomplete gamma and beta', () => {
  it('do both sides add up to one, and grow the right way?', () => {
    fc.assert(fc.property(positive(0.05, 1e4), positive(1e-3, 2e4), (a, x) => {
      expect(gammaP(a, x) + Math.exp(logGammaQ(a, x))).toBeCloseTo(1, 12)
      expect(gammaP(a, x * 1.01)).toBeGreaterThanOrEqual(gammaP(a, x) * (1 - 1e-12))
    }))
    fc.assert(fc.property(positive(0.05, 1e4), positive(0.05, 1e4), fc.double({ min: 0, max: 1, noNaN: true }), (a, b, x) => {
      expect(incompleteBeta(a, b, x) + incompleteBeta(b, a, 1 - x, x)).toBeCloseTo(1, 12)
    }))
  })

  it('are the closed forms met: P(1, x) = 1 - e^-x, I_x(a, 1) = x^a, I_x(1, b) = 1 - (1-x)^b?', () => {
    fc.assert(fc.property(positive(1e-8, 500), (x) => off(gammaP(1, x), -Math.expm1(-x)) < 1e-12 && off(logGammaQ(1, x), -x) < 1e-12))
    fc.assert(fc.property(positive(0.05, 1e4), positive(1e-9, 1), (a, x) => off(logIncompleteBeta(a, 1, x), a * Math.log(x)) < 1e-11))
    fc.assert(fc.property(positive(0.05, 1e4), positive(1e-9, 0.9), (b, x) =>
      off(incompleteBeta(1, b, x), -Math.expm1(b * Math.log1p(-x))) < 1e-11))
  })

  it('what do they say at the ends and outside the domain?', () => {
    expect([gammaP(3, 0), Math.exp(logGammaQ(3, 0)), gammaP(3, Infinity), logGammaQ(3, Infinity)]).toEqual([0, 1, 1, -Infinity])
    expect([incompleteBeta(2, 3, 0), incompleteBeta(2, 3, 1), logIncompleteBeta(2, 3, 0)]).toEqual([0, 1, -Infinity])
    for (const bad of [gammaP(0, 1), logGammaQ(1, -1), logGammaP(NaN, 1)]) expect(bad).toBeNaN()
    for (const bad of [incompleteBeta(0, 1, 0.5), incompleteBeta(1, 1, 1.5), logIncompleteBeta(1, 1, NaN)]) expect(bad).toBeNaN()
  })
})

describe('the normal tail', () => {
  it('is it symmetric, and its logarithm the same where both exist?', () => {
    fc.assert(fc.property(fc.double({ min: -37, max: 37, noNaN: true }), (z) => {
      expect(normalUpperTail(z) + normalUpperTail(-z)).toBeCloseTo(1, 14)
      expect(off(Math.exp(logNormalTail(z)), normalUpperTail(z))).toBeLessThan(1e-12)
    }))
  })

  it('is it continuous where the fraction takes over from the series?', () => {
    expect(off(normalUpperTail(3 + 1e-14), normalUpperTail(3))).toBeLessThan(1e-12)
  })

  it('does the quantile undo the tail, from the middle to 1e-300 and far beyond?', () => {
    fc.assert(fc.property(fc.double({ min: -1e5, max: -1e-12, noNaN: true }), (logP) =>
      off(logNormalTail(normalUpperQuantile(logP)), logP) < 1e-11))
    fc.assert(fc.property(positive(1e-300, 0.5), (p) => off(normalUpperTail(-normalQuantile(p)), p) < 1e-11))
    expect(normalQuantile(0.5)).toBe(0)
    // density at 0 is 0.3989...: a step of 1e-12 in p is one of 2.5066e-12 in z
    expect(off(normalQuantile(0.5 + 2 ** -40), 2 ** -40 * Math.sqrt(2 * Math.PI))).toBeLessThan(1e-12)
  })

  it('what do they say at the ends and outside the domain?', () => {
    expect([normalUpperTail(Infinity), normalUpperTail(-Infinity)]).toEqual([0, 1])
    expect(logNormalTail(Infinity)).toBe(-Infinity)
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity])
    expect([normalUpperQuantile(0), normalUpperQuantile(-Infinity)]).toEqual([-Infinity, Infinity])
    for (const bad of [normalUpperTail(NaN), logNormalTail(NaN)]) expect(bad).toBeNaN()
    for (const bad of [normalQuantile(-0.1), normalQuantile(NaN), normalUpperQuantile(0.1)]) expect(bad).toBeNaN()
  })

  it('does log(1 - e^x) keep its digits at both ends?', () => {
    expect(off(log1mExp(-1e-15), Math.log(1e-15))).toBeLessThan(1e-14)
    expect(off(log1mExp(-100), -Math.exp(-100))).toBeLessThan(1e-14)
    expect(log1mExp(-Infinity) + 0).toBe(0)
    expect(log1mExp(0)).toBe(-Infinity)
  })
})
