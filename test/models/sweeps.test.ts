/** Who looks at everybody by trade finds new hosts now and then; who does not, and whoever looks for something else, is told. */
import { expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { contacts } from './happenings.ts'
import { flow, host, type Host } from './build.ts'
import { WS02, READERS, SCANNERS, ARCHIVE, HIS, LAB, RIS, STRANGER } from './hospital.ts'
import { MONITOR, TODAY, alertsOf, among, night, ofDetector } from './learned.ts'

const PORTS = [104, 445, 2575]
/** Thirty hosts that nobody met before, on each port of the weekly sweep. */
const strangers = (by: Host): WireEvent[] => contacts(90, (i) => flow(by, host('', `10.1.2.${40 + Math.floor(i / 3)}`), PORTS[i % 3]))
const elsewhere = (by: Host, port: number): WireEvent[] => {
  const known = [ARCHIVE, RIS, HIS, LAB, ...SCANNERS, ...READERS]
  return contacts(60, (i) => flow(by, known[i % known.length]!, port + Math.floor(i / known.length)))
}

test('is it no news that the weekly sweep of the monitor takes in thirty new hosts?', () => {
  expect(ofDetector(alertsOf(among([...night(TODAY), ...strangers(MONITOR)])), 'fan-out')).toEqual([])
})

test('is it told when a reader looks at them?', () => {
  expect(ofDetector(alertsOf(among([...night(TODAY), ...strangers(WS02)])), 'fan-out').length).toBe(1)
})

test('is it told of a host that nobody knows, to which everything is new?', () => {
  const onePort = contacts(60, (i) => flow(STRANGER, host('', `10.1.2.${40 + i}`), 104))
  expect(ofDetector(alertsOf(among([...night(TODAY), ...onePort])), 'fan-out').length).toBe(1)
})

test('is it told when the monitor looks for other ports than ever?', () => {
  expect(ofDetector(alertsOf(among([...night(TODAY), ...elsewhere(MONITOR, 3389)])), 'fan-out').length).toBe(1)
})
