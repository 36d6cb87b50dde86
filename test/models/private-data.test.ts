/** Private data in a scanner's images: among others' of the day, or in all of them from an hour on. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { DAY, at } from './build.ts'
import { hoards, later } from './happenings.ts'
import { CT01, SCANNERS, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'

const told = (day: WireEvent[]): string[] => ofDetector(alertsOf(day), 'private-data').map(({ severity, device }) => `${severity} ${device.name}`)
/** With so much in private elements from an hour of the day on. */
const upgraded = (day: WireEvent[], from: number, bytes: number): WireEvent[] => day.map((event): WireEvent =>
  (event.kind === 'dicom.operation' && event.command === 'C-STORE' && event.dataset !== null && event.at >= from && SCANNERS.some(({ ip }) => ip === event.flow.client.ip)
    ? { ...event, dataset: { ...event.dataset, private_bytes: bytes } } : event))

describe('private data in images', () => {
  test('is it told of a few studies in a day?', () => {
    expect(told(among(hoards(4, 1_000_000)))).toEqual([`medium ${CT01.name}`])
  })

  test('is it told of one or two a day, within the week, and once?', () => {
    const days = Array.from({ length: 6 }, (_, d) => inOrder([...ordinaryDay(TODAY + d), ...later(hoards(1 + (d % 2), 1_000_000), d * DAY)])).flat()
    expect(told(days)).toEqual([`medium ${CT01.name}`])
  })

  test('does a week with all images like that after new software tell of it once?', () => {
    const noon = at(TODAY, 12)
    const days = Array.from({ length: 7 }, (_, d) => upgraded(ordinaryDay(TODAY + d), noon, 1_000_000)).flat()
    expect(ofDetector(alertsOf(days), 'private-data').map(({ device }) => device.name).sort()).toEqual(SCANNERS.map(({ name }) => name).sort())
  })

  test('is it low at most when all images have it from noon on, as with new software?', () => {
    expect(told(upgraded(ordinaryDay(TODAY), at(TODAY, 12), 1_000_000)).every((one) => one.startsWith('low'))).toBe(true)
  })

  test('does it pass where it is little beside the pictures?', () => {
    expect(told(among(hoards(8, 100_000)))).toEqual([])
  })

  test('does it pass in who has always sent as much, give or take?', () => {
    const days = Array.from({ length: 30 }, (_, d) => upgraded(ordinaryDay(TODAY + d), 0, 600_000 + 30_000 * (d % 9)))
    const alerts = alertsOf([...days.flat(), ...inOrder([...upgraded(ordinaryDay(TODAY + 30), 0, 700_000), ...later(hoards(5, 1_000_000), 30 * DAY)])])
    expect(ofDetector(alerts, 'private-data').filter(({ last_seen }) => last_seen > days[3]![0]!.at)).toEqual([])
  })
})
