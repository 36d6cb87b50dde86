/**
 * Where HL7 begins: a header segment (MSH, FHS, BHS) or a batch trailer, and the separators that its first fields declare
 * (HL7 v2.5.1 section 2.5.4: `MSH|^~\&|`).
 */
import { MORE, NO, YES } from '../protocol.ts'
import type { Verdict } from '../protocol.ts'
import { BHS, BTS, FHS, FTS, MSH, NAMELESS, nameAt } from './segment-names.ts'

/** Byte values; NONE for one that is not declared. */
export interface Delimiters {
  field: number
  component: number
  repetition: number
  escape: number
  subcomponent: number
}

export const NONE = -1

/** What most of the world sends, and what is meant where a header is cut short. */
export const USUAL: Readonly<Delimiters> = { field: 0x7C, component: 0x5E, repetition: 0x7E, escape: 0x5C, subcomponent: 0x26 }

export const isUpper = (c: number): boolean => c >= 0x41 && c <= 0x5A
export const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39
const isLower = (c: number): boolean => c >= 0x61 && c <= 0x7A

/** Anything printable that is neither letter, digit nor blank may separate. */
const isSeparator = (c: number): boolean => c > 0x20 && c !== 0x7F && !isUpper(c) && !isDigit(c) && !isLower(c)

/** A segment's name: a capital, then capitals or digits. */
export function isSegmentName(b: Uint8Array, at: number): boolean {
  const second = b[at + 1]!
  const third = b[at + 2]!
  return isUpper(b[at]!) && (isUpper(second) || isDigit(second)) && (isUpper(third) || isDigit(third))
}

/** The name of the segment `b[at..end)`: alone, or in front of the message's separator. A header segment declares its own, and another behind it. */
export function segmentName(b: Uint8Array, at: number, end: number, separator: number): number {
  if (end - at < 3) return NAMELESS
  const name = nameAt(b, at)
  if (isHeader(name)) return end - at >= OPENING && isSeparator(b[at + 3]!) && isSeparator(b[at + 4]!) ? name : NAMELESS
  return (b[at + 3] === separator || end - at === 3) && isSegmentName(b, at) ? name : NAMELESS
}

const isHeader = (name: number): boolean => name === MSH || name === FHS || name === BHS

/** Behind an LF: does another segment follow (a name and a separator), or the end of the message? */
export function isSegmentNext(b: Uint8Array, at: number, end: number): Verdict {
  if (at < end && b[at]! < 0x20) return YES
  if (at + 3 >= end) return MORE
  return isSegmentName(b, at) && (isSeparator(b[at + 3]!) || b[at + 3]! < 0x20) ? YES : NO
}

/** Bytes that `opensBlock` needs at most. */
export const OPENING = 5

/** Inside a frame the frame vouches for it, so five bytes do: name, separator, and something that is no second separator's letter. */
export function opensBlock(b: Uint8Array, at: number, end: number): Verdict {
  const have = end - at
  const first = b[at]!
  if (have < 1) return MORE
  if (first !== 0x4D && first !== 0x46 && first !== 0x42) return NO
  if (have < 3) return matchesSoFar(b, at, end) ? MORE : NO
  const name = nameAt(b, at)
  if (isHeader(name)) {
    if (have < OPENING) return have > 3 && !isSeparator(b[at + 3]!) ? NO : MORE
    return isSeparator(b[at + 3]!) && isSeparator(b[at + 4]!) ? YES : NO
  }
  if (name !== BTS && name !== FTS) return NO
  // A trailer may be its name alone.
  if (have < 4) return MORE
  return isSeparator(b[at + 3]!) || b[at + 3]! < 0x20 ? YES : NO
}

const NAMES = ['MSH', 'FHS', 'BHS', 'BTS', 'FTS']
const matchesSoFar = (b: Uint8Array, at: number, end: number): boolean =>
  NAMES.some(name => b[at] === name.charCodeAt(0) && (end - at < 2 || b[at + 1] === name.charCodeAt(1)))

/** Bytes that `opensBare` needs at most: name, separator, five encoding characters, separator. */
export const BARE_OPENING = 10

/** Without a frame the header must vouch for itself: two to five different separators between two field separators. */
export function opensBare(b: Uint8Array, at: number, end: number): Verdict {
  const have = end - at
  if (have < 1) return MORE
  if (have < 3) return matchesSoFar(b, at, end) ? MORE : NO
  const name = nameAt(b, at)
  if (!isHeader(name)) return NO
  if (have < 4) return MORE
  const field = b[at + 3]!
  if (!isSeparator(field)) return NO
  for (let i = at + 4; i < at + BARE_OPENING; i++) {
    if (i >= end) return MORE
    const c = b[i]!
    if (c === field) return i - (at + 4) >= 2 ? YES : NO
    if (!isSeparator(c)) return NO
    for (let j = at + 4; j < i; j++) if (b[j] === c) return NO
  }
  return NO
}

/**
 * Reads the separators of a header segment at `b[at..end)`.
 * Not declared: component, repetition, escape and subcomponent keep their usual value unless it is already taken.
 *
 * @returns false when a separator is declared twice, so that what follows is ambiguous.
 */
export function readDelimiters(b: Uint8Array, at: number, end: number, into: Delimiters): boolean {
  const field = at + 3 < end ? b[at + 3]! : USUAL.field
  let stop = at + 4
  while (stop < end && stop < at + 9 && b[stop] !== field) stop++
  const declared = stop - (at + 4)
  into.field = field
  into.component = declared > 0 ? b[at + 4]! : USUAL.component
  into.repetition = declared > 1 ? b[at + 5]! : free(USUAL.repetition, into)
  into.escape = declared > 2 ? b[at + 6]! : free(USUAL.escape, into)
  into.subcomponent = declared > 3 ? b[at + 7]! : free(USUAL.subcomponent, into)
  for (let i = 0; i < declared; i++) for (let j = 0; j < i; j++) if (b[at + 4 + i] === b[at + 4 + j]) return false
  return declared > 0
}

const free = (usual: number, taken: Delimiters): number =>
  usual === taken.field || usual === taken.component || usual === taken.repetition ? NONE : usual
