import { describe, expect, it } from 'vitest'
import {
  CR, FS, VT, acknowledgement, batch, commitFrame, concat, encode, frame, messageText, msh, pid, segment,
} from '../../../fixtures/build/hl7.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { Wire } from './harness.ts'

const text = (controlId: string, ...more: string[]): string[] => [msh({ controlId }), 'EVN|A01|20240305101500', pid({ id: 'P1' }), ...more]
const body = (controlId: string, separator = '\r'): Uint8Array => encode(messageText(text(controlId), separator))
const framed = (controlId: string): Uint8Array => frame(body(controlId))
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Control ids of the messages, and the codes of the violations, of one side's bytes. */
function read(...parts: Uint8Array[]): { ids: (string | null)[], codes: string[], wire: Wire } {
  const wire = new Wire().client(concat(...parts)).end()
  return { ids: wire.messages.map(event => event.control_id), codes: wire.codes, wire }
}

describe('a block', () => {
  it('is a message with the bytes between its marks', () => {
    const { wire, codes } = read(framed('1'))
    expect(codes).toEqual([])
    expect(wire.messages).toHaveLength(1)
    expect(wire.messages[0]).toMatchObject({
      kind: 'hl7.message', complete: true, direction: 'client', message_type: 'ADT^A01', control_id: '1', framing: 'mllp',
      segments: { MSH: 1, EVN: 1, PID: 1 }, bytes: body('1').length, batch: false, acks: [], acknowledges: null,
    })
  })

  it('may come several to a segment', () => {
    expect(read(framed('1'), framed('2'), framed('3'))).toMatchObject({ ids: ['1', '2', '3'], codes: [] })
  })

  it('may have no CR behind its last segment', () => {
    const { wire, codes } = read(frame(text('1').join('\r')))
    expect(codes).toEqual([])
    expect(wire.messages[0]).toMatchObject({ complete: true, segments: { MSH: 1, EVN: 1, PID: 1 } })
  })
})

describe('what real senders make of MLLP', () => {
  const cases: [name: string, parts: Uint8Array[], ids: string[], codes: string[]][] = [
    ['FS without CR in front of the next block', [frame(body('1'), { end: [FS] }), framed('2')], ['1', '2'], ['mllp.no-carriage-return']],
    ['FS LF', [frame(body('1'), { end: [FS, 0x0A] }), framed('2')], ['1', '2'], ['mllp.no-carriage-return']],
    ['FS at the very end', [frame(body('1'), { end: [FS] })], ['1'], []],
    ['FS FS CR', [frame(body('1'), { end: [FS, FS, CR] }), framed('2')], ['1', '2'], ['mllp.no-carriage-return']],
    ['no FS in front of the next block', [frame(body('1'), { end: [] }), framed('2')], ['1', '2'], ['mllp.no-end']],
    ['no VT', [frame(body('1'), { start: [] }), frame(body('2'), { start: [] })], ['1', '2'], ['mllp.no-start', 'mllp.no-start']],
    ['VT VT', [frame(body('1'), { start: [VT, VT] })], ['1'], ['mllp.empty']],
    ['an empty block', [frame(bytes()), framed('2')], ['2'], ['mllp.empty']],
    ['blank lines before MSH', [frame(concat(encode('\r\n\r\n '), body('1')))], ['1'], []],
    ['a byte order mark before MSH', [frame(concat(bytes(0xEF, 0xBB, 0xBF), body('1')))], ['1'], []],
    ['NUL and line ends between blocks', [framed('1'), bytes(0, 0, CR, 0x0A), framed('2')], ['1', '2'], []],
    ['blanks and line ends behind a block', [framed('1'), encode('   \r\n'), framed('2')], ['1', '2'], []],
    ['text between blocks', [framed('1'), encode('still alive'), framed('2')], ['1', '2'], ['mllp.noise']],
    ['two messages in one block', [frame(concat(body('1'), body('2')))], ['1', '2'], ['mllp.two-messages']],
    ['STX and ETX', [bytes(0x05), concat(bytes(0x02), body('1'), bytes(0x03)), bytes(0x04)], ['1'], ['mllp.other-framing']],
    ['a length in front', [encode('00000321'), body('1')], ['1'], ['mllp.noise', 'mllp.no-start']],
    ['a binary length in front', [bytes(0, 0, 1, 65), body('1')], ['1'], ['mllp.noise', 'mllp.no-start']],
    ['no frame at all', [body('1'), body('2')], ['1', '2'], ['mllp.no-start']],
    ['LF between segments', [frame(body('1', '\n'))], ['1'], ['hl7.separator', 'hl7.separator', 'hl7.separator']],
    ['CR LF between segments', [frame(body('1', '\r\n'))], ['1'], []],
    ['VT inside a field', [frame(messageText(text('1', 'NTE|1||a\x0Bb')))], ['1'], ['hl7.control-character']],
    ['FS inside a field', [frame(messageText(text('1', 'NTE|1||a\x1Cb')))], ['1'], ['hl7.control-character']],
    ['a hybrid block header', [concat(bytes(VT), encode('D21\r'), body('1'), encode('00123456'), bytes(FS, CR))], ['1'], ['mllp.content']],
  ]
  it.each(cases)('%s', (_name, parts, ids, codes) => {
    expect(read(...parts)).toMatchObject({ ids, codes })
  })

  it('LF inside a field is no end of a segment', () => {
    const { wire } = read(frame(messageText(text('1', 'NTE|1||first line\nsecond line', 'NTE|2||x'))))
    expect(wire.messages[0]!.segments).toEqual({ MSH: 1, EVN: 1, PID: 1, NTE: 2 })
  })

  it('mixed line ends all end segments', () => {
    const { wire } = read(frame(encode('MSH|^~\\&|A|B|C|D|20240305||ADT^A01|7|P|2.5\rEVN|A01\nPID|1||P1\r\nNK1|1\rPV1|1')))
    expect(wire.messages[0]).toMatchObject({ control_id: '7', segments: { MSH: 1, EVN: 1, PID: 1, NK1: 1, PV1: 1 } })
  })
})

describe('UTF-16', () => {
  it.each([['little-endian', false, false], ['big-endian', true, false], ['with a mark', false, true], ['big-endian with a mark', true, true]])('%s is read and reported', (_name, big, mark) => {
    const units = Buffer.from((mark ? '\uFEFF' : '') + messageText(text('1', 'NTE|1||Ünï 王 𝒳')), 'utf16le')
    const { wire, codes, ids } = read(frame(big ? units.swap16() : units), framed('2'))
    expect(ids).toEqual(['1', '2'])
    expect(codes).toEqual(['mllp.utf-16'])
    expect(wire.messages[0]).toMatchObject({ complete: true, segments: { MSH: 1, EVN: 1, PID: 1, NTE: 1 }, patient: wire.messages[1]!.patient })
  })
})

describe('foreign content', () => {
  const random = Uint8Array.from({ length: 300 }, (_, i) => (Math.imul(i + 1, 0x9E3779B1) >>> 13) & 0xFF).map(c => (c === FS || c === VT ? 0 : c))
  const looks: [string, Uint8Array][] = [
    ['TLS', concat(bytes(0x16, 3, 1, 0, 45), random)],
    ['SSH', encode('SSH-2.0-OpenSSH_9.2\r\n')],
    ['HTTP', encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['base64 text', encode(Buffer.from(random).toString('base64'))],
    ['text', encode('hello, is this a lab system?')],
    ['XML', encode('<?xml version="1.0"?><ClinicalDocument/>')],
    ['random or encrypted bytes', random],
    ['zeros', new Uint8Array(40)],
  ]
  it.each(looks)('%s in a block is named, and the next block is read', (look, content) => {
    const { wire, ids } = read(framed('1'), frame(content), framed('2'))
    expect(ids).toEqual(['1', '2'])
    expect(wire.violations).toHaveLength(1)
    expect(wire.violations[0]).toMatchObject({ protocol: 'hl7', code: 'mllp.content', section: 'MLLP R2 1.2.2' })
    expect(wire.violations[0]!.detail).toContain(`look like ${look}`)
  })

  it.each(looks.filter(([name]) => name !== 'zeros'))('%s instead of a block is named', (look, content) => {
    const { wire } = read(framed('1'), content, framed('2'))
    expect(wire.violations[0]).toMatchObject({ code: 'mllp.noise' })
    expect(wire.violations[0]!.detail).toContain(`look like ${look}`)
  })

  it.each(looks.filter(([name]) => name !== 'text'))('%s behind a header is named, too', (look, content) => {
    const lines = Uint8Array.from(content).map(c => (c === CR || c === 0x0A ? 0x20 : c))
    const { wire, ids } = read(frame(concat(body('1'), lines, bytes(CR), encode('PV1|1\r'))), framed('2'))
    expect(ids).toEqual(['1', '2'])
    expect(wire.violations).toMatchObject([{ code: 'hl7.segment' }])
    expect(wire.violations[0]!.detail).toMatch(new RegExp(`^a line of \\d+ bytes that is no segment and looks like ${look}$`))
  })

  it('free text whose line ends nobody escaped is not held against its sender', () => {
    expect(read(frame(encode(messageText(text('1', 'NTE|1||first', 'second line', '  third', 'F\xFCr die \xDCbrigen', '', 'NTE|2'))))).codes).toEqual([])
  })

  it('a line next to a loss accuses nobody', () => {
    const line = frame(concat(body('1'), random.map(c => (c === CR ? 0 : c)), bytes(CR)))
    for (let at = body('1').length + 2; at < line.length - 20; at += 7) {
      expect(new Wire().client(line.slice(0, at)).lose(0, 5).client(line.slice(at + 5)).end().codes).toEqual([])
    }
  })

  it('never puts bytes of the wire into a violation', () => {
    const { wire } = read(framed('1'), encode('DOE^JANE 19510203'), frame('Jane Doe was here'), framed('2'))
    expect(wire.violations).toHaveLength(2)
    expect(JSON.stringify(wire.violations)).not.toMatch(/DOE|Jane|1951/)
  })

  it('is reported a few times, not for ever', () => {
    const wire = new Wire().client(framed('1'))
    for (let i = 0; i < 500; i++) wire.client(frame('tunnel tunnel tunnel')).client(encode('noise')).client(frame(body('x', '\n')))
    wire.end()
    expect(wire.messages).toHaveLength(501)
    for (const code of new Set(wire.codes)) expect(wire.codes.filter(other => other === code)).toHaveLength(LIMITS.hl7.violationsPerCode)
  })
})

describe('MLLP release 2', () => {
  it('a commit acknowledgement belongs to the oldest message without one', () => {
    const wire = new Wire().client(concat(framed('1'), framed('2'))).server(commitFrame(true)).server(commitFrame(false)).end()
    expect(wire.messages.map(event => [event.control_id, event.commit, event.acks])).toEqual([['1', 'ack', []], ['2', 'nak', []]])
    expect(wire.codes).toEqual([])
  })

  it('does not hide the acknowledgement that follows', () => {
    const wire = new Wire().client(framed('1')).server(commitFrame(true)).server(frame(acknowledgement({ controlId: 'A1' }, { code: 'AA', of: '1' })))
    expect(wire.messages).toMatchObject([{ control_id: '1', commit: 'ack', acks: [{ code: 'AA' }] }])
  })
})

describe('batches', () => {
  it('every message of a batch in one block is an event', () => {
    const { wire, codes } = read(frame(messageText(batch([text('1'), text('2'), text('3')]))), framed('4'))
    expect(codes).toEqual([])
    expect(wire.messages.map(event => [event.control_id, event.batch, event.complete])).toEqual([['1', true, true], ['2', true, true], ['3', true, true], ['4', false, true]])
    expect(wire.messages[0]!.segments).toEqual({ MSH: 1, EVN: 1, PID: 1 })
  })

  it('a batch may spread over blocks', () => {
    const lines = batch([], 'B7')
    const { wire } = read(frame(`${lines[1]!}\r`), framed('1'), framed('2'), frame('BTS|2\r'), framed('3'))
    expect(wire.messages.map(event => [event.control_id, event.batch])).toEqual([['1', true], ['2', true], ['3', false]])
    expect(wire.codes).toEqual([])
  })

  it('an acknowledgement of the whole batch says so', () => {
    const wire = new Wire().client(frame(messageText(batch([text('1')], 'B7')))).server(frame(acknowledgement({ controlId: 'A' }, { code: 'AA', of: 'B7' }))).end()
    expect(wire.messages.map(event => event.acknowledges)).toContainEqual(expect.objectContaining({ control_id: 'B7', code: 'AA', to: 'batch' }))
  })
})

describe('ends of connections', () => {
  it('a message whose block never ended is told as incomplete', () => {
    const { wire, codes } = read(framed('1').slice(0, -20))
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: false }])
    expect(codes).toEqual(['mllp.no-end'])
  })

  it('a capture that ends inside a block is nobody\'s fault', () => {
    const wire = new Wire().client(framed('1').slice(0, -20)).end('end of capture')
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: false }])
    expect(wire.codes).toEqual([])
  })

  it('nor is a connection that ends inside a block of which bytes were lost', () => {
    const wire = new Wire().client(framed('1').slice(0, -60)).lose(0, 60).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: false }])
    expect(wire.codes).toEqual([])
  })

  it('a header cut before its type is no message', () => {
    expect(read(framed('1').slice(0, 30)).wire.messages).toEqual([])
  })

  it('a header cut inside its control id tells none', () => {
    const cut = framed('123456')
    const at = Buffer.from(cut).indexOf('123456') + 3
    expect(read(cut.slice(0, at)).wire.messages).toMatchObject([{ message_type: 'ADT^A01', control_id: null, complete: false }])
  })

  it('an end mark whose CR comes after the answer has done its work', () => {
    const ack = frame(acknowledgement({ controlId: 'A' }, { code: 'AA', of: '1' }))
    const wire = new Wire().client(framed('1').slice(0, -1)).wait(1000).server(ack)
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: true, acks: [{ code: 'AA', latency_ms: 1 }] }])
    wire.client(bytes(CR)).client(framed('2')).end()
    expect(wire.messages.map(event => event.control_id)).toEqual(['1', '2'])
    expect(wire.codes).toEqual([])
  })

  it('a bare message is over when the other side answers', () => {
    const wire = new Wire().client(body('1')).server(acknowledgement({ controlId: 'A' }, { code: 'AA', of: '1' })).client(body('2')).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', framing: 'none', acks: [{ code: 'AA' }] }, { control_id: '2', framing: 'none' }])
  })
})

describe('loss', () => {
  const long = frame(messageText(text('1', 'NTE|1||' + 'x'.repeat(400), segment('ORC', { 2: 'O1' }), 'NTE|2||y')))

  it('inside a message makes it incomplete, and the next one is read', () => {
    const wire = new Wire().client(long.slice(0, 300)).lose(0, 100).client(long.slice(400)).client(framed('2')).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: false, bytes: long.length - 3 }, { control_id: '2', complete: true }])
    expect(wire.codes).toEqual([])
  })

  it('what follows a loss does not say whose message it is', () => {
    const wire = new Wire().client(frame(messageText([msh({ controlId: '1' }), 'NTE|1||xxxx'])).slice(0, -10)).lose(0, 50)
      .client(encode('zzz\r' + pid({ id: 'SOMEBODY-ELSE' }) + '\r')).client(bytes(FS, CR)).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', patient: null, complete: false }])
  })

  it('that swallows an end and a start does not join two messages', () => {
    const two = concat(framed('1'), framed('2'), framed('3'))
    const wire = new Wire().client(two.slice(0, framed('1').length - 10)).lose(0, 40).client(two.slice(framed('1').length + 30)).end()
    expect(wire.messages.map(event => [event.control_id, event.complete])).toEqual([['1', false], ['3', true]])
    expect(wire.codes).toEqual([])
  })

  it('between blocks is no violation, and neither is the rest of a lost block', () => {
    const wire = new Wire().client(framed('1')).lose(0, 200).client(encode('|REST^OF^A|NAME\rPV1|1\r')).client(bytes(FS, CR)).client(framed('2')).end()
    expect(wire.messages.map(event => event.control_id)).toEqual(['1', '2'])
    expect(wire.codes).toEqual([])
  })

  it('of an end does not make the commit that follows a part of the message', () => {
    const wire = new Wire().server(framed('a')).wait(1).client(framed('1').slice(0, -20)).lose(0, 20).client(commitFrame(true)).end()
    expect(wire.messages).toMatchObject([{ control_id: 'a', commit: 'ack' }, { control_id: '1', complete: false }])
    expect(wire.codes).toEqual([])
  })

  it('in an acknowledgement does not accuse its sender, nor answer another message with half an id', () => {
    const ack = frame(acknowledgement({ controlId: 'A' }, { code: 'AA', of: '123' }))
    const wire = new Wire().client(framed('1')).client(framed('')).server(ack.slice(0, -5)).lose(1, 5).server(bytes(VT)).end()
    expect(wire.messages).toMatchObject([{ direction: 'server', complete: false, acknowledges: { control_id: '', code: 'AA', to: 'unseen' } }, { control_id: '1', acks: [] }, { control_id: '', acks: [] }])
    expect(wire.codes).toEqual([])
  })

  it('a connection joined in the middle begins with its next block', () => {
    const wire = new Wire({ midstream: true }).client(encode('^JANE||19510203\rPV1|1\r')).client(bytes(FS, CR)).client(framed('2')).end()
    expect(wire.messages).toMatchObject([{ control_id: '2', complete: true }])
    expect(wire.codes).toEqual([])
  })
})
