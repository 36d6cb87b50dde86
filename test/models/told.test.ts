/** A day's count stays high after an attack: what of it was told is not told again hours later, when ordinary work adds a little. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { at, study } from './build.ts'
import { orderedPatient, sends, sent, shift, times, unknownPatient } from './happenings.ts'
import { ARCHIVE, CT01, HIS, RIS, WS01, ordered, read } from './hospital.ts'
import { TODAY, among, experienced, stored } from './learned.ts'
import { HOUR } from '../../models/clock.ts'

/** When a detector found something, in hours of the day. */
function found(detector: string, more: WireEvent[]): number[] {
  const hours: number[] = []
  const engine = experienced({ onAlert: () => undefined })
  let before = 0
  for (const event of among(more)) {
    engine.event(event)
    const now = engine.findings.get(detector) ?? 0
    if (now > before) hours.push((event.at - at(TODAY, 0)) / HOUR)
    before = now
  }
  return hours
}

describe('messages', () => {
  const burst = (hour: number, n: number): WireEvent[] => shift(sent(HIS, RIS, n, 0.1, 'ADT^A08', (i) => `burst-${i}`), (hour - 13) * HOUR)

  test('is a flood in the morning told by then, and not as the day’s count grows on?', () => {
    const hours = found('hl7-volume', burst(7, 80))
    expect(Math.min(...hours)).toBeLessThan(7.5)
    expect(hours.filter((hour) => hour > 10)).toEqual([])
  })

  test('is a second one in the evening told?', () => {
    expect(Math.max(...found('hl7-volume', [...burst(7, 80), ...burst(17, 40)]))).toBeGreaterThan(17)
  })
})

describe('bytes', () => {
  const large = (hour: number): WireEvent[] => times(6, hour, 3, (when, i) => stored(CT01, ARCHIVE, when, study(`large${hour}.${i}`, orderedPatient(i), TODAY, { bytes: 20_000_000 })))

  test('are large studies of the early morning told by then, and not as the day’s sum grows on?', () => {
    const hours = found('store-bytes', large(6))
    expect(Math.min(...hours)).toBeLessThan(6.5)
    expect(hours.filter((hour) => hour > 10)).toEqual([])
  })

  test('are others in the evening told?', () => {
    expect(Math.max(...found('store-bytes', [...large(6), ...large(18)]))).toBeGreaterThan(18)
  })
})

const ofYesterday = (i: number): string => ordered(TODAY - 1, i % 3, i % 12)

test('are forty ordered studies of the morning told in the afternoon, when eight without an order follow?', () => {
  const morning = times(40, 8, 1, (when, i) => read(WS01, when, `many${i}`, ofYesterday(i), TODAY))
  const afternoon = times(8, 14, 20, (when, i) => read(WS01, when, `late${i}`, unknownPatient(i), TODAY))
  expect(found('store-volume', [...morning, ...afternoon]).filter((hour) => hour > 12)).toEqual([])
  expect(found('store-volume', times(45, 8, 1, (when, i) => read(WS01, when, `many${i}`, i % 5 === 0 ? unknownPatient(i) : ofYesterday(i), TODAY))).length).toBeGreaterThan(0)
})

test('are studies without an order, three hours between piles of four, told until the last?', () => {
  const piles = [8, 11, 14, 17].flatMap((hour) => sends(CT01, ARCHIVE, 4, hour, 2, (i) => unknownPatient(10 * hour + i)))
  expect(Math.max(...found('unexplained-access', piles))).toBeGreaterThan(17)
})

test('is one such study an hour told again in the afternoon?', () => {
  const slow = sends(CT01, ARCHIVE, 14, 6, 60, unknownPatient)
  expect(Math.max(...found('unexplained-access', slow))).toBeGreaterThan(15)
})
