/** Which incident a piece of evidence belongs to: the cases that took several alerts for one attack, each beside one that is another story. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { OrderContext } from '../../models/context.ts'
import { newDevice, type Address, type Device } from '../../models/device.ts'
import type { Evidence } from '../../models/evidence.ts'
import { Incidents } from '../../models/incidents.ts'
import { Site } from '../../models/site.ts'
import { DAY, HOUR, MINUTE, at, flow, host } from './build.ts'

let alerts: Map<string, Alert>
let incidents: Incidents

beforeEach(() => {
  alerts = new Map()
  incidents = new Incidents(new Site(new Calendar(), new OrderContext()), {
    onAlert: (alert) => alerts.set(alert.id, alert), known: () => undefined, learnUntil: 0, sensor: '', source: '', facts: () => ({ attack: [], falsePositives: [] }),
  })
})

const address = (when: number): Address => ({ mac: null, first: when, last: when, public: false })

function device(ip: string, role = 'workstation'): Device {
  const one = newDevice(`dev-${ip}`, 1, at(0, 0), 0)
  one.ips.set(ip, address(at(0, 0)))
  return Object.assign(one, { role })
}

/** A rule of medium severity, which is strong by itself, unless more is said. */
const told = (actor: Device, peer: Device | null, when: number, more: Partial<Evidence> = {}): void => incidents.add({
  detector: 'store-volume', group: 'volume', objective: 'collection', at: when, actor, peer, p: null, arithmetic: [], severity: 'medium',
  observed: 1, expected: 0, unit: 'studies received', title: 'T', text: 'T.', service: null, flow: null, ...more,
})

const archive = device('10.1.1.5', 'archive')
const reader = device('10.1.3.21')
const other = device('10.1.3.22')

describe('a worm', () => {
  const scanner = device('10.1.2.11', 'modality:CT')
  const reached = (actor: Device, peer: Device | null, when: number, detector = 'peer-to-peer'): void =>
    told(actor, peer, when, { detector, group: 'meaning', objective: 'movement', unit: `hosts reached (${detector})` })

  test('is it told once, when whoever was reached reaches on?', () => {
    reached(reader, other, at(1, 9))
    reached(other, scanner, at(1, 9.5))
    reached(scanner, null, at(1, 10), 'fan-out')
    expect([...alerts.values()].map(({ device: { id } }) => id)).toEqual([reader.id])
  })

  test('are two scans two alerts, though one of them had met the other?', () => {
    reached(reader, other, at(1, 9), 'fan-out')
    reached(other, null, at(1, 9.5), 'fan-out')
    expect(alerts.size).toBe(2)
  })
})

describe('a reader that searches for days', () => {
  const searches = (when: number): void => told(reader, archive, when, { detector: 'query-enumeration', objective: 'discovery', unit: 'broad queries' })
  const fetches = (when: number): void => told(reader, archive, when, { objective: 'collection', p: 1e-12, unit: 'studies retrieved' })

  test('is what it fetches in the first hours part of that, and in the third day told anew?', () => {
    searches(at(1, 9))
    fetches(at(1, 10))
    expect(alerts.size).toBe(1)
    for (let hours = 1; hours < 50; hours++) searches(at(1, 10 + hours))
    fetches(at(3, 11.5))
    expect(alerts.size).toBe(2)
  })
})

describe('a server that turns its callers away', () => {
  const silent = (when: number): void => told(archive, other, when, { detector: 'service-down', group: 'slow', objective: 'disruption', severity: 'low', unit: 'usual callers turned away' })
  const held = (when: number): void => told(reader, archive, when, { detector: 'idle-associations', group: 'protocol', objective: 'disruption', unit: 'connections held open without use' })

  test('is it part of what somebody did to it just before?', () => {
    held(at(1, 9))
    silent(at(1, 9.5))
    expect([...alerts.values()].map(({ evidence }) => evidence.map(({ detector }) => detector).sort())).toEqual([['idle-associations', 'service-down']])
  })

  test('is it a story of its own half a day later, or after something else?', () => {
    held(at(1, 9))
    silent(at(1, 21))
    told(reader, archive, at(3, 9))
    silent(at(3, 9.5))
    expect(alerts.size).toBe(4)
  })
})

describe('a drip', () => {
  const drip = (actor: Device, unit: string, when: number, days: number): void => {
    // Expired on a tick of every hour, as the engine does.
    incidents.expire(when)
    told(actor, null, when, { detector: 'slow-drip', group: 'slow', unit, sums: days * DAY })
  }

  test('is it a revision of the alert that told of its days, after a quiet of four?', () => {
    told(reader, archive, at(1, 9), { detector: 'query-enumeration', unit: 'queries without a retrieval' })
    drip(reader, 'queries without a retrieval', at(5, 9), 6)
    drip(reader, 'queries without a retrieval', at(7, 9), 8)
    expect(alerts.size).toBe(1)
    expect([...alerts.values()][0]!.evidence.map(({ detector }) => detector)).toContain('slow-drip')
  })

  test('is it one, seen at who gives old studies, and at who gets those without an order?', () => {
    told(reader, other, at(1, 9), { detector: 'slow-drip', group: 'slow', unit: 'old studies sent', sums: 2 * DAY })
    drip(other, 'studies without an order received', at(5, 9), 6)
    expect(alerts.size).toBe(1)
  })

  test.each([
    ['that began after it', 'queries without a retrieval', 3],
    ['of something else', 'studies without an order received', 6],
  ])('is one %s another alert?', (_which, unit, days) => {
    told(reader, archive, at(1, 9), { detector: 'query-enumeration', unit: 'queries without a retrieval' })
    drip(reader, unit, at(5, 9), days)
    expect(alerts.size).toBe(2)
  })
})

describe('images and the studies they are of', () => {
  test('is the hour with many images one story with the day of many studies, after a quiet night?', () => {
    told(reader, archive, at(1, 18))
    told(reader, archive, at(2, 9), { unit: 'instances received' })
    expect(alerts.size).toBe(1)
  })

  test('is what nobody ordered another, hours after a busy morning?', () => {
    told(reader, archive, at(1, 9))
    told(reader, archive, at(1, 18), { detector: 'unexplained-access', unit: 'studies without an order received' })
    expect(alerts.size).toBe(2)
  })
})

describe('one attack seen as that of two devices', () => {
  const guess = (actor: Device, when: number): void => told(actor, archive, when, { detector: 'ae-guessing', group: 'identity', objective: 'identity', unit: 'rejected' })

  test('does the alert of a stranger go on, when its address turns out to be that of a known device?', () => {
    const stranger = device('10.1.9.66', 'unknown')
    guess(stranger, at(1, 9))
    const known = device('10.1.3.30')
    known.ips.set('10.1.9.66', address(at(1, 9)))
    guess(known, at(1, 9) + MINUTE)
    expect(alerts.size).toBe(1)
  })

  test('and are two who guess titles of the same server two alerts?', () => {
    guess(reader, at(1, 9))
    guess(other, at(1, 9) + MINUTE)
    expect(alerts.size).toBe(2)
  })

  const replay = (from: Device, to: Device, when: number): void => told(from, to, when, { detector: 'hl7-replay', group: 'meaning', objective: 'integrity', unit: 'messages sent again' })
  const engine = device('10.1.4.5', 'engine')

  test('is what an engine passes on at once part of what was sent to it, and hours later not?', () => {
    replay(reader, engine, at(1, 9))
    replay(engine, other, at(1, 9) + 3 * MINUTE)
    expect(alerts.size).toBe(1)
    replay(engine, other, at(1, 9) + 4 * HOUR)
    expect(alerts.size).toBe(2)
  })

  test('does a workstation pass nothing on?', () => {
    replay(reader, other, at(1, 9))
    replay(other, archive, at(1, 9) + 3 * MINUTE)
    expect(alerts.size).toBe(2)
  })
})

test('does what an archive does for an asker join the asker’s alert, where the archive’s own is about something else?', () => {
  const research = device('10.1.9.5', 'unknown')
  told(archive, research, at(1, 9), { detector: 'new-peer', group: 'novelty', unit: 'studies sent to a new host' })
  told(reader, archive, at(1, 14), { detector: 'move-destination', group: 'meaning', unit: 'studies moved' })
  told(archive, other, at(1, 14) + MINUTE, { detector: 'new-service', group: 'novelty', unit: 'studies sent (C-STORE)', asker: reader })
  expect([...alerts.values()].map(({ device: { id } }) => id)).toEqual([archive.id, reader.id])
})

describe('an archive that copies to a new one, day and night', () => {
  const next = device('10.1.1.9', 'unknown')
  const stranger = device('10.1.9.66', 'unknown')
  const gives = (to: Device, when: number, more: Partial<Evidence> = {}): void => told(archive, to, when, { detector: 'new-peer', group: 'novelty', unit: 'studies sent', ...more })
  const copies = (from: number, to: number): void => {
    for (let hour = from; hour < to; hour++) gives(next, at(1, hour))
  }
  const about = (host: Device): Alert[] => [...alerts.values()].filter(({ hosts }) => hosts.some((ip) => host.ips.has(ip)))

  test('is what it has to send to another, the next day, an alert about who asked, also where it begins weakly; and the copying still one?', () => {
    copies(0, 24)
    for (let i = 0; i < 10; i++) {
      gives(stranger, at(2, 0, 2 * i), { p: 1e-3, ...(i > 4 && { asker: reader }) })
      told(reader, archive, at(2, 0, 2 * i + 1), { detector: 'move-destination', group: 'meaning', unit: 'studies moved', p: 10 ** (-i - 2) })
    }
    for (let hour = 1; hour < 12; hour++) gives(next, at(2, hour))
    expect(about(stranger).map(({ device: { id }, evidence }) => [id, evidence.map(({ detector }) => detector)])).toEqual([[reader.id, ['move-destination', 'new-peer']]])
    expect(about(next)).toHaveLength(1)
    expect(alerts.size).toBe(2)
  })

  test('is what it sends unasked to another an alert of its own, and both go on?', () => {
    copies(0, 24)
    for (let hour = 0; hour < 12; hour++) {
      gives(stranger, at(2, hour, 10))
      gives(next, at(2, hour, 20))
    }
    expect(alerts.size).toBe(2)
    expect([about(stranger).length, about(next).length]).toEqual([1, 1])
    expect(incidents.kept.get(about(stranger)[0]!.id)!.count).toBe(12)
    expect(incidents.kept.get(about(next)[0]!.id)!.count).toBe(36)
  })

  test('are several to whom it begins to send within an hour one story?', () => {
    copies(0, 1)
    gives(stranger, at(1, 0, 30))
    gives(other, at(1, 0, 50))
    expect(alerts.size).toBe(1)
  })
})

describe('servers that no longer answer', () => {
  const ris = device('10.1.1.6', 'ris')
  const gone = (server: Device, when: number, more: Partial<Evidence> = {}): void =>
    told(server, reader, when, { detector: 'service-down', group: 'slow', objective: 'disruption', unit: 'usual callers turned away', severity: 'low', ...more })

  test('are two that stop within minutes one outage, with a line of each, also when both last?', () => {
    gone(archive, at(1, 9))
    gone(ris, at(1, 9.2))
    gone(archive, at(1, 13.1), { severity: 'medium', anew: false })
    gone(ris, at(1, 13.3), { severity: 'medium', anew: false })
    expect(alerts.size).toBe(1)
    const [alert] = alerts.values()
    expect(alert!.evidence.map(({ actor }) => actor).sort()).toEqual([archive.id, ris.id].sort())
    expect(alert!.hosts).toEqual(expect.arrayContaining([...archive.ips.keys(), ...ris.ips.keys()]))
  })

  test('are two that stop hours after each other two?', () => {
    gone(archive, at(1, 9))
    gone(ris, at(1, 11))
    expect(alerts.size).toBe(2)
  })
})

describe('a new receiver of studies', () => {
  const stranger = device('10.1.9.9', 'unknown')
  const scanner = device('10.1.2.12', 'modality:CT')
  const gives = (actor: Device, when: number): void => told(actor, stranger, when, { detector: 'new-peer', unit: 'studies sent to a new peer' })
  const gathers = (when: number): void => told(stranger, scanner, when, { detector: 'new-receiver', unit: 'studies given to a new receiver' })

  test('is one alert with all who give it studies, before it is told and after?', () => {
    gives(reader, at(1, 9))
    gathers(at(1, 9.2))
    gives(other, at(1, 9.4))
    expect(alerts.size).toBe(1)
  })

  test('are two readers that give to a stranger two alerts, as long as no scanner does?', () => {
    gives(reader, at(1, 9))
    gives(other, at(1, 9.4))
    expect(alerts.size).toBe(2)
  })
})

describe('two views of one conversation', () => {
  const stranger = device('203.0.113.9', 'unknown')
  const engine = device('10.1.1.7', 'engine')
  const ris = device('10.1.1.6', 'ris')
  const one = flow(host('S', '203.0.113.9'), host('E', '10.1.1.7'))

  test('are they one alert, whatever each is about?', () => {
    told(stranger, engine, at(1, 9), { detector: 'hl7-new-sender', objective: 'integrity', unit: 'hosts with one name', severity: 'high', flow: one })
    told(engine, stranger, at(1, 9), { detector: 'public-address', severity: 'high', unit: null, flow: one })
    expect(alerts.size).toBe(1)
  })

  test('are they two where servers talk of everybody over one connection?', () => {
    told(ris, engine, at(1, 9), { detector: 'hl7-new-sender', objective: 'integrity', unit: 'hosts with one name', severity: 'high', flow: one })
    told(engine, ris, at(1, 9), { detector: 'store-volume', severity: 'high', unit: null, flow: one })
    expect(alerts.size).toBe(2)
  })
})

describe('a program in a document that engines pass on under names of their own', () => {
  const [ris, first, second] = [device('10.1.1.6', 'ris'), device('10.1.1.7', 'engine'), device('10.1.1.8', 'engine')] as const
  const sends = (actor: Device, peer: Device, when: number, observed: number): void =>
    told(actor, peer, when, { detector: 'executable-content', group: 'meaning', objective: 'integrity', severity: 'high', observed, unit: 'bytes of a program' })

  test('is it one alert from hop to hop?', () => {
    sends(ris, first, at(1, 9), 25_503)
    sends(second, archive, at(1, 9) + 100_000, 25_503)
    expect(alerts.size).toBe(1)
  })

  test('is another program another alert?', () => {
    sends(ris, first, at(1, 9), 25_503)
    sends(second, archive, at(1, 9) + 100_000, 30_000)
    expect(alerts.size).toBe(2)
  })
})

test('is a program that a system sends an alert of its own, not a line in the low one that says where its traffic passes?', () => {
  told(archive, reader, at(1, 9), { detector: 'rerouted', objective: 'integrity', severity: 'low', unit: 'hardware addresses' })
  told(archive, reader, at(1, 10), { detector: 'executable-content', group: 'meaning', objective: 'integrity', severity: 'high', unit: 'bytes of a program' })
  expect([...alerts.values()].map(({ severity }) => severity)).toEqual(['low', 'high'])
})

describe('a reader that has studies sent to another, which is told', () => {
  const moved = (): void => told(reader, archive, at(1, 9), { detector: 'move-destination', others: [other] })

  test('is what is weak of the other part of it, and what is strong an alert of its own?', () => {
    moved()
    told(other, archive, at(1, 10), { severity: 'low' })
    expect(alerts.size).toBe(1)
    told(other, archive, at(1, 10.5), { detector: 'unexplained-access', unit: 'studies without an order received' })
    expect(alerts.size).toBe(2)
  })
})
