/** `wardwire replay FILE...`: reads captures in capture-time order, learns and judges as it goes. */
import { parseCalendar, type Calendar } from '../../models/calendar.ts'
import type { Alert } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'
import { fromRfc3339, rfc3339 } from '../../protocols/time.ts'
import { loadConfig, readStructured, type Config } from '../config.ts'
import { UserError, reason } from '../errors.ts'
import { Pipeline } from '../pipeline.ts'
import { eventJson } from '../sinks/event-json.ts'
import { nativeAlert } from '../sinks/formats/native.ts'
import { JsonLines } from '../sinks/jsonl.ts'
import { alertText, countBySeverity } from '../sinks/terminal.ts'
import { readCaptures } from '../sources/captures.ts'
import { readKeyFile, userKey } from '../store/site-key.ts'
import { State } from '../store/state.ts'
import { progressLine } from './progress.ts'

export interface ReplayOptions {
  alerts?: string
  events?: string
  state?: string
  freeze?: boolean
  learnUntil?: string
  calendar?: string
  config?: string
}

/** Notes and failures go to standard error; standard output is for alerts and events. */
const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** Thrown between chunks to end a run early; what was read still counts. */
class Interrupted extends Error {}

/** @returns the exit code: 0 done, 1 when the input or a sink failed. @throws {UserError} on bad usage */
export async function replay(files: string[], options: ReplayOptions): Promise<number> {
  const config = loadConfig(options.config)
  const learnUntil = options.learnUntil === undefined ? undefined : learnUntilTime(options.learnUntil)
  const calendar = loadCalendar(options.calendar ?? config.calendar)
  if (options.alerts === '-' && options.events === '-') throw new UserError('--alerts and --events cannot both go to standard output', 2)

  const state = options.state === undefined ? undefined : new State(options.state)
  try {
    return await run(files, { options, config, state, learnUntil, calendar })
  } finally {
    await state?.close()
  }
}

interface Setting {
  options: ReplayOptions
  config: Config
  state: State | undefined
  learnUntil: Micros | undefined
  calendar: Calendar | undefined
}

async function run(files: string[], { options, config, state, learnUntil, calendar }: Setting): Promise<number> {
  const siteKey = state?.siteKey ?? (config.site_key_file === undefined ? userKey(say) : readKeyFile(config.site_key_file))
  const alertLines = options.alerts === undefined ? undefined : new JsonLines(options.alerts)
  const eventLines = options.events === undefined ? undefined : new JsonLines(options.events)
  /** The latest revision of each alert. */
  const alerts = new Map<string, Alert>()
  const pipeline = new Pipeline({
    siteKey, calendar, learnUntil,
    sensor: config.sensor,
    source: 'replay',
    communityIdSeed: config.community_id_seed,
    freeze: options.freeze ?? false,
    ...(state && { learned: state.model() }),
    onEvent: eventLines && ((event) => eventLines.write(eventJson(event))),
    onAlert: (alert) => {
      alerts.set(alert.id, alert)
      alertLines?.write(nativeAlert(alert))
    },
  })

  let failed = await read(files, pipeline, state, async () => {
    await alertLines?.drained()
    await eventLines?.drained()
  })
  pipeline.finish()
  if (alertLines === undefined && options.events !== '-') printAlerts([...alerts.values()])
  for (const sink of [alertLines, eventLines]) {
    try {
      await sink?.close()
    } catch (error) {
      say(reason(error))
      failed = true
    }
  }
  if (state && !options.freeze) state.save(pipeline.learned(), Math.max(pipeline.through, state.savedThrough), siteKey)
  say(`${countBySeverity(alerts.values())}; events: ${[...pipeline.events].sort().map(([kind, n]) => `${n} ${kind}`).join(', ') || 'none'}`)
  return failed ? 1 : 0
}

/** Pushes all frames through. @returns true when something of the input could not be read */
async function read(files: string[], pipeline: Pipeline, state: State | undefined, drained: () => Promise<void>): Promise<boolean> {
  const progress = progressLine(process.stderr)
  let interrupted: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals): void => { interrupted = signal }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  let first = true
  const began = process.hrtime.bigint()
  try {
    const result = await readCaptures(files, {
      onFrame: (frame) => {
        if (first) {
          first = false
          if (state && frame.at < state.savedThrough) {
            say(`this capture begins at ${rfc3339(frame.at)}, before the end of what the state has learned (${rfc3339(state.savedThrough)}): what it has seen before, it learns again`)
          }
        }
        pipeline.frame(frame)
      },
      afterChunk: async () => {
        await drained()
        if (interrupted) throw new Interrupted()
      },
      onProgress: (p) => progress.show(p),
    })
    progress.clear()
    for (const file of result.files) if (file.error !== undefined) say(file.error)
    const seconds = Number(process.hrtime.bigint() - began) / 1e9
    say(`read ${result.frames} frames, ${(result.bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`)
    return result.files.some((file) => file.error !== undefined)
  } catch (error) {
    progress.clear()
    if (error instanceof Interrupted) {
      say(`stopped by ${interrupted}: what was read until ${rfc3339(pipeline.through)} counts`)
      return true
    }
    if (error instanceof UserError && error.exitCode === 1) {
      say(error.message)
      return true
    }
    throw error
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function printAlerts(alerts: Alert[]): void {
  const options = { colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined, width: Math.min(process.stdout.columns ?? 120, 140) }
  alerts.sort((a, b) => a.raised_at - b.raised_at || (a.id < b.id ? -1 : 1))
  for (const alert of alerts) process.stdout.write(`${alertText(alert, options)}\n`)
}

function learnUntilTime(text: string): Micros {
  const at = fromRfc3339(text)
  if (at === undefined) throw new UserError(`--learn-until ${text}: give a time as RFC 3339, for example 2026-03-01T00:00:00Z`, 2)
  return at
}

function loadCalendar(path: string | undefined): Calendar | undefined {
  if (path === undefined) return undefined
  const json = readStructured(path, 'calendar')
  try {
    return parseCalendar(json)
  } catch (error) {
    throw new UserError(`${path}: ${reason(error)}`, 2)
  }
}
