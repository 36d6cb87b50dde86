/** What a request or an answer carries: instances (PS3.10) alone or in parts, or DICOM JSON; as a stream, for the operation they belong to. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import type { DicomOperation, WebFacts } from '../../events.ts'
import { LIMITS } from '../../limits.ts'
import type { Pseudonym, Pseudonyms } from '../../phi.ts'
import { emptyFacts, FactsReader, IMAGE, PATIENT_BYTES } from '../facts.ts'
import { DicomJson } from './json.ts'
import { boundaryOf, Multipart, type PartSink } from './multipart.ts'
import { Part10Reader } from './part10.ts'
import { isInstance } from './resource.ts'

export type WebOperation = DicomOperation & { web: WebFacts }

export interface Body {
  feed(b: Uint8Array, start: number, end: number): void
  loss(missing: number): void
  end(): void
  /** A cap cut what it tells. */
  readonly isCut?: boolean
  /** Bytes that it holds, about. */
  readonly holds: number
  /** What it holds goes unread. */
  forget(): void
}

const NO_BYTES = new Uint8Array(0)

const isJson = (type: string): boolean => /^application\/(dicom\+)?json\s*(;|$)/i.test(type)

/** @returns null for bodies that say nothing here */
export function bodyOf(type: string, encoding: string | null, event: WebOperation, pseudonyms: Pseudonyms): Body | null {
  if (encoding !== null && encoding !== '' && !/^identity$/i.test(encoding)) {
    const inner = bodyOf(type, null, event, pseudonyms)
    return inner === null ? null : new Encoded(encoding.toLowerCase(), inner)
  }
  if (/^multipart\/related/i.test(type)) {
    const boundary = boundaryOf(type)
    return boundary === null ? null : new Parts(boundary, event, pseudonyms)
  }
  if (isInstance(type)) return new OneInstance(event, pseudonyms)
  // The answer to a STOW-RS request is a data set about it, no instance.
  if (isJson(type) && event.command !== 'C-STORE') return new JsonBody(event, pseudonyms)
  return event.command === 'C-GET' ? new Other(event) : null
}

/**
 * A body with a Content-Encoding (RFC 9110 8.4): held, and inflated at its end, within the limits; one that is longer says no more than that it was
 * there. Answers to searches and metadata are what servers compress.
 */
class Encoded implements Body {
  isCut = false
  readonly #inner: Body
  readonly #encoding: string
  /** One buffer, not a list: who sends byte by byte must not be held in pieces that cost a hundred times as much. */
  #held = NO_BYTES
  #bytes = 0

  constructor(encoding: string, inner: Body) {
    this.#encoding = encoding
    this.#inner = inner
  }

  feed(b: Uint8Array, start: number, end: number): void {
    if (this.isCut) return
    const size = this.#bytes + end - start
    if (size > LIMITS.dicom.encodedBytes) {
      this.forget()
      return
    }
    if (size > this.#held.length) this.#grow(size)
    this.#held.set(b.subarray(start, end), this.#bytes)
    this.#bytes = size
  }

  #grow(size: number): void {
    const larger = new Uint8Array(Math.min(LIMITS.dicom.encodedBytes, 2 ** Math.ceil(Math.log2(size))))
    larger.set(this.#held.subarray(0, this.#bytes))
    this.#held = larger
  }

  get holds(): number {
    return this.#held.length
  }

  loss(): void {
    this.forget()
  }

  forget(): void {
    this.isCut = true
    this.#held = NO_BYTES
  }

  end(): void {
    const plain = this.isCut ? null : decode(this.#held.subarray(0, this.#bytes), this.#encoding)
    this.#held = NO_BYTES
    if (plain === null) this.isCut = true
    else {
      this.#inner.feed(plain, 0, plain.length)
      this.#inner.end()
    }
  }
}

/** Null for what is not in the encoding, or would be more than is read of any. */
function decode(b: Uint8Array, encoding: string): Uint8Array | null {
  const options = { maxOutputLength: LIMITS.dicom.decodedBytes }
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(b, options)
    if (encoding === 'deflate') return inflateSync(b, options)
    return encoding === 'br' ? brotliDecompressSync(b, options) : null
  } catch {
    return null
  }
}

class OneInstance implements Body {
  isCut = false
  readonly #event: WebOperation
  readonly #reader: Part10Reader
  readonly #found = emptyFacts(null)

  constructor(event: WebOperation, pseudonyms: Pseudonyms) {
    this.#event = event
    const facts = new FactsReader(pseudonyms)
    facts.begin(IMAGE)
    facts.facts = this.#found
    this.#reader = new Part10Reader(facts)
  }

  feed(b: Uint8Array, start: number, end: number): void {
    this.#reader.feed(b, start, end)
  }

  loss(missing: number): void {
    this.#reader.loss(missing)
  }

  get holds(): number {
    return this.#reader.holds
  }

  forget(): void {
    this.isCut = true
    this.#reader.forget()
  }

  end(): void {
    const reader = this.#reader
    reader.end()
    const { web } = this.#event
    const facts = this.#event.dataset!
    if (web.instances++ === 0) {
      const { bytes, study_uid, series_uid } = facts
      Object.assign(facts, this.#found, { bytes, study_uid: this.#found.study_uid ?? study_uid, series_uid: this.#found.series_uid ?? series_uid })
      facts.transfer_syntax = reader.transferSyntax
      this.#event.sop_class_uid = reader.sopClass
      this.#event.sop_instance_uid = reader.sopInstance ?? this.#event.sop_instance_uid
    }
    facts.bytes += reader.bytes
    const study = this.#found.study_uid
    if (study !== null && web.studies.length < LIMITS.dicom.webStudies && !web.studies.includes(study)) web.studies.push(study)
    if (reader.preamble !== null) web.preambles[reader.preamble] = (web.preambles[reader.preamble] ?? 0) + 1
  }
}

/** A frame, a rendered image, bulk data: counted. */
class Other implements Body {
  readonly holds = 0
  readonly #event: WebOperation

  constructor(event: WebOperation) {
    this.#event = event
  }

  feed(_b: Uint8Array, start: number, end: number): void {
    this.#event.dataset!.bytes += end - start
  }

  loss(missing: number): void {
    this.#event.dataset!.bytes += missing
  }

  forget(): void {
    // Nothing is held.
  }

  end(): void {
    this.#event.web.instances++
  }
}

class JsonBody implements Body {
  isCut = false
  readonly #event: WebOperation
  readonly #json: DicomJson
  readonly #patients = new Set<Pseudonym>()
  /** How many were known when they were forgotten. */
  #forgotten = 0

  constructor(event: WebOperation, pseudonyms: Pseudonyms) {
    this.#event = event
    this.#json = new DicomJson((id) => {
      const patient = pseudonyms.patient(id)
      if (patient !== null && !this.isCut && this.#patients.size < LIMITS.dicom.queryPatients) this.#patients.add(patient)
    })
  }

  feed(b: Uint8Array, start: number, end: number): void {
    this.#json.feed(b, start, end)
  }

  loss(): void {
    // Brackets may be missing: what follows may be miscounted, and the operation says that it is not complete.
  }

  get holds(): number {
    return this.#patients.size * PATIENT_BYTES
  }

  forget(): void {
    this.isCut = true
    this.#forgotten += this.#patients.size
    this.#patients.clear()
  }

  end(): void {
    const { query, web, command } = this.#event
    const { dataSets } = this.#json
    if (command !== 'C-FIND') web.instances += dataSets
    else if (query !== null) {
      query.matches = dataSets
      query.patients = this.#forgotten + this.#patients.size
    }
  }
}

/** Each part a body of its own. */
class Parts implements Body, PartSink {
  readonly #event: WebOperation
  readonly #pseudonyms: Pseudonyms
  readonly #multipart: Multipart
  #part: Body | null = null
  isCut = false

  constructor(boundary: string, event: WebOperation, pseudonyms: Pseudonyms) {
    this.#event = event
    this.#pseudonyms = pseudonyms
    this.#multipart = new Multipart(boundary, this)
  }

  feed(b: Uint8Array, start: number, end: number): void {
    this.#multipart.feed(b, start, end)
  }

  loss(missing: number): void {
    this.#part?.loss(missing)
    this.#multipart.loss()
  }

  get holds(): number {
    return this.#multipart.holds + (this.#part?.holds ?? 0)
  }

  forget(): void {
    this.isCut = true
    this.#part?.forget()
    this.#multipart.loss()
  }

  end(): void {
    this.#multipart.end()
  }

  part(type: string): void {
    // Parts in parts are none of DICOM's.
    this.#part = /^multipart\//i.test(type) ? null : bodyOf(type, null, this.#event, this.#pseudonyms)
    // Matches in XML (PS3.18 8.7.3) come as a part each.
    if (this.#event.query !== null && this.#event.command === 'C-FIND' && !isJson(type)) this.#event.query.matches++
  }

  data(b: Uint8Array, start: number, end: number): void {
    this.#part?.feed(b, start, end)
  }

  partEnd(): void {
    this.#part?.end()
    this.#part = null
  }
}
