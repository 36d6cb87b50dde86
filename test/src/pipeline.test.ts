import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseCalendar } from '../../models/calendar.ts'
import type { Alert } from '../../models/alert.ts'
import { CaptureReader, FRAME, MORE } from '../../protocols/capture/reader.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { Pipeline, type PipelineOptions } from '../../src/pipeline.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import { checkBooks } from '../protocols/contract/wire.ts'
import { published } from './sinks/contract.ts'
import { ordinaryDays, smallTroubles } from './small-hospital.ts'

const settings = { siteKey: new Uint8Array(32), sensor: 's', source: 'test', communityIdSeed: 0 }

function run(capture: Uint8Array, each: (pipeline: Pipeline, at: number, frame: number) => void, options: Partial<PipelineOptions> = {}): { events: WireEvent[]; alerts: Alert[]; pipeline: Pipeline } {
  const events: WireEvent[] = []
  const alerts: Alert[] = []
  const pipeline = new Pipeline({ ...settings, onEvent: (event) => events.push(event), onAlert: (alert) => alerts.push(alert), ...options })
  const reader = new CaptureReader(64 * 1024)
  let from = 0
  for (;;) {
    const step = reader.next()
    if (step === FRAME) {
      each(pipeline, reader.at, reader.frames)
      pipeline.frame(reader)
    } else if (step === MORE) {
      const count = Math.min(64 * 1024, capture.length - from)
      reader.space().set(capture.subarray(from, from + count))
      from += count
      if (count === 0) reader.finish()
      else reader.filled(count)
    } else break
  }
  pipeline.finish()
  return { events, alerts, pipeline }
}

const plain = (event: WireEvent): unknown => JSON.parse(JSON.stringify(event, (_, value: unknown) => typeof value === 'bigint' ? String(value) : value))

describe('time that comes without frames', () => {
  test('do ticks at every second between frames leave every event as it is without them?', () => {
    const capture = ordinaryDays(1)
    let last = 0
    const still = run(capture, () => {})
    const ticked = run(capture, (pipeline, at) => {
      for (let t = last === 0 ? at : last + 1_000_000; t < at; t += Math.max(1_000_000, (at - last) / 400)) pipeline.tick(t)
      last = at
    })
    expect(ticked.events.map(plain)).toEqual(still.events.map(plain))
    expect(still.events.length).toBeGreaterThan(20)
  })

  test('does a conversation end by its silence though no frame comes?', () => {
    const capture = ordinaryDays(1)
    let cut = 0
    const { pipeline } = run(capture.subarray(0, 20_000), (_, at) => { cut = at })
    const flows = (): number => pipeline.events.get('flow') ?? 0
    const events: WireEvent[] = []
    const live = new Pipeline({ ...settings, onEvent: (event) => events.push(event), onAlert: () => {} })
    const reader = new CaptureReader(64 * 1024)
    reader.next()
    reader.space().set(capture.subarray(0, 20_000))
    reader.filled(20_000)
    while (reader.next() === FRAME) live.frame(reader)
    const before = events.filter((e) => e.kind === 'flow').length
    expect(before).toBeLessThan(flows())
    for (let day = 1; day <= 4; day++) for (let minute = 0; minute < 1440; minute += 30) live.tick(cut + ((day - 1) * 1440 + minute) * 60_000_000)
    expect(events.filter((e) => e.kind === 'flow').length).toBe(flows())
  })

  test('is the sensor reported each capture minute, with what the kernel lost, over sections that count anew?', () => {
    const { events, pipeline } = run(ordinaryDays(1), (running, at, frame) => {
      if (frame === 10) running.statistics({ interfaceId: 0, at, kernelDrops: 5, interfaceDrops: 1 })
      if (frame === 20) running.statistics({ interfaceId: 0, at, kernelDrops: 7, interfaceDrops: 1 })
      if (frame === 30) running.statistics({ interfaceId: 0, at, kernelDrops: 2, interfaceDrops: 0 })
      if (frame === 40) running.begin()
      if (frame === 50) running.statistics({ interfaceId: 0, at, kernelDrops: 3, interfaceDrops: 0 })
    }, { reports: true })
    expect(pipeline.decoder.lostInCapture).toEqual({ kernel: 12, interface: 1 })
    const reports = events.filter((e) => e.kind === 'capture')
    expect(reports.length).toBeGreaterThan(2)
    expect(new Set(reports.map((r) => Math.floor(r.at / 60_000_000))).size).toBeGreaterThanOrEqual(reports.length - 1)
    expect(reports.at(-1)!.dropped).toMatchObject({ 'capture.kernel': 12, 'capture.interface': 1 })
  })
})

describe('another calendar while it runs (R25)', () => {
  let demo: Uint8Array
  beforeAll(() => { demo = gunzipSync(readFileSync(join(import.meta.dirname, '../../fixtures/demo/hospital.pcap.gz'))) })

  test('does everything learned go on, and no conversation break?', () => {
    const still = run(demo, () => {})
    const changed = run(demo, (pipeline, _, frame) => { if (frame % 50_000 === 0) pipeline.reconfigure({ sensor: 's', calendar: parseCalendar({}) }) })
    expect(changed.events.length).toBe(still.events.length)
    expect(changed.alerts).toEqual(still.alerts)
    expect(still.alerts.length).toBeGreaterThan(5)
  })
})

describe('the books (R22)', () => {
  const cases = join(import.meta.dirname, '../../fixtures/cases')
  const captures: [string, () => Uint8Array][] = [
    ...readdirSync(cases).filter((name) => name.endsWith('.pcap')).map((name): [string, () => Uint8Array] => [name, () => readFileSync(join(cases, name))]),
    ['an hour that ends badly', () => smallTroubles(60)],
  ]

  test.each(captures)('%s: is every stage\'s input its output, what it dropped and what it holds, from frames to the receiver?', async (_, capture) => {
    const got: Alert[] = []
    const sink = (): Sink => ({ send: (alerts) => { got.push(...alerts); return Promise.resolve() }, close: () => Promise.resolve() })
    await published(sink, async (publisher) => {
      const { events, alerts, pipeline } = run(capture(), () => {})
      checkBooks(pipeline.decoder)
      expect([...pipeline.events.values()].reduce((sum, n) => sum + n, 0)).toBe(events.length)
      for (const alert of alerts) publisher.accept(alert)
      expect(await publisher.drain(5000)).toEqual({ left: 0, lost: 0 })
      const { accepted, delivered, superseded, shed, refused, corrupt, held } = publisher.standing()[0]!.totals
      expect(accepted).toBe(delivered + superseded + shed + refused + corrupt + held)
      expect(delivered).toBe(got.length)
      // Gathered for a moment, the last revision of each.
      expect(new Set(got.map(({ id }) => id))).toEqual(new Set(alerts.map(({ id }) => id)))
    })
  })
})
