/** `wardwire detect --kafka BROKERS`: a worker that judges the events that sensors publish. */
import { kafkaConfig, loadConfig } from '../config.ts'
import { DETECT, Worker } from '../detect/worker.ts'
import { UserError } from '../errors.ts'
import { keepHeapSmall } from '../heap.ts'
import { groupNames, topics } from '../sinks/kafka-client.ts'
import { Shelf } from '../store/shelf.ts'
import { HealthServer } from '../telemetry/health.ts'
import { openLog } from '../telemetry/log.ts'
import { startLoopMeasure } from '../telemetry/page.ts'
import { workerChecks, workerPage } from '../telemetry/worker-metrics.ts'
import { whole } from './capture-options.ts'
import { learnUntilTime, loadCalendar } from './judging.ts'

export interface DetectOptions {
  kafka?: string
  group: string
  state?: string
  learnUntil?: string
  calendar?: string
  config?: string
  metricsPort?: string
}

/** Ends on SIGINT or SIGTERM, when what is in hand is finished and saved; at once on a second one. @returns the exit code. @throws {UserError} on bad usage */
export async function detect(options: DetectOptions): Promise<number> {
  keepHeapSmall()
  const config = loadConfig(options.config)
  const kafka = kafkaConfig(config.kafka, options.kafka)
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(options.group)) throw new UserError(`--group ${options.group}: letters, digits, dot, - and _ only`, 2)
  const calendar = loadCalendar(options.calendar ?? config.calendar)
  const learnUntil = options.learnUntil === undefined ? undefined : learnUntilTime(options.learnUntil)

  const metricsPort = options.metricsPort === undefined ? undefined : whole('--metrics-port', options.metricsPort, 0, 65_535)
  const log = openLog(config.sensor)
  const say = (line: string): void => log.info(line)

  const end = new AbortController()
  const stop = (): void => {
    if (end.signal.aborted) process.exit(1)
    say('finishing what is in hand')
    end.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const { events } = topics(kafka.topic_prefix)
  const shelf = options.state === undefined ? undefined : new Shelf(options.state, groupNames(kafka.topic_prefix, options.group).group)
  const worker = new Worker({
    kafka, group: options.group, shelf, calendar, learnUntil, ...DETECT, say: (line) => log.warn(line), signal: end.signal,
    onJoined: (partitions) => say(`${groupNames(kafka.topic_prefix, options.group).group} reads ${events} on ${kafka.brokers.join(', ')}: ${partitions.length === 0 ? 'no partition, others have them all' : `partitions ${partitions.join(' ')}`}`),
  })
  const health = metricsPort === undefined ? undefined : new HealthServer(() => workerChecks(worker, config.service.stalled_minutes), () => workerPage(worker))
  startLoopMeasure()
  try {
    if (health !== undefined) log.info(`health and metrics on http://127.0.0.1:${await health.listen(metricsPort!)}`)
    await worker.run()
    const { in: read, replayed, foreign, alerts, transactions, checkpoints, changelog, restores, shelved } = worker.counts
    const { sites, judged, repeated, unreadable, missed } = worker.sites
    say(`${read} events read (${replayed} of them again, ${foreign} foreign), ${alerts} alerts, ${transactions} transactions, ${checkpoints} checkpoints of ${changelog} bytes, ${restores} partitions taken over (${shelved} from the state folder)`)
    say(`${sites} sites in hand, since they began: ${judged} events judged, ${repeated} repeated, ${unreadable} unreadable, ${missed} missing`)
    return 0
  } finally {
    health?.close()
    await worker.close()
    await shelf?.close()
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
