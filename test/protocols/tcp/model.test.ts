/** The tracker against a naive model, on random traffic: what must hold whatever arrives. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Held, PagePool, COUNTED, SLICED, STORED, type RangeKind } from '../../../protocols/tcp/held.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { Talk } from './talk.ts'

const STREAM = Array.from({ length: 600 }, (_, i) => String.fromCharCode(33 + ((i * 7 + (i >> 4)) % 90))).join('')

/** A segment of the stream: offset, length. */
const segment = fc.tuple(fc.nat(STREAM.length - 1), fc.integer({ min: 1, max: 60 })).map(([offset, length]) => ({ offset, text: STREAM.slice(offset, offset + length) }))

/** The stream cut anywhere, moved by at most `window` places, each part perhaps doubled. */
const shuffled = fc.tuple(fc.uniqueArray(fc.integer({ min: 1, max: STREAM.length - 1 }), { maxLength: 60 }), fc.array(fc.tuple(fc.nat(12), fc.nat(2)), { minLength: 61, maxLength: 61 }))
  .map(([cuts, moves]) => {
    const edges = [0, ...cuts.sort((a, b) => a - b), STREAM.length]
    const parts = edges.slice(1).map((end, i) => ({ offset: edges[i]!, text: STREAM.slice(edges[i], end) }))
    const placed = parts.flatMap((part, i) => {
      const [move, copies] = moves[i]!
      return Array.from({ length: 1 + (copies === 2 ? 1 : 0) }, (_, copy) => ({ ...part, at: i + move + copy * 3 }))
    })
    return placed.sort((a, b) => a.at - b.at)
  })

describe('bytes', () => {
  test('does any segmentation, reordering and doubling give the same bytes, also where numbers wrap around?', () => {
    fc.assert(fc.property(shuffled, shuffled, fc.integer(), (fromClient, fromServer, isn) => {
      const talk = new Talk({ isn: { client: isn, server: ~isn } }).open()
      for (let i = 0; i < Math.max(fromClient.length, fromServer.length); i++) {
        const a = fromClient[i]
        const b = fromServer[i]
        if (a) talk.fromClient(a.offset, a.text)
        if (b) talk.fromServer(b.offset, b.text)
      }
      expect([talk.client, talk.server]).toEqual([STREAM, STREAM])
      expect(talk.tracker.counters).toMatchObject({ lost: 0, held: 0, delivered: 2 * STREAM.length, conflicts: 0 })
    }), { numRuns: 300 })
  })

  test('are bytes and gaps told exactly where the stream has them, whatever is lost, sliced, skipped or capped?', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: segment.map((s) => ({ ...s, kind: 'data' as const })) },
      { weight: 2, arbitrary: fc.nat(STREAM.length).map((offset) => ({ offset, text: '', kind: 'ack' as const })) },
      { weight: 1, arbitrary: fc.nat(200_000).map((offset) => ({ offset, text: '', kind: 'time' as const })) },
      { weight: 1, arbitrary: fc.tuple(segment, fc.nat(30)).map(([s, cut]) => ({ ...s, kind: 'sliced' as const, cut })) },
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), fc.array(fc.nat(50), { maxLength: 20 }), (steps, skips) => {
      const talk = new Talk({ limits: { heldRanges: 8, heldBytes: 256, pageBytes: 32, aboveHole: 300, aboveHoleUnacknowledged: 100 } })
      talk.skips = skips
      talk.open()
      for (const s of steps) {
        if (s.kind === 'data') talk.fromClient(s.offset, s.text)
        else if (s.kind === 'ack') talk.fromServer(0, '', { ack: s.offset })
        else if (s.kind === 'time') talk.wait(s.offset)
        else talk.fromClient(s.offset, s.text.slice(0, s.cut), { length: s.text.length })
      }
      talk.finish()
      expect(talk.tracker.counters.held).toBe(0)
      // Every byte that was told lies where the stream has it, and so does every gap: nothing twice, nothing out of order, nothing invented.
      let at = 0
      for (const entry of talk.recorders[0]?.entries ?? []) {
        if ('end' in entry || entry.from === 1) continue
        if ('gap' in entry) {
          at += entry.gap
        } else {
          expect(entry.text).toBe(STREAM.slice(at, at + entry.text.length))
          at += entry.text.length + (entry.skip ?? 0)
        }
      }
      const { delivered, skipped, sliced, lost } = talk.tracker.counters
      expect(delivered + skipped + sliced + lost).toBeLessThanOrEqual(STREAM.length)
      if (skips.length === 0) expect(at).toBe(delivered + sliced + lost)
    }), { numRuns: 500 })
  })
})

describe('held ranges', () => {
  test('do they agree with a plain array, whatever is added and taken?', () => {
    const kinds = [STORED, COUNTED, SLICED] as const
    const add = fc.record({ start: fc.nat(300), length: fc.integer({ min: 1, max: 80 }), kind: fc.constantFrom<RangeKind>(...kinds), salt: fc.nat(1) })
    fc.assert(fc.property(fc.array(add, { maxLength: 60 }), fc.constantFrom(0, 6, 100), (steps, crowd) => {
      const pool = new PagePool({ ...LIMITS.tcp, pageBytes: 32 })
      const held = new Held(pool, crowd)
      const model: ({ kind: RangeKind; byte: number } | undefined)[] = []
      for (const { start, length, kind, salt } of steps) {
        const bytes = Uint8Array.from({ length }, (_, i) => (start + i) * 3 + salt)
        let isNew = 0
        let differs = false
        bytes.forEach((byte, i) => {
          const known = model[start + i]
          if (known === undefined) {
            model[start + i] = { kind, byte }
            isNew++
          } else if (known.kind === STORED && kind === STORED && known.byte !== byte) {
            differs = true
          }
        })
        expect(held.add(start, start + length, kind, bytes, 0)).toBe(isNew)
        expect(held.differs).toBe(differs)
      }
      for (let at = 0; held.ranges > 0; at++) {
        const expected = model[at]
        if (expected === undefined) continue
        expect([held.start, held.firstKind]).toEqual([at, expected.kind])
        if (expected.kind === STORED) expect(held.page()[held.pageOffset]).toBe(expected.byte)
        held.release(1)
      }
      expect(pool.used).toBe(0)
    }), { numRuns: 200 })
  })
})

describe('cost (R7)', () => {
  test('is a segment of a one-way stream with a hole as cheap at the end as at the beginning?', () => {
    const payload = new Uint8Array(1448)
    const time = (talk: Talk, from: number, count: number): number => {
      const before = process.cpuUsage().user
      for (let i = 0; i < count; i++) talk.fromClient(from + i * 1448, payload)
      return process.cpuUsage().user - before
    }
    const talk = new Talk().syn()
    time(talk, 1448, 5000)
    const early = time(talk, 1448 * 5001, 20_000)
    const middle = time(talk, 1448 * 25_001, 100_000)
    expect(middle / 5).toBeLessThan(2 * early + 20_000)
    expect(talk.tracker.counters.held).toBeLessThanOrEqual(2 ** 21)
  })

  test('are 2 MB of one-byte islands and their doubles cheap?', () => {
    const talk = new Talk().open().fromServer(0, '', { ack: 1 })
    const before = process.cpuUsage().user
    for (let i = 0; i < 50_000; i++) talk.fromClient(2 + 2 * ((i * 7919) % 50_000), 'x').fromServer(0, '', { ack: 0 })
    expect(process.cpuUsage().user - before).toBeLessThan(3_000_000)
    expect(talk.tracker.counters.held).toBeLessThanOrEqual(LIMITS.tcp.heldRanges)
  })
})
