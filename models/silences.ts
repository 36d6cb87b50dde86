/**
 * Who has fallen silent. Silence brings no event, so it is looked at when an hour is over: what would have come since a device was last heard, by its own hours and
 * weekdays. A single scanner or reader may be switched off; a feed of messages that falls silent by itself is told, and many machines that fall silent
 * together in the middle of their work. In hours in which the sensor heard nobody for long, nobody is silent.
 */
import type { Micros } from '../protocols/events.ts'
import { leastMean, sizeOfHours, type Pace } from './baseline/counts.ts'
import { binomialUpperTail, silenceTail } from './baseline/distributions.ts'
import { DAY, HOUR, MINUTE, dayOf, hourOfDay, weekdayOf } from './clock.ts'
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
  kind: 'feed' | 'machines'
  /** Who; of several the first is the one that the others join. */
  devices: string[]
  /** When it was looked; when it, or the first and the last of them, were heard last. */
  at: Micros
  since: Micros
  until: Micros
  /** Messages of the feed that would have come, at the least, and the size of their negative binomial; or machines that usually fall silent at such an hour, of so many. */
  expected: number
  size: number
  /** Machines that fell silent at once. */
  silent: number
}

export type Found = Omit<Silence, 'devices'> & { devices: readonly [Device, ...Device[]] }

const NONE: Found[] = []

interface SilencesState {
  /** Since when it is looked. */
  first: number
  /** By hour of the week: machines that fell silent, and those that might have. */
  fell: number[]
  were: number[]
  /** When anybody was heard last; and the longest pause of everybody that ended in the open hour. */
  last: Micros
  pause: { from: Micros; to: Micros }
  /** How long a pause is usual of each hour of the day (0: not known); and the latest hours with one that was too long. */
  pauses: Micros[]
  blind: number[]
  /** Silences that were told, by device: when it was last heard before. */
  told: Map<string, Micros>
  /** Whom others joined that fell silent with it. */
  anchor: string
  pending: Silence[]
}

const NO_PAUSE = { from: 0, to: 0 }
const newState = (): SilencesState => ({
  first: -1, fell: new Array<number>(168).fill(0), were: new Array<number>(168).fill(0), last: -1, pause: NO_PAUSE, pauses: new Array<number>(24).fill(0), blind: [],
  told: new Map(), anchor: '', pending: [],
})

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
    if (state.last >= 0) this.#pause(at)
    if (at > state.last) state.last = at
  }

  /** Nobody was heard until now. */
  #pause(until: Micros): void {
    const { state } = this
    if (until - state.last > state.pause.to - state.pause.from) state.pause = { from: state.last, to: until }
  }

  /** The hours before this one are over. @param at of the event that began it, or the time of a clock */
  look(hour: number, at: Micros, before: number, site: Measures): void {
    const { state } = this
    const devices = this.#devices()
    if (state.first < 0) state.first = hour
    const blind = this.#wasBlind(hour, at, before, site.frozen)
    for (const [id, since] of state.told) {
      const device = devices.get(id)
      if (device === undefined || lastHeard(device) !== since || at - since > LONGEST * HOUR) state.told.delete(id)
    }
    if (blind) return
    this.#feeds(hour, at, devices, site)
    this.#together(hour, at, devices, site.frozen)
  }

  /** Did the sensor miss some of the hour that is over? All hours that its pause touches are missed. */
  #wasBlind(hour: number, at: Micros, before: number, frozen: boolean): boolean {
    const { state } = this
    this.#pause(at)
    const { from, to } = state.pause
    state.pause = NO_PAUSE
    if (before < 0) return true
    const h = hourOfDay(before)
    const usual = state.pauses[h]!
    if (!frozen) state.pauses[h] = usual === 0 ? to - from : usual + MOVES * (Math.min(to - from, TIMES * usual) - usual)
    const blind = hour - before > 1 || (to - from >= BLIND && to - from >= TIMES * usual)
    if (blind) this.#miss(hour - Math.min(LONGEST, hoursBack(from, at)), hour - hoursBack(to, at))
    state.blind = state.blind.filter((missed) => missed >= hour - LONGEST)
    return blind
  }

  #miss(from: number, to: number): void {
    const { blind } = this.state
    for (let hour = from; hour <= to; hour++) if (!blind.includes(hour)) blind.push(hour)
  }

  /** What was found, once; whoever was heard since is left out. */
  take(): Found[] {
    const { pending, told } = this.state
    if (pending.length === 0) return NONE
    this.state.pending = []
    const devices = this.#devices()
    return pending.flatMap(({ devices: ids, ...silence }) => {
      const [first, ...others] = ids.flatMap((id) => devices.get(id) ?? []).filter((device) => told.get(device.id) === lastHeard(device))
      return first === undefined ? [] : [{ ...silence, devices: [first, ...others] as const }]
    })
  }

  #feeds(hour: number, at: Micros, devices: ReadonlyMap<string, Device>, site: Measures): void {
    for (const device of devices.values()) {
      if (!isFeed(device) || lastHeard(device) === undefined || hoursSilent(device, at) > LONGEST || this.state.told.has(device.id)) continue
      const missed = this.#missed(device, hour, at, site.pace(device))
      if (missed !== undefined && silenceTail(missed.expected, missed.size) < RARE) this.#tell('feed', [device], at, [device], missed)
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
    const odd = binomialUpperTail(fell.length, were.length, share) <= BY_CHANCE
    if (!odd && !frozen) this.#learn(hour, fell.length, were.length)
    if (!odd || hour - state.first < KNOWN_DAYS * 24) return
    const others = all.filter((device) => !isMachine(device) && hoursSilent(device, at) === 0).length
    const fresh = fell.filter(({ id }) => !state.told.has(id))
    if (others >= OTHERS && fresh.length > 0) this.#tell('machines', this.#joined(fresh, at, devices), at, fell, { expected: share * were.length, size: were.length })
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

  /** With the one that they join, where one was told shortly before that is still silent. */
  #joined(fresh: readonly Device[], at: Micros, devices: ReadonlyMap<string, Device>): Device[] {
    const { state } = this
    const since = state.told.get(state.anchor)
    const anchor = since !== undefined && at - since < DAY ? devices.get(state.anchor) : undefined
    state.anchor = anchor?.id ?? fresh[0]!.id
    return anchor === undefined ? [...fresh] : [anchor, ...fresh]
  }

  #tell(kind: Silence['kind'], devices: readonly Device[], at: Micros, silent: readonly Device[], of: Missed): void {
    for (const device of devices) this.state.told.set(device.id, lastHeard(device)!)
    const heard = silent.map((device) => lastHeard(device)!)
    this.state.pending.push({ kind, devices: devices.map(({ id }) => id), at, since: Math.min(...heard), until: Math.max(...heard), silent: silent.length, ...of })
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

const isMachine = ({ role }: Device): boolean => MACHINES.has(family(role))
const isFeed = ({ role }: Device): boolean => FEEDS.has(family(role))

/** A feed is heard when it sends a message, or tries to reach somebody in vain; what else its host does says nothing of it. */
const lastHeard = (device: Device): Micros | undefined => (isFeed(device) ? device.spoke : device.heard)

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

/** How many hours before the one that has just begun a time lies. */
const hoursBack = (time: Micros, at: Micros): number => Math.ceil((at - time) / HOUR)

/** Whole hours since it was last heard. */
const hoursSilent = (device: Device, at: Micros): number => Math.floor((at - (lastHeard(device) ?? 0)) / HOUR)
