/** What every protocol must stand, whatever it is: one suite over `protocols/index.ts` and the samples beside this file. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { Random } from '../../../fixtures/build/random.ts'
import type { WireFrame } from '../../../fixtures/build/frames.ts'
import { Decoder } from '../../../protocols/decoder.ts'
import type { WireEvent } from '../../../protocols/events.ts'
import { PROTOCOLS } from '../../../protocols/index.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { spoil } from './mutator.ts'
import { SAMPLES, STRANGERS, type Sample } from './samples.ts'
import { SITE_KEY, SLOW, START, checkBooks, cut, decode, feed, frames, segments, told, type Segment, type Turns } from './wire.ts'

/** Bytes of spoiled input per protocol; `test/soak/mutator.ts` feeds as many as wanted. */
const FUZZ_BYTES = Number(process.env.WARDWIRE_FUZZ_BYTES ?? 4e6)

const events = (wire: Iterable<WireFrame>): WireEvent[] => {
  const { decoder, events: found } = decode(wire)
  expect(decoder.application.fault).toBeNull()
  checkBooks(decoder)
  return found
}
type Unit = Exclude<WireEvent, { kind: 'capture' }>
const units = (sample: Sample, found: readonly WireEvent[]): Unit[] => found.filter((e): e is Unit => e.kind === sample.units)
const violations = (found: readonly WireEvent[]): string[] => found.filter((e) => e.kind === 'violation').map((e) => e.code)
const lengthOf = (turns: Turns): number => Math.max(...turns.map(([, bytes]) => bytes.length))
/** About `most` numbers from `from` to `to`, evenly. */
const places = (from: number, to: number, most: number): number[] => {
  const step = Math.max(1, Math.ceil((to - from) / most))
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step)
}

/** Two protocols may go by one name. */
const NAMES = [...new Set(PROTOCOLS.map(({ name }) => name))]
const CASES = NAMES.flatMap((name) => SAMPLES[name].map((sample) => [`${name}: ${sample.name}`, name, sample] as const))

test('has every protocol samples?', () => {
  for (const name of NAMES) expect(SAMPLES[name].length, name).toBeGreaterThan(0)
})

describe.each(CASES)('%s', (_, name, sample) => {
  const whole = segments(sample.turns)
  const expected = told(events(frames(whole)))
  const expectedUnits = units(sample, events(frames(whole)))

  test('is it recognised, and does it give events?', () => {
    const found = events(frames(whole))
    expect(found.find((e) => e.kind === 'flow')).toMatchObject({ protocol: name, state: 'established' })
    expect(expectedUnits.length).toBeGreaterThan(0)
    expect(expectedUnits.filter((e) => !e.complete || e.after_gap)).toEqual([])
  })

  test.each([1, 104, 443, 2575, 65_535])('is it on port %i, too?', (serverPort) => {
    const found = events(frames(whole, { ends: { serverPort } }))
    expect(found.find((e) => e.kind === 'flow')).toMatchObject({ protocol: name, flow: { server: { port: serverPort } } })
    expect(units(sample, found).length).toBe(expectedUnits.length)
  })

  test('does it give the same events split at every byte?', () => {
    expect(told(events(frames(segments(sample.turns, (bytes) => cut(bytes, 1)))))).toEqual(expected)
    for (const at of places(1, lengthOf(sample.turns), 700)) {
      const found = told(events(frames(segments(sample.turns, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)]))))
      if (found.join('\n') !== expected.join('\n')) expect(found, `split at ${at}`).toEqual(expected)
    }
  })

  test('does it give the same events in segments of any size, in any order, doubled?', () => {
    const random = new Random(`order ${sample.name}`)
    for (let round = 0; round < 60; round++) {
      const size = random.int(1, 1 + (lengthOf(sample.turns) >> random.int(0, 5)))
      const shuffled = segments(sample.turns, (bytes) => cut(bytes, size))
      // Within a turn: across turns, an answer would come before its question.
      const mixed: Segment[] = []
      for (let i = 0; i < shuffled.length;) {
        let end = i
        while (end < shuffled.length && shuffled[end]!.at === shuffled[i]!.at) end++
        const turn = shuffled.slice(i, end).map((segment, at) => ({ segment, at: at + random.int(0, 8) })).sort((a, b) => a.at - b.at).map((s) => s.segment)
        for (const segment of turn) {
          mixed.push(segment)
          if (random.int(0, 3) === 0) mixed.push(mixed[random.int(0, mixed.length - 1)]!)
        }
        i = end
      }
      // A copy of an earlier turn comes at the present time.
      let at = 0
      const placed = mixed.map((segment) => ({ ...segment, at: (at = Math.max(at, segment.at)) }))
      const found = told(events(frames(placed)))
      if (found.join('\n') !== expected.join('\n')) expect(found, `round ${round}`).toEqual(expected)
    }
  })

  test('does a loss anywhere cost little, say so, and never look like an attack?', () => {
    const known = new Set(violations(events(frames(whole))))
    for (const [size, pace] of [[40, SLOW], [300, SLOW], [300, 1000]] as const) {
      const parts = segments(sample.turns, (bytes) => cut(bytes, size), pace)
      const lossless = units(sample, events(frames(parts)))
      for (const i of places(0, parts.length, 300)) {
        const found = events(frames([...parts.slice(0, i), ...parts.slice(i + 1)], { of: sample.turns }))
        const where = `segment ${i} of ${size} bytes, ${parts[i]!.from ? 'server' : 'client'} offset ${parts[i]!.offset}, a turn each ${pace} us`
        expect(violations(found).filter((code) => !known.has(code)), where).toEqual([])
        // In a conversation that is over within 100 ms, all behind a hole comes at the end: what is made of that is the protocol's business.
        if (name === 'tls' || pace !== SLOW) continue
        expect(units(sample, found).length, where).toBeGreaterThanOrEqual(lossless.length - 2)
        // What was complete before the loss is as it was.
        const before = lossless.filter((e) => e.at < parts[i]!.at).map((e) => JSON.stringify(e))
        for (const event of before) if (!units(sample, found).some((e) => JSON.stringify(e) === event)) expect.fail(`${where}: ${event} is gone or changed`)
      }
    }
  })

  test('does a start in the middle stay silent or marked, and find its way in?', () => {
    const known = new Set(violations(events(frames(whole))))
    const parts = segments(sample.turns, (bytes) => cut(bytes, 150))
    for (const i of places(1, parts.length, 200)) {
      const found = events(frames(parts.slice(i), { open: false }))
      const where = `from segment ${i}, ${parts[i]!.from ? 'server' : 'client'} offset ${parts[i]!.offset}`
      expect(violations(found).filter((code) => !known.has(code)), where).toEqual([])
      for (const event of found) if ('flow' in event) expect(event.flow.midstream, where).toBe(true)
      if (name === 'tls') continue
      // All that begins two turns later is found.
      const later = expectedUnits.filter((e) => e.at > parts[i]!.at + 40_000)
      expect(units(sample, found).length, where).toBeGreaterThanOrEqual(later.length)
    }
  })

  test('does a loss of all that came first, behind the handshake, never look like an attack?', () => {
    const known = new Set(violations(events(frames(whole))))
    for (const [size, pace] of [[40, SLOW], [120, 10_000], [300, SLOW]] as const) {
      const parts = segments(sample.turns, (bytes) => cut(bytes, size), pace)
      for (const i of places(1, parts.length, 60)) {
        const found = events(frames(parts.slice(i), { of: sample.turns }))
        expect(violations(found).filter((code) => !known.has(code)), `from segment ${i} of ${size} bytes, ${parts[i]!.from ? 'server' : 'client'} offset ${parts[i]!.offset}`).toEqual([])
      }
    }
  })

  test('is one direction alone read, too?', () => {
    for (const from of [0, 1] as const) {
      const found = events(frames(segments(sample.turns.map(([who, bytes]) => (who === from ? [who, bytes] : [who, new Uint8Array(0)]))), { open: from === 0 }))
      expect(found.at(-1)!.kind).toBe('capture')
    }
  })
})

describe('mistaken identity', () => {
  test.each(Object.entries(STRANGERS))('is %s nobody\'s, from the beginning and from the middle?', (_, turns) => {
    for (const open of [true, false]) {
      const found = events(frames(segments(turns), { open }))
      expect(found.map((e) => e.kind)).toEqual(['flow', 'capture'])
      expect(found[0]).toMatchObject({ protocol: null })
    }
  })

  test('are random bytes nobody\'s?', () => {
    const random = new Random('nobody')
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from({ length: random.int(1, 3000) }, () => random.bits() & 255)
      const found = events(frames(segments([[0, bytes]]), { open: i % 2 === 0 }))
      expect(found[0], `round ${i}`).toMatchObject({ kind: 'flow', protocol: null })
    }
  })
})

describe('hostility', () => {
  test.each(NAMES.map((name) => [name] as const))('is %s unharmed by spoiled bytes, in two directions and in pieces?', (name) => {
    const { decoder, rounds, emitted } = spoil(name, FUZZ_BYTES, `fuzz ${name}`)
    expect(decoder.application.fault).toBeNull()
    expect(decoder.kept).toBe(0)
    expect(emitted).toBeGreaterThan(rounds)
    checkBooks(decoder)
  }, 600_000)

  test.each(NAMES.map((name) => [name] as const))('does %s hold no more than its limits of something that never ends?', async (name) => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const held = async (): Promise<number> => {
      gc()
      // Buffers are freed behind the collector's back.
      await new Promise(setImmediate)
      gc()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const beginnings = SAMPLES[name].flatMap(({ turns }) => {
      const bytes = Buffer.concat(turns.filter(([from]) => from === 0).map(([, b]) => b))
      return places(1, bytes.length, 6).map((at) => bytes.subarray(0, at))
    })
    const runs = beginnings.flatMap((beginning) => ['A', '\r', '\x0B'].map((filler) => {
      const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: () => {} })
      feed(decoder, frames(segments([[0, beginning]]), { close: false }))
      return { decoder, at: beginning.length, filler: Buffer.alloc(32_768, filler) }
    }))
    const before = await held()
    for (const { decoder, at, filler } of runs) {
      for (let i = 0; i < 32; i++) feed(decoder, frames([{ from: 0, offset: at + i * filler.length, ack: 0, bytes: filler, at: START }], { open: false, close: false }))
      expect(decoder.application.fault).toBeNull()
    }
    // 1 MB was fed to each.
    expect(((await held()) - before) / runs.length).toBeLessThan(200 * 1024)
  }, 60_000)
})
