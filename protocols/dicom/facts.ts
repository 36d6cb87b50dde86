/** What events tell of a data set: the identifying elements of `DataSetFacts`, and what a query asks for. */
import type { DataSetFacts, QueryFacts } from '../events.ts'
import type { Pseudonyms } from '../phi.ts'
import { encodingOf, guessEncoding, inflateHead, walkDataSet, type Encoding } from './dataset.ts'
import { fieldText } from './pdu.ts'
import { keyword } from './keywords.ts'

/** Study, series and equipment: the last element looked for at the top level. */
const LAST_WANTED = 0x0020000e
const SCHEDULED_STEP = 0x00400100
const SCHEDULED_STEP_ATTRIBUTES = 0x00400270
const SPECIFIC_CHARACTER_SET = 0x00080005
const QUERY_RETRIEVE_LEVEL = 0x00080052

export const emptyFacts = (transferSyntax: string | null): DataSetFacts => ({
  bytes: 0, transfer_syntax: transferSyntax, study_uid: null, series_uid: null, modality: null, study_date: null, patient: null, accession: null,
  manufacturer: null, model: null, software: null, station: null, serial: null, institution: null,
})

/** The head in a form that can be walked; undefined when nothing is known of its encoding. */
function open(head: Uint8Array, length: number, transferSyntax: string | null): { bytes: Uint8Array; end: number; encoding: Encoding } | undefined {
  const encoding = transferSyntax === null ? guessEncoding(head, length) : encodingOf(transferSyntax)
  if (encoding === undefined) return undefined
  if (!encoding.deflated) return { bytes: head, end: length, encoding }
  const bytes = inflateHead(head, length)
  return { bytes, end: bytes.length, encoding }
}

/**
 * Reads what it finds in the head of a data set.
 * @returns false when more bytes might tell more
 */
export function readFacts(head: Uint8Array, length: number, facts: DataSetFacts, pseudonyms: Pseudonyms): boolean {
  const source = open(head, length, facts.transfer_syntax)
  if (source === undefined) return false
  const b = source.bytes
  return walkDataSet(b, source.end, source.encoding, (tag, path, start, end) => {
    if (path === 0 && tag > LAST_WANTED && tag < SCHEDULED_STEP) return false
    if (path !== 0 && path !== SCHEDULED_STEP && path !== SCHEDULED_STEP_ATTRIBUTES) return true
    const text = (): string | null => fieldText(b, start, end) || null
    switch (tag) {
      case 0x00080020: facts.study_date ??= text(); break
      case 0x00080050: facts.accession ??= pseudonyms.order(fieldText(b, start, end)); break
      case 0x00080060: facts.modality ??= text(); break
      case 0x00080070: facts.manufacturer ??= text(); break
      case 0x00080080: facts.institution ??= text(); break
      case 0x00081010: facts.station ??= text(); break
      case 0x00081090: facts.model ??= text(); break
      case 0x00100020: facts.patient ??= pseudonyms.patient(fieldText(b, start, end)); break
      case 0x00181000: facts.serial ??= text(); break
      case 0x00181020: facts.software ??= text(); break
      case 0x0020000d: facts.study_uid ??= text(); break
      case 0x0020000e: facts.series_uid ??= text(); break
    }
    return true
  })
}

/** Which keys of a C-FIND, C-MOVE or C-GET identifier restrict the match (PS3.4 C.2.2.2). */
export function readQuery(head: Uint8Array, length: number, transferSyntax: string | null, query: QueryFacts): void {
  const source = open(head, length, transferSyntax)
  if (source === undefined) return
  const b = source.bytes
  walkDataSet(b, source.end, source.encoding, (tag, _path, start, end) => {
    const text = fieldText(b, start, end)
    if (tag === QUERY_RETRIEVE_LEVEL) query.level = text
    else if (text !== '' && text !== '*' && tag !== SPECIFIC_CHARACTER_SET && query.keys.length < 32) {
      query.keys.push(keyword(tag))
      if (/[*?]/.test(text)) query.wildcard = true
    } else if (text === '*') query.wildcard = true
    return true
  })
  if (query.keys.length === 0) query.wildcard = true
}
