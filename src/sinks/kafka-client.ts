/** How Kafka is reached, and its topics: shared by everything that produces or consumes. */
import { createRequire } from 'node:module'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import type { KafkaConfig } from '../config.ts'
import { secretFile, tlsOptions } from './tls-options.ts'

/** Names of the topics, by what is in them (docs/asyncapi.yaml). */
export function topics(prefix: string): { alerts: string } {
  return { alerts: `${prefix}.alerts.v1` }
}

/** Milliseconds. Whoever uses the client has a deadline of its own around all of these. */
const TIMES = { connectionTimeout: 5000, authenticationTimeout: 10_000, requestTimeout: 15_000 }

/** @throws {UserError} when a file that the configuration names can't be read */
export function kafkaClient(config: KafkaConfig): Kafka {
  const ssl = tlsOptions(config.tls)
  return new Kafka({
    clientId: 'wardwire',
    brokers: config.brokers,
    ...TIMES,
    retry: { initialRetryTime: 200, maxRetryTime: 3000, retries: 4 },
    // The reasons arrive as errors; whoever handles them says them once.
    logLevel: logLevel.NOTHING,
    ...(ssl && { ssl }),
    ...(config.sasl && { sasl: { mechanism: config.sasl.mechanism, username: config.sasl.username, password: secretFile(config.sasl.password_file) } as SASLOptions }),
  })
}

/**
 * Makes a topic that is missing. Who may not look or create is not stopped here: producing tells whether the topic is there.
 * The broker decides how many replicas it has.
 */
export async function ensureTopic(client: Kafka, topic: string, config: KafkaConfig): Promise<void> {
  if (!config.create_topics) return
  const admin = client.admin()
  try {
    await admin.connect()
    if ((await admin.listTopics()).includes(topic)) return
    const configEntries = [{ name: 'retention.ms', value: String(config.retention_days * 86_400_000) }]
    await admin.createTopics({ topics: [{ topic, numPartitions: config.partitions, replicationFactor: -1, configEntries }] })
  } catch (error) {
    if (!NOT_ALLOWED.has(errorType(error) ?? '')) throw error
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

const NOT_ALLOWED = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'POLICY_VIOLATION'])

/** The protocol's name of an error (`MESSAGE_TOO_LARGE`), also of one that the library has wrapped. */
export function errorType(error: unknown): string | undefined {
  type Wrapped = Error & { type?: unknown; cause?: unknown; errors?: unknown[] }
  for (let e = error as Wrapped | undefined; e instanceof Error; e = (e.cause ?? e.errors?.[0]) as Wrapped | undefined) {
    if (typeof e.type === 'string') return e.type
  }
  return undefined
}

/**
 * kafkajs 2.2.4 sets a timer in the past whenever a connection has nothing to do, over and over: it wakes each millisecond, and from Node 24 on
 * each process is warned of it (TimeoutNegativeWarning). There is something to wait for only when requests queue or the broker throttles.
 */
interface RequestQueue {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}
const { prototype: queue } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
const schedule = Object.getOwnPropertyDescriptor(queue, 'scheduleCheckPendingRequests')!.value as (this: RequestQueue) => void
queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
}
