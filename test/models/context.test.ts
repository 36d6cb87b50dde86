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
