/** A newcomer that asks the archive for one patient after the other and reads nothing. */
import { describe, expect, test } from 'vitest'
import { SECOND, find, flow, move } from './build.ts'
import { times } from './happenings.ts'
import { ARCHIVE, STRANGER } from './hospital.ts'
import { alertsOf, among, ofDetector } from './learned.ts'

const told = (n: number, reads = false) => ofDetector(alertsOf(among(times(n, 11, 0.05, (when) => {
  const on = flow(STRANGER, ARCHIVE)
  const asked = find(on, when, STRANGER.name, 1)
  return reads ? [asked, move(on, when + SECOND, STRANGER.name, STRANGER.name)] : [asked]
}))), 'query-enumeration').filter(({ severity }) => severity !== 'info')

describe('who was never there before, and is shown one patient for each query', () => {
  test('is a host that reads nothing told of, and no more than low?', () => {
    expect(told(40)).toMatchObject([{ severity: 'low', title: `${STRANGER.name} queries without retrieving` }])
    expect(told(40)[0]!.explanation).toMatch(/\d+ of \d+ queries by \S+ today were followed by another query without a retrieval/)
  })

  test('does one pass that reads what it found?', () => {
    expect(told(40, true)).toEqual([])
  })

  test('do eight queries pass?', () => {
    expect(told(8)).toEqual([])
  })
})
