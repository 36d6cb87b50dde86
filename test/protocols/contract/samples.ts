/** Conversations of each protocol, for the contract suite to cut, lose and spoil. Deterministic, and small enough to be cut at every byte. */
import * as d from '../../../fixtures/build/dicom.ts'
import { MULTIPART, http, multipart, part10 } from '../../../fixtures/build/web.ts'
import * as h from '../../../fixtures/build/hl7.ts'
import { hex, join, u16, u24, u8 } from '../../../fixtures/build/frames.ts'
import type { EventKind } from '../../../protocols/events.ts'
import type { Protocol } from '../../../protocols/protocol.ts'
import { cert } from '../tls/certificate.ts'
import type { Turns } from './wire.ts'

export interface Sample {
  name: string
  turns: Turns
  /** What the protocol makes of it, one per message or the like, in order. */
  units: EventKind
}

const EXPLICIT = '1.2.840.10008.1.2.1'
const IMPLICIT = '1.2.840.10008.1.2'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const VERIFICATION = '1.2.840.10008.1.1'
const FROM = { calling: 'CT1', called: 'ARCHIVE', user: { maxLength: 16_384, implementationClass: '1.2.3.4', implementationVersion: 'TEST_1' } }

const opened: Turns = [
  [0, d.associateRq({ ...FROM, contexts: [{ id: 1, abstract: VERIFICATION, transfers: [IMPLICIT] }, { id: 3, abstract: CT, transfers: [EXPLICIT, IMPLICIT] }, { id: 5, abstract: FIND, transfers: [IMPLICIT] }] })],
  [1, d.associateAc({ ...FROM, contexts: [{ id: 1, result: 0, transfer: IMPLICIT }, { id: 3, result: 0, transfer: EXPLICIT }, { id: 5, result: 0, transfer: IMPLICIT }] })],
]
const released: Turns = [[0, d.releaseRq()], [1, d.releaseRp()]]
const echo = (id: number): Turns => [[0, d.message(1, d.echoRq(id))], [1, d.message(1, d.echoRsp(id))]]
const store = (id: number, pixels: number, maxLength: number): Turns => {
  const sop = { class: CT, instance: `1.2.3.9.${id}` }
  const facts = { sopClass: CT, sopInstance: sop.instance, study: '1.2.3.1', series: '1.2.3.2', modality: 'CT', patientId: `P${id}`, accession: `ACC${id}` }
  return [[0, d.message(3, d.request('C-STORE', id, sop, {}, true), d.dataSet(d.image(facts, pixels), EXPLICIT), maxLength)], [1, d.message(3, d.response('C-STORE', id, 0, sop))]]
}
const identifier = d.dataSet([d.el(0x00080052, 'CS', 'STUDY'), d.el(0x00100020, 'LO', 'P1'), d.el(0x0020000d, 'UI', '')], IMPLICIT)
const find = (id: number): Turns => [
  [0, d.message(5, d.request('C-FIND', id, { class: FIND }, {}, true), identifier)],
  ...[0xFF00, 0xFF00].map((status) => [1, d.message(5, d.response('C-FIND', id, status, { class: FIND }, {}, true), identifier)] as const),
  [1, d.message(5, d.response('C-FIND', id, 0, { class: FIND }))],
]

const web = (n: number): Turns => [
  [0, http(`GET /dicom-web/studies?PatientID=P${n} HTTP/1.1`, { Host: 'archive' })], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom+json' }, `[{"00100020":{"vr":"LO","Value":["P${n}"]}}]`)],
]
const stow = (n: number): Turns => {
  const facts = { sopClass: CT, sopInstance: `1.2.3.9.${n}`, study: '1.2.3.1', series: '1.2.3.2', modality: 'CT', patientId: `P${n}` }
  const file = part10({ class: CT, instance: facts.sopInstance }, d.image(facts, 300))
  return [[0, http('POST /dicom-web/studies HTTP/1.1', { 'Content-Type': MULTIPART }, multipart([file, file]))], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom+json' }, '{}', { chunk: 1 })]]
}

const adt = (id: string): Uint8Array => h.frame(h.message(h.msh({ controlId: id }), 'EVN|A01|20240305101500', h.pid({ id: `P${id}` }), 'PV1|1|I'))
const oru = (id: string): Uint8Array => h.frame(h.message(h.msh({ controlId: id, type: 'ORU^R01^ORU_R01' }), h.pid({ id: 'P9' }),
  h.segment('OBR', { 2: 'PL1', 3: 'FL1', 4: 'CT^Thorax' }), h.obxDocument(1, 'QUJD'.repeat(100))))
const ack = (id: string, code = 'AA'): Uint8Array => h.frame(h.acknowledgement({ controlId: `A${id}` }, { code, of: id }))
/** Enhanced mode: a commit acknowledgement, then the application's; the application's own block is committed, too. */
const enhanced = (id: string): Turns => [
  [0, h.frame(h.message(h.msh({ controlId: id, type: 'OMI^O23^OMI_O23', acceptAck: 'AL', applicationAck: 'AL', sequence: id }), h.pid({ id: 'P9' }), 'ORC|NW|PL1|FL1', 'IPC|ACC1|RP1|1.2.3|S1|CT'))],
  [1, ack(id, 'CA')], [1, h.frame(h.acknowledgement({ controlId: `R${id}`, type: 'ORI^O24^ORI_O24' }, { code: 'AA', of: id }))], [0, h.commitFrame(true)],
]
const query = (id: string): Turns => [
  [0, h.frame(h.message(h.msh({ controlId: id, type: 'QBP^Q22^QBP_Q21' }), 'QPD|Q22^Find^HL7|Q1|@PID.5.1^DO*~@PID.8^F', 'RCP|I|10^RD'))],
  [1, h.frame(h.acknowledgement({ controlId: `R${id}`, type: 'RSP^K22^RSP_K21' }, { code: 'AA', of: id, segments: ['QAK|Q1|OK|Q22|2', h.pid({ id: 'A' }), h.pid({ id: 'B' }), 'DSC|more|I'] }))],
]
const merge = (id: string): Turns => [
  [0, h.frame(h.redelimit(h.messageText([h.msh({ controlId: id, type: 'ADT^A40^ADT_A39' }), h.pid({ id: 'P9' }), 'MRG|OLD1^^^HOSP~OLD2^^^HOSP']), { field: '$', component: '%', repetition: '~', escape: '\\', subcomponent: '&' }))], [1, ack(id)],
]
const japanese = (id: string): Turns => [
  [0, h.frame(join(h.encode(`${h.msh({ controlId: id, type: 'ORM^O01', charset: '~ISO IR87' })}\rOBR|1|PL2||CT||||||||||||`), hex('1b2442 7c7c 1b2842'.replaceAll(' ', '')), h.encode('||ACC2|\r')))], [1, ack(id)],
]
const posted = (id: string): Turns => [
  [0, http('POST /hl7 HTTP/1.1', { 'Content-Type': 'application/hl7-v2' }, h.message(h.msh({ controlId: id }), h.pid({ id: `P${id}` })))],
  [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'application/hl7-v2' }, h.acknowledgement({ controlId: `A${id}` }, { code: 'AA', of: id }), { chunk: 40 })],
]

const record = (type: number, ...body: Uint8Array[]): Uint8Array => join(u8(type, 3, 3), u16(join(...body).length), ...body)
const handshake = (type: number, ...body: Uint8Array[]): Uint8Array => record(22, u8(type), u24(join(...body).length), ...body)
const extension = (type: number, body: Uint8Array): Uint8Array => join(u16(type), u16(body.length), body)
const random = new Uint8Array(32).fill(0x5A)
const serverName = Buffer.from('pacs.example')
const der = Uint8Array.from(Buffer.from(cert.replace(/-----[A-Z ]+-----/g, ''), 'base64'))
const extensions = (...all: Uint8Array[]): Uint8Array => join(u16(join(...all).length), ...all)
const hello = handshake(1, u8(3, 3), random, u8(0), u16(4), hex('c02f009c'), u8(1, 0),
  extensions(extension(0, join(u16(serverName.length + 3), u8(0), u16(serverName.length), serverName)), extension(10, hex('0002001d'))))
const data = (length: number): Uint8Array => record(23, new Uint8Array(length).fill(0xA7))

export const SAMPLES: Record<Protocol['name'], Sample[]> = {
  dicom: [
    { name: 'echoes', units: 'dicom.operation', turns: [...opened, ...[1, 2, 3, 4, 5].flatMap(echo), ...released] },
    { name: 'stores', units: 'dicom.operation', turns: [...opened, ...[1, 2, 3, 4].flatMap((id) => store(id, 900, 512)), ...released] },
    { name: 'a query between echoes', units: 'dicom.operation', turns: [...opened, ...echo(1), ...find(2), ...echo(3), ...find(4), ...echo(5), ...released] },
    { name: 'DICOMweb', units: 'dicom.operation', turns: [...web(1), ...stow(2), ...web(3), ...web(4), ...stow(5), ...web(6)] },
  ],
  hl7: [
    { name: 'messages and acknowledgements', units: 'hl7.message', turns: ['1', '2', '3', '4', '5', '6'].flatMap((id): Turns => [[0, adt(id)], [1, ack(id)]]) },
    { name: 'results in one breath', units: 'hl7.message', turns: [[0, join(oru('1'), adt('2'), oru('3'))], [1, join(ack('1'), ack('2'), ack('3', 'AE'))], [0, oru('4')], [1, ack('4')], [0, adt('5')], [1, ack('5')]] },
    { name: 'orders, queries and merges', units: 'hl7.message', turns: [...enhanced('1'), ...query('2'), ...enhanced('3'), ...merge('4'), ...query('5'), ...japanese('6'), ...enhanced('7')] },
    { name: 'HL7 in HTTP', units: 'hl7.message', turns: ['1', '2', '3', '4', '5', '6'].flatMap(posted) },
  ],
  tls: [
    {
      name: 'a session of 1.2', units: 'tls.session', turns: [
        [0, hello],
        [1, join(handshake(2, u8(3, 3), random, u8(0), hex('c02f'), u8(0), extensions(extension(16, hex('00030268 32'.replace(' ', ''))))),
          handshake(11, u24(der.length + 3), u24(der.length), der), handshake(14))],
        [0, join(handshake(16, new Uint8Array(33).fill(3)), record(20, u8(1)), record(22, new Uint8Array(40).fill(9)))],
        [1, join(record(20, u8(1)), record(22, new Uint8Array(40).fill(8)))], [0, data(300)], [1, data(700)], [0, data(20)],
      ],
    },
  ],
}

/** What is none of the protocols, whoever says it. */
export const STRANGERS: Record<string, Turns> = {
  HTTP: [[0, Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n')], [1, Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')]],
  SSH: [[1, Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')], [0, Buffer.from('SSH-2.0-Go\r\n')]],
  SMTP: [[1, Buffer.from('220 mail.example ESMTP\r\n')], [0, Buffer.from('EHLO here\r\n')]],
  'NetBIOS': [[0, hex('00000045ff534d4272000000')]],
  RDP: [[0, hex('0300002c27e00000000000436f6f6b69653a206d737473686173683d68656c6c6f0d0a')], [1, hex('030000130ed000001234000209080002000000')]],
  zeros: [[0, new Uint8Array(2000)], [1, new Uint8Array(2000)]],
  ones: [[0, new Uint8Array(2000).fill(0xFF)]],
  'one byte': [[0, u8(1)]],
}
