/** What a request to a DICOMweb server asks for: transactions and resources of PS3.18, chapters 9 and 10, out of the start line and two fields. */
import type { QueryFacts, WebFacts } from '../../events.ts'
import { fieldOf, type HttpHead } from '../../http/head.ts'
import { LIMITS } from '../../limits.ts'
import { isUid } from '../associate.ts'
import { emptyQuery } from '../facts.ts'
import { isRange, keyword, tagOf } from '../keywords.ts'

/** A request as far as it is DICOMweb. */
export interface WebRequest {
  transaction: WebFacts['transaction']
  resource: string
  study: string | null
  series: string | null
  instance: string | null
  /** Of a `.../aets/NAME/rs/...` target, as dcm4chee has them. */
  aet: string | null
  /** QIDO-RS only. */
  query: QueryFacts | null
  patient: string | null
  accession: string | null
}

/** What may stand behind a study, series or instance (PS3.18 10.1 to 10.4); anything else is named `other`. */
const RESOURCES = new Set(['metadata', 'rendered', 'thumbnail', 'frames', 'bulkdata', 'pixeldata'])
/** Parameters of a search that are no keys (PS3.18 8.3.4, and the media type parameters of 8.3.3). */
const NO_KEYS = new Set(['includefield', 'fuzzymatching', 'emptyvaluematching', 'multiplevaluematching', 'limit', 'offset', 'orderby', 'accept', 'charset'])
/** Path segments that say DICOM: `dicom-web`, `dicomweb`, `wado`, `qido-rs`, `aets`. */
const PREFIX = /dicom|wado|qido|stow|^aets$/i
/** Of a body that is DICOM in some form: a file, JSON, XML. */
export const DICOM_TYPE = /application\/dicom/i

/** Is a body of this Content-Type an instance, as a file? */
export const isInstance = (type: string): boolean => /^application\/dicom\s*(;|$)/i.test(type)

const NOTHING_SAID: Omit<WebRequest, 'transaction'> = { resource: 'instance', study: null, series: null, instance: null, aet: null, query: null, patient: null, accession: null }
/** A DICOM file that is answered to whatever it was that was asked. */
export const DOWNLOAD: WebRequest = { transaction: 'download', ...NOTHING_SAID }
const UPLOAD: WebRequest = { transaction: 'upload', ...NOTHING_SAID }

/** @returns null when it is none */
export function webRequest(head: Pick<HttpHead, 'method' | 'target' | 'type' | 'text'>): WebRequest | null {
  return standardRequest(head) ?? ((head.method === 'POST' || head.method === 'PUT') && isInstance(head.type) ? UPLOAD : null)
}

function standardRequest({ method, target, type, text }: Pick<HttpHead, 'method' | 'target' | 'type' | 'text'>): WebRequest | null {
  const { path, parameters } = split(target)
  const uri = wadoUri(method, parameters)
  if (uri !== null) return uri
  const at = path.findLastIndex((part) => part === 'studies')
  const from = at >= 0 ? at : path.findLastIndex((part) => part === 'series' || part === 'instances')
  if (from < 0) return null
  const names = named(path.slice(from))
  if (names === null) return null
  const { study, series, instance, rest } = names
  const isSaid = path.slice(0, from).some((part) => PREFIX.test(part)) || (study !== null && study.includes('.')) ||
    DICOM_TYPE.test(type) || DICOM_TYPE.test(fieldOf(text, 'accept') ?? '')
  if (!isSaid) return null
  const aets = path.indexOf('aets')
  const request: WebRequest = {
    transaction: 'WADO-RS', resource: '', study, series, instance, aet: aets < 0 ? null : path[aets + 1]?.slice(0, LIMITS.dicom.textBytes) ?? null,
    query: null, patient: null, accession: null,
  }
  if (method === 'POST') return series === null && rest === '' ? { ...request, transaction: 'STOW-RS', resource: 'studies' } : null
  if (method !== 'GET' && method !== 'HEAD') return null
  const last = path.at(-1)!
  if (last === 'studies' || last === 'series' || last === 'instances') return search(request, last, parameters)
  return { ...request, resource: rest === '' ? instance !== null ? 'instance' : series !== null ? 'series' : 'study' : RESOURCES.has(rest) ? rest : 'other' }
}

/** `studies/{study}/series/{series}/instances/{instance}/rest`, from any of its levels on; null when it is something else. */
function named(path: string[]): Pick<WebRequest, 'study' | 'series' | 'instance'> & { rest: string } | null {
  const found: Record<string, string | null> = { studies: null, series: null, instances: null }
  let at = 0
  for (const level of ['studies', 'series', 'instances']) {
    if (path[at] !== level) continue
    const uid = path[at + 1]
    if (uid === undefined || uid === '') {
      at++
      break
    }
    if (!isUid(uid)) break
    found[level] = uid
    at += 2
  }
  if (at === 0) return null
  return { study: found['studies']!, series: found['series']!, instance: found['instances']!, rest: path[at] ?? '' }
}

/** Absolute and origin form (RFC 9112 3.2), cut at what a target may have; never throws. */
function split(target: string): { path: string[]; parameters: [string, string][] } {
  const local = target.replace(/^https?:\/\/[^/]*/i, '').replace(/#.*$/s, '')
  const question = local.indexOf('?')
  const path = (question < 0 ? local : local.slice(0, question)).split('/', LIMITS.dicom.pathSegments).map(decoded).filter((part) => part !== '')
  const parameters = (question < 0 ? '' : local.slice(question + 1)).split('&', LIMITS.dicom.webParameters).filter((part) => part !== '').map((part): [string, string] => {
    const equals = part.indexOf('=')
    return equals < 0 ? [decoded(part), ''] : [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1)).trim()]
  })
  return { path, parameters }
}

/** Percent-encoding in UTF-8 (RFC 3986 2.1); as sent where it is none. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** PS3.18 9.1: `?requestType=WADO&studyUID=...&seriesUID=...&objectUID=...`. */
function wadoUri(method: string | null, parameters: readonly [string, string][]): WebRequest | null {
  if (method !== 'GET' || !parameters.some(([name, value]) => name === 'requestType' && value === 'WADO')) return null
  const uid = (name: string): string | null => parameters.find(([n, value]) => n === name && isUid(value))?.[1] ?? null
  return { ...NOTHING_SAID, transaction: 'WADO-URI', study: uid('studyUID'), series: uid('seriesUID'), instance: uid('objectUID') }
}

/** PS3.18 8.3.4.1 and 10.6: attributes by keyword or number, nested ones with dots; wildcards, ranges and lists as in PS3.4 C.2.2.2. */
function search(request: WebRequest, last: 'studies' | 'series' | 'instances', parameters: readonly [string, string][]): WebRequest {
  const query = emptyQuery()
  query.level = last === 'studies' ? 'STUDY' : last === 'series' ? 'SERIES' : 'IMAGE'
  const found: WebRequest = { ...request, transaction: 'QIDO-RS', resource: last, query }
  const add = (list: string[], name: string): void => {
    if (list.length < LIMITS.dicom.queryKeys && !list.includes(name)) list.push(name)
  }
  if (request.study !== null) add(query.keys, 'StudyInstanceUID')
  if (request.series !== null) add(query.keys, 'SeriesInstanceUID')
  for (const [path, value] of parameters) {
    if (NO_KEYS.has(path.toLowerCase()) || value === '') continue
    const tag = tagOf(path.slice(path.lastIndexOf('.') + 1))
    if (tag === null) continue
    const hasWildcard = /[*?]/.test(value)
    if (hasWildcard) query.wildcard = true
    if (/^\*+$/.test(value)) continue
    const name = keyword(tag)
    add(query.keys, name)
    if (isRange(tag, value)) add(query.ranges ??= [], name)
    if (hasWildcard) continue
    if (name === 'PatientID') found.patient = value
    else if (name === 'AccessionNumber') found.accession = value
    else if (name === 'StudyInstanceUID') studies(found, query, value)
  }
  if (query.keys.length === 0) query.wildcard = true
  return found
}

/** A list of UIDs is separated by commas or backslashes (PS3.18 8.3.4.1). */
function studies(request: WebRequest, query: QueryFacts, value: string): void {
  const all = value.split(/[,\\]/).filter(isUid)
  request.study ??= all[0] ?? null
  if (all.length > 1) query.study_uids = all.slice(0, LIMITS.dicom.webStudies)
}
