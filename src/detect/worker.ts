/**
 * A worker of `wardwire detect`: a member of a consumer group. Kafka says which partitions it owns; for each it keeps the state of that partition's
 * sites (partition.ts). It takes a partition over when the first message of it arrives, and lets go of it when the group says so, or at any trouble: then it
 * takes over again, from what the last transaction left.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { reason } from '../errors.ts'
import { ensureTopic, groupNames, kafkaClient, settingsOf, topics } from '../sinks/kafka-client.ts'
import { Partition, newCounts, type Counts, type PartitionOptions } from './partition.ts'
import type { SiteCounts } from './site.ts'

export interface WorkerOptions extends PartitionOptions {
  /** Bytes of a partition that are asked for at once, as they are stored; what one answer holds, one transaction holds. */
  fetchBytes: number
  /** Ends the work: what is in hand is finished, and what was learned is saved. */
  signal: AbortSignal
  /** Called when the group has given us our partitions. */
  onJoined?: (partitions: number[]) => void
}

export const DETECT = { checkpoint: { messages: 20_000, milliseconds: 60_000 }, deadline: 30_000, fetchBytes: 1_000_000 }

/** The pause after a first failure and the longest one, milliseconds; it doubles in between. */
const PAUSE = { first: 250, longest: 10_000 }
/** How long the broker may wait for something new before it answers "nothing", milliseconds. */
const FETCH_WAIT = 250
/** Partitions judged in turn while others wait for their transactions. */
const AT_ONCE = 4

export class Worker {
  readonly #options: WorkerOptions
  readonly #client: Kafka
  readonly #topic: string
  readonly #owned = new Map<number, Partition>()
  /** Where reading was sent back to: when that does not help, the messages between are gone. */
  readonly #sought = new Map<number, number>()
  /** Batches in hand. */
  readonly #busy = new Set<Promise<void>>()
  #stopping = false
  #pause = PAUSE.first
  /** Messages behind the end of each partition in hand, as of the last answer. */
  readonly behind = new Map<number, number>()
  /** Whether the group counts on us. */
  joined = false
  /** Why nothing goes on at the moment; undefined while it does. */
  failing: string | undefined
  #failingSince = 0
  readonly counts: Counts = newCounts()

  /** @throws {UserError} when a file that the configuration names can't be read */
  constructor(options: WorkerOptions) {
    this.#options = options
    this.#client = kafkaClient(options.kafka)
    this.#topic = topics(options.kafka.topic_prefix).events
  }

  /** Milliseconds for which nothing has gone on; 0 while it does. */
  get stalled(): number {
    return this.failing === undefined ? 0 : performance.now() - this.#failingSince
  }

  /** Of the sites in hand, since they began. */
  get sites(): SiteCounts & { sites: number } {
    const sum = { in: 0, judged: 0, repeated: 0, unreadable: 0, missed: 0, sites: 0 }
    for (const partition of this.#owned.values()) {
      sum.sites += partition.sites
      for (const [name, n] of Object.entries(partition.counts) as [keyof SiteCounts, number][]) sum[name] += n
    }
    return sum
  }

  /** Works until the signal. Brokers that are away are waited for. */
  async run(): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      let consumer: Consumer | undefined
      try {
        await this.#ensureTopics()
        consumer = this.#consumer()
        await this.#work(consumer)
      } catch (error) {
        if (!signal.aborted) await this.#failed(error)
      } finally {
        await this.#end(consumer)
      }
    }
  }

  async #ensureTopics(): Promise<void> {
    const { kafka, group } = this.#options
    const { alerts } = topics(kafka.topic_prefix)
    const { changelog } = groupNames(kafka.topic_prefix, group)
    await ensureTopic(this.#client, this.#topic, kafka, settingsOf.events(kafka))
    await ensureTopic(this.#client, alerts, kafka)
    const partitions = await this.#partitionsOf(this.#topic)
    if (partitions === 0) throw new Error(`there is no topic ${this.#topic}, and it may not be made from here`)
    await ensureTopic(this.#client, changelog, kafka, settingsOf.changelog(partitions))
    const beside = await this.#partitionsOf(changelog)
    if (beside < partitions) throw new Error(`${changelog} has ${beside} partitions, and needs the ${partitions} of ${this.#topic}`)
  }

  async #partitionsOf(topic: string): Promise<number> {
    const admin = this.#client.admin()
    try {
      await admin.connect()
      // A topic that was just made has no leaders for a moment; asking for one that is not there is an error.
      const { topics: [found] } = await admin.fetchTopicMetadata({ topics: [topic] })
      return found?.partitions.length ?? 0
    } catch (error) {
      if (/does not host this topic/.test(reason(error))) return 0
      throw error
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  #consumer(): Consumer {
    const { kafka, group } = this.#options
    const session = kafka.session_seconds * 1000
    return this.#client.consumer({
      groupId: groupNames(kafka.topic_prefix, group).group, allowAutoTopicCreation: false, maxWaitTimeInMs: FETCH_WAIT, maxBytesPerPartition: this.#options.fetchBytes,
      sessionTimeout: session, heartbeatInterval: Math.min(3000, session / 4), rebalanceTimeout: Math.max(session, 60_000),
    })
  }

  /** Until the signal. @throws what the library can't get over by itself */
  async #work(consumer: Consumer): Promise<void> {
    const { signal, onJoined } = this.#options
    await consumer.connect()
    await consumer.subscribe({ topics: [this.#topic], fromBeginning: true })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[this.#topic] ?? []
      for (const [partition, owned] of this.#owned) if (!partitions.includes(partition)) void this.#let(partition, owned)
      this.joined = true
      onJoined?.(partitions)
    })
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) reject(payload.error) })
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
      consumer.run({
        autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: AT_ONCE,
        eachBatch: async (payload) => {
          if (this.#stopping) return
          const work = this.#batch(consumer, payload)
          this.#busy.add(work)
          try {
            await work
          } finally {
            this.#busy.delete(work)
          }
        },
      }).catch(reject)
    })
  }

  async #batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { partition, messages } = payload.batch
    const heartbeat = (): Promise<void> => payload.heartbeat()
    if (payload.isStale() || !payload.isRunning()) return
    try {
      let owned = this.#owned.get(partition)
      if (owned === undefined) {
        owned = await Partition.take(this.#client, partition, this.#options, this.counts, heartbeat)
        this.#owned.set(partition, owned)
        this.#sought.delete(partition)
      }
      // The group remembers what was said; what was learned may be older.
      if (Number(messages[0]!.offset) > owned.position && this.#sought.get(partition) !== owned.position) {
        this.#sought.set(partition, owned.position)
        consumer.seek({ topic: this.#topic, partition, offset: String(owned.position) })
        return
      }
      await owned.process(messages, heartbeat)
      payload.resolveOffset(messages.at(-1)!.offset)
      this.behind.set(partition, Math.max(0, Number(payload.batch.highWatermark) - owned.position))
      this.#recovered()
    } catch (error) {
      const owned = this.#owned.get(partition)
      if (owned !== undefined) await this.#let(partition, owned)
      // Only a member of the group may try again: whoever is none any more hears it here, and joins again.
      await heartbeat()
      await this.#failed(error)
    }
  }

  async #let(partition: number, owned: Partition): Promise<void> {
    if (this.#owned.get(partition) === owned) {
      this.#owned.delete(partition)
      this.behind.delete(partition)
    }
    await owned.close()
  }

  /** Finishes what is in hand, saves what was learned, and leaves the group. */
  async #end(consumer: Consumer | undefined): Promise<void> {
    this.#stopping = true
    this.joined = false
    await Promise.allSettled(this.#busy)
    for (const [partition, owned] of this.#owned) {
      try {
        if (this.#options.signal.aborted && owned.dirty) await owned.commit(true)
      } catch {
        // Whoever owns it next makes it again from the checkpoint before.
      }
      if (!this.#options.signal.aborted) await this.#let(partition, owned)
    }
    await Promise.race([consumer?.disconnect().catch(() => {}), sleep(5000, undefined, { ref: false })])
    this.#stopping = false
  }

  /** Lets go of all partitions, after `run`. */
  async close(): Promise<void> {
    await Promise.all([...this.#owned].map(([partition, owned]) => this.#let(partition, owned)))
  }

  async #failed(error: unknown): Promise<void> {
    const why = reason(error)
    if (this.failing === undefined) {
      this.#options.say(`work waits, because of: ${why}`)
      this.#failingSince = performance.now()
    }
    this.failing = why
    // Not for longer than the group bears without a word from us.
    await sleep(Math.min(this.#pause, this.#options.kafka.session_seconds * 250), undefined, { signal: this.#options.signal }).catch(() => {})
    this.#pause = Math.min(this.#pause * 2, PAUSE.longest)
  }

  #recovered(): void {
    if (this.failing !== undefined) this.#options.say('work goes on')
    this.failing = undefined
    this.#pause = PAUSE.first
  }
}
