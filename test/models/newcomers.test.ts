/** A new scanner beside its peers: what it was tried out with says nothing of its work; what it does afterwards does. */
import { expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { at, host, study, type Host } from './build.ts'
import { ARCHIVE, inOrder, ordered, ordinaryDay } from './hospital.ts'

import { above, stored } from './learned.ts'

const PEERS = [1, 2, 3, 4, 5].map((n) => host(`CT1${n}`, `10.1.2.3${n}`))
const NEW = host('CT19', '10.1.2.39')
const COMES = 8
const DAYS = 34

const makes = (day: number, by: Host, n: number, of: (i: number) => string): WireEvent[] =>
  Array.from({ length: n }, (_, i) => stored(by, ARCHIVE, at(day, 9 + (8 * i) / n, 3), study(`${by.name}.${day}.${i}.${n}`, of(i), day))).flat()

/** @param tests studies without an order on its first two days; @param later such studies a day from then on */
function toldOf(tests: number, later: number): string[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert), learnUntil: at(COMES + 3, 0) })
  for (let day = 0; day < DAYS; day++) {
    const events = [...ordinaryDay(day), ...PEERS.flatMap((peer) => makes(day, peer, 10, (i) => ordered(day, i % 3, i)))]
    if (day >= COMES && day < COMES + 2) events.push(...makes(day, NEW, tests / 2, (i) => `test-${day}-${i}`))
    if (day >= COMES + 2) events.push(...makes(day, NEW, 10, (i) => ordered(day, i % 3, i)), ...makes(day, NEW, later, (i) => `nobody-${day}-${i}`))
    for (const event of inOrder(events)) engine.event(event)
  }
  return [...alerts.values()].filter((alert) => above(alert, 'info') && alert.evidence.some(({ detector }) => detector === 'unlike-peers')).map(({ title }) => title)
}

test('is a scanner that was tried out with twenty-eight studies like the others, two weeks later?', () => {
  expect(toldOf(28, 0)).toEqual([])
})

test('is it unlike them when it has been sending some without an order every day since?', () => {
  expect(toldOf(28, 4)).toEqual([expect.stringContaining(NEW.name)])
})
