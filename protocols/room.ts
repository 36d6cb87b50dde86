/**
 * Room in a full table. Whoever looks for the one entry to forget at each newcomer pays for the whole table every time, and a flood of newcomers is cheap to
 * send; so a sixteenth goes at once, and a newcomer costs the same in a full table as in an empty one.
 */
import type { Micros } from './events.ts'

const SHARE = 16

/** How many go at once from a table that holds `most`. */
export const shareOf = (most: number): number => Math.ceil(most / SHARE)

/** Later than any capture time: what sorts one thing before all others of another sort. */
const LATEST = 1e18

/**
 * The worth of an entry that goes by what it has proven, and among equals by when it was last heard.
 * @param short steps that it is short of being proven: 0 stays longest
 * @param last capture time
 */
export const provenWorth = (short: number, last: Micros): number => last - short * LATEST

/**
 * Forgets a sixteenth of a table that holds `most` entries or more: those inserted first, or of the least worth, and of equal worth those inserted first.
 * @returns what was forgotten
 */
export function makeRoom<K, V>(table: Map<K, V>, most: number, worth?: (value: V, key: K) => number): [K, V][] {
  return table.size < most ? [] : forgetLeast(table, shareOf(most), worth)
}

/** Forgets `count` entries, in the order of `makeRoom`. @returns what was forgotten */
export function forgetLeast<K, V>(table: Map<K, V>, count: number, worth?: (value: V, key: K) => number): [K, V][] {
  if (count <= 0) return []
  const gone: [K, V][] = []
  if (worth === undefined) {
    for (const entry of table) if (gone.push(entry) >= count) break
  } else {
    const ranked = [...table].map((entry) => ({ entry, worth: worth(entry[1], entry[0]) })).sort((a, b) => a.worth - b.worth)
    for (let i = 0; i < Math.min(count, ranked.length); i++) gone.push(ranked[i]!.entry)
  }
  for (const [key] of gone) table.delete(key)
  return gone
}
