/** Frame -> event -> alert, wired. Whoever has frames (files, a live interface) pushes them in; what comes out goes to the callbacks. */
import { Engine, type Ablation } from '../models/engine.ts'
import type { Alert } from '../models/alert.ts'
import { Posture } from '../models/posture/posture.ts'
import type { Calendar } from '../models/calendar.ts'
import type { Feedback } from '../models/feedback.ts'
import type { Frame } from '../protocols/capture/frame.ts'
import type { Statistics } from '../protocols/capture/window.ts'
import { Decoder } from '../protocols/decoder.ts'
import type { EventKind, Micros, WireEvent } from '../protocols/events.ts'
import { Pseudonyms } from '../protocols/phi.ts'

/** What may change while it runs. */
export interface JudgingOptions {
  sensor: string
  calendar?: Calendar | undefined
}

export interface PipelineOptions extends JudgingOptions {
  siteKey: Uint8Array
  source: string
  communityIdSeed: number
  learnUntil?: Micros | undefined
  freeze?: boolean
  /** False: events are only decoded and handed on, others judge them; what was learned before stays as it is. Default: true. */
  judge?: boolean
  /** Keep what inventory and segments are made of. */
  posture?: boolean
  /** Parts of the model left out, for measurements. */
  without?: readonly Ablation[] | undefined
  /** What was learned before (`learned`). */
  learned?: Iterable<[string, unknown]>
  /** Tell of the sensor with an event each capture minute, not only at the end. */
  reports?: boolean
  onEvent?: ((event: WireEvent) => void) | undefined
  onAlert(alert: Alert): void
}

const MINUTE = 60_000_000

export class Pipeline {
  readonly decoder: Decoder
  readonly #options: PipelineOptions
  #engine: Engine
  readonly posture: Posture | undefined
  /** Events by kind. */
  readonly events = new Map<EventKind, number>()
  /** Violations by protocol and code. */
  readonly violations = new Map<string, number>()
  #nextReport: Micros = Infinity
  /** The minute reported last. */
  #reported: Micros = 0
  /** Drops that the streams before this one told of, and this one, by interface. */
  #lostBefore = { kernel: 0, interface: 0 }
  #lostNow = new Map<number, Statistics>()

  constructor(options: PipelineOptions) {
    const { onEvent } = options
    this.#options = options
    this.#engine = this.#newEngine(options)
    this.posture = options.posture === true ? new Posture() : undefined
    if (options.learned) {
      const learned = new Map(options.learned)
      this.#engine.load(learned)
      this.posture?.load(learned)
    }
    this.decoder = new Decoder({
      pseudonyms: new Pseudonyms(options.siteKey),
      communityIdSeed: options.communityIdSeed,
      emit: (event) => {
        this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1)
        if (event.kind === 'violation') this.violations.set(`${event.protocol}.${event.code}`, (this.violations.get(`${event.protocol}.${event.code}`) ?? 0) + 1)
        onEvent?.(event)
        this.posture?.event(event)
        this.#judge(event)
      },
    })
  }

  frame(frame: Frame): void {
    // Before the frame that brings the minute, so that the report is the same whether a frame or a tick does.
    if (frame.at >= this.#nextReport) this.#report()
    this.decoder.frame(frame)
    // Where the clock stands still or was set back, too.
    if (frame.at >= this.#nextReport || this.through < this.#nextReport - MINUTE) this.#nextReport = nextMinute(this.through)
  }

  /** The network is quiet, and time has come to `at`. */
  tick(at: Micros): void {
    if (at >= this.#nextReport) this.#report()
    this.decoder.tick(at)
    this.#nextReport = nextMinute(this.through)
    if (this.#options.judge !== false) this.#engine.tick(this.through)
  }

  /** A stream of frames begins; what it says of itself counts from zero. */
  begin(): void {
    const { kernel, interface: lost } = this.decoder.lostInCapture
    this.#lostBefore = { kernel, interface: lost }
    this.#lostNow.clear()
  }

  /** What whoever captures says of itself. @param isClock its time is ours: there is no other stream */
  statistics(statistics: Statistics, isClock = true): void {
    const before = this.#lostNow.get(statistics.interfaceId)
    // Whoever counts anew has begun anew.
    if (before !== undefined && (before.kernelDrops > statistics.kernelDrops || before.interfaceDrops > statistics.interfaceDrops)) {
      this.#lostBefore.kernel += before.kernelDrops
      this.#lostBefore.interface += before.interfaceDrops
    }
    this.#lostNow.set(statistics.interfaceId, statistics)
    const lost = this.decoder.lostInCapture
    Object.assign(lost, this.#lostBefore)
    for (const { kernelDrops, interfaceDrops } of this.#lostNow.values()) {
      lost.kernel += kernelDrops
      lost.interface += interfaceDrops
    }
    if (isClock && statistics.at !== null && this.decoder.frames > 0) this.tick(statistics.at)
  }

  /** Capture time, as far as it has come. */
  get through(): Micros {
    return this.decoder.now
  }

  /** The input is over: conversations end, and the engine says its last word. `truncated`: it ended in the middle of a record. */
  finish(truncated = false): void {
    this.decoder.finish(truncated)
    if (this.#options.judge !== false) this.#engine.finish(this.through)
  }

  /** Judges by other declarations from now on. What was learned and every conversation go on. */
  reconfigure(options: JudgingOptions): void {
    const engine = this.#newEngine({ ...this.#options, ...options })
    engine.load(this.#engine.save())
    this.#engine = engine
  }

  /** Judges by these answers of analysts from now on. */
  heed(feedback: readonly Feedback[]): void {
    this.#engine.heed(feedback)
  }

  /** The engine's devices and expectations, to look at. */
  get outlook(): Pick<Engine, 'view' | 'readings' | 'counts' | 'findings' | 'incidents'> {
    return this.#engine
  }

  /** What was learned so far. */
  *learned(): Iterable<[string, unknown]> {
    yield* this.#engine.save()
    if (this.posture !== undefined) yield* this.posture.save()
  }

  #newEngine({ calendar, learnUntil, sensor, source, freeze, without }: PipelineOptions): Engine {
    return new Engine({
      onAlert: (alert) => this.#options.onAlert(alert),
      sensor, source,
      freeze: freeze ?? false,
      ...(without && { without }),
      ...(calendar && { calendar }),
      ...(learnUntil !== undefined && { learnUntil }),
    })
  }

  /** The engine always hears how much was lost, so that alerts say the same live and replayed. */
  #report(): void {
    const minute = nextMinute(this.through)
    // One of many frames that claim to be from the future.
    if (minute === this.#reported) return
    this.#reported = minute
    const report = this.decoder.report()
    if (this.#options.reports === true) {
      this.events.set('capture', (this.events.get('capture') ?? 0) + 1)
      this.#options.onEvent?.(report)
    }
    this.#judge(report)
  }

  #judge(event: WireEvent): void {
    if (this.#options.judge !== false) this.#engine.event(event)
  }
}

const nextMinute = (at: Micros): Micros => (Math.floor(at / MINUTE) + 1) * MINUTE
