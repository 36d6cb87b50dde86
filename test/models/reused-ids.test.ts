/** Control ids of accepted HL7 messages that are used again for another content: a recorded message sent again, changed; or a counter that begins anew. */
import { describe, expect, test } from 'vitest'
import type { Hl7Message, WireEvent } from '../../protocols/events.ts'
import { DAY, HOUR, MINUTE, at, flow, host, message } from './build.ts'
import { later, times } from './happenings.ts'
import { HIS, LAB, RIS, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, above, alertsOf, among } from './learned.ts'

/** Its id was another message's hours ago. */
const changed = (answered: string | null = 'AA', after_ms = 3 * HOUR / 1000): Partial<Hl7Message> => ({ repeat: { same_body: false, answered, after_ms } })
/** On a connection on which new messages go on. */
const edited = (n: number, more = changed()): WireEvent[] => {
  const on = flow(HIS, RIS, 2575)
  return times(2 * n, 9, 5, (when, i) => message(on, when, HIS, RIS, 'ADT^A08', `any-${i}`, i % 2 === 1 ? more : {}))
}
const told = (day: WireEvent[]): string[] =>
  alertsOf(day).filter((alert) => above(alert, 'info') && alert.evidence.some(({ unit }) => unit === 'messages with the control id of another one')).map(({ severity, title }) => `${severity} ${title}`)

describe('messages with the control id of an accepted one and another content', () => {
  test('are a handful told, and more than a handful as more?', () => {
    expect(told(among(edited(4)))).toEqual(['low HIS sends accepted messages again, with another content'])
    expect(told(among(edited(14)))).toEqual(['medium HIS sends accepted messages again, with another content'])
  })

  test.each([
    ['two are no pattern', edited(2)],
    ['what was refused is sent again corrected', edited(14, changed('AE'))],
    ['ids that are made of the time of day', edited(14, changed('AA', 900))],
  ])('do they pass: %s?', (_what, more) => {
    expect(told(among(more))).toEqual([])
  })

  test('does a counter pass that begins anew, so that every message has the id of an earlier one?', () => {
    const day = ordinaryDay(TODAY).map((event): WireEvent => (event.kind === 'hl7.message' && event.flow.client.ip === HIS.ip ? { ...event, ...changed() } : event))
    expect(told(day)).toEqual([])
  })

  test('does an engine pass, which passes on the ids of several senders?', () => {
    const engine = host('ENGINE', '10.1.4.9')
    const [feeds, passes] = [flow(HIS, engine, 2575), flow(engine, RIS, 2575)]
    const day = (d: number, more: Partial<Hl7Message>): WireEvent[] => Array.from({ length: 20 }, (_, i) => at(TODAY + d, 9, 10 * i)).flatMap((when, i) => [
      message(feeds, when, HIS, engine, 'ADT^A08', `e${i}`), message(passes, when + MINUTE / 60, HIS, RIS, 'ADT^A08', `e${i}`, i % 2 === 0 ? more : {}),
      message(flow(engine, LAB, 2575), when + MINUTE / 30, HIS, LAB, 'ADT^A08', `e${i}`),
    ])
    expect(told(Array.from({ length: 6 }, (_, d) => inOrder([...ordinaryDay(TODAY + d), ...day(d, d === 5 ? changed() : {})])).flat())).toEqual([])
  })

  test('does a sender pass that numbers its messages like that every other day (once it is known to)?', () => {
    const days = Array.from({ length: 12 }, (_, d) => inOrder([...ordinaryDay(TODAY + d), ...(d % 2 === 0 ? later(edited(4), d * DAY) : [])])).flat()
    const alerts = alertsOf(days).filter(({ evidence }) => evidence.some(({ unit }) => unit?.startsWith('messages with the control id') === true))
    expect(alerts.every(({ first_seen }) => first_seen < days[0]!.at + 7 * DAY)).toBe(true)
  })
})
