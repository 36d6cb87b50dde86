/** DICOM conversations as turns, built byte by byte. */
import {
  associateAc, associateRq, dataSet, echoRq, echoRsp, image, message, releaseRp, releaseRq, request, response, el, sq, type CommandName, type Element,
} from '../../../fixtures/build/dicom.ts'
import { bytes } from '../../../fixtures/build/bytes.ts'
import type { Turns } from '../contract/wire.ts'
import { CT_IMAGE, DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE, MODALITY_WORKLIST_FIND, MPPS, STUDY_ROOT_FIND, STUDY_ROOT_GET, STUDY_ROOT_MOVE, VERIFICATION } from '../../../protocols/dicom/uids.ts'

export const AE = { calling: 'CT1', called: 'PACS' }
const CONTEXTS: readonly [number, string][] = [
  [1, VERIFICATION], [3, CT_IMAGE], [5, STUDY_ROOT_FIND], [7, STUDY_ROOT_MOVE], [9, STUDY_ROOT_GET], [11, MODALITY_WORKLIST_FIND], [13, MPPS],
]
export const CONTEXT = { echo: 1, store: 3, find: 5, move: 7, get: 9, worklist: 11, mpps: 13 } as const

/** @param syntax the accepted transfer syntax of every context @param async operations that may wait, null where nothing is said of it */
export const associated = (turns: Turns, syntax: string = EXPLICIT_LE, async: { invoked: number; performed: number } | null = { invoked: 8, performed: 8 }): Turns => [
  [0, associateRq({ ...AE, contexts: CONTEXTS.map(([id, abstract]) => ({ id, abstract, transfers: [syntax] })), user: { implementationClass: '1.2.3', implementationVersion: 'SCAN_1', ...(async === null ? {} : { async }) } })],
  [1, associateAc({ ...AE, contexts: CONTEXTS.map(([id]) => ({ id, result: 0, transfer: syntax })), user: { maxLength: 32768, implementationClass: '1.2.4', implementationVersion: 'ARCH_2', ...(async === null ? {} : { async }) } })],
  ...turns,
  [0, releaseRq()], [1, releaseRp()],
]

export const echo: Turns = [[0, message(1, echoRq(7))], [1, message(1, echoRsp(7))]]

export const scan = (n: number, pixels = 512): Element[] => image({
  sopClass: CT_IMAGE, sopInstance: `1.2.9.${n}`, study: '1.2.9', series: '1.2.9.0', modality: 'CT', patientId: 'P100', accession: 'A55', station: 'ROOM 1',
}, pixels)

export const store = (n: number, { syntax = EXPLICIT_LE, pixels = 512, maxLength = 16384 } = {}): Turns => {
  const sop = { class: CT_IMAGE, instance: `1.2.9.${n}` }
  return [
    [0, message(CONTEXT.store, request('C-STORE', n, sop, {}, true), dataSet(scan(n, pixels), syntax), maxLength)],
    [1, message(CONTEXT.store, response('C-STORE', n, 0, sop))],
  ]
}

export const find = (keys: Element[], matches: number, context: number = CONTEXT.find): Turns => {
  const sop = { class: context === CONTEXT.find ? STUDY_ROOT_FIND : MODALITY_WORKLIST_FIND }
  const identifier = dataSet(keys, EXPLICIT_LE)
  return [
    [0, message(context, request('C-FIND', 4, sop, {}, true), identifier)],
    ...Array.from({ length: matches }, (): Turns[number] => [1, message(context, response('C-FIND', 4, 0xff00, sop, {}, true), identifier)]),
    [1, message(context, response('C-FIND', 4, 0, sop))],
  ]
}

export const STUDY_KEYS = [el(0x00080052, 'CS', 'STUDY'), el(0x00080020, 'DA', ''), el(0x00100010, 'PN', 'A*'), el(0x0020000d, 'UI', '')]
export const WORKLIST_KEYS = [el(0x00100020, 'LO', ''), sq(0x00400100, [[el(0x00080060, 'CS', 'CT'), el(0x00400001, 'AE', 'CT1'), el(0x00400002, 'DA', '20260105')]], true)]

/** A retrieve within the association: the stores come back the other way (PS3.4 C.4.3). */
export const get: Turns = [
  [0, message(CONTEXT.get, request('C-GET', 5, { class: STUDY_ROOT_GET }, {}, true), dataSet([el(0x00080052, 'CS', 'STUDY'), el(0x0020000d, 'UI', '1.2.9')], EXPLICIT_LE))],
  ...store(1).map(([from, b]): Turns[number] => [from === 0 ? 1 : 0, b]),
  [1, message(CONTEXT.get, response('C-GET', 5, 0xff00, { class: STUDY_ROOT_GET }, { NumberOfRemainingSuboperations: 1, NumberOfCompletedSuboperations: 1 }))],
  [1, message(CONTEXT.get, response('C-GET', 5, 0, { class: STUDY_ROOT_GET }, { NumberOfCompletedSuboperations: 2, NumberOfFailedSuboperations: 1 }))],
]

export const move: Turns = [
  [0, message(CONTEXT.move, request('C-MOVE', 6, { class: STUDY_ROOT_MOVE }, { MoveDestination: 'WS2' }, true), dataSet([el(0x00080052, 'CS', 'STUDY'), el(0x0020000d, 'UI', '1.2.9')], EXPLICIT_LE))],
  [1, message(CONTEXT.move, response('C-MOVE', 6, 0xa801, { class: STUDY_ROOT_MOVE }))],
]

const N_COMMANDS: CommandName[] = ['N-EVENT-REPORT', 'N-GET', 'N-SET', 'N-ACTION', 'N-CREATE', 'N-DELETE']
/** Each of the normalized commands, with a data set where it has one. */
export const normalized: Turns = N_COMMANDS.flatMap((name, i): Turns => {
  const sop = { class: MPPS, instance: `1.2.8.${i}` }
  const data = name === 'N-GET' || name === 'N-DELETE' ? null : dataSet([
    el(0x00100020, 'LO', 'P100'), sq(0x00400270, [[el(0x00080050, 'SH', 'A55'), el(0x0020000d, 'UI', '1.2.9')]]),
  ], EXPLICIT_LE)
  return [[0, message(CONTEXT.mpps, request(name, 20 + i, sop, {}, data !== null), data)], [1, message(CONTEXT.mpps, response(name, 20 + i, 0x0110, sop))]]
})

/** Requests sent ahead, answered in another order (PS3.7 annex D.3.3.3). */
export const asynchronous: Turns = [
  [0, bytes(message(1, echoRq(1)), message(1, echoRq(2)), message(1, echoRq(3)))],
  [1, bytes(message(1, echoRsp(3)), message(1, echoRsp(1)), message(1, echoRsp(2, 0x0122)))],
]

export const SYNTAXES = [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE, JPEG_BASELINE]
