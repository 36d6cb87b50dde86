/**
 * A sensor that may be left running: frames from a feed through the pipeline to whoever wants alerts, and around it what keeps it honest:
 * checkpoints, signals, a new configuration, health, and alerts about itself.
 *
 * - An alert is in the store within a moment, and leaves it when its receiver has it (`store/outbox.ts`). What was learned, how far it has come,
 *   and the alerts accepted since are saved in one transaction, now and then and at the end: a restart goes on from there.
 * - SIGTERM or SIGINT: frames on their way are read, conversations end, everything is judged, saved and delivered as far as time allows, exit code 0.
 *   A second signal ends it at once. SIGHUP: the configuration is read again; one that is wrong changes nothing.
 */
import type { Alert } from '../models/alert.ts'
import type { Calendar } from '../models/calendar.ts'
import type { Micros } from '../protocols/events.ts'
import { rfc3339 } from '../protocols/time.ts'
import type { Config, KafkaConfig } from './config.ts'
import { reason } from './errors.ts'
import { Pipeline } from './pipeline.ts'
import { LiveSource } from './report/live-source.ts'
import { serveConsole } from './report/serve.ts'
import { EVENT_PUBLISHING, EventPublisher } from './sinks/event-publisher.ts'
import { FORMATS, type Format } from './sinks/formats/index.ts'
import { JsonLines } from './sinks/jsonl.ts'
import { Publisher } from './sinks/publisher.ts'
import type { MakeSink } from './sinks/sink.ts'
import { alertText, terminalStyle } from './sinks/terminal.ts'
import { eventJson } from './sinks/event-json.ts'
import type { Feed } from './sources/live.ts'
import { Recorder } from './sources/recorder.ts'
import { siteKeyOf } from './store/site-key.ts'
import { Checkpoints } from './store/checkpoints.ts'
import { EventSpool } from './store/event-spool.ts'
import { State } from './store/state.ts'
import { HealthServer, type Check } from './telemetry/health.ts'
import type { Log } from './telemetry/log.ts'
import { metricsPage } from './telemetry/metrics.ts'
import { startLoopMeasure } from './telemetry/page.ts'
import { SelfWatch } from './telemetry/self-watch.ts'
import { serviceChecks } from './telemetry/service-checks.ts'

/** What a new configuration may change. */
export interface Settings {
  config: Config
  calendar: Calendar | undefined
  /** Undefined where alerts go nowhere but to --alerts. `fingerprint` tells whether two are the same. */
  sinks: { makers: ReadonlyMap<string, MakeSink>; fingerprint: string } | undefined
}

export interface ServiceOptions {
  feed: Feed
  /** What the feed reads, for metrics. */
  source: string
  settings: Settings
  /** @throws {UserError} when the configuration is wrong */
  reread(): Settings
  alerts: string | undefined
  format: Format
  events: string | undefined
  /** Where to keep what was captured. */
  record: string | undefined
  stateFolder: string | undefined
  freeze: boolean
  /** False: events are published for workers to judge, and alerts are only about the sensor itself. */
  judge: boolean
  learnUntil: Micros | undefined
  /** The feed may bring frames that the state has learned from before: they are passed over. */
  skipsKnown: boolean
  metricsPort: number | undefined
  /** Serve the console there. */
  consolePort: number | undefined
  eventBrokers: KafkaConfig | undefined
  log: Log
}

/** From the first signal to the end: what delivery may take, and what everything may, milliseconds. */
const DELIVER_WITHIN = 12_000
const END_WITHIN = 19_000
/** How long a sink may leave alerts without an acknowledgement when the input has ended by itself, milliseconds. */
const PATIENCE = 20_000
/** Between two looks at ourselves, milliseconds. */
const LOOK = 1000

export class Service {
  readonly #options: ServiceOptions
  readonly #log: Log
  #settings: Settings
  readonly #state: State | undefined
  /** Where alerts wait: the state, or a folder that lasts as long as the run. */
  #store: State | undefined
  readonly #siteKey: Uint8Array
  readonly #pipeline: Pipeline
  readonly #self: SelfWatch
  #publisher: Publisher | undefined
  /** Alerts that come while one publisher takes over from another. */
  #between: Alert[] | undefined
  readonly #alertLines: JsonLines | undefined
  readonly #eventLines: JsonLines | undefined
  readonly #recorder: Recorder | undefined
  readonly #eventPublisher: EventPublisher | undefined
  /** Where events wait for brokers that are away. */
  readonly #spool: EventSpool | undefined
  /** What the console shows. */
  readonly #live: LiveSource | undefined
  readonly #bySeverity = new Map<string, number>()
  readonly #checkpoints: Checkpoints
  readonly #reloads = { ok: 0, refused: 0 }
  /** Why the last configuration was refused, and nothing is captured. */
  #reloadProblem: string | null = null
  #captureProblem: string | null = null
  #restarts = 0
  #known = 0
  #stopping: NodeJS.Signals | 'an output that failed' | undefined

  /** @throws {UserError} when the state or an output can't be opened */
  constructor(options: ServiceOptions) {
    this.#options = options
    this.#log = options.log
    this.#settings = options.settings
    const { config, calendar } = options.settings
    this.#state = options.stateFolder === undefined ? undefined : new State(options.stateFolder)
    this.#siteKey = siteKeyOf(this.#state, config.site_key_file, (line) => this.#log.warn(line))
    // What was there before a restart stays.
    this.#alertLines = options.alerts === undefined ? undefined : new JsonLines(options.alerts, true)
    this.#eventLines = options.events === undefined ? undefined : new JsonLines(options.events, true)
    this.#recorder = options.record === undefined ? undefined : new Recorder(options.record)
    const say = (line: string): void => this.#log.warn(line)
    if (options.eventBrokers !== undefined) {
      this.#spool = options.stateFolder === undefined ? undefined : new EventSpool(options.stateFolder, config.event_outbox_bytes)
      this.#eventPublisher = new EventPublisher(options.eventBrokers, config, 'live', `${options.source} ${Date.now()}`, say, EVENT_PUBLISHING, this.#spool)
    }
    this.#self = new SelfWatch(config.sensor, config.service, (alert) => this.#alert(alert))
    this.#pipeline = new Pipeline({
      siteKey: this.#siteKey, calendar,
      sensor: config.sensor,
      source: 'live',
      communityIdSeed: config.community_id_seed,
      learnUntil: options.learnUntil,
      freeze: options.freeze,
      judge: options.judge,
      reports: true,
      posture: this.#state !== undefined || options.consolePort !== undefined,
      ...(this.#state && { learned: this.#state.model() }),
      onEvent: (this.#eventLines ?? this.#eventPublisher ?? options.consolePort) === undefined ? undefined : (event) => {
        this.#live?.event(event)
        this.#eventLines?.write(eventJson(event))
        this.#eventPublisher?.accept(event)
      },
      onAlert: (alert) => this.#alert(alert),
    })
    this.#checkpoints = new Checkpoints(this.#state === undefined || options.freeze ? undefined : () => this.#save(this.#state!), () => this.#settings.config.service.checkpoint_seconds, this.#log)
    this.#publisher = this.#newPublisher(options.settings)
    this.#live = options.consolePort === undefined ? undefined : new LiveSource({
      pipeline: this.#pipeline, state: this.#storage(), zone: calendar?.tz,
      about: () => ({
        sensor: this.#settings.config.sensor, segments: this.#settings.config.segments,
        files: options.record === undefined ? [] : [options.record], origin: options.alerts === '-' ? undefined : options.alerts,
      }),
    })
  }

  /** @returns the exit code. @throws {UserError} when the feed can't be read from the beginning */
  async run(): Promise<number> {
    startLoopMeasure()
    const health = await this.#listen()
    const desk = await this.#openConsole()
    const onStop = (signal: NodeJS.Signals): void => this.#stop(signal)
    const onReload = (): void => { void this.#reload() }
    process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onReload)
    const look = setInterval(() => this.#look(), LOOK)
    this.#checkpoints.start()
    this.#log.info('watching', { source: this.#options.source, ...(this.#state && { state: this.#options.stateFolder, learned_through: rfc3339(this.#state.savedThrough) }) })
    if (!this.#options.judge) this.#log.info('judging nothing here: events go to the workers (wardwire detect); --alerts, --publish or --console would judge here too')
    if (this.#state === undefined && !this.#options.freeze) this.#log.warn(this.#options.judge ? 'without --state what is learned ends with this run' : 'without --state events wait in memory, not on disk, while the brokers are away')
    try {
      return await this.#watch()
    } finally {
      clearInterval(look)
      this.#checkpoints.stop()
      process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onReload)
      health?.close()
      await desk?.close()
      await this.#eventPublisher?.close(0)
      await this.#spool?.close()
      await this.#publisher?.drain(0)
      await this.#store?.close()
      if (this.#state !== this.#store) await this.#state?.close()
    }
  }

  async #watch(): Promise<number> {
    const problem = await this.#options.feed.run({
      onBegin: () => {
        this.#log.info(`capturing from ${this.#options.source}`)
        this.#pipeline.begin()
        this.#recorder?.begin()
      },
      onFrame: (frame) => {
        if (this.#options.skipsKnown && this.#state !== undefined && frame.at <= this.#state.savedThrough) {
          this.#known++
          return
        }
        if (this.#captureProblem !== null) this.#captureBack()
        this.#recorder?.frame(frame)
        this.#pipeline.frame(frame)
      },
      onStatistics: (statistics) => {
        if (this.#captureProblem !== null) this.#captureBack()
        this.#recorder?.statistics(statistics)
        this.#pipeline.statistics(statistics)
      },
      onTick: (at) => this.#pipeline.tick(at),
      onTrouble: (why) => {
        this.#log.error(`capturing stopped: ${why}`)
        this.#captureProblem = why
        this.#self.captureGone(why)
      },
      afterChunk: () => this.#drained(),
    })
    return this.#finish(problem)
  }

  /** The input is over, or we are told to end: the last word of everything. @returns the exit code */
  async #finish(problem: string | null): Promise<number> {
    let whole = problem === null || this.#stopping !== undefined
    if (!whole) this.#log.error(`${this.#options.source}: ${problem}`)
    if (this.#known > 0) this.#log.info(`${this.#known} frames were passed over: the state has learned from them before`)
    this.#pipeline.finish()
    for (const output of [this.#alertLines, this.#eventLines, this.#recorder]) {
      await output?.close().catch((error: unknown) => {
        this.#log.error(reason(error))
        whole = false
      })
    }
    if (!this.#checkpoints.take()) whole = false
    const delivered = await Promise.all([this.#publisher && this.#delivered(this.#publisher), this.#eventPublisher && this.#published(this.#eventPublisher)])
    if (delivered.includes(false)) whole = false
    const { decoder } = this.#pipeline
    this.#log.info('done', { frames: decoder.frames, bytes: decoder.bytes, through: rfc3339(this.#pipeline.through), alerts: Object.fromEntries(this.#bySeverity) })
    return whole && this.#stopping !== 'an output that failed' ? 0 : 1
  }

  /** @returns whether every alert reached its sink. What waits in the state is not lost, and who was told to end has done what was asked. */
  async #delivered(publisher: Publisher): Promise<boolean> {
    const isSignal = this.#stopping !== undefined
    const { left, lost } = await publisher.drain(isSignal ? DELIVER_WITHIN : PATIENCE, !isSignal)
    if (left > 0) this.#log.warn(`${left} alerts did not reach their sink${this.#state ? ': they wait in the state for the next run' : ''}`)
    if (lost > 0) this.#log.error(`${lost} alerts could not be stored, and did not reach their sink`)
    return lost === 0 && (left === 0 || (isSignal && this.#state !== undefined))
  }

  /** @returns whether every event reached Kafka, or waits on disk for the next run, which is as well where we were told to end */
  async #published(publisher: EventPublisher): Promise<boolean> {
    const isSignal = this.#stopping !== undefined
    const { sent, waiting, lost } = await publisher.close(isSignal ? DELIVER_WITHIN : PATIENCE, !isSignal)
    this.#log.info(`published ${sent} events`)
    if (lost > 0) this.#log.error(`${lost} events were lost on the way to Kafka`)
    if (waiting > 0 && publisher.isKept) this.#log.warn(`${waiting} events wait in the state for the next run`)
    else if (waiting > 0) this.#log.error(`${waiting} events did not reach Kafka`)
    return lost === 0 && (waiting === 0 || (publisher.isKept && isSignal))
  }

  // ------------------------------------------------------------------------------------------------ alerts

  #alert(alert: Alert): void {
    this.#bySeverity.set(alert.severity, (this.#bySeverity.get(alert.severity) ?? 0) + 1)
    if (this.#alertLines !== undefined) {
      this.#alertLines.write(FORMATS[this.#options.format](alert))
    } else if (this.#options.events !== '-') {
      process.stdout.write(`${alertText(alert, terminalStyle(process.stdout))}\n`)
    }
    if (this.#between !== undefined) this.#between.push(alert)
    else this.#publisher?.accept(alert)
    this.#live?.alert(alert)
  }

  #newPublisher({ config, sinks }: Settings): Publisher | undefined {
    if (sinks === undefined) return undefined
    return new Publisher(this.#storage(), sinks.makers, config, (line) => this.#log.warn(line))
  }

  #storage(): State {
    return (this.#store ??= this.#state ?? State.temporary())
  }

  /** Waits for the outputs; one that can't be written any more ends the run. */
  async #drained(): Promise<void> {
    for (const output of [this.#alertLines, this.#eventLines, this.#recorder]) {
      if (output !== undefined && !await output.drained()) this.#stop('an output that failed')
    }
  }

  // ------------------------------------------------------------------------------------------------ state

  /** What was learned, how far it has come, and the alerts since the last time, in one transaction. */
  #save(state: State): void {
    const save = (also?: () => void): void => state.save(this.#pipeline.learned(), Math.max(this.#pipeline.through, state.savedThrough), this.#siteKey, also)
    if (this.#publisher !== undefined && this.#store === state) this.#publisher.checkpoint(save)
    else save()
  }

  // ------------------------------------------------------------------------------------------------ signals

  #stop(why: NodeJS.Signals | 'an output that failed'): void {
    if (this.#stopping !== undefined) {
      // One failed output may be told several times; a second signal means now.
      if (why === 'an output that failed') return
      process.exit(why === 'SIGINT' ? 130 : 143)
    }
    this.#stopping = why
    this.#log.info(`ending, because of ${why}`)
    setTimeout(() => {
      this.#log.error('ending took too long')
      process.exit(1)
    }, END_WITHIN).unref()
    this.#options.feed.stop()
  }

  /** Reads the configuration again. One that is wrong changes nothing. */
  async #reload(): Promise<void> {
    let next: Settings
    try {
      next = this.#options.reread()
      if (next.sinks?.fingerprint !== this.#settings.sinks?.fingerprint && this.#publisher?.refusing !== undefined) {
        throw new Error(`the store refuses alerts (${this.#publisher.refusing}): sinks can't change now`)
      }
    } catch (error) {
      this.#reloads.refused++
      this.#reloadProblem = reason(error)
      this.#log.error(`the new configuration is refused, the old one stays: ${this.#reloadProblem}`)
      return
    }
    const before = this.#settings
    this.#settings = next
    this.#pipeline.reconfigure({ sensor: next.config.sensor, calendar: next.calendar })
    this.#self.configure(next.config.sensor, next.config.service)
    for (const key of ['site_key_file', 'community_id_seed', 'site', 'event_outbox_bytes'] as const) {
      if (before.config[key] !== next.config[key]) this.#log.warn(`${key} changes with the next start`)
    }
    if (next.sinks?.fingerprint !== before.sinks?.fingerprint) await this.#changeSinks(next)
    this.#reloads.ok++
    this.#reloadProblem = null
    this.#log.info('the new configuration is in force')
  }

  /** What waits stays in the store, where the new sinks of the same names find it. */
  async #changeSinks(next: Settings): Promise<void> {
    const old = this.#publisher
    this.#between = []
    await old?.drain(0)
    this.#publisher = this.#newPublisher(next)
    const came = this.#between
    this.#between = undefined
    for (const alert of came) this.#publisher?.accept(alert)
  }

  // ------------------------------------------------------------------------------------------------ ourselves

  #captureBack(): void {
    this.#captureProblem = null
    this.#restarts++
    this.#log.info('capturing goes on')
    this.#self.captureBack()
  }

  #look(): void {
    this.#alertLines?.flush()
    this.#eventLines?.flush()
    this.#recorder?.flush()
    const { decoder } = this.#pipeline
    const { kernel, interface: lost } = decoder.lostInCapture
    const events = this.#eventPublisher?.books
    this.#self.look({
      frames: decoder.frames, bytes: decoder.bytes, dropped: kernel + lost, gaps: decoder.tcp.lost, crowded: decoder.crowded,
      sinks: [
        ...(this.#publisher?.standing() ?? []).map(({ sink, totals }) => ({ sink, what: 'alerts' as const, held: totals.held, delivered: totals.delivered })),
        ...(events === undefined ? [] : [{ sink: 'kafka', what: 'events' as const, held: events.waiting, delivered: events.sent }]),
      ],
      eventsLost: events?.lost ?? 0,
    })
  }

  async #listen(): Promise<HealthServer | undefined> {
    if (this.#options.metricsPort === undefined) return undefined
    const health = new HealthServer(() => this.#checks(), () => metricsPage(this.#pipeline, {
      source: this.#options.source, alerts: this.#bySeverity, captureRestarts: this.#restarts, reloads: this.#reloads,
      checkpoints: this.#checkpoints, standing: this.#publisher?.standing() ?? [],
      published: this.#eventPublisher && { ...this.#eventPublisher.books, bytes: this.#eventPublisher.spooled },
    }))
    const port = await health.listen(this.#options.metricsPort)
    this.#log.info(`health and metrics on http://127.0.0.1:${port}`, { port })
    return health
  }

  async #openConsole(): Promise<{ close(): Promise<void> } | undefined> {
    const { consolePort, stateFolder } = this.#options
    return this.#live === undefined ? undefined : serveConsole(this.#live, consolePort!, stateFolder, this.#log)
  }

  #checks(): Check[] {
    return serviceChecks({
      self: this.#self, settings: this.#settings.config.service, publisher: this.#publisher, eventPublisher: this.#eventPublisher,
      problems: { capture: this.#captureProblem, state: this.#checkpoints.problem, config: this.#reloadProblem },
    })
  }
}
