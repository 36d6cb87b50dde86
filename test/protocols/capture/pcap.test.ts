import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hex, join, tcpFrame, u16, u32, u8, type WireFrame } from '../../../fixtures/build/frames.ts'
import { pcapFile, pcapHeader, pcapRecord, type PcapOptions } from '../../../fixtures/build/pcap-writer.ts'
import { readAll } from './read-all.ts'

const AT = Date.UTC(2026, 2, 1, 8) * 1000 + 123_456
const ends = { src: '10.0.0.1', dst: '10.0.0.2', sport: 50_000, dport: 104 }
const frames: WireFrame[] = [
  tcpFrame({ ...ends, at: AT, payload: hex('0102030405') }),
  { ...tcpFrame({ ...ends, at: AT + 1, payload: new Uint8Array(100) }), wireLength: 1514 },
  tcpFrame({ ...ends, at: AT + 2_000_000 }),
]
const expected = frames.map(({ bytes, at, wireLength = bytes.length }) =>
  ({ hex: Buffer.from(bytes).toString('hex'), wireLength, at, linkType: 1, interfaceId: 0 }))

const FORMS: [string, PcapOptions][] = [
  ['little-endian microseconds', {}],
  ['big-endian microseconds', { bigEndian: true }],
  ['little-endian nanoseconds', { nanos: true }],
  ['big-endian nanoseconds', { bigEndian: true, nanos: true }],
  ['record headers of 24 bytes', { modified: true }],
  ['big-endian record headers of 24 bytes', { modified: true, bigEndian: true }],
]

test.each(FORMS)('are frames of %s read?', (_name, options) => {
  expect(readAll(pcapFile(frames, options))).toEqual({ frames: expected, problem: null })
})

test('do nanoseconds keep what a number holds of them?', () => {
  const [frame] = readAll(pcapFile([{ bytes: u8(1), at: AT + 0.25 }], { nanos: true })).frames
  expect(frame!.at).toBe(AT + 0.25)
})

test('are FCS bits of the link type word taken off, and the FCS off the frames?', () => {
  const withFcs = frames.map(({ bytes, at, wireLength }) =>
    ({ bytes: wireLength ? bytes : join(bytes, u32(0xDEADBEEF)), at, ...(wireLength ? { wireLength: wireLength + 4 } : {}) }))
  expect(readAll(pcapFile(withFcs, { linkType: 0x2400_0001 })).frames).toEqual(expected)
})

test('is an FCS that was only partly captured taken off?', () => {
  const [frame] = readAll(pcapFile([{ bytes: hex('0011223344 eeee'), wireLength: 9, at: AT }], { linkType: 0x2400_0001 })).frames
  expect(frame).toMatchObject({ hex: '0011223344', wireLength: 5 })
})

test.each([[2, 2], [2, 3], [543, 0]] as const)('are lengths of version %d.%d taken in the old order?', (major, minor) => {
  const record = (captured: number, original: number, bytes: Uint8Array): Uint8Array =>
    join(...[1, 2, captured, original].map(value => u32(value).reverse()), bytes)
  const file = join(pcapHeader({ version: [major, minor] }), record(60, 4, hex('01020304')))
  expect(readAll(file)).toEqual({ frames: [{ hex: '01020304', wireLength: 60, at: 1_000_002, linkType: 1, interfaceId: 0 }], problem: null })
})

test('does version 2.3 also keep lengths that are in the new order?', () => {
  const file = join(pcapHeader({ version: [2, 3] }), pcapRecord({ bytes: hex('0102'), wireLength: 60, at: AT }))
  expect(readAll(file).frames).toMatchObject([{ hex: '0102', wireLength: 60 }])
})

test('is another major version refused?', () => {
  expect(readAll(pcapFile(frames, { version: [3, 0] }))).toEqual({ frames: [], problem: { kind: 'unsupported', text: 'pcap version 3.0 is not supported' } })
})

test('does a record with an impossible length stop the file, after the frames before it?', () => {
  const file = join(pcapFile(frames.slice(0, 2)), u32(1), u32(1), u32(0xFFFFFFFF), u32(0xFFFFFFFF), new Uint8Array(400))
  const { frames: seen, problem } = readAll(file)
  expect(seen).toEqual(expected.slice(0, 2))
  expect(problem!.kind).toBe('corrupt')
  expect(problem!.text).toContain(`at byte ${pcapFile(frames.slice(0, 2)).length}`)
})

test('are zeros at the end of an unfinished file not taken for frames?', () => {
  const { frames: seen, problem } = readAll(join(pcapFile(frames), new Uint8Array(4096)))
  expect(seen).toEqual(expected)
  expect(problem).toMatchObject({ kind: 'corrupt', text: expect.stringContaining('zeros') as string })
})

describe('what is no capture', () => {
  test.each([
    ['nothing', u8(), 'empty'],
    ['three bytes', u8(1, 2, 3), 'not a capture'],
    ['text', Buffer.from('MSH|^~\\&|HIS|'), 'not a capture'],
    ['a file header cut short', pcapHeader().subarray(0, 20), 'cut'],
  ])('is %s told apart?', (_name, file, kind) => {
    const { frames: seen, problem } = readAll(file)
    expect(seen).toEqual([])
    expect(problem!.kind).toBe(kind)
  })

  test('is a file header without frames a good, if quiet, capture?', () => {
    expect(readAll(pcapHeader())).toEqual({ frames: [], problem: null })
  })
})

test('does a file cut at any byte give the frames before the cut, and say so unless a frame ended there?', () => {
  const file = pcapFile(frames)
  const borders = [pcapHeader().length, ...frames.map((_, i) => pcapFile(frames.slice(0, i + 1)).length)]
  for (let cut = 4; cut < file.length; cut++) {
    const { frames: seen, problem } = readAll(file.subarray(0, cut))
    expect(seen).toEqual(expected.slice(0, Math.max(0, borders.filter(border => border <= cut).length - 1)))
    expect(problem?.kind).toBe(borders.includes(cut) ? undefined : 'cut')
  }
})

const anyFrames = fc.array(fc.record({
  bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  at: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(seconds => seconds * 1e6 + 7),
}), { maxLength: 12 })

test('do chunks of any size give the same frames?', () => {
  fc.assert(fc.property(anyFrames, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }), fc.constantFrom(...FORMS), (some, cuts, [, options]) => {
    const file = pcapFile(some, options)
    expect(readAll(file, cuts)).toEqual(readAll(file))
    expect(readAll(file).frames.length).toBe(some.length)
  }), { numRuns: 150 })
})

test('is a record much longer than a chunk gathered?', () => {
  const long: WireFrame = { bytes: Uint8Array.from({ length: 700_000 }, (_, i) => i * 7), at: AT }
  const file = pcapFile([frames[0]!, long, long, frames[2]!])
  for (const chunk of [1000, 65_536, 300_000]) {
    const { frames: seen, problem } = readAll(file, [chunk])
    expect(problem).toBeNull()
    expect(seen.map(frame => frame.hex.length / 2)).toEqual([frames[0]!.bytes.length, 700_000, 700_000, frames[2]!.bytes.length])
    expect(seen[2]!.hex).toBe(Buffer.from(long.bytes).toString('hex'))
  }
})

test('do any bytes behind a good beginning neither throw nor hang?', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...FORMS), fc.integer({ min: 1, max: 64 }), (tail, [, options], chunk) => {
    const { frames: seen } = readAll(join(pcapHeader(options), tail), [chunk])
    expect(seen.length).toBeLessThanOrEqual(tail.length / 16)
  }), { numRuns: 300 })
})

test('do two files glued together not make frames of the second header?', () => {
  const file = join(pcapFile(frames), pcapFile(frames))
  expect(readAll(file).frames.slice(0, 3)).toEqual(expected)
})

test('is the version a header may lie about not what the byte order hangs on?', () => {
  expect(readAll(join(u32(0xA1B2C3D4), u16(2), u16(4), new Uint8Array(8), u32(65_535), u32(101))).problem).toBeNull()
})
