/**
 * The vocabulary: everything the wire can tell us. `models/` reads nothing else of `protocols/`.
 *
 * Field names are those of the published JSON (docs: CONTRACTS), so an event in memory and a line of `--events` are
 * one thing; only times differ: in memory they are `Micros`, in JSON RFC 3339 text (see `src/sinks/event-json.ts`).
 * Text that comes from the wire is bounded (`limits.ts`), but otherwise as sent: whoever prints it escapes it.
 */
import type { Pseudonym } from './phi.ts'

/** Capture time: microseconds since 1970-01-01 UTC. The only clock of protocols/ and models/. */
export type Micros = number

export interface Endpoint {
  /** Textual IPv4 or IPv6 address (RFC 5952). */
  readonly ip: string
  readonly port: number
  /** `aa:bb:cc:dd:ee:ff`, or null where the link layer shows none. */
  readonly mac: string | null
}

/** One TCP or UDP conversation. One object per conversation, shared by all its events. */
export interface Flow {
  /** Deterministic: the same frames give the same id. */
  readonly id: string
  readonly transport: 'tcp' | 'udp'
  /** Who opened the conversation, or is taken to have (then `midstream`). */
  readonly client: Endpoint
  readonly server: Endpoint
  /** VLAN ids from the outside in. */
  readonly vlan: readonly number[]
  /** Community ID v1. */
  readonly community_id: string
  /** The start of the conversation was not seen. */
  readonly midstream: boolean
}

export type Side = 'client' | 'server'

export interface PerSide<T> {
  client: T
  server: T
}

/** What every event carries. */
interface Common {
  /** When it became known: capture time of the frame that completed it. */
  at: Micros
  /** False when loss, slicing, a cap or the end of the capture cut it short. */
  complete: boolean
  /** Bytes of this conversation were missing before it, so what it says may be partial. */
  after_gap: boolean
}

interface OnFlow extends Common {
  flow: Flow
}

// --------------------------------------------------------------------------------------------------- DICOM

export interface PresentationContext {
  id: number
  abstract_syntax: string | null
  transfer_syntaxes: string[]
  /** PS3.8 table 9-18: 0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes; null: no answer seen. */
  result: number | null
  /** The accepted transfer syntax. */
  transfer_syntax: string | null
}

export interface Implementation {
  class_uid: string | null
  version_name: string | null
}

/** One per A-ASSOCIATE-RQ (PS3.8 section 7.1), when the association ends or the capture does. */
export interface DicomAssociation extends OnFlow {
  kind: 'dicom.association'
  calling_ae: string | null
  called_ae: string | null
  /** unseen: its request is not in the capture. */
  result: 'accepted' | 'rejected' | 'unanswered' | 'unseen'
  ended: 'released' | 'aborted' | 'closed' | 'reset' | 'open'
  /** PS3.8 table 9-21. */
  reject: { result: number; source: number; reason: number } | null
  /** PS3.8 table 9-26. */
  abort: { source: number; reason: number } | null
  contexts: PresentationContext[]
  /** Maximum length received (PS3.8 annex D.1), bytes; 0 unlimited; null not seen. */
  max_pdu: PerSide<number | null>
  implementation: PerSide<Implementation | null>
  /** PS3.7 annex D.3.3.7; the secret itself is never kept. `accepted`: the acceptor said so (59H). */
  user_identity: { type: number; has_passcode: boolean; accepted?: boolean } | null
  roles: { sop_class_uid: string; scu: boolean; scp: boolean }[]
  async_operations: { invoked: number; performed: number } | null
  /** PS3.7 annex A.2.1, where it is another than DICOM's. */
  application_context?: string
  /** SOP classes with extended negotiation (PS3.7 D.3.3.5), and the bytes each sent of it. */
  extended_negotiation?: { sop_class_uid: string; bytes: number }[]
  /** PS3.7 D.3.3.6: of which service a SOP class is, and which general ones it is like. */
  common_extended_negotiation?: { sop_class_uid: string; service_class_uid: string; related: string[] }[]
  /** Types of items that the standard does not know, of both sides. */
  unknown_items?: number[]
  /** The C-MOVE that it was opened for. */
  cause?: Cause
  /** What was found wrong with it, reported as `violation` or beyond the cap of those. */
  violations?: number
  /** Requests by command: {"C-STORE": 3}. */
  operations: Record<string, number>
  /** Bytes of the upper layer by sender. */
  bytes: PerSide<number>
  started: Micros
  ended_at: Micros
}

export interface DataSetFacts {
  /** Bytes of the data set on the wire, fragments added up. */
  bytes: number
  transfer_syntax: string | null
  study_uid: string | null
  series_uid: string | null
  modality: string | null
  /** DA as sent: YYYYMMDD. */
  study_date: string | null
  patient: Pseudonym | null
  accession: Pseudonym | null
  manufacturer: string | null
  model: string | null
  software: string | null
  station: string | null
  serial: string | null
  institution: string | null
  /** Bytes of private elements (PS3.5 7.8) that may hold anything: those of binary representation; absent: none. */
  private_bytes?: number
  /** Documents in it, and what is no picture where one should be. */
  documents?: DicomDocument[]
}

/** Content that is told by its first bytes: of an encapsulated document whatever it is; of pixel data and other binary values programs, archives and DICOM files. */
export interface DicomDocument {
  /** Keyword of the element, or its number: EncapsulatedDocument, PixelData, 00291010. */
  element: string
  /** MIME Type of Encapsulated Document (0042,0012). */
  declared: string | null
  /** Bytes of the value; of pixel data in fragments those of the first. */
  bytes: number
  /** What the first bytes are, as in `Hl7Document`: `pdf`, `windows executable` ... */
  content: string
}

export interface QueryFacts {
  /** (0008,0052): PATIENT, STUDY, SERIES, IMAGE; null for worklists. */
  level: string | null
  /** Keywords of the keys that restrict the match. */
  keys: string[]
  /** A key uses `*` or `?`, or nothing restricts the match at all. */
  wildcard: boolean
  /** Pending responses with a data set. */
  matches: number
  /** Distinct patients that the matches named. */
  patients?: number
  /** Keywords of the keys that match a range of dates or times. */
  ranges?: string[]
  /** All studies of a retrieval or query that names more than one. */
  study_uids?: string[]
}

export interface MoveFacts {
  destination_ae: string | null
  completed: number | null
  failed: number | null
  warning: number | null
  remaining: number | null
  /** `id`s of the conversations that carry what it made the archive send, and the C-STOREs seen on them until its final response. */
  flows?: string[]
  stored?: number
}

/** The request, on another association or this one, that made somebody open an association, store an instance or report a commitment. */
export interface Cause {
  /** C-MOVE; N-ACTION for storage commitment. */
  command: DimseCommand
  /** `id` of the conversation it was asked on. */
  flow: string
  /** Title and address of who asked. */
  ae: string | null
  ip: string
  message_id: number
  /** How it is known: the C-STORE names its originator; the association goes to the title that was named, from the archive that was asked; the Transaction UID is the same. */
  by: 'originator' | 'destination' | 'transaction'
  /** From the request to this. */
  after_ms: number
}

/** Of `transport` dicomweb (PS3.18): one request and its answer, over HTTP/1.1. `status` is what its HTTP status comes to (docs/decoding.md). */
export interface WebFacts {
  /**
   * QIDO-RS is told as C-FIND, WADO-RS and WADO-URI as C-GET, STOW-RS as C-STORE. `download` (as C-GET) and `upload` (as C-STORE): a DICOM file (`application/dicom`)
   * by a request that is none of PS3.18's, such as a server's own interface.
   */
  transaction: 'QIDO-RS' | 'WADO-RS' | 'STOW-RS' | 'WADO-URI' | 'download' | 'upload'
  /** What was addressed: studies, series, instances (searches); study, series, instance, metadata, rendered, thumbnail, frames, bulkdata, pixeldata, other. */
  resource: string
  http_status: number | null
  /** Instances stored or retrieved: parts of the body, or data sets of metadata. */
  instances: number
  /** Distinct studies of the instances, where they tell; `dataset` has the first. */
  studies: string[]
  /** What the 128 bytes in front of instances (PS3.10 7.1) are, and in how many; zeros are not listed. */
  preambles: Record<string, number>
  /** Scheme of the Authorization field: Basic, Bearer; the credentials are never kept. */
  authorization: string | null
}

/** Storage commitment (PS3.4 annex J): N-ACTION asks, N-EVENT-REPORT tells. */
export interface CommitmentFacts {
  /** Action Type ID, or Event Type ID: 1 all committed, 2 some failed. */
  type: number | null
  transaction_uid: string | null
  /** Instances asked for, or committed. */
  instances: number
  failed: number
  /** Of a report: the instances that its request asked for. */
  asked?: number
}

export type DimseCommand =
  | 'C-STORE' | 'C-FIND' | 'C-GET' | 'C-MOVE' | 'C-ECHO'
  | 'N-EVENT-REPORT' | 'N-GET' | 'N-SET' | 'N-ACTION' | 'N-CREATE' | 'N-DELETE'

/** One per request, when its final response is seen or it is given up. */
export interface DicomOperation extends OnFlow {
  kind: 'dicom.operation'
  transport: 'dimse' | 'dicomweb'
  command: DimseCommand
  calling_ae: string | null
  called_ae: string | null
  /** Which side of the flow asked. */
  invoker: Side
  message_id: number
  context_id: number
  sop_class_uid: string | null
  sop_instance_uid: string | null
  /** Final status, 4 upper-case hex digits (PS3.7 annex C); null when unseen. */
  status: string | null
  /** Number of pending responses (FF00, FF01). */
  pending: number
  cancelled: boolean
  dataset: DataSetFacts | null
  query: QueryFacts | null
  move: MoveFacts | null
  /** Of a C-STORE that a C-MOVE caused: who asked for it, and the message id it asked with. */
  move_originator?: { ae: string; message_id: number | null }
  commitment?: CommitmentFacts
  web?: WebFacts
  /** Of a C-STORE that a C-MOVE caused, and of a report of storage commitment. */
  cause?: Cause
  started: Micros
  duration_ms: number | null
}

// ---------------------------------------------------------------------------------------------------- HL7

export interface Hl7Ack {
  /** MSA-1: AA AE AR CA CE CR, or as sent. */
  code: string
  control_id: string | null
  message_type: string | null
  bytes: number
  /** Patients in a query response. */
  patients: number
  /** From the end of the message to the end of the acknowledgement. */
  latency_ms: number | null
  /** ERR-3.1 (ERR-1.4 before version 2.5): a code of table 0357, never text. */
  error?: string | undefined
}

export interface Hl7Query {
  /** QPD-1.1, or QRD-9 (what subject): Q22, DEM. */
  name: string | null
  /** Parameters that restrict the answer. */
  keys: number
  /** A key uses `*` or `%`, or nothing restricts the answer at all. */
  wildcard: boolean
  /** Records asked for at most (RCP-2, QRD-7). */
  limit: number | null
}

export interface Hl7Document {
  /** OBX-2: ED encapsulated data, RP reference pointer, or another type whose value is base64. */
  value_type: string
  /** OBX-5.2 and 5.3 as declared: `application/pdf`. */
  declared: string | null
  encoding: string | null
  /** Bytes on the wire, still encoded. */
  bytes: number
  /** What the first decoded bytes are: `pdf`, `windows executable` ...; null where nothing is embedded. */
  content: string | null
}

/** An earlier message of this side with the same control id: on the same connection, or by the same sending application on another one between the two hosts. */
export interface Hl7Repeat {
  /** Everything after the header segment is the same. */
  same_body: boolean
  /** What the earlier one was answered: an MSA-1 code, or null when no answer was seen. */
  answered: string | null
  after_ms: number
}

/** One per message that is not itself an acknowledgement; a lone acknowledgement has `acknowledges`. */
export interface Hl7Message extends OnFlow {
  kind: 'hl7.message'
  /** Who sent it. */
  direction: Side
  /** MSH-9.1^9.2. */
  message_type: string | null
  /** MSH-9.3. */
  structure: string | null
  control_id: string | null
  sending_app: string | null
  sending_facility: string | null
  receiving_app: string | null
  receiving_facility: string | null
  version: string | null
  processing_id: string | null
  charset: string | null
  /** MSH-7 as sent. */
  message_time: string | null
  segments: Record<string, number>
  /** Bytes between the frame's marks. */
  bytes: number
  patient: Pseudonym | null
  orders: Pseudonym[]
  batch: boolean
  acks: Hl7Ack[]
  acknowledges: Hl7Acknowledges | null
  /** How it travelled: in an MLLP block, in an HTTP body, between STX and ETX, or in no frame at all. */
  framing?: 'mllp' | 'http' | 'stx' | 'none'
  /** When its first byte came. */
  started?: Micros
  /** Capture time minus MSH-7. Where MSH-7 has no zone it is read as UTC, so the sender's zone is part of it. */
  lag_ms?: number | undefined
  /** Keyed hash (52 bits) of all that follows the header segment: the same for the same content under any control id or time. */
  body?: number | undefined
  /** MSH-13. */
  sequence?: number | undefined
  /** MSH-15 and MSH-16 (enhanced mode): AL always, NE never, ER on error, SU on success. */
  ack_conditions?: { accept: string | null; application: string | null } | undefined
  /** Commit acknowledgement of MLLP release 2. */
  commit?: 'ack' | 'nak' | undefined
  repeat?: Hl7Repeat | undefined
  /** Patients merged away (MRG-1). */
  merged?: Pseudonym[] | undefined
  /** OBR-4.1 of the first order. */
  service?: string | undefined
  /** Whether the order is for imaging, where that can be told (OBR-24, OBR-4, message type). */
  imaging?: boolean | undefined
  query?: Hl7Query | undefined
  documents?: Hl7Document[] | undefined
  /** more: DSC-1 says that another message continues this one; rest: MSH-14 says that it continues an earlier one. */
  continuation?: 'more' | 'rest' | undefined
}

export interface Hl7Acknowledges {
  control_id: string
  code: string
  /**
   * unseen: no message of this id was seen between the two hosts; answered: it was, and is answered already; acknowledgement: it answers an
   * acknowledgement; batch: it answers a whole batch.
   */
  to?: 'unseen' | 'answered' | 'acknowledgement' | 'batch'
  /** Patients in it, as in `Hl7Ack`. */
  patients?: number
  error?: string | undefined
}

// ---------------------------------------------------------------------------------------- everything else

export interface TlsSession extends OnFlow {
  kind: 'tls.session'
  version: string | null
  sni: string | null
  alpn: string | null
  ja4: string | null
  certificate: { subject: string | null; issuer: string | null; not_after: string | null } | null
}

/** Every TCP or UDP conversation, when it ends. */
export interface FlowEnd extends OnFlow {
  kind: 'flow'
  transport: 'tcp' | 'udp'
  protocol: 'dicom' | 'hl7' | 'tls' | null
  state: 'established' | 'refused' | 'unanswered' | 'midstream'
  /** Payload bytes by sender, as the headers tell (also of sliced packets). */
  bytes: PerSide<number>
  packets: PerSide<number>
  /** Segments that brought nothing new. */
  retransmitted: number
  /** Bytes missing for good, by sender. */
  gaps: PerSide<number>
  started: Micros
  ended_at: Micros
}

/** What a host shows of itself. */
export interface HostFacts extends Common {
  kind: 'host'
  ip: string
  mac: string | null
  vendor: string | null
  /** `eol`: end of the maker's free security updates, YYYY-MM-DD; null where some of what the name covers still is mended. `source`: where that is published. */
  os: { name: string; eol: string | null; evidence: string; family?: string | undefined; source?: string | undefined } | null
  hostname: string | null
  evidence: string
  confidence?: 'high' | 'medium' | 'low' | undefined
}

/** Something a standard forbids, on bytes that were not lost. */
export interface Violation extends OnFlow {
  kind: 'violation'
  protocol: 'tcp' | 'dicom' | 'hl7' | 'tls'
  /** Stable, lower case, dotted: `pdu.length`, `mllp.no-start`. */
  code: string
  /** Section of the standard: `PS3.8 9.3.1`. */
  section: string
  /** Byte offset in the sender's stream. */
  offset: number
  /** Plain words and numbers, never bytes of the wire. */
  detail: string
}

/** The sensor about itself: at the end, and every capture minute live. */
export interface CaptureReport {
  kind: 'capture'
  at: Micros
  frames: number
  bytes: number
  dropped: Record<string, number>
  /** Bytes that the conversations prove missing. */
  gaps: number
  /** A file ended in the middle of a record. */
  truncated: boolean
}

export type WireEvent =
  | DicomAssociation | DicomOperation | Hl7Message | TlsSession | FlowEnd | HostFacts | Violation | CaptureReport

export type EventKind = WireEvent['kind']

/** Narrows by kind: `EventOf<'dicom.operation'>`. */
export type EventOf<K extends EventKind> = Extract<WireEvent, { kind: K }>
