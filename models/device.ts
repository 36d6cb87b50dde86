/** One logical device: what it is called, what it was seen doing, and what is normal for it. Plain data. */
import type { Answers } from './answers.ts'
import type { Micros } from '../protocols/events.ts'
import { withoutInvisible } from '../protocols/invisible.ts'
import type { CountStream } from './baseline/counts.ts'
import { newOpenBytes, type OpenBytes, type StudySizes } from './baseline/bytes.ts'
import type { Drip } from './baseline/cusum.ts'
import { MEMORIES, loadMemory, newMemory, saveMemory, type Memory, type MemoryName, type SavedMemory } from './baseline/novelty.ts'
import type { DaysSeen } from './baseline/seen.ts'
import { pack, unpack } from './pack.ts'
import { newStanding, type Standing } from './standing.ts'

/** Caps per device. Beyond them the oldest is forgotten (names, addresses) or no more are added (streams). */
export const DEVICE_LIMITS = {
  /** Addresses, AE titles and HL7 applications remembered of one device. */
  names: 32,
  /** HL7 message kinds with a count of their own; later kinds share one. */
  triggers: 64,
  /** Studies remembered within a day to count each once; beyond it the day's memory starts again (some are counted twice). */
  studies: 4096,
  /** Peers that a device does not know yet, of which it is counted what it gave to them. */
  strangers: 64,
} as const

/** HL7 messages are counted by size, in powers of two of bytes: the last class is 8 MB and more. */
export const MESSAGE_CLASSES = 24
/** Studies likewise, by what their largest object holds in private elements. */
export const PRIVATE_CLASSES = 24

export interface Address {
  mac: string | null
  first: Micros
  last: Micros
  /** On the Internet. */
  public: boolean
}

/** What was told of a count of the open day (told.ts). */
export interface Told {
  at: Micros
  /** Local hour. */
  hour: number
  /** Counted by then: events, or bytes and the studies that they were of. */
  n: number
  studies?: number
}

export interface Today {
  day: number
  /** Studies sent and received, with their bytes. */
  bytes: Record<'out' | 'in', OpenBytes>
  /** The most that an object of a study that it sent holds in private elements, by study; absent: none holds any. */
  privates?: Map<number, number>
  /** Queries by breadth (site.ts). */
  breadth: number[]
  /** Worklists that it was shown, by breadth (site.ts); absent: none were. */
  worklists?: number[]
  /** HL7 messages sent, by size; absent: none were. */
  messages?: number[]
  /** Studies received, in their order (rows.ts); absent: none were while orders were visible. */
  row?: Row
  /** Merges by the patient that survives them. */
  merges: Map<string, number>
  /** Studies received from devices that never sent to it before, by sender; absent: none were. */
  newcomers?: Map<string, number>
  /** Associations with more presentation contexts than anybody proposes. */
  floods: number
  /** PDUs over the limit that the other side set. */
  oversize?: number
  /** Whom it called by titles that were new to it (a few of them, `observe.ts`); absent: nobody. */
  tried?: Set<string>
  /** HL7 control ids that it used again, by connection (reused.ts); absent: none. */
  reused?: Map<string, Reused>
  /** What was told of its counts, by count; absent: nothing was. */
  told?: Map<string, Told>
  /** Highest score of what was undeclared and no rule. */
  score: number
}

/** Studies by the private data of their largest object: those of the last days, and those before, forgotten slowly. */
export interface Privates {
  known: number[]
  late: { day: number; sizes: number[] }[]
}

/** Merges that left one patient, while they go on: how many, and the local day of the last. */
export interface Survivor {
  n: number
  day: number
}

/** Messages of a day on one connection that had the control id of another one, and the ids that were new since the first of them. */
export interface Reused {
  n: number
  fresh: number
}

const newToday = (day: number): Today => ({ day, bytes: { out: newOpenBytes(), in: newOpenBytes() }, breadth: new Array<number>(16).fill(0), merges: new Map(), floods: 0, score: 0 })

/** The open day's notes; yesterday's are dropped. */
export function todayOf(device: Device, day: number): Today {
  if (device.today.day !== day) device.today = newToday(day)
  return device.today
}

/** A device beside its peers: studies without a reason, and what its peers would have had of them. */
export interface Apart {
  observed: number
  expected: number
  /** Size of the negative binomial of what peers have. */
  size: number
  /** It waits to be looked at with the device's next operation. */
  open: boolean
  /** It was told; once is enough. */
  told: boolean
}

/** A scanner that starts to use a host that has just begun to offer what it is used for (`starters.ts`). */
export interface Starter {
  name: string
  /** The local day that is counted. */
  day: number
  /** Studies given, or worklists asked for. */
  n: number
  /** Of studies, what it had given to somebody else already. */
  copies: number
  /** That it takes up a new peer on a day, as known before it took up this one. */
  chance: number
}

/** Studies received on earlier days while orders were visible: all, those without an order, and of these those that came right after another; forgotten slowly. */
export interface Rows {
  all: number
  bare: number
  again: number
  /** The latest days, if they were odd and taught nothing. */
  odd: number
}

/** Those of the open day; and the row that is open: studies since those without an order are more than half of them. */
export interface Row {
  all: number
  bare: number
  again: number
  /** The last one had none. */
  last: boolean
  level: number
  hits: number
  tries: number
  odd: boolean
}

/** What a device gave to a peer that it does not know yet: studies since a local day, and those of them without an order. */
export interface Given {
  since: number
  studies: number
  unordered: number
}

/** Usual callers that were turned away, and since when each; and whether that was told. */
export interface Outage {
  callers: Map<string, Micros>
  told: boolean
}

export interface Device {
  id: string
  /** The how-manieth it was. */
  serial: number
  first: Micros
  last: Micros
  /** When it last did or answered something, and sent a message or tried to; absent: it never did. */
  heard?: Micros
  spoke?: Micros
  /** Current and earlier addresses by IP. */
  ips: Map<string, Address>
  /** AE titles it called itself, HL7 applications (MSH-3) it sent as: when last. */
  aes: Map<string, Micros>
  apps: Map<string, Micros>
  /** Implementation class UID and version name, as last seen of it. */
  implementation: string | null
  version: string | null
  host: string | null
  /** End of life of its operating system (YYYY-MM-DD), where it showed one that has one. */
  eol?: string | null
  role: string
  /** One of its addresses is now heard from another hardware address: whose, in words (null: nobody's so far), since when, and what of patients came that way. */
  detour?: { ip: string; mac: string; through: string | null; since?: Micros; passed: number }
  /** Where its usual senders turned to with what is for it, and when: who takes over gets that, too. Absent: they never did. */
  delivered?: Map<string, Micros>
  /** What it gave to peers that it does not know yet, by peer; absent: nothing. */
  strangers?: Map<string, Given>
  /** What the role is judged by: uses of each service, by direction (`C-STORE>`: asked for it, `C-STORE<`: gave it). */
  deeds: Map<string, number>
  /** Images it sent of its own, by modality. */
  modalities: Map<string, number>
  events: number
  /** Local days it was active on (and, for one that came before the site was known, counted from there). */
  day: number
  /** Days since it was first seen, as far as the sensor watched. */
  lived: number
  streams: Map<string, CountStream>
  triggers: Map<string, CountStream>
  /** Bytes per study, by direction (store.out, store.in). */
  sizes: Map<string, StudySizes>
  /** Worklists that it was shown on earlier days, by breadth, forgotten slowly; absent: none were. */
  worklists?: number[]
  /** HL7 messages that it sent on earlier days, by size, forgotten slowly; absent: none were. */
  messageSizes?: number[]
  /** What studies that it sent on earlier days hold in private elements (privates.ts); absent: none were counted. */
  privates?: Privates
  /** Studies received on earlier days, in their order (rows.ts); absent: none were while orders were visible. */
  rows?: Rows
  memories: Record<MemoryName, Memory>
  /** It does not answer: usual callers got no connection. */
  outage: Outage | null
  /** It takes connections and rejects every association; absent: it does not. */
  rejecting?: Outage | undefined
  /** Lasting rises of streams, by name. */
  drips: Map<string, Drip>
  /** Beside its peers over weeks, by stream; absent: not compared yet. */
  apart?: Map<string, Apart>
  /** Of one that came to a known site: studies without an order that it sent on its first days, as many as its streams still remember; absent: none. */
  tests?: number
  /** Scanners that give it studies, while it receives its first (starters.ts); absent: none do. */
  givers?: Map<string, Starter>
  /** It was asked whether it only takes studies (new-receiver); absent: not yet. */
  taker?: boolean
  /** Scanners that ask it for worklists, while it gives its first; absent: none do. */
  askers?: Map<string, Starter>
  /** Days on which it proposed far more presentation contexts than anybody; absent: none. */
  floodDays?: DaysSeen
  /** Days on which it sent PDUs that were longer than the other side takes; absent: none. */
  oversizeDays?: DaysSeen
  /** Patients that survived merges of late, by patient; absent: none did. */
  survivors?: Map<string, Survivor>
  /** Days on which it used control ids of accepted HL7 messages for others; absent: none. */
  reusedDays?: DaysSeen
  /** How receivers answer its HL7 messages (answers.ts), by receiver; absent: it sent none. */
  answers?: Map<string, Answers>
  /** The open day. */
  today: Today
  /** Its last act was a query that no retrieval has followed yet. */
  openQuery: boolean
  /** How unusual it has been of late. */
  standing: Standing
}

export function newDevice(id: string, serial: number, at: Micros, day: number): Device {
  return {
    id, serial, first: at, last: at, ips: new Map(), aes: new Map(), apps: new Map(), implementation: null, version: null, host: null,
    role: 'unknown', deeds: new Map(), modalities: new Map(), events: 0, day, lived: 0,
    streams: new Map(), triggers: new Map(), sizes: new Map(), drips: new Map(),
    memories: {
      peer: newMemory(), sender: newMemory(), caller: newMemory(), contact: newMemory(), port: newMemory(), service: newMemory(),
      destination: newMemory(), trigger: newMemory(), taken: newMemory(), called: newMemory(),
    },
    outage: null, today: newToday(day), openQuery: false, standing: newStanding(),
  }
}

/** JSON-able. */
export function saveDevice(device: Device): unknown {
  const { memories, ...rest } = device
  return { ...pack(rest) as object, memories: eachMemory((name) => saveMemory(memories[name])) }
}

export function loadDevice(saved: unknown): Device {
  // Older states lack the memories that came later.
  const { memories, ...rest } = saved as { memories: Partial<Record<MemoryName, SavedMemory>> }
  const device = Object.assign(newDevice('', 0, 0, 0), unpack(rest) as Omit<Device, 'memories'>, { memories: eachMemory((name) => loadMemory(memories[name] ?? { news: 0, known: [] })) })
  for (const counts of [device.streams, device.drips] as Map<string, unknown>[]) rename(counts, 'reject', 'guess')
  withDay(device, 'floodDays', device.today.floods > 0)
  withDay(device, 'oversizeDays', (device.today.oversize ?? 0) > 0)
  return device
}

/** What had another name when it was saved. */
function rename(counts: Map<string, unknown>, from: string, to: string): void {
  const saved = counts.get(from)
  if (saved === undefined) return
  counts.delete(from)
  counts.set(to, saved)
}

/** Saved before it was noted which day was the last, they were numbers. @param open the open day is among them */
function withDay(device: Device, of: 'floodDays' | 'oversizeDays', open: boolean): void {
  const saved = device[of] as DaysSeen | number | undefined
  if (typeof saved === 'number') device[of] = { days: saved, day: open ? device.today.day : -1 }
}

const eachMemory = <T>(each: (name: MemoryName) => T): Record<MemoryName, T> =>
  Object.fromEntries(MEMORIES.map((name) => [name, each(name)])) as Record<MemoryName, T>

/** The name an analyst would know it by. */
export function nameOf(device: Device): string {
  return latest(device.aes) ?? latest(device.apps) ?? device.host ?? addressOf(device)
}

export const addressOf = (device: Device): string => {
  let best = ''
  let when = -1
  for (const [ip, address] of device.ips) {
    if (address.last > when) {
      when = address.last
      best = ip
    }
  }
  return best
}

/** The most recently used; AE titles that a device used once by mistake do not name it for long. */
function latest(names: Map<string, Micros>): string | undefined {
  let best: string | undefined
  let when = -1
  for (const [name, last] of names) {
    if (last > when) {
      when = last
      best = name
    }
  }
  return best === undefined ? undefined : clean(best)
}

/** Text from the wire for people: bounded, and nothing but what is seen. */
export function clean(text: string): string {
  const safe = withoutInvisible(text)
  return safe.length > 64 ? `${safe.slice(0, 63)}…` : safe
}

/** Adds or refreshes a name within its cap. */
export function remember(names: Map<string, Micros>, name: string, at: Micros): void {
  if (!names.has(name) && names.size >= DEVICE_LIMITS.names) names.delete(names.keys().next().value!)
  names.set(name, at)
}

/** Was it ever more than verified? Whoever is only asked whether it is there has not lived yet: scanners are switched on weeks before they work. */
export const lives = ({ deeds }: Device): boolean => deeds.size > (deeds.has('C-ECHO<') ? 1 : 0)

/** Has this device been watched long enough that something new says something? */
export const mature = (device: Device): boolean => device.lived >= 3

export const imaging = (device: Device): boolean => device.role.startsWith('modality')
