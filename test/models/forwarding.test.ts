/** An archive that gives a host what that host never asked for: a rule that somebody made. */
import { expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { DAY, study, type Host } from './build.ts'
import { moved, orderedPatient, sends, shift, times, unknownPatient } from './happenings.ts'
import { ARCHIVE, CT01, STRANGER, WS01, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, above, alertsOf, among } from './learned.ts'

const told = (events: WireEvent[]): string[] =>
  alertsOf(among(events)).filter((alert) => above(alert, 'info') && alert.evidence.some(({ detector }) => detector === 'new-peer')).map(({ severity }) => severity)
/** Of what was made today, each study a few minutes later. */
const forwarded = (n: number): WireEvent[] => sends(ARCHIVE, STRANGER, n, 9, 15, orderedPatient)
const fetched = (n: number, by: Host, to: Host): WireEvent[] => times(n, 9, 15, (when, i) => moved(by, to, when, study(`f${i}`, orderedPatient(i), TODAY)))

test('is it told when the archive forwards thirty of the day\'s ordered studies to a stranger?', () => {
  expect(told(forwarded(30))).toHaveLength(1)
})

test('is nothing told of six?', () => {
  expect(told(forwarded(6))).toEqual([])
})

test.each([
  ['when nobody did', forwarded(30), true],
  ['not when a reader had them sent there', fetched(30, WS01, STRANGER), false],
])('does the evidence say that nobody asked, %s?', (_when, events, unasked) => {
  const texts = alertsOf(among(events)).flatMap(({ evidence }) => evidence).filter(({ detector }) => detector === 'new-peer').map(({ text }) => text)
  expect(texts.length).toBeGreaterThan(0)
  expect(texts.every((text) => text.includes('nobody asked for it'))).toBe(unasked)
})

/** Two studies a day, ordered by nobody or by somebody. */
const dripped = (days: number, of: (i: number) => string): WireEvent[] =>
  inOrder(Array.from({ length: days }, (_, day) => [...ordinaryDay(TODAY + day), ...shift(sends(ARCHIVE, STRANGER, 2, 9, 200, (i) => of(2 * day + i)), day * DAY)]).flat())
const about = (events: WireEvent[]): string[] => alertsOf(events).flatMap((alert) => (above(alert, 'info') ? alert.evidence : [])).filter(({ detector }) => detector === 'new-peer').map(({ text }) => text)

test('are two a day that nobody ordered told by the third day, and none that were ordered?', () => {
  expect(about(dripped(3, unknownPatient)).join()).toMatch(/[456] of the [456] studies given to it so far had no order/)
  expect(about(dripped(3, orderedPatient))).toEqual([])
})

test('are eight studies that a scanner fetches told, which never fetched any?', () => {
  const fetches = times(8, 11, 1, (when, i) => moved(CT01, CT01, when, study(`n${i}`, unknownPatient(i), TODAY)))
  const [alert] = alertsOf(among(fetches)).filter((one) => above(one, 'info'))
  expect([alert!.device, ...alert!.peers].flatMap(({ ip }) => ip)).toContain(CT01.ip)
  expect(alert!.evidence.map(({ detector }) => detector)).toEqual(expect.arrayContaining(['new-service', 'unexplained-access']))
})

test('do two days of it weigh together, neither of which is told by itself?', () => {
  const [first, second] = [forwarded(20), shift(sends(ARCHIVE, STRANGER, 20, 10, 15, orderedPatient), DAY)]
  const tomorrow = ordinaryDay(TODAY + 1)
  expect(about(inOrder([...ordinaryDay(TODAY), ...first, ...tomorrow]))).toEqual([])
  expect(about(inOrder([...ordinaryDay(TODAY), ...tomorrow, ...second]))).toEqual([])
  expect(about(inOrder([...ordinaryDay(TODAY), ...first, ...tomorrow, ...second])).join()).toMatch(/^\d+ studies sent today \(3\d since the first\) between ARCHIVE/)
})
