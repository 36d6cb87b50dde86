/**
 * Events in, alerts out: read this first.
 *
 *     event -> who is who (directory.ts, by residents.ts and names.ts) -> for each of its two devices: count (observe.ts), judge (detectors/) -> then learn (observe.ts)
 *           -> evidence (evidence.ts) -> incidents (incidents.ts) -> alert
 *
 * An event is judged from both sides before either learns from it, so nothing excuses itself. Capture time drives a tick each local hour:
 * days are closed and learned, roles looked at again, and the site snapshot (site.ts) refreshed.
 */
import type { DicomAssociation, DicomOperation, Flow, HostFacts, Hl7Message, Micros, WireEvent } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import { aged } from './ageing.ts'
import type { Alert } from './alert.ts'
import { comparePeers } from './alike.ts'
import { settle } from './baseline/counts.ts'
import { boundRecall } from './baseline/recall.ts'
import { Calendar } from './calendar.ts'
import { HOUR, SiteClock, dayOf, hourOfDay } from './clock.ts'
import { OrderContext } from './context.ts'
import type { Detector } from './detectors/detector.ts'
import { DETECTORS } from './detectors/index.ts'
import { lives, loadDevice, saveDevice, type Device } from './device.ts'
import { Directory, NOBODY, type DirectoryState, type Ends, type FlowState } from './directory.ts'
import { watchDrips } from './drips.ts'
import type { Feedback, Purge } from './feedback.ts'
import { forget, forgetPeer } from './forget.ts'
import { Incidents } from './incidents.ts'
import { heardIn, type Claim } from './names.ts'
import { failed, learn, learnBytes, observe } from './observe.ts'
import { readingsOf, viewOf, type DayReading, type DeviceView } from './outlook.ts'
import { chunks, pack, unchunk, unpack } from './pack.ts'
import { roleOf } from './role.ts'
import type { Scene } from './scene.ts'
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
  /** Detectors by the kind of event that they want. */
  readonly #wanted = new Map<string, Detector[]>()
  readonly #client = newScene('client')
  readonly #server = newScene('server')
  /** What addresses showed of themselves before any conversation of theirs was known. */
  readonly #shown = new Map<string, { hostname: string | null; eol: string | null }>()
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
    this.#site = new Site(calendar, this.#orders)
    this.#site.alone = without.includes('common-mode')
    this.#clock = new SiteClock(calendar.tz)
    this.#site.frozen = options.freeze ?? false
    const facts = new Map(DETECTORS.map((detector) => [detector.id, detector]))
    this.#incidents = new Incidents(this.#site, {
      onAlert: (alert) => options.onAlert(alert), known: (ip) => this.#directory.known(ip), learnUntil: options.learnUntil ?? 0,
      sensor: options.sensor ?? '', source: options.source ?? '', facts: (id) => facts.get(id)!,
    })
    for (const detector of DETECTORS) {
      for (const kind of detector.wants) {
        const list = this.#wanted.get(kind)
        if (list === undefined) this.#wanted.set(kind, [detector])
        else list.push(detector)
      }
    }
  }

  event(event: WireEvent): void {
    if (event.kind === 'capture') {
      return
    }
    const hour = this.#clock.hour(event.at)
    if (hour > this.#hour) this.#tick(hour)
    if (++this.#unbounded >= BOUND_EVERY) this.#bound()
    if (event.kind === 'host') return this.#host(event)
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
    if (this.#hour >= 0 && hour > this.#hour) this.#tick(hour)
  }

  /** The input is over; time has come to `at`. */
  finish(at: Micros): void {
    this.tick(at)
  }

  #both(event: Exclude<WireEvent, { kind: 'host' | 'capture' }>, flow: Flow, before: Ends): void {
    const claims = this.#names(event, flow, before)
    const ends = before.version < 0 ? this.#directory.ends(flow, event.at) : before
    const clientActs = event.kind === 'dicom.operation' ? event.invoker === 'client' : event.kind === 'hl7.message' ? event.direction === 'client' : true
    this.#enter(this.#client, ends.server, ends, clientActs, claims)
    this.#enter(this.#server, ends.client, ends, !clientActs, NO_CLAIMS)
    const asker = event.kind === 'dicom.operation' && event.cause !== undefined ? this.#directory.known(event.cause.ip) : undefined
    this.#client.asker = this.#server.asker = asker === undefined || asker === ends.client || asker === ends.server ? null : asker
    this.#edge(this.#client, ends.client)
    this.#edge(this.#server, ends.server)
    observe(event, ends.client, this.#site, this.#client)
    const somebody = ends.server !== NOBODY
    if (somebody) observe(event, ends.server, this.#site, this.#server)
    const detectors = this.#wanted.get(event.kind)
    if (detectors !== undefined) {
      this.#judge(detectors, event, ends.client, this.#client)
      if (somebody) this.#judge(detectors, event, ends.server, this.#server)
    }
    if (event.kind === 'hl7.message') this.#orders.message(event)
    learn(event, ends.client, this.#site, this.#client)
    if (somebody) learn(event, ends.server, this.#site, this.#server)
  }

  #judge(detectors: Detector[], event: WireEvent, device: Device, scene: Scene): void {
    for (const detector of detectors) {
      const found = detector.judge(event, device, this.#site, scene)
      if (found.length === 0) continue
      this.findings.set(detector.id, (this.findings.get(detector.id) ?? 0) + found.length)
      for (const evidence of found) this.#incidents.add(aged(scene.asker === null ? evidence : { ...evidence, asker: scene.asker }))
    }
  }

  #enter(scene: Scene, peer: Device, ends: Ends, acts: boolean, claims: Claim[]): void {
    scene.peer = peer
    scene.ends = ends
    scene.acts = acts
    scene.claims = claims
    if (scene.crossed.length > 0) scene.crossed = []
    scene.kindCrossed = undefined
    scene.refusal = undefined
    scene.newStudy = false
    scene.unexplained = false
    scene.moved = null
    scene.stale = false
    scene.service = ''
    scene.day = this.#site.day
  }

  #edge(scene: Scene, device: Device): void {
    scene.edge = device.memories.peer.known.get(scene.peer.id)
  }

  // ---- who is who

  #names(event: WireEvent, flow: Flow, ends: Ends): Claim[] {
    switch (event.kind) {
      case 'dicom.operation': return this.#aeOf(event, flow, ends)
      // A title that was refused proves nothing; an accepted one does.
      case 'dicom.association': return event.result === 'accepted' ? this.#aeOf(event, flow, ends) : NO_CLAIMS
      case 'hl7.message': return this.#appsOf(event, flow, ends)
      default: return NO_CLAIMS
    }
  }

  #aeOf(event: DicomOperation | DicomAssociation, flow: Flow, ends: Ends): Claim[] {
    const ae = event.calling_ae
    if (ae === null || ae === '' || (ae === ends.callingAe && heardIn(event.at) === ends.heard)) return NO_CLAIMS
    ends.heard = heardIn(event.at)
    const claim = this.#directory.calling(ends, flow, ae, event.at)
    return claim === undefined ? NO_CLAIMS : [claim]
  }

  #appsOf(event: Hl7Message, flow: Flow, ends: Ends): Claim[] {
    const { sending_app: from, receiving_app: to } = event
    if (event.acknowledges !== null) return NO_CLAIMS
    if (from === ends.sendingApp && to === ends.receivingApp && heardIn(event.at) === ends.heard) return NO_CLAIMS
    ends.heard = heardIn(event.at)
    ends.sendingApp = from
    ends.receivingApp = to
    const sender = event.direction
    const receiver = sender === 'client' ? 'server' : 'client'
    // Who receives under a name may have moved; nobody is accused of receiving.
    if (to !== null && to !== '') {
      this.#directory.application(ends, `rx:${to}|${event.receiving_facility ?? ''}`, flow[receiver].ip, ends[receiver], to, event.at)
    }
    if (from === null || from === '') return NO_CLAIMS
    const now = ends.version < 0 ? this.#directory.ends(flow, event.at) : ends
    const name = `tx:${from}|${event.sending_facility ?? ''}>${now[receiver].id}`
    const claim = this.#directory.application(now, name, flow[sender].ip, now[sender], from, event.at)
    if (now !== ends && now.version < 0) ends.version = -1
    return claim === undefined ? NO_CLAIMS : [claim]
  }

  /** Mostly told before the first conversation ends: then it waits until the address is a device's. */
  #host(event: HostFacts): void {
    if (this.#site.frozen) return
    const { ip, hostname } = event
    const eol = event.confidence === 'low' ? null : event.os?.eol ?? null
    if (hostname === null && event.os === null) return
    const device = this.#directory.known(ip)
    if (device === undefined) {
      if (!this.#shown.has(ip)) makeRoom(this.#shown, MOST_SHOWN)
      this.#shown.set(ip, { hostname: hostname ?? this.#shown.get(ip)?.hostname ?? null, eol: event.os === null ? this.#shown.get(ip)?.eol ?? null : eol })
      return
    }
    if (hostname !== null) device.host = hostname
    if (event.os !== null && event.confidence !== 'low') device.eol = eol
  }

  /** What addresses showed before they were devices. */
  #recognise(): void {
    for (const [ip, { hostname, eol }] of this.#shown) {
      const device = this.#directory.known(ip)
      if (device === undefined) continue
      device.host ??= hostname
      device.eol ??= eol
      this.#shown.delete(ip)
    }
  }

  // ---- time

  #tick(hour: number): void {
    const day = dayOf(hour)
    const site = this.#site
    const { devices } = this.#directory
    if (site.state.first < 0) site.state.first = hour
    if (this.#hour >= 0 && day > dayOf(this.#hour)) {
      site.refresh(devices.values(), this.#hour)
      if (!this.#site.frozen) this.#closeDay(dayOf(this.#hour), hour)
      site.compare(devices.values())
      this.#orders.expire((hour - 24) * 3_600_000_000)
    }
    this.#recognise()
    this.#hour = hour
    this.#directory.day = day
    site.heard(hour)
    site.refresh(devices.values(), hour)
    this.#incidents.expire((hour - 48) * 3_600_000_000)
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
      const devices = this.#directory.devices
      const actor = devices.get(one.actor)
      const from = this.#clock.hour(one.from)
      // An alert begins when there is enough to tell; what it tells about began earlier that day.
      const since = one.from - hourOfDay(from) * HOUR - (one.from % HOUR)
      if (actor !== undefined) forget(actor, from, this.#clock.hour(one.to), since)
      for (const id of one.peers) {
        const peer = devices.get(id)
        if (peer !== undefined) forgetPeer(peer, one.actor, since)
      }
      this.#heeded = [...this.#heeded.slice(-999), answerOf(one)]
    }
  }
  /** Answers that were heeded: alerts called malicious, and until when. */
  #heeded: string[] = []

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

  /** Devices known, and pieces of evidence that raised no alert, by detector. */
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
    const { byIp, byMac, routers, started, names, met } = this.#directory.state
    yield ['engine', { hour: this.#hour, tz: this.#site.calendar.tz ?? null, heeded: this.#heeded }]
    yield* this.#site.save()
    yield ['directory', pack({ byIp, byMac, routers, started, met })]
    yield* this.#incidents.save()
    yield* chunks('names', [...names])
    yield* chunks('shown', [...this.#shown])
    yield* this.#orders.save()
    for (const device of this.#directory.devices.values()) yield [`device/${device.id}`, saveDevice(device)]
  }

  /** Continues exactly where `save` left off. */
  load(entries: Iterable<[string, unknown]>): void {
    const all = new Map(entries)
    const engine = all.get('engine') as { hour: number; heeded?: string[] } | undefined
    if (engine === undefined) return
    this.#hour = engine.hour
    this.#heeded = engine.heeded ?? []
    const directory = unpack(all.get('directory')) as Omit<DirectoryState, 'names'>
    // Saved before it was noted since when: they had been routers for longer than matters.
    if (directory.routers instanceof Set) directory.routers = new Map([...directory.routers as Set<string>].map((mac) => [mac, directory.started]))
    this.#directory.state = { ...directory, names: new Map(unchunk('names', all) as [string, never][]) }
    this.#directory.day = dayOf(engine.hour)
    // In the order they were met: entries may come in the order of their keys.
    const devices: Device[] = []
    for (const [key, value] of all) {
      if (key.startsWith('device/')) devices.push(loadDevice(value))
    }
    devices.sort((a, b) => a.serial - b.serial)
    for (const device of devices) this.#directory.devices.set(device.id, device)
    for (const [ip, shown] of unchunk('shown', all) as [string, { hostname: string | null; eol: string | null }][]) this.#shown.set(ip, shown)
    this.#orders.load(all)
    this.#incidents.load(all)
    this.heed((all.get('feedback') ?? []) as Feedback[])
    this.#directory.changed()
    this.#site.load(all, engine.hour)
  }
}

/** An alert that has grown since may be answered again. */
const answerOf = (one: Purge): string => `${one.alert}@${one.to}`

/** Yesterday's highest scores of the devices that live. */
function* scoresOf(devices: Iterable<Device>, day: number): Iterable<number> {
  for (const { today, deeds } of devices) if (deeds.size > 0 && today.day === day) yield today.score
}

const NO_CLAIMS: Claim[] = []
/** Addresses that showed something and are no device yet: whoever is knocked at, or is never heard. The first go first. */
const MOST_SHOWN = 10_000

function newScene(side: Scene['side']): Scene {
  return {
    peer: undefined as never, side, acts: false, asker: null, service: '', ends: undefined as never, crossed: [], kindCrossed: undefined, refusal: undefined, edge: undefined,
    claims: NO_CLAIMS, newStudy: false, unexplained: false, moved: null, stale: false, day: 0,
  }
}

