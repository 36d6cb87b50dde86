/** How Kafka is reached, and its topics: shared by everything that produces or consumes. */
import { createRequire } from 'node:module'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import type { KafkaConfig } from '../config.ts'
import { secretFile, tlsOptions } from './tls-options.ts'

/** Names of the topics, by what is in them (docs/asyncapi.yaml). */
export function topics(prefix: string): { alerts: string; events: string } {
  return { alerts: `${prefix}.alerts.v1`, events: `${prefix}.events.v1` }
}

/** What the workers of a group (`wardwire detect`) share: their consumer group, the topic of their state, and the transactional id of each partition. */
export function groupNames(prefix: string, group: string): { group: string; changelog: string; transaction(partition: number): string } {
  const name = `${prefix}.${group}`
  return { group: name, changelog: `${name}.changelog.v1`, transaction: (partition) => `${name}.${partition}` }
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

/** How a topic is made. */
export interface TopicSettings {
  partitions: number
  /** Broker settings by name. */
  entries: Record<string, string>
}

const DAY = 86_400_000

export const settingsOf = {
  alerts: (config: KafkaConfig): TopicSettings => ({ partitions: config.partitions, entries: { 'retention.ms': String(config.retention_days * DAY) } }),
  events: (config: KafkaConfig): TopicSettings => ({ partitions: config.partitions, entries: { 'retention.ms': String(config.event_retention_days * DAY) } }),
  /** A partition beside each of the events topic. */
  changelog: (partitions: number): TopicSettings => ({ partitions, entries: { 'cleanup.policy': 'compact', 'segment.ms': String(DAY / 24), 'min.cleanable.dirty.ratio': '0.3' } }),
}

/**
 * Makes a topic that is missing. Who may not look or create is not stopped here: producing tells whether the topic is there.
 * The broker decides how many replicas it has.
 */
export async function ensureTopic(client: Kafka, topic: string, config: KafkaConfig, settings = settingsOf.alerts(config)): Promise<void> {
  if (!config.create_topics) return
  const admin = client.admin()
  try {
    await admin.connect()
    if ((await admin.listTopics()).includes(topic)) return
    const configEntries = Object.entries(settings.entries).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions: settings.partitions, replicationFactor: -1, configEntries }] })
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
