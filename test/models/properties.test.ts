/** What must make no difference to an analyst: where a capture is cut, which of two simultaneous events comes first, who else is forgotten. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import type { Alert } from '../../models/alert.ts'
import { RESIDENT_LIMITS } from '../../models/residents.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import { DAY, SECOND, at, failedFlow, flow, flowEnd, host, message, move, store, study, violation } from './build.ts'
import { CASES } from './cases.ts'
import { shift } from './happenings.ts'
import { ARCHIVE, CT01, RIS, STRANGER, WS01, WS02, inOrder, ordinaryDay, ordinaryDays } from './hospital.ts'
import { TODAY, state } from './learned.ts'

const LEARNED = 5
const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1)

/** Mulberry32: 0 to 1. */
function random(seed: number): () => number {
  let a = seed * 0x9e3779b1
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A day on which, by the seed, some of these go wrong at some hours. */
function badDay(seed: number): WireEvent[] {
  const next = random(seed)
  const hour = (): number => 7 + Math.floor(10 * next())
  const wrongs: ((hour: number) => WireEvent[])[] = [
    (h) => Array.from({ length: 60 }, (_, i) => store(flow(CT01, host('P', '93.184.215.14')), at(LEARNED, h, i / 2), CT01.name, study(`b${i}`, `b${i}`, LEARNED - 300))),
    (h) => Array.from({ length: 50 }, (_, i) => failedFlow(flow(WS02, host('', `10.1.8.${i + 1}`), 445), at(LEARNED, h, i / 4), 'unanswered')),
    (h) => Array.from({ length: 40 }, (_, i) => message(flow(STRANGER, RIS, 2575), at(LEARNED, h, i / 3), STRANGER, RIS, 'ADT^A40', 'one')),
    (h) => Array.from({ length: 40 }, (_, i) => move(flow(WS01, ARCHIVE), at(LEARNED, h, i / 2), WS01.name, 'EXPORT9')),
    (h) => Array.from({ length: 40 }, (_, i) => violation(flow(WS02, ARCHIVE), at(LEARNED, h, i / 5), `pdu.rule-${i}`)),
  ]
  return inOrder([...ordinaryDay(LEARNED), ...wrongs.filter(() => next() < 0.6).flatMap((wrong) => wrong(hour())), ...ordinaryDay(LEARNED + 1)])
}

interface Happened { events: readonly WireEvent[]; options?: Partial<EngineOptions> | undefined; from: () => [string, unknown][] }

function run({ events, options }: Pick<Happened, 'events' | 'options'>, state?: [string, unknown][], before?: Engine): { alerts: Alert[]; engine: Engine; state: () => [string, unknown][] } {
  const alerts: Alert[] = []
  const engine = new Engine({ ...options, onAlert: (alert) => alerts.push(alert) })
  if (state !== undefined) engine.load(state)
  // Whoever continues in the middle of conversations knows of them what the run before knew.
  for (const flow of before === undefined ? [] : new Set(events.flatMap((event) => ('flow' in event ? [event.flow] : [])))) {
    const known = before!.saveFlow(flow)
    if (known !== undefined) engine.loadFlow(flow, JSON.parse(JSON.stringify(known)))
  }
  for (const event of events) engine.event(event)
  return { alerts, engine, state: () => JSON.parse(JSON.stringify([...engine.save()])) as [string, unknown][] }
}

const learned = run({ events: ordinaryDays(LEARNED) }).state()
/** Days of several wrongs, by seed, and the case that each detector has to find. */
const DAYS: [name: string, number, Happened][] = [
  ...SEEDS.map((seed) => [`the day of seed ${seed}`, seed, { events: badDay(seed), from: () => structuredClone(learned) }] satisfies [string, number, Happened]),
  ...Object.entries(CASES).map(([id, { fires }], i) => [id, 100 + i, { events: fires.day(), options: fires.options, from: state }] satisfies [string, number, Happened]),
]

test('do most of these days raise something?', () => {
  expect(DAYS.filter(([, seed, day]) => seed < 100 && run(day, day.from()).alerts.length > 2).length).toBeGreaterThan(8)
})

describe('a capture in several runs with a state between them', () => {
  test.each(DAYS)('does %s give the same alerts, byte for byte, cut at any points?', (_name, seed, { events, options, from }) => {
    const { alerts } = run({ events, options }, from())
    expect(seed < 100 || alerts.length > 0).toBe(true)
    const next = random(1000 + seed)
    const cuts = Array.from({ length: 1 + (seed % 4) }, () => Math.floor(next() * events.length)).sort((a, b) => a - b)
    let saved = from()
    let before: Engine | undefined
    const told: Alert[] = []
    for (let i = 0; i <= cuts.length; i++) {
      const part = run({ events: events.slice(cuts[i - 1] ?? 0, cuts[i] ?? events.length), options }, saved, before)
      told.push(...part.alerts)
      saved = part.state()
      before = part.engine
    }
    expect(JSON.stringify(told)).toBe(JSON.stringify(alerts))
  })
})

/** What an analyst sees in the end: the last revision of each, lists without their order. */
function seen(alerts: Alert[]): unknown {
  return [...new Map(alerts.map((alert) => [alert.id, alert])).values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, severity, title, detector, hosts, count, evidence }) => ({
      id, severity, title, detector, count, hosts: [...hosts].sort(),
      evidence: evidence.map((one) => `${one.detector} ${one.observed} ${one.unit}`).sort(),
    }))
}

const titles = (alerts: Alert[]): string[] => [...new Set(alerts.map(({ severity, title }) => `${severity} ${title}`))].sort()

describe('events of the same time', () => {
  test.each(DAYS)('does %s show the same alerts when conversations take turns in another order?', (name, seed, { events, options, from }) => {
    // To the second, so that many fall together.
    const coarse = events.map((event) => ({ ...event, at: Math.floor(event.at / SECOND) * SECOND }))
    const next = random(2000 + seed)
    const shuffled: WireEvent[] = []
    let groups = 0
    for (let i = 0; i < coarse.length;) {
      let j = i
      while (j < coarse.length && coarse[j]!.at === coarse[i]!.at) j++
      // Whole conversations change places: within one, the order is the capture's.
      const flows = new Map<string, WireEvent[]>()
      for (const event of coarse.slice(i, j)) {
        const id = 'flow' in event ? event.flow.id : ''
        flows.set(id, [...(flows.get(id) ?? []), event])
      }
      const order = [...flows.values()].map((list) => [next(), list] as const).sort(([a], [b]) => a - b)
      if (order.length > 1) groups++
      shuffled.push(...order.flatMap(([, list]) => list))
      i = j
    }
    expect(groups).toBeGreaterThan(seed < 100 ? 5 : 0)
    const [one, other] = [shuffled, coarse].map((all) => run({ events: all, options }, from()).alerts) as [Alert[], Alert[]]
    // Of two that use one name in the same second, who came back is known by the next use: the alert is the same, and begins with another event.
    if (name === 'ae-conflict') expect(titles(one)).toEqual(titles(other))
    else expect(seen(one)).toEqual(seen(other))
  })
})

const REMEMBERING = ['store-bytes', 'lateral-movement', 'unexplained-access']

describe('more passers-by than there is room for', () => {
  test('do they push out each other, and nobody whom a detector tells about?', () => {
    // One case a day, of those that hang on what is remembered of a device.
    const cases = REMEMBERING.flatMap((id, i) => shift(CASES[id]!.fires.day(), i * DAY))
    const passing = Array.from({ length: RESIDENT_LIMITS.devices + 300 }, (_, i) =>
      flowEnd(flow(host('', `10.${100 + (i >> 14)}.${(i >> 7) & 127}.${(i & 127) + 1}`, null), host('', '10.99.0.1', null), 9000 + (i % 50), { transport: 'udp' }), at(TODAY, 9) + i * 1000, null, { transport: 'udp' }))
    const told = (events: WireEvent[]): Alert[] => run({ events: inOrder(events) }, state()).alerts.filter((alert) => !alert.hosts.includes('10.99.0.1'))
    const alone = told(cases)
    expect(alone.flatMap((alert) => alert.evidence.map((one) => one.detector))).toEqual(expect.arrayContaining(REMEMBERING))
    expect(seen(told([...passing, ...cases]))).toEqual(seen(alone))
  })
})
