/**
 * Who has fallen silent. Silence brings no event, so it is looked at when an hour is over: what would have come since a device was last heard, by its own hours and
 * weekdays. A single scanner or reader may be switched off; a feed of messages that falls silent by itself is told, and many machines that fall silent
 * together in the middle of their work. In minutes in which the sensor hears nobody, nobody is silent.
 */
import type { Micros } from '../protocols/events.ts'
import { leastMean, sizeOfHours, type Pace } from './baseline/counts.ts'
import { binomialUpperTail, silenceTail } from './baseline/distributions.ts'
import { HOUR, MINUTE, dayOf, hourOfDay, weekdayOf } from './clock.ts'
import type { Device } from './device.ts'
import { pack, unpack } from './pack.ts'
import { family } from './role.ts'
import { workStream } from './work.ts'

/** Days a device has to be known, and how long a silence is looked at. */
const KNOWN_DAYS = 14
const LONGEST = 48
/** An hour with a pause of everybody this long, and so many times what is usual of such an hour of the day, is the sensor's. What is usual moves by a fifth a day. */
const BLIND = 5 * MINUTE
const TIMES = 3
const MOVES = 0.2
/** Rarer than this is told of a feed: about a low alert by itself. */
const RARE = 5e-5
/** Machines are looked at that were heard before this time, in hours that were watched, and not since this one; and those that were heard since, as the measure. */
const FELL = 2
const WERE = 4
/** So rarely would so many of them have fallen silent by chance; their share is what is usual of such an hour of the day, or of the week, but no less than this. */
const BY_CHANCE = 1e-5
const LEAST_SHARE = 0.03
/** Others that are heard, so that it is not the sensor. */
const OTHERS = 2
/** What is usual of an hour of the week fades so much a week. */
const KEEP = 0.9

const MACHINES: ReadonlySet<string> = new Set(['modality', 'workstation'])
const FEEDS: ReadonlySet<string> = new Set(['hl7-source', 'engine', 'ris'])

/** What a site knows of each device (site.ts). */
interface Measures {
  pace(device: Device): Pace
  frozen: boolean
}

/** What is to be told with the next event. */
interface Silence {
  /** Who; of several the first is the one that the others join. */
  devices: string[]
  /** When it, or the first and the last of them, were heard last. */
  since: Micros
  until: Micros
  /** Of a feed: messages that would have come, at the least, and the size of their negative binomial. Of machines: how many usually fall silent at such an hour; 0. */
  expected: number
  size: number
  /** Machines that were heard before; 0: it is a feed. */
  were: number
}

export type Found = Omit<Silence, 'devices'> & { devices: readonly [Device, ...Device[]] }

const NONE: Found[] = []

interface SilencesState {
  /** Since when it is looked. */
  first: number
  /** By hour of the week: machines that fell silent, and those that might have. */
  fell: number[]
  were: number[]
  last: Micros
  /** The longest pause of everybody in the open hour; what is usual of each hour of the day (0: not known); and the latest hours with one that was too long. */
  pause: Micros
  pauses: Micros[]
  blind: number[]
  /** Silences that were told, by device: when it was last heard before. */
  told: Map<string, Micros>
  /** Whom others joined that fell silent with it. */
  anchor: string
  pending: Silence[]
}

const newState = (): SilencesState => ({ first: -1, fell: new Array<number>(168).fill(0), were: new Array<number>(168).fill(0), last: -1, pause: 0, pauses: new Array<number>(24).fill(0), blind: [], told: new Map(), anchor: '', pending: [] })

export class Silences {
  state = newState()
  readonly #devices: () => ReadonlyMap<string, Device>

  /** @param devices all of the site, by id */
  constructor(devices: () => ReadonlyMap<string, Device>) {
    this.#devices = devices
  }

  /** An event came. */
  hear(at: Micros): void {
    const { state } = this
    if (state.last >= 0 && at - state.last > state.pause) state.pause = at - state.last
    if (at > state.last) state.last = at
  }

  /** The hours before this one are over; it began with this event. */
  look(hour: number, at: Micros, before: number, site: Measures): void {
    const { state } = this
    const devices = this.#devices()
    if (state.first < 0) state.first = hour
    const blind = this.#wasBlind(hour, before)
    if (blind) for (let h = Math.max(before, hour - LONGEST); h < hour; h++) state.blind.push(h)
    state.blind = state.blind.filter((h) => h >= hour - LONGEST)
    for (const [id, since] of state.told) if (devices.get(id)?.heard !== since) state.told.delete(id)
    if (blind) return
    this.#feeds(hour, at, devices, site)
    this.#together(hour, at, devices, site.frozen)
  }

  /** Did the sensor miss some of the hour that is over, or whole hours? */
  #wasBlind(hour: number, before: number): boolean {
    const { pause, pauses } = this.state
    this.state.pause = 0
    if (before < 0 || hour - before > 1) return true
    const h = hourOfDay(before)
    const usual = pauses[h]!
    pauses[h] = usual === 0 ? pause : usual + MOVES * (Math.min(pause, TIMES * usual) - usual)
    return pause >= BLIND && pause >= TIMES * usual
  }

  /** What was found, once. */
  take(): Found[] {
    const { pending } = this.state
    if (pending.length === 0) return NONE
    this.state.pending = []
    const devices = this.#devices()
    return pending.flatMap(({ devices: ids, ...silence }) => {
      const [first, ...others] = ids.flatMap((id) => devices.get(id) ?? [])
      return first === undefined ? [] : [{ ...silence, devices: [first, ...others] as const }]
    })
  }

  #feeds(hour: number, at: Micros, devices: ReadonlyMap<string, Device>, site: Measures): void {
    for (const device of devices.values()) {
      if (device.heard === undefined || !FEEDS.has(family(device.role)) || this.state.told.has(device.id)) continue
      const missed = this.#missed(device, hour, at, site.pace(device))
      if (missed !== undefined && silenceTail(missed.expected, missed.size) < RARE) this.#tell([device], { ...missed, were: 0 })
    }
  }

  /** Have far more machines fallen silent at about the same time than usually do at such an hour, though others are heard? */
  #together(hour: number, at: Micros, devices: ReadonlyMap<string, Device>, frozen: boolean): void {
    const { state } = this
    const all = [...devices.values()].filter(({ heard }) => heard !== undefined)
    const hours = new Map(all.filter(isMachine).map((device) => [device, this.#watchedSince(device, hour, at)]))
    const were = [...hours.keys()].filter((device) => hours.get(device)! < WERE)
    const fell = together(were.filter((device) => hours.get(device)! >= FELL))
    const share = this.#usualShare(hour)
    if (!frozen) this.#learn(hour, fell.length, were.length)
    if (hour - state.first < KNOWN_DAYS * 24 || binomialUpperTail(fell.length, were.length, share) > BY_CHANCE) return
    const others = all.filter((device) => !isMachine(device) && hoursSilent(device, at) === 0).length
    const fresh = fell.filter(({ id }) => !state.told.has(id))
    if (others >= OTHERS && fresh.length > 0) this.#tell(this.#joined(fresh, devices), { expected: share * were.length, size: 0, were: were.length })
  }

  /** Hours since a device was heard, without those that the sensor missed. */
  #watchedSince(device: Device, hour: number, at: Micros): number {
    const silent = hoursSilent(device, at)
    return silent - this.state.blind.filter((h) => h >= hour - silent).length
  }

  /** What share of the machines falls silent at such an hour: of this weekday, or of all, whichever is more. */
  #usualShare(hour: number): number {
    const { fell, were } = this.state
    const [own, h] = [ofWeek(hour), hourOfDay(hour)]
    let [ofAll, all] = [0, 0]
    for (let i = h; i < fell.length; i += 24) {
      ofAll += fell[i]!
      all += were[i]!
    }
    return Math.max(LEAST_SHARE, fell[own]! / Math.max(1, were[own]!), ofAll / Math.max(1, all))
  }

  #learn(hour: number, fell: number, were: number): void {
    const { state } = this
    const i = ofWeek(hour)
    state.fell[i] = KEEP * state.fell[i]! + fell
    state.were[i] = KEEP * state.were[i]! + were
  }

  /** With the one that they join, where one was told that is still silent. */
  #joined(fresh: readonly Device[], devices: ReadonlyMap<string, Device>): Device[] {
    const first = this.state.told.has(this.state.anchor) ? devices.get(this.state.anchor) : undefined
    this.state.anchor = first?.id ?? fresh[0]!.id
    return first === undefined ? [...fresh] : [first, ...fresh]
  }

  #tell(devices: readonly Device[], of: Pick<Silence, 'expected' | 'size' | 'were'>): void {
    let [since, until] = [Infinity, 0]
    for (const { id, heard = 0 } of devices) {
      this.state.told.set(id, heard)
      since = Math.min(since, heard)
      until = Math.max(until, heard)
    }
    this.state.pending.push({ devices: devices.map(({ id }) => id), since, until, ...of })
  }

  #missed(device: Device, hour: number, at: Micros, pace: Pace): Missed | undefined {
    const stream = workStream(device)
    if (stream === undefined || device.lived < KNOWN_DAYS || stream.days < KNOWN_DAYS) return undefined
    let [expected, squares] = [0, 0]
    for (let h = hour - Math.min(LONGEST, hoursSilent(device, at)); h < hour; h++) {
      if (this.state.blind.includes(h)) continue
      const mean = leastMean(stream, h, pace)
      expected += mean
      squares += mean * mean
    }
    return { expected, size: sizeOfHours(stream, expected, squares) }
  }

  save(): Iterable<[string, unknown]> {
    return [['silences', pack(this.state)]]
  }

  load(entries: ReadonlyMap<string, unknown>): void {
    if (entries.has('silences')) this.state = unpack(entries.get('silences')) as SilencesState
  }
}

/** What would have come of a device by now, as a negative binomial. */
type Missed = Pick<Silence, 'expected' | 'size'>

const isMachine = ({ role, heard }: Device): boolean => heard !== undefined && MACHINES.has(family(role))

/** The most of these that were heard last within the same hour. */
function together(devices: readonly Device[]): Device[] {
  const sorted = [...devices].sort((a, b) => a.heard! - b.heard! || a.serial - b.serial)
  let most: Device[] = []
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to]!.heard! - sorted[from]!.heard! > HOUR) from++
    if (to + 1 - from > most.length) most = sorted.slice(from, to + 1)
  }
  return most
}

const ofWeek = (hour: number): number => 24 * weekdayOf(dayOf(hour)) + hourOfDay(hour)

/** Whole hours since it was last heard. */
const hoursSilent = ({ heard = 0 }: Device, at: Micros): number => Math.floor((at - heard) / HOUR)
