/** The things that are counted on a device: their names, what one of them is called, and what a role's newcomer is expected to do. */
import { count, crossings, newStream, type CountStream, type Crossing } from './baseline/counts.ts'
import { HOUR } from './clock.ts'
import { DEVICE_LIMITS, type Device } from './device.ts'
import type { Site } from './site.ts'

export interface StreamKind {
  unit: string
  /** Prior mean per day, used until three devices of the role are known. */
  mean: number
  /** Having none is normal: days without any count as days of knowing. Other streams begin when the device begins to do such things. */
  rare?: boolean
  /** And not only of this device: nobody here does much of it, so that a newcomer who does is judged by the site. */
  alien?: boolean
  /** Counts, one way or another, how many studies are given to others or got of them. */
  deed?: 'gives' | 'gets'
}

/** Prior means are an ordinary hospital's; their weight is half a day's evidence. */
export const STREAMS = {
  'store.out': { unit: 'studies sent', mean: 20, deed: 'gives' },
  'store.in': { unit: 'studies received', mean: 20, deed: 'gets' },
  'images.out': { unit: 'instances sent', mean: 300, deed: 'gives' },
  'images.in': { unit: 'instances received', mean: 300, deed: 'gets' },
  'unread.out': { unit: 'conversations of images sent', mean: 20, deed: 'gives' },
  'unread.in': { unit: 'conversations of images received', mean: 20, deed: 'gets' },
  'retrieve': { unit: 'studies retrieved', mean: 20 },
  'unexplained.out': { unit: 'studies without an order sent', mean: 0.5, rare: true },
  'unexplained.in': { unit: 'studies without an order received', mean: 0.5, rare: true },
  'stale.out': { unit: 'old studies sent', mean: 0.3, rare: true },
  'query': { unit: 'queries', mean: 30 },
  'matches': { unit: 'records shown by queries', mean: 60 },
  'aimless': { unit: 'queries without a retrieval', mean: 5, rare: true },
  'guess': { unit: 'AE titles tried', mean: 0.1, rare: true, alien: true },
  'contacts': { unit: 'hosts and ports contacted for the first time', mean: 0.5, rare: true, alien: true },
  'strange': { unit: 'protocol violations', mean: 0.3, rare: true, alien: true },
  'idle': { unit: 'connections held open without use', mean: 0.5, rare: true, alien: true },
  'hl7.out': { unit: 'HL7 messages sent', mean: 500 },
  'replay': { unit: 'messages sent again that were already accepted', mean: 0.1, rare: true, alien: true },
  'hl7.shown': { unit: 'patients shown by HL7 queries', mean: 20, rare: true },
  'unanswered': { unit: 'HL7 messages without an acknowledgement', mean: 2, rare: true },
  'nak': { unit: 'HL7 messages refused by the receiver', mean: 5, rare: true },
} satisfies Record<string, StreamKind>

export type StreamName = keyof typeof STREAMS

/** Whether studies are given or got, by the unit of what counts them. */
export const DEEDS: ReadonlyMap<string, string> = new Map(Object.values<StreamKind>(STREAMS).flatMap(({ unit, deed }) => (deed === undefined ? [] : [[unit, deed]])))

/** Weight of the prior in days. */
const STRENGTH = 0.5
/** Under this name HL7 kinds beyond the cap are counted together. */
const OTHER = '(other)'
/** Prior mean of one HL7 message kind. */
const TRIGGER_MEAN = 50

/** Counts n on a stream of the device; the crossings of critical values, if any. */
export function tally(device: Device, name: StreamName, n: number, site: Site): Crossing[] | undefined {
  let stream = device.streams.get(name)
  if (stream === undefined) {
    const kind: StreamKind = STREAMS[name]
    const lived = kind.rare !== true ? 0 : name.startsWith('unexplained') ? Math.min(device.lived, site.orders.age(site.hour * HOUR)) : device.lived
    stream = newStream(site.prior(device.role, name) ?? kind.mean, STRENGTH, lived)
    device.streams.set(name, stream)
  }
  return step(stream, n, device, site)
}

/** The same for HL7 messages of a kind that the device sent. */
export function tallyTrigger(device: Device, kind: string, n: number, site: Site): Crossing[] | undefined {
  let stream = device.triggers.get(kind)
  if (stream === undefined) {
    const key = device.triggers.size < DEVICE_LIMITS.triggers ? kind : OTHER
    stream = device.triggers.get(key) ?? newStream(TRIGGER_MEAN, STRENGTH, 0)
    device.triggers.set(key, stream)
  }
  return step(stream, n, device, site)
}

function step(stream: CountStream, n: number, device: Device, site: Site): Crossing[] | undefined {
  const pace = site.pace(device)
  if (!count(stream, n, site.hour, pace)) return undefined
  const found = crossings(stream, pace)
  return found.length === 0 ? undefined : found
}
