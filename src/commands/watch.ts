/** `wardwire watch`: the sensor as a service. Options become a service; what it does is in `service.ts`. */
import { isAbsolute, resolve } from 'node:path'
import type { Calendar } from '../../models/calendar.ts'
import { kafkaConfig, loadConfig, type Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { keepHeapSmall } from '../heap.ts'
import { CONSOLE_PORT } from '../report/console.ts'
import { Service, type Settings } from '../service.ts'
import { sinkMakers } from '../sinks/publisher.ts'
import { ChildFeed, SocketFeed, StdinFeed, type Feed } from '../sources/live.ts'
import { openLog } from '../telemetry/log.ts'
import { liveOptions, whole, type CaptureOptions } from './capture-options.ts'
import { judgingOf, loadCalendar, type JudgingOptions } from './judging.ts'

export interface WatchOptions extends CaptureOptions, JudgingOptions {
  socket?: string
  write?: string
  metricsPort?: string
  /** true: at the usual port. */
  console?: string | true
}

/**
 * @param input `-` for standard input; undefined where an interface or a socket is named
 * @returns the exit code: 0 done, or stopped by a signal with everything kept; 1 capturing, or an output, failed
 * @throws {UserError} on bad usage or configuration
 */
export async function watch(input: string | undefined, options: WatchOptions): Promise<number> {
  keepHeapSmall()
  const { alerts, events } = options
  const { format, learnUntil } = judgingOf(options)
  const { feed, source } = chosenFeed(input, options)
  const settings = readSettings(options)
  const service = new Service({
    feed, source, format, alerts, events, settings, learnUntil,
    record: options.write,
    stateFolder: options.state,
    freeze: options.freeze ?? false,
    skipsKnown: input === '-',
    metricsPort: options.metricsPort === undefined ? undefined : whole('--metrics-port', options.metricsPort, 0, 65_535),
    consolePort: options.console === undefined ? undefined : whole('--console', options.console === true ? CONSOLE_PORT : options.console, 0, 65_535),
    eventBrokers: options.publishEvents === true ? kafkaConfig(settings.config.kafka, options.kafka) : undefined,
    // Who names a place for alerts wants to see them here; otherwise they are the workers' work, and would be made twice.
    judge: options.publishEvents !== true || options.publish === true || (alerts ?? options.console) !== undefined,
    reread: () => readSettings(options),
    log: openLog(settings.config.sensor),
  })
  return service.run()
}

function chosenFeed(input: string | undefined, options: WatchOptions): { feed: Feed; source: string } {
  const named = [input, options.interface, options.socket].filter((given) => given !== undefined)
  if (named.length !== 1) throw new UserError('name one source: interfaces with -i, - for standard input, or a --socket', 2)
  if (options.socket !== undefined) return { feed: new SocketFeed(options.socket), source: 'socket' }
  if (input === undefined) {
    const live = liveOptions(options)
    return { feed: new ChildFeed(live), source: live.interfaces.join(',') }
  }
  if (input !== '-') throw new UserError(`watch reads interfaces, or - for standard input; wardwire replay ${input} reads a file`, 2)
  return { feed: new StdinFeed(), source: 'stdin' }
}

/** What may change while it runs: read at the start, and at each SIGHUP. @throws {UserError} when it is wrong */
function readSettings(options: WatchOptions): Settings {
  const config = loadConfig(options.config)
  return { config, calendar: calendarOf(options, config), sinks: sinksOf(options, config) }
}

function calendarOf(options: WatchOptions, config: Config): Calendar | undefined {
  const path = options.calendar ?? config.calendar
  return loadCalendar(path === undefined || isAbsolute(path) ? path : resolve(path))
}

/** Where events are published, workers judge them and publish alerts; what the sensor says of itself still goes to Kafka from here. */
function sinksOf({ kafka, publish = false, publishEvents = false }: WatchOptions, config: Config): Settings['sinks'] {
  if (kafka === undefined && !publish && !publishEvents) return undefined
  const isKafka = publishEvents || kafka !== undefined || config.kafka.brokers.length > 0
  const brokers = isKafka ? kafkaConfig(config.kafka, kafka) : undefined
  const sinks = publish ? config.sinks : []
  const makers = sinkMakers(sinks, brokers, config.sensor, publishEvents)
  if (makers.size === 0) throw new UserError('--publish: the configuration names no sinks and no Kafka brokers', 2)
  return { makers, fingerprint: JSON.stringify([config.sensor, config.outbox_bytes, sinks, brokers]) }
}
