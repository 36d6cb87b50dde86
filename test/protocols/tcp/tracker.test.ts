/** Conversations: who is who, what begins and ends them, and what a flood cannot do. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { ACK, CLIENT_IP, FIN, RST, SERVER_IP, SYN, Talk, datagram, packet, type Fields } from './talk.ts'

const SECOND = 1_000_000
const DAY = 86_400 * SECOND
const closed = (talk: Talk): Talk => talk.fromClient(2, '', { flags: ACK | FIN, ack: 2 }).fromServer(2, '', { flags: ACK | FIN, ack: 3 }).fromClient(3, '', { ack: 3 })

describe('a whole conversation', () => {
  test('is it counted by side, and ended by both FINs?', () => {
    const talk = closed(new Talk().open().fromClient(0, 'ab').fromServer(0, 'xy', { ack: 2 }))
    expect(talk.recorder.entries).toEqual([{ from: 0, text: 'ab' }, { from: 1, text: 'xy' }, { end: 'fin' }])
    expect(talk.flows).toEqual([])
    talk.wait(6 * SECOND).tick()
    expect(talk.flows).toEqual([{ client: '1:50000', state: 'established', bytes: [2, 2], packets: [5, 3], retransmitted: [0, 0], lost: [0, 0] }])
  })

  test('is every packet four times (a sensor on all interfaces) one conversation?', () => {
    const talk = new Talk()
    const send = talk.send.bind(talk)
    talk.send = (fields) => { for (let i = 0; i < 4; i++) send(fields); return talk }
    closed(talk.open().fromClient(0, 'ab').fromServer(0, 'xy', { ack: 2 })).finish()
    expect(talk.recorders.map((r) => r.entries)).toEqual([[{ from: 0, text: 'ab' }, { from: 1, text: 'xy' }, { end: 'fin' }]])
    expect(talk.flows).toMatchObject([{ state: 'established', packets: [20, 12], retransmitted: [3, 3] }])
  })

  test('does one side go on after the other has closed?', () => {
    const talk = new Talk().open().fromClient(0, 'ab', { flags: ACK | FIN }).fromServer(0, 'xy', { ack: 3 }).wait(60 * SECOND).fromServer(2, 'z', { ack: 3, flags: ACK | FIN })
    expect(talk.recorder.entries).toEqual([{ from: 0, text: 'ab' }, { from: 1, text: 'xyz' }, { end: 'fin' }])
  })

  test('is a FIN whose bytes before it are lost still an end?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(4, '', { flags: ACK | FIN }).fromServer(0, '', { flags: ACK | FIN, ack: 5 })
    expect(talk.recorder.ended).toBeUndefined()
    talk.wait(6 * SECOND).tick()
    expect(talk.recorder.entries).toEqual([{ from: 0, text: 'ab' }, { from: 0, gap: 2 }, { end: 'fin' }])
  })
})

describe('who is the client?', () => {
  const first = (fields: Fields): string => new Talk().send(fields).finish().flows[0]!.client
  test('the sender of a SYN', () => expect(first({ sport: 104, dport: 50_000, flags: SYN })).toBe('1:104'))
  test('the receiver of a SYN-ACK', () => expect(first({ sport: 50_000, dport: 104, flags: SYN | ACK })).toBe('2:104'))
  test('without either, the one whose port is not below 1024', () => {
    expect(first({ sport: 104, dport: 2000, payload: 'x' })).toBe('2:2000')
    expect(first({ sport: 2000, dport: 104, payload: 'x' })).toBe('1:2000')
  })
  test('or the one with a port that systems give to clients', () => expect(first({ sport: 11_112, dport: 49_200, payload: 'x' })).toBe('2:49200'))
  test('else who is heard first', () => expect(first({ sport: 11_112, dport: 2575, payload: 'x' })).toBe('1:11112'))

  test('does a SYN that is captured after its answer set it right?', () => {
    const talk = new Talk()
    talk.send({ src: SERVER_IP, dst: CLIENT_IP, sport: 50_000, dport: 104, seq: talk.isn.server, ack: talk.isn.client + 1, flags: SYN | ACK })
    talk.send({ sport: 104, dport: 50_000, seq: talk.isn.client, flags: SYN }).send({ sport: 104, dport: 50_000, seq: talk.isn.client + 1, payload: 'ab' }).finish()
    expect(talk.client).toBe('ab')
    expect(talk.flows).toMatchObject([{ client: '1:104', state: 'established' }])
  })
})

describe('state', () => {
  const state = (talk: Talk): string[] => talk.finish().flows.map((f) => f.state)
  test('is a SYN without answer unanswered?', () => expect(state(new Talk().syn().wait(SECOND).syn())).toEqual(['unanswered']))
  test('is a SYN-ACK of nobody asked (backscatter) unanswered?', () => expect(state(new Talk().synAck())).toEqual(['unanswered']))
  test('is a SYN answered by RST refused?', () => expect(state(new Talk().syn().fromServer(-1, '', { flags: RST | ACK }))).toEqual(['refused']))
  test('is a conversation of which one direction was captured established?', () =>
    expect(state(new Talk().syn().fromClient(0, 'ab'))).toEqual(['established']))
  test('is one whose start was not seen midstream?', () => expect(state(new Talk().fromClient(500, 'ab').fromServer(700, 'xy', { ack: 502 }))).toEqual(['midstream']))
  test('do both sides that open at the same time have one conversation?', () => {
    const talk = new Talk().syn().send({ src: SERVER_IP, dst: CLIENT_IP, sport: 104, dport: 50_000, seq: 5000, flags: SYN })
    talk.synAck().send({ seq: 1000, ack: 5001, flags: SYN | ACK }).fromClient(0, 'ab').fromServer(0, 'xy')
    expect([talk.client, talk.server]).toEqual(['ab', 'xy'])
    expect(state(talk)).toEqual(['established'])
  })
  test('is data in the SYN (fast open) the beginning of the stream?', () => {
    const talk = new Talk().send({ seq: 1000, flags: SYN, payload: 'ab' }).synAck().fromClient(2, 'cd')
    expect(talk.client).toBe('abcd')
  })
  test('and is it not doubled when the server did not take it?', () => {
    expect(new Talk().send({ seq: 1000, flags: SYN, payload: 'ab' }).synAck().fromClient(0, 'ab').client).toBe('ab')
  })
})

describe('midstream', () => {
  test('does the first segment begin the stream?', () => expect(new Talk().fromClient(500, 'ab').fromClient(502, 'cd').client).toBe('abcd'))
  test('does a lone acknowledgement (or keep-alive) begin nothing?', () =>
    expect(new Talk().fromClient(499, '').fromClient(500, 'ab').client).toBe('ab'))
  test('is a keep-alive with a byte, between acknowledgements, nothing?', () =>
    expect(new Talk().fromClient(500, '').fromServer(700, '', { ack: 500 }).fromClient(499, '\0').fromServer(700, '', { ack: 500 }).fromClient(500, 'ab').client).toBe('ab'))
  test('does a reset out of nowhere begin nothing?', () => {
    const talk = new Talk().fromClient(0, '', { flags: RST }).finish()
    expect(talk.flows).toEqual([])
  })
})

describe('reset', () => {
  test.each<[string, Fields, boolean]>([
    ['exactly in place', {}, true],
    ['a little ahead (its data were not captured)', { seq: 5001 + 3000 }, true],
    ['far ahead', { seq: 5001 + 100_000_000 }, false],
    ['behind', { seq: 5001 - 2000 }, false],
  ])('does one that is %s end the conversation?', (_, fields, ends) => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(2, '', { flags: RST, seq: 5003, ...fields, ack: 0 })
    if (fields.seq === undefined) expect(talk.recorder.ended).toBe('rst')
    else expect(talk.recorder.ended).toBe(ends ? 'rst' : undefined)
  })

  test('is a reset of a side that was never heard judged by what it acknowledges?', () => {
    const reset = (ack: number): Talk => new Talk().fromClient(500, 'ab').fromServer(700, '', { flags: RST | ACK, ack })
    expect(reset(502).recorder.ended).toBe('rst')
    expect(reset(1 << 30).recorder.ended).toBeUndefined()
  })

  test('are bytes that were on their way when it came no new conversation?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, '', { flags: RST | ACK, ack: 2 }).fromClient(2, 'cd').fromClient(4, 'ef').finish()
    expect(talk.recorders.length).toBe(1)
    expect(talk.tracker.counters.afterEnd).toBe(4)
  })

  test('does the conversation go on (as a midstream one) when it was forged?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, '', { flags: RST | ACK, ack: 2 }).fromServer(0, 'xy', { ack: 2 }).fromClient(2, 'cd').finish()
    expect(talk.recorders.map((r) => [r.stream(0), r.stream(1)])).toEqual([['ab', ''], ['cd', 'xy']])
    expect(talk.flows.map((f) => f.state)).toEqual(['established', 'midstream'])
  })

  test('does what was held come out before the end?', () => {
    const talk = new Talk().open().fromClient(2, 'cd').fromServer(0, '', { flags: RST | ACK, ack: 0 })
    expect(talk.recorder.entries).toEqual([{ from: 0, gap: 2 }, { from: 0, text: 'cd' }, { end: 'rst' }])
  })
})

describe('the same ports again', () => {
  test.each<[string, (talk: Talk) => Talk, string]>([
    ['while the old one is open', (t) => t, 'idle'],
    ['after a reset', (t) => t.fromServer(0, '', { flags: RST | ACK, ack: 2 }), 'rst'],
    ['after both closed', (t) => closed(t.fromServer(0, 'xy')), 'fin'],
  ])('does a new SYN begin another conversation %s?', (_, before, how) => {
    const talk = before(new Talk().open().fromClient(0, 'ab'))
    talk.isn.client += 100_000
    talk.isn.server -= 100_000
    talk.open().fromClient(0, 'cd').finish()
    expect(talk.recorders.map((r) => r.stream(0))).toEqual(['ab', 'cd'])
    expect(talk.recorders[0]!.ended).toBe(how)
    expect(talk.flows.map((f) => f.state)).toEqual(['established', 'established'])
  })

  test('is a SYN that is repeated late not another one?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').syn().synAck().fromClient(2, 'cd').finish()
    expect(talk.client).toBe('abcd')
    expect(talk.flows.length).toBe(1)
  })

  test.each([1 << 29, -(1 << 29)])('is a later conversation told apart when its SYN was lost (%i away)?', (away) => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, 'xy', { ack: 2 })
    talk.isn.client += away
    talk.isn.server += 1 << 30
    for (let i = 0; i < 6; i++) talk.fromClient(i, 'mnopqr'[i]!)
    expect(talk.recorders.map((r) => r.stream(0))).toEqual(['ab', 'pqr'])
  })

  test('is the late copy of a second sensor, far behind, no other conversation?', () => {
    const talk = new Talk()
    talk.skips = [Infinity]
    talk.open()
    const step = 1_000_000
    for (let at = 0; at < 40 * step; at += step) talk.fromClient(at, '', { length: step })
    for (let at = 0; at < 40 * step; at += step) talk.fromClient(at, '', { length: step })
    talk.finish()
    expect(talk.flows).toMatchObject([{ retransmitted: [40, 0], lost: [0, 0] }])
  })
})

describe('time', () => {
  test('does a SYN without answer end after 10 s, and an open conversation not after two days?', () => {
    const talk = new Talk().syn().wait(11 * SECOND).tick()
    expect(talk.flows.map((f) => f.state)).toEqual(['unanswered'])
    const feed = new Talk().open().fromClient(0, 'ab')
    for (let hour = 0; hour < 48; hour++) feed.wait(3600 * SECOND).tick()
    expect(feed.flows.filter((f) => f.state === 'established')).toEqual([])
    expect(feed.fromClient(2, 'cd').client).toBe('abcd')
  })

  test('is a conversation of which one side is seen given up after half an hour?', () => {
    const talk = new Talk().fromClient(0, 'ab').wait(31 * 60 * SECOND).tick()
    expect(talk.recorder.ended).toBe('idle')
  })

  test('does one wrong timestamp expire nothing?', () => {
    for (const jump of [365 * DAY, -365 * DAY, NaN]) {
      const talk = new Talk()
      talk.at = 50 * 365 * DAY
      talk.open().fromClient(0, 'ab')
      talk.tracker.packet(datagram({ src: 8, dst: 9, at: talk.at + jump }))
      talk.wait(SECOND).fromClient(2, 'cd')
      expect([talk.client, talk.tracker.size]).toEqual(['abcd', 2])
    }
  })

  test('do timers still work after the clock was set back for good?', () => {
    const talk = new Talk()
    talk.at = 50 * 365 * DAY
    talk.open().syn()
    talk.at -= 10 * DAY
    for (let i = 0; i < 20; i++) talk.tick()
    talk.send({ sport: 7, flags: SYN }).wait(12 * SECOND).tick()
    expect(talk.flows.map((f) => f.client)).toContain('1:7')
  })

  test('do equal timestamps harm nothing?', () => expect(closed(new Talk().open().fromClient(0, 'ab').fromServer(0, 'xy')).recorder.ended).toBe('fin'))
})

describe('UDP', () => {
  test('is a conversation counted both ways, and ended by a minute of silence?', () => {
    const talk = new Talk()
    talk.send({ transport: 17, payload: 'abc', dport: 53 }).send({ transport: 17, src: SERVER_IP, dst: CLIENT_IP, sport: 53, dport: 50_000, payload: 'defgh' })
    talk.wait(61 * SECOND).tick()
    expect(talk.flows).toMatchObject([{ client: '1:50000', state: 'established', bytes: [3, 5], packets: [1, 1] }])
  })
})

describe('floods', () => {
  const spoofedSyn = (i: number) => packet({ src: 0x20000000 + i, sport: 1024 + (i % 60_000), seq: i, flags: SYN, at: 2 * SECOND })

  test('do 200,000 spoofed SYNs leave 50 conversations undisturbed?', () => {
    const talk = new Talk({ limits: { conversations: 20_000 } })
    const ports = Array.from({ length: 50 }, (_, i) => 40_000 + i)
    for (const sport of ports) {
      talk.send({ sport, seq: 1000, flags: SYN }).send({ src: SERVER_IP, dst: CLIENT_IP, sport: 104, dport: sport, seq: 5000, ack: 1001, flags: SYN | ACK })
      talk.send({ sport, seq: 1001, ack: 5001, payload: 'ab' })
    }
    for (let i = 0; i < 200_000; i++) talk.tracker.packet(spoofedSyn(i))
    expect(talk.tracker.size).toBe(20_000)
    expect(talk.tracker.counters.evicted).toBe(180_050)
    for (const sport of ports) talk.send({ sport, seq: 1003, ack: 5001, payload: 'cd' })
    expect(talk.recorders.map((r) => r.stream(0))).toEqual(ports.map(() => 'abcd'))
  })

  test('are 100,000 half-open conversations less than 64 MB?', () => {
    const talk = new Talk()
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    gc()
    const before = process.memoryUsage()
    for (let i = 0; i < 100_000; i++) talk.tracker.packet(spoofedSyn(i))
    gc()
    const after = process.memoryUsage()
    expect(talk.tracker.size).toBe(100_000)
    expect((after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20).toBeLessThan(64)
  })

  test('does a spoofed flood of data of one side give way to conversations of two?', () => {
    const talk = new Talk({ limits: { conversations: 1000 } }).open().fromClient(0, 'ab')
    for (let i = 0; i < 5000; i++) talk.tracker.packet(packet({ src: 0x20000000 + i, payload: 'x', at: 2 * SECOND }))
    expect(talk.fromClient(2, 'cd').recorders[0]!.stream(0)).toBe('abcd')
  })

  test('does every conversation that made room say its end?', () => {
    const talk = new Talk({ limits: { conversations: 10 } })
    for (let i = 0; i < 100; i++) talk.tracker.packet(spoofedSyn(i))
    talk.finish()
    expect(talk.flows.length).toBe(100)
  })
})
