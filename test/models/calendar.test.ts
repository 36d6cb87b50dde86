import { describe, expect, test } from 'vitest'
import { parseCalendar } from '../../models/calendar.ts'
import { SiteClock, dayOf, hourOfDay, weekdayOf } from '../../models/clock.ts'

const CHANGE = { event: 'migration', start: '2025-04-01T00:00:00Z', end: '2025-04-02T00:00:00Z', hosts: ['10.0.0.1', '10.0.0.2'], note: 'old to new' }
const during = Date.UTC(2025, 3, 1, 12) * 1000
const ip = (...ips: string[]) => new Set(ips)

describe('parseCalendar', () => {
  test('does it read times as text and as seconds?', () => {
    const text = parseCalendar({ changes: [CHANGE] }).changes[0]!
    const seconds = parseCalendar({ changes: [{ ...CHANGE, start: 1743465600, end: 1743552000.5 }] }).changes[0]!
    expect(text.start).toBe(1_743_465_600_000_000)
    expect(seconds.start).toBe(text.start)
    expect(seconds.end).toBe(1_743_552_000_500_000)
  })

  test.each([
    ['no object', 7, /calendar: /],
    ['a time that is none', { changes: [{ ...CHANGE, start: 'tomorrow' }] }, /changes\.0\.start.*RFC 3339/],
    ['an end before its start', { changes: [{ ...CHANGE, end: '2025-03-01T00:00:00Z' }] }, /ends before it starts/],
    ['a zone that is none', { tz: 'Mars/Olympus' }, /tz: .*Europe\/Berlin/],
    ['hosts that are no list', { changes: [{ ...CHANGE, hosts: '10.0.0.1' }] }, /changes\.0\.hosts/],
  ])('does it say what is wrong with %s?', (_name, json, message) => {
    expect(() => parseCalendar(json)).toThrow(message)
  })

  test('are further fields and an empty calendar fine?', () => {
    expect(parseCalendar({ schema: 1, site: 'A' }).changes).toEqual([])
  })
})

describe('excuse', () => {
  const calendar = parseCalendar({
    changes: [CHANGE, { ...CHANGE, hosts: ['10.0.0.9'], note: 'weekly scan' }, { ...CHANGE, hosts: [], note: 'holiday' }],
    allowed_edges: [{ from: '10.0.0.7', to: '*', services: ['C-ECHO'], until: '2025-05-01T00:00:00Z', note: 'monitoring' }],
  })

  test('is what two named hosts do with each other excused, while it lasts and a little longer?', () => {
    expect(calendar.excuse(during, ip('10.0.0.1'), ip('10.0.0.2'), null)).toBe('old to new')
    expect(calendar.excuse(during + 13 * 3_600_000_000, ip('10.0.0.1'), ip('10.0.0.2'), null)).toBe('old to new')
    expect(calendar.excuse(during + 14 * 3_600_000_000, ip('10.0.0.1'), ip('10.0.0.2'), null)).toBeUndefined()
  })

  test('is what one of them does with a stranger not?', () => {
    expect(calendar.excuse(during, ip('10.0.0.1'), ip('10.0.0.66'), null)).toBeUndefined()
    expect(calendar.excuse(during, ip('10.0.0.66'), ip('10.0.0.1'), null)).toBeUndefined()
  })

  test('may a host that is named alone reach anybody, and does a holiday excuse nobody?', () => {
    expect(calendar.excuse(during, ip('10.0.0.9'), ip('10.0.0.66'), null)).toBe('weekly scan')
    expect(calendar.excuse(during, ip('10.0.0.65'), ip('10.0.0.66'), null)).toBeUndefined()
  })

  test('is an allowed edge allowed for its services, until its day?', () => {
    expect(calendar.excuse(during, ip('10.0.0.7'), ip('10.0.0.66'), 'C-ECHO')).toBe('monitoring')
    expect(calendar.excuse(during, ip('10.0.0.7'), ip('10.0.0.66'), 'C-STORE')).toBeUndefined()
    expect(calendar.excuse(during + 40 * 86_400_000_000, ip('10.0.0.7'), ip('10.0.0.66'), 'C-ECHO')).toBeUndefined()
  })

  test('is a change that names its services about nothing else?', () => {
    const live = parseCalendar({ changes: [{ ...CHANGE, services: ['MDM^T02'] }] })
    expect(['MDM^T02', 'ADT^A40', null].map((service) => live.excuse(during, ip('10.0.0.1'), ip('10.0.0.2'), service))).toEqual(['old to new', undefined, undefined])
  })

  test('is every change asked, however many name the same host?', () => {
    const two = parseCalendar({ changes: [{ ...CHANGE, hosts: ['10.0.0.1', '10.0.0.5'] }, CHANGE] })
    expect(two.excuse(during, ip('10.0.0.1'), ip('10.0.0.2'), null)).toBe('old to new')
  })
})

describe('the clock of the site', () => {
  const utc = (text: string): number => Date.parse(text) * 1000

  test('are hours those of the zone, also across a clock change?', () => {
    const berlin = new SiteClock('Europe/Berlin')
    expect(hourOfDay(berlin.hour(utc('2025-03-29T12:00:00Z')))).toBe(13)
    expect(hourOfDay(berlin.hour(utc('2025-03-30T12:00:00Z')))).toBe(14)
    const kolkata = new SiteClock('Asia/Kolkata')
    expect(hourOfDay(kolkata.hour(utc('2025-03-29T12:00:00Z')))).toBe(17)
    expect(hourOfDay(new SiteClock().hour(utc('2025-03-29T12:00:00Z')))).toBe(12)
  })

  test('is a Monday a Monday?', () => {
    expect(weekdayOf(dayOf(new SiteClock().hour(utc('2025-03-31T12:00:00Z'))))).toBe(1)
    expect(weekdayOf(dayOf(new SiteClock('America/Los_Angeles').hour(utc('2025-03-31T03:00:00Z'))))).toBe(0)
  })
})
