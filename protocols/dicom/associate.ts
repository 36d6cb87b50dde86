/**
 * A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2 and 9.3.3, annex D; PS3.7 annex D.3.3), read item by item as they come: a unit of any
 * claimed length holds no memory but what is listed of it, and one that is cut off tells what it told so far.
 */
import { u16be, u32be } from '../bytes.ts'
import type { DicomAssociation, Micros, PresentationContext } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Faults } from './faults.ts'
import { ASSOCIATE_FIXED, fieldText, titleText } from './pdu.ts'

/** Item types (PS3.8 9.3.2 and 9.3.3). */
const APPLICATION_CONTEXT = 0x10
const PROPOSED_CONTEXT = 0x20
const ANSWERED_CONTEXT = 0x21
const ABSTRACT_SYNTAX = 0x30
const TRANSFER_SYNTAX = 0x40
const USER_INFORMATION = 0x50
/** User information sub-items (PS3.8 D.1, PS3.7 D.3.3). */
const MAXIMUM_LENGTH = 0x51
const IMPLEMENTATION_CLASS = 0x52
const ASYNCHRONOUS_OPERATIONS = 0x53
const ROLE_SELECTION = 0x54
const IMPLEMENTATION_VERSION = 0x55
const EXTENDED_NEGOTIATION = 0x56
const COMMON_EXTENDED_NEGOTIATION = 0x57
const USER_IDENTITY = 0x58
const USER_IDENTITY_RESPONSE = 0x59

/** Type 1, reserved 1, length 2. */
const ITEM_HEADER = 4
/** Of a presentation context item, before its sub-items: id 1, reserved 1, result or reserved 1, reserved 1. */
const CONTEXT_FIXED = 4

/** User identity types (PS3.7 D.3.3.7.1): a passcode, and tokens that are as good as one. */
const WITH_PASSCODE = 2
const KERBEROS = 3

export interface Associate {
  version: number
  calling_ae: string
  called_ae: string
  application_context: string | null
  contexts: PresentationContext[]
  maximum_length: number | null
  class_uid: string | null
  version_name: string | null
  user_identity: DicomAssociation['user_identity']
  /** 59H was sent: the user identity was accepted. */
  identity_accepted: boolean
  roles: DicomAssociation['roles']
  async_operations: DicomAssociation['async_operations']
  extended: { sop_class_uid: string; bytes: number }[]
  common_extended: { sop_class_uid: string; service_class_uid: string; related: string[] }[]
  /** Types of items that PS3.8 and PS3.7 do not know, as they came. */
  unknown_items: number[]
  /** Memory that the lists take, about. */
  bytes: number
}

/** Of an entry of a list, and of a text beside its characters. */
const ENTRY_BYTES = 120
const TEXT_BYTES = 32

export class AssociateReader {
  readonly associate: Associate = {
    version: 0, calling_ae: '', called_ae: '', application_context: null, contexts: [], maximum_length: null, class_uid: null, version_name: null,
    user_identity: null, identity_accepted: false, roles: [], async_operations: null, extended: [], common_extended: [], unknown_items: [], bytes: 0,
  }
  /** Bytes the next call needs. */
  needs = ASSOCIATE_FIXED
  /** Bytes of the unit's body that are still to come. */
  left: number
  readonly #isAccept: boolean
  readonly #faults: Faults
  #isFixedRead = false
  /** The item whose sub-items are being read, and how much of it is left. */
  #container = 0
  #inner = 0
  #context: PresentationContext | null = null
  #hasUserInformation = false

  constructor(isAccept: boolean, length: number, faults: Faults) {
    this.#isAccept = isAccept
    this.left = length
    this.#faults = faults
  }

  get isComplete(): boolean {
    return this.left === 0
  }

  /**
   * One step: the fixed fields, the head of an item, or a whole sub-item.
   * @param offset of the sender's stream at `at`
   * @returns bytes done with (more than offered where the rest is passed over); 0 when `needs` bytes are wanted
   */
  read(b: Uint8Array, at: number, end: number, offset: number, time: Micros): number {
    const used = this.#step(b, at, end, offset, time)
    this.left -= used
    if (used > 0 && this.left === 0) this.#end(offset, time)
    return used
  }

  #step(b: Uint8Array, at: number, end: number, offset: number, time: Micros): number {
    if (!this.#isFixedRead) return this.#fixed(b, at, end, offset, time)
    const room = this.#container === 0 ? this.left : this.#inner
    if (room < ITEM_HEADER) return this.#giveUp(0, room, offset, time)
    if (!this.#has(ITEM_HEADER, at, end)) return 0
    const type = b[at]!
    const length = u16be(b, at + 2)
    if (length > room - ITEM_HEADER) return this.#giveUp(type, room - ITEM_HEADER, offset, time)
    if (this.#container === 0 && (type === USER_INFORMATION || type === PROPOSED_CONTEXT || type === ANSWERED_CONTEXT)) return this.#open(type, length, b, at, end, offset, time)
    // A sub-item is a few dozen bytes; of a long one (a token, a foreign item) the beginning says what it is.
    const held = Math.min(length, LIMITS.dicom.itemBytes)
    if (!this.#has(ITEM_HEADER + held, at, end)) return 0
    const value = at + ITEM_HEADER
    if (this.#container === 0) this.#item(type, b, value, value + held)
    else if (this.#context !== null) this.#syntax(type, b, value, value + held, offset, time)
    else this.#userItem(type, length, b, value, value + held)
    if (this.#container !== 0) this.#within(ITEM_HEADER + length, offset, time)
    return ITEM_HEADER + length
  }

  #has(bytes: number, at: number, end: number): boolean {
    this.needs = bytes
    return end - at >= bytes
  }

  #fixed(b: Uint8Array, at: number, end: number, offset: number, time: Micros): number {
    if (!this.#has(ASSOCIATE_FIXED, at, end)) return 0
    const { associate } = this
    associate.version = u16be(b, at)
    associate.called_ae = titleText(b, at + 4, at + 20)
    associate.calling_ae = titleText(b, at + 20, at + 36)
    this.#isFixedRead = true
    if ((associate.version & 1) === 0) this.#faults.report('associate.version', offset, time, associate.version)
    if (!this.#isAccept && !(isTitle(associate.called_ae) && isTitle(associate.calling_ae))) this.#faults.report('associate.title', offset, time)
    return ASSOCIATE_FIXED
  }

  /** An item with sub-items begins. */
  #open(type: number, length: number, b: Uint8Array, at: number, end: number, offset: number, time: Micros): number {
    const isContext = type !== USER_INFORMATION
    const fixed = isContext ? CONTEXT_FIXED : 0
    if (length < fixed) return this.#giveUp(type, length, offset, time)
    if (!this.#has(ITEM_HEADER + fixed, at, end)) return 0
    this.#container = type
    this.#inner = length
    if (isContext) {
      const result = type === ANSWERED_CONTEXT ? b[at + 6]! : null
      this.#context = { id: b[at + 4]!, abstract_syntax: null, transfer_syntaxes: [], result, transfer_syntax: null }
    } else this.#hasUserInformation = true
    this.#within(fixed, offset, time)
    return ITEM_HEADER + fixed
  }

  /** `used` bytes of the container are read. */
  #within(used: number, offset: number, time: Micros): void {
    this.#inner -= used
    if (this.#inner === 0) this.#close(offset, time)
  }

  #close(offset: number, time: Micros): void {
    const context = this.#context
    if (context !== null) this.#contextDone(context, offset, time)
    this.#context = null
    this.#container = 0
  }

  #contextDone(context: PresentationContext, offset: number, time: Micros): void {
    const { contexts } = this.associate
    const { id, result, transfer_syntaxes: syntaxes } = context
    if (!this.#isAccept && (id & 1) === 0) this.#faults.report('context.id', offset, time, id)
    if (contexts.some((other) => other.id === id)) this.#faults.report('context.repeated', offset, time, id)
    if (!this.#isAccept && (context.abstract_syntax === null || syntaxes.length === 0)) this.#faults.report('context.syntaxes', offset, time, id, syntaxes.length)
    if (result !== null && result > 4) this.#faults.report('context.result', offset, time, id, result)
    if (result === 0) context.transfer_syntax = syntaxes[0] ?? null
    if (contexts.length >= LIMITS.dicom.contexts) return
    contexts.push(context)
    this.associate.bytes += ENTRY_BYTES
  }

  #item(type: number, b: Uint8Array, start: number, end: number): void {
    if (type === APPLICATION_CONTEXT) this.associate.application_context = fieldText(b, start, end)
    else this.#unknown(type)
  }

  /** Sub-items of a presentation context (PS3.8 9.3.2.2.1, 9.3.2.2.2, 9.3.3.2.1). */
  #syntax(type: number, b: Uint8Array, start: number, end: number, offset: number, time: Micros): void {
    const context = this.#context!
    if (type !== ABSTRACT_SYNTAX && type !== TRANSFER_SYNTAX) {
      this.#unknown(type)
      return
    }
    const uid = fieldText(b, start, end)
    // The transfer syntax of a refusal is not significant (PS3.8 table 9-18) and often empty.
    if (!isUid(uid) && !(this.#isAccept && context.result !== 0)) this.#faults.report('uid.form', offset, time)
    this.associate.bytes += TEXT_BYTES + uid.length
    if (type === ABSTRACT_SYNTAX) context.abstract_syntax = uid
    else if (context.transfer_syntaxes.length < LIMITS.dicom.transferSyntaxes) context.transfer_syntaxes.push(uid)
  }

  /** PS3.8 D.1 and PS3.7 D.3.3. Of a user identity only what it is, never what it says. */
  #userItem(type: number, length: number, b: Uint8Array, start: number, end: number): void {
    const { associate } = this
    const held = end - start
    switch (type) {
      case MAXIMUM_LENGTH:
        if (held >= 4) associate.maximum_length = u32be(b, start)
        break
      case IMPLEMENTATION_CLASS: associate.class_uid = fieldText(b, start, end); break
      case IMPLEMENTATION_VERSION: associate.version_name = fieldText(b, start, end); break
      case ASYNCHRONOUS_OPERATIONS:
        if (held >= 4) associate.async_operations = { invoked: u16be(b, start), performed: u16be(b, start + 2) }
        break
      case ROLE_SELECTION: {
        const uid = counted(b, start, end)
        if (uid !== null && uid.end + 2 <= end && associate.roles.length < LIMITS.dicom.contexts) {
          associate.roles.push({ sop_class_uid: uid.text, scu: b[uid.end] === 1, scp: b[uid.end + 1] === 1 })
          associate.bytes += ENTRY_BYTES + uid.text.length
        }
        break
      }
      case EXTENDED_NEGOTIATION: {
        const uid = counted(b, start, end)
        if (uid !== null && associate.extended.length < LIMITS.dicom.contexts) {
          associate.extended.push({ sop_class_uid: uid.text, bytes: length - (uid.end - start) })
          associate.bytes += ENTRY_BYTES + uid.text.length
        }
        break
      }
      case COMMON_EXTENDED_NEGOTIATION: this.#commonExtended(b, start, end); break
      case USER_IDENTITY:
        if (held >= 2) associate.user_identity = { type: b[start]!, has_passcode: hasPasscode(b, start, end) }
        break
      case USER_IDENTITY_RESPONSE: associate.identity_accepted = true; break
      default: this.#unknown(type)
    }
  }

  /** PS3.7 D.3.3.6: SOP class, service class, and related general SOP classes, each with a 2-byte length. */
  #commonExtended(b: Uint8Array, start: number, end: number): void {
    const sopClass = counted(b, start, end)
    const service = sopClass && counted(b, sopClass.end, end)
    if (!sopClass || !service || this.associate.common_extended.length >= LIMITS.dicom.contexts) return
    const related: string[] = []
    for (let uid = counted(b, service.end + 2, end); uid !== null && related.length < LIMITS.dicom.transferSyntaxes; uid = counted(b, uid.end, end)) related.push(uid.text)
    this.associate.common_extended.push({ sop_class_uid: sopClass.text, service_class_uid: service.text, related })
    this.associate.bytes += ENTRY_BYTES + end - start + TEXT_BYTES * related.length
  }

  #unknown(type: number): void {
    if (this.associate.unknown_items.length < LIMITS.dicom.unknownItems) this.associate.unknown_items.push(type)
  }

  /** An item does not fit: the rest of the unit is passed over. */
  #giveUp(type: number, room: number, offset: number, time: Micros): number {
    this.#faults.report('associate.item-length', offset, time, type, room)
    if (this.#container !== 0) this.#close(offset, time)
    return this.left
  }

  /** PS3.8 9.3.2: which items there must be. */
  #end(offset: number, time: Micros): void {
    const { associate } = this
    if (associate.application_context === null) this.#faults.report('associate.no-application-context', offset, time)
    if (associate.contexts.length === 0) this.#faults.report('associate.no-contexts', offset, time)
    if (!this.#hasUserInformation || associate.maximum_length === null) this.#faults.report('associate.no-user-information', offset, time)
  }
}

/** Text behind a 2-byte length; null when it does not fit. */
function counted(b: Uint8Array, at: number, end: number): { text: string; end: number } | null {
  if (at + 2 > end) return null
  const stop = at + 2 + u16be(b, at)
  return stop > end ? null : { text: fieldText(b, at + 2, stop), end: stop }
}

/** Primary field counted, then secondary field counted (PS3.7 D.3.3.7.1): a passcode is the secondary, a token the primary. */
function hasPasscode(b: Uint8Array, start: number, end: number): boolean {
  const type = b[start]!
  const primary = u16be(b, start + 2)
  if (end - start < 4) return false
  if (type === WITH_PASSCODE) return start + 4 + primary + 2 <= end ? u16be(b, start + 4 + primary) > 0 : primary > 0
  return type >= KERBEROS && primary > 0
}

/** PS3.5 9.1: digits and dots, at most 64. */
export function isUid(text: string): boolean {
  if (text.length === 0 || text.length > 64) return false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c !== 0x2e && (c < 0x30 || c > 0x39)) return false
  }
  return true
}

/** PS3.5 table 6.2-1, AE: the default repertoire without control characters and backslash, not blanks alone. */
function isTitle(text: string): boolean {
  if (text === '') return false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || c === 0x5c) return false
  }
  return true
}
