/** `wardwire replay FILE...`: reads captures in capture-time order, learns and judges as it goes. */
import { statSync } from 'node:fs'
import type { Calendar } from '../../models/calendar.ts'
import type { Alert } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { kafkaConfig, loadConfig, type Config } from '../config.ts'
import { UserError, reason } from '../errors.ts'
import { Pipeline } from '../pipeline.ts'
import { eventJson } from '../sinks/event-json.ts'
import type { EventPublisher } from '../sinks/event-publisher.ts'
import { FORMATS, type Format } from '../sinks/formats/index.ts'
import { JsonLines } from '../sinks/jsonl.ts'
import type { Publisher } from '../sinks/publisher.ts'
import type { MakeSink } from '../sinks/sink.ts'
import { alertText, countBySeverity, terminalStyle } from '../sinks/terminal.ts'
import { readCaptures } from '../sources/captures.ts'
import { siteKeyOf } from '../store/site-key.ts'
import type { Report, ReportAbout } from '../report/report.ts'
import type { State } from '../store/state.ts'
import { judgingOf, loadCalendar, type JudgingOptions } from './judging.ts'
import { progressLine } from './progress.ts'

export interface ReplayOptions extends JudgingOptions {
  report?: string
  inventory?: string
  segments?: string
}

/** How long a sink may leave alerts without an acknowledgement before a replay ends, milliseconds. */
const PATIENCE = 20_000

// The database and the Kafka client take a quarter of a second to load, and most replays need neither.
const stores = async (): Promise<typeof import('../store/state.ts')> => import('../store/state.ts')
const reporting = async (): Promise<typeof import('../report/report.ts')> => import('../report/report.ts')
const publishing = async (): Promise<typeof import('../sinks/publisher.ts')> => import('../sinks/publisher.ts')

/** Notes and failures go to standard error; standard output is for alerts and events. */
const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** @returns the exit code: 0 done, 1 when the input or a sink failed. @throws {UserError} on bad usage */
export async function replay(files: string[], options: ReplayOptions): Promise<number> {
  const config = loadConfig(options.config)
  const calendar = loadCalendar(options.calendar ?? config.calendar)
  const { format, learnUntil } = judgingOf(options)
  if (options.freeze === true && options.state === undefined) say('--freeze without --state: nothing was learned that could be judged by, and nothing will be')
  const sinks = await chosenSinks(options, config)
  const eventPublisher = options.publishEvents === true ? await publishingEvents(files, options, config) : undefined

  const state = options.state === undefined ? undefined : new (await stores()).State(options.state)
  // Alerts that wait for Kafka without a state folder need be kept only as long as the run: a further replay makes them again, with the same ids.
  const store = state ?? (sinks && (await stores()).State.temporary())
  const publisher = sinks && new (await publishing()).Publisher(store!, sinks, config, say)
  try {
    return await run(files, { options, config, format, state, publisher, eventPublisher, learnUntil, calendar })
  } finally {
    eventPublisher?.stop()
    // After a failure there is no time to wait; what is left stays in the state.
    await publisher?.drain(0)
    await store?.close()
  }
}

/** Gathers for the report while the replay runs, and writes it at the end. */
async function reportOf(path: string, about: ReportAbout): Promise<Report> {
  const { Report } = await reporting()
  return new Report(path, about, say)
}

/** Kafka where it is named, and with --publish everything the configuration names; undefined where alerts go nowhere else. */
async function chosenSinks({ kafka, publish, publishEvents }: ReplayOptions, config: Config): Promise<ReadonlyMap<string, MakeSink> | undefined> {
  // Where events are published, alerts reach Kafka from the workers that judge them: ours beside them would be each alert twice.
  if ((kafka === undefined || publishEvents === true) && publish !== true) return undefined
  const isKafka = publishEvents !== true && (kafka !== undefined || config.kafka.brokers.length > 0)
  const { sinkMakers } = await publishing()
  const makers = sinkMakers(publish === true ? config.sinks : [], isKafka ? kafkaConfig(config.kafka, kafka) : undefined, config.sensor)
  if (makers.size === 0) throw new UserError('--publish: the configuration names no sinks and no Kafka brokers', 2)
  return makers
}

async function publishingEvents(files: string[], { kafka }: ReplayOptions, config: Config): Promise<EventPublisher> {
  const { EventPublisher } = await import('../sinks/event-publisher.ts')
  // Standard input has no size, and a file that can't be read is told of when it is opened.
  const sizes = files.map((file) => file === '-' ? '-' : statSync(file, { throwIfNoEntry: false })?.size ?? '?')
  return new EventPublisher(kafkaConfig(config.kafka, kafka), config, 'replay', sizes.join(' '), say)
}

interface Setting {
  options: ReplayOptions
  config: Config
  format: Format
  state: State | undefined
  publisher: Publisher | undefined
  eventPublisher: EventPublisher | undefined
  learnUntil: Micros | undefined
  calendar: Calendar | undefined
}

async function run(files: string[], { options, config, format, state, publisher, eventPublisher, learnUntil, calendar }: Setting): Promise<number> {
  const siteKey = siteKeyOf(state, config.site_key_file, say)
  const alertLines = options.alerts === undefined ? undefined : new JsonLines(options.alerts)
  const eventLines = options.events === undefined ? undefined : new JsonLines(options.events)
  const report = options.report === undefined ? undefined : await reportOf(options.report, { files, alerts: options.alerts, calendar, sensor: config.sensor, segments: config.segments })
  /** The latest revision of each alert. */
  const alerts = new Map<string, Alert>()
  const pipeline = new Pipeline({
    siteKey, calendar, learnUntil,
    sensor: config.sensor,
    source: 'replay',
    communityIdSeed: config.community_id_seed,
    freeze: options.freeze ?? false,
    posture: (state ?? options.inventory ?? options.segments ?? options.report) !== undefined,
    ...(state && { learned: state.model() }),
    onEvent: (eventLines || report || eventPublisher) && ((event) => {
      report?.gather.event(event, pipeline.outlook)
      eventLines?.write(eventJson(event))
      eventPublisher?.accept(event)
    }),
    onAlert: (alert) => {
      report?.gather.alert(alert)
      alerts.set(alert.id, alert)
      alertLines?.write(FORMATS[format](alert))
      publisher?.accept(alert)
    },
  })

  const sinks = [alertLines, eventLines].filter((sink) => sink !== undefined)
  const waitFor = [...sinks, ...(eventPublisher ? [eventPublisher] : [])]
  let whole = await read(files, pipeline, state, async () => (await Promise.all(waitFor.map((sink) => sink.drained()))).every(Boolean), () => eventPublisher?.stop())
  if (!await writePosture(pipeline, options, config)) whole = false
  if (report !== undefined && !await report.write(pipeline)) whole = false
  if (alertLines === undefined && options.events !== '-') printAlerts([...alerts.values()])
  for (const sink of sinks) {
    try {
      await sink.close()
    } catch (error) {
      say(reason(error))
      whole = false
    }
  }
  const save = (alsoAlerts?: () => void): void => state!.save(pipeline.learned(), Math.max(pipeline.through, state!.savedThrough), siteKey, () => {
    alsoAlerts?.()
    if (report !== undefined) state!.desk.putReport(report.data(pipeline), state!.saves + 1)
  })
  if (state && !options.freeze) {
    if (publisher) publisher.checkpoint(save)
    else save()
  }
  if (publisher && !await delivered(publisher, state !== undefined)) whole = false
  if (eventPublisher && !await published(eventPublisher)) whole = false
  say(`${countBySeverity(alerts.values())}; events: ${[...pipeline.events].sort().map(([kind, n]) => `${n} ${kind}`).join(', ') || 'none'}`)
  return whole ? 0 : 1
}

/** @returns whether all that was asked for is written */
async function writePosture({ posture, outlook }: Pipeline, options: ReplayOptions, config: Config): Promise<boolean> {
  if (posture === undefined || (options.inventory === undefined && options.segments === undefined)) return true
  const { inventory, writeInventory, writeSegments } = await import('../posture/write.ts')
  try {
    if (options.inventory !== undefined) writeInventory(options.inventory, inventory(posture, outlook.view()))
    if (options.segments !== undefined) writeSegments(options.segments, posture.segments([...outlook.view()], config.segments))
    return true
  } catch (error) {
    say(reason(error))
    return false
  }
}

/**
 * Pushes all frames through.
 * @param drained waits for the outputs; false when one of them can't be written any more, which ends the run
 * @param interrupted lets go of what `drained` may wait for
 * @returns whether all of the input was read
 */
async function read(files: string[], pipeline: Pipeline, state: State | undefined, drained: () => Promise<boolean>, interrupted: () => void): Promise<boolean> {
  const progress = progressLine(process.stderr)
  const stop = new AbortController()
  const interrupt = (signal: NodeJS.Signals): void => {
    stop.abort(signal)
    interrupted()
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const began = performance.now()
  let first = true
  try {
    const { frames, bytes, truncated, problems } = await readCaptures(files, {
      onFrame: (frame) => {
        if (first) warnIfSeenBefore(frame.at, state)
        first = false
        pipeline.frame(frame)
      },
      // Of several captures none has the clock of all.
      onStatistics: (statistics, file) => pipeline.statistics({ ...statistics, interfaceId: statistics.interfaceId + file * LIMITS.capture.interfaces }, files.length === 1),
      afterChunk: async () => { if (!await drained()) stop.abort('an output that failed') },
      onProgress: (p) => progress.show(p),
      signal: stop.signal,
    })
    progress.clear()
    pipeline.finish(truncated)
    for (const { path, text } of problems) say(`${path === '-' ? 'standard input' : path}: ${text}`)
    if (stop.signal.aborted) say(`stopped by ${String(stop.signal.reason)}: what was read until ${rfc3339(pipeline.through)} counts`)
    say(`read ${frames} frames, ${(bytes / 1e6).toFixed(1)} MB in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    return problems.length === 0 && !stop.signal.aborted
  } finally {
    progress.clear()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function warnIfSeenBefore(at: Micros, state: State | undefined): void {
  if (state === undefined || at >= state.savedThrough) return
  say(`this capture begins at ${rfc3339(at)}, before the end of what the state has learned (${rfc3339(state.savedThrough)}): what it has seen before, it learns again`)
}

/** Waits until the sinks have every alert. @returns whether they have */
async function delivered(publisher: Publisher, kept: boolean): Promise<boolean> {
  const { left, lost } = await publisher.drain(PATIENCE, true)
  if (left > 0) say(`${left} alerts did not reach their sink: ${kept ? 'they wait in the state for the next run that publishes' : 'replay again when it is back, the ids are the same'}`)
  if (lost > 0) say(`${lost} alerts could not be stored, and did not reach their sink`)
  return left + lost === 0
}

/** Waits until the brokers have every event. @returns whether they have */
async function published(publisher: EventPublisher): Promise<boolean> {
  const { sent, waiting, lost } = await publisher.close(PATIENCE, true)
  say(`published ${sent} events`)
  if (waiting + lost > 0) say(`${waiting + lost} events did not reach Kafka: replay again when it is back, those it has are known`)
  return waiting + lost === 0
}

function printAlerts(alerts: Alert[]): void {
  const options = terminalStyle(process.stdout)
  alerts.sort((a, b) => a.raised_at - b.raised_at || (a.id < b.id ? -1 : 1))
  for (const alert of alerts) process.stdout.write(`${alertText(alert, options)}\n`)
}
