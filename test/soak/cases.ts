/**
 * R29: `node --expose-gc --import tsx test/soak/cases.ts [SECONDS]` (default 180): every capture of fixtures/cases over and over through one pipeline, each round a day later, so
 * that what ends must be forgotten. After the first third nothing more may stay in memory: less than a mebibyte a minute. Exit code 1 when it does.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { linearRegression } from 'simple-statistics'
import type { Frame } from '../../protocols/capture/frame.ts'
import { CaptureReader, FRAME, MORE } from '../../protocols/capture/reader.ts'
import { Pipeline } from '../../src/pipeline.ts'

const seconds = Number(process.argv[2] ?? 180)
const DAY = 86_400_000_000
const MIB = 1024 * 1024
const cases = join(import.meta.dirname, '../../fixtures/cases')

type Kept = Frame & { at: number }
const rounds: Kept[] = readdirSync(cases).filter((name) => name.endsWith('.pcap')).flatMap((name) => framesOf(readFileSync(join(cases, name))))

function framesOf(file: Uint8Array): Kept[] {
  const frames: Kept[] = []
  const reader = new CaptureReader()
  let from = 0
  for (;;) {
    const step = reader.next()
    if (step === FRAME) {
      const { bytes, start, end, wireLength, linkType, interfaceId, at, nanos } = reader
      frames.push({ bytes: bytes.slice(start, end), start: 0, end: end - start, wireLength, linkType, interfaceId, at, nanos })
    } else if (step === MORE) {
      const space = reader.space()
      const part = file.subarray(from, from + space.length)
      space.set(part)
      from += part.length
      if (part.length === 0) reader.finish()
      else reader.filled(part.length)
    } else return frames
  }
}

let alerts = 0
const pipeline = new Pipeline({ siteKey: new Uint8Array(32), sensor: 'soak', source: 'test', communityIdSeed: 0, posture: true, onAlert: () => { alerts++ } })
const first = Math.min(...rounds.map(({ at }) => at))
// Each case begins a minute after the one before, whenever it was made.
rounds.forEach((frame, i) => { frame.at = first + i * 1000 })

const began = performance.now()
const heaps: [minute: number, mebibytes: number][] = []
let round = 0
for (let next = seconds / 3; ; round++) {
  for (const frame of rounds) {
    frame.at += DAY
    pipeline.frame(frame)
  }
  const passed = (performance.now() - began) / 1000
  if (passed < next) continue
  gc!()
  heaps.push([passed / 60, process.memoryUsage().heapUsed / MIB])
  next += seconds / 15
  if (passed >= seconds) break
}
const slope = linearRegression(heaps).m
console.log(`${round} rounds of ${rounds.length} frames, ${alerts} alerts, heap ${heaps.map(([, heap]) => heap.toFixed(1)).join(' ')} MiB: ${slope.toFixed(2)} MiB a minute`)
process.exitCode = slope < 1 ? 0 : 1
