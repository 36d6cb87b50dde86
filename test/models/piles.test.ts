/** What people do by hand comes in piles: discs for patients, studies for an outside reader, on a day that is quiet in most weeks. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { HOUR, MINUTE, SECOND, at, host, study } from './build.ts'
import { moved } from './happenings.ts'
import { ARCHIVE, WS01, inOrder, ordered, ordinaryDay, read } from './hospital.ts'
import { above, stored } from './learned.ts'

const BURNER = host('', '10.1.3.70')
/** A Saturday, the third. */
const SATURDAY = 19
const weekend = (day: number): boolean => day % 7 >= 5

const discs = (day: number, hour: number, n: number, apart: number, of: (i: number) => string): WireEvent[] =>
  Array.from({ length: n }, (_, i) => moved(WS01, BURNER, at(day, hour) + i * apart, study(`disc${day}.${i}`, of(i), day - 3))).flat()

/** Everybody works less at weekends; five discs are made on a day, and one at weekends, for patients who are here. */
const usual = (day: number): WireEvent[] => inOrder([
  ...ordinaryDay(day, undefined, weekend(day) ? 0.4 : 1),
  ...discs(day, 9, weekend(day) ? 1 : 5, 1.5 * HOUR, (i) => ordered(day, i % 3, i % 4)),
])

function alertsOn(more: WireEvent[]): Alert[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert), learnUntil: at(SATURDAY, 0) })
  for (const event of [...Array.from({ length: SATURDAY }, (_, day) => usual(day)).flat(), ...inOrder([...usual(SATURDAY), ...more])]) engine.event(event)
  return [...alerts.values()].filter((alert) => above(alert, 'info'))
}

describe('on a Saturday afternoon, after two Saturdays with one disc each', () => {
  test('are nine discs for former patients in forty minutes low at most?', () => {
    const told = alertsOn(discs(SATURDAY, 15, 9, 4.5 * MINUTE, (i) => `former-${i}`))
    expect(told.filter((alert) => above(alert, 'low')).map(({ title }) => title)).toEqual([])
  })

  test('are forty more than that?', () => {
    const told = alertsOn(discs(SATURDAY, 15, 40, MINUTE, (i) => `former-${i}`))
    expect(told.some((alert) => above(alert, 'low'))).toBe(true)
  })

  test('are twelve studies that a reader looks at in the small hours more than that, too?', () => {
    const told = alertsOn(Array.from({ length: 12 }, (_, i) => read(WS01, at(SATURDAY, 2, 3 * i) + SECOND, `night${i}`, `former-${i}`, SATURDAY)).flat())
    expect(told.some((alert) => above(alert, 'low'))).toBe(true)
  })
})

describe('a gateway to readers elsewhere that passes on one study a night as a rule', () => {
  const GATEWAY = host('GATEWAY', '10.1.1.30')
  const ELSEWHERE = host('', '198.51.100.20')
  const passed = (day: number, when: number, uid: string, patient: string, modality = 'CT'): WireEvent[] => {
    const facts = study(uid, patient, day - 1, { modality })
    return [...stored(ARCHIVE, GATEWAY, when, facts), ...stored(GATEWAY, ELSEWHERE, when + 5 * SECOND, facts)]
  }
  const told = (n: number): Alert[] => {
    const alerts = new Map<string, Alert>()
    const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert), learnUntil: at(SATURDAY, 0), calendar: new Calendar({ publicPeers: [ELSEWHERE.ip] }) })
    const days = Array.from({ length: SATURDAY }, (_, day) => inOrder([...usual(day), ...passed(day, at(day, 23), `night${day}`, ordered(day, day % 3, day % 4))])).flat()
    const pile = Array.from({ length: n }, (_, i) => passed(SATURDAY, at(SATURDAY, 16, 4 * i), `pile${i}`, `former-${i}`)).flat()
    for (const event of [...days, ...inOrder([...usual(SATURDAY), ...pile])]) engine.event(event)
    return [...alerts.values()].filter((alert) => above(alert, 'low'))
  }

  test('is a pile of eleven low at most?', () => { expect(told(11).map(({ title }) => title)).toEqual([]) })
  test('is one of thirty more than that?', () => { expect(told(30).length).toBeGreaterThan(0) })
})
