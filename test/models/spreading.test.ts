/** Scans, beacons, worms, and systems past their end of life: what each of the detectors of spreading makes of them, and what it lets pass. */
import { describe, expect, test } from 'vitest'
import type { Flow, WireEvent } from '../../protocols/events.ts'
import type { Alert } from '../../models/alert.ts'
import { rarityOf } from '../../models/arithmetic.ts'
import { Calendar } from '../../models/calendar.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import { MINUTE, at, failedFlow, flow, flowEnd, host, violation, type Host } from './build.ts'
import { COMMAND, byChance, byTheClock, calls, contacts, later, onPort, reads, times, unknownPatient } from './happenings.ts'
import { ARCHIVE, CT01, CT02, READERS, RIS, STRANGER, WS01, WS02, WS03, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, experienced, ofDetector } from './learned.ts'

describe('scans', () => {
  const scan = (n: number, apart: number, to: (i: number) => Flow, state: 'refused' | 'unanswered' | 'established'): WireEvent[] =>
    times(n, 9, apart, (when, i) => (state === 'established' ? flowEnd(to(i), when, null, { bytes: { client: 0, server: 0 } }) : failedFlow(to(i), when, state)))
  const ADMINISTERED = [22, 23, 135, 139, 445, 1433, 1521, 3306, 3389, 5432, 5900, 5985]
  const told = (day: WireEvent[]) => ofDetector(alertsOf(among(day)), 'fan-out')

  test('is a scanner found that knocks at the ports of administration and databases of its neighbours?', () => {
    expect(told(scan(36, 0.1, (i) => flow(CT01, READERS[i % 3]!, ADMINISTERED[Math.floor(i / 3)]), 'refused'))[0]?.device.ip).toEqual([CT01.ip])
  })

  test('is a stranger found that looks at these ports of the scanners, half-open: answered, and nothing said?', () => {
    expect(told(scan(36, 0.1, (i) => flow(STRANGER, [CT01, CT02, ARCHIVE][i % 3]!, ADMINISTERED[Math.floor(i / 3)]), 'established'))[0]?.device.ip).toEqual([STRANGER.ip])
  })

  test('is a slow one found: a host every twenty minutes?', () => {
    expect(told(scan(30, 20, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 3389), 'unanswered'))).toHaveLength(1)
  })

  test('is it silent about an ordinary device that meets four hosts in a day?', () => {
    expect(told(scan(4, 60, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 443), 'established'))).toEqual([])
  })
})

describe('what calls by the clock', () => {
  const told = (day: WireEvent[], options: Partial<EngineOptions> = {}) => ofDetector(alertsOf(among(day), options), 'beaconing')
  const blocked = { state: 'unanswered', bytes: { client: 0, server: 0 } } as const

  test('says the alert how often, how regular, and where?', () => {
    const [alert] = told(calls(CT01, COMMAND, 20, 5, byTheClock))
    expect(alert).toMatchObject({ severity: 'medium', device: { ip: [CT01.ip] }, title: 'CT01 calls the public address 93.184.215.99 every 5 min' })
    expect(alert!.explanation).toMatch(/ (\d+) of the latest \1 intervals are within 20 % of 5 min \(by chance about/)
  })

  test('is it found when some calls are missed, and when a firewall keeps them from getting out?', () => {
    const some = calls(CT01, COMMAND, 30, 5, byTheClock).filter((_, i) => i % 6 !== 3)
    expect(told(some)).toHaveLength(1)
    expect(told(calls(CT01, COMMAND, 20, 5, byTheClock, blocked))).toHaveLength(1)
  })

  test('is it found over datagrams that are no time of day?', () => {
    expect(told(calls(CT01, COMMAND, 20, 5, byTheClock, { transport: 'udp' }, 123))).toHaveLength(1)
  })

  test('is a scanner found that calls a new host inside, and is that less grave?', () => {
    expect(told(calls(CT01, STRANGER, 20, 5, byTheClock))[0]).toMatchObject({ severity: 'low', peers: [{ ip: [STRANGER.ip] }] })
  })

  test('is it found by a state that is not learned from, and across a restart in the middle of it?', () => {
    const day = calls(CT01, COMMAND, 20, 5, byTheClock)
    expect(told(day, { freeze: true })).toHaveLength(1)
    const alerts: Alert[] = []
    const first = experienced({ onAlert: (alert) => alerts.push(alert) })
    for (const event of day.slice(0, 5)) first.event(event)
    const second = new Engine({ onAlert: (alert) => alerts.push(alert) })
    second.load(JSON.parse(JSON.stringify([...first.save()])) as [string, unknown][])
    for (const event of day.slice(5, 9)) second.event(event)
    expect(alerts.map((alert) => alert.detector)).toContain('beaconing')
  })

  test.each([
    ['conversations that carry much', () => calls(CT01, COMMAND, 20, 5, byTheClock, { bytes: { client: 500, server: 400_000 } }), {}],
    ['a declared partner', () => calls(CT01, COMMAND, 20, 5, byTheClock), { calendar: new Calendar({ publicPeers: [COMMAND.ip] }) }],
    ['a server inside that is not there', () => calls(CT01, STRANGER, 20, 5, byTheClock, blocked), {}],
    ['a new server that readers ask by the clock', () => calls(WS01, STRANGER, 20, 5, byTheClock), {}],
    ['five calls', () => calls(CT01, COMMAND, 5, 5, byTheClock), {}],
    ['calls by chance', () => calls(CT01, COMMAND, 20, 20, byChance), {}],
  ] as const)('does it pass: %s?', (_, day, options) => {
    expect(told(day(), options)).toEqual([])
  })

  test('does it pass for a reader that meets many pages, one of which asks by the clock?', () => {
    const pages = Array.from({ length: 14 }, (_, d) => Array.from({ length: 12 }, (__, i) => flowEnd(flow(WS01, host('', `93.184.${d}.${i + 1}`), 443), at(TODAY + d, 9, i * 20), 'tls'))).flat()
    const alerts = alertsOf(inOrder([...Array.from({ length: 14 }, (_, d) => ordinaryDay(TODAY + d)).flat(), ...pages, ...later(calls(WS01, COMMAND, 20, 5, byTheClock), 13 * 24 * 60 * MINUTE)]))
    expect(ofDetector(alerts, 'beaconing')).toEqual([])
  })
})

describe('a system past its end of life', () => {
  const shown = (of: Host, eol: string): WireEvent => ({
    kind: 'host', at: at(TODAY, 0, 1), complete: true, after_gap: false, ip: of.ip, mac: of.mac, vendor: null, hostname: null, confidence: 'medium', evidence: 'TCP SYN',
    os: { name: 'Windows 7', eol, evidence: 'TCP SYN' },
  })
  const score = (day: WireEvent[], of: Host, eol: string, detector: string): Alert['evidence'][number] | undefined =>
    alertsOf(among([shown(of, eol), ...day])).flatMap((alert) => alert.evidence).find((e) => e.detector === detector)
  const worm = (): WireEvent[] => [...onPort(STRANGER, WS01, 445, 1), ...later(onPort(WS01, RIS, 445, 1), 20 * MINUTE)]

  test.each([
    ['fan-out', WS02, () => contacts(60, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 445))],
    ['lateral-movement', CT01, () => onPort(CT01, WS01, 445, 6)],
    ['beaconing', CT01, () => calls(CT01, COMMAND, 20, 5, byTheClock)],
    ['peer-to-peer', WS01, () => [...worm(), ...later(onPort(WS01, CT01, 445, 1), 30 * MINUTE)]],
    ['protocol-violations', WS02, () => times(30, 11, 0.2, (when, i) => violation(flow(WS02, ARCHIVE), when, `pdu.rule-${i}`))],
  ] as const)('does it weigh in what %s says, and is it told?', (detector, of, day) => {
    const old = score(day(), of, '2020-01-14', detector)!
    const mended = score(day(), of, '2035-01-14', detector)!
    expect(old.arithmetic).toContainEqual({ of: 'weight', why: `the operating system of ${of.name} has had no updates since 2020-01-14`, times: 0.5 })
    expect(rarityOf(old.arithmetic!)).toBe(old.p)
    expect(mended.arithmetic!.filter(({ of: kind }) => kind === 'weight').length).toBe(old.arithmetic!.filter(({ of: kind }) => kind === 'weight').length - 1)
    expect(old.text).toContain(`The operating system of ${of.name} has had no updates since 2020-01-14.`)
    expect(mended.text).not.toContain('no updates')
  })

  test('is it nothing by itself, and nothing to how much a device works?', () => {
    expect(alertsOf(among([shown(CT01, '2014-04-08'), shown(ARCHIVE, '2014-04-08'), shown(WS03, '2014-04-08')]))).toEqual([])
    const texts = alertsOf(among([shown(WS03, '2014-04-08'), ...reads(150, unknownPatient)])).map((alert) => alert.explanation)
    expect(texts.length).toBeGreaterThan(0)
    expect(texts.join()).not.toContain('no updates')
  })
})

describe('a worm', () => {
  test('is it told who reached the first host, and do scanners weigh more?', () => {
    const alerts = alertsOf(among([...onPort(STRANGER, CT01, 445, 1), ...later(onPort(CT01, CT02, 445, 1), 12 * MINUTE)]))
    const [alert] = ofDetector(alerts, 'peer-to-peer')
    expect(alert).toMatchObject({ severity: 'high', title: 'CT01 was reached over SMB, and now reaches CT02 by the same way' })
    expect(alert!.explanation).toContain('12 min before, a host that had never come to it reached it over SMB, as a worm would; both are scanners')
    expect(alert!.hosts).toEqual(expect.arrayContaining([CT01.ip, CT02.ip]))
  })
})
