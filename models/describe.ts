/** What is known of a device, as plain data for people and programs. */
import { newsChance, type MemoryName } from './baseline/novelty.ts'
import { daySize, rate } from './baseline/counts.ts'
import { addressOf, clean, mature, nameOf, type Device } from './device.ts'
import type { Engine } from './engine.ts'
import { STREAMS } from './streams.ts'

export interface DeviceBaseline {
  id: string
  name: string
  role: string
  ip: string
  ae_titles: string[]
  applications: string[]
  /** Days since it was first seen, as far as the sensor watched; capture times in microseconds. */
  days: number
  first: number
  last: number
  events: number
  state: 'learned' | 'learning'
  /** Bytes of its saved state. */
  bytes: number
  counts: { stream: string; unit: string; per_day: number; size: number; days: number; busiest_hour: number | null }[]
  habits: { kind: string; values: string[]; on_probation: string[]; news_chance: number }[]
}

/** What each memory is of, in words. */
const KINDS: Record<MemoryName, string> = {
  peer: 'peers', sender: 'HL7 senders', caller: 'callers', contact: 'hosts and ports contacted', port: 'ports served', service: 'services and object classes',
  destination: 'C-MOVE destinations', trigger: 'HL7 message types', taken: 'HL7 message types received', called: 'AE titles that were refused',
}

export function describeDevice(device: Device, engine: Engine, bytes: number): DeviceBaseline {
  const counts = [...device.streams].map(([stream, s]) => ({ stream, unit: STREAMS[stream as keyof typeof STREAMS]?.unit ?? stream, s }))
  for (const [kind, s] of device.triggers) counts.push({ stream: `trigger/${clean(kind)}`, unit: `${clean(kind)} messages sent`, s })
  return {
    id: device.id, name: nameOf(device), role: device.role, ip: addressOf(device),
    ae_titles: [...device.aes.keys()].map(clean), applications: [...device.apps.keys()].map(clean),
    days: Math.round(device.lived * 10) / 10, first: device.first, last: device.last, events: device.events, state: mature(device) ? 'learned' : 'learning', bytes,
    counts: counts.map(({ stream, unit, s }) => ({
      stream, unit, per_day: round(rate(s)), size: round(daySize(s)), days: Math.round(s.days * 10) / 10, busiest_hour: busiest(s.hours),
    })),
    habits: (Object.keys(KINDS) as MemoryName[]).flatMap((name) => {
      const memory = device.memories[name]
      if (memory.known.size === 0) return []
      const named = (value: string): string => {
        const other = engine.devices.get(value)
        return other === undefined ? clean(value) : nameOf(other)
      }
      const of = (settled: boolean): string[] => [...memory.known].filter(([, habit]) => habit.settled === settled).map(([value]) => named(value)).sort()
      // A prior of one in twenty days stands for the priors of the detectors, which differ by role.
      return [{ kind: KINDS[name], values: of(true), on_probation: of(false), news_chance: round(newsChance(memory.news, { a: 1, b: 20 }, device.lived)) }]
    }),
  }
}

const round = (x: number): number => Number(x.toPrecision(4))

function busiest(hours: readonly number[]): number | null {
  const most = Math.max(...hours)
  return most > 0 ? hours.indexOf(most) : null
}
