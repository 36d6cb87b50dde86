/** A system that runs on its standby for some hours and comes back sooner than it usually pauses: not two hosts with one name, unless somebody only borrows it. */
import { expect, test } from 'vitest'
import { Engine } from '../../models/engine.ts'
import type { Hl7Message } from '../../protocols/events.ts'
import { DAY, HOUR, MINUTE, SECOND, at, flow, host, message, type Host } from './build.ts'

const HIS = host('HIS', '10.1.1.1')
const ENGINE = host('ENGINE', '10.1.1.5')
const SPARE = host('ENGINE', '10.1.1.6')
const PACS = host('PACS', '10.1.1.9')

/** A message for the engine every ten minutes; one of the engine every five hours. */
function hours(from: number, to: number, engine: Host, deliverer = HIS): Hl7Message[] {
  const events: Hl7Message[] = []
  for (let m = from * 60; m < to * 60; m += 10) {
    const when = at(0, 0) + m * MINUTE
    events.push(message(flow(deliverer, engine, 2575), when, deliverer, ENGINE, 'ADT^A08', `p${m}`))
    if (m % 300 === 0) events.push(message(flow(engine, PACS, 2576), when + SECOND, ENGINE, PACS, 'ORM^O01', `p${m}`))
  }
  return events
}

function conflicts(events: Hl7Message[]): number {
  let found = 0
  const engine = new Engine({ onAlert: (alert) => { if (alert.detector === 'hl7-new-sender' && alert.severity === 'high') found++ } })
  for (const event of [...events].sort((a, b) => a.at - b.at)) engine.event(event)
  return found
}

const usual = (): Hl7Message[] => hours(0, 120, ENGINE)
const [over, back] = [DAY * 5 / HOUR, DAY * 5 / HOUR + 5]

test('is a failover none where those who send to the system turn to its standby, too?', () => {
  expect(conflicts([...usual(), ...hours(over, back, SPARE), ...hours(back, back + 24, ENGINE)])).toBe(0)
})

test('and where the standby is a host known for long?', () => {
  const known = message(flow(host('SPARE', SPARE.ip), PACS, 2576), at(1, 1), host('SPARE', SPARE.ip), PACS, 'ORM^O01', 'p0')
  expect(conflicts([...usual(), known, ...hours(over, back, SPARE), ...hours(back, back + 24, ENGINE)])).toBe(0)
})

test('does a system stay one where a newcomer sends to its old address meanwhile, and to its standby when it is back?', () => {
  const late = (from: number, to: number, engine: Host): Hl7Message[] => hours(from, to, engine, host('LAB', '10.1.1.8')).filter((event) => event.at % (30 * MINUTE) === 0)
  const events = [...usual(), ...hours(over, back, SPARE), ...late(over, back, ENGINE), ...hours(back, back + 24, ENGINE), ...late(back, back + 24, SPARE)]
  const engine = new Engine({ onAlert: () => undefined })
  for (const event of events.sort((a, b) => a.at - b.at)) engine.event(event)
  const homes = [...engine.devices.values()].filter(({ ips }) => ips.has(ENGINE.ip) || ips.has(SPARE.ip))
  expect(homes.map(({ ips }) => [...ips.keys()].sort())).toEqual([[ENGINE.ip, SPARE.ip]])
})

test('and where another system receives under the same name, which goes on?', () => {
  const other = host('ENGINE', '10.1.1.15')
  const feeds = hours(0, back + 24, other, host('LAB', '10.1.1.8')).filter(({ flow: on }) => on.server.ip === other.ip)
  const events = [...usual(), ...feeds, ...hours(over, back, SPARE), ...hours(back, back + 24, ENGINE)]
  expect(conflicts(events)).toBe(0)
  const engine = new Engine({ onAlert: () => undefined })
  for (const event of events.sort((a, b) => a.at - b.at)) engine.event(event)
  expect([...engine.devices.values()].find(({ ips }) => ips.has(ENGINE.ip))!.ips.has(SPARE.ip)).toBe(true)
})

test('is a stranger in its name told when the system speaks again, which nobody ceased to send to?', () => {
  const borrowed = message(flow(SPARE, PACS, 2576), at(5, 2), ENGINE, PACS, 'ORM^O01', 'p1')
  expect(conflicts([...usual(), borrowed, ...hours(over, back + 24, ENGINE)])).toBeGreaterThan(0)
})

test('also where the stranger sends to himself what is for the system?', () => {
  const borrowed = message(flow(SPARE, PACS, 2576), at(5, 2), ENGINE, PACS, 'ORM^O01', 'p1')
  const accomplice = host('HIS', '10.1.1.7')
  const forged = message(flow(accomplice, SPARE, 2575), at(5, 1), HIS, ENGINE, 'ADT^A08', 'p2')
  expect(conflicts([...usual(), forged, borrowed, ...hours(over, back + 24, ENGINE)])).toBeGreaterThan(0)
})
