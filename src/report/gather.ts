/**
 * Gathers what the report shows while events and alerts pass: a bounded, pure observer that changes nothing and keeps no patient data.
 * Where nobody asked for a report it is not made, and costs nothing.
 *
 *     const gather = new Gather(clock)
 *     gather.event(event, engine)      // before the engine has it: a day that ends is read while it is still open
 *     gather.alert(alert)
 *     gather.data(engine, about)       // at any time
 */
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { SiteClock, dayOf } from '../../models/clock.ts'
import type { Engine } from '../../models/engine.ts'
import type { DeviceView } from '../../models/outlook.ts'
import type { CaptureReport, FlowEnd, Micros, WireEvent } from '../../protocols/events.ts'
import { bump, Conversations, type Pair } from '../../models/posture/conversations.ts'
import { owners } from '../../models/posture/posture.ts'
import { TimelineBuilder } from './timeline.ts'
import type { Edge, ReportData, ReportDevice, Series, Unseen } from './data.ts'

/** Caps of what is held and shown; what finds no room is counted and said in the report. */
export const GATHER = {
  /** Points of observed and expected counts: the days of a device's streams. */
  points: 400_000,
  /** Days of one stream; then, and when there are no points left, its first day gives way: a service runs for years. */
  days: 400,
  /** Streams shown of a device that has no alert. */
  quietStreams: 3,
  /** Alerts; the least severe, then the oldest, give way. */
  alerts: 5000,
  devices: 20_000,
  /** Names in any of the tables of counts. */
  names: 200,
} as const

/** After so many days of watching, somebody who was not there before is new. */
const NEW_AFTER: Micros = 3 * 86_400_000_000

type Outlook = Pick<Engine, 'view' | 'readings'>

export interface About {
  version: string
  sensor: string
  files: string[]
}

export class Gather {
  readonly #clock: SiteClock
  readonly #timeline = new TimelineBuilder()
  readonly #conversations = new Conversations()
  readonly #alerts = new Map<string, Alert>()
  readonly #series = new Map<string, Map<string, Series>>()
  readonly #events = new Map<string, number>()
  readonly #incomplete = new Map<string, number>()
  readonly #violations = new Map<string, number>()
  readonly #protocols = new Map<string, { flows: number; bytes: number }>()
  #points = 0
  #day = -1
  #from: Micros = -1
  #to: Micros = -1
  #capture: CaptureReport | null = null
  #midstream = 0
  #unanswered = 0
  #refused = 0
  #alertsBeyond = 0

  /** @param zone IANA name of the site's time zone, in which days are counted */
  constructor(zone?: string) {
    this.#clock = new SiteClock(zone)
  }

  /** @param outlook of the engine, which has not had this event yet */
  event(event: WireEvent, outlook: Outlook): void {
    bump(this.#events, event.kind, GATHER.names)
    if (event.kind === 'capture') {
      this.#capture = event
      return
    }
    this.#to = Math.max(this.#to, event.at)
    if (this.#from < 0) this.#from = event.at
    const day = dayOf(this.#clock.hour(event.at))
    if (day > this.#day) {
      if (this.#day >= 0) this.#read(outlook)
      this.#day = day
    }
    if (!event.complete) bump(this.#incomplete, event.kind, GATHER.names)
    switch (event.kind) {
      case 'dicom.operation':
        this.#timeline.add('dicom', event.at, event.dataset?.bytes ?? 0)
        return this.#conversations.use(event)
      case 'hl7.message':
        this.#timeline.add('hl7', event.at, event.bytes)
        return this.#conversations.use(event)
      case 'violation': return bump(this.#violations, event.code, GATHER.names)
      case 'flow': return this.#flow(event)
      default: return undefined
    }
  }

  /** Keeps the latest revision. */
  alert(alert: Alert): void {
    this.#alerts.set(alert.id, alert)
    if (this.#alerts.size <= GATHER.alerts) return
    let least = alert
    for (const other of this.#alerts.values()) if (rank(other) < rank(least)) least = other
    this.#alerts.delete(least.id)
    this.#alertsBeyond += 1
  }

  /** The latest revisions, as they are now. */
  get alerts(): Iterable<Alert> {
    return this.#alerts.values()
  }

  #flow(event: FlowEnd): void {
    const bytes = event.bytes.client + event.bytes.server
    const protocol = event.protocol ?? 'not recognised'
    const seen = this.#protocols.get(protocol) ?? { flows: 0, bytes: 0 }
    seen.flows += 1
    seen.bytes += bytes
    this.#protocols.set(protocol, seen)
    if (event.flow.midstream) this.#midstream += 1
    if (event.state === 'unanswered' || event.state === 'refused') {
      if (event.state === 'refused') this.#refused += 1
      else this.#unanswered += 1
      if (bytes === 0) return this.#conversations.ended(event)
    }
    if (event.protocol !== 'dicom' && event.protocol !== 'hl7') this.#timeline.add('other', event.at, bytes)
    this.#conversations.ended(event)
  }

  /** Observed and expected of the day that is open, for each device. */
  #read(outlook: Outlook): void {
    for (const [id, readings] of outlook.readings()) {
      let streams: Map<string, Series> | undefined = this.#series.get(id)
      for (const { stream, unit, observed, expected, high, days } of readings) {
        let series = streams?.get(stream)
        if (series?.days.at(-1) === this.#day) {
          for (const list of listsOf(series)) list.pop()
        } else if (series !== undefined && (series.days.length >= GATHER.days || this.#points >= GATHER.points)) {
          for (const list of listsOf(series)) list.shift()
        } else if (this.#points >= GATHER.points) continue
        else this.#points += 1
        if (streams === undefined) this.#series.set(id, streams = new Map<string, Series>())
        if (series === undefined) streams.set(stream, series = { stream, unit, days: [], observed: [], expected: [], high: [], learned: 0 })
        series.days.push(this.#day)
        series.observed.push(observed)
        series.expected.push(Math.round(expected * 100) / 100)
        series.high.push(Number.isFinite(high) ? high : null)
        series.learned = days
      }
    }
  }

  /** All of it, as it is now. The open day is read once more. */
  data(outlook: Outlook, { version, sensor, files }: About): ReportData {
    if (this.#day >= 0) this.#read(outlook)
    const alerts = latestOf(this.#alerts.values())
    const views = [...outlook.view()]
    const shown = this.#shown(views, alerts)
    const owner = owners(shown)
    const concerned = new Set(alerts.flatMap((a) => [a.device.id, ...a.peers.map((p) => p.id)]))
    return {
      v: 1, version, sensor, files,
      span: this.#from < 0 ? null : { from: this.#from, to: this.#to },
      events: Object.fromEntries(this.#events), alerts,
      devices: shown.map((view): ReportDevice => ({
        ...view,
        failed: view.addresses.reduce((sum, { ip }) => sum + (this.#conversations.failed.get(ip) ?? 0), 0),
        isNew: this.#from >= 0 && view.first >= this.#from + NEW_AFTER,
      })),
      edges: edgesOf(this.#conversations.pairs.values(), owner),
      timeline: this.#timeline.timeline(),
      series: Object.fromEntries(shown.flatMap(({ id }): [string, Series[]][] => {
        const series = [...this.#series.get(id)?.values() ?? []]
        return series.length === 0 ? [] : [[id, concerned.has(id) ? series : busiest(series)]]
      })),
      unseen: this.#unseen(views.length - shown.length),
    }
  }

  /** The devices that have something to tell first, where not all find room. */
  #shown(views: DeviceView[], alerts: Alert[]): DeviceView[] {
    if (views.length <= GATHER.devices) return views
    const concerned = new Set(alerts.flatMap((a) => [a.device.id, ...a.peers.map((p) => p.id)]))
    return views.sort((a, b) => Number(concerned.has(b.id)) - Number(concerned.has(a.id)) || b.events - a.events).slice(0, GATHER.devices)
  }

  #unseen(devicesBeyond: number): Unseen {
    const capture = this.#capture
    return {
      frames: capture?.frames ?? 0, frameBytes: capture?.bytes ?? 0, dropped: capture?.dropped ?? {}, lostBytes: capture?.gaps ?? 0,
      truncated: capture?.truncated ?? false,
      protocols: Object.fromEntries(this.#protocols), midstream: this.#midstream, unanswered: this.#unanswered, refused: this.#refused,
      incomplete: Object.fromEntries(this.#incomplete), violations: Object.fromEntries(this.#violations),
      edgesBeyond: this.#conversations.beyond, devicesBeyond, alertsBeyond: this.#alertsBeyond,
    }
  }
}

const listsOf = ({ days, observed, expected, high }: Series): unknown[][] => [days, observed, expected, high]

/** The latest revision of each, wherever it was kept, in the order they were raised. */
export function latestOf(...lists: Iterable<Alert>[]): Alert[] {
  const found = new Map<string, Alert>()
  for (const alert of lists.flatMap((list) => [...list])) {
    const other = found.get(alert.id)
    if (other === undefined || other.revision < alert.revision) found.set(alert.id, alert)
  }
  return [...found.values()].sort((a, b) => a.raised_at - b.raised_at || (a.id < b.id ? -1 : 1))
}

const rank = (alert: Alert): number => SEVERITIES.indexOf(alert.severity) * 1e17 + alert.raised_at

/** Pairs of hosts to pairs of devices. What is between hosts that are no devices (any more) is left out. */
export function edgesOf(pairs: Iterable<Pair>, owner: Map<string, string>): Edge[] {
  const edges = new Map<string, Edge>()
  for (const pair of pairs) {
    const client = owner.get(pair.client)
    const server = owner.get(pair.server)
    if (client === undefined || server === undefined || client === server) continue
    const key = `${client}>${server}`
    let edge = edges.get(key)
    if (edge === undefined) edges.set(key, edge = { client, server, flows: 0, bytes: 0, services: {}, ports: [], encrypted: 0, first: pair.first, last: pair.last })
    edge.flows += pair.flows
    edge.bytes += pair.bytes
    edge.encrypted += pair.encrypted
    edge.first = Math.min(edge.first, pair.first)
    edge.last = Math.max(edge.last, pair.last)
    const services = new Map(Object.entries(edge.services))
    for (const [name, n] of pair.services) services.set(name, (services.get(name) ?? 0) + n)
    edge.services = Object.fromEntries(services)
    for (const { port } of pair.ports) if (!edge.ports.includes(port)) edge.ports.push(port)
  }
  return [...edges.values()]
}

/** The streams that say most about an ordinary device. */
function busiest(series: Series[]): Series[] {
  const sum = (s: Series): number => s.observed.reduce((total, n) => total + n, 0)
  return series.sort((a, b) => sum(b) - sum(a)).slice(0, GATHER.quietStreams)
}
