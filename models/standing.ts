/**
 * How unusual, in p-values; and when that is enough. Evidence comes in six groups. Within a group only the rarest counts, corrected for
 * how many ways the group had to be rare (Sidak), so correlated streams are never added up. The groups' surprises are added:
 * S = sum max(0, -log10 p_g - 1), each fading with a half-life of a day. The thresholds are a budget of false incidents a day (budget.ts).
 */
import type { Micros } from '../protocols/events.ts'
import type { EvidenceGroup, Severity } from './alert.ts'
import { sidak } from './baseline/distributions.ts'
import { DAY } from './clock.ts'

/** Effective number of tests a group makes in a device-day. */
const TESTS: Record<EvidenceGroup, number> = { identity: 3, novelty: 10, volume: 40, meaning: 20, protocol: 5, slow: 6 }
const GROUPS = Object.keys(TESTS) as EvidenceGroup[]
/** No group alone claims more than one in a million device-days. */
const FLOOR = 1e-6
const HALF_LIFE = DAY

/** Surprise of each group so far, with its time. A device has one of what no incident has told yet, and every incident has its own. */
export interface Standing {
  value: number[]
  at: number[]
}

export const newStanding = (): Standing => ({ value: GROUPS.map(() => 0), at: GROUPS.map(() => 0) })

/** p of the whole group, given its rarest member. */
export const groupP = (group: EvidenceGroup, p: number): number => Math.max(FLOOR, sidak(p, TESTS[group]))

export const surprise = (group: EvidenceGroup, p: number): number => Math.max(0, -Math.log10(groupP(group, p)) - 1)

/** Takes evidence into a standing and answers the new score. */
export function weigh(standing: Standing, group: EvidenceGroup, p: number, at: Micros): number {
  const g = GROUPS.indexOf(group)
  const now = surprise(group, p)
  if (now >= standing.value[g]! * fade(at - standing.at[g]!)) {
    standing.value[g] = now
    standing.at[g] = at
  }
  return score(standing, at)
}

export function score(standing: Standing, at: Micros): number {
  let sum = 0
  for (let g = 0; g < GROUPS.length; g++) sum += standing.value[g]! * fade(at - standing.at[g]!)
  return sum
}

const fade = (age: number): number => (age <= 0 ? 1 : 0.5 ** (age / HALF_LIFE))

/** A group alone reaches 5 at most, so "high" takes two kinds of surprise, or a rule. @param thresholds the highest first (budget.ts) */
export function severityOf(s: number, thresholds: readonly (readonly [number, Severity, ...unknown[]])[]): Severity {
  for (const [threshold, severity] of thresholds) if (s >= threshold) return severity
  return 'info'
}
