/** A server that takes connections and rejects every association is as good as down. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { association, at, failedFlow, flow, host, message } from './build.ts'
import { rejecting, times } from './happenings.ts'
import { ARCHIVE, HIS, LAB, READERS, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'

const LOCAL_LIMIT = { result: 2, source: 3, reason: 2 }
const told = (day: ReturnType<typeof ordinaryDay>): Alert[] => ofDetector(alertsOf(day), 'service-down')

describe('an archive that rejects associations', () => {
  test('is it told, once, when it rejects everybody for an hour?', () => {
    const [alert, ...more] = told(rejecting(10, 11, LOCAL_LIMIT))
    expect([alert!.severity, alert!.device.name, more.length]).toEqual(['low', ARCHIVE.name, 0])
    expect(alert!.title).toContain('turns everybody away')
    expect(alert!.evidence[0]!.text).toContain('rejecting associations')
  })

  test('is it more than a note when that lasts for half a day?', () => {
    expect(told(rejecting(9, 15, LOCAL_LIMIT)).map(({ severity }) => severity)).toEqual(['medium'])
  })

  test('is it told when all the while it takes messages?', () => {
    const orders = times(60, 9.5, 2, (when) => message(flow(HIS, ARCHIVE, 2575), when, HIS, ARCHIVE, 'ORM^O01', 'any-1'))
    expect(told(inOrder([...rejecting(10, 11, LOCAL_LIMIT), ...orders])).map(({ device }) => device.name)).toEqual([ARCHIVE.name])
  })

  test('does it pass at a busy hour, when it rejects some and serves others?', () => {
    const some = READERS.map((reader, i) => association(flow(reader, ARCHIVE), at(TODAY, 9 + i, 40), reader.name, {}, { result: 'rejected', reject: LOCAL_LIMIT, ended: 'closed' }))
    expect(told(among(some))).toEqual([])
  })

  test('does it pass for the minutes that it is busy with others?', () => {
    const all = READERS.map((reader, i) => association(flow(reader, ARCHIVE), at(TODAY, 2, 2 * i), reader.name, {}, { result: 'rejected', reject: LOCAL_LIMIT, ended: 'closed' }))
    expect(told(among(all))).toEqual([])
  })
})

describe('an interface engine with two senders', () => {
  const BRIDGE = host('BRIDGE', '10.1.1.9')
  const feeds = (day: number): WireEvent[] => [HIS, LAB].flatMap((from, s) =>
    Array.from({ length: 48 }, (_, n) => message(flow(from, BRIDGE, 2575), at(day, 0, 30 * n + s), from, BRIDGE, 'ADT^A08', `${day}-${s}-${n}`)))
  /** Both, or one of them, find it silent for so many minutes. */
  const found = (minutes: number, senders = [HIS, LAB]): string[] => {
    const alerts = new Map<string, Alert>()
    const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
    for (let day = 0; day < 8; day++) for (const event of inOrder(feeds(day))) engine.event(event)
    for (let minute = 0; minute < minutes; minute++) for (const from of senders) engine.event(failedFlow(flow(from, BRIDGE, 2575), at(8, 9, minute), 'unanswered'))
    return [...alerts.values()].filter(({ severity }) => severity !== 'info').map(({ title }) => title)
  }

  test('is it told when both find it silent for a quarter of an hour, and not for five minutes, nor when one does?', () => {
    expect([found(15), found(5), found(30, [HIS])]).toEqual([['BRIDGE no longer answers'], [], []])
  })
})
