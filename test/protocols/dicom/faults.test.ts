/** Each thing that the standards forbid: is it found, with its section, and is it not where nothing is wrong or bytes are missing? */
import { describe, expect, test } from 'vitest'
import { be16, be32, bytes, le16, le32 } from '../../../fixtures/build/bytes.ts'
import {
  associateAc, associateRq, commandSet, dataSet, echoRq, echoRsp, el, item, message, pData, pdu, releaseRp, releaseRq, request, response, userInformation, type AnsweredContext, type ProposedContext,
} from '../../../fixtures/build/dicom.ts'
import { FAULTS, type FaultCode } from '../../../protocols/dicom/faults.ts'
import { APPLICATION_CONTEXT, CT_IMAGE, EXPLICIT_LE, IMPLICIT_LE, STUDY_ROOT_FIND, VERIFICATION } from '../../../protocols/dicom/uids.ts'
import { cut, decode, frames, segments, type Turns } from '../contract/wire.ts'
import { AE, associated, asynchronous, CONTEXT, echo, find, get, move, normalized, scan, store, STUDY_KEYS } from './conversations.ts'
import { heard } from './harness.ts'

const PROPOSED: ProposedContext = { id: 1, abstract: VERIFICATION, transfers: [IMPLICIT_LE] }
const ANSWERED: AnsweredContext = { id: 1, result: 0, transfer: IMPLICIT_LE }

/** A negotiation and its end; what is wrong is in one of the two. */
const negotiated = (rq: Uint8Array, ac: Uint8Array = associateAc({ ...AE, contexts: [ANSWERED] })): Turns => [[0, rq], [1, ac], [0, releaseRq()], [1, releaseRp()]]
const proposing = (...contexts: ProposedContext[]): Uint8Array => associateRq({ ...AE, contexts })

const CONTEXT_ITEM = item(0x20, bytes(1, 0, 0, 0, item(0x30, VERIFICATION), item(0x40, IMPLICIT_LE)))
/** An A-ASSOCIATE-RQ of these items. */
const made = (...items: Uint8Array[]): Uint8Array => pdu(1, bytes(be16(1), be16(0), 'PACS'.padEnd(16), 'CT1'.padEnd(16), new Uint8Array(32), ...items))
const APPLICATION = item(0x10, APPLICATION_CONTEXT)
const USER = userInformation({})

const SOP = { class: CT_IMAGE, instance: '1.2.9.1' }
const wanted = request('C-STORE', 1, SOP, {}, true)
const stored: Turns[number] = [1, message(CONTEXT.store, response('C-STORE', 1, 0, SOP))]
const image = dataSet(scan(1), EXPLICIT_LE)
const command = (data: Uint8Array, context: number = CONTEXT.echo): Turns => associated([[0, message(context, data)]])

/** For each code a conversation that earns it; `also` names what comes with it. */
const CASES: Record<FaultCode, { turns: Turns; also?: FaultCode[] }> = {
  'pdu.type': { turns: associated([[0, pdu(8, new Uint8Array(4))]]) },
  'pdu.length': { turns: [...associated(echo).slice(0, -2), [0, pdu(5, new Uint8Array(6))], [1, releaseRp()]] },
  'pdu.over-maximum': { turns: associated([
    [0, message(CONTEXT.find, request('C-FIND', 4, { class: STUDY_ROOT_FIND }, {}, true), dataSet(STUDY_KEYS, EXPLICIT_LE))],
    [1, message(CONTEXT.find, response('C-FIND', 4, 0xff00, { class: STUDY_ROOT_FIND }, {}, true), dataSet([el(0x00104000, 'LT', 'x'.repeat(20_000))], EXPLICIT_LE), 18_000)],
    [1, message(CONTEXT.find, response('C-FIND', 4, 0))],
  ]) },
  // What was no unit is not given to the listener.
  'pdu.misunderstood': { turns: [[1, pdu(7, bytes(0, 0, 2, 1))]] },
  'pdu.out-of-place': { turns: [...associated(echo), ...associated(echo)] },

  'associate.version': { turns: negotiated(associateRq({ ...AE, version: 2, contexts: [PROPOSED] })) },
  'associate.title': { turns: negotiated(associateRq({ called: 'PACS', calling: '', contexts: [PROPOSED] })) },
  'associate.length': { turns: negotiated(proposing(PROPOSED, ...Array.from({ length: 126 }, (_, i) => ({ id: 2 * i + 3, abstract: `1.2.${'9'.repeat(58)}`, transfers: Array.from({ length: 40 }, (_, n) => `1.3.${'9'.repeat(50)}.${n}`) })))) },
  'associate.item-length': { turns: negotiated(made(APPLICATION, CONTEXT_ITEM, USER, bytes(0x99, 0, be16(500), 1, 2, 3))) },
  'associate.no-application-context': { turns: negotiated(made(CONTEXT_ITEM, USER)) },
  'associate.no-contexts': { turns: negotiated(made(APPLICATION, USER)), also: ['context.not-proposed'] },
  'associate.no-user-information': { turns: negotiated(made(APPLICATION, CONTEXT_ITEM)) },
  'context.id': { turns: negotiated(proposing(PROPOSED, { ...PROPOSED, id: 2 })) },
  'context.repeated': { turns: negotiated(proposing(PROPOSED, PROPOSED)) },
  'context.syntaxes': { turns: negotiated(proposing(PROPOSED, { ...PROPOSED, id: 3, transfers: [] })) },
  'context.result': { turns: negotiated(proposing(PROPOSED), associateAc({ ...AE, contexts: [{ ...ANSWERED, result: 9 }] })) },
  'context.not-proposed': { turns: negotiated(proposing(PROPOSED), associateAc({ ...AE, contexts: [ANSWERED, { ...ANSWERED, id: 99 }] })) },
  'uid.form': { turns: negotiated(proposing(PROPOSED, { ...PROPOSED, id: 3, abstract: 'VERIFICATION' })) },

  'pdv.length': { turns: associated([[0, pdu(4, bytes(be32(50), 1, 3, new Uint8Array(4)))]]) },
  'pdv.odd': { turns: associated([[0, bytes(message(CONTEXT.store, wanted), pData({ context: CONTEXT.store, command: false, last: false, data: image.subarray(0, 101) }, { context: CONTEXT.store, command: false, last: true, data: image.subarray(101, image.length - 1) }))], stored]) },
  'pdv.control': { turns: associated([[0, pdu(4, bytes(be32(echoRq(7).length + 2), 1, 0x13, echoRq(7)))], [1, message(1, echoRsp(7))]]) },
  'pdv.context': { turns: command(echoRq(7), 77) },
  'message.interleaved': { turns: associated([[0, bytes(message(CONTEXT.store, wanted), message(CONTEXT.find, image).map((b, i) => (i === 11 ? 2 : b)))], stored]) },
  'message.no-command': { turns: associated([[0, pData({ context: CONTEXT.store, command: false, last: true, data: image })]]) },
  'message.no-data-set': { turns: associated([[0, bytes(message(CONTEXT.store, wanted), message(1, echoRq(7)))], [1, message(1, echoRsp(7))]]) },

  'command.form': { turns: command(Uint8Array.from({ length: 40 }, (_, i) => i)) },
  'command.group-length': { turns: associated([[0, message(1, echoRq(7).map((b, i) => (i === 8 ? b + 2 : b)))], [1, message(1, echoRsp(7))]]) },
  'command.unknown': { turns: command(commandSet({ AffectedSOPClassUID: VERIFICATION, CommandField: 0x0555, MessageID: 7, CommandDataSetType: 0x0101 })) },
  'command.element': { turns: associated([[0, message(CONTEXT.store, request('C-STORE', 1, { class: CT_IMAGE }, {}, true), image)], stored]) },
  'dimse.message-id': { turns: associated([[0, bytes(message(1, echoRq(7)), message(1, echoRq(7)))], [1, bytes(message(1, echoRsp(7)), message(1, echoRsp(7)))]]) },
  'dimse.window': { turns: associated([[0, bytes(message(1, echoRq(7)), message(1, echoRq(8)))], [1, bytes(message(1, echoRsp(7)), message(1, echoRsp(8)))]], EXPLICIT_LE, null) },
  'dimse.response': { turns: associated([...echo, [1, message(1, echoRsp(9))]]) },
  'dimse.context': { turns: associated([[0, message(CONTEXT.echo, echoRq(7))], [1, message(CONTEXT.find, echoRsp(7))]]) },

  'dataset.form': { turns: associated([[0, message(CONTEXT.store, wanted, bytes(image.subarray(0, 200), '\x08\0\xff\x7f??', le16(0), le32(9)))], stored]) },
  'dataset.syntax': { turns: associated([[0, message(CONTEXT.store, wanted, dataSet(scan(1), IMPLICIT_LE))], stored]) },
}

describe.each(Object.entries(CASES))('%s', (code, { turns, also = [] }) => {
  test('is it found, once, with its section, and nothing else?', () => {
    const found = heard(turns).of('violation')
    expect(found.map((v) => v.code).sort()).toEqual([code, ...also].sort())
    const { section, detail } = found.find((v) => v.code === code)!
    expect(section).toBe(FAULTS[code as FaultCode][0])
    expect(section).toMatch(/^PS3\.[578] [A-Z0-9.]+$/)
    expect(detail).not.toMatch(/[{}]|CT1|PACS|1\.2\.9/)
  })

  test('is nothing else said where any one segment is missing, and nothing at all where the beginning is?', () => {
    const said = (missing: (index: number) => boolean): string[] =>
      decode(frames(segments(turns, (b) => cut(b, 4000))).filter((_, i) => !missing(i))).events.flatMap((e) => (e.kind === 'violation' ? [e.code] : []))
    for (let lost = 3; lost < 20; lost++) for (const found of said((i) => i === lost)) expect([code, ...also]).toContain(found)
    expect(said((i) => i < 4)).toEqual([])
  })
})

test('are conversations that keep to the standards without any?', () => {
  for (const turns of [echo, store(1), find(STUDY_KEYS, 3), get, move, normalized, asynchronous]) expect(heard(associated(turns)).codes).toEqual([])
  expect(heard(negotiated(proposing(PROPOSED))).codes).toEqual([])
})

test('are a few of each reported, and all counted in the association?', () => {
  const wire = heard(associated(Array.from({ length: 30 }, (): Turns[number] => [0, pdu(8, new Uint8Array(4))])))
  expect(wire.codes).toEqual(['pdu.type', 'pdu.type', 'pdu.type', 'pdu.type'])
  expect(wire.of('dicom.association')[0]).toMatchObject({ violations: 30 })
})

describe('what is no unit of DICOM at all', () => {
  const codes = (sent: Uint8Array, answer: Uint8Array): string[] =>
    decode(frames(segments([[0, sent], [1, answer]]))).events.filter((event) => event.kind === 'violation').map((event) => event.code)
  const garbage = bytes(0x4d, 0, be32(64), new Uint8Array(64).fill(0xa7))
  const abort = (source: number, reason: number): Uint8Array => pdu(7, bytes(0, 0, source, reason))

  test('is it told once the server says that it did not understand it?', () => {
    for (const reason of [1, 2, 4, 5, 6]) expect(codes(garbage, abort(2, reason))).toEqual(['pdu.misunderstood'])
  })

  test('is nothing made of other aborts?', () => {
    for (const [source, reason] of [[0, 0], [0, 1], [2, 0], [2, 3]] as const) expect(codes(garbage, abort(source, reason))).toEqual([])
  })

  test('is what was told already not told again?', () => {
    expect(codes(associateRq({ ...AE, version: 2, contexts: [PROPOSED] }), abort(2, 1))).toEqual(['associate.version'])
  })
})
