/** A kind of HL7 message that is new on a link of an interface engine, not of the engine: does the receiver's memory tell it? */
import { expect, test } from 'vitest'
import { Engine } from '../../models/engine.ts'
import type { Alert } from '../../models/alert.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { MINUTE, SECOND, at, flow, host, message, type Host } from './build.ts'

const HIS = host('HIS', '10.1.1.1')
const LAB = host('LAB', '10.1.1.2')
const ENGINE = host('ENGINE', '10.1.1.5')
const RIS = host('RIS', '10.1.1.8')
const WARD = host('WARD', '10.1.1.9')
const DAYS = 12

const sends = (from: Host, to: Host, type: string, when: number): WireEvent => message(flow(from, to, 2575), when, from, to, type, `p${when % 977}`)

/** Admissions go to the RIS and the ward, results to the ward, each through the engine. */
function ordinary(day: number): WireEvent[] {
  return Array.from({ length: 20 }, (_, i) => at(day, 8, 25 * i)).flatMap((when) => [
    sends(HIS, ENGINE, 'ADT^A08', when), sends(ENGINE, RIS, 'ADT^A08', when + SECOND), sends(ENGINE, WARD, 'ADT^A08', when + 2 * SECOND),
    sends(LAB, ENGINE, 'ORU^R01', when + MINUTE), sends(ENGINE, WARD, 'ORU^R01', when + MINUTE + SECOND),
  ])
}

/** What is said about the last day, with more on it. */
function told(more: WireEvent[], known: (saved: [string, unknown][]) => [string, unknown][] = (saved) => saved): string[] {
  const alerts = new Map<string, Alert>()
  const before = new Engine({ onAlert: () => undefined })
  for (const event of Array.from({ length: DAYS }, (_, day) => ordinary(day)).flat()) before.event(event)
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  engine.load(known(JSON.parse(JSON.stringify([...before.save()])) as [string, unknown][]))
  for (const event of [...ordinary(DAYS), ...more].sort((a, b) => a.at - b.at)) engine.event(event)
  return [...alerts.values()].map(({ severity, title }) => `${severity} ${title}`)
}

const afternoon = (n: number, make: (when: number) => WireEvent[]): WireEvent[] => Array.from({ length: n }, (_, i) => make(at(DAYS, 14, i))).flat()

test('is the engine told that begins to send results to the RIS, which others always got from it?', () => {
  expect(told(afternoon(20, (when) => [sends(ENGINE, RIS, 'ORU^R01', when)]))).toEqual(['medium ENGINE sends RIS ORU^R01, a kind of message that it never got'])
})

test('and one that sends what nobody ever sent to it?', () => {
  expect(told(afternoon(20, (when) => [sends(ENGINE, RIS, 'MFN^M02', when)]))).toEqual(['medium ENGINE sends RIS MFN^M02, a kind of message that it never got'])
})

test('is it one alert, about the sender, where the engine passes on what is new of somebody else?', () => {
  const alerts = told(afternoon(20, (when) => [sends(LAB, ENGINE, 'MFN^M02', when), sends(ENGINE, RIS, 'MFN^M02', when + SECOND), sends(ENGINE, WARD, 'MFN^M02', when + SECOND)]))
  expect(alerts).toEqual(['medium LAB sends MFN^M02, a kind of message it never sent'])
})

test('do a few pass, and what a state does not know that was saved before kinds were remembered by receiver?', () => {
  expect(told(afternoon(1, (when) => [sends(ENGINE, RIS, 'ADT^A05', when)]))).toEqual([])
  const older = (saved: [string, unknown][]): [string, unknown][] => JSON.parse(JSON.stringify(saved, (key, value: unknown) => (key === 'taken' ? undefined : value))) as [string, unknown][]
  expect(told(afternoon(20, (when) => [sends(ENGINE, RIS, 'ORU^R01', when)]), older)).toEqual([])
})
