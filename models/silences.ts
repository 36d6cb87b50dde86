/**
 * Who has fallen silent. Silence brings no event, so it is looked at when an hour is over: what would have come since a device was last heard, by its own hours and
 * weekdays. A single scanner or reader may be switched off; a feed of messages that falls silent by itself is told, and many machines that fall silent
 * together in the middle of their work. In minutes in which the sensor hears nobody, nobody is silent.
 */
import type { Micros } from '../protocols/events.ts'
import { leastMean, sizeOfHours, type Pace } from './baseline/counts.ts'
import { binomialUpperTail, silenceTail } from './baseline/distributions.ts'
import { countHour, expectedBetween, newWeekHours, type WeekHours } from './baseline/weekhours.ts'
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
/** Rarer than this is told of a feed (about a low alert by itself); less likely than that is a machine silent, of many. */
const RARE = 5e-5
const ODD = 0.05
/** Machines that fell silent within so many hours, at least so many; and no more than this share of those that are usually heard in such an hour, of no fewer than `FEW`. */
const RECENT = 8
const SEVERAL = 4
const LEFT = 1 / 2
const FEW = 6
/** Days of a weekday (faded) from which on its hours are known: two. */
const SEEN = 1.5
/** Or so rarely would chance silence as many of them. */
const BY_CHANCE = 1e-6
/** Others that are heard, so that it is not the sensor. */
const OTHERS = 2

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
  /** Events of their work that would have come, at the least. */
  expected: number
  /** Size of their negative binomial; 0 of several. */
  size: number
  /** How many machines are heard in such an hour (1: that is not known); 0: it is a feed. */
  usual: number
}

export type Found = Omit<Silence, 'devices'> & { devices: readonly [Device, ...Device[]] }

const NONE: Found[] = []

interface SilencesState {
  /** How many machines are heard in each hour of a week: each counts once. */
  heard: WeekHours | null
  last: Micros
  /** The longest pause of everybody in the open hour; what is usual of each hour of the day (0: not known); and the latest hours with one that was too long. */
  pause: Micros
  pauses: Micros[]
  blind: number[]
  /** Silences that were told, by device: when it was last heard before. */
  told: Map<string, Micros>
  /** Whom others joined that fell silent with it. */
  first: string
  pending: Silence[]
}

const newState = (): SilencesState => ({ heard: null, last: -1, pause: 0, pauses: new Array<number>(24).fill(0), blind: [], told: new Map(), first: '', pending: [] })

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
    const blind = this.#wasBlind(hour, before)
    if (blind) for (let h = Math.max(before, hour - LONGEST); h < hour; h++) state.blind.push(h)
    state.blind = state.blind.filter((h) => h >= hour - LONGEST)
    if (!blind && !site.frozen) this.#count(hour - 1, devices)
    for (const [id, since] of state.told) if (devices.get(id)?.heard !== since) state.told.delete(id)
    if (blind) return
    this.#feeds(hour, at, devices, site)
    this.#together(hour, at, devices, site)
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

  #count(hour: number, devices: ReadonlyMap<string, Device>): void {
    for (const device of devices.values()) {
      if (isMachine(device) && hoursSilent(device, this.state.last) === 0) countHour(this.state.heard ??= newWeekHours(hour * HOUR), hour * HOUR)
    }
  }

  #feeds(hour: number, at: Micros, devices: ReadonlyMap<string, Device>, site: Measures): void {
    for (const device of devices.values()) {
      if (device.heard === undefined || !FEEDS.has(family(device.role)) || this.state.told.has(device.id)) continue
      const missed = this.#missed(device, hour, at, site.pace(device))
      if (missed !== undefined && silenceTail(missed.expected, missed.size) < RARE) this.#tell([device], { ...missed, usual: 0 })
    }
  }

  #together(hour: number, at: Micros, devices: ReadonlyMap<string, Device>, site: Measures): void {
    const machines = [...devices.values()].filter((device) => isMachine(device) && hoursSilent(device, at) <= RECENT)
    let others = 0
    for (const device of devices.values()) if (device.heard !== undefined && !isMachine(device) && hoursSilent(device, at) === 0) others++
    if (machines.length < FEW || others < OTHERS) return
    const usual = this.#usual(hour - 1)
    const silent = this.#most(machines, usual, hour, at, site) ?? this.#some(machines, hour, at, site)
    if (silent === undefined) return
    const fresh = [...silent.keys()].filter(({ id }) => !this.state.told.has(id))
    if (fresh.length > 0) this.#tell(this.#joined(fresh, devices), { expected: sum(silent), size: 0, usual: Math.max(1, Math.round(usual)) })
  }

  /** How many machines are heard in such an hour of the week; 0: nobody knows. */
  #usual(hour: number): number {
    const { heard } = this.state
    return heard === null || heard.days[weekdayOf(dayOf(hour))]! < SEEN ? 0 : expectedBetween(heard, hour * HOUR, (hour + 1) * HOUR)
  }

  /** Are most of those missing that are heard in such an hour? Judged as if today were a day like others: that all of them do less is what this asks about. */
  #most(machines: readonly Device[], usual: number, hour: number, at: Micros, site: Measures): Map<Device, Missed> | undefined {
    const left = machines.filter((device) => hoursSilent(device, at) === 0).length
    if (usual < FEW || left > LEFT * usual) return undefined
    const silent = this.#silent(machines, hour, at, (device) => ({ ...site.pace(device), factor: () => 1 }))
    return oddOf(silent) >= SEVERAL ? silent : undefined
  }

  /** Or more than chance would have, by how busy everybody is today, though others of them go on? */
  #some(machines: readonly Device[], hour: number, at: Micros, site: Measures): Map<Device, Missed> | undefined {
    const silent = this.#silent(machines, hour, at, (device) => site.pace(device))
    const odd = oddOf(silent)
    return odd >= SEVERAL && binomialUpperTail(odd, machines.length, ODD) < BY_CHANCE ? silent : undefined
  }

  #silent(machines: readonly Device[], hour: number, at: Micros, paceOf: (device: Device) => Pace): Map<Device, Missed> {
    const silent = new Map<Device, Missed>()
    for (const device of machines) {
      const missed = hoursSilent(device, at) === 0 ? undefined : this.#missed(device, hour, at, paceOf(device))
      if (missed !== undefined && missed.expected >= 1) silent.set(device, missed)
    }
    return silent
  }

  /** With the one that they join, where one was told that is still silent. */
  #joined(fresh: readonly Device[], devices: ReadonlyMap<string, Device>): Device[] {
    const first = this.state.told.has(this.state.first) ? devices.get(this.state.first) : undefined
    this.state.first = first?.id ?? fresh[0]!.id
    return first === undefined ? [...fresh] : [first, ...fresh]
  }

  #tell(devices: readonly Device[], of: Pick<Silence, 'expected' | 'size' | 'usual'>): void {
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

const oddOf = (silent: ReadonlyMap<Device, Missed>): number => [...silent.values()].filter(({ expected, size }) => silenceTail(expected, size) < ODD).length

const sum = (missed: ReadonlyMap<Device, Missed>): number => [...missed.values()].reduce((all, { expected }) => all + expected, 0)

const isMachine = ({ role, heard }: Device): boolean => heard !== undefined && MACHINES.has(family(role))

/** Whole hours since it was last heard. */
const hoursSilent = ({ heard = 0 }: Device, at: Micros): number => Math.floor((at - heard) / HOUR)
