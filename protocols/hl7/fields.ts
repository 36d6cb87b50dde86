/**
 * One segment, split into fields as far as somebody asks. The places of the fields stand in one array that the next split overwrites, so
 * splitting allocates nothing.
 */
import type { Reach } from './charset.ts'
import { PLAIN, characterBytes } from './charset.ts'
import type { Delimiters } from './header.ts'

/** More fields than any segment has that is read here (OBR-24). */
const MOST = 32

const starts = new Int32Array(MOST + 2)
let count = 0
let foreign = false

/**
 * Splits the segment `b[at..end)` into its fields 1 to `last`; field 0 is its name.
 * In the header segments the separator itself is field 1, so their field n is number n - 1 here.
 */
export function splitFields(b: Uint8Array, at: number, end: number, separator: number, last: number, reach: Reach): void {
  const most = Math.min(last, MOST)
  let found = 0
  let plain = true
  starts[0] = at
  for (let i = at; i < end; i++) {
    const c = b[i]!
    if (c === separator) {
      starts[++found] = i + 1
      // One more than asked for, so that the last one has its end.
      if (found > most) break
    } else if (c > 0x7E || c === 0x1B) {
      plain = false
      if (reach !== PLAIN) i += characterBytes(reach, b, i, end) - 1
    }
  }
  if (found <= most) starts[found + 1] = end + 1
  count = found
  foreign = !plain
}

/** Fields found by the last split. */
export const fieldCount = (): number => count
/** The last split met bytes that are not ASCII (or an escape of ISO 2022). */
export const sawForeign = (): boolean => foreign
/** First byte of field n of the last split; 0 when it is missing, as is its end. */
export const fieldStart = (n: number): number => (n > count ? 0 : starts[n]!)
/** One past the last byte of field n. */
export const fieldEnd = (n: number): number => (n > count ? 0 : starts[n + 1]! - 1)

/** Where the first component (of the first repetition) that begins at `at` ends, subcomponents cut off too. */
export function firstPartEnd(b: Uint8Array, at: number, end: number, d: Readonly<Delimiters>): number {
  const { component, repetition, subcomponent } = d
  for (let i = at; i < end; i++) {
    const c = b[i]!
    if (c === component || c === repetition || c === subcomponent) return i
  }
  return end
}

/** Where component `n` (from 1) of `b[at..end)` begins, or -1 when there are fewer. Repetitions must be cut off before. */
export function componentStart(b: Uint8Array, at: number, end: number, separator: number, n: number): number {
  let left = n - 1
  if (left === 0) return at
  for (let i = at; i < end; i++) if (b[i] === separator && --left === 0) return i + 1
  return -1
}

/** The first `separator` in `b[at..end)`, or `end`. */
export function upTo(b: Uint8Array, at: number, end: number, separator: number): number {
  let i = at
  while (i < end && b[i] !== separator) i++
  return i
}
