import { describe, expect, it } from 'vitest'
import type { Header } from '../../../fixtures/build/hl7.ts'
import { acknowledgement, concat, frame, message, msh, pid, segment } from '../../../fixtures/build/hl7.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { MILLI, NOON, SECOND, Wire } from './harness.ts'

const send = (controlId: string, header: Header = {}, id = 'P1'): Uint8Array => frame(message(msh({ controlId, ...header }), pid({ id })))
const answer = (of: string, code = 'AA', header: Header = {}, segments: string[] = []): Uint8Array => frame(acknowledgement({ controlId: `A${of}`, ...header }, { code, of, segments }))

describe('an acknowledgement', () => {
  it('is part of its message, with the time it took', () => {
    const wire = new Wire().client(send('1')).wait(25 * MILLI).server(answer('1', 'AA', { type: 'ACK^A01^ACK' }))
    expect(wire.messages).toHaveLength(1)
    expect(wire.messages[0]).toMatchObject({
      at: NOON + 25 * MILLI, started: NOON, acknowledges: null,
      acks: [{ code: 'AA', control_id: 'A1', message_type: 'ACK^A01', latency_ms: 25, patients: 0, bytes: answer('1', 'AA', { type: 'ACK^A01^ACK' }).length - 3 }],
    })
  })

  it.each(['AA', 'AE', 'AR', 'CE', 'CR', 'ZZ'])('%s settles the message at once', code => {
    expect(new Wire().client(send('1')).server(answer('1', code)).messages).toMatchObject([{ acks: [{ code }] }])
  })

  it('finds its message whatever the order', () => {
    const ids = ['1', '2', '3', '4', '5']
    const wire = new Wire().client(concat(...ids.map(id => send(id)))).server(concat(...['4', '2', '5', '1', '3'].map(id => answer(id))))
    expect(wire.messages.map(event => [event.control_id, event.acks.map(ack => ack.control_id)])).toEqual([['4', ['A4']], ['2', ['A2']], ['5', ['A5']], ['1', ['A1']], ['3', ['A3']]])
  })

  it('is only for messages of the other side', () => {
    const wire = new Wire().client(send('1')).client(answer('1')).end()
    expect(wire.messages.map(event => [event.control_id, event.acks.length, event.acknowledges?.to])).toEqual([['A1', 0, 'unseen'], ['1', 0, undefined]])
  })

  it('both sides may send and acknowledge', () => {
    const wire = new Wire().client(send('1')).server(send('1', { sendingApp: 'ENGINE' })).server(answer('1')).client(answer('1', 'AE'))
    expect(wire.messages.map(event => [event.direction, event.acks.map(ack => ack.code)])).toEqual([['client', ['AA']], ['server', ['AE']]])
  })

  it('that comes a second time is told by itself', () => {
    const wire = new Wire().client(send('1')).server(answer('1')).server(answer('1')).end()
    expect(wire.messages.map(event => event.acknowledges)).toEqual([null, expect.objectContaining({ control_id: '1', code: 'AA', to: 'answered' })])
  })

  it('of a message that was not seen is told by itself', () => {
    const wire = new Wire({ midstream: true }).server(answer('77', 'AR')).end()
    expect(wire.messages).toMatchObject([{ direction: 'server', control_id: 'A77', acks: [], acknowledges: { control_id: '77', code: 'AR', to: 'unseen' } }])
  })

  it('of an acknowledgement says so, so that a storm is seen', () => {
    const wire = new Wire().client(send('1')).server(answer('1')).client(answer('A1', 'AA', { controlId: 'B1' })).server(answer('B1', 'AA', { controlId: 'C1' })).end()
    expect(wire.messages.map(event => event.acknowledges?.to)).toEqual([undefined, 'acknowledgement', 'acknowledgement'])
  })

  it('that names no message is a violation', () => {
    const wire = new Wire().client(send('1')).server(answer('')).end()
    expect(wire.codes).toEqual(['hl7.acknowledgement'])
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [] }])
  })

  it('without MSA is a violation, and no message that waits for an answer', () => {
    const wire = new Wire().client(send('1')).server(frame(message(msh({ type: 'ACK^A01^ACK' })))).wait(2 * LIMITS.hl7.acknowledgementWait).server(frame(message(msh({ type: 'ACK' }), 'MSA||2'))).end()
    expect(wire.codes).toEqual(['hl7.acknowledgement'])
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [] }, { direction: 'server', acknowledges: { control_id: '2', code: '', to: 'unseen' } }])
  })

  it('whose MSA was lost is none that answers anything, nor a message', () => {
    const ack = answer('1')
    const wire = new Wire().client(send('1')).server(ack.slice(0, ack.length - 12)).lose(1, 12).end()
    expect(wire.messages).toMatchObject([{ direction: 'server', complete: false, acknowledges: { control_id: '', to: 'unseen' } }, { control_id: '1', acks: [] }])
    expect(wire.codes).toEqual([])
  })

  it('without an id belongs to a message without one', () => {
    const wire = new Wire().client(send('')).server(answer(''))
    expect(wire.messages).toMatchObject([{ control_id: '', acks: [{ code: 'AA' }] }])
  })

  it('keeps the error code, never its text', () => {
    const modern = ['ERR||PID^1^3|207^Application error^HL70357|E||||Patient DOE^JANE unknown']
    const wire = new Wire().client(send('1')).server(answer('1', 'AE', {}, modern)).client(send('2')).server(answer('2', 'AE', {}, ['ERR|PID^1^3^102&Data type error']))
    expect(wire.messages.map(event => event.acks[0]!.error)).toEqual(['207', '102'])
    expect(JSON.stringify(wire.events)).not.toContain('DOE')
  })

  it('may be a query response, which says how many patients it holds', () => {
    const people = ['QAK|Q1|OK|Q22|3', pid({ id: 'A' }), pid({ id: 'B' }), pid({ id: 'C' })]
    const wire = new Wire().client(frame(message(msh({ controlId: '1', type: 'QBP^Q22^QBP_Q21' }), 'QPD|Q22^Find^HL7|Q1|@PID.5.1^DOE'))).server(answer('1', 'AA', { type: 'RSP^K22^RSP_K21' }, people))
    expect(wire.messages).toMatchObject([{ message_type: 'QBP^Q22', acks: [{ code: 'AA', message_type: 'RSP^K22', patients: 3 }] }])
  })
})

describe('enhanced mode', () => {
  it('AL AL waits for the application behind the commit', () => {
    const wire = new Wire().client(send('1', { acceptAck: 'AL', applicationAck: 'AL' })).server(answer('1', 'CA'))
    expect(wire.messages).toEqual([])
    wire.client(send('2', { acceptAck: 'AL', applicationAck: 'AL' })).server(answer('1', 'AA', { type: 'ACK^A01' }))
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [{ code: 'CA' }, { code: 'AA' }], ack_conditions: { accept: 'AL', application: 'AL' } }])
  })

  it('NE for the application is settled by the commit', () => {
    expect(new Wire().client(send('1', { acceptAck: 'AL', applicationAck: 'NE' })).server(answer('1', 'CA')).messages).toMatchObject([{ acks: [{ code: 'CA' }] }])
  })

  it('undeclared waits no longer than the next message', () => {
    const wire = new Wire().client(send('1')).server(answer('1', 'CA'))
    expect(wire.messages).toEqual([])
    wire.client(send('2'))
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [{ code: 'CA' }] }])
    wire.server(answer('1', 'AA'))
    expect(wire.messages[1]).toMatchObject({ acknowledges: { control_id: '1', code: 'AA', to: 'answered' } })
  })
})

describe('delayed mode (MSA-5, up to version 2.5)', () => {
  const later = (of: string, kind: 'D' | 'F'): Uint8Array => frame(message(msh({ type: kind === 'D' ? 'ACK' : 'MCF', controlId: `${kind}${of}` }), `MSA|AA|${of}|||${kind}`))

  it('is the answer after the work part of the message, though others come between?', () => {
    const wire = new Wire().client(send('1')).wait(MILLI).server(later('1', 'D')).client(send('2')).server(answer('2')).wait(MILLI).server(later('1', 'F')).end()
    expect(wire.messages.map(event => [event.control_id, event.acks.map(ack => [ack.control_id, ack.latency_ms])])).toEqual([['2', [['A2', 0]]], ['1', [['D1', 1], ['F1', 2]]]])
  })

  it('is a message told with the receipt alone when the answer does not come in time?', () => {
    const wire = new Wire().client(send('1')).server(later('1', 'D')).wait(LIMITS.hl7.acknowledgementWait).client(send('2'))
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [{ code: 'AA' }] }])
  })
})

describe('what is told of an exchange', () => {
  it('are MSH-13 numbers told as they were sent, so that a step backwards shows?', () => {
    const wire = new Wire()
    for (const [i, sequence] of ['1', '2', '4', '3', '0', '-1'].entries()) wire.client(send(String(i), { sequence })).server(answer(String(i)))
    expect(wire.messages.map(event => event.sequence)).toEqual([1, 2, 4, 3, 0, -1])
  })

  it('is an answer just before the wait is over part of its message, and one behind it told as late?', () => {
    const wire = new Wire().client(send('1')).wait(LIMITS.hl7.acknowledgementWait - 1).server(answer('1')).client(send('2')).wait(LIMITS.hl7.acknowledgementWait).server(answer('2')).end()
    expect(wire.messages.map(event => [event.control_id, event.acks.map(ack => ack.latency_ms), event.acknowledges?.to])).toEqual([
      ['1', [(LIMITS.hl7.acknowledgementWait - 1) / MILLI], undefined], ['2', [], undefined], ['A2', [], 'answered'],
    ])
  })

  it('are an accept and an application acknowledgement found in either order, with the time of each?', () => {
    const both = { acceptAck: 'AL', applicationAck: 'AL' }
    const early = new Wire().client(send('1', both)).wait(MILLI).server(answer('1', 'AA')).wait(MILLI).server(answer('1', 'CA')).end()
    expect(early.messages).toMatchObject([{ acks: [{ code: 'AA', latency_ms: 1 }] }, { acknowledges: { control_id: '1', code: 'CA', to: 'answered' } }])
    const usual = new Wire().client(send('1', both)).wait(MILLI).server(answer('1', 'CA')).wait(MILLI).server(answer('1', 'AR')).end()
    expect(usual.messages).toMatchObject([{ acks: [{ code: 'CA', latency_ms: 1 }, { code: 'AR', latency_ms: 2 }] }])
  })
})

describe('a message without an answer', () => {
  it('is told with the first bytes after the wait', () => {
    const wire = new Wire().client(send('1')).wait(LIMITS.hl7.acknowledgementWait - 1).client(send('2'))
    expect(wire.messages).toEqual([])
    wire.wait(1).client(send('3'))
    expect(wire.messages).toMatchObject([{ control_id: '1', acks: [], at: NOON + LIMITS.hl7.acknowledgementWait }])
  })

  it('is told at the end, in order', () => {
    const wire = new Wire().client(send('1')).wait(1).server(send('a')).wait(1).client(send('2')).end()
    expect(wire.messages.map(event => event.control_id)).toEqual(['1', 'a', '2'])
  })

  it('is told when too many newer ones wait', () => {
    const wire = new Wire()
    for (let i = 0; i < LIMITS.hl7.messages + 3; i++) wire.client(send(String(i)))
    expect(wire.messages.map(event => event.control_id)).toEqual(['0', '1', '2'])
    wire.end()
    expect(wire.messages).toHaveLength(LIMITS.hl7.messages + 3)
  })
})

describe('when others need the room', () => {
  it('are messages that wait told as unfinished, and those that follow as ever?', () => {
    const wire = new Wire().client(send('1')).server(answer('1')).client(send('2')).wait(MILLI)
    const before = wire.dissector.holds!()
    wire.dissector.forget!(wire.at)
    expect(wire.messages).toMatchObject([{ control_id: '1', complete: true }, { control_id: '2', complete: false, acks: [], at: NOON + MILLI }])
    expect(before).toBeGreaterThan(500)
    expect(wire.dissector.holds!()).toBe(0)
    wire.server(answer('2')).client(send('3')).wait(MILLI).server(answer('3')).end()
    expect(wire.messages.slice(2)).toMatchObject([{ control_id: 'A2', acknowledges: { control_id: '2', to: 'unseen' } }, { control_id: '3', complete: true, acks: [{ code: 'AA', latency_ms: 1 }] }])
  })

  it('does what is held grow with what waits, and shrink when it is answered?', () => {
    const ids = Array.from({ length: 100 }, (_, i) => String(i))
    const wire = new Wire().client(concat(...ids.map(id => send(id))))
    const waiting = wire.dissector.holds!()
    expect(waiting).toBeGreaterThan(100 * 500)
    wire.server(concat(...ids.map(id => answer(id))))
    expect(wire.dissector.holds!()).toBeLessThan(waiting / 2)
  })
})

describe('the same control id again', () => {
  it('tells a resend after no answer, after a refusal, and a replay apart', () => {
    const wire = new Wire()
      .client(send('1')).wait(SECOND).client(send('1')).server(answer('1', 'AE'))
      .client(send('1')).server(answer('1', 'AA')).wait(SECOND)
      .client(send('1', { time: '20250101' })).client(send('1', {}, 'P2')).end()
    const repeats = wire.messages.filter(event => event.acknowledges === null).sort((a, b) => a.started! - b.started!).map(event => event.repeat)
    expect(repeats).toHaveLength(5)
    expect(repeats).toContainEqual({ same_body: true, answered: null, after_ms: 1000 })
    expect(repeats).toContainEqual({ same_body: true, answered: 'AE', after_ms: 0 })
    expect(repeats).toContainEqual({ same_body: true, answered: 'AA', after_ms: 1000 })
    expect(repeats).toContainEqual({ same_body: false, answered: null, after_ms: 0 })
  })

  it('answered twice is two messages that were answered', () => {
    const wire = new Wire().client(send('1')).wait(SECOND).client(send('1')).wait(MILLI).server(answer('1')).wait(MILLI).server(answer('1')).server(answer('1')).end()
    expect(wire.messages.map(event => [event.repeat?.same_body, event.acks.map(ack => ack.latency_ms), event.acknowledges?.to])).toEqual([
      [true, [1], undefined], [undefined, [1002], undefined], [undefined, [], 'answered'],
    ])
  })

  it('is found among many', () => {
    const wire = new Wire()
    for (let i = 0; i < 300; i++) wire.client(send(`C${i}`)).server(answer(`C${i}`))
    wire.client(send('C3')).server(answer('C3')).client(send('C300')).server(answer('C300'))
    expect(wire.messages.slice(-2).map(event => event.repeat?.answered)).toEqual(['AA', undefined])
  })
})

describe('the same control id on another connection', () => {
  const repeats = (...wires: Wire[]): unknown[] => wires.flatMap(wire => wire.messages).filter(event => event.acknowledges === null).map(event => event.repeat)

  it('is the same message after a reconnection: unanswered, refused, or accepted before', () => {
    const capture = {}
    for (const code of [null, 'AE', 'AA']) {
      const id = `C${code}`
      const first = new Wire({ capture }).client(send(id))
      if (code !== null) first.server(answer(id, code))
      const again = new Wire({ capture, at: first.end().at + SECOND }).client(send(id)).server(answer(id)).end()
      const altered = new Wire({ capture, at: again.at + SECOND }).client(send(id, {}, 'P2')).end('rst')
      expect(repeats(first, again, altered)).toEqual([undefined, { same_body: true, answered: code, after_ms: 1000 }, { same_body: false, answered: 'AA', after_ms: 1000 }])
    }
  })

  it('is found while the first connection is open, too, whichever side opened them', () => {
    const capture = {}
    const first = new Wire({ capture }).client(send('1')).server(answer('1'))
    const back = new Wire({ capture, isTurned: true }).wait(MILLI).server(send('1')).end()
    expect(repeats(first, back)).toEqual([undefined, { same_body: true, answered: 'AA', after_ms: 1 }])
  })

  it('is another message where another application, or the other side, sends it', () => {
    const capture = {}
    const first = new Wire({ capture }).client(send('1')).end()
    const other = new Wire({ capture }).client(send('1', { sendingApp: 'LAB' })).server(send('1')).end()
    expect(repeats(first, other)).toEqual([undefined, undefined, undefined])
  })

  it('is found among many short connections, the newest of them, in bounded space', () => {
    const capture = {}
    const once = (id: string, client = '10.0.0.1'): unknown => repeats(new Wire({ capture, client }).client(send(id)).server(answer(id)).end())[0]
    for (let i = 0; i < LIMITS.hl7.messages + 10; i++) expect(once(`C${i}`)).toBeUndefined()
    expect(once('C0')).toBeUndefined()
    expect(once('C20')).toMatchObject({ same_body: true, answered: 'AA' })
    for (let i = 0; i < LIMITS.hl7.pastMessages / 4 + 10; i++) once('1', `10.1.${i >> 8}.${i & 255}`)
    expect(once('C30')).toBeUndefined()
    expect(once('1', '10.1.31.255')).toMatchObject({ same_body: true })
  })
})

describe('the body hash', () => {
  const body = (header: Header, ...more: string[]): number | undefined => new Wire().client(frame(message(msh(header), pid({ id: 'P1' }), ...more))).end().messages[0]!.body

  it('is the same for the same content under another id, time and sender', () => {
    expect(body({ controlId: '1' })).toBe(body({ controlId: '2', time: '20250101', sendingApp: 'X' }))
  })

  it('differs with any byte behind the header', () => {
    const seen = new Set([body({}), body({}, 'NTE|1'), body({}, 'NTE|2'), body({}, 'NTE|1||a'), body({}, segment('NTE', { 3: 'b' }))])
    expect(seen.size).toBe(5)
  })
})
