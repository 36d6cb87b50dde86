/** The tally of alerts that were lost on their way, until an alert of its own has reported it. */
import type { Severity } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'

export interface Losses {
  /** Shed to make room. */
  bySeverity: Partial<Record<Severity, number>>
  /** Refused by the receiver for good. */
  refused: number
  /** Records that could not be read back. */
  corrupt: number
  /** `raised_at` of the first and last alert lost, where known. */
  from: Micros | null
  to: Micros | null
}

export const noLosses = (): Losses => ({ bySeverity: {}, refused: 0, corrupt: 0, from: null, to: null })

export function lossCount(losses: Losses): number {
  return shedCount(losses) + losses.refused + losses.corrupt
}

export function shedCount(losses: Losses): number {
  return Object.values(losses.bySeverity).reduce((sum, n) => sum + n, 0)
}

export function noteShed(losses: Losses, severity: Severity, raisedAt: Micros | null): void {
  losses.bySeverity[severity] = (losses.bySeverity[severity] ?? 0) + 1
  noteTime(losses, raisedAt)
}

export function noteTime(losses: Losses, at: Micros | null): void {
  if (at === null) return
  losses.from = Math.min(losses.from ?? at, at)
  losses.to = Math.max(losses.to ?? at, at)
}

/** Adds `more` to `losses`. */
export function addLosses(losses: Losses, more: Losses): void {
  for (const [severity, n] of Object.entries(more.bySeverity) as [Severity, number][]) {
    losses.bySeverity[severity] = (losses.bySeverity[severity] ?? 0) + n
  }
  losses.refused += more.refused
  losses.corrupt += more.corrupt
  noteTime(losses, more.from)
  noteTime(losses, more.to)
}
