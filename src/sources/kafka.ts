/** Alerts from a Kafka topic, as they come. */
import { randomUUID } from 'node:crypto'
import type { Consumer, EachMessagePayload } from 'kafkajs'
import { SEVERITIES, type Severity } from '../../models/alert.ts'
import { configSchema, type KafkaConfig } from '../config.ts'
import { alertSchema, type AlertJson } from '../schema.ts'
import { kafkaClient, topics } from '../sinks/kafka-client.ts'

export interface ConsumeOptions {
  /** First brokers to ask: `host:port`. */
  brokers?: string[]
  /** The `kafka` section of the configuration file, or a part of it: TLS, SASL, topic prefix. */
  kafka?: Partial<KafkaConfig>
  /**
   * The consumer group. Readers of one group share the alerts, and a group goes on where it was. Without it, every reader gets
   * every alert and nothing is remembered.
   */
  group?: string
  /** Begin with the oldest alert of the topic, where the group has not read yet; default: with the next one. */
  fromBeginning?: boolean
  /** Alerts of at least this severity. */
  severity?: Severity
  /** Ends the reading. */
  signal?: AbortSignal
  /** Called when alerts that are produced from now on will be read. */
  onReady?: () => void
  /** Called for a message that is no alert; it is passed over. */
  onSkipped?: (where: { partition: number; offset: string }, why: string) => void
}

/** How long the broker may wait for something new before it answers "nothing", milliseconds. */
const FETCH_WAIT = 500
/** How often the group hears from a reader that is slow with an alert, milliseconds. */
const HEARTBEAT = 3000

/**
 * Reads alerts from `PREFIX.alerts.v1`, each device's in order. An alert may come twice (same `id`, same `revision`), and comes again with a higher
 * `revision` when it grows. With a group, an alert counts as read when the next one is asked for.
 * @throws when the brokers can't be reached or refuse; after the start, it reconnects by itself
 */
export async function * consumeAlerts(options: ConsumeOptions): AsyncGenerator<AlertJson, void, void> {
  const config = configSchema.shape.kafka.parse({ ...options.kafka, ...(options.brokers && { brokers: options.brokers }) })
  const topic = topics(config.topic_prefix).alerts
  const atLeast = SEVERITIES.indexOf(options.severity ?? 'info')
  const consumer = kafkaClient(config).consumer({
    groupId: options.group ?? `wardwire-reader-${randomUUID()}`, allowAutoTopicCreation: false, maxWaitTimeInMs: FETCH_WAIT,
  })
  const handover = new Handover<AlertJson>()
  const stop = (): void => handover.end()
  options.signal?.addEventListener('abort', stop)
  watch(consumer, handover, options.onReady)
  try {
    if (options.signal?.aborted) return
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: options.fromBeginning ?? false })
    await consumer.run({
      autoCommit: options.group !== undefined,
      eachMessage: async (payload) => {
        const alert = readAlert(payload, options.onSkipped)
        if (alert === undefined || SEVERITIES.indexOf(alert.severity) < atLeast) return
        await keepAlive(payload, handover.put(alert))
      },
    })
    for (let alert = await handover.take(); alert !== undefined; alert = await handover.take()) yield alert
  } finally {
    options.signal?.removeEventListener('abort', stop)
    handover.end()
    await consumer.disconnect().catch(() => {})
  }
}

/** The library goes on by itself after what may pass; what may not ends the reading. */
function watch(consumer: Consumer, handover: Handover<AlertJson>, onReady: (() => void) | undefined): void {
  let ready = false
  consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) handover.fail(payload.error) })
  // A fetch that is over had all its offsets: now it is fixed where "from now on" begins.
  consumer.on(consumer.events.FETCH, () => {
    if (ready) return
    ready = true
    onReady?.()
  })
}

function readAlert({ message, partition }: EachMessagePayload, onSkipped: ConsumeOptions['onSkipped']): AlertJson | undefined {
  const where = { partition, offset: message.offset }
  let json: unknown
  try {
    json = JSON.parse(message.value?.toString() ?? '')
  } catch {
    onSkipped?.(where, 'not JSON')
    return undefined
  }
  const result = alertSchema.safeParse(json)
  // What was sent, not what the schema knows of it: a newer sensor may say more.
  if (result.success) return json as AlertJson
  onSkipped?.(where, result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  return undefined
}

async function keepAlive(payload: EachMessagePayload, done: Promise<void>): Promise<void> {
  const timer = setInterval(() => { payload.heartbeat().catch(() => {}) }, HEARTBEAT)
  try {
    await done
  } finally {
    clearInterval(timer)
  }
}

/** One at a time from hand to hand: `put` resolves when the one after it is asked for, and rejects when that never happens. */
class Handover<T> {
  #offered: Offer<T> | undefined
  #taken: Offer<T> | undefined
  #asks: (() => void) | undefined
  #ended = false
  #failure: unknown

  put(value: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#offered = { value, resolve, reject }
      if (this.#ended) this.end()
      else this.#asks?.()
    })
  }

  /** @returns undefined at the end @throws what `fail` was given */
  async take(): Promise<T | undefined> {
    this.#taken?.resolve()
    this.#taken = undefined
    while (this.#offered === undefined && !this.#ended) await new Promise<void>((resolve) => { this.#asks = resolve })
    if (this.#failure !== undefined) throw this.#failure as Error
    if (this.#ended) return undefined
    this.#taken = this.#offered
    this.#offered = undefined
    return this.#taken?.value
  }

  end(): void {
    this.#ended = true
    for (const offer of [this.#offered, this.#taken]) offer?.reject(new Error('the reader has ended'))
    this.#asks?.()
  }

  fail(error: unknown): void {
    this.#failure ??= error
    this.end()
  }
}

interface Offer<T> {
  value: T
  resolve: () => void
  reject: (error: Error) => void
}
