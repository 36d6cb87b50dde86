/** Who has fallen silent: feeds alone, machines together; and what is no silence of theirs. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { HOUR, at } from './build.ts'
import { dark, outage } from './happenings.ts'
import { ARCHIVE, CT01, LAB, READERS, SCANNERS, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, ofDetector } from './learned.ts'

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

test('does nobody fall silent on three ordinary days?', () => {
  expect(told([0, 1, 2].flatMap((day) => ordinaryDay(TODAY + day)))).toEqual([])
})

test('does an archive that is away not silence those who try to reach it?', () => {
  expect(told(outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 10), at(TODAY, 20)))).toEqual([])
})
