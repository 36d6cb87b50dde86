/** Conversations of every kind, for tests that cut, lose and mutate bytes: [sender, bytes] in order. */
import {
  FS, VT, acknowledgement, batch, commitFrame, concat, encode, frame, message, messageText, msh, obxDocument, pid, redelimit, segment,
} from '../../../fixtures/build/hl7.ts'
import type { Direction } from '../../../protocols/protocol.ts'

export type Conversation = readonly (readonly [Direction, Uint8Array])[]

const adt = (controlId: string): string[] => [msh({ controlId }), 'EVN|A01|20240305101500', pid({ id: `P${controlId}` }), 'PV1|1|I']
const oru = (controlId: string): string[] => [
  msh({ controlId, type: 'ORU^R01^ORU_R01', charset: 'UNICODE UTF-8' }), pid({ id: 'P9' }), 'ORC|RE|PL1|FL1',
  segment('OBR', { 2: 'PL1', 3: 'FL1', 4: 'CT^Thorax', 18: 'ACC1' }), 'OBX|1|TX|x||clear', obxDocument(2, Buffer.from('%PDF-1.7 ' + 'x'.repeat(300)).toString('base64')),
]
const framed = (...segments: string[]): Uint8Array => frame(message(...segments))
const ack = (of: string, code = 'AA'): Uint8Array => frame(acknowledgement({ controlId: `A${of}` }, { code, of }))

const http = (start: string, type: string, body: Uint8Array, chunks: readonly number[] = []): Uint8Array => {
  if (chunks.length === 0) return concat(encode(`${start}\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`), body)
  const parts = [encode(`${start}\r\nTransfer-Encoding: chunked\r\ncontent-type: ${type}\r\n\r\n`)]
  let from = 0
  for (const to of [...chunks, body.length]) {
    parts.push(encode(`${(to - from).toString(16)};x=y\r\n`), body.subarray(from, to), encode('\r\n'))
    from = to
  }
  return concat(...parts, encode('0\r\nTrailer: 1\r\n\r\n'))
}

export const CORPUS: Record<string, Conversation> = {
  'messages and acknowledgements': [[0, framed(...adt('1'))], [1, ack('1')], [0, framed(...oru('2'))], [1, ack('2', 'AE')], [0, framed(...adt('2'))], [1, ack('2')]],
  'pipelined, answered in another order': [[0, concat(framed(...adt('1')), framed(...adt('2')), framed(...oru('3')))], [1, concat(ack('3'), ack('1'), ack('1'), ack('2'))]],
  'batch': [[0, frame(messageText(batch([adt('1'), oru('2')])))], [1, ack('B1')]],
  'batch over blocks': [[0, concat(frame(`${batch([])[1]!}\r`), framed(...adt('1')), frame('BTS|1\r'))]],
  'marks missing': [[0, concat(frame(message(...adt('1')), { end: [FS] }), frame(message(...adt('2')), { end: [] }), frame(message(...adt('3')), { start: [] }), frame('\r\n'))]],
  'line feeds': [[0, concat(frame(encode(messageText(adt('1'), '\n'))), frame(encode(messageText(oru('2'), '\r\n'))), frame('MSH|^~\\&|A\nPID|1||X\nnot a segment\nPV1|1'))]],
  'marks inside fields': [[0, framed(...adt('1'), 'NTE|1||a\x0Bb\x1Cc\x0BMSG')]],
  'noise': [[0, concat(encode('\0\r\n hello '), framed(...adt('1')), encode('\x16\x03\x01\0\x2D more'), framed(...adt('2')), encode('\r\n'))]],
  'foreign blocks': [[0, concat(framed(...adt('1')), frame('SSH-2.0-x\r\n'), frame(Uint8Array.of(1, 2, FS, 3, VT, 4)), frame(concat(encode('D21\r'), message(...adt('2')), encode('00012345'))))]],
  'commit blocks': [[0, framed(...adt('1'))], [1, commitFrame(true)], [0, framed(...adt('2'))], [1, concat(commitFrame(false), ack('2'))]],
  'UTF-16': [[0, frame(Buffer.from('\uFEFF' + messageText([...adt('1'), 'NTE|1||Ü 王 𝒳']), 'utf16le'))], [0, framed(...adt('2'))], [0, frame(Buffer.from(messageText(adt('3')), 'utf16le').swap16())]],
  'byte order mark': [[0, frame(concat(Uint8Array.of(0xEF, 0xBB, 0xBF), message(...adt('1'))))]],
  'STX and ETX': [[0, Uint8Array.of(5)], [0, concat(Uint8Array.of(2), message(...adt('1')), Uint8Array.of(3))], [0, Uint8Array.of(4)], [1, ack('1')]],
  'length in front': [[0, concat(encode('00000321'), message(...adt('1')))], [1, ack('1')]],
  'bare': [[0, message(...adt('1'))], [1, acknowledgement({ controlId: 'x' }, { code: 'AA', of: '1' })], [0, message(...adt('2'))]],
  'other separators': [[0, frame(redelimit(messageText(oru('1')), { field: '$', component: '%', repetition: '~', escape: '\\', subcomponent: '&' }))]],
  'long segments': [[0, framed(...adt('1'), `NTE|1||${'abc'.repeat(3000)}`, 'PV1|1', obxDocument(1, 'QUJD'.repeat(3000)))], [0, framed(`${msh({ controlId: '2' })}|${'y'.repeat(9000)}`, pid({ id: 'P2' }))]],
  'cut short': [[0, framed(...adt('1')).slice(0, -30)]],
  'acknowledgements of acknowledgements': [[0, framed(...adt('1'))], [1, ack('1')], [0, ack('A1')], [1, ack('AA1')]],
  'HTTP': [[0, http('POST /hl7 HTTP/1.1', 'application/hl7-v2; charset=UTF-8', message(...adt('1')))], [1, http('HTTP/1.1 200 OK', 'application/hl7-v2', acknowledgement({}, { code: 'AA', of: '1' }))], [0, http('POST /x HTTP/1.1', 'application/json', encode('{"a":1}'))], [1, encode('HTTP/1.1 204 No Content\r\n\r\n')]],
  'HTTP in chunks': [[0, http('POST /hl7 HTTP/1.1', 'x-application/hl7-v2+er7', message(...oru('1')), [10, 11, 200])], [1, http('HTTP/1.1 200 OK', 'x-application/hl7-v2+er7', acknowledgement({}, { code: 'AA', of: '1' }), [5])]],
}
