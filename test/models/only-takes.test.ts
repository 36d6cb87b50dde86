/** What began while the site was learned: a host that takes some of one scanner's studies and does nothing else, beside hosts that have a use. */
import { expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { at, find, flow, type Host } from './build.ts'
import { copies } from './happenings.ts'
import { ARCHIVE, CT01, CT02, SCANNERS, STRANGER, inOrder, ordinaryDay } from './hospital.ts'
import { above } from './learned.ts'

const DAYS = 18

/** @param from the day on which the scanners begin to give the stranger a copy of what they make within these hours; @param more of each day */
function told({ from = 4, by = [CT01], hours = [9, 12], more = () => [] }: { from?: number; by?: Host[]; hours?: [number, number]; more?: (day: number) => WireEvent[] }): string[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  for (let day = 0; day < DAYS; day++) {
    const usual = ordinaryDay(day)
    const given = day < from ? [] : copies(usual, by, STRANGER, ...hours).concat(more(day))
    for (const event of inOrder([...usual, ...given])) engine.event(event)
  }
  return [...alerts.values()].filter((alert) => above(alert, 'info') && alert.raised_at >= at(13, 0)).flatMap(({ evidence, severity }) =>
    evidence.filter(({ unit }) => unit === 'studies given to a host that only takes').map(({ text }) => `${severity} ${text}`))
}

test('is it told in the third week, low, how much it took, from whom, and since when?', () => {
  expect(told({})).toEqual([expect.stringMatching(/^low \d\d studies from CT01 to 10\.1\.9\.66 on \d+ days, the first [34] days after this site was first watched; nobody else/)])
})

test('does a station pass that asks the archive for studies, and one that has been there from the beginning?', () => {
  expect(told({ more: (day) => [find(flow(STRANGER, ARCHIVE), at(day, 10), STRANGER.name, 3)] })).toEqual([])
  expect(told({ from: 0 })).toEqual([])
})

test('does one pass to which several scanners give studies, or one all of its own?', () => {
  expect(told({ by: [CT01, CT02, ...SCANNERS.slice(2)] })).toEqual([])
  expect(told({ hours: [0, 24] })).toEqual([])
})
