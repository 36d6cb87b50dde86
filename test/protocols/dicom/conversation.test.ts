/** What becomes of whole conversations, from frames to events. */
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { abort, associateAc, associateRj, associateRq, dataSet, echoRq, el, message, pData, request, response, sq, type Element } from '../../../fixtures/build/dicom.ts'
import { bytes } from '../../../fixtures/build/bytes.ts'
import type { EventOf } from '../../../protocols/events.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { cut, decode, frames, segments, SITE_KEY, type Turns } from '../contract/wire.ts'
import { AE, STUDY_KEYS, SYNTAXES, WORKLIST_KEYS, associated, asynchronous, CONTEXT, echo, find, get, move, normalized, scan, store } from './conversations.ts'
import { statusClass } from '../../../protocols/dicom/names.ts'
import { CT_IMAGE, DEFLATED_LE, EXPLICIT_LE, MPPS, STUDY_ROOT_MOVE } from '../../../protocols/dicom/uids.ts'
import { heard } from './harness.ts'

const names = new Pseudonyms(SITE_KEY)

interface Seen {
  associations: EventOf<'dicom.association'>[]
  operations: EventOf<'dicom.operation'>[]
  violations: EventOf<'violation'>[]
}

function seen(turns: Turns, split?: Parameters<typeof segments>[1], keep: (index: number) => boolean = () => true): Seen {
  const { events } = decode(frames(segments(turns, split)).filter((_, i) => keep(i)))
  const of = <K extends 'dicom.association' | 'dicom.operation' | 'violation'>(kind: K): EventOf<K>[] => events.filter((e): e is EventOf<K> => e.kind === kind)
  return { associations: of('dicom.association'), operations: of('dicom.operation'), violations: of('violation') }
}

/** The one event there is. */
function only<T>(list: T[]): T {
  expect(list).toHaveLength(1)
  return list[0]!
}

describe('an association', () => {
  test('does it tell who, what was negotiated, and how it ended?', () => {
    expect(only(seen(associated(echo)).associations)).toMatchObject({
      calling_ae: 'CT1', called_ae: 'PACS', result: 'accepted', ended: 'released', max_pdu: { client: 16384, server: 32768 },
      implementation: { client: { class_uid: '1.2.3', version_name: 'SCAN_1' }, server: { class_uid: '1.2.4', version_name: 'ARCH_2' } },
      operations: { 'C-ECHO': 1 }, complete: true,
    })
  })

  const rq = associateRq({ ...AE, contexts: [{ id: 1, abstract: '1.2.840.10008.1.1', transfers: [EXPLICIT_LE] }] })
  test('is a rejection told with its reason?', () => {
    expect(only(seen([[0, rq], [1, associateRj(1, 1, 7)]]).associations)).toMatchObject({ result: 'rejected', reject: { result: 1, source: 1, reason: 7 } })
  })

  test('is one without an answer unanswered, and one that is aborted aborted?', () => {
    expect(only(seen([[0, rq]]).associations)).toMatchObject({ result: 'unanswered', ended: 'closed' })
    expect(only(seen([[0, rq], [1, abort(2, 1)]]).associations)).toMatchObject({ result: 'unanswered', ended: 'aborted', abort: { source: 2, reason: 1 } })
  })

  test('is a passcode in clear told, and never shown?', () => {
    const withUser = associateRq({ ...AE, contexts: [], user: { identity: { type: 2, primary: 'doctor', secondary: 'hunter2' } } })
    const event = only(seen([[0, withUser]]).associations)
    expect(event.user_identity).toEqual({ type: 2, has_passcode: true })
    expect(JSON.stringify({ ...event, flow: null })).not.toMatch(/hunter2|doctor/)
  })

  test('are roles and asynchronous windows read?', () => {
    const user = { roles: [{ sopClass: CT_IMAGE, scu: false, scp: true }], async: { invoked: 5, performed: 3 } }
    expect(only(seen([[0, associateRq({ ...AE, contexts: [], user })]]).associations)).toMatchObject({
      roles: [{ sop_class_uid: CT_IMAGE, scu: false, scp: true }], async_operations: { invoked: 5, performed: 3 },
    })
  })

  test('are two associations on one connection two?', () => {
    expect(seen([...associated(echo), ...associated(echo)]).associations).toHaveLength(2)
  })
})

describe('an operation', () => {
  test.each(SYNTAXES)('does a C-STORE in %s tell the study, and count its bytes?', (syntax) => {
    const turns = store(1, { syntax })
    const operation = only(seen(associated(turns, syntax)).operations)
    expect(operation).toMatchObject({
      command: 'C-STORE', status: '0000', invoker: 'client', calling_ae: 'CT1', called_ae: 'PACS', sop_class_uid: CT_IMAGE, sop_instance_uid: '1.2.9.1', complete: true,
      dataset: {
        transfer_syntax: syntax, study_uid: '1.2.9', series_uid: '1.2.9.0', modality: 'CT', study_date: '20260105', station: 'ROOM 1', manufacturer: 'Acme Imaging',
        model: 'Acme One', software: '1.0.0', serial: 'SN0001', institution: 'St. Example Hospital', patient: names.patient('P100'), accession: names.order('A55'),
      },
    })
    // Command and data set travel in P-DATA-TFs of one fragment each: 12 bytes around each.
    const wire = turns[0]![1]
    expect(operation.dataset!.bytes).toBeGreaterThan(syntax === DEFLATED_LE ? 200 : 700)
    expect(operation.dataset!.bytes).toBeLessThan(wire.length)
    if (syntax === DEFLATED_LE) expect(inflateRawSync(wire.subarray(wire.length - operation.dataset!.bytes)).length).toBeGreaterThan(700)
  })

  test('is bulk counted to the byte, in whatever fragments it comes?', () => {
    const expected = dataSet(scan(1, 300_000), EXPLICIT_LE).length
    for (const maxLength of [256, 4096, 131_072]) {
      const operation = only(seen(associated(store(1, { pixels: 300_000, maxLength })), (b) => cut(b, 1448)).operations)
      expect(operation).toMatchObject({ complete: true, status: '0000', dataset: { bytes: expected, study_uid: '1.2.9' } })
    }
  })

  test('does a C-FIND tell level, keys and matches?', () => {
    expect(only(seen(associated(find(STUDY_KEYS, 3))).operations)).toMatchObject({
      command: 'C-FIND', status: '0000', pending: 3, query: { level: 'STUDY', keys: ['PatientName'], wildcard: true, matches: 3 },
    })
  })

  test('are the keys of a worklist query found in its sequence, and a query for nothing in particular seen as one?', () => {
    expect(only(seen(associated(find(WORKLIST_KEYS, 1, CONTEXT.worklist))).operations).query).toEqual({
      level: null, keys: ['Modality', 'ScheduledStationAETitle', 'ScheduledProcedureStepStartDate'], wildcard: false, matches: 1, patients: 0,
    })
    expect(only(seen(associated(find(STUDY_KEYS.slice(0, 2), 0))).operations).query).toMatchObject({ keys: [], wildcard: true })
  })

  test('does a C-GET tell its progress, and its stores who sent them?', () => {
    const { operations } = seen(associated(get))
    expect(operations.map((o) => [o.command, o.invoker, o.status])).toEqual([['C-STORE', 'server', '0000'], ['C-GET', 'client', '0000']])
    expect(operations[1]).toMatchObject({ pending: 1, move: { destination_ae: null, completed: 2, failed: 1, remaining: 0 }, dataset: { study_uid: '1.2.9' } })
  })

  test('does a C-MOVE tell where to, and why not?', () => {
    expect(only(seen(associated(move)).operations)).toMatchObject({ command: 'C-MOVE', status: 'A801', move: { destination_ae: 'WS2' }, dataset: { study_uid: '1.2.9' } })
  })

  test('does a C-MOVE tell how far it came, and a cancelled one what it left?', () => {
    const [asked] = move as [Turns[number]]
    const sop = { class: STUDY_ROOT_MOVE }
    const progress = (status: number, remaining: number, completed: number, failed: number, warning: number): Turns[number] => [1, message(CONTEXT.move, response('C-MOVE', 6, status, sop, {
      ...(remaining < 0 ? {} : { NumberOfRemainingSuboperations: remaining }), NumberOfCompletedSuboperations: completed, NumberOfFailedSuboperations: failed, NumberOfWarningSuboperations: warning,
    }))]
    const told = (...turns: Turns): unknown => only(seen(associated([asked, ...turns])).operations)
    expect(told(progress(0xff00, 2, 1, 0, 0), progress(0xff00, 1, 1, 1, 0), progress(0xb000, -1, 1, 1, 1))).toMatchObject({
      status: 'B000', pending: 2, move: { destination_ae: 'WS2', remaining: 0, completed: 1, failed: 1, warning: 1 },
    })
    expect(told(progress(0xff00, 5, 1, 0, 0), progress(0xfe00, 4, 2, 0, 0))).toMatchObject({ status: 'FE00', pending: 1, move: { remaining: 4, completed: 2 } })
    expect(told(progress(0xff00, 5, 1, 0, 0))).toMatchObject({ status: null, pending: 1, move: { remaining: 5, completed: 1 } })
  })

  test('is a range of dates told as one, and a day, a hyphen in a name, and an exact key not?', () => {
    const query = (...keys: Element[]): unknown => only(seen(associated(find([el(0x00080052, 'CS', 'STUDY'), ...keys], 0))).operations)
    expect(query(el(0x00080020, 'DA', '20260101-20260131'), el(0x00080030, 'TM', '0800-'))).toMatchObject({ query: { keys: ['StudyDate', 'StudyTime'], ranges: ['StudyDate', 'StudyTime'], wildcard: false } })
    expect(query(el(0x00080020, 'DA', '20260101'), el(0x00100010, 'PN', 'A-B'), el(0x00100020, 'LO', '1-2'))).not.toHaveProperty('query.ranges')
    expect(query(el(0x0020000d, 'UI', '1.2.3\\1.2.4'))).toMatchObject({ query: { keys: ['StudyInstanceUID'], study_uids: ['1.2.3', '1.2.4'] }, dataset: { study_uid: '1.2.3' } })
  })

  test('do a worklist query and a performed step tell station, accession and patient?', () => {
    const asked = [el(0x00080050, 'SH', 'A55'), el(0x00100020, 'LO', 'P100'), sq(0x00400100, [[el(0x00080060, 'CS', 'CT'), el(0x00400001, 'AE', 'CT1')]])]
    expect(only(seen(associated(find(asked, 0, CONTEXT.worklist))).operations).dataset).toMatchObject({ station: 'CT1', accession: names.order('A55'), patient: names.patient('P100'), modality: 'CT' })
    const step = dataSet([el(0x00080060, 'CS', 'CT'), el(0x00100020, 'LO', 'P100'), el(0x00400241, 'AE', 'CT1'), sq(0x00400270, [[el(0x00080050, 'SH', 'A55'), el(0x0020000d, 'UI', '1.2.9')]])], EXPLICIT_LE)
    const created: Turns = [[0, message(CONTEXT.mpps, request('N-CREATE', 3, { class: MPPS, instance: '1.2.8' }, {}, true), step)], [1, message(CONTEXT.mpps, response('N-CREATE', 3, 0))]]
    expect(only(seen(associated(created)).operations).dataset).toMatchObject({ station: 'CT1', accession: names.order('A55'), patient: names.patient('P100'), modality: 'CT', study_uid: '1.2.9' })
  })

  test('is text told as its character set says, and a patient the same under any?', () => {
    const told = (charset: string, station: string): EventOf<'dicom.operation'> => {
      const image = dataSet(scan(1).map((e) => (e.tag === 0x00081010 ? { ...e, value: Buffer.from(station, 'latin1') } : e)).concat(el(0x00080005, 'CS', charset)).sort((a, b) => a.tag - b.tag), EXPLICIT_LE)
      const sop = { class: CT_IMAGE, instance: '1.2.9.1' }
      return only(seen(associated([[0, message(CONTEXT.store, request('C-STORE', 1, sop, {}, true), image)], [1, message(CONTEXT.store, response('C-STORE', 1, 0, sop))]])).operations)
    }
    expect(told('ISO_IR 192', 'R\xc3\xb6ntgen')).toMatchObject({ dataset: { station: 'Röntgen', patient: names.patient('P100') } })
    expect(told('ISO_IR 144', '\xba\xc2')).toMatchObject({ dataset: { station: 'КТ', patient: names.patient('P100') } })
    expect(told('\\ISO 2022 IR 87', 'CT \x1b$B;0\x1b(B')).toMatchObject({ dataset: { station: 'CT 三', patient: names.patient('P100') } })
  })

  test('is a response that comes twice one operation, and a violation?', () => {
    const wire = heard(associated([...echo, echo[1]!]))
    expect(only(wire.of('dicom.operation'))).toMatchObject({ status: '0000' })
    expect(wire.codes).toEqual(['dimse.response'])
  })

  test.each([
    ['0000', 'success'], ['FF00', 'pending'], ['FF01', 'pending'], ['FE00', 'cancel'], ['B000', 'warning'], ['B007', 'warning'], ['0107', 'warning'], ['0116', 'warning'], ['0001', 'warning'],
    ['A700', 'failure'], ['A801', 'failure'], ['C000', 'failure'], ['0122', 'failure'], ['0110', 'failure'],
  ])('is status %s of the class %s (PS3.7 annex C)?', (status, name) => {
    expect(statusClass(status)).toBe(name)
  })

  test('are all the N- commands paired, with what they are about?', () => {
    const { operations } = seen(associated(normalized))
    expect(operations.map((o) => `${o.command} ${o.status} ${o.sop_instance_uid}`)).toEqual(
      ['N-EVENT-REPORT', 'N-GET', 'N-SET', 'N-ACTION', 'N-CREATE', 'N-DELETE'].map((name, i) => `${name} 0110 1.2.8.${i}`))
    expect(operations[4]!.dataset).toMatchObject({ study_uid: '1.2.9', accession: names.order('A55'), patient: names.patient('P100') })
  })

  test('are asynchronous answers paired by message id, in any order?', () => {
    expect(seen(associated(asynchronous)).operations.map((o) => [o.message_id, o.status])).toEqual([[3, '0000'], [1, '0000'], [2, '0122']])
  })

  test('are more requests ahead than were negotiated a violation, and those within the window none?', () => {
    const codes = (async: { invoked: number; performed: number } | null): string[] => heard(associated(asynchronous, EXPLICIT_LE, async)).codes
    expect(codes(null)).toEqual(['dimse.window'])
    expect(codes({ invoked: 2, performed: 1 })).toEqual(['dimse.window'])
    expect(codes({ invoked: 3, performed: 1 })).toEqual([])
    expect(codes({ invoked: 0, performed: 0 })).toEqual([])
    // What the acceptor sends of a C-GET has a window of its own.
    expect(heard(associated([...get, ...echo, ...echo], EXPLICIT_LE, null)).codes).toEqual([])
  })

  test('are requests of the same message id paired one after another?', () => {
    expect(seen(associated([...echo, ...echo, ...echo])).operations.map((o) => o.status)).toEqual(['0000', '0000', '0000'])
  })

  test('is one that is never answered given up at the end, whole but without status?', () => {
    expect(only(seen(associated([[0, message(1, echoRq(9))]])).operations)).toMatchObject({ status: null, duration_ms: null, complete: true })
  })

  test('is an answer that the mirror shows before its request paired?', () => {
    const [[, question], [, answer]] = echo as [Turns[number], Turns[number]]
    expect(only(seen(associated([[1, answer], [0, question]])).operations)).toMatchObject({ command: 'C-ECHO', status: '0000' })
  })

  test('does a C-CANCEL mark what it cancels?', () => {
    const turns = find(STUDY_KEYS, 1)
    const cancel = message(CONTEXT.find, request('C-CANCEL', 4, {}))
    const cancelled = [turns[0]!, turns[1]!, [0, cancel] as const, [1, message(CONTEXT.find, response('C-FIND', 4, 0xfe00))] as const]
    expect(only(seen(associated(cancelled)).operations)).toMatchObject({ cancelled: true, status: 'FE00', query: { matches: 1 } })
  })

  test('are command and data in one unit, and empty last fragments, read as they are meant?', () => {
    const sop = { class: CT_IMAGE, instance: '1.2.9.1' }
    const command = request('C-STORE', 1, sop, {}, true)
    const [, stored] = store(1)[0]!
    const data = stored.subarray(stored.length - only(seen(associated(store(1))).operations).dataset!.bytes)
    const mixed = pData(
      { context: 3, command: true, last: false, data: command.subarray(0, 10) }, { context: 3, command: true, last: true, data: command.subarray(10) },
      { context: 3, command: false, last: false, data }, { context: 3, command: false, last: true, data: new Uint8Array(0) },
    )
    const { operations, violations } = seen(associated([[0, mixed], [1, message(3, response('C-STORE', 1, 0, sop))]]))
    expect(only(operations)).toMatchObject({ complete: true, status: '0000', dataset: { bytes: data.length, study_uid: '1.2.9' } })
    expect(violations).toEqual([])
  })
})

describe('chunking and loss', () => {
  const all = associated([...echo, ...store(1), ...find(STUDY_KEYS, 2), ...get, ...move, ...normalized, ...asynchronous])
  const plain = ({ associations, operations, violations }: Seen): unknown => JSON.parse(JSON.stringify({ associations, operations, violations }, (key, value: unknown) => key === 'flow' ? undefined : value))

  test.each([1, 2, 3, 5, 11, 12, 13, 100, 1448])('does cutting every %i bytes change nothing?', (size) => {
    expect(plain(seen(all, (b) => cut(b, size)))).toEqual(plain(seen(all)))
  })

  test('does cutting anywhere change nothing?', () => {
    const whole = plain(seen(all))
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      let n = 0
      const split = (b: Uint8Array): Uint8Array[] => {
        const parts: Uint8Array[] = []
        for (let at = 0; at < b.length;) {
          const size = sizes[n++ % sizes.length]!
          parts.push(b.subarray(at, at + size))
          at += size
        }
        return parts
      }
      expect(plain(seen(all, split))).toEqual(whole)
    }), { numRuns: 60 })
  })

  test('does losing any one segment lose no more than what it touched, and accuse nobody?', () => {
    const turns = associated([...store(1, { pixels: 20_000 }), ...store(2, { pixels: 20_000 }), ...echo])
    const parts = segments(turns, (b) => cut(b, 1448))
    for (let lost = 3; lost < parts.length + 3; lost++) {
      const { operations, violations } = seen(turns, (b) => cut(b, 1448), (i) => i !== lost)
      expect(violations, `segment ${lost}`).toEqual([])
      expect(operations.length, `segment ${lost}`).toBeGreaterThanOrEqual(2)
    }
  })

  test('is a store complete only when no byte of it was lost?', () => {
    const turns = associated([...store(1, { pixels: 60_000 }), ...store(2, { pixels: 60_000 })])
    const first = segments(turns, (b) => cut(b, 1448)).findIndex((s) => s.from === 0 && s.offset > 30_000)
    const { operations } = seen(turns, (b) => cut(b, 1448), (i) => i !== first + 3)
    expect(operations.map((o) => [o.sop_instance_uid, o.complete, o.dataset!.bytes])).toEqual([
      ['1.2.9.1', false, expect.any(Number)], ['1.2.9.2', true, operations[0]!.dataset!.bytes],
    ])
  })
})

test('is a message whose header alone is lost (stacks send it in a segment of its own) read in spite of that?', () => {
  const turns = associated([...echo, ...store(1), ...find(STUDY_KEYS, 1), ...store(2)])
  // 12 bytes in front of each P-DATA-TF, as dcmtk sends them.
  const parts = segments(turns, (b) => {
    const found: Uint8Array[] = []
    for (let at = 0; at < b.length;) {
      const end = at + 6 + new DataView(b.buffer, b.byteOffset).getUint32(at + 2)
      if (b[at] === 4) found.push(b.subarray(at, at + 12), b.subarray(at + 12, end))
      else found.push(b.subarray(at, end))
      at = end
    }
    return found
  }, 150_000)
  const whole = seen(turns).operations.map((o) => [o.command, o.message_id, o.sop_instance_uid, o.status])
  const headers = parts.flatMap(({ bytes: b }, i) => (b.length === 12 && (b[11]! & 1) === 1 ? [i] : []))
  expect(headers).toHaveLength(9)
  for (const i of headers) {
    const { events } = decode(frames(parts.filter((_, j) => j !== i), { of: turns }))
    const operations = events.filter((e): e is EventOf<'dicom.operation'> => e.kind === 'dicom.operation')
    expect(operations.map((o) => [o.command, o.message_id, o.sop_instance_uid, o.status]), `without segment ${i}`).toEqual(whole)
    expect(operations.filter((o) => o.command === 'C-STORE').map((o) => [o.dataset!.study_uid, o.context_id, o.dataset!.transfer_syntax])).toEqual([['1.2.9', 3, EXPLICIT_LE], ['1.2.9', 3, EXPLICIT_LE]])
    expect(events.filter((e) => e.kind === 'violation')).toEqual([])
  }
})

test('after a loss, are bytes of other messages counted to the one that was cut?', () => {
  const turns = associated([...store(1, { pixels: 40_000, maxLength: 4096 }), ...store(2, { pixels: 40_000, maxLength: 4096 })])
  const size = dataSet(scan(1, 40_000), EXPLICIT_LE).length
  const parts = segments(turns, (b) => cut(b, 1000))
  for (let lost = 6; lost < parts.length - 4; lost += 3) {
    const { operations } = seen(turns, (b) => cut(b, 1000), (i) => i !== lost && i !== lost + 1 && i !== lost + 2 && i !== lost + 3 && i !== lost + 4)
    for (const operation of operations) expect(operation.dataset?.bytes ?? 0, `from segment ${lost}`).toBeLessThanOrEqual(size)
  }
})

describe('hostile bytes', () => {
  test('is a unit of no known type a violation with its section?', () => {
    const { violations } = seen(associated([[0, bytes(0x55, 0, new Uint8Array([0, 0, 0, 4]), new Uint8Array(4))]]))
    expect(violations[0]).toMatchObject({ protocol: 'dicom', code: 'pdu.type', section: 'PS3.8 9.3.1' })
  })

  test('is a fragment longer than its unit a violation?', () => {
    const { violations } = seen(associated([[0, bytes(4, 0, new Uint8Array([0, 0, 0, 10, 0, 0, 255, 255, 1, 3]), new Uint8Array(4))]]))
    expect(violations[0]).toMatchObject({ code: 'pdv.length', section: 'PS3.8 9.3.5.1' })
  })

  test('does an A-ASSOCIATE that claims four gigabytes hold nothing?', () => {
    const huge = Uint8Array.from(associateRq({ ...AE, contexts: [] }))
    huge.set([255, 255, 255, 255], 2)
    const { decoder } = decode(frames(segments([[0, huge], [0, new Uint8Array(200_000)]], (b) => cut(b, 1448))))
    expect(decoder.kept).toBe(0)
  })

  test('does anything on port 104 pass for DICOM that is none?', () => {
    for (const text of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x0bMSH|^~\\&|A|B\r\x1c\r', '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03', '\0'.repeat(64)]) {
      expect(seen([[0, Buffer.from(text, 'latin1')]])).toEqual({ associations: [], operations: [], violations: [] })
    }
  })

  test('does a mutated conversation ever throw, or hold bytes at its end?', () => {
    const turns = associated([...store(1), ...find(WORKLIST_KEYS, 1, CONTEXT.worklist), ...get, ...normalized])
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 700 }), (changes, size) => {
      const mutated = turns.map(([from, b]): [0 | 1, Uint8Array] => [from, Uint8Array.from(b)])
      for (const [at, value] of changes) {
        const [, b] = mutated[at % mutated.length]!
        b[(at >> 4) % b.length] = value
      }
      const { decoder } = decode(frames(segments(mutated, (b) => cut(b, size))))
      expect(decoder.application.failed).toBe(0)
      expect(decoder.kept).toBe(0)
    }), { numRuns: 400 })
  })

  test('does the answer of an unknown acceptor stand for the association in midstream?', () => {
    const ac = associateAc({ ...AE, contexts: [{ id: 1, result: 0, transfer: EXPLICIT_LE }] })
    expect(only(seen([[1, ac], ...echo]).associations)).toMatchObject({ result: 'unseen', calling_ae: 'CT1', called_ae: 'PACS' })
  })
})
