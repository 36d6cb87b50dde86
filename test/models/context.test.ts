/** Who may give a reason to look at a patient's images. */
import { expect, test } from 'vitest'
import { OrderContext } from '../../models/context.ts'
import { at, flow, host, message, patient, HOUR, type Host } from './build.ts'

const RIS = host('RIS', '10.0.0.3')
const NEW_RIS = host('RIS2', '10.0.0.4')
const PACS = host('PACS', '10.0.0.1')
const WS = host('WS', '10.0.1.66')

const order = (orders: OrderContext, from: Host, of: string, when: number): void => orders.message(message(flow(from, PACS, 2575), when, from, PACS, 'ORM^O01', of))

/** A feed of four days, an order every quarter of an hour. */
function fed(): OrderContext {
  const orders = new OrderContext()
  for (let minute = 0; minute < 4 * 24 * 60; minute += 15) order(orders, RIS, `real ${minute}`, at(0, 0, minute))
  return orders
}
const NOW = at(4, 0, 5)

test('is what a system that never sent orders before says no reason, however much it says, and does it push out none?', () => {
  const orders = fed()
  const stolen = message(flow(WS, PACS, 2575), NOW, WS, PACS, 'ORM^O01', '')
  for (let i = 0; i < 300_000; i++) orders.message({ ...stolen, patient: patient(`stolen ${i}`) })
  expect(orders.explained(patient('stolen 1'), NOW)).toBe(false)
  expect(orders.explained(patient('real 0'), NOW)).toBe(true)
  expect(orders.visible(NOW)).toBe(true)
})

test('do invented addresses not make the feed forget who gives its orders?', () => {
  const orders = fed()
  for (let i = 0; i < 5000; i++) order(orders, host('X', `10.9.${i >> 8}.${i & 255}`), 'stolen', NOW)
  order(orders, RIS, 'one more', NOW + 1)
  expect(orders.explained(patient('one more'), NOW + 1)).toBe(true)
  expect(orders.explained(patient('stolen'), NOW + 1)).toBe(false)
})

test('is everybody believed while the feed itself is young?', () => {
  const orders = new OrderContext()
  order(orders, RIS, 'a', at(0, 8))
  order(orders, NEW_RIS, 'b', at(1, 8))
  expect(orders.explained(patient('b'), at(1, 9))).toBe(true)
})

test('is nothing called unexplained while the feed has moved to a system that is not known yet, and is that one believed later?', () => {
  const orders = fed()
  for (let hour = 1; hour < 60; hour++) {
    order(orders, NEW_RIS, `moved ${hour}`, NOW + hour * HOUR)
    expect(orders.visible(NOW + hour * HOUR + 1)).toBe(hour < 2 || hour >= 49)
  }
  expect(orders.explained(patient('moved 55'), NOW + 60 * HOUR)).toBe(true)
})

test('does a saved feed know its senders again, and one that was saved before they were told apart meet them anew?', () => {
  const saved = new Map(fed().save())
  const load = (entries: Map<string, unknown>): OrderContext => {
    const orders = new OrderContext()
    orders.load(entries)
    order(orders, WS, 'stolen', NOW)
    order(orders, RIS, 'one more', NOW)
    return orders
  }
  expect([...['stolen', 'one more'].map((of) => load(saved).explained(patient(of), NOW))]).toEqual([false, true])
  saved.delete('context/senders')
  const { first, last, reasons } = saved.get('context') as { first: number; last: number; reasons: number }
  saved.set('context', { first, last, reasons })
  expect(load(saved).explained(patient('one more'), NOW)).toBe(true)
})

/** Two weeks of orders, twelve an hour from eight to six, one at night. */
function busy(): OrderContext {
  const orders = new OrderContext()
  for (let day = 0; day < 14; day++) {
    for (let hour = 0; hour < 24; hour++) for (let n = 0; n < (hour >= 8 && hour < 18 ? 12 : 1); n++) order(orders, RIS, `real ${day} ${hour} ${n}`, at(day, hour, 5 * n))
  }
  return orders
}

test('is nothing called unexplained while a sender is silent that would have sent twenty orders, and anything again when it speaks, or is gone for good?', () => {
  const orders = busy()
  for (let hour = 0; hour < 10; hour++) order(orders, RIS, `today ${hour}`, at(14, hour))
  expect([at(14, 9, 30), at(14, 10), at(14, 12), at(14, 17)].map((when) => orders.visible(when))).toEqual([true, true, false, false])
  order(orders, RIS, 'again', at(14, 17, 30))
  expect(orders.visible(at(14, 17, 35))).toBe(true)
})

test('is a quiet night no silence?', () => {
  const orders = busy()
  order(orders, RIS, 'today', at(14, 0))
  expect(orders.visible(at(14, 7))).toBe(true)
})

test('can nobody blind the sensor by ordering for an hour, and ending it?', () => {
  const orders = busy()
  for (let n = 0; n < 3000; n++) order(orders, WS, `stolen ${n}`, at(14, 8, n / 50))
  for (let hour = 0; hour < 24; hour++) for (let n = 0; n < 12; n++) order(orders, RIS, `today ${hour} ${n}`, at(14, hour, 5 * n))
  for (let n = 0; n < 12; n++) order(orders, RIS, `next ${n}`, at(15, 8, 5 * n))
  expect(orders.visible(at(15, 9))).toBe(true)
})
