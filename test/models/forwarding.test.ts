/** An archive that gives a host what that host never asked for: a rule that somebody made. */
import { expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { study, type Host } from './build.ts'
import { moved, orderedPatient, sends, times } from './happenings.ts'
import { ARCHIVE, STRANGER, WS01 } from './hospital.ts'
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
