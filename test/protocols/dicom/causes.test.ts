/** Is it told who asked for what to be sent where (PS3.4 C.4.2), and which request a report of storage commitment answers (J.3)? */
import { describe, expect, test } from 'vitest'
import { associateAc, associateRq, dataSet, el, message, releaseRp, releaseRq, request, response, sq } from '../../../fixtures/build/dicom.ts'
import type { DicomAssociation, DicomOperation, WireEvent } from '../../../protocols/events.ts'
import { CT_IMAGE, EXPLICIT_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, STUDY_ROOT_MOVE } from '../../../protocols/dicom/uids.ts'
import { FIXTURES, replay } from '../../fixtures/replay.ts'
import { decode, frames, segments, type Ends, type Turns } from '../contract/wire.ts'
import { scan } from './conversations.ts'
import { only } from './harness.ts'

const WORKSTATION = '10.1.0.5', ARCHIVE = '10.2.0.2', READER = '10.1.0.9', SCANNER = '10.1.0.7'
const wait = (turns: number): Turns => Array.from({ length: turns }, () => [0, new Uint8Array(0)] as const)
const talk = (calling: string, called: string, abstract: string, turns: Turns, before = 0): Turns => [
  ...wait(before),
  [0, associateRq({ calling, called, contexts: [{ id: 1, abstract, transfers: [EXPLICIT_LE] }] })], [1, associateAc({ calling, called, contexts: [{ id: 1, result: 0, transfer: EXPLICIT_LE }] })],
  ...turns, [0, releaseRq()], [1, releaseRp()],
]
const moving = (destination: string, study = '1.2.9', during = 8, id = 6): Turns => {
  const sop = { class: STUDY_ROOT_MOVE }
  return [
    [0, message(1, request('C-MOVE', id, sop, { MoveDestination: destination }, true), dataSet([el(0x00080052, 'CS', 'STUDY'), el(0x0020000d, 'UI', study)], EXPLICIT_LE))], ...wait(during),
    [1, message(1, response('C-MOVE', id, 0xff00, sop, { NumberOfRemainingSuboperations: 1, NumberOfCompletedSuboperations: 1 }))],
    [1, message(1, response('C-MOVE', id, 0, sop, { NumberOfCompletedSuboperations: 2, NumberOfFailedSuboperations: 0, NumberOfWarningSuboperations: 0 }))],
  ]
}
const storing = (originator?: { ae: string; id: number }): Turns => [1, 2].flatMap((n): Turns => {
  const sop = { class: CT_IMAGE, instance: `1.2.9.${n}` }
  const more = originator === undefined ? {} : { MoveOriginatorApplicationEntityTitle: originator.ae, MoveOriginatorMessageID: originator.id }
  return [[0, message(1, request('C-STORE', n, sop, more, true), dataSet(scan(n), EXPLICIT_LE))], [1, message(1, response('C-STORE', n, 0, sop))]]
})

/** Conversations at the same time. */
function heard(...talks: readonly (readonly [Ends, Turns])[]): WireEvent[] {
  const wire = talks.flatMap(([ends, turns]) => frames(segments(turns), { ends })).sort((a, b) => a.at - b.at)
  return decode(wire).events
}
const between = (client: string, server: string, clientPort = 50_000): Ends => ({ client, server, clientPort, serverPort: 11_112 })
const operations = (events: WireEvent[], command: string): DicomOperation[] => events.filter((e): e is DicomOperation => e.kind === 'dicom.operation' && e.command === command)
const associations = (events: WireEvent[], called: string): DicomAssociation[] => events.filter((e): e is DicomAssociation => e.kind === 'dicom.association' && e.called_ae === called)

describe('a C-MOVE', () => {
  test.each([['named by each C-STORE', { ae: 'WS1', id: 6 }, 'originator'], ['named by none', undefined, 'destination'], ['named with another message id', { ae: 'WS1', id: 99 }, 'destination']] as const)('%s, is it tied to the association it makes the archive open?', (_, originator, by) => {
    const events = heard([between(WORKSTATION, ARCHIVE), talk('WS1', 'PACS', STUDY_ROOT_MOVE, moving('READ2'))], [between(ARCHIVE, READER), talk('PACS', 'READ2', CT_IMAGE, storing(originator), 3)])
    const move = only(operations(events, 'C-MOVE'))
    const association = only(associations(events, 'READ2'))
    expect(move.move).toMatchObject({ destination_ae: 'READ2', completed: 2, failed: 0, warning: 0, remaining: 0, flows: [association.flow.id], stored: 2 })
    expect(association.cause).toMatchObject({ command: 'C-MOVE', flow: move.flow.id, ae: 'WS1', ip: WORKSTATION, message_id: 6, by: 'destination' })
    expect(operations(events, 'C-STORE').map((o) => o.cause)).toMatchObject([{ flow: move.flow.id, ae: 'WS1', ip: WORKSTATION, by }, { flow: move.flow.id, by }])
  })

  test('is what an archive sends elsewhere, another study, or at another time, not its doing?', () => {
    const move = [between(WORKSTATION, ARCHIVE), talk('WS1', 'PACS', STUDY_ROOT_MOVE, moving('READ2'))] as const
    const causes = (events: WireEvent[]): unknown[] => operations(events, 'C-STORE').map((o) => o.cause)
    expect(causes(heard(move, [between(ARCHIVE, READER), talk('PACS', 'READ3', CT_IMAGE, storing(), 3)]))).toEqual([undefined, undefined])
    expect(causes(heard(move, [between(SCANNER, READER), talk('CT1', 'READ2', CT_IMAGE, storing(), 3)]))).toEqual([undefined, undefined])
    expect(causes(heard(move, [between(ARCHIVE, READER), talk('PACS', 'READ2', CT_IMAGE, storing(), 1500)]))).toEqual([undefined, undefined])
    const other = [between(WORKSTATION, ARCHIVE), talk('WS1', 'PACS', STUDY_ROOT_MOVE, moving('READ2', '1.2.77'))] as const
    expect(causes(heard(other, [between(ARCHIVE, READER), talk('PACS', 'READ2', CT_IMAGE, storing(), 3)]))).toEqual([undefined, undefined])
  })

  test('are two at once told apart by the originators, and a cluster that sends from another address by the study?', () => {
    const events = heard(
      [between(WORKSTATION, ARCHIVE), talk('WS1', 'PACS', STUDY_ROOT_MOVE, moving('READ2', '1.2.77', 9, 1))], [between(READER, ARCHIVE), talk('WS9', 'PACS', STUDY_ROOT_MOVE, moving('READ2', '1.2.9', 9, 1))],
      [between('10.2.0.3', READER), talk('PACS', 'READ2', CT_IMAGE, storing({ ae: 'WS9', id: 1 }), 3)],
    )
    expect(operations(events, 'C-STORE').map((o) => o.cause?.ip)).toEqual([READER, READER])
    expect(operations(events, 'C-MOVE').map((o) => [o.calling_ae, o.move!.stored])).toEqual(expect.arrayContaining([['WS9', 2], ['WS1', undefined]]))
  })

  test('do real programs agree (dcmqrscp)?', () => {
    const events = replay(`${FIXTURES}/lab/move-third-party.pcap`)
    const move = only(operations(events, 'C-MOVE'))
    expect(move.move!.stored).toBe(move.move!.completed)
    expect(operations(events, 'C-STORE').every((o) => o.cause?.flow === move.flow.id && o.dataset!.study_uid === move.dataset!.study_uid)).toBe(true)
  })
})

describe('a storage commitment', () => {
  const sop = { class: STORAGE_COMMITMENT, instance: STORAGE_COMMITMENT_INSTANCE }
  const references = (count: number): ReturnType<typeof sq> => sq(0x00081199, Array.from({ length: count }, (_, i) => [el(0x00081150, 'UI', CT_IMAGE), el(0x00081155, 'UI', `1.2.9.${i}`)]))
  const asking: Turns = [
    [0, message(1, request('N-ACTION', 1, sop, { ActionTypeID: 1 }, true), dataSet([el(0x00081195, 'UI', '1.2.55'), references(3)], EXPLICIT_LE))], [1, message(1, response('N-ACTION', 1, 0, sop))],
  ]
  const report = (transaction: string): Uint8Array => message(1, request('N-EVENT-REPORT', 1, sop, { EventTypeID: 2 }, true), dataSet([el(0x00081195, 'UI', transaction), references(2), sq(0x00081198, [[el(0x00081155, 'UI', '1.2.9.2')]])], EXPLICIT_LE))
  const reported = response('N-EVENT-REPORT', 1, 0, sop)

  test('is its report tied to it, on the same association, on a reversed one, and days later?', () => {
    const same = heard([between(SCANNER, ARCHIVE), talk('CT1', 'PACS', STORAGE_COMMITMENT, [...asking, [1, report('1.2.55')], [0, message(1, reported)]])])
    const other = heard(
      [between(SCANNER, ARCHIVE), talk('CT1', 'PACS', STORAGE_COMMITMENT, asking)],
      [between(ARCHIVE, SCANNER), talk('PACS', 'CT1', STORAGE_COMMITMENT, [[0, report('1.2.55')], [1, message(1, reported)]], 20_000)],
    )
    for (const events of [same, other]) {
      const asked = only(operations(events, 'N-ACTION'))
      expect(only(operations(events, 'N-EVENT-REPORT'))).toMatchObject({
        commitment: { type: 2, transaction_uid: '1.2.55', instances: 2, failed: 1, asked: 3 }, cause: { command: 'N-ACTION', flow: asked.flow.id, ae: 'CT1', ip: SCANNER, by: 'transaction' },
      })
    }
  })

  test('is a report that nobody asked for told without a cause?', () => {
    const events = heard([between(SCANNER, ARCHIVE), talk('CT1', 'PACS', STORAGE_COMMITMENT, asking)], [between(ARCHIVE, SCANNER), talk('PACS', 'CT1', STORAGE_COMMITMENT, [[0, report('1.2.56')], [1, message(1, reported)]], 9)])
    expect(only(operations(events, 'N-EVENT-REPORT')).cause).toBeUndefined()
  })

  test('do real programs agree (Orthanc)?', () => {
    const events = replay(`${FIXTURES}/lab/orthanc-storage-commitment.pcap`)
    expect(only(operations(events, 'N-EVENT-REPORT')).cause).toMatchObject({ command: 'N-ACTION', flow: only(operations(events, 'N-ACTION')).flow.id })
  })
})
