/**
 * One site as a worker judges it: the engine, and what lies between it and a topic. The engine sees exactly what it would see in the process
 * that decoded the events: each event once (a sensor that was killed sends some again), and one object for all events of a conversation.
 *
 * What happens here is a function of the messages alone, so that the state of any moment can be made again from an older one and
 * the messages since.
 */
import type { Alert } from '../../models/alert.ts'
import type { Calendar } from '../../models/calendar.ts'
import { DAY, HOUR } from '../../models/clock.ts'
import { Engine } from '../../models/engine.ts'
import type { Flow, Micros, WireEvent } from '../../protocols/events.ts'
import { parseEvent, type FlowJson } from '../sources/event-json.ts'
import type { EventMark } from '../sinks/event-mark.ts'
import { selfAlert } from '../sinks/self-alert.ts'

/** Caps of one site. */
export const SITE_LIMITS = {
  /** Open conversations; beyond it the one unheard for longest is looked up anew when it goes on. */
  flows: 100_000,
  /** Streams (runs of sensors) whose position is remembered; a run that was pushed out and sends again is judged again. */
  streams: 256,
} as const

/** A conversation without events for so long is forgotten: its sensor was ended before it could tell the end. */
const SILENT = 2 * DAY
/** Conversations in one entry of the saved state. */
const CHUNK = 200

export interface SiteOptions {
  onAlert: (alert: Alert) => void
  calendar?: Calendar | undefined
  learnUntil?: Micros | undefined
}

/** What became of the messages: in = judged + repeated + unreadable. */
export interface SiteCounts {
  in: number
  judged: number
  /** Sent again by a sensor, and passed over. */
  repeated: number
  /** No event, or one that the engine could not take. */
  unreadable: number
  /** Events that the numbering says are missing. */
  missed: number
}

interface Conversation {
  flow: Flow
  last: Micros
}

interface Saved {
  sensor: string
  source: string
  day: number
  counts: SiteCounts
  streams: [string, number][]
  /** What was told of events that are missing: the hour, and how many there were. */
  told?: { hour: number; missed: number }
}

export class Site {
  readonly #options: SiteOptions
  #engine: Engine | undefined
  #sensor = ''
  #source = ''
  #day = -1
  #told = { hour: -1, missed: 0 }
  /** Next number of each stream, the one heard last at the end. */
  #streams = new Map<string, number>()
  /** By flow id, the one heard last at the end. */
  #conversations = new Map<string, Conversation>()
  counts: SiteCounts = { in: 0, judged: 0, repeated: 0, unreadable: 0, missed: 0 }

  constructor(options: SiteOptions) {
    this.#options = options
  }

  /** One message of the events topic: its value, and what its headers say of it. */
  take(text: string, mark: EventMark): void {
    this.counts.in++
    const next = this.#streams.get(mark.stream) ?? 0
    if (mark.n < next) {
      this.counts.repeated++
      return
    }
    this.counts.missed += mark.n - next
    this.#streams.delete(mark.stream)
    this.#streams.set(mark.stream, mark.n + 1)
    if (this.#streams.size > SITE_LIMITS.streams) this.#streams.delete(this.#streams.keys().next().value!)

    const event = parseEvent(text, (json, transport) => this.#flowOf(json, transport))
    if (event === undefined) {
      this.counts.unreadable++
      return
    }
    this.#judge(event, mark)
  }

  #judge(event: WireEvent, mark: EventMark): void {
    // Alerts name the sensor that was heard first, and how it captures.
    const engine = this.#engine ??= this.#start(mark.sensor, mark.source)
    this.#tellMissing(event.at)
    try {
      engine.event(event)
      this.counts.judged++
    } catch {
      // An event that nobody of us sent. What it has changed, it changes again whenever these messages are read.
      this.counts.unreadable++
    }
    if (!('flow' in event)) return
    const { id } = event.flow
    this.#conversations.delete(id)
    if (event.kind === 'flow') return
    this.#conversations.set(id, { flow: event.flow, last: event.at })
    if (this.#conversations.size > SITE_LIMITS.flows) this.#conversations.delete(this.#conversations.keys().next().value!)
    const day = Math.floor(event.at / DAY)
    if (day > this.#day) this.#forget(day, event.at - SILENT)
  }

  /** At most once an hour of capture time: a sensor that loses events loses many times. */
  #tellMissing(at: Micros): void {
    const { missed } = this.counts
    const more = missed - this.#told.missed
    const hour = Math.floor(at / HOUR)
    if (more === 0 || hour <= this.#told.hour) return
    this.#told = { hour, missed }
    this.#options.onAlert(selfAlert({
      detector: 'ops.events_missing', sensor: this.#sensor, severity: 'medium', title: 'Events of the sensor never came', raisedAt: at, observed: more, expected: 0, unit: 'events', count: more,
      text: `By their numbers, ${more} events of the site's sensors were lost on the way to the workers, ${missed} since it began: what they told was not judged. The sensor tells why (ops.events_lost), or the topic keeps too little.`,
      identity: `${this.#sensor} missing ${at} ${missed}`,
    }))
  }

  #start(sensor: string, source: string): Engine {
    const { onAlert, calendar, learnUntil } = this.#options
    this.#sensor = sensor
    this.#source = source
    return new Engine({ onAlert, sensor, source, ...(calendar && { calendar }), ...(learnUntil !== undefined && { learnUntil }) })
  }

  #flowOf(json: FlowJson, transport: Flow['transport']): Flow {
    return this.#conversations.get(json.id)?.flow ?? { ...json, transport }
  }

  #forget(day: number, before: Micros): void {
    this.#day = day
    for (const [id, { last }] of this.#conversations) if (last < before) this.#conversations.delete(id)
  }

  /** JSON-able entries. Most of them stay the same from save to save: there is one for each device. */
  * save(): Iterable<[string, unknown]> {
    if (this.#engine === undefined) return
    yield ['site', { sensor: this.#sensor, source: this.#source, day: this.#day, counts: this.counts, streams: [...this.#streams], told: this.#told } satisfies Saved]
    const open = [...this.#conversations.values()]
    for (let i = 0; i < open.length; i += CHUNK) {
      yield [`flows/${i / CHUNK}`, open.slice(i, i + CHUNK).map(({ flow, last }) => [flow, last, this.#engine!.saveFlow(flow)])]
    }
    for (const [name, value] of this.#engine.save()) yield [`engine/${name}`, value]
  }

  /** Continues exactly where `save` left off. */
  load(entries: ReadonlyMap<string, unknown>): void {
    const { sensor, source, day, counts, streams, told } = entries.get('site') as Saved
    this.#day = day
    this.counts = { ...counts }
    this.#streams = new Map(streams)
    if (told !== undefined) this.#told = told
    const engine = this.#engine = this.#start(sensor, source)
    engine.load([...entries].filter(([name]) => name.startsWith('engine/')).map(([name, value]) => [name.slice('engine/'.length), value]))
    for (let i = 0; entries.has(`flows/${i}`); i++) {
      for (const [flow, last, state] of entries.get(`flows/${i}`) as [Flow, Micros, unknown][]) {
        this.#conversations.set(flow.id, { flow, last })
        if (state !== undefined && state !== null) engine.loadFlow(flow, state)
      }
    }
  }
}
