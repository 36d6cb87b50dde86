/**
 * Walks the head of a data set (PS3.5 section 7) that may end anywhere: implicit or explicit VR, either byte order, nested
 * sequences of defined or undefined length. Never throws; a value that is cut off is not reported.
 */
import { inflateRawSync, constants } from 'node:zlib'
import { u16be, u16le, u32be, u32le } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { DEFLATED_LE, EXPLICIT_BE, IMPLICIT_LE } from './uids.ts'

const ITEM = 0xfffee000
const ITEM_END = 0xfffee00d
const SEQUENCE_END = 0xfffee0dd
const UNDEFINED = 0xffffffff
const PIXEL_DATA = 0x7fe00010

/** VRs whose length has 32 bits (PS3.5 table 7.1-1), as two characters packed. */
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'].map((vr) => (vr.charCodeAt(0) << 8) | vr.charCodeAt(1)))
const SQ = 0x5351
const UN = 0x554e

export interface Encoding {
  implicit: boolean
  bigEndian: boolean
  deflated: boolean
}

export function encodingOf(transferSyntax: string): Encoding {
  return { implicit: transferSyntax === IMPLICIT_LE, bigEndian: transferSyntax === EXPLICIT_BE, deflated: transferSyntax === DEFLATED_LE }
}

/** Guesses from the first element where the negotiation was not seen: two capital letters behind the tag mean explicit VR. */
export function guessEncoding(b: Uint8Array, end: number): Encoding | undefined {
  if (end < 8) return undefined
  const isCapital = (c: number): boolean => c >= 0x41 && c <= 0x5a
  const explicit = isCapital(b[4]!) && isCapital(b[5]!)
  const bigEndian = explicit && b[0] === 0 && b[1]! > 0 && b[1]! < 0x30
  const group = bigEndian ? u16be(b, 0) : u16le(b, 0)
  if (group < 0x0008 || group > 0x7fe0 || (!explicit && u32le(b, 4) > 0xffff)) return undefined
  return { implicit: !explicit, bigEndian, deflated: false }
}

/** The first bytes of a deflated data set (PS3.5 A.5), inflated as far as they go; empty when they are none. */
export function inflateHead(b: Uint8Array, end: number): Uint8Array {
  try {
    return inflateRawSync(b.subarray(0, end), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LIMITS.dicom.headBytes })
  } catch {
    // Not deflated after all, or more than the budget.
    return new Uint8Array(0)
  }
}

/**
 * Called for each element with a value, in order. `path` is the tag of the outermost sequence it is in, 0 at the top.
 * @returns false to end the walk
 */
export type Visit = (tag: number, path: number, start: number, end: number) => boolean

/** @returns true when the walk was ended by `visit`, by pixel data or by the end of the data set; false when it wants more bytes */
export function walkDataSet(b: Uint8Array, end: number, { implicit, bigEndian }: Encoding, visit: Visit): boolean {
  const u16 = bigEndian ? u16be : u16le
  const u32 = bigEndian ? u32be : u32le
  let depth = 0
  let outer = 0
  /** Where sequences of defined length end; 0 for those of undefined length. */
  const ends: number[] = []
  for (let at = 0; at + 8 <= end;) {
    while (depth > 0 && ends[depth - 1] !== 0 && at >= ends[depth - 1]!) depth--
    const tag = u16(b, at) * 0x10000 + u16(b, at + 2)
    let value = at + 8
    let length: number
    let isSequence = false
    if (implicit || tag >>> 16 === 0xfffe) {
      length = u32(b, at + 4)
      isSequence = tag >>> 16 !== 0xfffe && (length === UNDEFINED || SEQUENCES.has(tag))
    } else {
      const vr = (b[at + 4]! << 8) | b[at + 5]!
      if (LONG_VRS.has(vr)) {
        if (at + 12 > end) return false
        length = u32(b, at + 8)
        value = at + 12
        isSequence = vr === SQ || (vr === UN && length === UNDEFINED)
      } else length = u16(b, at + 6)
    }
    if (tag === PIXEL_DATA && depth === 0) return true
    if (tag === ITEM) { at = value; continue }
    if (tag === ITEM_END) { at = value; continue }
    if (tag === SEQUENCE_END) { depth = Math.max(0, depth - 1); at = value; continue }
    if (isSequence) {
      if (depth === 0) outer = tag
      if (depth >= LIMITS.dicom.depth) return true
      // Sequences that hold nothing we look for are passed over where their length allows it.
      if (length !== UNDEFINED && !SEQUENCES.has(tag)) { at = value + length; continue }
      ends[depth++] = length === UNDEFINED ? 0 : value + length
      at = value
      continue
    }
    if (length === UNDEFINED) return true
    if (value + length > end) {
      // What is passed over need not be held; what is looked for must be whole.
      return false
    }
    if (!visit(tag, depth === 0 ? 0 : outer, value, value + length)) return true
    at = value + length
  }
  return false
}

/** Sequences that are walked into: the scheduled step of worklists and MPPS, references of storage commitment. */
const SEQUENCES = new Set([0x00400100, 0x00400270, 0x00081199, 0x00081198])
