/**
 * One message, segment by segment, as they come: of each only the fields that an event needs are looked at, on the bytes, once.
 * Field numbers are those of HL7 v2.5.1 (chapter 2 MSH MSA ERR DSC, 3 PID MRG, 4 ORC OBR, 5 QRD QPD RCP, 7 OBX).
 */
import type { Hl7Document, Hl7Query } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Pseudonym } from '../phi.ts'
import { BodyHash } from './body-hash.ts'
import { PLAIN, charsetOf, decodeText, guessReach } from './charset.ts'
import type { Charset, Reach } from './charset.ts'
import { describeDocument } from './documents.ts'
import { unescapeText } from './escapes.ts'
import type { TextDelimiters } from './escapes.ts'
import { componentStart, fieldCount, fieldEnd, fieldStart, firstPartEnd, sawForeign, splitFields, upTo } from './fields.ts'
import { FHS, BHS, MSH, NONE, USUAL, nameAt, readDelimiters, segmentName } from './header.ts'
import type { Delimiters } from './header.ts'
import type { Identities } from './identities.ts'
import { Interner } from './intern.ts'
import { flatLatin1 } from './lens.ts'
import { isImagingCode, isImagingSection } from './orders.ts'
import { SegmentCounts } from './segment-counts.ts'
import { parseTime } from './time.ts'

const PID = segmentName('PID'), MRG = segmentName('MRG'), MSA = segmentName('MSA'), ERR = segmentName('ERR')
const ORC = segmentName('ORC'), OBR = segmentName('OBR'), OBX = segmentName('OBX'), IPC = segmentName('IPC'), ZDS = segmentName('ZDS')
const QRD = segmentName('QRD'), QPD = segmentName('QPD'), RCP = segmentName('RCP'), DSC = segmentName('DSC')

/** Texts longer than this are decoded anew each time. */
const LONGEST = 48

/** A charset and the texts already decoded in it. */
class Texts {
  readonly charset: Charset
  readonly interned: Interner<string>

  constructor(charset: Charset) {
    this.charset = charset
    this.interned = new Interner(1024, LONGEST, (b, start, end) => textOf(charset, b, start, end))
  }
}

function textOf(charset: Charset, b: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) if (b[i]! > 0x7E || b[i] === 0x1B) return decodeText(charset, b, start, end)
  return flatLatin1(b, start, end)
}

const UNDECLARED = new Texts(charsetOf(''))
const byLabel = new Map<string, Texts>()

function textsOf(declared: string): Texts {
  const charset = charsetOf(declared)
  if (charset.label === null) return UNDECLARED
  let found = byLabel.get(charset.label)
  if (found === undefined) byLabel.set(charset.label, (found = new Texts(charset)))
  return found
}

/** By the bytes of MSH-18. */
const declaredTexts = new Interner<Texts>(64, 64, (b, start, end) => textsOf(textOf(UNDECLARED.charset, b, start, end)))

export class MessageReader {
  readonly #identities: Identities
  readonly #delimiters: Delimiters = { ...USUAL }
  readonly #hash: BodyHash
  readonly #counts = new SegmentCounts()
  #texts = UNDECLARED
  #textDelimiters: TextDelimiters | undefined
  /** Bytes were lost inside the message: what comes after counts, but does not tell who it is about. */
  #lossy = false

  /** The header segment was read to its end. */
  hasHeader = false
  /** MSH-1 and MSH-2 are separators that can be told apart. */
  delimitersGood = true
  type: string | null = null
  structure: string | null = null
  controlId: string | null = null
  sendingApp: string | null = null
  sendingFacility: string | null = null
  receivingApp: string | null = null
  receivingFacility: string | null = null
  version: string | null = null
  processingId: string | null = null
  charset: string | null = null
  time: string | null = null
  /** Microseconds; undefined where MSH-7 is no time. */
  timeMicros: number | undefined
  sequence: number | undefined
  acceptAck: string | null = null
  applicationAck: string | null = null
  continues = false
  continued = false
  ackCode = ''
  ackOf = ''
  error: string | undefined
  patient: Pseudonym | null = null
  patients = 0
  orders: Pseudonym[] = []
  merged: Pseudonym[] | undefined
  service: string | undefined
  imaging: boolean | undefined
  query: Hl7Query | undefined
  documents: Hl7Document[] | undefined

  constructor(identities: Identities) {
    this.#identities = identities
    this.#hash = new BodyHash(identities.seedA, identities.seedB)
  }

  /** Forgets the last message. */
  reset(): void {
    this.#hash.reset()
    this.#counts.reset()
    this.#texts = UNDECLARED
    this.#textDelimiters = undefined
    this.#lossy = false
    this.hasHeader = this.continues = this.continued = false
    this.delimitersGood = true
    this.type = this.structure = this.controlId = this.version = this.processingId = this.charset = this.time = null
    this.sendingApp = this.sendingFacility = this.receivingApp = this.receivingFacility = null
    this.acceptAck = this.applicationAck = this.patient = null
    this.timeMicros = this.sequence = undefined
    this.ackCode = this.ackOf = ''
    this.error = this.service = undefined
    this.patients = 0
    this.orders = []
    this.merged = this.imaging = this.query = this.documents = undefined
  }

  get segments(): Record<string, number> {
    return this.#counts.counts()
  }

  /** Once per message: the hash of what `body` was given. */
  bodyHash(): number {
    return this.#hash.value()
  }

  /** Bytes after the header segment, in order, in pieces of any size. */
  body(b: Uint8Array, start: number, end: number): void {
    this.#hash.update(b, start, end)
  }

  loss(): void {
    this.#lossy = true
  }

  /**
   * A segment `b[start..end)` without its end. Of a long one only the beginning is there: `length` says how long it is, and `cut` that
   * it stops in the middle because its end never came.
   */
  segment(b: Uint8Array, start: number, end: number, length: number, cut: boolean): void {
    this.#counts.add(b, start, end)
    if (end - start < 3 || (this.#lossy && this.hasHeader)) return
    switch (nameAt(b, start)) {
      case MSH: this.#header(b, start, end, cut); break
      case FHS: case BHS: readDelimiters(b, start, end, this.#delimiters); break
      case PID: this.#pid(b, start, end); break
      case MSA: this.#msa(b, start, end); break
      case OBX: this.#obx(b, start, end, length); break
      case ORC: this.#orc(b, start, end); break
      case OBR: this.#obr(b, start, end); break
      case MRG: this.#mrg(b, start, end); break
      case ERR: this.#err(b, start, end); break
      case QPD: this.#qpd(b, start, end); break
      case QRD: this.#qrd(b, start, end); break
      case RCP: this.#rcp(b, start, end); break
      case IPC: this.#ipc(b, start, end); break
      case ZDS: this.imaging = true; break
      case DSC: this.#split(b, start, end, 1); this.continued = fieldEnd(1) > fieldStart(1); break
    }
  }

  /** MSH: 3-6 who to whom, 7 time, 9 type, 10 control id, 11 processing, 12 version, 13 sequence, 14 continuation, 15-16 acknowledgements, 18 charset. */
  #header(b: Uint8Array, start: number, end: number, cut: boolean): void {
    const d = this.#delimiters
    this.delimitersGood = readDelimiters(b, start, end, d)
    splitFields(b, start, end, d.field, 17, PLAIN)
    // A field that the end of the bytes cut may be half a field.
    const whole = cut ? fieldCount() - 1 : 17
    if (whole >= 17 && fieldEnd(17) > fieldStart(17)) {
      this.#texts = declaredTexts.get(b, fieldStart(17), fieldEnd(17))
      this.charset = this.#text(b, fieldStart(17), fieldEnd(17))
    }
    if (sawForeign() && this.#reach(b, start, end) !== PLAIN) splitFields(b, start, end, d.field, 17, this.#reach(b, start, end))
    this.hasHeader = !cut || whole >= 9
    if (whole >= 2) this.sendingApp = this.#firstComponent(b, 2)
    if (whole >= 3) this.sendingFacility = this.#firstComponent(b, 3)
    if (whole >= 4) this.receivingApp = this.#firstComponent(b, 4)
    if (whole >= 5) this.receivingFacility = this.#firstComponent(b, 5)
    if (whole >= 6) this.#messageTime(b)
    if (whole >= 8) this.#messageType(b, fieldStart(8), fieldEnd(8))
    // An empty control id was seen to be empty; null is one that was not seen.
    if (whole >= 9) this.controlId = this.#plainText(b, fieldStart(9), fieldEnd(9)) ?? ''
    if (whole >= 10) this.processingId = this.#firstComponent(b, 10)
    if (whole >= 11) this.version = this.#firstComponent(b, 11)
    if (fieldCount() < 12) return
    this.sequence = wholeNumber(b, fieldStart(12), fieldEnd(12))
    this.continues = fieldEnd(13) > fieldStart(13)
    this.acceptAck = this.#text(b, fieldStart(14), fieldEnd(14))
    this.applicationAck = this.#text(b, fieldStart(15), fieldEnd(15))
  }

  #messageTime(b: Uint8Array): void {
    const start = fieldStart(6)
    const end = firstPartEnd(b, start, fieldEnd(6), this.#delimiters)
    this.time = this.#plainText(b, start, end)
    this.timeMicros = parseTime(b, start, end)
  }

  /** MSH-9: type^trigger^structure, whatever separates them. */
  #messageType(b: Uint8Array, start: number, end: number): void {
    const { component } = this.#delimiters
    const trigger = upTo(b, start, end, component) + 1
    const structure = trigger > end ? end + 1 : upTo(b, trigger, end, component) + 1
    const typeEnd = structure - 1 > trigger ? structure - 1 : trigger - 1
    this.type = this.#text(b, start, Math.min(typeEnd, end))
    if (this.type !== null && component !== USUAL.component) this.type = this.type.replace(String.fromCharCode(component), '^')
    if (structure <= end) this.structure = this.#text(b, structure, upTo(b, structure, end, component))
  }

  /** PID-3.1 of the first repetition, else PID-2.1. */
  #pid(b: Uint8Array, start: number, end: number): void {
    this.patients++
    if (this.patient !== null) return
    this.#split(b, start, end, 3)
    this.patient = this.#patientIn(b, fieldStart(3), fieldEnd(3)) ?? this.#patientIn(b, fieldStart(2), fieldEnd(2))
  }

  #patientIn(b: Uint8Array, start: number, end: number): Pseudonym | null {
    const stop = this.#idEnd(b, start, end)
    if (stop <= start) return null
    return this.#isPlain(b, start, stop) ? this.#identities.patient(b, start, stop) : this.#identities.pseudonyms.patient(this.#decoded(b, start, stop))
  }

  /** MSA-1 code, MSA-2 control id, MSA-6 error before version 2.5. */
  #msa(b: Uint8Array, start: number, end: number): void {
    if (this.ackCode !== '') return
    this.#split(b, start, end, 6)
    this.ackCode = this.#text(b, fieldStart(1), fieldEnd(1)) ?? ''
    this.ackOf = this.#plainText(b, fieldStart(2), fieldEnd(2)) ?? ''
    this.#errorCode(b, fieldStart(6), fieldEnd(6))
  }

  /** ERR-3.1; before version 2.5 ERR-1.4.1. */
  #err(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 3)
    this.#errorCode(b, fieldStart(3), fieldEnd(3))
    const place = fieldStart(1)
    const old = place === 0 ? -1 : componentStart(b, place, upTo(b, place, fieldEnd(1), this.#delimiters.repetition), this.#delimiters.component, 4)
    if (old > 0) this.#errorCode(b, old, fieldEnd(1))
  }

  /** Codes only: a text might name the patient. */
  #errorCode(b: Uint8Array, start: number, end: number): void {
    if (this.error !== undefined) return
    const code = this.#text(b, start, firstPartEnd(b, start, end, this.#delimiters))
    if (code !== null && /^[A-Za-z]{0,3}\d{1,6}$/.test(code)) this.error = code
  }

  /** ORC-2 placer, ORC-3 filler order number. */
  #orc(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 3)
    this.#order(b, fieldStart(2), fieldEnd(2))
    this.#order(b, fieldStart(3), fieldEnd(3))
  }

  /** OBR-2 placer, OBR-3 filler, OBR-4 service, OBR-18 placer field 1 (the accession number, IHE RAD), OBR-19, OBR-24 section. */
  #obr(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 24)
    this.#order(b, fieldStart(2), fieldEnd(2))
    this.#order(b, fieldStart(3), fieldEnd(3))
    this.#order(b, fieldStart(18), fieldEnd(18))
    this.#order(b, fieldStart(19), fieldEnd(19))
    const service = fieldStart(4)
    const serviceEnd = firstPartEnd(b, service, fieldEnd(4), this.#delimiters)
    this.service ??= this.#text(b, service, serviceEnd) ?? undefined
    this.imaging ??= isImagingSection(b, fieldStart(24), fieldEnd(24)) ?? isImagingCode(b, service, serviceEnd)
  }

  /** IPC-1 accession number (imaging procedure control). */
  #ipc(b: Uint8Array, start: number, end: number): void {
    this.imaging = true
    this.#split(b, start, end, 1)
    this.#order(b, fieldStart(1), fieldEnd(1))
  }

  #order(b: Uint8Array, start: number, end: number): void {
    if (end <= start) return
    const stop = this.#idEnd(b, start, end)
    if (stop <= start || this.orders.length >= LIMITS.hl7.identifiers) return
    const id = this.#isPlain(b, start, stop) ? this.#identities.order(b, start, stop) : this.#identities.pseudonyms.order(this.#decoded(b, start, stop))
    if (id !== null && !contains(this.orders, id)) this.orders.push(id)
  }

  /** MRG-1 prior patient identifiers: the first component of each repetition. */
  #mrg(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 1)
    const merged = (this.merged ??= [])
    const stop = fieldEnd(1)
    for (let at = fieldStart(1); at < stop && merged.length < LIMITS.hl7.identifiers;) {
      const next = upTo(b, at, stop, this.#delimiters.repetition)
      const id = this.#patientIn(b, at, next)
      if (id !== null && !contains(merged, id)) merged.push(id)
      at = next + 1
    }
  }

  /** OBX-2 value type, OBX-5 value: only documents are of interest. */
  #obx(b: Uint8Array, start: number, end: number, length: number): void {
    const described = this.documents?.length ?? 0
    if (described >= LIMITS.hl7.documents) return
    const document = describeDocument(b, start, end, length, this.#delimiters)
    if (document !== undefined) (this.documents ??= []).push(document)
  }

  /** QPD-1 query name, QPD-3 and later its parameters: `@PID.3.1^P100~@PID.5.1^DO*`, or plain values. */
  #qpd(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 24)
    const d = this.#delimiters
    const query = this.#startQuery(this.#text(b, fieldStart(1), firstPartEnd(b, fieldStart(1), fieldEnd(1), d)))
    for (let field = 3; field <= Math.min(fieldCount(), 24); field++) {
      const stop = fieldEnd(field)
      for (let at = fieldStart(field); at < stop;) {
        const next = upTo(b, at, stop, d.repetition)
        this.#parameter(b, at, next, field === 3, query)
        at = next + 1
      }
    }
    if (query.keys === 0) query.wildcard = true
  }

  /** `@PID.3.1^P100`: a name and a value; or a value, which in QPD-3 of the identifier queries (Q21, PIX) is the patient. */
  #parameter(b: Uint8Array, start: number, end: number, first: boolean, query: Hl7Query): void {
    const named = b[start] === 0x40
    const value = named ? upTo(b, start, end, this.#delimiters.component) + 1 : start
    if (value >= end) return
    query.keys++
    if (hasWildcard(b, value, end)) query.wildcard = true
    const identifies = named
      ? nameAt(b, start + 1) === PID && b[start + 4] === 0x2E && b[start + 5] === 0x33 && !(b[start + 6]! >= 0x30 && b[start + 6]! <= 0x39)
      : first && componentStart(b, start, end, this.#delimiters.component, 4) > 0
    if (identifies) this.patient ??= this.#patientIn(b, value, end)
  }

  /** QRD-7 quantity, QRD-8 who (person identifiers), QRD-9 what. */
  #qrd(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 9)
    const d = this.#delimiters
    const query = this.#startQuery(this.#text(b, fieldStart(9), firstPartEnd(b, fieldStart(9), fieldEnd(9), d)))
    query.limit = leadingNumber(b, fieldStart(7), fieldEnd(7))
    if (fieldEnd(8) > fieldStart(8)) {
      query.keys = 1
      query.wildcard = hasWildcard(b, fieldStart(8), fieldEnd(8))
      this.patient ??= query.wildcard ? null : this.#patientIn(b, fieldStart(8), fieldEnd(8))
    } else {
      query.wildcard = true
    }
  }

  /** RCP-2 quantity limited request. */
  #rcp(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 2)
    this.#startQuery(null).limit = leadingNumber(b, fieldStart(2), fieldEnd(2))
  }

  #startQuery(name: string | null): Hl7Query {
    const query = (this.query ??= { name: null, keys: 0, wildcard: false, limit: null })
    query.name ??= name
    return query
  }

  #idEnd(b: Uint8Array, start: number, end: number): number {
    return firstPartEnd(b, start, Math.min(end, start + LIMITS.hl7.textChars), this.#delimiters)
  }

  #split(b: Uint8Array, start: number, end: number, last: number): void {
    splitFields(b, start, end, this.#delimiters.field, last, PLAIN)
    if (!sawForeign()) return
    const reach = this.#reach(b, start, end)
    if (reach !== PLAIN) splitFields(b, start, end, this.#delimiters.field, last, reach)
  }

  #reach(b: Uint8Array, start: number, end: number): Reach {
    const { label, reach } = this.#texts.charset
    // What is declared as ASCII and is not, is as good as undeclared.
    return label === null || label === 'latin1' ? guessReach(b, start, end) : reach
  }

  #firstComponent(b: Uint8Array, field: number): string | null {
    const start = fieldStart(field)
    return this.#text(b, start, firstPartEnd(b, start, fieldEnd(field), this.#delimiters))
  }

  /** A text that is likely to come again; empty gives null. */
  #text(b: Uint8Array, start: number, end: number): string | null {
    return end > start ? this.#texts.interned.get(b, start, Math.min(end, start + LIMITS.hl7.textChars)) : null
  }

  /** A text that is not. */
  #plainText(b: Uint8Array, start: number, end: number): string | null {
    return end > start ? textOf(this.#texts.charset, b, start, Math.min(end, start + LIMITS.hl7.textChars)) : null
  }

  /** ASCII without escape sequences: the bytes are the text. */
  #isPlain(b: Uint8Array, start: number, end: number): boolean {
    const { escape } = this.#delimiters
    for (let i = start; i < end; i++) {
      const c = b[i]!
      if (c > 0x7E || c === escape || c === 0x1B) return false
    }
    return true
  }

  #decoded(b: Uint8Array, start: number, end: number): string {
    const stop = Math.min(end, start + LIMITS.hl7.textChars)
    const text = textOf(this.#texts.charset, b, start, stop)
    return unescapeText(text, (this.#textDelimiters ??= asText(this.#delimiters)), this.#texts.charset)
  }
}

const charOf = (c: number): string => (c === NONE ? '' : String.fromCharCode(c))

export function asText(d: Delimiters): TextDelimiters {
  return {
    field: charOf(d.field), component: charOf(d.component), repetition: charOf(d.repetition),
    escape: charOf(d.escape), subcomponent: charOf(d.subcomponent),
  }
}

/** Four orders a message at most, nearly always the same strings: a plain loop beats `includes`. */
function contains(list: readonly Pseudonym[], id: Pseudonym): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === id) return true
  return false
}

/** Digits only, up to nine of them; else undefined. HL7 also sends -1 and 0 in MSH-13 (sequence number protocol, section 2.10.1). */
function wholeNumber(b: Uint8Array, start: number, end: number): number | undefined {
  const negative = b[start] === 0x2D && end > start
  const first = negative ? start + 1 : start
  if (end <= first || end - first > 9) return undefined
  let value = 0
  for (let i = first; i < end; i++) {
    const digit = b[i]! - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}

/** `10^RD`: the number in front. */
function leadingNumber(b: Uint8Array, start: number, end: number): number | null {
  let stop = start
  while (stop < end && b[stop]! >= 0x30 && b[stop]! <= 0x39) stop++
  return wholeNumber(b, start, stop) ?? null
}

function hasWildcard(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (b[i] === 0x2A || b[i] === 0x25) return true
  return false
}
