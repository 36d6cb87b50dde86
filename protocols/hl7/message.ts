/**
 * One message, segment by segment, as they come: of each only the fields that an event needs are looked at, on the bytes, once.
 * Field numbers are those of HL7 v2.5.1 (chapter 2 MSH MSA ERR DSC, 3 PID MRG, 4 ORC OBR, 5 QRD QPD RCP, 7 OBX).
 */
import type { Hl7Document, Hl7Query } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Pseudonym } from '../phi.ts'
import { BodyHash } from './body-hash.ts'
import { PLAIN } from './charset.ts'
import { describeDocument } from './documents.ts'
import { unescapeText } from './escapes.ts'
import { componentStart, fieldCount, fieldEnd, fieldStart, firstPartEnd, sawForeign, splitFields, upTo } from './fields.ts'
import type { Identities } from './identities.ts'
import { HASH_START, hashByte } from './intern.ts'
import { HeaderReader, reachOf, textOf, wholeNumber } from './msh.ts'
import type { Route } from './msh.ts'
import { isImagingCode, isImagingSection } from './orders.ts'
import { SegmentCounts } from './segment-counts.ts'
import { ADD, DSC, ERR, IPC, MRG, MSA, MSH, NAMELESS, OBR, OBX, ORC, PID, QPD, QRD, RCP, ZDS, nameAt } from './segment-names.ts'

/** Most messages and all acknowledgements name no order; shared by them, so not to be changed. */
const NONE: Pseudonym[] = []

const QUOTE = 0x22, DELAYED = 0x44

/** What `#id` found last. */
let idEnd = 0
let idPlain = true
let idHash = 0

export class MessageReader {
  readonly #identities: Identities
  readonly #hash: BodyHash
  readonly #counts = new SegmentCounts()
  /** Bytes were lost inside the message: what comes after counts, but does not tell who it is about. */
  #lossy = false

  readonly header = new HeaderReader()
  continued = false
  ackCode = ''
  ackOf = ''
  /** MSA-5: another acknowledgement follows. */
  isDelayed = false
  error: string | undefined
  patient: Pseudonym | null = null
  patients = 0
  orders = NONE
  readonly #orderHashes = new Int32Array(LIMITS.hl7.identifiers)
  merged: Pseudonym[] | undefined
  service: string | undefined
  imaging: boolean | undefined
  query: Hl7Query | undefined
  documents: Hl7Document[] | undefined
  /** The document in which the last segment ended: what follows may be the rest of it. */
  #openDocument: Hl7Document | undefined

  constructor(identities: Identities) {
    this.#identities = identities
    this.#hash = new BodyHash(identities.segmentHash)
  }

  /** Forgets the last message. @param before the route of the last message of the same sender */
  reset(before: Route): void {
    this.#hash.reset()
    this.#counts.reset()
    this.#lossy = false
    this.header.reset(before)
    this.continued = false
    this.patient = null
    this.ackCode = this.ackOf = ''
    this.isDelayed = false
    this.error = this.service = undefined
    this.patients = 0
    this.orders = NONE
    this.merged = this.imaging = this.query = this.documents = this.#openDocument = undefined
  }

  get segments(): Record<string, number> {
    return this.#counts.counts()
  }

  /** The hash of all segments behind the header segment. */
  bodyHash(): number {
    return this.#hash.value()
  }

  /** A piece of a segment that is too long to be read whole. */
  piece(b: Uint8Array, start: number, end: number): void {
    this.#hash.piece(b, start, end)
  }

  loss(): void {
    this.#lossy = true
  }

  /** The last segment is part of a document, in lines that its sender did not escape. */
  get isInDocument(): boolean {
    return this.#openDocument !== undefined
  }

  /**
   * A segment `b[start..end)` without its end, by its name. Of a long one only the beginning is there: `length` says how long it is, and `cut`
   * that it stops in the middle because its end never came. `hashed`: it is the one that `segmentHash` scanned last.
   */
  segment(b: Uint8Array, start: number, end: number, name: number, length: number, cut: boolean, hashed: boolean): void {
    this.#counts.add(name)
    if (name !== MSH) {
      if (length === end - start) this.#hash.segment(b, start, end, hashed)
      else this.#hash.endPieces()
    }
    if (this.#lossy && this.header.isComplete) return
    if (this.#openDocument !== undefined) this.#documentGoesOn(b, start, end, name, length)
    switch (name) {
      case MSH: this.header.read(b, start, end, cut); break
      case PID: this.#pid(b, start, end); break
      case MSA: this.#msa(b, start, end, cut); break
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

  /** PID-3.1 of the first repetition that has one, else PID-2.1. */
  #pid(b: Uint8Array, start: number, end: number): void {
    this.patients++
    if (this.patient !== null) return
    this.#split(b, start, end, 3)
    this.patient = this.#patientIn(b, fieldStart(3), fieldEnd(3)) ?? this.#patientIn(b, fieldStart(2), fieldEnd(2))
  }

  #patientIn(b: Uint8Array, start: number, end: number): Pseudonym | null {
    for (let at = start; at < end; at = upTo(b, at, end, this.header.route.delimiters.repetition) + 1) {
      if (!this.#id(b, at, end)) continue
      const id = idPlain ? this.#identities.patient(b, at, idEnd, idHash) : this.#identities.pseudonyms.patient(this.#decoded(b, at, idEnd))
      if (id !== null) return id
    }
    return null
  }

  /** MSA-1 code, MSA-2 control id, MSA-5 delayed (table 0102), MSA-6 error before version 2.5. */
  #msa(b: Uint8Array, start: number, end: number, cut: boolean): void {
    if (this.ackCode !== '') return
    this.#split(b, start, end, 6)
    this.ackCode = this.#word(b, fieldStart(1), fieldEnd(1)) ?? ''
    // Half a control id would be another one.
    const isWhole = !cut || fieldCount() > 2
    this.ackOf = isWhole && fieldEnd(2) > fieldStart(2) ? textOf(this.header.traits.texts.charset, b, fieldStart(2), fieldEnd(2)) : ''
    this.isDelayed = fieldEnd(5) === fieldStart(5) + 1 && b[fieldStart(5)] === DELAYED
    this.#errorCode(b, fieldStart(6), fieldEnd(6))
  }

  /** ERR-3.1; before version 2.5 ERR-1.4.1. */
  #err(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 3)
    this.#errorCode(b, fieldStart(3), fieldEnd(3))
    const { repetition, component } = this.header.route.delimiters
    const place = fieldStart(1)
    const old = place === 0 ? -1 : componentStart(b, place, upTo(b, place, fieldEnd(1), repetition), component, 4)
    if (old > 0) this.#errorCode(b, old, fieldEnd(1))
  }

  /** Codes only: a text might name the patient. */
  #errorCode(b: Uint8Array, start: number, end: number): void {
    if (this.error !== undefined) return
    const code = this.#text(b, start, firstPartEnd(b, start, end, this.header.route.delimiters))
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
    const serviceEnd = firstPartEnd(b, service, fieldEnd(4), this.header.route.delimiters)
    this.service ??= this.#word(b, service, serviceEnd) ?? undefined
    this.imaging ??= isImagingSection(b, fieldStart(24), fieldEnd(24)) ?? isImagingCode(b, service, serviceEnd)
  }

  /** IPC-1 accession number (imaging procedure control). */
  #ipc(b: Uint8Array, start: number, end: number): void {
    this.imaging = true
    this.#split(b, start, end, 1)
    this.#order(b, fieldStart(1), fieldEnd(1))
  }

  #order(b: Uint8Array, start: number, end: number): void {
    const known = this.orders.length
    if (end <= start || known >= LIMITS.hl7.identifiers || !this.#id(b, start, end)) return
    // ORC and OBR name the same order: the same bytes need no second look-up.
    for (let i = 0; i < known; i++) if (this.#orderHashes[i] === idHash) return
    this.#orderHashes[known] = idHash
    const id = idPlain ? this.#identities.order(b, start, idEnd, idHash) : this.#identities.pseudonyms.order(this.#decoded(b, start, idEnd))
    if (id === null || contains(this.orders, id)) return
    if (known === 0) this.orders = [id]
    else this.orders.push(id)
  }

  /** MRG-1 prior patient identifiers: the first component of each repetition. */
  #mrg(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 1)
    const merged = (this.merged ??= [])
    const stop = fieldEnd(1)
    for (let at = fieldStart(1); at < stop && merged.length < LIMITS.hl7.identifiers;) {
      const next = upTo(b, at, stop, this.header.route.delimiters.repetition)
      const id = this.#patientIn(b, at, next)
      if (id !== null && !contains(merged, id)) merged.push(id)
      at = next + 1
    }
  }

  /** OBX-2 value type, OBX-5 value: only documents are of interest. */
  #obx(b: Uint8Array, start: number, end: number, length: number): void {
    const described = this.documents?.length ?? 0
    if (described >= LIMITS.hl7.documents) return
    const document = describeDocument(b, start, end, length, this.header.route.delimiters)
    if (document === undefined) return
    (this.documents ??= []).push(document)
    // No field behind OBX-5: that was the last thing looked for.
    if (fieldCount() === 5) this.#openDocument = document
  }

  /** ADD continues the field in which the segment before it ended (section 2.10.2); others break base64 into lines, as mail does. */
  #documentGoesOn(b: Uint8Array, start: number, end: number, name: number, length: number): void {
    const at = name === ADD ? Math.min(start + 4, end) : start
    const stop = upTo(b, at, end, this.header.route.delimiters.field)
    if (name === ADD || (name === NAMELESS && stop === end)) this.#openDocument!.bytes += stop < end ? stop - at : length - (at - start)
    if (stop < end || (name !== ADD && name !== NAMELESS)) this.#openDocument = undefined
  }

  /** QPD-1 query name, QPD-3 and later its parameters: `@PID.3.1^P100~@PID.5.1^DO*`, or plain values. */
  #qpd(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 24)
    const d = this.header.route.delimiters
    const query = this.#startQuery(this.#word(b, fieldStart(1), firstPartEnd(b, fieldStart(1), fieldEnd(1), d)))
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
    const value = named ? upTo(b, start, end, this.header.route.delimiters.component) + 1 : start
    if (value >= end) return
    query.keys++
    if (hasWildcard(b, value, end)) query.wildcard = true
    const identifies = named
      ? nameAt(b, start + 1) === PID && b[start + 4] === 0x2E && b[start + 5] === 0x33 && !(b[start + 6]! >= 0x30 && b[start + 6]! <= 0x39)
      : first && componentStart(b, start, end, this.header.route.delimiters.component, 4) > 0
    if (identifies) this.patient ??= this.#patientIn(b, value, end)
  }

  /** QRD-7 quantity, QRD-8 who (person identifiers), QRD-9 what. */
  #qrd(b: Uint8Array, start: number, end: number): void {
    this.#split(b, start, end, 9)
    const d = this.header.route.delimiters
    const query = this.#startQuery(this.#word(b, fieldStart(9), firstPartEnd(b, fieldStart(9), fieldEnd(9), d)))
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

  /**
   * The identifier at `start`: the first component of the first repetition. Where it ends, whether its bytes are its text, and
   * their hash stand in `idEnd`, `idPlain` and `idHash`: one look at each byte for all three. False where there is none.
   */
  #id(b: Uint8Array, start: number, end: number): boolean {
    const { component, repetition, subcomponent, escape } = this.header.route.delimiters
    const stop = Math.min(end, start + LIMITS.hl7.textChars)
    let hash = HASH_START
    let plain = true
    let i = start
    for (; i < stop; i++) {
      const c = b[i]!
      if (c === component || c === repetition || c === subcomponent) break
      if (c > 0x7E || c === escape || c === 0x1B) plain = false
      hash = hashByte(hash, c)
    }
    idEnd = i
    idPlain = plain
    idHash = hash
    // "" deletes what the receiver has (section 2.5.3).
    return i > start && !(i === start + 2 && b[start] === QUOTE && b[start + 1] === QUOTE)
  }

  #split(b: Uint8Array, start: number, end: number, last: number): void {
    const separator = this.header.route.delimiters.field
    splitFields(b, start, end, separator, last, PLAIN)
    if (!sawForeign()) return
    const reach = reachOf(this.header.traits.texts.charset, b, start, end)
    if (reach !== PLAIN) splitFields(b, start, end, separator, last, reach)
  }

  /** A text that is likely to come again; empty gives null. */
  #text(b: Uint8Array, start: number, end: number): string | null {
    return end > start ? this.header.traits.texts.texts.get(b, start, Math.min(end, start + LIMITS.hl7.textChars)) : null
  }

  /** A code; empty gives null. */
  #word(b: Uint8Array, start: number, end: number): string | null {
    return end > start ? this.header.traits.texts.words.get(b, start, Math.min(end, start + LIMITS.hl7.textChars)) : null
  }

  #decoded(b: Uint8Array, start: number, end: number): string {
    const { charset } = this.header.traits.texts
    return unescapeText(textOf(charset, b, start, end), this.header.route.textDelimiters, charset)
  }
}

/** Four orders a message at most, nearly always the same strings: a plain loop beats `includes`. */
function contains(list: readonly Pseudonym[], id: Pseudonym): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === id) return true
  return false
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
