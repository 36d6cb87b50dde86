/** What an analyst answers: an allowance that covers the same and no more, and a period that is taken back. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import type { Alert } from '../../models/alert.ts'
import { rate } from '../../models/baseline/counts.ts'
import { Engine } from '../../models/engine.ts'
import { explain } from '../../models/explain.ts'
import { allow, malicious, type Feedback } from '../../models/feedback.ts'
import { DAY, at, flow, host, message, store, study, type Host } from './build.ts'
import { CT01, CT02, RIS, STRANGER, inOrder, ordinaryDay, ordinaryDays } from './hospital.ts'

const LEARNED = 8

/** CT01 sends studies elsewhere, two minutes apart, from eleven o'clock on. */
const copies = (day: number, n: number, to: Host = STRANGER, from: Host = CT01): WireEvent[] =>
  Array.from({ length: n }, (_, i) => store(flow(from, to), at(day, 11, i * 2), from.name, study(`c${from.name}${to.ip}${day}.${i}`, `c${i}`, day)))

interface Ran { alerts: Alert[]; state: [string, unknown][]; engine: Engine }

function run(events: WireEvent[], state?: [string, unknown][], feedback: Feedback[] = []): Ran {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  if (state !== undefined) engine.load([...structuredClone(state), ['feedback', feedback]])
  for (const event of events) engine.event(event)
  return { alerts: [...alerts.values()], state: JSON.parse(JSON.stringify([...engine.save()])) as [string, unknown][], engine }
}

const before = run(ordinaryDays(LEARNED)).state
const attack = run(inOrder([...ordinaryDay(LEARNED), ...copies(LEARNED, 40)]), before)
const told = attack.alerts.find((alert) => alert.evidence.some((one) => one.detector === 'new-peer'))!
const severe = (alerts: Alert[]): string[] => alerts.filter((alert) => alert.severity !== 'info').map((alert) => alert.title)
// Two days later: the incident is over.
const later = LEARNED + 2
const next = (events: WireEvent[], feedback: Feedback[]): Alert[] =>
  run(inOrder([...ordinaryDay(LEARNED + 1), ...ordinaryDay(later), ...events]), attack.state, feedback).alerts.filter((alert) => alert.last_seen > at(later, 0))

describe('an alert that was allowed', () => {
  const answer = allow(told, 30, 'research export')

  test('is the same again a note that says why, and without the answer an alert?', () => {
    expect(severe(next(copies(later, 40), []))).not.toEqual([])
    const again = next(copies(later, 40), [answer])
    expect(severe(again)).toEqual([])
    expect(again.map((alert) => alert.explanation).join()).toContain('Declared: research export.')
  })

  test.each<[string, WireEvent[]]>([
    ['twice as much', copies(later, 90)],
    ['something like it to somebody else', copies(later, 90, host('OTHER', '10.1.9.67'))],
    ['the same by another scanner', copies(later, 40, STRANGER, CT02)],
  ])('is %s told as ever?', (_what, events) => {
    expect(severe(next(events, [answer]))).not.toEqual([])
  })

  test('is it all that the alert was about, also what is less now than it was, and the same by another service?', () => {
    // On the first day twice as much as on the next, and half of it by another kind of message.
    const orders = flow(STRANGER, RIS, 2575)
    const fed = (day: number, n: number): WireEvent[] => Array.from({ length: n }, (_, i) =>
      message(orders, at(day, 10, i / 4), STRANGER, RIS, i % 2 === 0 ? 'ADT^A08' : 'ORU^R01', `any-${i}`))
    const two = run(inOrder([...ordinaryDay(LEARNED), ...fed(LEARNED, 500), ...ordinaryDay(LEARNED + 1), ...fed(LEARNED + 1, 250)]), before)
    const answers = [...two.engine.incidents.kept.values()].filter((alert) => alert.hosts.includes(STRANGER.ip)).map((alert) => allow(alert, 30, 'new interface'))
    expect(answers).not.toEqual([])
    // The incident is over by then.
    const again = run(inOrder([...ordinaryDay(later), ...ordinaryDay(later + 1), ...fed(later + 1, 600)]), two.state, answers).alerts.filter((alert) => alert.last_seen > at(later, 0))
    expect(severe(again)).toEqual([])
  })

  test('does it end?', () => {
    expect(severe(next(copies(later, 40), [allow(told, 1, '')]))).not.toEqual([])
    expect(answer.until).toBe(told.last_seen + 30 * DAY)
  })
})

describe('an alert that was malicious', () => {
  // Two days of it, so that both the day's count and the new peer have been learned from.
  const twice = run(inOrder([...ordinaryDay(LEARNED + 1), ...copies(LEARNED + 1, 40), ...ordinaryDay(later)]), attack.state)
  // The last days that were closed before it.
  const clean = run(ordinaryDay(LEARNED), before)
  const answers = [...twice.engine.incidents.kept.values()].filter((alert) => alert.hosts.includes(STRANGER.ip)).map(malicious)
  const purged = run([], twice.state, answers)
  const sends = (ran: Ran): number => {
    const device = [...ran.engine.devices.values()].find(({ aes }) => aes.has(CT01.name))!
    return rate(device.streams.get('store.out')!)
  }
  const knows = (ran: Ran): boolean =>
    [...ran.engine.devices.values()].find(({ aes }) => aes.has(CT01.name))!.memories.peer.known.has(told.peers[0]!.id)

  test('is its count what it would be without those days?', () => {
    expect(sends(twice)).toBeGreaterThan(1.05 * sends(clean))
    expect(Math.abs(sends(purged) / sends(clean) - 1)).toBeLessThan(1e-4)
  })

  test('is the peer forgotten, so that it is news again?', () => {
    expect(knows(twice)).toBe(true)
    expect(knows(purged)).toBe(false)
  })

  test('is it taken back once, however often the state is loaded?', () => {
    const again = run([], purged.state, answers)
    expect(sends(again)).toBe(sends(purged))
  })
})

describe('the explanation of a kept alert', () => {
  const { engine } = run([], attack.state)
  const explained = explain(engine.incidents.kept.get(told.id)!, engine.devices, engine.site)

  test('is every rarity computed again, and evidence while it is not learned?', () => {
    expect(explained.evidence.length).toBeGreaterThan(0)
    for (const one of explained.evidence) {
      expect(one.agrees).toBe(true)
      if (one.p !== null) expect(one.computed).toBeCloseTo(one.p, 12)
    }
    expect(explained.evidence.find((one) => one.detector === 'new-peer')!.holds).toBe(true)
  })

  test('does it hold no longer when the peer has become a habit?', () => {
    const habit = run(Array.from({ length: 5 }, (_, i) => inOrder([...ordinaryDay(LEARNED + 1 + i), ...copies(LEARNED + 1 + i, 3)])).flat(), attack.state)
    const now = explain(told, habit.engine.devices, habit.engine.site).evidence.find((one) => one.detector === 'new-peer')!
    expect(now.agrees).toBe(true)
    expect(now.holds).toBe(false)
  })

  test('is a number that somebody changed found?', () => {
    const forged = structuredClone(told)
    forged.evidence[0]!.p! /= 10
    expect(explain(forged, engine.devices, engine.site).evidence[0]!.agrees).toBe(false)
  })
})
