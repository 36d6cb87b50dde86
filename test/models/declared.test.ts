/** What a declared change explains: what it brings about, and neither more nor less. */
import { describe, expect, test } from 'vitest'
import { parseCalendar, type Calendar } from '../../models/calendar.ts'
import type { Alert } from '../../models/alert.ts'
import { OrderContext } from '../../models/context.ts'
import { newDevice, type Device } from '../../models/device.ts'
import { Incidents } from '../../models/incidents.ts'
import { Site } from '../../models/site.ts'
import { at, flow, host, type Host } from './build.ts'
import { contacts, days, outage } from './happenings.ts'
import { ARCHIVE, CT01, HIS, RIS, WS01, WS02, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'

const NEW_ARCHIVE = host('NEWARCH', '10.1.1.9')
const declared = (...hosts: Host[]): Calendar =>
  parseCalendar({ changes: [{ event: 'change', start: at(TODAY, 0) / 1e6, end: at(TODAY + 1, 0) / 1e6, hosts: hosts.map(({ ip }) => ip), note: 'planned' }] })

describe('a server that falls silent', () => {
  const silence = (calendar: Calendar): Alert[] => ofDetector(alertsOf(outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 9), at(TODAY, 12)), { calendar }), 'service-down')

  test.each([
    ['by itself', [ARCHIVE]],
    ['with one of those that use it', [ARCHIVE, CT01]],
  ])('is it a note when it was declared %s?', (_how, hosts) => {
    expect(silence(declared(...hosts))).toEqual([])
  })

  test('is it a note when it was declared with the standby that now gets what is for it?', () => {
    const standby = '10.1.4.55'
    const said: Alert[] = []
    const system = (ip: string): Device => Object.assign(newDevice(`dev-${ip}`, 1, at(0, 0), 0), { ips: new Map([[ip, { mac: null, first: 0, last: 0, public: false }]]) })
    const server = system(HIS.ip)
    const missed = (when: number): void => new Incidents(new Site(declared(HIS, host('', standby)), new OrderContext()), {
      onAlert: (alert) => said.push(alert), known: () => undefined, learnUntil: 0, sensor: '', source: '', facts: () => ({ attack: [], falsePositives: [] }),
    }).add({
      detector: 'service-down', group: 'slow', objective: 'disruption', at: when, actor: server, peer: system(RIS.ip), p: null, arithmetic: [], severity: 'low',
      observed: 3, expected: 0, unit: 'usual callers turned away', title: 'T', text: 'T.', service: null, flow: null,
    })
    server.delivered = new Map([[standby, at(TODAY - 30, 9)]])
    missed(at(TODAY, 9))
    server.delivered.set(standby, at(TODAY, 9))
    missed(at(TODAY, 10))
    expect(said.map(({ severity }) => severity)).toEqual(['low', 'info'])
  })

  test.each([
    ['a migration to a new one', NEW_ARCHIVE],
    ['something between it and a server that it has nothing to do with', RIS],
  ])('is it an alert, if a low one that says what was declared, where that was %s?', (_what, other) => {
    const [alert, ...more] = silence(declared(ARCHIVE, other))
    expect([alert!.severity, alert!.device.name, more.length]).toEqual(['low', ARCHIVE.name, 0])
    expect(alert!.evidence[0]!.text).toContain('Declared: planned.')
  })
})

describe('what a declared change leaves behind', () => {
  const newCard = { ...CT01, mac: '02:00:00:00:00:a9' }
  const from = (day: number, calendar: Calendar): string[] =>
    ofDetector(alertsOf(days(4, (each) => ordinaryDay(each, (same) => (same === CT01 && each >= day ? newCard : same))), { calendar }), 'rerouted').map(({ evidence }) => evidence[0]!.text.includes('Declared: ') ? 'declared' : 'told')

  test('does the alert about a new card go on after the day of its declaration, as declared?', () => {
    expect(from(TODAY, declared(CT01))).toEqual(['declared'])
  })

  test('and is a card that is new on the day after told as ever?', () => {
    expect(from(TODAY + 2, declared(CT01))).toEqual(['told'])
  })
})

describe('a scan by a host that was declared', () => {
  const scan = (...hosts: Host[]): string[] =>
    ofDetector(alertsOf(among(contacts(60, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 104))), { calendar: declared(...hosts) }), 'fan-out').map(({ device }) => device.name)

  test('is it told where it was declared together with others, of which it reached none (two readers are given other addresses)?', () => {
    expect(scan(WS02, WS01)).toEqual([WS02.name])
  })

  test('is it a note where it was declared by itself (a security scan)?', () => {
    expect(scan(WS02)).toEqual([])
  })
})
