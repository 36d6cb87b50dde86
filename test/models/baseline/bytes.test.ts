import { describe, expect, test } from 'vitest'
import { judgeBytes, learnSizes, newOpenBytes, newStudySizes, sigmaOf, type StudySizes } from '../../../models/baseline/bytes.ts'
import { normalQuantile } from '../../../models/baseline/special.ts'

let state = 7
/** 0 to 1, the same sequence in every run. */
function uniform(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return (state + 0.5) / 2 ** 32
}
const size = (mu: number, sigma: number): number => Math.exp(mu + sigma * normalQuantile(uniform()))

function scanner(days: number, perDay: number, mu: number, sigma: number): StudySizes {
  const sizes = newStudySizes()
  for (let d = 0; d < days; d++) learnSizes(sizes, Array.from({ length: perDay }, () => size(mu, sigma)))
  return sizes
}

describe('bytes of a day', () => {
  test('are ordinary days as rare as they say?', () => {
    const sizes = scanner(40, 30, 17, 0.9)
    let rare = 0
    const days = 4000
    for (let d = 0; d < days; d++) {
      const open = newOpenBytes()
      for (let i = 0; i < 30; i++) open.sum += size(17, 0.9)
      if ((judgeBytes(open, sizes, 30, 0)?.p ?? 1) < 1e-2) rare++
    }
    // The materiality gate leaves some out; what is called 1 in 100 may not come oftener than that.
    expect(rare / days).toBeLessThan(0.02)
  })

  test('are the days of a gateway that passes on few large studies among many small ones as rare as they say?', () => {
    const study = () => (uniform() < 0.15 ? size(16, 0.6) : size(14, 0.4))
    const day = () => Array.from({ length: 20 }, study)
    const sizes = newStudySizes()
    for (let d = 0; d < 60; d++) learnSizes(sizes, day())
    let rare = 0
    const days = 20_000
    for (let d = 0; d < days; d++) {
      const open = { ...newOpenBytes(), sum: day().reduce((sum, x) => sum + x, 0) }
      if ((judgeBytes(open, sizes, 20, 0)?.p ?? 1) < 1e-3) rare++
    }
    expect(rare / days).toBeLessThan(2e-3)
  })

  test('is one study as large as a month found, and ten times the usual for one study not?', () => {
    const sizes = scanner(40, 30, 17, 0.9)
    const day = 30 * Math.exp(17 + 0.405)
    const judged = (sum: number): number => judgeBytes({ ...newOpenBytes(), sum }, sizes, 30, 3)?.p ?? 1
    expect(judged(day * 30)).toBeLessThan(1e-6)
    expect(judged(day + 10 * Math.exp(17))).toBe(1)
  })

  test('does a number of studies that varies make the same bytes less rare?', () => {
    const sizes = scanner(40, 30, 17, 0.9)
    const sum = 2.2 * 30 * Math.exp(17 + 0.405)
    const open = () => ({ ...newOpenBytes(), sum })
    expect(judgeBytes(open(), sizes, 30, 3)!.p).toBeGreaterThan(3 * judgeBytes(open(), sizes, 30, 0)!.p)
  })

  test('is nothing judged before ten studies are known, and does one enormous study teach little?', () => {
    expect(judgeBytes({ ...newOpenBytes(), sum: 1e15 }, scanner(1, 5, 17, 0.5), 5, 0)).toBeUndefined()
    const sizes = scanner(40, 30, 17, 0.5)
    const { mean } = sizes
    const sigma = sigmaOf(sizes)
    learnSizes(sizes, [1e15])
    expect(sizes.mean - mean).toBeLessThan(0.01)
    expect(sigmaOf(sizes) / sigma).toBeLessThan(1.05)
  })

  test('is a day looked at again only after it grew by a twentieth?', () => {
    const sizes = scanner(10, 30, 17, 0.5)
    const open = { ...newOpenBytes(), sum: 1e12 }
    judgeBytes(open, sizes, 30, 0)
    expect(open.look).toBeCloseTo(1.05e12)
  })
})
