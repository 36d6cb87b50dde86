/** A host that several devices begin to send to: each of them may have a reason, all of them together hardly. */
import { describe, expect, test } from 'vitest'
import { parseCalendar } from '../../models/calendar.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { at, host, type Host } from './build.ts'
import { orderedPatient, sends } from './happenings.ts'
import { ARCHIVE, SCANNERS, STRANGER, WS01 } from './hospital.ts'
import { TODAY, above, alertsOf, among } from './learned.ts'

/** Copies of ordered studies by so many scanners, an hour or so apart. */
const copies = (scanners: number, each: number, to: Host): WireEvent[] =>
  SCANNERS.slice(0, scanners).flatMap((scanner, i) => sends(scanner, to, each, 9 + i, 45, (n) => orderedPatient(n + 10 * i)))
const gathered = (events: WireEvent[], options: Parameters<typeof alertsOf>[1] = {}) =>
  alertsOf(among(events), options).filter((alert) => above(alert, 'info') && alert.evidence.some(({ unit }) => unit === 'studies from new senders'))

describe('is it told', () => {
  test('by one alert of new-receiver, and not here as well, when three scanners copy what they make to a host that nobody knows?', () => {
    const alerts = alertsOf(among(copies(3, 8, STRANGER))).filter((alert) => above(alert, 'info') && alert.device.ip.includes(STRANGER.ip))
    expect(alerts.map(({ detector }) => detector)).toEqual(['new-receiver'])
    expect(gathered(copies(3, 8, STRANGER))).toEqual([])
  })

  test('when the host is a reader that scanners never sent to?', () => {
    expect(gathered(copies(3, 8, WS01))).toHaveLength(1)
  })
})

describe('is nothing of it told', () => {
  test.each([
    ['two scanners send one study each to a reader', copies(2, 1, WS01)],
    ['one scanner sends twenty', copies(1, 20, STRANGER)],
    ['all send to the archive, as ever', copies(SCANNERS.length, 8, ARCHIVE)],
    ['three scanners send to a host each', SCANNERS.slice(0, 3).flatMap((scanner, i) => sends(scanner, host(`NEW${i}`, `10.1.8.${i + 1}`), 8, 10, 30, orderedPatient))],
  ])('when %s?', (_what, events) => {
    expect(gathered(events)).toEqual([])
  })

  test('when the new host was declared?', () => {
    const calendar = parseCalendar({ changes: [{ event: 'a second archive', start: at(TODAY, 0) / 1e6, end: at(TODAY + 1, 0) / 1e6, hosts: [STRANGER.ip] }] })
    expect(gathered(copies(3, 8, STRANGER), { calendar })).toEqual([])
  })
})
