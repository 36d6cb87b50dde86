/** Amounts by powers of two: what share of all that came was as large. */

export const classOf = (amount: number, most: number): number => Math.min(most - 1, amount < 2 ? 0 : Math.floor(Math.log2(amount)))

/** Classes from an amount down to a quarter of it. */
export const QUARTER = 2

/** How many lie in this class or above. */
export function countFrom(counts: readonly number[], class_: number): number {
  let hits = 0
  for (let i = Math.max(0, class_); i < counts.length; i++) hits += counts[i]!
  return hits
}

/** Their share of all, as if half of one more had come. */
export const shareFrom = (counts: readonly number[], class_: number): number => (countFrom(counts, class_) + 0.5) / (countFrom(counts, 0) + 1)

/** A sum, taking each to lie in the middle of its class. */
export function sumFrom(counts: readonly number[], class_: number): number {
  let sum = 0
  for (let i = Math.max(0, class_); i < counts.length; i++) sum += counts[i]! * 1.5 * 2 ** i
  return sum
}
