import { describe, expect, it } from 'vitest'
import { acknowledgement, concat, encode, frame, message, msh, pid } from '../../../fixtures/build/hl7.ts'
import { Wire } from './harness.ts'

const body = (controlId: string): Uint8Array => message(msh({ controlId }), pid({ id: 'P1' }))
const ack = (of: string): Uint8Array => acknowledgement({ controlId: `A${of}` }, { code: 'AA', of })
const TYPE = 'application/hl7-v2; charset=UTF-8'

function http(start: string, fields: readonly string[], content: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concat(encode([start, ...fields, '', ''].join('\r\n')), content)
}

const post = (content: Uint8Array, type = TYPE): Uint8Array => http('POST /hl7 HTTP/1.1', ['Host: x', `Content-Length: ${content.length}`, `Content-Type: ${type}`], content)
const ok = (content: Uint8Array): Uint8Array => http('HTTP/1.1 200 OK', [`content-type:${TYPE}`, `content-length: ${content.length}`], content)

describe('HL7 in HTTP', () => {
  it('gives the same events as in blocks', () => {
    const overHttp = new Wire().client(post(body('1'))).wait(5000).server(ok(ack('1'))).end()
    const inBlocks = new Wire().client(frame(body('1'))).wait(5000).server(frame(ack('1'))).end()
    expect(overHttp.events).toEqual(inBlocks.events.map(event => ({ ...event, framing: 'http' })))
    expect(overHttp.events).toHaveLength(1)
  })

  it('goes on over many requests of one connection, other ones between them', () => {
    const wire = new Wire()
    for (const id of ['1', '2']) {
      wire.client(post(body(id))).server(ok(ack(id)))
      wire.client(post(encode('{"status":"?"}'), 'application/json')).server(http('HTTP/1.1 204 No Content', []))
    }
    wire.end()
    expect(wire.messages.map(event => [event.control_id, event.acks.length])).toEqual([['1', 1], ['2', 1]])
    expect(wire.codes).toEqual([])
  })

  it('a response without a length ends with its connection', () => {
    const wire = new Wire().client(post(body('1'))).server(http('HTTP/1.0 200 OK', [`Content-Type: ${TYPE}`], ack('1'))).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [{ code: 'AA' }] }])
  })

  it.each(['text/plain; charset=utf-8', 'application/octet-stream', ''])('in a body of type %j shows by what it says, and what else is there is nobody\'s', type => {
    const answer = http('HTTP/1.1 200 OK', [`Content-Type: ${type}`, `Content-Length: ${ack('1').length}`], ack('1'))
    const bytes = concat(post(body('1'), type), post(encode('hello'), type), post(encode('MSH is not all'), type), post(frame(body('2')), type))
    for (const cuts of [[], Array.from({ length: bytes.length - 1 }, (_, i) => i + 1)]) {
      const wire = new Wire().client(bytes, cuts).server(answer).end()
      expect(wire.messages).toMatchObject([{ control_id: '1', framing: 'http', complete: true, bytes: body('1').length, acks: [{ code: 'AA' }] }, { control_id: '2', complete: true }])
      expect(wire.codes).toEqual([])
    }
  })

  it('of no type, cut by a loss before it says what it is, is nobody\'s', () => {
    const bytes = post(body('1'), 'text/plain')
    const head = bytes.length - body('1').length
    const wire = new Wire().client(bytes.slice(0, head + 3)).lose(0, 20).client(bytes.slice(head + 23)).client(post(body('2'))).end()
    expect(wire.messages).toMatchObject([{ control_id: '2' }])
    expect(wire.codes).toEqual([])
  })

  it('joined in the middle is read from its next start line on, whichever side speaks it', () => {
    const wire = new Wire({ midstream: true }).client(body('1').slice(30)).server(ok(ack('1'))).client(post(body('2'))).server(ok(ack('2'))).end()
    expect(wire.messages.filter(event => event.acknowledges === null)).toMatchObject([{ control_id: '2', framing: 'http', acks: [{ code: 'AA' }] }])
    expect(wire.codes).toEqual([])
  })

  it('in the middle of blocks is content, also where a segment begins like it', () => {
    const note = frame(concat(body('1'), encode('NTE|1||\r')))
    const middle = concat(body('2'), encode('POST /hl7 HTTP/1.1\r\nHost: x\r\n'))
    const wire = new Wire({ midstream: true }).client(note).client(concat(Uint8Array.of(0x0B), middle), [1 + body('2').length]).client(Uint8Array.of(0x1C, 0x0D)).client(note).end()
    expect(wire.messages.map(event => event.framing)).toEqual(['mllp', 'mllp', 'mllp'])
  })

  it('a PID that a capture begins with is no POST', () => {
    const wire = new Wire({ midstream: true }).client(encode('PID|1||P1\rPV1|1\r')).client(Uint8Array.of(0x1C, 0x0D)).client(frame(body('2'))).end()
    expect(wire.messages).toMatchObject([{ control_id: '2', framing: 'mllp', complete: true }])
  })

  it('a loss inside a body leaves the next request readable', () => {
    const first = post(message(msh({ controlId: '1' }), `NTE|1||${'x'.repeat(500)}`, 'PV1|1'))
    const wire = new Wire().client(first.slice(0, 250)).lose(0, 300).client(first.slice(550)).client(post(body('2'))).end()
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: false }, { control_id: '2', complete: true }])
  })

  it('a loss inside a header is overcome at the next start line', () => {
    const wire = new Wire().client(post(body('1')).slice(0, 30)).lose(0, 400).client(encode('rest of a body\r')).client(concat(encode('\n'), post(body('2')))).end()
    expect(wire.messages).toMatchObject([{ control_id: '2', complete: true }])
  })

  it('a body that claims to be HL7 and is not is a violation', () => {
    const wire = new Wire().client(post(encode('{"resourceType":"Patient"}'))).end()
    expect(wire.violations).toMatchObject([{ code: 'mllp.content' }])
    expect(wire.violations[0]!.detail).toContain('JSON')
  })

  it('a header without end is given up', () => {
    const wire = new Wire().client(encode('POST /hl7 HTTP/1.1\r\n'))
    for (let i = 0; i < 500; i++) wire.client(encode(`X-${i}: ${'y'.repeat(200)}\r\n`))
    wire.client(concat(encode('\r\n'), post(body('9')))).end()
    expect(wire.messages).toMatchObject([{ control_id: '9' }])
  })
})
