import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../models/alert.ts'
import { configSchema } from '../../../src/config.ts'
import { SelfWatch, type Sight } from '../../../src/telemetry/self-watch.ts'

function watched(): { at: (seconds: number, sight?: Partial<Sight>) => void; told: Alert[]; self: SelfWatch } {
  let now = Date.UTC(2026, 1, 2)
  const start = now
  const told: Alert[] = []
  const self = new SelfWatch('ward 3', configSchema.parse({}).service, (alert) => told.push(alert), () => now)
  let sight: Sight = { frames: 0, bytes: 0, dropped: 0, gaps: 0, crowded: 0, sinks: [], eventsLost: 0 }
  return {
    told, self,
    at: (seconds, change = {}) => {
      now = start + seconds * 1000
      sight = { ...sight, ...change }
      self.look(sight)
    },
  }
}

describe('never blind and green (R23)', () => {
  test('is silence one alert, and its end a revision of the same?', () => {
    const { at, told, self } = watched()
    at(0, { frames: 100 })
    for (let s = 1; s < 600; s++) at(s)
    expect(told).toEqual([])
    for (let s = 600; s < 700; s++) at(s)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ detector: 'ops.no_traffic', severity: 'high', revision: 1, device: { id: 'sensor:ward 3' } })
    expect(self.silence).toBe(699_000)
    at(700, { frames: 101 })
    expect(told).toHaveLength(2)
    expect(told[1]).toMatchObject({ id: told[0]!.id, revision: 2, raised_at: told[0]!.raised_at, title: 'Traffic is captured again' })
    // Another silence is another alert.
    for (let s = 701; s < 1400; s++) at(s)
    expect(told[2]!.id).not.toBe(told[0]!.id)
  })

  test('are frames that the kernel lost told with how many of how many, once, and the end of it?', () => {
    const { at, told } = watched()
    at(0, { frames: 1000, bytes: 1e6 })
    at(10, { frames: 10_900, dropped: 100 })
    expect(told).toEqual([])
    at(11, { frames: 10_900, dropped: 101 })
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ detector: 'ops.capture_loss', count: 101 })
    expect(told[0]!.explanation).toContain('101 of 10001 frames')
    expect(told[0]!.capture.loss).toBeCloseTo(101 / 10_001, 6)
    for (let s = 12; s < 200; s++) at(s, { frames: 10_900 + s })
    expect(told.map((a) => a.revision)).toEqual([1, 2])
  })

  test('is it told when conversations must be forgotten, not for a burst, and when that is over?', () => {
    const { at, told } = watched()
    at(0, { frames: 1 })
    at(1, { frames: 1e5, bytes: 1e7, crowded: 100 })
    expect(told).toEqual([])
    at(2, { frames: 2e5, bytes: 2e7, crowded: 5000 })
    expect(told).toMatchObject([{ detector: 'ops.crowded', severity: 'medium', count: 5000 }])
    for (let s = 3; s < 200; s++) at(s, { frames: 2e5 + s })
    expect(told.map((a) => a.revision)).toEqual([1, 2])
  })

  test('is what a mirror port lost told, though the kernel lost nothing?', () => {
    const { at, told } = watched()
    at(0)
    at(10, { frames: 5000, bytes: 4_000_000, gaps: 300_000 })
    expect(told).toEqual([])
    at(20, { frames: 6000, bytes: 5_000_000, gaps: 800_000 })
    expect(told.map((a) => a.detector)).toEqual(['ops.capture_loss'])
    expect(told[0]!.explanation).toContain('13.8 %')
  })

  test('is a sink that takes nothing told, each by itself, and a slow one not?', () => {
    const { at, told, self } = watched()
    for (let s = 0; s <= 400; s++) at(s, { frames: s, sinks: [{ sink: 'kafka', what: 'alerts', held: 5 + s, delivered: 7 }, { sink: 'slow', what: 'alerts', held: 900, delivered: Math.floor(s / 100) }] })
    expect(told.map((a) => [a.detector, a.title])).toEqual([['ops.outbox_growing', 'Alerts wait for kafka']])
    expect(self.stalled('kafka')).toBe(400_000)
    expect(self.stalled('slow')).toBe(0)
    at(401, { sinks: [{ sink: 'kafka', what: 'alerts', held: 3, delivered: 8 }, { sink: 'slow', what: 'alerts', held: 900, delivered: 4 }] })
    expect(told.at(-1)).toMatchObject({ id: told[0]!.id, revision: 2, title: 'kafka takes alerts again' })
  })

  test('are events that wait told beside alerts for the same brokers, and events that are lost, once, and the end of it?', () => {
    const { at, told, self } = watched()
    for (let s = 0; s <= 400; s++) at(s, { frames: s, sinks: [{ sink: 'kafka', what: 'alerts', held: 0, delivered: s }, { sink: 'kafka', what: 'events', held: s, delivered: 7 }] })
    expect(told.map((a) => [a.detector, a.title])).toEqual([['ops.outbox_growing', 'Events wait for kafka']])
    expect([self.stalled('kafka'), self.stalled('kafka', 'events')]).toEqual([0, 400_000])
    for (let s = 401; s < 500; s++) at(s, { frames: s, sinks: [{ sink: 'kafka', what: 'events', held: 0, delivered: s }], eventsLost: s < 450 ? s : 450 })
    expect(told.slice(1).map((a) => [a.detector, a.revision])).toEqual([['ops.outbox_growing', 2], ['ops.events_lost', 1]])
    for (let s = 500; s < 600; s++) at(s, { frames: s })
    expect(told.at(-1)).toMatchObject({ id: told[2]!.id, revision: 2, count: 450, title: 'No more events are lost' })
  })

  test('is the end of capturing told, and that it goes on?', () => {
    const { told, self } = watched()
    self.captureGone('the interface eth1 is gone')
    self.captureGone('the interface eth1 is gone')
    self.captureBack()
    expect(told.map((a) => [a.detector, a.revision])).toEqual([['ops.capture_restarted', 1], ['ops.capture_restarted', 2]])
    expect(told[0]!.explanation).toContain('the interface eth1 is gone')
  })
})
