/**
 * What devices of a role share: priors, popularity, the common-mode factor. A snapshot, refreshed on a tick of capture time and read
 * only between ticks, so that many engines could share one.
 */
import type { FlowEnd } from '../protocols/events.ts'
import type { Calendar } from './calendar.ts'
import { classOf, shareFrom } from './baseline/classes.ts'
import { KEEP, dailyOf, dayBefore, rate, type CountStream, type Pace } from './baseline/counts.ts'
import { dayOf, hourOfDay, weekdayOf } from './clock.ts'
import type { OrderContext } from './context.ts'
import type { MemoryName } from './baseline/novelty.ts'
import { median } from './baseline/robust.ts'
import { MESSAGE_CLASSES, mature, type Device } from './device.ts'
import { chunks, pack, unchunk, unpack } from './pack.ts'
import { family, isOutlet } from './role.ts'
import { Silences } from './silences.ts'
import { workStream } from './work.ts'

/** Common mode: pseudo-events under each ratio (a device's day weighs some 15, see `#addWork`), and how far it may go. */
const PSEUDO = 30
const LEAST = 0.2
const MOST = 3
/** Days of which the final factor is kept. */
const KEPT_DAYS = 10
/** What popularity is asked about. */
const COMPARED = ['peer', 'service', 'destination', 'trigger', 'taken'] as const satisfies MemoryName[]
/** A role needs so many devices before it is a prior. */
const ENOUGH_DEVICES = 3
/** And a site so many, before "nobody here" says something. */
const ENOUGH_SITE = 10

/** Whose work is images, and whose is messages: a clinic that takes no images on Saturdays may have a laboratory that does not rest. Of all others nobody knows. */
const TRADES: Record<string, Trade> = {
  modality: 'images', workstation: 'images', archive: 'images', gateway: 'images', sink: 'images',
  'hl7-source': 'messages', engine: 'messages', ris: 'messages', 'hl7-receiver': 'messages',
}

interface Work {
  observed: number
  expected: number
}

const NOTHING: Work = { observed: 0, expected: 0 }

/** What kind of work a device does; 'any' is that of all devices together. */
type Trade = 'any' | 'images' | 'messages'
const TRADE_NAMES: readonly Trade[] = ['any', 'images', 'messages']
const tradeOf = (device: Device): Trade => TRADES[family(device.role)] ?? 'any'
/** How a weekday of seven compares with the others. */
type Weekdays = Work[]
const newWeek = (): Weekdays => Array.from({ length: 7 }, () => ({ observed: 0, expected: 0 }))

export interface SiteState {
  /** Local hours with traffic, by day: how much of a day the sensor watched. */
  watched: Map<number, number[]>
  /** Final observed and expected work of recent days, by role and by trade. */
  work: Map<number, Map<string, Work>>
  weekdays: Record<Trade, Weekdays>
  /** Queries by how many records they were shown (classes of powers of two), up to yesterday, forgotten slowly. */
  breadth: number[]
  /** Worklists, likewise. */
  worklists: number[]
  /** HL7 messages by size (classes of powers of two), likewise. */
  messageSizes: number[]
  /** Patients that survived merges of late, and who sent the last: who sends the same soon after passes it on. */
  merged: Map<string, { by: string; at: number }>
  /** The most presentation contexts that an association proposed, up to yesterday and today; and how many associations were looked at. */
  contexts: { most: number; today: number; seen: number }
  /** Days, forgotten slowly, on which a known device sent PDUs that were longer than the other side takes; and is today one? */
  oversize: { days: number; today: boolean }
  first: number
  events: number
  /** Bytes that ended conversations proved missing, and all their bytes; a tenth is forgotten every day. */
  lost: number
  bytes: number
}

/** Classes of breadth: 0-1 record, 2-3, 4-7 ... */
export const BREADTHS = 16
/** The least that is called broad. */
export const LEAST_CLASS = 3
export const breadthClass = (matches: number): number => classOf(matches, BREADTHS)
/** Queries that have to be known before one is called broad. */
const ENOUGH_QUERIES = 200

const newState = (): SiteState => ({
  watched: new Map(), work: new Map(), weekdays: { any: newWeek(), images: newWeek(), messages: newWeek() },
  breadth: new Array<number>(BREADTHS).fill(0), worklists: new Array<number>(BREADTHS).fill(0), messageSizes: new Array<number>(MESSAGE_CLASSES).fill(0), merged: new Map(),
  contexts: { most: 0, today: 0, seen: 0 }, oversize: { days: 0, today: false }, first: -1, events: 0, lost: 0, bytes: 0,
})

export class Site implements Pace {
  state = newState()
  /** Open local hour and day. */
  hour = -1
  /** For measurements: as if nobody had anything in common with others. */
  alone = false
  day = -1
  /** Uses of each value of each memory by role: popularity. */
  #popular = new Map<string, number>()
  #members = new Map<string, number>()
  #rates = new Map<string, { sum: number; n: number }>()
  /** What each device itself adds to today's work. */
  #own = new Map<string, Work>()
  readonly calendar: Calendar
  readonly orders: OrderContext
  readonly silences: Silences
  /** Nothing is learned: devices are judged by what was learned before. */
  frozen = false

  /** @param silences of a site with devices */
  constructor(calendar: Calendar, orders: OrderContext, silences = new Silences(() => new Map())) {
    this.calendar = calendar
    this.orders = orders
    this.silences = silences
  }

  /** Notes that something was heard in this hour. */
  heard(hour: number): void {
    const day = dayOf(hour)
    let hours = this.state.watched.get(day)
    if (hours === undefined) {
      hours = []
      this.state.watched.set(day, hours)
      if (this.state.watched.size > 70) this.state.watched.delete(this.state.watched.keys().next().value!)
    }
    const h = hourOfDay(hour)
    if (!hours.includes(h)) hours.push(h)
  }

  /** A new hour: how busy everybody is. */
  refresh(devices: Iterable<Device>, hour: number): void {
    this.hour = hour
    this.day = dayOf(hour)
    const work = new Map<string, Work>()
    this.#own.clear()
    for (const device of devices) this.#addWork(work, device, hour)
    this.state.work.set(this.day, work)
    if (this.state.work.size > KEPT_DAYS) this.state.work.delete(this.state.work.keys().next().value!)
  }

  /** How broad queries are at this site: the share of all that are shown as many records as a class says. */
  readonly breadth = {
    known: false,
    share: (class_: number): number => shareFrom(this.state.breadth, class_),
  }

  /** Adds a day's queries, worklists and messages of all devices. */
  learnSizes(devices: Iterable<Device>, day: number): void {
    const { breadth, worklists, messageSizes } = this.state
    for (let i = 0; i < BREADTHS; i++) {
      breadth[i]! *= KEEP
      worklists[i]! *= KEEP
    }
    for (let i = 0; i < MESSAGE_CLASSES; i++) messageSizes[i]! *= KEEP
    for (const { today } of devices) {
      if (today.day !== day) continue
      for (let i = 0; i < BREADTHS; i++) {
        breadth[i]! += today.breadth[i]!
        worklists[i]! += today.worklists?.[i] ?? 0
      }
      if (today.messages !== undefined) for (let i = 0; i < MESSAGE_CLASSES; i++) messageSizes[i]! += today.messages[i]!
    }
    this.#knowBreadth()
  }

  #knowBreadth(): void {
    this.breadth.known = this.state.breadth.reduce((sum, n) => sum + n, 0) >= ENOUGH_QUERIES
  }

  /** A new day: what the devices of each role have in common. */
  compare(devices: Iterable<Device>): void {
    this.#popular.clear()
    this.#members.clear()
    this.#rates.clear()
    for (const device of devices) {
      this.#add(this.#members, device.role)
      for (const name of COMPARED) {
        for (const [value, habit] of device.memories[name].known) {
          if (!habit.settled) continue
          this.#add(this.#popular, `${device.role}/${name}/${value}`)
          if (name === 'service') this.#add(this.#popular, `*/${name}/${value}`)
        }
      }
      if (mature(device)) for (const [value, habit] of device.memories.port.known) if (habit.settled && /\/(dicom|hl7)$/.test(value)) this.#add(this.#popular, `*/port/${value}`)
      for (const [name, stream] of device.streams) this.#learnRate(`${family(device.role)}/${name}`, stream)
    }
  }

  #add(map: Map<string, number>, key: string): void {
    map.set(key, (map.get(key) ?? 0) + 1)
  }

  #learnRate(key: string, stream: CountStream): void {
    if (stream.days < 3) return
    const known = this.#rates.get(key)
    if (known === undefined) this.#rates.set(key, { sum: rate(stream), n: 1 })
    else {
      known.sum += rate(stream)
      known.n++
    }
  }

  /**
   * What a device did today up to this hour, beside what it would on a normal day of this weekday. It is one device however many events
   * that were, and says no more of the others than it varies by itself: its events weigh together at most its size.
   */
  #addWork(work: Map<string, Work>, device: Device, hour: number): void {
    const stream = workStream(device)
    if (stream === undefined || stream.days < 3) return
    const { share, size } = dayBefore(stream, hourOfDay(hour))
    if (share === 0) return
    const day = dayOf(hour)
    const observed = stream.day === day ? stream.inDay : 0
    const trade = tradeOf(device)
    const expected = rate(stream) * this.#weekday(weekdayOf(day), trade) * share
    const weight = 1 / (1 + expected / size)
    const own = { observed: observed * weight, expected: expected * weight }
    this.#own.set(device.id, own)
    for (const group of [device.role, trade, 'any']) {
      const sums = work.get(group) ?? { observed: 0, expected: 0 }
      sums.observed += own.observed
      sums.expected += own.expected
      work.set(group, sums)
    }
  }

  /** At a day's end: how this weekday compares with the others, over all devices. */
  closeDay(day: number): void {
    this.state.lost *= 0.9
    this.state.bytes *= 0.9
    const { oversize } = this.state
    oversize.days = KEEP * oversize.days + Number(oversize.today)
    oversize.today = false
    const weekday = weekdayOf(day)
    for (const trade of TRADE_NAMES) {
      const work = this.state.work.get(day)?.get(trade)
      if (work === undefined || work.expected <= 0) continue
      const before = this.#weekday(weekday, trade)
      const sums = this.state.weekdays[trade][weekday]!
      sums.observed = 0.9 * sums.observed + work.observed
      sums.expected = 0.9 * sums.expected + work.expected / before
    }
  }

  // ---- Pace

  factor(day: number): number {
    return this.#factor(day, ['any'])
  }

  /** From the widest group to the narrowest: what is known of the one before is what is expected of the next. */
  #factor(day: number, groups: readonly string[], own: Work = NOTHING): number {
    if (this.alone) return 1
    const work = this.state.work.get(day)
    let ratio = 1
    for (const group of groups) {
      const same = work?.get(group)
      if (same !== undefined) ratio = (same.observed - own.observed + PSEUDO * ratio) / (same.expected - own.expected + PSEUDO)
    }
    return Math.min(MOST, Math.max(LEAST, ratio))
  }

  /** What share of a day's traffic the sensor could see, by its hours with any: a clinic that is closed at night is watched as well as a hospital. */
  watched(day: number): number {
    const hours = this.state.watched.get(day)
    return hours === undefined ? 0 : Math.min(1, hours.length / this.#usualHours(day))
  }

  /** Hours with traffic that a day like this usually has, by those of its weekday before it, or by all before it. */
  #usualHours(day: number): number {
    if (this.#usual.day !== day) {
      const before = [...this.state.watched].filter(([other]) => other < day)
      const alike = before.filter(([other]) => weekdayOf(other) === weekdayOf(day))
      const hours = (alike.length > 0 ? alike : before).map(([, { length }]) => length)
      this.#usual = { day, hours: median(hours) ?? 24 }
    }
    return this.#usual.hours
  }
  #usual = { day: -1, hours: 24 }

  weekday(weekday: number): number {
    return this.#weekday(weekday, 'any')
  }

  /** Beside the other days of a week, so that what is busier than expected on all of them is no matter of a weekday. */
  #weekday(weekday: number, trade: Trade): number {
    const days = this.state.weekdays[trade]
    let observed = 0
    let expected = 0
    for (const one of days) {
      observed += one.observed + PSEUDO
      expected += one.expected + PSEUDO
    }
    const one = days[weekday]!
    return ((one.observed + PSEUDO) / (one.expected + PSEUDO)) * (expected / observed)
  }

  /** What one device is measured by: its role's factor without its own share in it, so that nobody hides behind what they do themselves. */
  pace(device: Device): Pace {
    let pace = this.#paces.get(device)
    if (pace === undefined) {
      pace = {
        factor: (day) => this.#factor(day, groupsOf(device), day === this.day ? this.#own.get(device.id) : undefined),
        watched: (day) => this.watched(day), weekday: (weekday) => this.#weekday(weekday, tradeOf(device)),
        frozen: this.frozen,
        get piles() { return isOutlet(device) },
      }
      this.#paces.set(device, pace)
    }
    return pace
  }
  readonly #paces = new WeakMap<Device, Pace>()

  // ---- what others of the role do

  /** Devices of this role, the asked one not counted, and how many of them have this value as a habit. */
  popularity(device: Device, memory: MemoryName, value: string): { others: number; users: number; q: number } {
    const own = device.memories[memory].known.get(value)?.settled === true ? 1 : 0
    const others = Math.max(0, (this.#members.get(device.role) ?? 1) - 1)
    const users = Math.max(0, (this.#popular.get(`${device.role}/${memory}/${value}`) ?? 0) - own)
    return { others, users, q: device.role === 'unknown' ? 0.2 / (others + 1) : (users + 0.2) / (others + 1) }
  }

  /** What known servers of the site speak at a port, if any do. */
  spokenAt(port: number): 'dicom' | 'hl7' | undefined {
    return (['dicom', 'hl7'] as const).find((protocol) => this.#popular.has(`*/port/${port}/${protocol}`))
  }

  /** Does nobody at a site that is known do this? */
  unheardOf(memory: 'service', value: string): boolean {
    let devices = 0
    for (const n of this.#members.values()) devices += n
    return devices >= ENOUGH_SITE && !this.#popular.has(`*/${memory}/${value}`)
  }

  /** Mean rate of a stream among the devices of a role, when there are enough. */
  prior(role: string, stream: string): number | undefined {
    const known = this.#rates.get(`${family(role)}/${stream}`)
    return known !== undefined && known.n >= ENOUGH_DEVICES ? known.sum / known.n : undefined
  }

  /** The snapshot is saved too: it was taken at the tick, and the devices have lived on. */
  *save(): Iterable<[string, unknown]> {
    yield ['site', pack({ state: this.state, members: this.#members, rates: this.#rates })]
    yield* chunks('site/popular', [...this.#popular])
    yield* chunks('site/own', [...this.#own])
  }

  load(entries: Map<string, unknown>, hour: number): void {
    const site = unpack(entries.get('site')) as { state: SiteState; members: Map<string, number>; rates: Map<string, { sum: number; n: number }> }
    this.state = { ...newState(), ...site.state }
    this.#knowBreadth()
    this.#members = site.members
    this.#rates = site.rates
    this.#popular = new Map(unchunk('site/popular', entries) as [string, number][])
    this.#own = new Map(unchunk('site/own', entries) as [string, Work][])
    this.hour = hour
    this.day = dayOf(hour)
  }

  /** A conversation is over: what of it was lost. */
  ended({ bytes, gaps }: FlowEnd): void {
    this.state.lost += gaps.client + gaps.server
    this.state.bytes += bytes.client + bytes.server
  }

  get loss(): number {
    return this.state.bytes > 0 ? Math.min(1, this.state.lost / this.state.bytes) : 0
  }

  /** On what share of the days (forgotten like them) did anybody known here send PDUs over the limit? */
  get oversizeShare(): number {
    return dailyOf(this.state.oversize.days, Math.max(1, this.age))
  }

  /** How long the site has been watched, in days. */
  get age(): number {
    return this.state.first < 0 ? 0 : (this.hour - this.state.first) / 24
  }
}

/** Whom a device is measured by, from the widest group to the narrowest. */
const groupsOf = (device: Device): readonly string[] => [tradeOf(device), device.role]
