/** What the engine knows, for people to look at: devices and their expectations, read and never changed. */
import { LEAST_MEAN, LOOK, daySize, dayMean, type CountStream } from './baseline/counts.ts'
import { negativeBinomialCritical } from './baseline/distributions.ts'
import type { Micros } from '../protocols/events.ts'
import { addressOf, clean, nameOf, type Device } from './device.ts'
import { roleOf } from './role.ts'
import type { Site } from './site.ts'
import { STREAMS } from './streams.ts'

/** One device as the engine takes it to be. */
export interface DeviceView {
  id: string
  /** The name an analyst would know it by. */
  name: string
  role: string
  /** The address it uses now. */
  ip: string
  addresses: { ip: string; mac: string | null; first: Micros; last: Micros; public: boolean }[]
  ae_titles: string[]
  applications: string[]
  /** Implementation class UID and version name (PS3.7 annex D.3.3.2). */
  implementation: string | null
  version: string | null
  host: string | null
  /** Images it sent of its own, by modality. */
  modalities: Record<string, number>
  first: Micros
  last: Micros
  events: number
  /** Days since it was first seen, as far as the sensor watched. */
  days: number
}

/** A count of the open local day beside what the model expects of a whole day like it. */
export interface DayReading {
  /** What is counted: a name of `STREAMS`, or `hl7/` and a message type. */
  stream: string
  unit: string
  observed: number
  expected: number
  /** Size of its negative binomial: mean + mean^2 / size is its variance. */
  size?: number
  /** A normal day stays below this count 999 times in 1,000. */
  high: number
  /** Days the stream has learned from. */
  days: number
}

/** Roles are judged by at the end of a day; who looks before is told what today says. */
export function viewOf(device: Device): DeviceView {
  return {
    id: device.id, name: nameOf(device), role: device.role === 'unknown' ? roleOf(device) : device.role, ip: addressOf(device),
    addresses: [...device.ips].map(([ip, { mac, first, last, public: out }]) => ({ ip, mac, first, last, public: out })),
    ae_titles: [...device.aes.keys()].map(clean), applications: [...device.apps.keys()].map(clean),
    implementation: device.implementation === null ? null : clean(device.implementation),
    version: device.version === null ? null : clean(device.version), host: device.host === null ? null : clean(device.host),
    modalities: Object.fromEntries([...device.modalities].map(([name, n]) => [clean(name), n])),
    first: device.first, last: device.last, events: device.events, days: device.lived,
  }
}

/** Every count of the device on the site's open day. */
export function readingsOf(device: Device, site: Site): DayReading[] {
  const read = (stream: CountStream, name: string, unit: string): DayReading => {
    const expected = dayMean(stream, site.day, site.pace(device))
    return {
      stream: name, unit, observed: stream.day === site.day ? stream.inDay : 0, expected, size: daySize(stream),
      high: negativeBinomialCritical(LOOK, Math.max(expected, LEAST_MEAN.day), daySize(stream)), days: stream.days,
    }
  }
  return [
    ...[...device.streams].map(([name, stream]) => read(stream, name, name in STREAMS ? STREAMS[name as keyof typeof STREAMS].unit : name)),
    ...[...device.triggers].map(([name, stream]) => read(stream, `hl7/${clean(name)}`, `${clean(name)} messages sent`)),
  ]
}
