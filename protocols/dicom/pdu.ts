/** The protocol data units of PS3.8 section 9.3: bytes in, facts out, no state. Fields that a unit is too short for read as absent. */
import { latin1, u16be, u32be } from '../bytes.ts'
import type { Implementation, PresentationContext } from '../events.ts'
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
/** All of A-ASSOCIATE up to its items: version 2, reserved 2, titles 16 + 16, reserved 32. */
const ASSOCIATE_FIXED = 68

/** Message control header bits (PS3.8 annex E.2). */
export const COMMAND = 1
export const LAST = 2

export interface Associate {
  calling_ae: string
  called_ae: string
  contexts: PresentationContext[]
  maximumLength: number | null
  implementation: Implementation | null
  userIdentity: { type: number; has_passcode: boolean } | null
  roles: { sop_class_uid: string; scu: boolean; scp: boolean }[]
  asyncOperations: { invoked: number; performed: number } | null
}

/** Text of an AE title or UID field: padding (blanks, NUL) at the end is no part of it (PS3.5 6.2). */
export function fieldText(b: Uint8Array, start: number, end: number): string {
  let stop = Math.min(end, start + LIMITS.dicom.textBytes)
  while (stop > start && (b[stop - 1] === 0x20 || b[stop - 1] === 0)) stop--
  return latin1(b, start, stop)
}

/** Items are type 1, reserved 1, length 2, value (PS3.8 9.3.2). The walk ends at the first that does not fit. */
function eachItem(b: Uint8Array, start: number, end: number, visit: (type: number, at: number, end: number) => void): void {
  for (let at = start; at + 4 <= end;) {
    const next = at + 4 + u16be(b, at + 2)
    if (next > end) return
    visit(b[at]!, at + 4, next)
    at = next
  }
}

/** A-ASSOCIATE-RQ and -AC (PS3.8 tables 9-11 and 9-17), header included; undefined when shorter than its fixed part. */
export function parseAssociate(b: Uint8Array, start: number, end: number): Associate | undefined {
  if (end - start < PDU_HEADER + ASSOCIATE_FIXED) return undefined
  const associate: Associate = {
    called_ae: fieldText(b, start + 10, start + 26), calling_ae: fieldText(b, start + 26, start + 42),
    contexts: [], maximumLength: null, implementation: null, userIdentity: null, roles: [], asyncOperations: null,
  }
  eachItem(b, start + PDU_HEADER + ASSOCIATE_FIXED, end, (type, at, stop) => {
    if ((type === 0x20 || type === 0x21) && associate.contexts.length < LIMITS.dicom.contexts) {
      const context = presentationContext(b, type === 0x21, at, stop)
      if (context) associate.contexts.push(context)
    } else if (type === 0x50) userInformation(b, at, stop, associate)
  })
  return associate
}

/** PS3.8 tables 9-13 (20H) and 9-18 (21H). */
function presentationContext(b: Uint8Array, isAnswer: boolean, at: number, end: number): PresentationContext | undefined {
  if (at + 4 > end) return undefined
  const context: PresentationContext = { id: b[at]!, abstract_syntax: null, transfer_syntaxes: [], result: isAnswer ? b[at + 2]! : null, transfer_syntax: null }
  eachItem(b, at + 4, end, (type, from, to) => {
    if (type === 0x30) context.abstract_syntax = fieldText(b, from, to)
    else if (type === 0x40 && context.transfer_syntaxes.length < LIMITS.dicom.transferSyntaxes) context.transfer_syntaxes.push(fieldText(b, from, to))
  })
  if (context.result === 0) context.transfer_syntax = context.transfer_syntaxes[0] ?? null
  return context
}

/** PS3.8 annex D.1 and PS3.7 annex D.3.3. Of a user identity only that it is there: never the secret. */
function userInformation(b: Uint8Array, start: number, end: number, into: Associate): void {
  eachItem(b, start, end, (type, at, stop) => {
    const length = stop - at
    if (type === 0x51 && length >= 4) into.maximumLength = u32be(b, at)
    else if (type === 0x52) into.implementation = { class_uid: fieldText(b, at, stop), version_name: into.implementation?.version_name ?? null }
    else if (type === 0x53 && length >= 4) into.asyncOperations = { invoked: u16be(b, at), performed: u16be(b, at + 2) }
    else if (type === 0x54 && length >= 4 && into.roles.length < LIMITS.dicom.contexts) {
      const to = Math.min(stop - 2, at + 2 + u16be(b, at))
      into.roles.push({ sop_class_uid: fieldText(b, at + 2, to), scu: b[to] === 1, scp: b[to + 1] === 1 })
    } else if (type === 0x55) into.implementation = { class_uid: into.implementation?.class_uid ?? null, version_name: fieldText(b, at, stop) }
    else if (type === 0x58 && length >= 2) into.userIdentity = { type: b[at]!, has_passcode: b[at] === 2 }
  })
}
