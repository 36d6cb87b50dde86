/** Looks into a topic: everything it holds at the moment, without wardwire's own reader. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs'
import type { AlertJson } from '../../src/schema.ts'

export interface Held {
  partition: number
  offset: string
  key: string
  headers: Record<string, string>
  value: string
  alert: AlertJson
}

/** @returns all committed messages, each partition in order; none when there is no topic yet */
export async function everythingIn(broker: string, topic: string): Promise<Held[]> {
  for (let tries = 0; ; tries++) {
    try {
      return await look(broker, topic)
    } catch (error) {
      // A broker that has just come back does not lead its partitions at once.
      if (tries === 10) throw error
      await sleep(500)
    }
  }
}

async function look(broker: string, topic: string): Promise<Held[]> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 8 } })
  const admin = kafka.admin()
  await admin.connect()
  try {
    if (!(await admin.listTopics()).includes(topic)) return []
    const ends = new Map((await admin.fetchTopicOffsets(topic)).filter((p) => p.high !== p.low).map((p) => [p.partition, BigInt(p.high) - 1n]))
    if (ends.size === 0) return []
    const consumer = kafka.consumer({ groupId: `look-${randomUUID()}`, maxWaitTimeInMs: 100 })
    const held: Held[] = []
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) reject(payload.error) })
        // Also what is no message: a transaction ends with a record of its own.
        consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
          if (BigInt(lastOffset) >= (ends.get(partition) ?? 0n)) ends.delete(partition)
          if (ends.size === 0) resolve()
        })
        consumer.run({
          autoCommit: false,
          eachMessage: ({ partition, message }) => {
            held.push(read(partition, message))
            return Promise.resolve()
          },
        }).catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
    return held
  } finally {
    await admin.disconnect()
  }
}

function read(partition: number, message: KafkaMessage): Held {
  const value = message.value!.toString()
  return {
    partition, offset: message.offset, key: message.key?.toString() ?? '', value,
    headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, text]) => [name, String(text)])),
    alert: value.startsWith('{') ? JSON.parse(value) as AlertJson : {} as AlertJson,
  }
}
