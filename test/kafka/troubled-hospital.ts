/** Nearly a week of a small hospital that ends badly, as events: several devices do what they never did, and on over midnight. The same every time. */
import type { WireEvent } from '../../protocols/events.ts'
import { SECOND, at, failedFlow, flow, host, message, move, operation, store, study, violation } from '../models/build.ts'
import { ARCHIVE, CT01, RIS, STRANGER, WS01, WS02, inOrder, ordinaryDay, ordinaryDays } from '../models/hospital.ts'

const LEARNED = 5

export function troubledHospital(): WireEvent[] {
  const events = [...ordinaryDay(LEARNED), ...ordinaryDay(LEARNED + 1)]
  const partner = flow(CT01, host('PARTNER', '93.184.215.14'))
  const orders = flow(STRANGER, RIS, 2575)
  const borrowed = flow(STRANGER, ARCHIVE)
  for (let i = 0; i < 90; i++) {
    const when = at(LEARNED, 10, i * 15)
    events.push(store(partner, when, CT01.name, study(`bad${i}`, `bad-${i}`, LEARNED - 300)))
    events.push(failedFlow(flow(WS02, host('', `10.1.8.${i + 1}`), 445), when + SECOND, 'unanswered'))
    events.push(message(orders, when + 2 * SECOND, STRANGER, RIS, 'ADT^A40', 'one'))
    events.push(move(flow(WS01, ARCHIVE), when + 3 * SECOND, WS01.name, 'EXPORT9'))
    events.push(violation(flow(WS02, ARCHIVE), when + 4 * SECOND, `pdu.rule-${i}`))
    if (i % 10 === 0) events.push(operation(borrowed, when + 5 * SECOND, CT01.name, 'C-FIND'))
  }
  return [...ordinaryDays(LEARNED), ...inOrder(events)]
}
