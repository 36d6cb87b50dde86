/** Does a worker that reads events as text, is killed and goes on from an older state, judge exactly as the process that decoded them? */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Alert } from '../../../models/alert.ts'
import { Engine } from '../../../models/engine.ts'
import type { WireEvent } from '../../../protocols/events.ts'
import { eventJson, readEvents } from '../../../src/api.ts'
import { Site } from '../../../src/detect/site.ts'
import type { EventMark } from '../../../src/sinks/event-mark.ts'
import { markHeaders, readMark } from '../../../src/sinks/event-mark.ts'
import { nativeAlert } from '../../../src/sinks/formats/native.ts'
import { parseEvent } from '../../../src/sources/event-json.ts'

const capture = join(import.meta.dirname, '../../../fixtures/demo/hospital.pcap.gz')
const mark = (n: number, stream = 'run'): EventMark => ({ sensor: 'radiology', source: 'replay', stream, n })

describe.skipIf(!existsSync(capture))('a site of a worker', () => {
  const lines: string[] = []
  let expected: string[]
  beforeAll(async () => {
    const alerts: string[] = []
    const engine = new Engine({ onAlert: (alert) => alerts.push(nativeAlert(alert)), sensor: 'radiology', source: 'replay' })
    for await (const event of readEvents([capture], { siteKey: Buffer.alloc(32, 7) })) {
      lines.push(eventJson(event))
      engine.event(event)
    }
    expected = alerts
  })

  const fed = (site: Site, from = 0, to = lines.length): void => {
    for (let n = from; n < to; n++) site.take(lines[n]!, mark(n))
  }
  /** As the changelog keeps it. */
  const stored = (site: Site): Map<string, unknown> => new Map(JSON.parse(JSON.stringify([...site.save()])) as [string, unknown][])

  /** After all events, without a break. */
  let whole: [string, unknown][]

  test('does it raise the same alerts, byte for byte, from the text of the events?', () => {
    const alerts: string[] = []
    const site = new Site({ onAlert: (alert) => alerts.push(nativeAlert(alert)) })
    fed(site)
    whole = [...stored(site)]
    expect(expected.length).toBeGreaterThan(10)
    expect(alerts).toEqual(expected)
  })

  test('does it go on exactly, alerts and state, when it is saved and loaded in the middle, again and again?', () => {
    const alerts: string[] = []
    let site = new Site({ onAlert: (alert) => alerts.push(nativeAlert(alert)) })
    for (let from = 0, step = 1777; from < lines.length; from += step) {
      fed(site, from, Math.min(lines.length, from + step))
      const next = new Site({ onAlert: (alert) => alerts.push(nativeAlert(alert)) })
      next.load(stored(site))
      expect(stored(next)).toEqual(stored(site))
      site = next
    }
    expect(alerts).toEqual(expected)
    expect(Object.fromEntries(stored(site))).toEqual(Object.fromEntries(whole))
  })

  test('is an event that a sensor sends again judged once, and one that never came counted?', () => {
    const alerts: string[] = []
    const site = new Site({ onAlert: (alert) => alerts.push(nativeAlert(alert)) })
    for (let n = 0; n < lines.length; n++) {
      site.take(lines[n]!, mark(n))
      if (n % 7 === 3) for (let again = n - 3; again <= n; again++) site.take(lines[again]!, mark(again))
    }
    expect(alerts).toEqual(expected)
    const { in: all, judged, repeated, unreadable } = site.counts
    expect(all).toBe(judged + repeated + unreadable)
    expect(judged).toBe(lines.length)
    site.take(lines[0]!, mark(5, 'another'))
    expect(site.counts.missed).toBe(5)
  })

  test('are events that never came told once an hour of capture time, with how many, also after a break, the same every time?', () => {
    const told = (cuts: readonly number[]): string[] => {
      const alerts: Alert[] = []
      const begin = (): Site => new Site({ onAlert: (alert) => alerts.push(alert) })
      let site = begin()
      for (let n = 0; n < 3000; n++) {
        if (cuts.includes(n)) {
          const next = begin()
          next.load(stored(site))
          site = next
        }
        if (n % 100 !== 50) site.take(lines[n]!, mark(n))
      }
      expect(site.counts.missed).toBe(30)
      return alerts.filter((a) => a.detector === 'ops.events_missing').map(nativeAlert)
    }
    const once = told([])
    expect(once.length).toBeGreaterThan(1)
    expect(once.length).toBeLessThan(30)
    expect(JSON.parse(once[0]!)).toMatchObject({ severity: 'medium', count: 1, device: { id: 'sensor:radiology' } })
    expect(told([51, 700, 2000])).toEqual(once)
  })

  test('does what is no event of ours hurt nobody, and is it counted?', () => {
    const site = new Site({ onAlert: () => {} })
    const hostile = ['', '{}', 'null', '[]', '{"kind":"flow"}', lines[0]!.slice(0, -5), lines[0]!.replace(/"at":"[^"]*"/, '"at":"yesterday"'),
      lines.find((line) => line.includes('hl7.message'))!.replace(/}$/, ',"repeat":{"same_body":true,"answered":5}}')]
    for (const [n, text] of hostile.entries()) site.take(text, mark(n))
    expect(site.counts).toMatchObject({ in: hostile.length, judged: 0, unreadable: hostile.length })
  })
})

test('is every event read back from its text as it was decoded?', async () => {
  const plain = (event: WireEvent): unknown => JSON.parse(JSON.stringify(event))
  let count = 0
  for await (const event of readEvents([join(import.meta.dirname, '../../../fixtures/cases/pipelined-messages.pcap')], { siteKey: Buffer.alloc(32, 7) })) {
    expect(plain(parseEvent(eventJson(event), (json, transport) => ({ ...json, transport }))!)).toEqual(plain(event))
    count++
  }
  expect(count).toBeGreaterThan(3)
})

test('do headers say which event it is, and are others not taken for ours?', () => {
  const asKafka = (headers: Record<string, string>): Record<string, Buffer> => Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, Buffer.from(v)]))
  const given: EventMark = { sensor: 'Röntgen 1/\ud800', source: 'eth0', stream: '0abc', n: 12 }
  expect(readMark(asKafka(markHeaders(given)))).toEqual({ ...given, sensor: 'Röntgen 1/\ufffd' })
  for (const change of [{ ce_id: 'x' }, { ce_id: '0abc.-1' }, { ce_source: '/sensor/%' }, { ce_type: 'other' }, { ce_source: 'x' }]) {
    expect(readMark(asKafka({ ...markHeaders(given), ...change }))).toBeUndefined()
  }
  expect(readMark(undefined)).toBeUndefined()
})
