/** Answers that are refused or withheld: a large share of few messages is no large number. */
import { describe, expect, test } from 'vitest'
import type { Hl7Message, WireEvent } from '../../protocols/events.ts'
import { DAY, HOUR, at, refused } from './build.ts'
import { sent, shift } from './happenings.ts'
import { HIS, LAB, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'

const withheld: Partial<Hl7Message> = { acks: [] }
const after = (ms: number): Partial<Hl7Message> => ({ acks: [{ code: 'AA', control_id: null, message_type: 'ACK', bytes: 80, patients: 0, latency_ms: ms }] })
/** Results of the laboratory, so many minutes apart, of which those that are named by number get this answer. */
const results = (n: number, apart: number, these: (i: number) => boolean, answer: Partial<Hl7Message>, of = (i: number) => `any-${i}`): WireEvent[] =>
  sent(LAB, HIS, n, apart, 'ORU^R01', of).map((event, i) => (these(i) ? { ...event, ...answer } as Hl7Message : event))
const told = (events: WireEvent[]) => ofDetector(alertsOf(events), 'hl7-refusals')

describe('answers to an interface that is known', () => {
  test('are two thirds of them, withheld for half an hour, told of the sender who waits?', () => {
    const [alert, ...more] = told(among(results(15, 2, (i) => i % 3 > 0, withheld)))
    expect(more).toEqual([])
    expect(alert).toMatchObject({ title: 'LAB gets no acknowledgement for far more HL7 messages than usual', device: { ip: [LAB.ip] } })
    expect(alert!.explanation).toMatch(/HIS did not acknowledge \d+ of the last 16 messages by LAB/)
    expect(alert!.hosts).toEqual(expect.arrayContaining([LAB.ip, HIS.ip]))
  })

  test('are twenty of forty-five, refused over a night, told of the receiver?', () => {
    const night = shift(results(45, 8, (i) => i % 9 < 4, refused), 11 * HOUR)
    const [alert, ...more] = told([...ordinaryDay(TODAY), ...inOrder([...ordinaryDay(TODAY + 1), ...night])])
    expect(more).toEqual([])
    expect(alert).toMatchObject({ title: 'HIS refuses far more HL7 messages than usual', device: { ip: [HIS.ip] } })
  })

  test('do seven refused messages of one patient pass, as one fault makes them?', () => {
    expect(told(among(results(7, 2, () => true, refused, () => 'the-same')))).toEqual([])
  })

  test('does a message that is tried again and again until it is accepted pass?', () => {
    const again = { ...refused, repeat: { same_body: true, answered: 'AE', after_ms: 1000 } }
    expect(told(among(results(8, 0.1, (i) => i < 7, again)))).toEqual([])
  })

  test('do three of twenty pass?', () => {
    expect(told(among(results(20, 2, (i) => i % 7 === 3, withheld)))).toEqual([])
  })

  test('do ten missing acknowledgements pass where the capture itself loses as much?', () => {
    const day = among(results(15, 2, (i) => i % 3 > 0, withheld)).map((event) => (event.kind === 'flow' && event.at < at(TODAY, 12)
      ? { ...event, gaps: { client: 30 * event.bytes.client, server: 30 * event.bytes.server } } : event))
    expect(told(day)).toEqual([])
  })

  test('are answers after eight seconds, where others take milliseconds, told of the receiver, and no more than low?', () => {
    const [alert, ...more] = told(among(results(20, 2, (i) => i % 3 > 0, after(8000))))
    expect(more).toEqual([])
    expect(alert).toMatchObject({ title: 'HIS acknowledges late far more HL7 messages than usual', severity: 'low', device: { ip: [HIS.ip] } })
    expect(alert!.explanation).toMatch(/HIS needed more than 1 s to acknowledge \d+ of the last 16 messages by LAB/)
  })

  test('do answers within a second pass, however much quicker others are?', () => {
    expect(told(among(results(20, 2, () => true, after(900))))).toEqual([])
  })

  test('do answers after eight seconds pass where three are usual?', () => {
    const slow = (ms: number) => (event: WireEvent) => (event.kind === 'hl7.message' && event.flow.client.ip === LAB.ip ? { ...event, ...after(ms) } : event)
    const days = Array.from({ length: 12 }, (_, day) => inOrder(ordinaryDay(TODAY + day)).map(slow(day < 11 ? 3000 : 8000))).flat()
    const last = Math.max(...told(days).flatMap(({ evidence }) => evidence.map(({ at: when }) => when)))
    expect(last).toBeLessThan(at(TODAY, 0) + 11 * DAY)
  })

  test('is an interface whose answers nobody sees unremarkable, once it is known?', () => {
    const unseen = (day: number) => inOrder(ordinaryDay(TODAY + day)).map((event) => (event.kind === 'hl7.message' && event.flow.client.ip === LAB.ip ? { ...event, ...withheld } : event))
    const last = Math.max(...told(Array.from({ length: 12 }, (_, day) => unseen(day)).flat()).flatMap(({ evidence }) => evidence.filter(({ unit }) => unit === 'messages unanswered').map(({ at: when }) => when)))
    expect(last).toBeLessThan(at(TODAY, 0) + 11 * DAY)
  })
})
