/**
 * Alerts to a Kafka topic: an idempotent producer, acknowledged by all in-sync replicas, one request at a time. The key is the device, so its
 * alerts stay in order; the value is the native alert; the headers are CloudEvents 1.0 in binary mode.
 */
import { Partitioners, type Kafka, type Message, type Producer } from 'kafkajs'
import type { Alert } from '../../models/alert.ts'
import type { KafkaConfig } from '../config.ts'
import { cloudEventHeaders } from './cloudevents.ts'
import { fitted } from './formats/index.ts'
import { ensureTopic, errorType, kafkaClient, topics } from './kafka-client.ts'
import { Refused, type Sink } from './sink.ts'

/** Below the 1 MB that a broker takes by default. */
export const MAX_BYTES = 900_000

/** What sending the same again can't help. */
export const FOR_GOOD: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'])

export function alertMessage(alert: Alert): Message {
  return { key: alert.device.id, value: fitted(alert, 'native', MAX_BYTES), headers: cloudEventHeaders(alert, 'ce_') }
}

export class KafkaSink implements Sink {
  readonly #client: Kafka
  readonly #config: KafkaConfig
  readonly #topic: string
  #producer: Producer | undefined

  /** @throws {UserError} when a file that the configuration names can't be read */
  constructor(config: KafkaConfig) {
    this.#client = kafkaClient(config)
    this.#config = config
    this.#topic = topics(config.topic_prefix).alerts
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    const messages = alerts.map(alertMessage)
    if (this.#producer === undefined) {
      await ensureTopic(this.#client, this.#topic, this.#config)
      this.#producer = this.#client.producer({
        idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner,
      })
      await this.#producer.connect()
    }
    try {
      await this.#producer.send({ topic: this.#topic, acks: -1, messages })
    } catch (error) {
      const type = errorType(error)
      throw type !== undefined && FOR_GOOD.has(type) ? new Refused(type) : error
    }
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect().catch(() => {})
  }
}
