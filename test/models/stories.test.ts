/** One attack, one alert; and another one of the same device is another alert, of the same campaign. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import type { Alert } from '../../models/alert.ts'
import { association, at, find, flow, operation } from './build.ts'
import { floods, outage, reads, sends, times, unknownPatient } from './happenings.ts'
import { ARCHIVE, CT02, STRANGER, WS01, WS02, WS03, ordinaryDay, read } from './hospital.ts'
import { TODAY, above, alertsOf, among } from './learned.ts'

const told = (events: WireEvent[]): Alert[] => alertsOf(events).filter((alert) => above(alert, 'info'))
const detectors = (alerts: Alert[]): string[] => alerts.map(({ detector }) => detector)

const login = (hour: number): WireEvent[] => times(3, hour, 1, (when) =>
  association(flow(WS01, ARCHIVE), when, WS01.name, { 'C-FIND': 1 }, { user_identity: { type: 2, has_passcode: true } }))
const borrow = (hour: number): WireEvent[] => times(3, hour, 1, (when) => operation(flow(WS01, ARCHIVE), when, CT02.name, 'C-ECHO'))
const guess = (hour: number, n: number): WireEvent[] => times(n, hour, 4, (when, i) => association(flow(WS02, ARCHIVE), when, WS02.name, {}, {
  called_ae: `GUESS${i}`, result: 'rejected', reject: { result: 1, source: 1, reason: 7 }, ended: 'closed',
}))
const search = (hour: number, n: number): WireEvent[] => times(n, hour, 2, (when) => find(flow(WS02, ARCHIVE), when, WS02.name, 200))

describe('a second attack by the same device', () => {
  test('is a borrowed title an alert of its own, hours after a login in the clear, and both one campaign?', () => {
    const alerts = told(among([...login(9), ...borrow(13)]))
    expect(detectors(alerts)).toEqual(['cleartext-identity', 'ae-conflict'])
    expect(alerts[1]!.campaign).toBe(alerts[0]!.id)
  })

  test('are guessed titles an alert of their own, while the guesser searches?', () => {
    const alerts = told(among([...search(9, 200), ...guess(11, 30)]))
    expect(detectors(alerts)).toEqual(['query-enumeration', 'ae-guessing'])
    expect(alerts[1]!.campaign).toBe(alerts[0]!.id)
  })

  test('is a server that answered again, and falls silent again hours later, told again?', () => {
    const away = (from: number, to: number) => (events: WireEvent[]): WireEvent[] => outage(events, ARCHIVE, at(TODAY, from), at(TODAY, to), 1000)
    const alerts = told(away(15, 17)(away(9, 11)(ordinaryDay(TODAY))))
    expect(detectors(alerts)).toEqual(['service-down', 'service-down'])
    expect(alerts[1]!.raised_at).toBeGreaterThan(at(TODAY, 15))
  })
})

describe('a second attack that begins weakly', () => {
  const fetched = reads(25, unknownPatient)
  const leaves = (hour: number): WireEvent[] => sends(WS03, STRANGER, 40, hour, 1, unknownPatient)

  test('is a bulk transfer to a stranger an alert of its own, hours after the fetching, although its first study is no strong evidence?', () => {
    const alerts = told(among([...fetched, ...leaves(17)]))
    expect(alerts.map(({ title }) => title)).toHaveLength(2)
    expect(alerts[1]!.raised_at).toBeGreaterThan(at(TODAY, 17))
    expect(alerts[1]!.campaign).toBe(alerts[0]!.id)
    expect(alerts[1]!.hosts).toContain(STRANGER.ip)
  })

  test('is a transfer to the same stranger that pauses for three hours still one alert?', () => {
    expect(told(among([...leaves(9), ...sends(WS03, STRANGER, 40, 13, 1, (i) => `more-${i}`)]))).toHaveLength(1)
  })
})

describe('an attack on a server in trouble', () => {
  test('is a flood of contexts an alert about who floods, not a line in the alert about the outage before it?', () => {
    const alerts = told(outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 8), at(TODAY, 9, 50), 1000).concat(floods(127)).sort((a, b) => a.at - b.at))
    expect(detectors(alerts)).toEqual(['service-down', 'context-flood'])
    expect(alerts[1]!.device.name).toBe('WS02')
  })
})

describe('one attack', () => {
  test('does fetching that pauses for three hours stay one alert?', () => {
    const again = times(25, 18, 1.5, (when, i) => read(WS03, when, `again${i}`, `no-one-${i}`, TODAY)).flat()
    expect(told(among([...reads(25, unknownPatient), ...again]))).toHaveLength(1)
  })

  test('is what was fetched under a borrowed name one alert with the word of the owner, who speaks hours later?', () => {
    const fetched = sends({ ...WS03, name: CT02.name }, ARCHIVE, 40, 20, 1, unknownPatient)
    const alerts = told([...among(fetched), ...ordinaryDay(TODAY + 1)])
    expect(alerts.map(({ title }) => title)).toHaveLength(1)
    expect(alerts[0]!.evidence.map(({ detector }) => detector)).toContain('ae-conflict')
  })

  test('is a server that stays silent told once?', () => {
    expect(detectors(told(outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 9), at(TODAY + 1, 0))))).toEqual(['service-down'])
  })
})
