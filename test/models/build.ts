/** Builds wire events for the tests of the models: the few facts that matter, everything else as an ordinary conversation has it. */
import type {
  DataSetFacts, DicomAssociation, DicomOperation, DimseCommand, Flow, FlowEnd, Hl7Message, Micros, Violation,
} from '../../protocols/events.ts'
import type { Pseudonym } from '../../protocols/phi.ts'

export const SECOND = 1_000_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** A Monday, 00:00 UTC. */
export const START: Micros = Date.UTC(2025, 0, 6) * 1000
/** Capture time of a day (0: the first), hour and minute (both may be fractions). */
export const at = (day: number, hour: number, minute = 0): Micros => Math.round(START + day * DAY + hour * HOUR + minute * MINUTE)
/** DA of a day, counted from the first. */
export const date = (day: number): string => new Date((START + day * DAY) / 1000).toISOString().slice(0, 10).replaceAll('-', '')

export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2'
export const DOSE_REPORT = '1.2.840.10008.5.1.4.1.1.88.67'
export const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1'
export const STUDY_ROOT_MOVE = '1.2.840.10008.5.1.4.1.2.2.2'
export const WORKLIST_FIND = '1.2.840.10008.5.1.4.31'

export interface Host {
  ip: string
  mac: string | null
  /** AE title, or HL7 application. */
  name: string
}

export const host = (name: string, ip: string, mac: string | null = macOf(ip)): Host => ({ name, ip, mac })
const macOf = (ip: string): string => `02:00:${ip.split('.').map((n) => Number(n).toString(16).padStart(2, '0')).join(':')}`
export const patient = (text: string): Pseudonym => `p-${text}` as Pseudonym

let conversations = 0

export function flow(client: Host, server: Host, port = 104, more: Partial<Flow> = {}): Flow {
  const n = ++conversations
  return {
    id: `f${n}`, transport: 'tcp', client: { ip: client.ip, port: 32768 + (n % 28000), mac: client.mac }, server: { ip: server.ip, port, mac: server.mac },
    vlan: [], community_id: `1:${n}`, midstream: false, ...more,
  }
}

const common = (when: Micros): { at: Micros; complete: boolean; after_gap: boolean } => ({ at: when, complete: true, after_gap: false })

export function operation(on: Flow, when: Micros, calling: string, command: DimseCommand, more: Partial<DicomOperation> = {}): DicomOperation {
  return {
    ...common(when), kind: 'dicom.operation', flow: on, transport: 'dimse', command, calling_ae: calling, called_ae: 'ANY', invoker: 'client',
    message_id: 1, context_id: 1, sop_class_uid: null, sop_instance_uid: null, status: '0000', pending: 0, cancelled: false, dataset: null,
    query: null, move: null, started: when - SECOND, duration_ms: 1000, ...more,
  }
}

export function study(uid: string, of: string, day: number, more: Partial<DataSetFacts> = {}): DataSetFacts {
  return {
    bytes: 500_000, transfer_syntax: '1.2.840.10008.1.2', study_uid: `2.25.${uid}`, series_uid: null, modality: 'CT', study_date: date(day),
    patient: patient(of), accession: null, manufacturer: null, model: null, software: null, station: null, serial: null, institution: null, ...more,
  }
}

export const store = (on: Flow, when: Micros, calling: string, dataset: DataSetFacts, more: Partial<DicomOperation> = {}): DicomOperation =>
  operation(on, when, calling, 'C-STORE', { sop_class_uid: CT_IMAGE, dataset, ...more })

export const find = (on: Flow, when: Micros, calling: string, matches: number, more: Partial<DicomOperation> = {}): DicomOperation =>
  operation(on, when, calling, 'C-FIND', {
    sop_class_uid: STUDY_ROOT_FIND, pending: matches, query: { level: 'STUDY', keys: ['PatientID'], wildcard: false, matches }, ...more,
  })

export const move = (on: Flow, when: Micros, calling: string, destination: string): DicomOperation =>
  operation(on, when, calling, 'C-MOVE', {
    sop_class_uid: STUDY_ROOT_MOVE, move: { destination_ae: destination, completed: 1, failed: 0, warning: 0, remaining: 0 },
  })

/** An association of a client that asked for `operations`, ending at `when`. */
export function association(on: Flow, when: Micros, calling: string, operations: Record<string, number>, more: Partial<DicomAssociation> = {}): DicomAssociation {
  return {
    ...common(when), kind: 'dicom.association', flow: on, calling_ae: calling, called_ae: 'ANY', result: 'accepted', ended: 'released', reject: null,
    abort: null, contexts: [], max_pdu: { client: 16384, server: 16384 }, implementation: { client: null, server: null }, user_identity: null,
    roles: [], async_operations: null, operations, bytes: { client: 1000, server: 1000 }, started: when - 5 * SECOND, ended_at: when, ...more,
  }
}

export function flowEnd(on: Flow, when: Micros, protocol: FlowEnd['protocol'], more: Partial<FlowEnd> = {}): FlowEnd {
  return {
    ...common(when), kind: 'flow', flow: on, transport: on.transport, protocol, state: 'established', bytes: { client: 1000, server: 1000 },
    packets: { client: 10, server: 10 }, retransmitted: 0, gaps: { client: 0, server: 0 }, started: when - 6 * SECOND, ended_at: when, ...more,
  }
}

/** A connection that nobody took. */
export const failedFlow = (on: Flow, when: Micros, state: 'refused' | 'unanswered'): FlowEnd =>
  flowEnd(on, when, null, { state, bytes: { client: 0, server: 0 } })

export function message(on: Flow, when: Micros, from: Host, to: Host, type: string, of: string, more: Partial<Hl7Message> = {}): Hl7Message {
  return {
    ...common(when), kind: 'hl7.message', flow: on, direction: 'client', message_type: type, structure: null, control_id: `${when}`,
    sending_app: from.name, sending_facility: 'HOSPITAL', receiving_app: to.name, receiving_facility: 'HOSPITAL', version: '2.5', processing_id: 'P',
    charset: null, message_time: null, segments: { MSH: 1, PID: 1 }, bytes: 600, patient: patient(of), orders: [], batch: false,
    acks: [{ code: 'AA', control_id: `${when}`, message_type: 'ACK', bytes: 80, patients: 0, latency_ms: 5 }], acknowledges: null, ...more,
  }
}

export const refused = { acks: [{ code: 'AE', control_id: null, message_type: 'ACK', bytes: 80, patients: 0, latency_ms: 5 }] }

export const violation = (on: Flow, when: Micros, code: string, more: Partial<Violation> = {}): Violation =>
  ({ ...common(when), kind: 'violation', flow: on, protocol: 'dicom', code, section: 'PS3.8 9.3.1', offset: 0, detail: 'an invented one', ...more })
