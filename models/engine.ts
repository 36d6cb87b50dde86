/**
 * Events in, alerts out: read this first.
 *
 *     event -> who is who (naming.ts, directory.ts) -> for each of its two devices (scene.ts): count (observe.ts), judge (detectors/) -> then learn (learn.ts)
 *           -> evidence (evidence.ts) -> incidents (incidents.ts) -> alert
 *
 * An event is judged from both sides before either learns from it, so nothing excuses itself. Capture time drives a tick each local hour:
 * days are closed and learned, roles looked at again, and the site snapshot (site.ts) refreshed.
 */
import type { Flow, Micros, WireEvent } from '../protocols/events.ts'
import { aged } from './ageing.ts'
import type { Alert } from './alert.ts'
import { comparePeers } from './alike.ts'
import { settle } from './baseline/counts.ts'
import { boundRecall } from './baseline/recall.ts'
import { Calendar } from './calendar.ts'
import { HOUR, SiteClock, dayOf } from './clock.ts'
import { OrderContext } from './context.ts'
import type { Detector } from './detectors/detector.ts'
import { DETECTORS, WANTED } from './detectors/index.ts'
import { lives, type Device } from './device.ts'
import { Directory, NOBODY, type Ends, type FlowState } from './directory.ts'
import { watchDrips } from './drips.ts'
import type { Feedback, Purge } from './feedback.ts'
import { forgetAlert } from './forget.ts'
import { Incidents } from './incidents.ts'
import { learn, learnBytes } from './learn.ts'
import { NO_CLAIMS } from './names.ts'
import { hearNames } from './naming.ts'
import { failed, observe } from './observe.ts'
import { readingsOf, viewOf, type DayReading, type DeviceView } from './outlook.ts'
import { roleOf } from './role.ts'
import { enter, newScene, type Scene } from './scene.ts'
import { Shown } from './shown.ts'
import { Silences } from './silences.ts'
import { Site } from './site.ts'

/** What can be left out, to measure what it earns. */
export const ABLATIONS = ['roles', 'common-mode', 'orders'] as const
export type Ablation = (typeof ABLATIONS)[number]

/** An event adds a few values at most, so the cap of all is exceeded by no more than a few times as many. */
const BOUND_EVERY = 65_536

export interface EngineOptions {
  /** Each new alert, and each revision of one. */
  onAlert(alert: Alert): void
  calendar?: Calendar
  /** Raise nothing before this capture time. */
  learnUntil?: Micros
  /** Judge, but do not learn. */
  freeze?: boolean
  /** For measurements only: parts of the model that keep silent. */
  without?: readonly Ablation[]
  sensor?: string
  source?: string
}

export class Engine {
  readonly #directory = new Directory()
  readonly #orders = new OrderContext()
  readonly #site: Site
  readonly #clock: SiteClock
  readonly #incidents: Incidents
  readonly #roles: boolean
  readonly #client = newScene('client')
  readonly #server = newScene('server')
  readonly #shown = new Shown(this.#directory)
  /** Answers that were heeded: alerts called malicious, and until when. */
  #heeded: string[] = []
  #hour = -1
  /** Events since it was last looked whether all that is remembered is too much. */
  #unbounded = 0
  #forgotten = 0
  /** Pieces of evidence since the start, by detector. */
  readonly findings = new Map<string, number>()

  constructor(options: EngineOptions) {
    const calendar = options.calendar ?? new Calendar()
    const without = options.without ?? []
    this.#roles = !without.includes('roles')
    this.#orders.blind = without.includes('orders')
    this.#site = new Site(calendar, this.#orders, new Silences(() => this.#directory.devices))
    this.#site.alone = without.includes('common-mode')
    this.#clock = new SiteClock(calendar.tz)
    this.#site.frozen = options.freeze ?? false
    const facts = new Map(DETECTORS.map((detector) => [detector.id, detector]))
    this.#incidents = new Incidents(this.#site, {
      onAlert: (alert) => options.onAlert(alert), known: (ip) => this.#directory.known(ip), learnUntil: options.learnUntil ?? 0,
      sensor: options.sensor ?? '', source: options.source ?? '', facts: (id) => facts.get(id)!,
    })
  }

  event(event: WireEvent): void {
    if (event.kind === 'capture') return
    const hour = this.#clock.hour(event.at)
    this.#site.silences.hear(event.at)
    if (hour > this.#hour) this.#tick(hour, event.at)
    if (++this.#unbounded >= BOUND_EVERY) this.#bound()
    if (event.kind === 'host') {
      if (!this.#site.frozen) this.#shown.take(event)
      return
    }
    if (event.kind === 'flow') this.#site.ended(event)
    const ends = this.#directory.ends(event.flow, event.at, event.kind === 'flow' && failed(event))
    this.#both(event, event.flow, ends)
  }

  #bound(): void {
    this.#unbounded = 0
    this.#forgotten += boundRecall(this.#directory.devices.values())
  }

  /** Time has come to `at`, and no event did. */
  tick(at: Micros): void {
    const hour = this.#clock.hour(at)
    if (this.#hour >= 0 && hour > this.#hour) this.#tick(hour, at)
  }

  /** The input is over; time has come to `at`. */
  finish(at: Micros): void {
    this.tick(at)
  }

  #both(event: Exclude<WireEvent, { kind: 'host' | 'capture' }>, flow: Flow, before: Ends): void {
    const claims = hearNames(event, flow, before, this.#directory)
    const ends = before.version < 0 ? this.#directory.ends(flow, event.at) : before
    const clientActs = event.kind === 'dicom.operation' ? event.invoker === 'client' : event.kind === 'hl7.message' ? event.direction === 'client' : true
    const { day } = this.#site
    enter(this.#client, ends.server, ends, clientActs, claims, day)
    enter(this.#server, ends.client, ends, !clientActs, NO_CLAIMS, day)
    const asker = event.kind === 'dicom.operation' && event.cause !== undefined ? this.#directory.known(event.cause.ip) : undefined
    this.#client.asker = this.#server.asker = asker === undefined || asker === ends.client || asker === ends.server ? null : asker
    this.#client.edge = ends.client.memories.peer.known.get(ends.server.id)
    this.#server.edge = ends.server.memories.peer.known.get(ends.client.id)
    observe(event, ends.client, this.#site, this.#client)
    const somebody = ends.server !== NOBODY
    if (somebody) observe(event, ends.server, this.#site, this.#server)
    const detectors = WANTED.get(event.kind)
    if (detectors !== undefined) {
      this.#judge(detectors, event, ends.client, this.#client)
      if (somebody) this.#judge(detectors, event, ends.server, this.#server)
    }
    if (event.kind === 'hl7.message') this.#orders.message(event)
    learn(event, ends.client, this.#site, this.#client)
    if (somebody) learn(event, ends.server, this.#site, this.#server)
  }

  #judge(detectors: readonly Detector[], event: WireEvent, device: Device, scene: Scene): void {
    for (const detector of detectors) {
      const found = detector.judge(event, device, this.#site, scene)
      if (found.length === 0) continue
      this.findings.set(detector.id, (this.findings.get(detector.id) ?? 0) + found.length)
      for (const evidence of found) this.#incidents.add(aged(scene.asker === null ? evidence : { ...evidence, asker: scene.asker }))
    }
  }

  // ---- time

  #tick(hour: number, at: Micros): void {
    const day = dayOf(hour)
    const site = this.#site
    const { devices } = this.#directory
    if (site.state.first < 0) site.state.first = hour
    if (this.#hour >= 0 && day > dayOf(this.#hour)) {
      site.refresh(devices.values(), this.#hour)
      if (!this.#site.frozen) this.#closeDay(dayOf(this.#hour), hour)
      site.compare(devices.values())
      this.#orders.expire((hour - 24) * HOUR)
    }
    this.#shown.handOver()
    const before = this.#hour
    this.#hour = hour
    this.#directory.day = day
    site.heard(hour)
    site.refresh(devices.values(), hour)
    site.silences.look(hour, at, before, site)
    this.#incidents.expire((hour - 48) * HOUR)
  }

  #closeDay(day: number, hour: number): void {
    this.#site.closeDay(day)
    const { contexts } = this.#site.state
    contexts.most = Math.max(contexts.most, contexts.today)
    contexts.today = 0
    this.#site.learnSizes(this.#directory.devices.values(), day)
    for (const device of this.#directory.devices.values()) {
      const pace = this.#site.pace(device)
      watchDrips(device, day, this.#site)
      for (const stream of device.streams.values()) settle(stream, hour, pace)
      for (const stream of device.triggers.values()) settle(stream, hour, pace)
      learnBytes(device, day)
      if (lives(device)) device.lived += this.#site.watched(day)
      if (this.#roles) device.role = roleOf(device)
    }
    comparePeers(this.#directory.devices.values(), this.#site)
    this.#incidents.closeDay(scoresOf(this.#directory.devices.values(), day))
  }

  // ---- what analysts answered

  /** All answers that hold. Allowances hold while they last; what a malicious alert taught is taken back once. */
  heed(feedback: readonly Feedback[]): void {
    this.#incidents.allowances = feedback.filter((one) => one.kind === 'allow')
    for (const one of feedback) {
      if (one.kind !== 'malicious' || this.#heeded.includes(answerOf(one))) continue
      forgetAlert(one, this.#directory.devices, this.#clock)
      this.#heeded = [...this.#heeded.slice(-999), answerOf(one)]
    }
  }

  // ---- for questions

  get devices(): ReadonlyMap<string, Device> {
    return this.#directory.devices
  }

  get site(): Site {
    return this.#site
  }

  get incidents(): Incidents {
    return this.#incidents
  }

  // ---- to look at

  /** Devices; values that they had to forget since the start because all together remembered too many; evidence that raised nothing. */
  get counts(): { devices: number; forgotten: number; suppressed: ReadonlyMap<string, number> } {
    return { devices: this.#directory.devices.size, forgotten: this.#forgotten, suppressed: this.#incidents.suppressed }
  }

  /** Devices as the engine takes them to be now. */
  *view(): Iterable<DeviceView> {
    for (const device of this.#directory.devices.values()) yield viewOf(device)
  }

  /** The open day of each device, by its id: observed beside expected. Asked before the day's end it says what was expected of the whole day. */
  *readings(): Iterable<[string, DayReading[]]> {
    for (const device of this.#directory.devices.values()) yield [device.id, readingsOf(device, this.#site)]
  }

  // ---- state

  /**
   * What is known of a conversation that is still open, JSON-able. `save` does not hold it, because a capture that begins has conversations of its
   * own; who continues in the middle of one needs it to go on exactly.
   */
  saveFlow(flow: Flow): unknown {
    return this.#directory.saveFlow(flow)
  }

  /** After `load`, for each conversation that `saveFlow` gave something of. */
  loadFlow(flow: Flow, state: unknown): void {
    this.#directory.loadFlow(flow, state as FlowState)
  }

  /** JSON-able entries: one per device, and a few of the site. */
  *save(): Iterable<[string, unknown]> {
    yield ['engine', { hour: this.#hour, tz: this.#site.calendar.tz ?? null, heeded: this.#heeded }]
    yield* this.#site.save()
    yield* this.#incidents.save()
    yield* this.#shown.save()
    yield* this.#orders.save()
    yield* this.#site.silences.save()
    yield* this.#directory.save()
  }

  /** Continues exactly where `save` left off. */
  load(entries: Iterable<[string, unknown]>): void {
    const all = new Map(entries)
    const engine = all.get('engine') as { hour: number; heeded?: string[] } | undefined
    if (engine === undefined) return
    this.#hour = engine.hour
    this.#heeded = engine.heeded ?? []
    this.#directory.load(all)
    this.#directory.day = dayOf(engine.hour)
    this.#shown.load(all)
    this.#orders.load(all)
    this.#site.silences.load(all)
    this.#incidents.load(all)
    this.heed((all.get('feedback') ?? []) as Feedback[])
    this.#site.load(all, engine.hour)
  }
}

/** An alert that has grown since may be answered again. */
const answerOf = (one: Purge): string => `${one.alert}@${one.to}`

/** Yesterday's highest scores of the devices that live. */
function* scoresOf(devices: Iterable<Device>, day: number): Iterable<number> {
  for (const { today, deeds } of devices) if (deeds.size > 0 && today.day === day) yield today.score
}
