/** How regularly something happens: its latest intervals, and how many of them are alike. */
import type { Micros } from '../../protocols/events.ts'

/** Intervals kept: as many as tell a rhythm in spite of some that were missed. */
const KEPT = 16
/** Beginnings closer together are one beat: programs often open several connections at once. */
const ONE_BEAT: Micros = 2_000_000
/** Alike: within this share of the middle one. */
const NEAR = 0.2
/** Of intervals between beginnings at random (exponential, ln 2 its median) so many are that near to the middle one. */
export const ALIKE_BY_CHANCE = 2 ** (NEAR - 1) - 2 ** -(1 + NEAR)

export interface Rhythm {
  /** When the latest beat began. */
  last: Micros
  gaps: Micros[]
}

export const newRhythm = (at: Micros): Rhythm => ({ last: at, gaps: [] })

/** Another one began. Conversations are told when they end, so a long one may come after those that began later: it is passed over. */
export function beat(rhythm: Rhythm, began: Micros): void {
  const gap = began - rhythm.last
  if (gap < ONE_BEAT) return
  rhythm.last = began
  rhythm.gaps.push(gap)
  if (rhythm.gaps.length > KEPT) rhythm.gaps.shift()
}

/**
 * How many of the intervals are like their middle one, itself not counted: judged by each other alone, so that a pause (a night, an hour without the
 * sensor) or a missed beat changes little.
 */
export function alike(gaps: readonly Micros[]): { middle: Micros; hits: number; tries: number } {
  const sorted = [...gaps].sort((a, b) => a - b)
  const middle = sorted[sorted.length >> 1] ?? 0
  let hits = -1
  for (const gap of sorted) if (Math.abs(gap - middle) <= NEAR * middle) hits++
  return { middle, hits: Math.max(0, hits), tries: Math.max(0, sorted.length - 1) }
}
