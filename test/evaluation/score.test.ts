/**
 * Does the scorer say what the reference scorer said? `small.json` holds labels and alerts made by hand for every rule, and what an
 * independent scorer (in Python, by another author, of the same rules) answered.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { atBudget, poissonUpper, quantile, scoreRun, type AlertLine, type Labels } from './score.ts'

interface Example {
  labels: Labels
  alerts: AlertLine[]
  expected: {
    attacks: { id: string; found: boolean; strict: boolean; found_medium: boolean; delay_s: number | null; lost_before: number | null; alerts: number }[]
    severity: Record<string, { attack: number; false: number; 'benign-trigger': number; declared: number; void: number }>
    violations: { id: string; high: number; medium: number }[]
    budgets: { budget: number; precision: number | null; recall: number | null }[]
    false_upper95: Record<string, number>
  }
}

const { labels, alerts, expected } = JSON.parse(readFileSync(new URL('small.json', import.meta.url), 'utf8')) as Example
const run = scoreRun('small', labels, alerts)

test('are the same attacks found, as soon, with as many alerts and studies lost?', () => {
  expect(run.attacks.map((a) => ({
    id: a.label.id, found: a.found, strict: a.strict, found_medium: a.atMedium, delay_s: a.delay, lost_before: a.lost, alerts: a.alerts,
  }))).toEqual(expected.attacks.map(({ id, found, strict, found_medium, delay_s, lost_before, alerts: n }) => ({ id, found, strict, found_medium, delay_s, lost_before, alerts: n })))
})

test('are the other alerts put down to the same causes?', () => {
  for (const [level, counts] of Object.entries(expected.severity)) {
    const { attack, false: wrong, benign, declared, void: nothing } = run.severity[level as 'low']
    expect({ level, attack, false: wrong, 'benign-trigger': benign, declared, void: nothing }).toEqual({ level, ...counts })
  }
  expect(run.violations.map(({ id, high, medium }) => ({ id, high, medium }))).toEqual(expected.violations.map(({ id, high, medium }) => ({ id, high, medium })))
})

test.each(expected.budgets)('is what $budget alerts a day show the same?', ({ budget, precision, recall }) => {
  const ours = atBudget([run], budget)
  expect(ours.precision).toBeCloseTo(precision!, 4)
  expect(ours.recall).toBeCloseTo(recall!, 4)
})

test('are upper limits and quantiles the same?', () => {
  for (const [level, upper] of Object.entries(expected.false_upper95)) expect(poissonUpper(run.severity[level as 'low'].false) / run.days).toBeCloseTo(upper, 4)
  expect(poissonUpper(0)).toBeCloseTo(2.996, 3)
  expect(quantile([], 0.5)).toBeNull()
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
})
