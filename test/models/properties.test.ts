/** What must make no difference to an analyst: where a capture is cut, which of two simultaneous events comes first, who else is forgotten. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import type { Alert } from '../../models/alert.ts'
import { DIRECTORY_LIMITS } from '../../models/directory.ts'
import { Engine } from '../../models/engine.ts'
import { SECOND, at, failedFlow, flow, flowEnd, host, message, move, store, study, violation } from './build.ts'
import { ARCHIVE, CT01, RIS, STRANGER, WS01, WS02, inOrder, ordinaryDay, ordinaryDays } from './hospital.ts'

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

function run(events: readonly WireEvent[], state?: [string, unknown][]): { alerts: Alert[]; state: () => [string, unknown][] } {
  const alerts: Alert[] = []
  const engine = new Engine({ onAlert: (alert) => alerts.push(alert) })
  if (state !== undefined) engine.load(state)
  for (const event of events) engine.event(event)
  return { alerts, state: () => JSON.parse(JSON.stringify([...engine.save()])) as [string, unknown][] }
}

const learned = run(ordinaryDays(LEARNED)).state()
const whole = new Map(SEEDS.map((seed) => {
  const events = badDay(seed)
  return [seed, { events, alerts: run(events, structuredClone(learned)).alerts }]
}))

test('do most of these days raise something?', () => {
  expect([...whole.values()].filter(({ alerts }) => alerts.length > 2).length).toBeGreaterThan(8)
})

describe('a capture in several runs with a state between them', () => {
  test.each(SEEDS)('does seed %d give the same alerts, byte for byte, cut at any points?', (seed) => {
    const { events, alerts } = whole.get(seed)!
    const next = random(1000 + seed)
    const cuts = Array.from({ length: 1 + (seed % 4) }, () => Math.floor(next() * events.length)).sort((a, b) => a - b)
    let state = structuredClone(learned)
    const told: Alert[] = []
    for (let i = 0; i <= cuts.length; i++) {
      const part = run(events.slice(cuts[i - 1] ?? 0, cuts[i] ?? events.length), state)
      told.push(...part.alerts)
      state = part.state()
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

describe('events of the same time', () => {
  test.each(SEEDS)('does seed %d show the same alerts when conversations take turns in another order?', (seed) => {
    const { events } = whole.get(seed)!
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
    expect(groups).toBeGreaterThan(5)
    expect(seen(run(shuffled, structuredClone(learned)).alerts)).toEqual(seen(run(coarse, structuredClone(learned)).alerts))
  })
})

describe('more passers-by than there is room for', () => {
  test('do they push out each other, and no device that is known?', () => {
    const { events, alerts } = whole.get(SEEDS.find((seed) => whole.get(seed)!.alerts.length > 4)!)!
    const before = at(LEARNED, 0)
    const passing = Array.from({ length: DIRECTORY_LIMITS.devices + 300 }, (_, i) =>
      flowEnd(flow(host('', `10.${100 + (i >> 14)}.${(i >> 7) & 127}.${(i & 127) + 1}`, null), host('', '10.99.0.1', null), 9000 + (i % 50), { transport: 'udp' }), before + i * 1000, null, { transport: 'udp' }))
    const told = run(inOrder([...passing, ...events]), structuredClone(learned)).alerts
    const strip = (list: Alert[]): unknown => seen(list.filter((alert) => !alert.hosts.includes('10.99.0.1')))
    expect(strip(told)).toEqual(strip(alerts))
  })
})
