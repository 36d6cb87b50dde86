/** What events tell of a data set: the identifying elements of `DataSetFacts`, what a query asks for, what a commitment is about. */
import { documentContent, hiddenContent } from '../content.ts'
import type { CommitmentFacts, DataSetFacts, DicomDocument, QueryFacts } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Pseudonym, Pseudonyms } from '../phi.ts'
import { isUid } from './associate.ts'
import { charset, DEFAULT, type Decode } from './charset.ts'
import { FRAGMENT, isOther, NO_VR, PIXEL_DATA, UN, type Visitor } from './dataset.ts'
import { isRange, keyword } from './keywords.ts'

const SPECIFIC_CHARACTER_SET = 0x00080005
const STUDY_DATE = 0x00080020
const ACCESSION_NUMBER = 0x00080050
const QUERY_RETRIEVE_LEVEL = 0x00080052
const QUERY_RETRIEVE_VIEW = 0x00080053
const RETRIEVE_AE_TITLE = 0x00080054
const MODALITY = 0x00080060
const MANUFACTURER = 0x00080070
const INSTITUTION_NAME = 0x00080080
const TIMEZONE_OFFSET = 0x00080201
const STATION_NAME = 0x00081010
const MODEL_NAME = 0x00081090
const TRANSACTION_UID = 0x00081195
const FAILED_SOP_SEQUENCE = 0x00081198
const REFERENCED_SOP_SEQUENCE = 0x00081199
const PATIENT_ID = 0x00100020
const SERIAL_NUMBER = 0x00181000
const SOFTWARE_VERSIONS = 0x00181020
const STUDY_UID = 0x0020000d
const SERIES_UID = 0x0020000e
const SCHEDULED_STATION_AE = 0x00400001
const SCHEDULED_STEP_SEQUENCE = 0x00400100
const PERFORMED_STATION_AE = 0x00400241
const PERFORMED_STATION_NAME = 0x00400242
const SCHEDULED_STEP_ATTRIBUTES = 0x00400270
const PERFORMED_SERIES_SEQUENCE = 0x00400340
const ENCAPSULATED_DOCUMENT = 0x00420011
const MIME_TYPE_OF_DOCUMENT = 0x00420012

/** Memory that a patient who was counted takes, about. */
export const PATIENT_BYTES = 96

/** What a data set is read for. */
export const IMAGE = 0
/** Of a C-FIND, C-GET or C-MOVE request. */
export const IDENTIFIER = 1
/** Of a pending response to a C-FIND. */
export const MATCH = 2
/** Of an N- request: performed procedure steps, storage commitment. */
export const NORMALIZED = 3
export type Purpose = typeof IMAGE | typeof IDENTIFIER | typeof MATCH | typeof NORMALIZED

/** The last element of the top level that is read, by purpose; and the last one that identifies. */
const LAST = [PIXEL_DATA, PIXEL_DATA - 1, PATIENT_ID, PERFORMED_SERIES_SEQUENCE] as const
const NEEDED = [SERIES_UID, PIXEL_DATA - 1, PATIENT_ID, PERFORMED_SERIES_SEQUENCE] as const

/** Elements of an identifier that restrict nothing. */
const NO_KEYS = new Set([SPECIFIC_CHARACTER_SET, QUERY_RETRIEVE_LEVEL, QUERY_RETRIEVE_VIEW, RETRIEVE_AE_TITLE, TIMEZONE_OFFSET])

export const emptyFacts = (transferSyntax: string | null): DataSetFacts => ({
  bytes: 0, transfer_syntax: transferSyntax, study_uid: null, series_uid: null, modality: null, study_date: null, patient: null, accession: null,
  manufacturer: null, model: null, software: null, station: null, serial: null, institution: null,
})

export const emptyQuery = (): QueryFacts => ({ level: null, keys: [], wildcard: false, matches: 0 })

/** Fills in what it is pointed at while a data set is walked. One per direction, used again and again. */
export class FactsReader implements Visitor {
  last: number = LAST[IMAGE]
  needed: number = NEEDED[IMAGE]
  facts: DataSetFacts | null = null
  query: QueryFacts | null = null
  commitment: CommitmentFacts | null = null
  /** Patients that the responses to a query named so far. */
  patients: Set<Pseudonym> | null = null
  readonly #pseudonyms: Pseudonyms
  #purpose: Purpose = IMAGE
  #decode: Decode = DEFAULT

  constructor(pseudonyms: Pseudonyms) {
    this.#pseudonyms = pseudonyms
  }

  begin(purpose: Purpose): void {
    this.#purpose = purpose
    this.last = LAST[purpose]
    this.needed = NEEDED[purpose]
    this.facts = this.query = this.commitment = this.patients = null
    this.#decode = DEFAULT
  }

  wants(tag: number, vr: number, parent: number): number {
    switch (this.#purpose) {
      case IDENTIFIER: return LIMITS.dicom.valueBytes
      case MATCH: return parent === 0 && (tag === PATIENT_ID || tag === SPECIFIC_CHARACTER_SET) ? LIMITS.dicom.textBytes : 0
      case NORMALIZED: return parent === 0 || this.enters(parent) ? wantedFact(tag) : 0
      default: return mayHoldAnything(tag, vr) ? LIMITS.dicom.contentBytes : parent === 0 ? wantedFact(tag) : 0
    }
  }

  enters(tag: number): boolean {
    if (this.#purpose === IDENTIFIER) return true
    if (this.#purpose !== NORMALIZED) return false
    return tag === SCHEDULED_STEP_ATTRIBUTES || tag === PERFORMED_SERIES_SEQUENCE || tag === REFERENCED_SOP_SEQUENCE || tag === FAILED_SOP_SEQUENCE
  }

  item(sequence: number): void {
    if (this.#purpose !== NORMALIZED || this.commitment === null) return
    if (sequence === REFERENCED_SOP_SEQUENCE) this.commitment.instances++
    else if (sequence === FAILED_SOP_SEQUENCE) this.commitment.failed++
  }

  value(tag: number, vr: number, parent: number, b: Uint8Array, start: number, end: number, length: number): void {
    const isWhole = end - start === length
    if (tag === SPECIFIC_CHARACTER_SET) {
      this.#decode = charset(text(DEFAULT, b, start, end))
      return
    }
    if (this.#purpose === MATCH) {
      const patient = this.#patient(b, start, end, isWhole)
      if (patient !== null && this.patients!.size < LIMITS.dicom.queryPatients) this.patients!.add(patient)
      return
    }
    const { query } = this
    if (this.#purpose === IMAGE && mayHoldAnything(tag, vr)) this.#content(tag, b, start, end, length)
    else if (query === null) this.#fact(tag, parent, b, start, end, isWhole)
    else if (this.#isExactKey(query, tag, b, start, end)) this.#fact(tag, parent, b, start, end, isWhole)
  }

  #fact(tag: number, parent: number, b: Uint8Array, start: number, end: number, isWhole: boolean): void {
    const { facts } = this
    if (facts === null) return
    switch (tag) {
      case STUDY_DATE: facts.study_date ??= this.#text(b, start, end); break
      case ACCESSION_NUMBER: if (isWhole) facts.accession ??= this.#pseudonyms.order(this.#text(b, start, end) ?? ''); break
      case MODALITY: facts.modality ??= this.#text(b, start, end); break
      case MANUFACTURER: facts.manufacturer ??= this.#text(b, start, end); break
      case INSTITUTION_NAME: facts.institution ??= this.#text(b, start, end); break
      case STATION_NAME: facts.station ??= this.#text(b, start, end); break
      case MODEL_NAME: facts.model ??= this.#text(b, start, end); break
      case PATIENT_ID: facts.patient ??= this.#patient(b, start, end, isWhole); break
      case SERIAL_NUMBER: facts.serial ??= this.#text(b, start, end); break
      case SOFTWARE_VERSIONS: facts.software ??= this.#text(b, start, end); break
      case STUDY_UID: this.#studies(facts, b, start, end, isWhole); break
      case SERIES_UID: facts.series_uid ??= firstUid(b, start, end, isWhole); break
      case SCHEDULED_STATION_AE: case PERFORMED_STATION_AE: if (parent === 0 || parent === SCHEDULED_STEP_SEQUENCE) facts.station ??= this.#text(b, start, end); break
      case PERFORMED_STATION_NAME: facts.station = this.#text(b, start, end) ?? facts.station; break
      case MIME_TYPE_OF_DOCUMENT: this.#declared(facts, b, start, end); break
      case TRANSACTION_UID: if (this.commitment !== null) this.commitment.transaction_uid = firstUid(b, start, end, isWhole); break
    }
  }

  /** Of what should be a document it is told what it is, of pictures and numbers only where they are something else. */
  #content(tag: number, b: Uint8Array, start: number, end: number, length: number): void {
    const { facts } = this
    if (facts === null) return
    if (isPrivate(tag)) facts.private_bytes = (facts.private_bytes ?? 0) + length
    const content = tag === ENCAPSULATED_DOCUMENT ? documentContent(b.subarray(start, end)) : hiddenContent(b, start, end)
    if (content === null) return
    const documents: DicomDocument[] = (facts.documents ??= [])
    if (documents.length < LIMITS.dicom.contents) documents.push({ element: keyword(tag), declared: null, bytes: length, content })
  }

  /** The MIME type stands behind the document (PS3.3 C.24.2). */
  #declared(facts: DataSetFacts, b: Uint8Array, start: number, end: number): void {
    const document = facts.documents?.findLast(({ element }) => element === keyword(ENCAPSULATED_DOCUMENT))
    if (document !== undefined) document.declared = this.#text(b, start, end)
  }

  /** A retrieval may name several studies (PS3.4 C.2.2.2.2, list of UID matching). */
  #studies(facts: DataSetFacts, b: Uint8Array, start: number, end: number, isWhole: boolean): void {
    facts.study_uid ??= firstUid(b, start, end, isWhole)
    if (this.query === null) return
    const all = text(DEFAULT, b, start, end).split('\\')
    if (all.length > 1) this.query.study_uids = (isWhole ? all : all.slice(0, -1)).filter(isUid)
  }

  /** PS3.4 C.2.2.2: what of an identifier restricts the match. @returns true for a single value that has to be met exactly */
  #isExactKey(query: QueryFacts, tag: number, b: Uint8Array, start: number, end: number): boolean {
    if (tag === QUERY_RETRIEVE_LEVEL) query.level = this.#text(b, start, end)
    if (NO_KEYS.has(tag)) return false
    const value = text(this.#decode, b, start, end)
    if (value === '') return false
    const hasWildcard = value.includes('*') || value.includes('?')
    if (hasWildcard) {
      query.wildcard = true
      if (/^\*+$/.test(value)) return false
    }
    if (query.keys.length < LIMITS.dicom.queryKeys) query.keys.push(keyword(tag))
    if (isRange(tag, value) && (query.ranges ??= []).length < LIMITS.dicom.queryKeys) query.ranges.push(keyword(tag))
    return !hasWildcard
  }

  #patient(b: Uint8Array, start: number, end: number, isWhole: boolean): Pseudonym | null {
    return isWhole ? this.#pseudonyms.patient(text(this.#decode, b, start, end)) : null
  }

  #text(b: Uint8Array, start: number, end: number): string | null {
    return text(this.#decode, b, start, Math.min(end, start + LIMITS.dicom.textBytes)) || null
  }
}

function wantedFact(tag: number): number {
  switch (tag) {
    case SPECIFIC_CHARACTER_SET: case STUDY_DATE: case ACCESSION_NUMBER: case MODALITY: case MANUFACTURER: case INSTITUTION_NAME: case STATION_NAME:
    case MODEL_NAME: case TRANSACTION_UID: case PATIENT_ID: case SERIAL_NUMBER: case SOFTWARE_VERSIONS: case STUDY_UID: case SERIES_UID:
    case PERFORMED_STATION_AE: case PERFORMED_STATION_NAME: case MIME_TYPE_OF_DOCUMENT:
      return LIMITS.dicom.textBytes
    default: return 0
  }
}

/** PS3.5 7.8: the group is odd. */
const isPrivate = (tag: number): boolean => (tag & 0x10000) !== 0

/** Documents, pictures, and what only those who wrote it can read; where there is no VR, private elements (their group is odd). */
function mayHoldAnything(tag: number, vr: number): boolean {
  if (vr === NO_VR) return isPrivate(tag) || tag === PIXEL_DATA || tag === ENCAPSULATED_DOCUMENT
  return isOther(vr) || vr === UN || vr === FRAGMENT
}

/** Text without its padding: blanks on both sides, NUL behind (PS3.5 6.2). */
function text(decode: Decode, b: Uint8Array, start: number, end: number): string {
  let from = start
  let stop = end
  while (stop > from && (b[stop - 1] === 0x20 || b[stop - 1] === 0)) stop--
  while (from < stop && b[from] === 0x20) from++
  return decode(b, from, stop)
}

/** The first of a list of UIDs; a value that was cut may end in a UID that is none. */
function firstUid(b: Uint8Array, start: number, end: number, isWhole: boolean): string | null {
  const value = text(DEFAULT, b, start, end)
  const stop = value.indexOf('\\')
  if (stop < 0 && !isWhole) return null
  const uid = stop < 0 ? value : value.slice(0, stop)
  return uid.length <= LIMITS.dicom.textBytes ? uid || null : null
}
