/** Is this DICOM, and where does a unit begin? By content alone, at the start of a connection and anywhere in it. */
import { u32be } from '../bytes.ts'
import { MORE, NO, YES, YES_REVERSED } from '../protocol.ts'
import { commandSetAt } from './command.ts'
import type { Direction, Verdict } from '../protocol.ts'
import {
  A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, COMMAND, isAssociateLength, isAssociateVersion, isDataHead, isShortUnit, P_DATA_TF, PDU_HEADER, PDV_HEADER, SHORT_BODY,
} from './pdu.ts'

/** Both headers of a P-DATA-TF, or an A-ASSOCIATE up to its titles and two bytes: as little as tells anything. */
const ENOUGH = PDU_HEADER + PDV_HEADER
const SHORT_UNIT = PDU_HEADER + SHORT_BODY
/** Called and calling title within an A-ASSOCIATE. */
const TITLES_START = 10
const TITLES_END = 42
const ITEMS_START = 74

export function probe(b: Uint8Array, start: number, end: number, direction: Direction, midstream: boolean): Verdict {
  if (end - start === SHORT_UNIT && isShortUnit(b, start)) return YES
  if (midstream) return probeMidstream(b, start, end, direction)
  const type = b[start]!
  if (type < A_ASSOCIATE_RQ || type > A_ABORT || (end - start > 1 && b[start + 1] !== 0)) return NO
  if (end - start < ENOUGH) return MORE
  if (isAssociate(b, start, end)) return verdictOf(type, direction)
  if (type <= A_ASSOCIATE_AC && isAssociateLength(b, start) && end - start < ITEMS_START + 2) return MORE
  // Data before any association is none that a server would take, but it is what somebody tries.
  return type === P_DATA_TF && isData(b, start, end) ? YES : NO
}

function probeMidstream(b: Uint8Array, start: number, end: number, direction: Direction): Verdict {
  const at = findUnit(b, start, end)
  return at < 0 ? NO : b[at] === P_DATA_TF || b[at] === 0 ? YES : verdictOf(b[at]!, direction)
}

/** The client asks for an association, the server answers. */
function verdictOf(type: number, direction: Direction): Verdict {
  const sender: Direction = type === A_ASSOCIATE_RQ ? 0 : 1
  return type > A_ASSOCIATE_RJ || sender === direction ? YES : YES_REVERSED
}

/**
 * Where a unit that is unmistakable begins, or -1: an A-ASSOCIATE, or a P-DATA-TF whose fragments fit it; ten bytes that stand alone may be a short one. A
 * command set at the very start is one, too, whose header is lost: some stacks send headers in segments of their own.
 */
export function findUnit(b: Uint8Array, start: number, end: number): number {
  if ((end - start === SHORT_UNIT && isShortUnit(b, start)) || commandSetAt(b, start, end) > 0) return start
  for (let at = start; at + ENOUGH <= end; at++) {
    const type = b[at]!
    if (type !== P_DATA_TF && type !== A_ASSOCIATE_RQ && type !== A_ASSOCIATE_AC) continue
    if (b[at + 1] !== 0) continue
    if (type === P_DATA_TF ? isData(b, at, end) : isAssociate(b, at, end) && hasTitles(b, at, end)) return at
  }
  return -1
}

/**
 * An A-ASSOCIATE-RQ or -AC as far as it is there: header, version, and an item where the first should be. Another version, and reserved bytes that are
 * not 0, are for the receiver to refuse or not to test (PS3.8 9.3.2): then the titles have to be text.
 */
function isAssociate(b: Uint8Array, at: number, end: number): boolean {
  if (b[at] !== A_ASSOCIATE_RQ && b[at] !== A_ASSOCIATE_AC) return false
  if (!isAssociateLength(b, at)) return false
  const first = at + ITEMS_START
  if (!isAssociateVersion(b, at) && (end - first < 2 || !hasTitles(b, at, end))) return false
  return end - first < 2 || u32be(b, at + 2) < ITEMS_START - PDU_HEADER + 4 || ((b[first]! & 0x0f) <= 1 && b[first]! >= 0x10 && b[first]! <= 0x50 && b[first + 1] === 0)
}

/** Are the two titles text, padded with blanks or NUL? Asked only where sync is searched for: at the start of a connection a title may be anything. */
function hasTitles(b: Uint8Array, at: number, end: number): boolean {
  if (end < at + TITLES_END) return false
  let characters = 0
  for (let i = at + TITLES_START; i < at + TITLES_END; i++) {
    if (b[i]! > 0x20) characters++
    else if (b[i] !== 0x20 && b[i] !== 0) return false
  }
  return characters > 0
}

/** A P-DATA-TF whose one fragment fills it; or whose second fragment is there and fits; or that begins with a command set. */
function isData(b: Uint8Array, at: number, end: number): boolean {
  if (!isDataHead(b, at)) return false
  const length = u32be(b, at + 2)
  const fragment = u32be(b, at + PDU_HEADER)
  if (fragment + 4 === length) return true
  const control = b[at + ENOUGH - 1]!
  const data = at + ENOUGH
  if ((control & COMMAND) !== 0 && data + 8 <= end) return u32be(b, data) === 0 && u32be(b, data + 4) === 0x04000000
  const second = at + PDU_HEADER + 4 + fragment
  return second + PDV_HEADER <= end && u32be(b, second) >= 2 && u32be(b, second) + 8 + fragment <= length && b[second + 4] === b[at + 10] && b[second + 5]! <= 3
}
