/** The first days: nobody knows yet how much work a day brings, so ordinary work is no news, however the capture begins. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { at } from './build.ts'
import { inOrder, ordinaryDay } from './hospital.ts'
import { above } from './learned.ts'

/** WS04 logs in with a passcode in the clear, which is wrong from the first packet on. */
const WRONG_ALWAYS = 'cleartext-identity'

/** What is said about a capture by somebody who knows nothing before it. */
function told(events: WireEvent[], all = false): string[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  for (const event of events) engine.event(event)
  return [...alerts.values()].filter((alert) => above(alert, 'info') && (all || alert.detector !== WRONG_ALWAYS)).map(({ severity, detector, title }) => `${severity} ${detector}: ${title}`)
}

const from = (hour: number, days: number): WireEvent[] =>
  Array.from({ length: days }, (_, day) => ordinaryDay(day, undefined, 3)).flat().filter((event) => event.at >= at(0, hour))

describe('is nothing said about ordinary work', () => {
  test.each([0, 7, 11, 16])('when the capture begins at %i o’clock and lasts three days?', (hour) => {
    expect(told(from(hour, 3))).toEqual([])
  })

  test('when it begins on a quiet Sunday?', () => {
    expect(told([...ordinaryDay(0, undefined, 0.5), ...ordinaryDay(1, undefined, 5), ...ordinaryDay(2, undefined, 6)])).toEqual([])
  })

  test('when the first week is over and everybody but the laboratory rests on Saturday?', () => {
    const saturday = [...ordinaryDay(5, undefined, 0.2).filter((event) => event.kind !== 'hl7.message'), ...ordinaryDay(5, undefined, 3).filter((event) => event.kind === 'hl7.message')]
    expect(told([...from(0, 5), ...inOrder(saturday)])).toEqual([])
  })
})

test('is what nobody has to learn said on the first day?', () => {
  expect(told(ordinaryDay(0), true)).toEqual([expect.stringContaining(WRONG_ALWAYS)])
})
