/** Do thresholds follow the site's own scores, and no further than they may? */
import { expect, test } from 'vitest'
import { BUDGET, Budget } from '../../models/budget.ts'
import { DAY, at, find, flow, host } from './build.ts'
import { Engine } from '../../models/engine.ts'
import type { Alert } from '../../models/alert.ts'
import { WS01, ordinaryDays } from './hospital.ts'

/** Scores with an exponential tail of this mean, at fixed quantiles: so many device-days a day. */
function site(mean: number, perDay: number, days: number, attack: number[] = []): Budget {
  const budget = new Budget()
  for (let day = 0; day < days; day++) {
    budget.learn([...Array.from({ length: perDay }, (_, i) => 1 - mean * Math.log((i + 0.5 + (day % 7) / 14) / perDay)), ...attack])
  }
  return budget
}
const starts = BUDGET.map(({ start }) => start)
const scores = (budget: Budget): number[] => budget.thresholds().map(([score]) => score)

test('does a site start with the values of the simulations, and keep them when it is quiet?', () => {
  expect(scores(new Budget())).toEqual(starts)
  expect(site(2, 50, 13).derived).toBe(false)
  expect(scores(site(2, 50, 13))).toEqual(starts)
  const quiet = site(0.3, 5, 30)
  expect(quiet.derived).toBe(true)
  expect(scores(quiet)).toEqual(starts)
})

test('does a noisy site get higher ones, so that its budget holds?', () => {
  const budget = site(0.6, 14, 30)
  const low = scores(budget)[2]!
  expect(low).toBeGreaterThan(2.5)
  // By the tail itself: 14 a day above 1, each e-fold rarer per 0.6.
  const falseLow = 14 * Math.exp(-(low - 1) / 0.6)
  expect(falseLow).toBeGreaterThan(0.6)
  expect(falseLow).toBeLessThan(1.4)
})

test('can attacks, however many and however bad, raise them by more than 0.7?', () => {
  const attacked = site(0.3, 5, 60, Array.from({ length: 20 }, () => 25))
  scores(attacked).forEach((score, i) => expect(score - starts[i]!).toBeLessThanOrEqual(0.7 + 1e-9))
})

test('are three thousand findings about strangers in an hour a hundred alerts and one summary with their count?', () => {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  for (const event of ordinaryDays(3)) engine.event(event)
  const before = alerts.size
  const partner = host('', '93.184.215.14')
  for (let i = 0; i < 3000; i++) {
    const stranger = host(`S${i}`, `10.${30 + (i >> 14)}.${(i >> 7) & 127}.${(i & 127) + 1}`)
    const on = flow(stranger, partner)
    engine.event(find(on, at(3, 10) + i * 1000, stranger.name, 1))
  }
  const told = [...alerts.values()].slice(before)
  expect(told.length).toBeLessThanOrEqual(102)
  const storm = told.find((alert) => alert.title.startsWith('A storm of alerts'))!
  expect(storm.count).toBeGreaterThan(1000)
  expect(told.reduce((sum, alert) => sum + alert.count, 0)).toBeGreaterThan(2000)
  expect(storm.last_seen - storm.raised_at).toBeLessThan(DAY)
})

test('do a thousand invented strangers hide what a known device does in the same hour?', () => {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert) })
  const days = 10
  for (const event of ordinaryDays(days)) engine.event(event)
  const partner = host('', '93.184.215.14')
  for (let i = 0; i < 1000; i++) {
    const stranger = host(`S${i}`, `10.30.${i >> 7}.${(i & 127) + 1}`)
    engine.event(find(flow(stranger, partner), at(days, 10) + i * 1000, stranger.name, 1))
  }
  const before = alerts.size
  engine.event(find(flow(WS01, host('', '93.184.215.15')), at(days, 10, 5), WS01.name, 1))
  expect([...alerts.values()].slice(before).map((alert) => alert.device.name)).toEqual([WS01.name])
})
