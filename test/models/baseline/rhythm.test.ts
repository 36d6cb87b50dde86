/** How regular is what happens, judged by itself? */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALIKE_BY_CHANCE, alike, beat, newRhythm, type Rhythm } from '../../../models/baseline/rhythm.ts'
import { MINUTE, SECOND } from '../build.ts'

const heard = (...minutes: number[]): Rhythm => {
  const rhythm = newRhythm(0)
  for (const at of minutes) beat(rhythm, at * MINUTE)
  return rhythm
}

describe('a rhythm', () => {
  test('is it told in spite of a pause and of a beat that was missed?', () => {
    expect(alike(heard(5, 10, 15, 25, 30, 35, 500, 505, 510).gaps)).toEqual({ middle: 5 * MINUTE, hits: 6, tries: 8 })
  })

  test('are connections opened together one beat, and one that is told late none?', () => {
    const rhythm = heard(5)
    beat(rhythm, 5 * MINUTE + SECOND)
    beat(rhythm, 4 * MINUTE)
    expect(rhythm).toEqual({ last: 5 * MINUTE, gaps: [5 * MINUTE] })
  })

  test('does nothing make it large, and of no intervals nothing is alike?', () => {
    const rhythm = newRhythm(0)
    fc.assert(fc.property(fc.array(fc.double({ min: -1e15, max: 1e15, noNaN: true }), { maxLength: 60 }), (times) => {
      for (const at of times) beat(rhythm, at)
      const { hits, tries } = alike(rhythm.gaps)
      expect(rhythm.gaps.length).toBeLessThanOrEqual(16)
      expect(hits).toBeLessThanOrEqual(tries)
    }))
    expect(alike([])).toEqual({ middle: 0, hits: 0, tries: 0 })
  })

  test('are intervals at random as often alike as they are taken to be?', () => {
    let state = 12345
    const random = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
    let hits = 0
    let tries = 0
    for (let i = 0; i < 4000; i++) {
      const of = alike(Array.from({ length: 17 }, () => -Math.log(1 - random()) * MINUTE))
      hits += of.hits
      tries += of.tries
    }
    // The middle one is taken from the same few, so that a little more lies near it.
    expect(hits / tries).toBeGreaterThan(0.95 * ALIKE_BY_CHANCE)
    expect(hits / tries).toBeLessThan(1.15 * ALIKE_BY_CHANCE)
  })
})
