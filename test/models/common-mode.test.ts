/** How busy everybody is says how busy one should be: of few others it says little, of many a lot. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { at, flow, host, message, store, study, type Host } from './build.ts'
import { ARCHIVE, CT01, RIS, inOrder, ordinaryDays, some } from './hospital.ts'
import { TODAY, above } from './learned.ts'

const BILLING = host('BILLING', '10.1.4.7')
const other = (i: number): Host => host(`WARD${i}`, `10.1.4.${20 + i}`)

const sends = (from: Host, type: string, day: number, hour: number, n: number): WireEvent[] => {
  const on = flow(from, RIS, 2575)
  return Array.from({ length: n }, (_, i) => message(on, at(day, hour, (60 * i) / n), from, RIS, type, `${from.name}-${day}-${hour}-${i}`))
}

/**
 * Others whose messages come in piles (an hour brings ten or thirty), and one that sends charges, most of them at six.
 * @param busy how much of their usual the others do
 * @param charges how much of its usual the one does
 */
function interfaces(day: number, others: number, busy: number, charges: number): WireEvent[] {
  const piles = Array.from({ length: others }, (_, s) => Array.from({ length: 24 }, (__, h) =>
    sends(other(s), 'ADT^A08', day, h, Math.round(busy * some((day * 7 + h * 5 + s) % 3 === 0 ? 30 : 10, day, h, s)))).flat())
  const morning = Array.from({ length: 8 }, (_, h) => sends(BILLING, 'DFT^P03', day, h + 5, Math.round(charges * some(h === 1 ? 40 : 10, day, h, 3))))
  return inOrder([...piles.flat(), ...morning.flat()])
}

/** What three ordinary weeks taught, by how many others there are. */
const learned = new Map<number, [string, unknown][]>()

function experienced(others: number, onAlert: (alert: Alert) => void): Engine {
  if (!learned.has(others)) {
    const engine = new Engine({ onAlert: () => undefined })
    for (let day = 0; day < TODAY; day++) for (const event of interfaces(day, others, 1, 1)) engine.event(event)
    learned.set(others, [...engine.save()])
  }
  const engine = new Engine({ onAlert })
  engine.load(structuredClone(learned.get(others)!))
  return engine
}

/** What is said above a note of the day that follows. */
function told(others: number, busy: number, charges: number): string[] {
  const alerts = new Map<string, Alert>()
  const engine = experienced(others, (alert) => alerts.set(alert.id, alert))
  for (const event of interfaces(TODAY, others, busy, charges)) engine.event(event)
  return [...alerts.values()].filter((alert) => above(alert, 'info')).map(({ title }) => title)
}

const MANY_CHARGES = ['BILLING sends far more DFT^P03 messages than usual']

describe('when the only two other systems send a third of their usual', () => {
  test('are the charges of an ordinary morning no alert?', () => {
    expect(told(2, 1 / 3, 1)).toEqual([])
  })

  test('are four times as many one?', () => {
    expect(told(2, 1 / 3, 4)).toEqual(MANY_CHARGES)
  })
})

describe('when there are eight others', () => {
  test('are three times as many charges told, because nobody else has more to do?', () => {
    expect(told(8, 1, 3)).toEqual(MANY_CHARGES)
  })

  test('are they no alert when everybody sends three times as much?', () => {
    expect(told(8, 3, 3)).toEqual([])
  })

  test('is half as much again told on a day on which everybody rests, and on no other?', () => {
    expect([told(8, 1 / 3, 1.5), told(8, 1, 1.5)]).toEqual([MANY_CHARGES, []])
  })
})

const scanner = (i: number): Host => host(`CT${i}`, `10.1.2.${30 + i}`)

/** Studies of eight scanners between eight and four. */
const scans = (day: number, busy: number): WireEvent[] => Array.from({ length: 8 }, (_, s) =>
  Array.from({ length: Math.round(busy * some(40, day, s)) }, (__, n) =>
    store(flow(scanner(s), ARCHIVE), at(day, 8, n * 12), scanner(s).name, study(`${day}.${s}.${n}`, `${day}-${s}-${n}`, day)))).flat()

/** What is said above a note of a day, after three weeks on which scanners did `before` of their usual on its weekday. */
function imagingRests(before: number, charges: number): string[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  for (let day = 0; day <= TODAY; day++) {
    const isSuch = day % 7 === TODAY % 7
    const busy = day === TODAY ? 0 : isSuch ? before : 1
    for (const event of inOrder([...interfaces(day, 1, 1, day === TODAY ? charges : 1), ...scans(day, busy)])) engine.event(event)
  }
  return [...alerts.values()].filter((alert) => above(alert, 'info')).map(({ title }) => title)
}

describe('when the scanners rest and the messages do not', () => {
  test('are the charges of an ordinary morning no alert, on a holiday and on a day on which they always rest?', () => {
    expect([imagingRests(1, 1), imagingRests(0, 1)]).toEqual([[], []])
  })

  test('are three times as many told?', () => {
    expect(imagingRests(1, 3)).toEqual(MANY_CHARGES)
  })
})

test('has a device lived as many days as it was there, where nothing is heard at night?', () => {
  const engine = new Engine({ onAlert: () => undefined })
  for (const event of ordinaryDays(8)) engine.event(event)
  const [scanner] = [...engine.devices.values()].filter((device) => device.aes.has(CT01.name))
  // The last of eight days is open, and of the first nobody knew that it was a whole one.
  expect(scanner!.lived).toBeGreaterThan(6.5)
})
