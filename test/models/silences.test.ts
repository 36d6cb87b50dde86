/** Who has fallen silent: feeds alone, machines together; and what is no silence of theirs. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { HOUR, at, flow, flowEnd } from './build.ts'
import { dark, outage } from './happenings.ts'
import { ARCHIVE, CT01, HIS, LAB, READERS, SCANNERS, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, experienced, ofDetector } from './learned.ts'

const told = (events: WireEvent[], options?: Partial<EngineOptions>): Alert[] => ofDetector(alertsOf(events, options), 'silence')
const hourOf = ({ raised_at }: Alert): number => (raised_at - at(TODAY, 0)) / HOUR

describe('scanners and readers of a busy hospital', () => {
  const PACE = 3
  const busy = (day: number): WireEvent[] => ordinaryDay(day, undefined, PACE)
  const today = busy(TODAY)
  let learned: string | undefined
  const toldAt = (events: WireEvent[]): Alert[] => {
    const before = new Engine({ onAlert: () => undefined, learnUntil: at(TODAY, 0) })
    if (learned === undefined) {
      for (let day = 0; day < TODAY; day++) for (const event of busy(day)) before.event(event)
      learned = JSON.stringify([...before.save()])
    }
    const alerts = new Map<string, Alert>()
    const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
    engine.load(JSON.parse(learned) as [string, unknown][])
    for (const event of events) engine.event(event)
    engine.finish(at(TODAY + 1, 1))
    return ofDetector([...alerts.values()], 'silence')
  }

  test('are they told in one alert, within four hours, with all of them, when they do nothing any more from eleven on?', () => {
    const [alert, ...more] = toldAt(dark(11, undefined, 24, today))
    expect([alert!.severity, more.length]).toEqual(['medium', 0])
    expect(hourOf(alert!)).toBeLessThanOrEqual(15)
    expect([alert!.device, ...alert!.peers].map(({ name }) => name).sort()).toEqual([...SCANNERS, ...READERS].map(({ name }) => name).sort())
  })

  test.each<[string, WireEvent[]]>([
    ['it is a holiday, and they did nothing all day', dark(0, undefined, 24, today)],
    ['it is one scanner', dark(11, [CT01], 24, today)],
    ['the sensor heard nobody for four hours', today.filter((event) => event.at < at(TODAY, 11) || event.at > at(TODAY, 15))],
    ['the sensor heard nobody until midnight', today.filter((event) => event.at < at(TODAY, 11))],
    ['it is the end of their day', today],
    ['they are back after an hour', dark(11, undefined, 12, today)],
  ])('do they pass when %s?', (_, events) => { expect(toldAt(events)).toEqual([]) })
})

describe('a feed', () => {
  const feed = (from: number, until = 24): Alert[] => told(dark(from, [LAB], until))

  test('is it told, low, when it falls silent at nine?', () => {
    const [alert, ...more] = feed(9)
    expect([alert!.severity, alert!.title, more.length]).toEqual(['low', `${LAB.name} has fallen silent`, 0])
    expect(hourOf(alert!)).toBeLessThan(15)
  })

  test('does it pass for an hour?', () => { expect(feed(9, 10)).toEqual([]) })

  test('is what was declared of it no more than a note?', () => {
    const calendar = new Calendar({ changes: [{ event: 'upgrade', start: at(TODAY, 8), end: at(TODAY, 20), hosts: new Set([LAB.ip]), services: ['*'], note: 'upgrade of the laboratory' }] })
    expect(told(dark(9, [LAB]), { calendar })).toEqual([])
  })
})

test('is a feed that is upgraded from half an hour after its last message on no more than a note?', () => {
  const last = Math.max(...dark(9, [LAB]).filter((event) => event.kind === 'hl7.message' && event.flow.client.ip === LAB.ip).map((event) => event.at))
  const calendar = new Calendar({ changes: [{ event: 'upgrade', start: last + HOUR / 2, end: at(TODAY, 20), hosts: new Set([LAB.ip]), services: ['*'], note: '' }] })
  expect(told(dark(9, [LAB]), { calendar })).toEqual([])
})

describe('live, where a clock tells that time passes', () => {
  const live = (events: WireEvent[]): Alert[] => {
    const alerts = new Map<string, Alert>()
    const engine = experienced({ onAlert: (alert) => alerts.set(alert.id, alert) })
    let minute = 0
    for (const event of events) {
      for (; at(TODAY, 0, minute) < event.at; minute++) engine.tick(at(TODAY, 0, minute))
      engine.event(event)
    }
    return ofDetector([...alerts.values()], 'silence')
  }

  test('does nobody fall silent while the sensor hears nobody for five hours?', () => {
    expect(live(ordinaryDay(TODAY).filter((event) => event.at < at(TODAY, 10) || event.at > at(TODAY, 15)))).toEqual([])
  })

  test('is a feed told that falls silent by itself?', () => {
    expect(live(dark(9, [LAB])).map(({ title }) => title)).toEqual([`${LAB.name} has fallen silent`])
  })
})

test('does the end of an old conversation not count as hearing from its host?', () => {
  const open = flowEnd(flow(LAB, HIS, 2575), at(TODAY, 13), 'hl7', { started: at(TODAY, 6), ended_at: at(TODAY, 8) })
  expect(told(inOrder([...dark(9, [LAB]), open])).map(({ title }) => title)).toEqual([`${LAB.name} has fallen silent`])
})

test('does nobody fall silent on three ordinary days?', () => {
  expect(told([0, 1, 2].flatMap((day) => ordinaryDay(TODAY + day)))).toEqual([])
})

test('does an archive that is away not silence those who try to reach it?', () => {
  expect(told(outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 10), at(TODAY, 20)))).toEqual([])
})
