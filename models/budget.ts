/**
 * From a budget of false incidents a day to thresholds of the score. They start as constants that hold on benign simulations; from 14 days
 * on the site's own unremarkable device-days say how the score is distributed here, and a site that is noisier than assumed gets higher
 * thresholds, so that its budget holds.
 *
 * Fitted is the exponential tail of each device-day's highest score above FROM, censored at the lowest starting threshold: what lies
 * beyond may be an attack, and must not raise the bar by how far it went. Thresholds only rise, and by no more than MOST, so that
 * nobody can make a site deaf.
 */
import type { Severity } from './alert.ts'
import { KEEP } from './baseline/counts.ts'

/** Expected false incidents per day of the site, and the score that keeps them on benign simulations. */
export const BUDGET: readonly { severity: Severity; perDay: number; start: number }[] = [
  { severity: 'high', perDay: 0.02, start: 5.1 }, { severity: 'medium', perDay: 0.1, start: 3.5 }, { severity: 'low', perDay: 1, start: 2.5 },
]
const FROM = 1
const CENSOR = 2.5
const MOST = 0.7
/** Days, and device-days above FROM, before the site speaks for itself. */
const DAYS = 14
const ENOUGH = 30

export interface BudgetState {
  /** Days learned; device-days, those above FROM and those beyond CENSOR, and the sum of how far above FROM they were: forgotten slowly. */
  days: number
  weight: number
  deviceDays: number
  above: number
  beyond: number
  sum: number
}

export class Budget {
  state: BudgetState = { days: 0, weight: 0, deviceDays: 0, above: 0, beyond: 0, sum: 0 }

  /** A day is over: the highest score of each device that was active. */
  learn(scores: Iterable<number>): void {
    const { state } = this
    for (const key of ['weight', 'deviceDays', 'above', 'beyond', 'sum'] as const) state[key] *= KEEP
    state.days++
    state.weight++
    for (const score of scores) {
      state.deviceDays++
      if (score < FROM) continue
      state.above++
      state.sum += Math.min(score, CENSOR) - FROM
      if (score >= CENSOR) state.beyond++
    }
  }

  /** Does the site speak for itself? */
  get derived(): boolean {
    return this.state.days >= DAYS && this.state.above >= ENOUGH
  }

  /** Mean excess of the fitted tail; undefined while the site does not speak for itself. */
  get meanExcess(): number | undefined {
    const { above, beyond, sum } = this.state
    return this.derived && above > beyond ? sum / (above - beyond) : undefined
  }

  /** The score from which an alert has a severity, the highest first. */
  thresholds(): [score: number, severity: Severity, perDay: number][] {
    const mean = this.meanExcess
    return BUDGET.map(({ severity, perDay, start }) => {
      if (mean === undefined) return [start, severity, perDay]
      const fitted = FROM + mean * Math.log(this.state.above / this.state.weight / perDay)
      return [Math.min(start + MOST, Math.max(start, fitted)), severity, perDay]
    })
  }
}
