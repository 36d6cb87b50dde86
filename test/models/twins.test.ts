/** Benign twins B01-B20 (twins.ts): each alone stays within what is allowed, and the attack of its shape goes beyond. */
import { describe, expect, test } from 'vitest'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { parseCalendar } from '../../models/calendar.ts'
import { HOUR } from '../../models/clock.ts'
import { at } from './build.ts'
import { HIS, RIS } from './hospital.ts'
import { TODAY, above, alertsOf, among } from './learned.ts'
import { sent } from './happenings.ts'
import { TWINS, type Twin } from './twins.ts'

const seconds = (day: number): number => at(day, 0) / 1e6
/** The twin in the calendar of the hospital. */
const declared = ({ what, hosts }: Twin) =>
  parseCalendar({ changes: [{ event: what, start: seconds(TODAY), end: seconds(TODAY + 8), hosts: hosts.map(({ ip }) => ip), note: 'planned' }] })
const told = (alerts: Alert[]): string[] => alerts.filter((alert) => above(alert, 'info')).map(({ severity, detector, title, evidence }) =>
  `${severity} ${title} (${detector}; ${evidence.map((one) => one.text).join(' | ')})`)
const worst = (alerts: Alert[]): number => Math.max(0, ...alerts.map(({ severity }) => SEVERITIES.indexOf(severity)))

describe.each(Object.entries(TWINS))('%s', (_id, twin) => {
  const { what, allowed, events, attack } = twin

  test(`is it ${twin.told === true ? 'exactly one alert' : 'one alert at most'}, and not above ${allowed}: ${what}?`, () => {
    const alerts = alertsOf(events())
    expect(told(alerts.filter((alert) => above(alert, allowed)))).toEqual([])
    if (twin.told === true) expect(told(alerts)).toHaveLength(1)
    else expect(told(alerts).slice(1)).toEqual([])
  })

  test('is it a note at most when it was declared?', () => {
    expect(told(alertsOf(events(), { calendar: declared(twin) }))).toEqual([])
  })

  test(`is more said, and in one alert, when it is ${attack.threat}: ${attack.what}?`, () => {
    const alerts = alertsOf(attack.events(), twin.told === true ? { calendar: declared(twin) } : {})
    expect(worst(alerts), told(alerts).join('\n')).toBeGreaterThan(SEVERITIES.indexOf(twin.told === true ? 'low' : allowed))
    expect(told(alerts)).toHaveLength(1)
  })
})

test.each([
  ['ten merges into one patient', 0], ['ten merges into one patient, at the end of a clean-up,', 100],
])('are %s by a system whose change was declared an alert of their own?', (_what, before) => {
  const merges = [...sent(HIS, RIS, before, 0.5, 'ADT^A40', (i) => `merged-${i}`), ...sent(HIS, RIS, 10, 0.2, 'ADT^A40', () => 'one').map((event) => ({ ...event, at: event.at + 2 * HOUR }))]
  const alerts = alertsOf(among(merges), { calendar: declared(TWINS['B15']!) })
  expect(alerts.filter((alert) => above(alert, 'low')).map(({ detector, count }) => [detector, count < 10])).toEqual([['hl7-merge', true]])
})

test('are there twenty?', () => {
  expect(Object.keys(TWINS)).toEqual(Array.from({ length: 20 }, (_, i) => `B${String(i + 1).padStart(2, '0')}`))
})
