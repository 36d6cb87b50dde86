/**
 * What the models take of a replay of small messages: the demo hospital (or another capture) decoded alone and with the models, in turn, in one process.
 *
 *     npm run build && node --import tsx test/bench/models-share.ts [capture.pcap[.gz]] [rounds]
 *
 * The capture is read into memory first, so what counts is processor time of decoding and of judging, as installed (`dist/`).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { WireEvent } from '../../protocols/events.ts'

const root = join(import.meta.dirname, '../..')
const file = process.argv[2] || join(root, 'fixtures/demo/hospital.pcap.gz')
const rounds = Number(process.argv[3] ?? 8)

const load = async <T>(path: string): Promise<T> => await import(join(root, 'dist', path)) as T
const { CaptureReader, END, FRAME } = await load<typeof import('../../protocols/capture/reader.ts')>('protocols/capture/reader.js')
const { Decoder } = await load<typeof import('../../protocols/decoder.ts')>('protocols/decoder.js')
const { Pseudonyms } = await load<typeof import('../../protocols/phi.ts')>('protocols/phi.js')
const { Engine } = await load<typeof import('../../models/engine.ts')>('models/engine.js')

const raw = readFileSync(file)
const capture = raw[0] === 0x1F && raw[1] === 0x8B ? gunzipSync(raw) : raw
let events = 0

/** Processor time in seconds. */
function replay(emit: (event: WireEvent) => void): number {
  const begun = process.cpuUsage()
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(16)), emit })
  const reader = new CaptureReader()
  let at = 0
  for (let step = reader.next(); step !== END; step = reader.next()) {
    if (step === FRAME) {
      decoder.frame(reader)
      continue
    }
    const space = reader.space()
    const count = Math.min(space.length, capture.length - at)
    capture.copy(space, 0, at, at + count)
    at += count
    if (count === 0) reader.finish()
    else reader.filled(count)
  }
  decoder.finish()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}

const alone: number[] = []
const judged: number[] = []
for (let i = 0; i < rounds; i++) {
  events = 0
  alone.push(replay(() => { events++ }))
  const engine = new Engine({ onAlert: () => undefined })
  judged.push(replay((event) => { engine.event(event) }))
}
const median = (of: number[]): number => of.sort((a, b) => a - b)[of.length >> 1]!
const [decoder, both] = [median(alone), median(judged)]
console.log(`${events} events: decoder alone ${decoder.toFixed(3)} s, with the models ${both.toFixed(3)} s; the models take ${(100 * (1 - decoder / both)).toFixed(0)} % (medians of ${rounds})`)
