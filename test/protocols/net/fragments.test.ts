import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ethernet, fragment, fragments, hex, ip, join, tcp, u8, udp, vlan, type EtherPayload, type IpFields, type IpPayload } from '../../../fixtures/build/frames.ts'
import * as w from '../../../fixtures/build/wrappings.ts'
import { FrameDecoder, PACKET } from '../../../protocols/net/decode.ts'
import { Packet } from '../../../protocols/net/packet.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { decoded, type RawFrame, type Seen } from './decoded.ts'

const v4 = { src: '10.0.0.1', dst: '10.0.0.2', id: 77 }
const v6 = { src: '2001:db8::1', dst: 'fd00::2', id: 0xABCDEF01 }
const BOTH = [['IPv4', v4], ['IPv6', v6]] as const
const payload = Uint8Array.from({ length: 1003 }, (_, i) => i * 31)
const whole = tcp({ sport: 50_000, dport: 104, seq: 5, payload })

/** What comes out of frames in this order. */
function outcomes(frames: RawFrame[], decoder = new FrameDecoder()): Seen[] {
  const packet = new Packet()
  return frames.map(frame => decoded(frame, decoder, packet))
}

const asFrames = (parts: EtherPayload[]): RawFrame[] => parts.map(part => ({ bytes: ethernet(part) }))
const packets = (seen: Seen[]): Seen[] => seen.filter(({ outcome }) => outcome === 'packet')

describe.each(BOTH)('%s', (_name, ends) => {
  const expected = decoded({ bytes: ethernet(ip(ends, whole)) })
  const cut = (size: number, fields: IpFields & { id: number } = ends): EtherPayload[] => fragments(fields, whole, size)

  test('do fragments in any order, some of them twice, equal the whole packet once?', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.nat()), fc.nat(3), (units, picks, again) => {
      const parts = asFrames(cut(units * 8))
      const order = [...parts]
      for (let i = order.length - 1; i > 0; i--) {
        const j = picks.next().value! % (i + 1)
        ;[order[i], order[j]] = [order[j]!, order[i]!]
      }
      // Doubles come before the last piece: behind it they would begin a new datagram.
      for (let i = 0; i < again; i++) order.splice(picks.next().value! % order.length, 0, order[0]!)
      const seen = outcomes(order)
      expect(seen.at(-1)).toEqual(expected)
      expect(packets(seen).length).toBe(1)
      expect(seen.filter(({ outcome }) => outcome === 'fragment').length).toBe(order.length - 1)
    }), { numRuns: 60 })
  })

  test('are the smallest fragments, which split the TCP header, put together?', () => {
    expect(outcomes(asFrames(cut(8))).at(-1)).toEqual(expected)
  })

  test('is a missing piece waited for, and nothing delivered without it?', () => {
    const parts = asFrames(cut(104))
    for (let lost = 0; lost < parts.length; lost++) {
      const decoder = new FrameDecoder()
      expect(packets(outcomes(parts.filter((_, i) => i !== lost), decoder))).toEqual([])
      expect(decoder.held).toBe(parts.length - 1)
    }
  })

  test('do datagrams that differ in one field of the key not mix?', () => {
    const others = [{ ...ends, id: ends.id + 1 }, { ...ends, src: ends.dst, dst: ends.src }]
    const decoder = new FrameDecoder()
    const all = [ends, ...others].map(fields => asFrames(cut(504, fields)))
    const interleaved = all[0]!.flatMap((_, i) => all.map(parts => parts[i]!))
    expect(packets(outcomes(interleaved, decoder)).length).toBe(3)
    expect(decoder.held).toBe(0)
  })

  test('do datagrams of different VLANs or tunnels not mix?', () => {
    const [first, second] = cut(504)
    const bytes = (part: EtherPayload, id: number): RawFrame => ({ bytes: ethernet(vlan(id, part)) })
    const inVxlan = (part: EtherPayload, vni: number): RawFrame => ({ bytes: ethernet(ip({ src: '192.0.2.1', dst: '192.0.2.2' }, w.vxlan(w.frameOf(part), { vni }))) })
    expect(packets(outcomes([bytes(first!, 1), bytes(second!, 2), inVxlan(first!, 1), inVxlan(second!, 2)]))).toEqual([])
    expect(packets(outcomes([bytes(first!, 1), bytes(second!, 1)])).length).toBe(0)
    expect(packets(outcomes(cut(504).map(part => bytes(part, 1)))).length).toBe(1)
    expect(packets(outcomes(cut(504).map(part => inVxlan(part, 1)))).length).toBe(1)
  })

  test('does the copy that came first win where fragments overlap?', () => {
    const bytes = new Uint8Array(80).fill(0xAA)
    const other = new Uint8Array(48).fill(0xBB)
    const datagram = udp({ sport: 1, dport: 2, payload: bytes }).bytes
    const parts = [
      fragment(ends, 17, 0, true, datagram.subarray(0, 32)),
      fragment(ends, 17, 16, true, other), // 16..64: of it 32..64 is new
      fragment(ends, 17, 56, false, datagram.subarray(56)), // of it 64.. is new
    ]
    expect(outcomes(asFrames(parts)).at(-1)!.payload).toBe('aa'.repeat(24) + 'bb'.repeat(32) + 'aa'.repeat(24))
  })

  test('does a fragment longer than the datagram change nothing (teardrop)?', () => {
    const datagram = udp({ sport: 1, dport: 2, payload: new Uint8Array(40) }).bytes
    const decoder = new FrameDecoder()
    const seen = outcomes(asFrames([
      fragment(ends, 17, 24, false, datagram.subarray(24)),
      fragment(ends, 17, 40, true, new Uint8Array(16)), // reaches beyond the end that is known
      fragment(ends, 17, 64, false, new Uint8Array(3)), // another end
      fragment(ends, 17, 0, true, datagram.subarray(0, 24)),
    ]), decoder)
    expect(seen.map(({ outcome }) => outcome)).toEqual(['fragment', 'ip.fragment-malformed', 'ip.fragment-malformed', 'packet'])
    expect(seen.at(-1)!.payloadLength).toBe(40)
  })

  test.each<[string, number, boolean, number]>([
    ['an end before what came already', 8, false, 3],
    ['a piece that is no multiple of 8', 8, true, 13],
    ['an empty piece', 8, true, 0],
    ['a piece beyond 64 KiB', 65_528, false, 100],
  ])('is %s refused?', (_case, offset, more, length) => {
    const seen = outcomes(asFrames([fragment(ends, 6, 64, true, new Uint8Array(64)), fragment(ends, 6, offset, more, new Uint8Array(length))]))
    expect(seen[1]).toEqual({ outcome: 'ip.fragment-malformed' })
  })

  test('does an empty last piece complete the datagram?', () => {
    const datagram = udp({ sport: 1, dport: 2, payload: new Uint8Array(8) }).bytes
    expect(packets(outcomes(asFrames([fragment(ends, 17, 0, true, datagram), fragment(ends, 17, 16, false, u8())])))).toMatchObject([{ payloadLength: 8 }])
  })

  test('do sliced fragments say how much there was, and hold what was captured?', () => {
    const parts = cut(504).map((part) => {
      const bytes = ethernet(part)
      return { bytes: bytes.subarray(0, 200), wireLength: bytes.length }
    })
    const seen = outcomes(parts).at(-1)!
    expect(seen).toMatchObject({ outcome: 'packet', payloadLength: 1003, seq: 5 })
    expect(Buffer.from(payload).toString('hex').startsWith(seen.payload!)).toBe(true)
    expect(seen.payload!.length).toBeGreaterThan(100)
  })

  test('do any geometries neither throw nor deliver more than was sent?', () => {
    const piece = fc.record({ offset: fc.nat(12), units: fc.nat(6), tail: fc.nat(7), more: fc.boolean(), id: fc.nat(2), sliced: fc.nat(60) })
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const decoder = new FrameDecoder()
      const seen = outcomes(pieces.map(({ offset, units, tail, more, id, sliced }) => {
        const bytes = ethernet(fragment({ ...ends, id }, 17, offset * 8, more, new Uint8Array(units * 8 + tail).fill(0x11)))
        return { bytes: bytes.subarray(0, Math.max(60, bytes.length - sliced)), wireLength: bytes.length }
      }), decoder)
      for (const { payloadLength = 0 } of packets(seen)) expect(payloadLength).toBeLessThanOrEqual(18 * 8)
      expect(decoder.outcomes[1]! + decoder.outcomes[PACKET]! + Object.values(decoder.dropped()).reduce((a, b) => a + b, 0)).toBe(pieces.length)
    }), { numRuns: 300 })
  })
})

describe('limits', () => {
  const first = (id: number, at: number, length = 8): RawFrame => ({ bytes: ethernet(fragment({ ...v4, id }, 17, 0, true, new Uint8Array(length))), at })

  test('are fragments dropped when their time is over, and the late rest does not complete them?', () => {
    const decoder = new FrameDecoder()
    const [head, tail] = asFrames(fragments(v4, whole, 800))
    const seen = outcomes([{ ...head!, at: 1e6 }, { ...tail!, at: 1e6 + LIMITS.net.fragmentAge + 1 }], decoder)
    expect(packets(seen)).toEqual([])
    expect(decoder.dropped()).toEqual({ 'ip.fragment-age': 1 })
    expect(decoder.held).toBe(1)
  })

  test('does what still waits at the end of the capture count as dropped?', () => {
    const decoder = new FrameDecoder()
    for (let id = 0; id < 5; id++) decoded(first(id, 1), decoder)
    decoder.finish()
    expect(decoder.held).toBe(0)
    expect(decoder.dropped()).toEqual({ 'ip.fragment-age': 5 })
    expect(decoder.outcomes[1]).toBe(0)
  })

  test('does a clock that steps back age nothing?', () => {
    const [head, tail] = asFrames(fragments(v4, whole, 800))
    expect(packets(outcomes([{ ...head!, at: 9e12 }, { ...tail!, at: 1e6 }])).length).toBe(1)
  })

  test('do more datagrams than the cap push out the oldest, counted?', () => {
    const decoder = new FrameDecoder()
    const packet = new Packet()
    const cap = LIMITS.net.fragmentedDatagrams
    for (let id = 0; id < cap + 100; id++) decoded(first(id, 1), decoder, packet)
    expect(decoder.held).toBe(cap)
    expect(decoder.dropped()).toEqual({ 'ip.fragmented-datagrams': 100 })
    expect(decoder.outcomes[1]).toBe(cap)
  })

  test('do bytes beyond the cap push out the oldest, counted?', () => {
    const decoder = new FrameDecoder()
    const packet = new Packet()
    for (let id = 0; id < 1000; id++) {
      decoded({ bytes: ethernet(fragment({ ...v4, id }, 17, 65_000, true, new Uint8Array(8))) }, decoder, packet)
    }
    const most = LIMITS.net.fragmentBytes / 65_008
    expect(decoder.held).toBeLessThan(most + 1)
    expect(decoder.held).toBeGreaterThan(most / 2)
    expect(decoder.dropped()).toEqual({ 'ip.fragment-bytes': 1000 - decoder.held })
  })
})

describe('in and around tunnels', () => {
  const carrier = { src: '192.0.2.1', dst: '192.0.2.2' }
  const inner = ip(v4, whole)
  const expected = decoded({ bytes: ethernet(inner) })
  const around: [string, IpPayload][] = [['VXLAN', w.vxlan(w.frameOf(inner))], ['ERSPAN', w.erspan2(w.frameOf(inner))], ['GRE', w.gre(inner)]]

  test.each(around)('is a tunnel packet of %s that was fragmented on its way put together and opened?', (_name, tunnel) => {
    const seen = outcomes(asFrames(fragments({ ...carrier, id: 9 }, tunnel, 400))).at(-1)
    expect({ ...seen, macs: null }).toEqual({ ...expected, macs: null })
  })

  test('are fragments inside fragmented tunnels put together?', () => {
    const outer = fragments(v4, whole, 504).flatMap((part, i) => fragments({ ...carrier, id: 100 + i }, w.gre(part), 200))
    const seen = outcomes(asFrames(outer))
    expect(seen.at(-1)).toMatchObject({ outcome: 'packet', payload: expected.payload! })
    expect(packets(seen).length).toBe(1)
  })

  test('is the memory of one datagram used again without showing in the next?', () => {
    const decoder = new FrameDecoder()
    const packet = new Packet()
    for (let round = 0; round < 30; round++) {
      const content = Uint8Array.from({ length: 300 + 40 * round }, (_, i) => i * round)
      const parts = asFrames(fragments({ ...v4, id: round }, udp({ sport: 1, dport: 2, payload: content }), 56))
      const seen = parts.map(part => decoded(part, decoder, packet)).at(-1)!
      expect(seen.payload).toBe(Buffer.from(content).toString('hex'))
    }
    expect(decoder.held).toBe(0)
  })
})

test('is an IPv6 datagram what its first fragment says, not its last?', () => {
  const datagram = udp({ sport: 1, dport: 2, payload: hex('01020304 05060708 090a') }).bytes
  const seen = outcomes(asFrames([fragment(v6, 17, 0, true, datagram.subarray(0, 16)), fragment(v6, 6, 16, false, datagram.subarray(16))]))
  expect(seen[1]).toMatchObject({ transport: 'udp', payload: '0102030405060708090a' })
})

test('does an atomic fragment pass while others of its identification wait?', () => {
  const atomic = fragment(v6, 6, 0, false, whole.bytes)
  const [head] = fragments(v6, whole, 504)
  const seen = outcomes(asFrames([head!, atomic]))
  expect(seen.map(({ outcome }) => outcome)).toEqual(['fragment', 'packet'])
  expect(seen[1]!.payloadLength).toBe(payload.length)
})

test('is padding behind a fragment not part of it?', () => {
  const datagram = udp({ sport: 1, dport: 2, payload: hex('0102') }).bytes
  const seen = outcomes([fragment(v4, 17, 0, true, datagram.subarray(0, 8)), fragment(v4, 17, 8, false, datagram.subarray(8))].map(part => ({ bytes: join(ethernet(part), new Uint8Array(18).fill(9)) })))
  expect(seen[1]).toMatchObject({ payload: '0102' })
})
