/** Frames in, events out: recognition, feeding, loss, and the books; with a toy protocol where the real ones would hide the question. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RST, tcpFrame, udpFrame, type WireFrame } from '../../fixtures/build/frames.ts'
import { CaptureReader, END, FRAME } from '../../protocols/capture/reader.ts'
import { Decoder } from '../../protocols/decoder.ts'
import type { EventOf, WireEvent } from '../../protocols/events.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { LOST, MORE, NO, YES, YES_REVERSED, type Connection, type Direction, type Dissector, type End, type Protocol } from '../../protocols/protocol.ts'
import { SITE_KEY, START as WIRE_START, checkBooks, cut, decode, feed, frames, segments, type Turns } from './contract/wire.ts'

const text = (value: string): Uint8Array => Buffer.from(value, 'latin1')

/**
 * The toy: messages are `Q` (from the client) or `A` (from the server), three digits, and as many bytes; `!` and what follows is no sync any more,
 * `*` throws. Bodies of 50 bytes and more are skipped. Writes down what happens.
 */
class Toy implements Dissector {
  readonly log: string[]
  readonly #connection: Connection
  #goesOn = false

  constructor(log: string[], connection: Connection) {
    this.log = log
    this.#connection = connection
    log.push('open')
  }

  data(direction: Direction, bytes: Uint8Array, start: number, end: number): number {
    let at = start
    while (at + 4 <= end) {
      const head = Buffer.from(bytes.subarray(at, at + 4)).toString('latin1')
      if (head[0] === '*') throw new Error('a fault')
      if (!/^[QA]\d{3}/.test(head)) return LOST
      const length = Number(head.slice(1))
      if (length < 50 && at + 4 + length > end) break
      this.log.push(`${direction} ${length < 50 ? Buffer.from(bytes.subarray(at + 4, at + 4 + length)).toString('latin1') : length}${this.#connection.afterGap ? ' after a gap' : ''}`)
      this.#goesOn = length === 999
      at += 4 + length
    }
    return at - start
  }

  needs(): number {
    return 4
  }

  gap(direction: Direction, missing: number): boolean {
    this.log.push(`${direction} gap ${missing}`)
    return this.#goesOn
  }

  end(how: End): void {
    this.log.push(how)
  }
}

function toy(log: string[] = []): Protocol & { log: string[]; probes: number } {
  return {
    name: 'hl7', log, probes: 0,
    probe(bytes, start, end, direction) {
      this.probes++
      if (bytes[start] === 0x2A) return YES
      if (bytes[start] !== 0x51 && bytes[start] !== 0x41) return NO
      if (end - start < 4) return MORE
      if (!/^\d{3}$/.test(Buffer.from(bytes.subarray(start + 1, start + 4)).toString('latin1'))) return NO
      return (bytes[start] === 0x51) === (direction === 0) ? YES : YES_REVERSED
    },
    open: (connection) => new Toy(log, connection),
  }
}

const message = (letter: string, body: string): string => letter + String(body.length).padStart(3, '0') + body
const turns = (...said: string[]): Turns => said.map((t) => [t.startsWith('s:') ? 1 : 0, text(t.replace(/^s:/, ''))])

/** What the toy heard of these frames. */
function heard(wire: readonly WireFrame[], limits = {}): string[] {
  const protocol = toy()
  const { decoder } = decode(wire, { protocols: [protocol], limits })
  checkBooks(decoder)
  return protocol.log
}

describe('recognition', () => {
  const talk = turns(message('Q', 'hello'), 's:' + message('A', 'hi'), message('Q', 'bye'))

  test.each([1, 104, 2575, 65_535])('is a protocol known by its content on port %i?', (serverPort) => {
    expect(heard(frames(segments(talk), { ends: { serverPort } }))).toEqual(['open', '0 hello', '1 hi', '0 bye', 'fin'])
  })

  test.each([1, 2, 3, 4, 5])('also when it comes in segments of %i bytes?', (size) => {
    expect(heard(frames(segments(talk, (bytes) => cut(bytes, size))))).toEqual(['open', '0 hello', '1 hi', '0 bye', 'fin'])
  })

  test('does a YES of the server open the dissector for both, and is what was kept offered in order of arrival?', () => {
    expect(heard(frames(segments(turns('Q0', 's:' + message('A', 'hi'), '02ab'))))).toEqual(['open', '1 hi', '0 ab', 'fin'])
    // Both kept something; the client was first.
    expect(heard(frames(segments(turns('Q01', 's:A0', '0' + '0123456789', 's:01x'))))).toEqual(['open', '0 0123456789', '1 x', 'fin'])
  })

  test.each([
    [['s:A002hi', 'Q002ab', 'Q002cd'], ['open', '1 hi', '0 ab', '0 cd', 'fin']],
    [['Q002ab', 's:A002hi', 'Q002cd'], ['open', '0 ab', '0 cd', '1 hi', 'fin']],
    [['Q002ab', 's:A002hi', 's:A002ho'], ['open', '0 ab', '1 hi', '1 ho', 'fin']],
  ])('is what both sides kept offered in the order in which it began? %j', (said, expected) => {
    const slow = { ...toy(), probe: (_: Uint8Array, start: number, end: number) => (end - start < 8 ? MORE : YES) } satisfies Protocol
    const { decoder } = decode(frames(segments(turns(...said))), { protocols: [slow] })
    expect(slow.log).toEqual(expected)
    checkBooks(decoder)
  })

  test('is nothing of a stranger kept, and are its bytes counted?', () => {
    const protocol = toy()
    const { decoder, events } = decode(frames(segments(turns('GET / HTTP/1.1\r\n', 's:HTTP/1.1 200 OK\r\n', ...Array.from({ length: 50 }, () => 'Q001x')))), { protocols: [protocol] })
    expect(protocol.log).toEqual([])
    expect(protocol.probes).toBe(2)
    expect(events).toMatchObject([{ kind: 'flow', protocol: null, bytes: { client: 266, server: 17 } }, { kind: 'capture' }])
    checkBooks(decoder)
  })

  test('does a protocol that never decides lose after 1024 bytes?', () => {
    const hesitant: Protocol = { ...toy(), probe: () => MORE }
    const { decoder, events } = decode(frames(segments(turns(...Array.from({ length: 300 }, () => 'Q001x')))), { protocols: [hesitant] })
    expect(events[0]).toMatchObject({ kind: 'flow', protocol: null })
    expect(decoder.kept).toBe(0)
    checkBooks(decoder)
  })

  test('is one that was guessed the wrong way round turned?', () => {
    const wire = frames(segments(talk), { open: false, ends: { clientPort: 2000, serverPort: 50_000 } })
    const protocol = toy()
    const { events } = decode(wire, { protocols: [protocol] })
    expect(protocol.log).toEqual(['open', '0 hello', '1 hi', '0 bye', 'fin'])
    expect(events[0]).toMatchObject({ kind: 'flow', flow: { client: { port: 2000 }, server: { port: 50_000 }, midstream: true }, bytes: { client: 16, server: 6 } })
  })

  test('is the sender of a SYN the client, whatever a protocol says?', () => {
    const { events } = decode(frames(segments(turns(message('A', 'odd')))), { protocols: [toy()] })
    expect(events[0]).toMatchObject({ flow: { client: { port: 50_000 } }, protocol: 'hl7' })
  })

  test('is the first protocol of the list that says YES taken?', () => {
    const [first, second] = [toy(), toy()]
    decode(frames(segments(talk)), { protocols: [{ ...first, probe: () => NO }, second] })
    expect([first.log.length, second.log.length]).toEqual([0, 5])
  })
})

describe('feeding', () => {
  test('is what a dissector leaves offered again, and bulk passed over, however it is cut?', () => {
    const said = turns(message('Q', 'a'.repeat(30)) + message('Q', 'b'.repeat(700)) + message('Q', 'cc'), 's:' + message('A', 'd'.repeat(49)) + message('A', ''))
    const expected = ['open', `0 ${'a'.repeat(30)}`, '0 700', '0 cc', `1 ${'d'.repeat(49)}`, '1 ', 'fin']
    for (const size of [1, 2, 3, 7, 40, 800]) expect(heard(frames(segments(said, (bytes) => cut(bytes, size))))).toEqual(expected)
  })

  test('does a dissector that lost sync hear nothing before its protocol says YES?', () => {
    expect(heard(frames(segments(turns(message('Q', 'one'), '!!!!', 'garbage', message('Q', 'two')))))).toEqual(['open', '0 one', '0 two', 'fin'])
  })

  test('does a fault of a dissector end it alone?', () => {
    const protocol = toy()
    const wire = [...frames(segments(turns('*boom', message('Q', 'x'))), { ends: { clientPort: 1111 } }), ...frames(segments(turns(message('Q', 'fine'))))]
    const { decoder, events } = decode(wire, { protocols: [protocol] })
    expect(protocol.log).toEqual(['open', 'open', '0 fine', 'fin'])
    expect(events.at(-1)).toMatchObject({ kind: 'capture', dropped: { 'dissector.failed': 1 } })
    checkBooks(decoder)
  })

  test.each([['one direction', { carryBytes: 16 }], ['all', { keptTotalBytes: 32 }]])('does a dissector that wants more than %s may keep lose sync?', (_, limits) => {
    expect(heard(frames(segments(turns(message('Q', 'one'), 'Q040' + 'x'.repeat(20), 'y'.repeat(20), message('Q', 'two')))), limits)).toEqual(['open', '0 one', '0 two', 'fin'])
  })

  test('does an error in what is done with events reach the caller, and not count as a fault of a dissector?', () => {
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: () => { throw new Error('disk full') } })
    expect(() => { decoder.finish() }).toThrow('disk full')
    expect(decoder.application.failed).toBe(0)
  })
})

describe('loss', () => {
  const said = turns(message('Q', 'one'), 's:' + message('A', 'eins'), message('Q', 'two'), 's:' + message('A', 'zwei'), message('Q', 'three'), 's:' + message('A', 'drei'))
  const without = (i: number): WireFrame[] => frames(segments(said).filter((_, at) => at !== i))

  test('is a gap told, and data only after the protocol says YES again?', () => {
    expect(heard(without(2))).toEqual(['open', '0 one', '1 eins', '1 zwei', '1 drei', '0 gap 7', '0 three after a gap', 'fin'])
  })

  test('does a loss inside a message cost that message, and search until the next?', () => {
    const parts = segments(turns('Q020abcdef', 'ghijkl', 'mnopqrst', message('Q', 'next')))
    parts.splice(1, 1)
    expect(heard(frames(parts))).toEqual(['open', '0 gap 6', '0 next after a gap', 'fin'])
  })

  test('does a dissector that knows how to go on go on?', () => {
    const parts = segments(turns(`Q999${'x'.repeat(999)}`.slice(0, 900), 'x'.repeat(103), message('Q', 'next')))
    // The hole reaches beyond the bytes that were to be skipped.
    const wire = frames([parts[0]!, { ...parts[2]!, bytes: parts[2]!.bytes.subarray(1), offset: parts[2]!.offset + 1 }])
    expect(heard(wire).slice(0, 3)).toEqual(['open', '0 999', '0 gap 1'])
  })

  test('is a loss before anything was recognised no obstacle?', () => {
    expect(heard(without(0))).toEqual(['open', '1 eins', '1 zwei', '1 drei', '0 gap 7', '0 two after a gap', '0 three after a gap', 'fin'])
  })

  test('is the search given up after a bounded effort?', () => {
    const protocol = toy()
    decode(frames(segments(turns(message('Q', 'one'), '!!!!', ...Array.from({ length: 50 }, () => 'junk'), message('Q', 'two')))), { protocols: [protocol], limits: { searchSegments: 20 } })
    expect(protocol.log).toEqual(['open', '0 one', 'fin'])
    expect(protocol.probes).toBeLessThan(30)
  })

  test('does a conversation seen from the middle find its protocol, from any segment on?', () => {
    const parts = segments(said, (bytes) => cut(bytes, 5))
    for (let first = 1; first < parts.length - 3; first++) expect(heard(frames(parts.slice(first), { open: false })).join()).toContain('drei')
  })

  test('is the probing of strangers from the middle bounded?', () => {
    const protocol = toy()
    const chat = Array.from({ length: 100 }, (_, i) => (i % 2 ? 's:' : '') + 'chatter')
    decode(frames(segments(turns(...chat)), { open: false }), { protocols: [protocol], limits: { strangerSegments: 5 } })
    expect(protocol.probes).toBe(12)
  })
})

describe('events', () => {
  test('does every conversation end in a flow, in the order they began, and the capture in a report?', () => {
    const wire = [3, 1, 2].flatMap((host) => frames(segments(turns('hello')), { close: false, ends: { client: `10.0.0.${host}` } }))
    wire.push(udpFrame({ src: '10.0.0.9', dst: '10.0.0.8', sport: 5000, dport: 53, payload: text('?'), at: wire[0]!.at }))
    const { events, decoder } = decode(wire)
    expect(events.map((e) => (e.kind === 'flow' ? `${e.transport} ${e.flow.client.ip}` : e.kind))).toEqual(['tcp 10.0.0.3', 'tcp 10.0.0.1', 'tcp 10.0.0.2', 'udp 10.0.0.9', 'capture'])
    expect(events.at(-1)).toEqual({ kind: 'capture', at: wire[0]!.at, frames: 13, bytes: wire.reduce((sum, f) => sum + f.bytes.length, 0), dropped: {}, gaps: 0, truncated: false })
    checkBooks(decoder)
  })

  test('is a flow named the same in every run, with its community id, MACs and VLANs?', () => {
    const run = (): WireEvent[] => decode([tcpFrame({ src: '128.232.110.120', dst: '66.35.250.204', sport: 34_855, dport: 80, flags: 2, vlans: [7, 12], at: 1_700_000_000_000_000, srcMac: '02:00:00:00:00:aa', dstMac: '02:00:00:00:00:bb' })]).events
    expect(run()).toEqual(run())
    expect(run()[0]).toMatchObject({
      flow: {
        id: expect.stringMatching(/^[0-9a-f]{16}$/) as string, community_id: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=', vlan: [7, 12], transport: 'tcp', midstream: false,
        client: { ip: '128.232.110.120', port: 34_855, mac: '02:00:00:00:00:aa' }, server: { ip: '66.35.250.204', port: 80, mac: '02:00:00:00:00:bb' },
      },
      state: 'unanswered', complete: true,
    })
    expect(JSON.parse(JSON.stringify(run()[0]))).toHaveProperty('flow.community_id')
  })

  test('is a conflicting overlap a violation, once?', () => {
    const parts = segments(turns(message('Q', 'one'), message('Q', 'two')))
    const other = { ...parts[0]!, bytes: text(message('Q', 'ONE')) }
    const { events } = decode(frames([parts[0]!, other, other, parts[1]!]), { protocols: [toy()] })
    expect(events.filter((e): e is EventOf<'violation'> => e.kind === 'violation')).toMatchObject([{ protocol: 'tcp', code: 'overlap.conflict', offset: 0 }])
  })

  test('does a reset tell the dissector?', () => {
    const wire = frames(segments(turns(message('Q', 'one'))), { close: false })
    wire.push(tcpFrame({ src: '10.2.0.2', dst: '10.1.0.1', sport: 11_112, dport: 50_000, seq: 0x10000001, flags: RST, at: wire.at(-1)!.at }))
    expect(heard(wire)).toEqual(['open', '0 one', 'rst'])
  })
})

describe('cost', () => {
  test('does ordered bulk allocate no object?', () => {
    /** As of an image in 128 KB fragments: one segment is read, then so many passed over. */
    const reader: Dissector = { data: (_, __, start, end) => end - start + 99 * 1014, needs: () => 0, gap: () => false, end: () => {} }
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: () => {}, protocols: [{ name: 'hl7', probe: () => YES, open: () => reader }] })
    feed(decoder, frames([], { close: false }))
    // The same 1014 bytes again and again, with sequence numbers that go on.
    const bulk = frames(segments([[0, text('x'.repeat(1014))]]), { open: false, close: false })[0]!
    const frame = { bytes: bulk.bytes, start: 0, end: bulk.bytes.length, wireLength: bulk.bytes.length, at: bulk.at, linkType: 1, interfaceId: 0 }
    const view = new DataView(bulk.bytes.buffer, bulk.bytes.byteOffset)
    const seq = Uint32Array.of(0xFFFFFF00 + 1)
    const run = (count: number): void => {
      for (let i = 0; i < count; i++) {
        view.setUint32(14 + 20 + 4, seq[0]!)
        seq[0]! += 1014
        decoder.frame(frame)
      }
    }
    run(50_000)
    // A collection or a recompilation may fall into one round or two, not into most.
    const growths = Array.from({ length: 5 }, () => {
      const before = process.memoryUsage().heapUsed
      run(10_000)
      return process.memoryUsage().heapUsed - before
    })
    expect(decoder.tcp).toMatchObject({ lost: 0, duplicate: 0, payload: 101_400_000 })
    // A view or a closure per packet would be 64 bytes and more; a number or two may be boxed where the engine chose not to inline.
    expect(growths.sort((a, b) => a - b)[2]! / 10_000).toBeLessThan(48)
  })
})

describe('timers and neighbours', () => {
  const hl7 = (controlId: string): string => `\x0BMSH|^~\\&|APP|FAC|ENG|FAC|20240305120000||ADT^A08|${controlId}|P|2.5\rPID|1||P1\r\x1C\r`
  const ack = (of: string, code = 'AA'): string => `\x0BMSH|^~\\&|ENG|FAC|APP|FAC|20240305120000||ACK|A${of}|P|2.5\rMSA|${code}|${of}\r\x1C\r`
  const messagesOf = (events: WireEvent[]): EventOf<'hl7.message'>[] => events.filter((e) => e.kind === 'hl7.message')
  const mllp = { client: '10.0.0.1', server: '10.0.0.2', serverPort: 2575 }

  test('is a message without an answer told in time, though its connection falls silent?', () => {
    const events: WireEvent[] = []
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => events.push(event) })
    feed(decoder, frames(segments(turns(hl7('1'))), { ends: mllp, close: false }))
    const start = events.length
    const other = (seconds: number): WireFrame => udpFrame({ src: '10.0.0.9', dst: '10.0.0.8', sport: 5000, dport: 53, payload: text('?'), at: WIRE_START + seconds * 1e6 })
    for (let seconds = 1; seconds < 30; seconds++) feed(decoder, [other(seconds)])
    expect(events).toHaveLength(start)
    feed(decoder, [other(30), other(31)])
    expect(messagesOf(events)).toMatchObject([{ control_id: '1', acks: [], complete: true }])
    expect(messagesOf(events)[0]!.at - WIRE_START).toBeLessThanOrEqual(31_000_000)
    for (let seconds = 32; seconds < 100; seconds++) feed(decoder, [other(seconds)])
    decoder.finish()
    expect(messagesOf(events)).toHaveLength(1)
  })

  test('is a dissector that fails at its timer the only one that ends?', () => {
    const failing: Protocol = { ...toy(), open: () => Object.assign(new Toy([], { afterGap: false } as Connection), { due: () => 0, tick: () => { throw new Error('a fault') } }) }
    const wire = frames(segments(turns('Q001x', 's:A001y', 'Q001z'), undefined, 2_000_000))
    const { decoder } = decode(wire, { protocols: [failing] })
    expect(decoder.application.failed).toBe(1)
  })

  test('does an acknowledgement on another connection of the two hosts find its message?', () => {
    const events: WireEvent[] = []
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => events.push(event) })
    const sent = hl7('1').replace('|P|2.5', '|P|2.5|||AL|AL')
    feed(decoder, frames(segments(turns(sent, `s:${ack('1', 'CA')}`)), { ends: mllp, close: false }))
    // The engine opens a connection of its own for what the application says.
    const back = { client: '10.0.0.2', server: '10.0.0.1', clientPort: 51_000, serverPort: 2576 }
    feed(decoder, frames(segments(turns(ack('1', 'AE'), ack('1', 'AA'))), { ends: back, close: false }))
    // Nobody else's.
    feed(decoder, frames(segments(turns(hl7('2'))), { ends: { ...mllp, clientPort: 50_001 }, close: false }))
    feed(decoder, frames(segments(turns(ack('2'))), { ends: { ...back, client: '10.0.0.3' }, close: false }))
    decoder.finish()
    expect(messagesOf(events).map((e) => [e.control_id, e.acks.map((a) => a.code), e.acknowledges?.to])).toEqual([
      ['1', ['CA', 'AE'], undefined], ['A1', [], 'answered'], ['A2', [], 'unseen'], ['2', [], undefined],
    ])
  })
})

describe('real captures', () => {
  const folder = resolve(import.meta.dirname, '../..', process.env.WARDWIRE_CAPTURES ?? '../shared/captures')
  const files = ['made', 'public'].flatMap((sub) => (existsSync(join(folder, sub)) ? readdirSync(join(folder, sub)).filter((f) => /\.pcap(ng)?$/.test(f)).map((f) => join(sub, f)) : []))

  const run = (file: string, chunk: number): { events: string[]; decoder: Decoder } => {
    const bytes = readFileSync(join(folder, file))
    const events: string[] = []
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => events.push(JSON.stringify(event)) })
    const reader = new CaptureReader(chunk)
    let at = 0
    for (let step = reader.next(); step !== END; step = reader.next()) {
      if (step === FRAME) {
        decoder.frame(reader)
        continue
      }
      const count = bytes.copy(reader.space(), 0, at)
      at += count
      if (count === 0) reader.finish()
      else reader.filled(count)
    }
    decoder.finish()
    return { events, decoder }
  }

  test.skipIf(files.length === 0)('do the books balance, no dissector fail, and two runs agree, on every capture? (skipped without a folder of captures: see WARDWIRE_CAPTURES)', () => {
    for (const file of files) {
      const { events, decoder } = run(file, 1 << 20)
      expect(decoder.application.fault, file).toBeNull()
      checkBooks(decoder)
      expect(run(file, 65_536).events, file).toEqual(events)
    }
  }, 120_000)
})
