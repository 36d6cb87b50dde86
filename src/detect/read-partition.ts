/** Reads one partition of a topic from its beginning. The library only reads as a member of a group, so this is a group of one that lasts as long as the reading. */
import { randomUUID } from 'node:crypto'
import { AssignerProtocol, type Kafka, type KafkaMessage } from 'kafkajs'

/** How long the broker may wait for something new before it answers "nothing", milliseconds. */
const FETCH_WAIT = 100

export interface ReadPartitionOptions {
  topic: string
  partition: number
  /** Begins the name of the group, so that rights can be given for it. */
  group: string
  /** @returns whether that was the last one */
  onMessage: (message: KafkaMessage) => boolean
  /** Called again and again, so that whoever waits can say that they are alive; a rejection ends the reading. */
  onProgress: () => Promise<void>
}

/** Committed records only. @throws when the brokers can't be reached or refuse */
export async function readPartition(client: Kafka, { topic, partition, group, onMessage, onProgress }: ReadPartitionOptions): Promise<void> {
  const consumer = client.consumer({
    groupId: `${group}.restore-${randomUUID()}`, allowAutoTopicCreation: false, maxWaitTimeInMs: FETCH_WAIT, partitionAssigners: [only(topic, partition)],
  })
  let stop = (): void => {}
  let fail = (_: unknown): void => {}
  const over = new Promise<void>((resolve, reject) => { stop = resolve; fail = reject })
  over.catch(() => {})
  const alive = setInterval(() => { onProgress().catch(fail) }, 1000)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) fail(payload.error) })
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        if (batch.messages.some((message) => onMessage(message))) stop()
        return Promise.resolve()
      },
    })
    await over
  } finally {
    clearInterval(alive)
    await consumer.disconnect().catch(() => {})
  }
}

type Assigner = NonNullable<NonNullable<Parameters<Kafka['consumer']>[0]>['partitionAssigners']>[number]

/** Assigns one partition to the only member there is. */
const only = (topic: string, partition: number): Assigner => () => ({
  name: 'one-partition',
  version: 1,
  protocol: ({ topics }) => ({ name: 'one-partition', metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }) }),
  assign: ({ members }) => Promise.resolve(members.map(({ memberId }) => ({
    memberId, memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment: { [topic]: [partition] }, userData: Buffer.alloc(0) }),
  }))),
})
