import { describe, expect, it } from 'vitest'
import { FS, VT, acknowledgement, concat, encode, frame, message, messageText, msh, pid, redelimit } from '../../../fixtures/build/hl7.ts'
import { hl7 } from '../../../protocols/hl7/index.ts'
import { CLIENT, MORE, NO, SERVER, YES, YES_REVERSED } from '../../../protocols/protocol.ts'
import type { Direction, Verdict } from '../../../protocols/protocol.ts'

function probe(bytes: Uint8Array, { direction = CLIENT, midstream = false }: { direction?: Direction, midstream?: boolean } = {}): Verdict {
  const padded = concat(encode('MSH|^~\\&|'), bytes, encode('MSH|^~\\&|'))
  return hl7.probe(padded, 9, 9 + bytes.length, direction, midstream)
}

const adt = message(msh(), pid({ id: 'P1' }))
const ack = acknowledgement({}, { code: 'AA', of: '1' })
const post = (type: string, body: Uint8Array): Uint8Array => concat(encode(`POST /hl7 HTTP/1.1\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`), body)

const OURS: [string, Uint8Array][] = [
  ['a block', frame(adt)],
  ['an acknowledgement', frame(ack)],
  ['a batch', frame('FHS|^~\\&|A\rBHS|^~\\&|A\r')],
  ['other separators', frame(redelimit(messageText([msh()]), { field: '$', component: '%', repetition: '~', escape: '\\', subcomponent: '&' }))],
  ['blank lines before the header', frame(concat(encode('\r\n '), adt))],
  ['blank lines before the block', concat(encode('\r\n'), frame(adt))],
  ['VT VT', concat(Uint8Array.of(VT), frame(adt))],
  ['a byte order mark', frame(concat(Uint8Array.of(0xEF, 0xBB, 0xBF), adt))],
  ['UTF-16', frame(Buffer.from(messageText([msh()]), 'utf16le'))],
  ['UTF-16, the other way', frame(Buffer.from('\uFEFF' + messageText([msh()]), 'utf16le').swap16())],
  ['no frame', adt],
  ['STX', concat(Uint8Array.of(5, 2), adt)],
  ['a length in front', concat(encode('00000321'), adt)],
  ['a binary length in front', concat(Uint8Array.of(0, 0, 1, 0x41), adt)],
  ['HTTP', post('application/hl7-v2; charset=UTF-8', adt)],
  ['HTTP with ER7', post('x-application/hl7-v2+er7', adt)],
  ['HTTP as plain text', post('text/plain', adt)],
  ['an HTTP response', encode('HTTP/1.1 200 OK\r\nContent-Type: application/hl7-v2\r\n\r\n')],
  ['a whole block of base64', frame('TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAA=')],
  ['a whole block of TLS', frame(Uint8Array.of(0x16, 3, 1, 0, 0x2D, 1, 0, 0))],
  ['a long block of text', concat(Uint8Array.of(VT), encode('QUJD'.repeat(200)))],
]

const FOREIGN: [string, Uint8Array][] = [
  ['DICOM', Uint8Array.of(1, 0, 0, 0, 0, 0xCD, 0, 1, 0, 0, ...encode('ANY-SCP         ECHOSCU         '))],
  ['TLS', Uint8Array.of(0x16, 3, 1, 0, 0x2D, 1, 0, 0, 0x29, 3, 3, ...new Uint8Array(40))],
  ['SSH', encode('SSH-2.0-OpenSSH_9.2p1\r\n')],
  ['IRC', encode('NICK brotest\r\nUSER brotest * * :brotest\r\n')],
  ['SMTP', encode('220 MSH.example.org ESMTP ready\r\n')],
  ['FTP', encode('MSHELL login: \r\n')],
  ['a GET', encode('GET /MSH|^~\\&|A HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a POST of JSON', post('application/json', encode('{}'))],
  ['a POST of FHIR', post('application/fhir+json', encode('{}'))],
  ['a POST of HL7 v3', post('application/hl7-v3+xml', encode('<x/>'))],
  ['a POST of plain text', post('text/plain', encode('hello'))],
  ['TDS', Uint8Array.of(3, 1, 0, 0xDA, 0, 0, 1, 0, 0x24, 0, 0x70, 0, 0x72, 0)],
  ['Modbus', Uint8Array.of(0, 3, 0, 0, 0, 6, 0, 3, 0, 0x63, 0, 1)],
  ['a protocol that begins with 0BH', Uint8Array.from({ length: 600 }, (_, i) => (i === 0 ? VT : (i * 37) & 0xFF))],
  ['a block end inside binary', concat(Uint8Array.of(VT, 1, 2, 3, FS, 0x0D, 0, 0, 9), new Uint8Array(50))],
  ['MSH in prose', encode('MSH is the message header segment; MSH|^ is its start.')],
  ['MSH with letters for separators', encode('MSHABCDEF')],
  ['zeros', new Uint8Array(200)],
]

describe('is HL7 recognised by what it says?', () => {
  it.each(OURS)('%s', (_name, bytes) => {
    expect(probe(bytes)).toBe(YES)
    expect(probe(bytes, { direction: SERVER })).toBe(YES)
  })

  it.each(OURS)('%s, at no byte earlier taken for something else', (_name, bytes) => {
    let verdict: Verdict = MORE
    let length = 0
    while (verdict === MORE && length < bytes.length) verdict = probe(bytes.subarray(0, ++length))
    expect(verdict).toBe(YES)
  })
})

describe('is everything else left to others?', () => {
  it.each(FOREIGN)('%s', (_name, bytes) => {
    expect(probe(bytes)).toBe(NO)
    expect(probe(concat(bytes, new Uint8Array(1200)), { midstream: true })).toBe(NO)
  })

  it.each(FOREIGN.filter(([name]) => name !== 'a block end inside binary'))('%s, also in pieces', (_name, bytes) => {
    for (let length = 1; length <= bytes.length; length++) expect(probe(bytes.subarray(0, length))).not.toBe(YES)
  })
})

describe('a connection whose start was not seen', () => {
  const tail = encode('^JANE||19510203|F\rPV1|1|I\r\x1C\r')

  it('is recognised at its next block', () => {
    expect(probe(concat(tail, frame(adt)), { midstream: true })).toBe(YES)
    expect(probe(tail, { midstream: true })).toBe(MORE)
  })

  it('is recognised by its segments', () => {
    expect(probe(encode('xxx\rOBX|1|NM\rOBX|2|NM\rOBX|3|NM\r'), { midstream: true })).toBe(YES)
  })

  it('is turned round when the client acknowledges, or the server sends', () => {
    expect(probe(frame(ack), { midstream: true, direction: SERVER })).toBe(YES)
    expect(probe(frame(ack), { midstream: true, direction: CLIENT })).toBe(YES_REVERSED)
    expect(probe(frame(adt), { midstream: true, direction: SERVER })).toBe(YES_REVERSED)
    expect(probe(frame(adt), { midstream: true, direction: CLIENT })).toBe(YES)
  })

  it('is not turned by a header that does not say what it is', () => {
    expect(probe(frame('MSH|^~\\&|A\rPID|1\r'), { midstream: true, direction: SERVER })).toBe(YES)
    expect(probe(frame(adt).subarray(0, 20), { midstream: true, direction: SERVER })).toBe(MORE)
  })
})
