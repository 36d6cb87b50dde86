/**
 * Never blind and green: the service watches itself, and says in an alert when it sees less than it should, nothing at all, or can't tell anybody.
 * Each trouble is one alert: raised when it begins, written again with a higher revision when it is over. Wall clock, because this is about the
 * service, not about the traffic.
 */
import type { Alert, Severity } from '../../models/alert.ts'
import type { Config } from '../config.ts'
import { selfAlert, type SelfObservation } from '../sinks/self-alert.ts'

/** Counters since the start, as they are now. */
export interface Sight {
  frames: number
  bytes: number
  /** Frames that the kernel and the interface say they lost. */
  dropped: number
  /** Bytes that conversations prove missing. */
  gaps: number
  /** Times that a memory which all conversations share was full. */
  crowded: number
  sinks: readonly Standing[]
  /** Events that workers will never see. */
  eventsLost: number
}

/** Whoever takes alerts, or events. */
interface Standing {
  sink: string
  what: 'alerts' | 'events'
  held: number
  delivered: number
}

/** Loss is counted over so long, milliseconds. */
const WINDOW = 60_000
/** Fewer lost frames than this are no trouble, whatever part of the rest they are. */
const FEW_FRAMES = 10
/** Zeek's rule for its own notice: a tenth of the bytes missing. And the least traffic at which it says something. */
const GAPS = 0.1
const GAPS_FROM_BYTES = 1_000_000
/** What a burst may cost without anybody having meant it. */
const FEW_FORGOTTEN = 100

interface Trouble {
  alert: SelfObservation
}

type Words = Pick<SelfObservation, 'title' | 'text' | 'observed' | 'expected' | 'unit'> & Partial<SelfObservation>

export class SelfWatch {
  #sensor: string
  #service: Config['service']
  readonly #onAlert: (alert: Alert) => void
  readonly #now: () => number
  readonly #open = new Map<string, Trouble>()
  #window: { since: number; sight: Sight } | undefined
  #lastFrames = 0
  #heard: number
  /** As told last, and when that was. */
  #eventsLost = { count: 0, at: 0 }
  /** When each sink last took something, or had nothing to take. */
  readonly #progress = new Map<string, { at: number; delivered: number }>()

  /** @param now milliseconds since 1970 */
  constructor(sensor: string, service: Config['service'], onAlert: (alert: Alert) => void, now: () => number = Date.now) {
    this.#sensor = sensor
    this.#service = service
    this.#onAlert = onAlert
    this.#now = now
    this.#heard = now()
  }

  configure(sensor: string, service: Config['service']): void {
    this.#sensor = sensor
    this.#service = service
  }

  /** Names of the troubles that are going on. */
  get troubles(): string[] {
    return [...this.#open.keys()]
  }

  /** Milliseconds since a frame came. */
  get silence(): number {
    return this.#now() - this.#heard
  }

  /** Milliseconds that alerts or events have waited for a sink that takes none; 0 while it takes them. */
  stalled(sink: string, what: Standing['what'] = 'alerts'): number {
    const progress = this.#progress.get(`${sink} ${what}`)
    return progress === undefined ? 0 : this.#now() - progress.at
  }

  /** To be called every second or so. */
  look(sight: Sight): void {
    this.#traffic(sight)
    this.#loss(sight)
    for (const standing of sight.sinks) this.#sink(standing)
    this.#events(sight.eventsLost)
  }

  /** Frames do not come any more, because whoever captures is gone. */
  captureGone(why: string): void {
    this.#begin('ops.capture_restarted', 'high', {
      title: 'Capturing stopped', text: `The capturing process ended (${why}); it is started again. What passes meanwhile is not seen.`, observed: 1, expected: 0, unit: 'ends',
    })
  }

  captureBack(): void {
    this.#end('ops.capture_restarted', (seconds) => ({ title: 'Capturing goes on', text: `The capturing process had ended, and captures again: ${seconds} s were not seen.`, observed: seconds, unit: 's' }))
  }

  #traffic({ frames }: Sight): void {
    if (frames > this.#lastFrames) {
      this.#lastFrames = frames
      this.#heard = this.#now()
      this.#end('ops.no_traffic', (seconds) => ({ title: 'Traffic is captured again', text: `Frames come again, after ${seconds} s of silence beyond the limit.`, observed: seconds, unit: 's' }))
    } else if (this.silence > this.#service.no_traffic_minutes * 60_000) {
      const seconds = Math.round(this.silence / 1000)
      this.#begin('ops.no_traffic', 'high', {
        title: 'No traffic is captured', observed: seconds, expected: this.#service.no_traffic_minutes * 60, unit: 's',
        text: `No frame was captured for ${seconds} s. A mirror port that was moved, a cable, or an interface that is down looks like this; so does a network that is switched off.`,
      })
    }
  }

  #loss(sight: Sight): void {
    const now = this.#now()
    this.#window ??= { since: now, sight }
    const before = this.#window.sight
    const dropped = sight.dropped - before.dropped
    const frames = sight.frames - before.frames + dropped
    const gaps = sight.gaps - before.gaps
    const bytes = sight.bytes - before.bytes + gaps
    const ofFrames = dropped > FEW_FRAMES && dropped > this.#service.loss * frames
    const ofBytes = gaps > GAPS * bytes && bytes > GAPS_FROM_BYTES
    if (ofFrames) {
      this.#begin('ops.capture_loss', 'high', {
        title: 'The sensor loses frames', observed: dropped, expected: 0, unit: 'frames', loss: dropped / frames, count: dropped,
        text: `${dropped} of ${frames} frames were lost before they could be read, ${percent(dropped, frames)} (more than ${percent(this.#service.loss, 1)} is told). Counts are too low meanwhile, and conversations have gaps. A filter, a larger --buffer or a faster machine would help.`,
      })
    } else if (ofBytes) {
      this.#begin('ops.capture_loss', 'high', {
        title: 'Bytes are missing in what is captured', observed: gaps, expected: 0, unit: 'bytes', loss: gaps / bytes,
        text: `${percent(gaps, bytes)} of the bytes of conversations never came. A mirror port that has more to say than its line carries, or that shows one direction only, looks like this.`,
      })
    }
    const forgotten = sight.crowded - before.crowded
    if (forgotten > FEW_FORGOTTEN) this.#crowd(forgotten)
    if (now - this.#window.since < WINDOW) return
    if (forgotten === 0) this.#end('ops.crowded', (seconds) => ({ title: 'The sensor remembers all again', text: `For a minute nothing had to be forgotten, after ${seconds} s.`, observed: seconds, unit: 's' }))
    if (!ofFrames && !ofBytes) this.#end('ops.capture_loss', (seconds) => ({ title: 'The sensor loses no more', text: `Loss has ended, after ${seconds} s.`, observed: seconds, unit: 's' }))
    this.#window = { since: now, sight }
  }

  #crowd(forgotten: number): void {
    this.#begin('ops.crowded', 'medium', {
      title: 'The sensor must forget conversations', observed: forgotten, expected: 0, unit: 'conversations', count: forgotten,
      text: `Within a minute ${forgotten} conversations were forgotten, or what they waited for, because there were too many that do not end. A scan or a flood of invented senders looks like this, also one that is meant to blind the sensor; or the network is larger than the limits (wardwire_limit_reached_total names them).`,
    })
  }

  #sink({ sink, what, held, delivered }: Standing): void {
    const name = `${sink} ${what}`
    const kind = `ops.outbox_growing ${name}`
    const progress = this.#progress.get(name)
    const stalled = this.stalled(sink, what)
    if (progress === undefined || held === 0 || delivered > progress.delivered) {
      this.#progress.set(name, { at: this.#now(), delivered })
      this.#end(kind, (seconds) => ({ title: `${sink} takes ${what} again`, text: `${what === 'alerts' ? 'Alerts' : 'Events'} for ${sink} waited, and are delivered again after ${seconds} s.`, observed: seconds, unit: 's' }))
    } else if (stalled > this.#service.stalled_minutes * 60_000) {
      this.#begin(kind, 'medium', {
        title: `${what === 'alerts' ? 'Alerts' : 'Events'} wait for ${sink}`, observed: held, expected: 0, unit: what,
        text: `${held} ${what} wait for ${sink}, which has taken none for ${Math.round(stalled / 1000)} s. They are kept; when the disk they may use is full, the ${what === 'alerts' ? 'least severe' : 'oldest'} go first.`,
      })
    }
  }

  #events(lost: number): void {
    const now = this.#now()
    const more = lost - this.#eventsLost.count
    if (more > 0) {
      this.#eventsLost = { count: lost, at: now }
      this.#begin('ops.events_lost', 'high', {
        title: 'Events are lost on the way to the workers', observed: more, expected: 0, unit: 'events', count: more,
        text: `${more} events found no room while Kafka took none, or could not be read back: workers will not judge them. More disk (event_outbox_bytes), or brokers that are there, would help.`,
      })
    } else if (now - this.#eventsLost.at >= WINDOW) {
      this.#end('ops.events_lost', () => ({ title: 'No more events are lost', text: `Events reach the workers again; ${lost} were lost since the start.`, observed: lost, unit: 'events', count: lost }))
    }
  }

  #begin(kind: string, severity: Severity, words: Words): void {
    if (this.#open.has(kind)) return
    const raisedAt = this.#now() * 1000
    const alert: SelfObservation = { detector: kind.split(' ')[0]!, sensor: this.#sensor, severity, raisedAt, identity: `${this.#sensor} ${kind} ${raisedAt}`, ...words }
    this.#open.set(kind, { alert })
    this.#onAlert(selfAlert(alert))
  }

  #end(kind: string, words: (seconds: number) => Partial<SelfObservation>): void {
    const trouble = this.#open.get(kind)
    if (trouble === undefined) return
    this.#open.delete(kind)
    const lastSeen = this.#now() * 1000
    this.#onAlert(selfAlert({ ...trouble.alert, ...words(Math.round((lastSeen - trouble.alert.raisedAt) / 1e6)), revision: 2, lastSeen }))
  }
}

const percent = (part: number, whole: number): string => `${(100 * part / whole).toFixed(1)} %`
