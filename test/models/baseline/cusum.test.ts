import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averageRunLength, Cusum, DRIP } from '../../../models/baseline/cusum.ts'
import { normalQuantile } from '../../../models/baseline/special.ts'

/** Normal deviates, the same in every run. */
function* normals(seed: number): Generator<number> {
  for (let state = seed >>> 0; ;) {
    state = (state + 0x9e3779b9) >>> 0
    let h = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
    yield normalQuantile((((h ^ (h >>> 15)) >>> 0) + 0.5) / 2 ** 32)
  }
}

const stateOf = ({ level, run }: Cusum): { level: number; run: number } => ({ level, run })

/** Mean steps to a crossing over many. */
function simulated(options: typeof DRIP, shift: number, crossings: number): number {
  const cusum = new Cusum(options)
  let steps = 0
  let found = 0
  for (const z of normals(7)) {
    steps++
    if (cusum.add(z + shift) && ++found === crossings) return steps / crossings
  }
  throw new Error('unreachable')
}

describe('CUSUM', () => {
  it('is a quiet stream quiet as long as the theory says, and a rise found as soon?', () => {
    const unclipped = { ...DRIP, clip: Infinity }
    expect(averageRunLength(0.25, 8)).toBeCloseTo(738, 0)
    expect(simulated(unclipped, 0, 400) / averageRunLength(0.25, 8)).toBeCloseTo(1, 0)
    expect(simulated(unclipped, 1, 2000) / averageRunLength(0.25, 8, 1)).toBeCloseTo(1, 1)
    expect(simulated(unclipped, 0.5, 2000) / averageRunLength(0.25, 8, 0.5)).toBeCloseTo(1, 1)
    // At the allowance itself the two formulas meet.
    expect(averageRunLength(0.25, 8, 0.25 + 2e-6)).toBeCloseTo(averageRunLength(0.25, 8, 0.25), 1)
  })

  it('does clipping make a quiet stream no louder?', () => {
    expect(simulated(DRIP, 0, 300)).toBeGreaterThan(0.9 * averageRunLength(0.25, 8))
  })

  it('does one wild day never cross, and three lasting ones do?', () => {
    const cusum = new Cusum()
    expect([cusum.add(1e9), cusum.level]).toEqual([false, 2.75])
    expect([cusum.add(Infinity), cusum.add(Infinity)]).toEqual([false, true])
  })

  it('does it tell how long the rise has lasted, until the next day?', () => {
    const cusum = new Cusum()
    for (let day = 0; day < 30; day++) expect(cusum.add(-1)).toBe(false)
    let days = 1
    while (!cusum.add(1)) days++
    expect(days).toBe(Math.ceil(8 / 0.75))
    expect(cusum.run).toBe(days)
    expect(cusum.add(0.5)).toBe(false)
    expect([cusum.level, cusum.run]).toEqual([0.25, 1])
  })

  it('is a day that cannot be judged left out?', () => {
    const cusum = new Cusum()
    cusum.add(2)
    expect([cusum.add(NaN), cusum.level, cusum.run]).toEqual([false, 1.75, 1])
  })

  it('does a run in two parts see what one run sees?', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -4, max: 5, noNaN: true }), { maxLength: 100 }), fc.nat(), (days, where) => {
      const whole = new Cusum()
      let parted = new Cusum()
      days.forEach((z, i) => {
        if (i === where % days.length) parted = new Cusum(DRIP, stateOf(parted))
        expect(parted.add(z)).toBe(whole.add(z))
        expect(stateOf(parted)).toEqual(stateOf(whole))
        expect(whole.level).toBeGreaterThanOrEqual(0)
      })
    }))
    expect(stateOf(new Cusum(DRIP, { level: NaN, run: 3 }))).toEqual({ level: 0, run: 0 })
    expect(stateOf(new Cusum(DRIP, { level: 1, run: -3 }))).toEqual({ level: 0, run: 0 })
  })
})
