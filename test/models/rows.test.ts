/** Studies without an order that follow each other: somebody takes what is there, instead of looking one up now and then. */
import { describe, expect, test } from 'vitest'
import { newDevice } from '../../models/device.ts'
import { bareShare, follow, learnRow } from '../../models/rows.ts'
import { WS01, ordered, read } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'
import { times } from './happenings.ts'

/** @param of the patient of the nth of so many studies, two minutes apart, in the middle of a working day */
const told = (n: number, of: (i: number) => string) =>
  ofDetector(alertsOf(among(times(n, 13, 2, (when, i) => read(WS01, when, `row${i}`, of(i), TODAY)))), 'unexplained-access')

describe('a reader of whose studies one in fourteen has no order', () => {
  test.each([[12, true], [4, false]])('fetches %i of strangers one after the other: told? %s', (n, is) => {
    expect(told(n, (i) => `former-${i}`).length > 0).toBe(is)
  })

  test('fetches as many between as many of its own: is that less?', () => {
    const most = (of: (i: number) => string): number => Math.max(0, ...told(24, of).map(({ score }) => score))
    expect(most((i) => (i % 2 === 0 ? `former-${i}` : ordered(TODAY, 0, i % 12)))).toBeLessThan(most((i) => `former-${i}`))
  })
})

describe('the share without an order that is expected after one without', () => {
  const after = (days: number, of: (i: number) => boolean): number => {
    const device = newDevice('d', 1, 0, 0)
    for (let day = 0; day < days; day++) {
      for (let i = 0; i < 40; i++) follow(device, of(i), day)
      learnRow(device)
    }
    return bareShare(device.rows)
  }

  test('is it a fifth of a device that nobody knows?', () => { expect(after(0, () => false)).toBeCloseTo(0.2) })
  test('is it lower where they come one by one?', () => { expect(after(20, (i) => i % 10 === 0)).toBeLessThan(0.11) })
  test('is it high where they come in piles?', () => { expect(after(20, (i) => i < 8)).toBeGreaterThan(0.75) })
  test('does a row end when as many had an order?', () => {
    const device = newDevice('d', 1, 0, 0)
    for (const bare of [true, true, false, true, false, false, true]) follow(device, bare, 0)
    expect(device.today.row).toMatchObject({ hits: 1, tries: 1, all: 7, bare: 4 })
  })
})
