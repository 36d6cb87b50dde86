import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hex, join, tcpFrame, u24, u32, u8, type WireFrame } from '../../../fixtures/build/frames.ts'
import { pcapFile, pcapngFile } from '../../../fixtures/build/pcap-writer.ts'
import { readCaptures, type CaptureHandlers, type CaptureProgress, type CaptureResult } from '../../../src/sources/captures.ts'

let folder: string
beforeAll(() => { folder = mkdtempSync(joinPath(tmpdir(), 'wardwire-captures-')) })
afterAll(() => { rmSync(folder, { recursive: true }) })

function file(name: string, bytes: Uint8Array): string {
  const path = joinPath(folder, name)
  writeFileSync(path, bytes)
  return path
}

const SECOND = 1_000_000
const START = Date.UTC(2026, 2, 1) * 1000

/** Frames at the given seconds, each with `marker` and its number in the sequence field. */
const framesAt = (marker: number, seconds: readonly number[]): WireFrame[] => seconds.map((second, i) =>
  tcpFrame({ src: '10.0.0.1', dst: '10.0.0.2', sport: marker, dport: 104, seq: i, at: START + second * SECOND, payload: new Uint8Array(40) }))

const one = framesAt(1, [0, 1, 2])
const many = (count: number): WireFrame[] => Array.from({ length: count }, (_, i) => ({ ...one[0]!, at: START + i * SECOND }))

/** What `readCaptures` hands on: for each frame the file, the second and the length. */
async function read(paths: string[], handlers: Partial<CaptureHandlers> = {}): Promise<{ seen: [number, number][]; result: CaptureResult }> {
  const seen: [number, number][] = []
  const result = await readCaptures(paths, { onFrame: (frame, index) => { seen.push([index, (frame.at - START) / SECOND]) }, ...handlers })
  return { seen, result }
}

/** `one` as the zstd tool (1.5.4) packs it. */
const ZSTD = hex(`28b52ffd646200e502004403d4c3b2a1020004000400010000008081a3695e02000a00000201080045000050400666a6000100685010ffff9b4181014082023f
  10000114505cc1c90228505ce37072ced91852104cf43340cd20418549b9b5cb6bd3a20d70013d50350c`)
const ZSTD_SKIPPABLE = join(hex('502a4d18'), u32(5).reverse(), new Uint8Array(5))

/** A zstd frame of raw blocks (RFC 8878 3.1.1), which claims a window by its descriptor. */
function zstdRaw(bytes: Uint8Array, windowDescriptor = 0x38): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 1000) {
    const content = bytes.subarray(at, at + 1000)
    blocks.push(u24(content.length << 3 | Number(at + 1000 >= bytes.length)).reverse(), content)
  }
  return join(hex('28b52ffd'), u8(0, windowDescriptor), ...blocks)
}

describe('one file', () => {
  test.each<[string, (file: Uint8Array) => Uint8Array]>([
    ['plain', bytes => bytes],
    ['gzip', bytes => gzipSync(bytes)],
    ['gzip of several members', bytes => join(gzipSync(bytes.subarray(0, 30)), gzipSync(bytes.subarray(30, 100)), gzipSync(bytes.subarray(100)))],
    ['gzip with junk behind', bytes => join(gzipSync(bytes), u8(0, 0, 0, 0))],
    ['zstd', () => ZSTD],
    ['zstd behind a skippable frame', () => join(ZSTD_SKIPPABLE, ZSTD, ZSTD_SKIPPABLE)],
    ['zstd of several frames', bytes => join(zstdRaw(bytes.subarray(0, 60)), zstdRaw(bytes.subarray(60)))],
  ])('is %s read, whatever its name?', async (name, pack) => {
    const path = file(`${name}.dat`, pack(pcapFile(one)))
    const { seen, result } = await read([path])
    expect(seen).toEqual([[0, 0], [0, 1], [0, 2]])
    expect(result).toEqual({ frames: 3, bytes: one.reduce((sum, { bytes }) => sum + bytes.length, 0), at: START + 2 * SECOND, truncated: false, problems: [] })
  })

  test('is a large packed file read to its last frame?', async () => {
    const bytes = pcapngFile(many(30_000))
    for (const path of [file('many.pcapng', bytes), file('many.gz', gzipSync(bytes)), file('many.zst', join(zstdRaw(bytes.subarray(0, 1e6)), zstdRaw(bytes.subarray(1e6))))]) {
      const { seen, result } = await read([path])
      expect(seen.length).toBe(30_000)
      expect(seen.every(([, second], i) => second === i)).toBe(true)
      expect(result.problems).toEqual([])
    }
  })
})

describe('bombs', () => {
  /** A packet, then blocks of a kind that nobody reads, each of 67 MB: all of their bytes are 04H, so they pack to next to nothing. */
  const head = pcapngFile(one.slice(0, 1))
  const COPIES = 8000
  const bomb = {
    zstd: join(zstdRaw(head).map((byte, i, all) => (i === all.length - head.length - 3 ? byte & ~1 : byte)), ...Array.from({ length: COPIES }, (_, i) => join(u24((131_072 << 3 | 1 << 1 | Number(i === COPIES - 1)) >>> 0).reverse(), u8(4)))),
    gzip: gzipSync(Buffer.concat([head, Buffer.alloc(COPIES * 32_768, 4)])),
  }
  test.each(['zstd', 'gzip'] as const)('does a file of %s that unpacks to thousands of times its size take no more memory than any other?', async (kind) => {
    const path = file(`bomb.${kind}`, bomb[kind])
    let most = 0
    const before = process.memoryUsage().arrayBuffers
    const { seen, result } = await read([path], { afterChunk: () => { most = Math.max(most, process.memoryUsage().arrayBuffers) } })
    expect(seen).toEqual([[0, 0]])
    expect(result.problems).toMatchObject([{ kind: 'cut' }])
    expect((most - before) / 2 ** 20).toBeLessThan(160)
  })
})

test('do the frames before damaged packed data count?', async () => {
  const packed = gzipSync(pcapFile(many(20_000)), { level: 0 })
  packed.fill(0, packed.length - 8) // the checksum of all
  const { seen, result } = await read([file('damaged.gz', packed)])
  expect(seen.length).toBeGreaterThan(15_000)
  expect(result.problems).toMatchObject([{ kind: 'corrupt', text: expect.stringContaining('packed data is corrupt') as string }])
})

describe('several files', () => {
  test('are they merged by capture time, equal times in the order of the arguments?', async () => {
    const paths = [file('a', pcapFile(framesAt(1, [1, 4, 4, 9]))), file('b', gzipSync(pcapngFile(framesAt(2, [0, 4, 5])))), file('c', pcapFile(framesAt(3, [4, 20])))]
    expect((await read(paths)).seen).toEqual([[1, 0], [0, 1], [0, 4], [0, 4], [1, 4], [2, 4], [1, 5], [0, 9], [2, 20]])
  })

  test('does each keep its own order where its clock steps back?', async () => {
    const paths = [file('a', pcapFile(framesAt(1, [5, 3, 6]))), file('b', pcapFile(framesAt(2, [4, 5.5])))]
    expect((await read(paths)).seen).toEqual([[1, 4], [0, 5], [0, 3], [1, 5.5], [0, 6]])
  })

  test('is any set of files merged as a stable sort would?', async () => {
    const times = fc.array(fc.nat(30), { maxLength: 8 }).map(list => list.sort((a, b) => a - b))
    await fc.assert(fc.asyncProperty(fc.array(times, { minLength: 1, maxLength: 6 }), async (files) => {
      const paths = files.map((seconds, i) => file(`m${i}`, pcapFile(framesAt(i, seconds))))
      const expected = files.flatMap((seconds, i) => seconds.map((second): [number, number] => [i, second])).sort((a, b) => a[1] - b[1] || a[0] - b[0])
      expect((await read(paths)).seen).toEqual(expected)
    }), { numRuns: 40 })
  })

  test('do hundreds of files, all of the same hours, read under a small limit of descriptors?', async () => {
    const paths = Array.from({ length: 400 }, (_, i) => file(`h${i}`, pcapFile(framesAt(i, [i, 1000 - i, 1000]))))
    const { seen, result } = await read(paths)
    expect(result).toMatchObject({ frames: 1200, problems: [] })
    expect(seen.every(([, second], i) => i === 0 || seen[i - 1]![1] <= second || seen[i - 1]![0] === seen[i]![0])).toBe(true)
  })

  test('do the good ones count beside any bad ones?', async () => {
    const cut = pcapFile(framesAt(5, [3, 4]))
    const paths = [
      joinPath(folder, 'missing'), folder, file('empty', u8()), file('text', Buffer.from('not a capture at all')), file('cut', cut.subarray(0, cut.length - 5)),
      file('corrupt', join(pcapFile(framesAt(6, [6])), u32(1), u32(1), u32(0xFFFFFFFF), u32(1), new Uint8Array(40))),
      file('cut.gz', gzipSync(pcapFile(framesAt(7, [7, 8]))).subarray(0, -20)), file('xz', Buffer.from('fd377a585a000000', 'hex')),
      file('bad.gz', join(gzipSync(pcapFile(framesAt(8, [9]))).subarray(0, -8), new Uint8Array(8))), file('cut.zst', ZSTD.subarray(0, -6)),
      file('window.zst', join(ZSTD, zstdRaw(pcapFile(one), 0xA0))), file('good', pcapFile(one)),
    ]
    const { seen, result } = await read(paths)
    expect(seen.filter(([index]) => index === 11)).toEqual([[11, 0], [11, 1], [11, 2]])
    expect(seen.filter(([index]) => index === 4)).toEqual([[4, 3]])
    expect(seen.filter(([index]) => index === 5)).toEqual([[5, 6]])
    expect(result.truncated).toBe(true)
    const told = new Map(result.problems.map(({ path, kind, text }) => [paths.indexOf(path), `${kind}: ${text}`]))
    expect(told.size).toBe(result.problems.length)
    expect(told.get(0)).toBe('unreadable: cannot be read: no such file')
    expect(told.get(1)).toBe('unreadable: is a directory, not a capture file')
    expect(told.get(2)).toBe('empty: the file is empty')
    expect(told.get(3)).toContain('not a capture')
    expect(told.get(4)).toBe(`cut: cut off at byte ${cut.length - 5}, in the middle of a record`)
    expect(told.get(5)).toContain('corrupt at byte 134')
    expect(told.get(6)).toBe('cut: gzip data is cut off')
    expect(told.get(7)).toContain('is xz-compressed: unpack it first')
    expect(told.get(8)).toContain('packed data is corrupt: incorrect data check')
    expect(told.get(9)).toBe('cut: zstd data is cut off')
    expect(told.get(10)).toContain('a window of 1024 MiB')
    expect(told.has(11)).toBe(false)
  })
})

test('is an unsupported link type told once, and its frames counted?', async () => {
  const { seen, result } = await read([file('link', pcapFile(one, { linkType: 147 }))])
  expect(seen.length).toBe(3)
  expect(result.problems.map(({ text }) => text)).toEqual(['link type 147 is not supported: its frames are counted, not decoded'])
})

test('does progress grow to the size of all files, and is the reader held up by what comes after a chunk?', async () => {
  const big = pcapFile(many(30_000))
  const paths = [file('p1', big), file('p2', gzipSync(big))]
  const progress: CaptureProgress[] = []
  let waits = 0
  let isWaiting = false
  await read(paths, {
    onFrame: () => { expect(isWaiting).toBe(false) },
    onProgress: (p) => { progress.push({ ...p }) },
    afterChunk: async () => {
      isWaiting = true
      await new Promise(resolve => setImmediate(resolve))
      isWaiting = false
      waits++
    },
  })
  expect(progress.length).toBe(waits)
  expect(waits).toBeGreaterThan(3)
  const last = progress.at(-1)!
  expect(last).toMatchObject({ frames: 60_000, bytes: last.totalBytes })
  expect(progress.every(({ bytes }, i) => i === 0 || bytes >= progress[i - 1]!.bytes)).toBe(true)
})

test('does the signal end reading, and what was read count?', async () => {
  const path = file('long', pcapFile(many(60_000)))
  const stop = new AbortController()
  const { result } = await read([path], { signal: stop.signal, afterChunk: () => stop.abort() })
  expect(result.frames).toBeGreaterThan(1000)
  expect(result.frames).toBeLessThan(60_000)
  expect(result.problems).toEqual([])
})

describe.skipIf(process.platform === 'win32')('pipes', () => {
  const fifo = (name: string): string => {
    const path = joinPath(folder, name)
    execFileSync('mkfifo', [path])
    return path
  }

  test('is a FIFO read as its writer writes, beside a file?', async () => {
    const path = fifo('fifo')
    const bytes = pcapFile(framesAt(1, [0.5, 1.5]))
    const writer = createWriteStream(path)
    writer.write(bytes.subarray(0, 100))
    setTimeout(() => writer.end(bytes.subarray(100)), 50)
    const { seen, result } = await read([path, file('beside', pcapFile(one))])
    expect(seen).toEqual([[1, 0], [0, 0.5], [1, 1], [0, 1.5], [1, 2]])
    expect(result.problems).toEqual([])
  })

  test('does a silent FIFO not keep the signal waiting?', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    const { result } = await read([fifo('silent')], { signal: stop.signal })
    expect(result).toMatchObject({ frames: 0, problems: [] })
  })

  test('is standard input read, packed or not?', async () => {
    const script = `
      import { readCaptures } from '${new URL('../../../src/sources/captures.ts', import.meta.url).href}'
      let frames = 0
      const result = await readCaptures(['-'], { onFrame() { frames++ } })
      console.log(JSON.stringify({ frames, problems: result.problems }))`
    for (const [bytes, expected] of [
      [pcapFile(one), { frames: 3, problems: [] }],
      [gzipSync(pcapFile(one)), { frames: 3, problems: [] }],
      [u8(), { frames: 0, problems: [{ path: 'standard input', kind: 'empty', text: 'the file is empty' }] }],
    ] as const) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
      child.stdin.end(bytes)
      let output = ''
      for await (const chunk of child.stdout) output += String(chunk)
      expect(JSON.parse(output)).toEqual(expected)
    }
  })
})
