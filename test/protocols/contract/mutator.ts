/** Spoiled conversations of a protocol, by seed: changed, missing and doubled bytes, in two directions, in pieces of any size. */
import { Random } from '../../../fixtures/build/random.ts'
import { Decoder } from '../../../protocols/decoder.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import type { Protocol } from '../../../protocols/protocol.ts'
import { SAMPLES } from './samples.ts'
import { SITE_KEY, cut, feed, frames, segments, type Turns } from './wire.ts'

/** Changes some bytes; the first ones rarely, so that the input gets past the door. */
const spoiled = (turns: Turns, random: Random): Turns => {
  const all = turns.map(([from, bytes]) => [from, Uint8Array.from(bytes)] as const)
  const few = random.int(0, 3)
  for (let i = random.int(1, 1 + 4 ** few); i > 0; i--) {
    const [, bytes] = all[random.int(0, all.length - 1)]!
    if (bytes.length === 0) continue
    const at = random.int(0, 9) === 0 ? 0 : random.int(0, bytes.length - 1)
    const way = random.int(0, 4)
    if (way === 0) bytes[at] = random.bits()
    else if (way === 1) bytes[at]! ^= 1 << random.int(0, 7)
    else if (way === 2) bytes.fill([0, 0xFF, 0x0B, 0x1C, 0x7C][random.int(0, 4)]!, at, at + random.int(1, 8))
    else if (way === 3) bytes.copyWithin(at, random.int(0, bytes.length - 1), bytes.length)
    else new DataView(bytes.buffer).setUint32(Math.min(at, Math.max(0, bytes.length - 4)) % Math.max(1, bytes.length - 3), [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 1][random.int(0, 4)]!)
  }
  const kept = all.filter(() => random.int(0, 20) > 0)
  return random.int(0, 3) === 0 ? [...kept, ...kept.map(([from, bytes]) => [from === 0 ? 1 : 0, bytes] as const)] : kept
}

export interface Spoiled { decoder: Decoder; rounds: number; emitted: number; bytes: number }

/**
 * Feeds a decoder at least `bytes` of spoiled payload and ends it. The same seed gives the same bytes.
 * @throws when more is kept than the limits allow
 */
export function spoil(name: Protocol['name'], bytes: number, seed: string): Spoiled {
  const random = new Random(seed)
  let fed = 0
  let emitted = 0
  let round = 0
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: () => emitted++ })
  while (fed < bytes) {
    round++
    const { turns } = SAMPLES[name][random.int(0, SAMPLES[name].length - 1)]!
    const size = random.int(1, 3) === 1 ? random.int(1, 9) : random.int(10, 2000)
    const parts = segments(spoiled(turns.filter(([, b]) => b.length > 3), random), (b) => cut(b, size)).filter(() => random.int(0, 60) > 0)
    feed(decoder, frames(parts, { open: random.int(0, 4) > 0, ends: { clientPort: 1024 + (round % 60_000), client: `10.9.${(round >> 8) & 255}.${round & 255}` } }))
    fed += parts.reduce((sum, p) => sum + p.bytes.length, 0)
    if (decoder.kept > LIMITS.tcp.keptTotalBytes) throw new Error(`kept ${decoder.kept} bytes after ${fed} of ${seed}`)
  }
  decoder.finish()
  return { decoder, rounds: round, emitted, bytes: fed }
}
