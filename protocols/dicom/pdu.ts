/** The protocol data units of PS3.8 section 9.3: their types, headers and fixed fields. */
import { latin1, u32be } from '../bytes.ts'
import { LIMITS } from '../limits.ts'

/** PDU types (PS3.8 9.3.1). */
export const A_ASSOCIATE_RQ = 1
export const A_ASSOCIATE_AC = 2
export const A_ASSOCIATE_RJ = 3
export const P_DATA_TF = 4
export const A_RELEASE_RQ = 5
export const A_RELEASE_RP = 6
export const A_ABORT = 7

/** Type 1, reserved 1, length 4. */
export const PDU_HEADER = 6
/** Length 4, presentation context id 1, message control header 1 (PS3.8 9.3.5.1, annex E.2). */
export const PDV_HEADER = 6
/** Of that length, the two bytes that are no fragment: context id and control header. */
export const PDV_FIXED = 2
/** Body of A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT (PS3.8 9.3.4 and 9.3.6 to 9.3.8). */
export const SHORT_BODY = 4
/** Body of A-ASSOCIATE up to its items: version 2, reserved 2, called and calling title 16 + 16, reserved 32 (PS3.8 9.3.2). */
export const ASSOCIATE_FIXED = 68

/** Of a message whose header is lost: presentation contexts have odd ids (PS3.8 9.3.2.2). */
export const NO_CONTEXT = 0

/** Message control header bits (PS3.8 annex E.2). */
export const COMMAND = 1
export const LAST = 2

/** A-ASSOCIATE-RJ (PS3.8 9.3.4): reserved 1, result 1, source 1, reason 1. `at` is the first byte of the body. */
export const rejectOf = (b: Uint8Array, at: number): { result: number; source: number; reason: number } =>
  ({ result: b[at + 1]!, source: b[at + 2]!, reason: b[at + 3]! })

/** A-ABORT (PS3.8 9.3.8): reserved 2, source 1, reason 1. */
export const abortOf = (b: Uint8Array, at: number): { source: number; reason: number } => ({ source: b[at + 2]!, reason: b[at + 3]! })

const isPadding = (byte: number): boolean => byte === 0x20 || byte === 0

/** Text of a UID or version field: padding (blanks, NUL) at the end is no part of it (PS3.5 6.2). Bounded. */
export function fieldText(b: Uint8Array, start: number, end: number): string {
  let stop = Math.min(end, start + LIMITS.dicom.textBytes)
  while (stop > start && isPadding(b[stop - 1]!)) stop--
  return latin1(b, start, stop)
}

/** An application entity title: blanks before and behind are not significant, those within are (PS3.5 table 6.2-1, AE). */
export function titleText(b: Uint8Array, start: number, end: number): string {
  let from = start
  while (from < end && b[from] === 0x20) from++
  return fieldText(b, from, end)
}

/** Is it of a length that an A-ASSOCIATE-RQ or -AC may have? */
export function isAssociateLength(b: Uint8Array, at: number): boolean {
  const length = u32be(b, at + 2)
  return length >= ASSOCIATE_FIXED && length <= LIMITS.dicom.associateClaim
}

/** Are version and reserved bytes as they should be? */
export const isAssociateVersion = (b: Uint8Array, at: number): boolean => b[at + 6] === 0 && (b[at + 7]! & 1) === 1 && b[at + 8] === 0 && b[at + 9] === 0

/** Could a P-DATA-TF begin here, as far as two headers (12 bytes) tell? Its first fragment fills it, or leaves room for a second. */
export function isDataHead(b: Uint8Array, at: number): boolean {
  const length = u32be(b, at + 2)
  const pdv = u32be(b, at + 6)
  return b[at + 1] === 0 && length <= LIMITS.dicom.pduBytes && pdv >= PDV_FIXED && (b[at + 10]! & 1) === 1 && b[at + 11]! <= 3 &&
    (pdv + 4 === length || pdv + 4 + PDV_HEADER <= length)
}

/** Is this a whole A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP or A-ABORT with values the standard knows (ten bytes)? */
export function isShortUnit(b: Uint8Array, at: number): boolean {
  const type = b[at]!
  if (b[at + 1] !== 0 || u32be(b, at + 2) !== SHORT_BODY || b[at + 6] !== 0) return false
  switch (type) {
    case A_ASSOCIATE_RJ: return b[at + 7]! >= 1 && b[at + 7]! <= 2 && b[at + 8]! >= 1 && b[at + 8]! <= 3 && b[at + 9]! <= 10
    case A_RELEASE_RQ: case A_RELEASE_RP: return b[at + 7] === 0 && b[at + 8] === 0 && b[at + 9] === 0
    case A_ABORT: return b[at + 7] === 0 && b[at + 8]! <= 2 && b[at + 9]! <= 6
    default: return false
  }
}
