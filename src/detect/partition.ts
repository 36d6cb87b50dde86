/**
 * One partition of the events topic, and who owns it. Everything that is to survive changes in Kafka transactions, and each holds
 *
 *     the alerts of some messages + the offset behind the last of them [+ now and then what was learned so far: a checkpoint]
 *
 * so for readers of committed records each alert is there once. The state need not be in every transaction, because it is a function
 * of the messages (site.ts): whoever takes over loads the last checkpoint and reads the messages since then again, without a word, up to the
 * committed offset; from there on it speaks.
 *
 * Taking over begins with fencing: the transactional id belongs to the partition, so asking for it ends an open transaction of whoever
 * owned the partition before, and bars it for good. What is read after that nobody changes any more.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CompressionTypes, Partitioners, type Kafka, type KafkaMessage, type Message, type Producer, type Transaction } from 'kafkajs'
import type { Alert } from '../../models/alert.ts'
import type { KafkaConfig } from '../config.ts'
import { errorType, groupNames, topics } from '../sinks/kafka-client.ts'
import { FOR_GOOD, alertMessage } from '../sinks/kafka.ts'
import { readMark } from '../sinks/event-mark.ts'
import { reason } from '../errors.ts'
import type { Shelf } from '../store/shelf.ts'
import { Changelog, type Change, type Entries } from './changelog.ts'
import { readPartition } from './read-partition.ts'
import { Site, type SiteCounts, type SiteOptions } from './site.ts'

export interface PartitionOptions extends Omit<SiteOptions, 'onAlert'> {
  kafka: KafkaConfig
  group: string
  /** A checkpoint is due after so many messages, or so many milliseconds when there was any; but not while it would take more than a twentieth of the time. */
  checkpoint: { messages: number; milliseconds: number }
  /** How long a transaction may take, milliseconds. */
  deadline: number
  /** Our own copy of the changelog. */
  shelf?: Shelf | undefined
  say: (line: string) => void
}

/** What a worker counts, over all the partitions it ever owned. */
export interface Counts {
  /** Messages read. */
  in: number
  /** Of these: read again on taking over, without a word. */
  replayed: number
  /** Of these: without our headers, or of a site too many. */
  foreign: number
  alerts: number
  transactions: number
  checkpoints: number
  /** Bytes of checkpoints, compressed. */
  changelog: number
  restores: number
  /** Of these: from our own copy. */
  shelved: number
  /** Milliseconds of the last restore. */
  restoring: number
}

export const newCounts = (): Counts => ({
  in: 0, replayed: 0, foreign: 0, alerts: 0, transactions: 0, checkpoints: 0, changelog: 0, restores: 0, shelved: 0, restoring: 0,
})

/** Form of the checkpoints. */
const VERSION = 1
/** Bytes of one produce request; a broker takes a megabyte by default. */
const REQUEST = 700_000
/** Messages between two looks at whether the group still counts on us. */
const SLICE = 500
/** Sites of a partition, and length of a site's name; messages of others are counted as foreign. */
const MOST_SITES = 10_000
const MOST_NAME = 256

/** The partition's own entries. */
const OWN = ''
interface Checkpoint {
  version: number
  /** Offset of the first message that is not part of it. */
  offset: number
  /** Offsets are committed with it, so that whoever has a copy knows whether it is the last. */
  id: string
}

export class Partition {
  readonly partition: number
  readonly #options: PartitionOptions
  readonly #client: Kafka
  readonly #producer: Producer
  readonly #changelog = new Changelog()
  readonly #sites = new Map<string, Site>()
  readonly #counts: Counts
  readonly #names: ReturnType<typeof groupNames>
  #alerts: Alert[] = []
  /** Offset of the next message; of the next one whose alerts are not out yet. */
  position = 0
  #committed = 0
  /** Offset of the first message that the topic still holds. */
  #low = 0
  /** Id of the last checkpoint, '' before the first; whether the shelf holds it. */
  #checkpoint = ''
  #onShelf = false
  #since = { messages: 0, at: performance.now() }
  /** Milliseconds that gathering the last checkpoint took. */
  #cost = 0

  private constructor(client: Kafka, partition: number, options: PartitionOptions, counts: Counts) {
    this.partition = partition
    this.#options = options
    this.#client = client
    this.#counts = counts
    this.#names = groupNames(options.kafka.topic_prefix, options.group)
    this.#producer = client.producer({
      transactionalId: this.#names.transaction(partition), maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner,
      transactionTimeout: options.deadline,
    })
  }

  /**
   * Takes the partition over.
   * @param alive called now and then; a rejection ends the attempt
   */
  static async take(client: Kafka, partition: number, options: PartitionOptions, counts: Counts, alive: () => Promise<void>): Promise<Partition> {
    const began = performance.now()
    const taken = new Partition(client, partition, options, counts)
    try {
      await taken.#restore(alive)
    } catch (error) {
      await taken.close()
      throw error
    }
    counts.restores++
    counts.restoring = performance.now() - began
    return taken
  }

  async #restore(alive: () => Promise<void>): Promise<void> {
    await this.#producer.connect()
    // The first transaction fences. Its record is also the mark up to which the changelog has to be read.
    const token = randomUUID()
    const owner = JSON.stringify([OWN, 'owner', 0])
    await this.#transact(async (transaction) => {
      await transaction.send({ topic: this.#names.changelog, messages: [{ key: owner, value: token, partition: this.partition }] })
    })
    const checkpoint = await this.#locate()
    const shelved = checkpoint === '' ? undefined : this.#options.shelf?.take(this.partition, checkpoint)
    const records = shelved ?? await this.#readChangelog(owner, token, alive)
    this.#load(this.#changelog.read(records))
    this.#onShelf = shelved !== undefined
    if (this.#onShelf) this.#counts.shelved++
    else this.#shelve(undefined, [...records].map(([key, value]) => ({ key, value })))
    if (this.position >= this.#low) return
    if (this.position > 0 || this.#committed > 0) this.#options.say(`partition ${this.partition}: events ${this.position} to ${this.#low - 1} are no longer in the topic; the state goes on without them`)
    this.position = this.#low
  }

  async #readChangelog(owner: string, token: string, alive: () => Promise<void>): Promise<Map<string, Buffer>> {
    const records = new Map<string, Buffer>()
    await readPartition(this.#client, {
      topic: this.#names.changelog, partition: this.partition, group: this.#names.group, onProgress: alive,
      onMessage: ({ key, value }) => {
        const name = key?.toString() ?? ''
        if (name === owner) return value?.toString() === token
        if (value === null) records.delete(name)
        else records.set(name, value)
        return false
      },
    })
    return records
  }

  #load(entries: Entries): void {
    const checkpoint = entries.get(OWN)?.get('checkpoint') as Checkpoint | undefined
    if (checkpoint === undefined) return
    if (checkpoint.version !== VERSION) throw new Error(`the state in ${this.#names.changelog} has version ${checkpoint.version}, this program reads ${VERSION}: give a new --group`)
    this.position = checkpoint.offset
    this.#committed = Math.max(this.#committed, checkpoint.offset)
    this.#checkpoint = checkpoint.id
    for (const [name, ofSite] of entries) if (name !== OWN) this.#site(name).load(ofSite)
  }

  /** Where to speak from: nobody else commits now, so it is what the last transaction said. @returns the checkpoint that it named */
  async #locate(): Promise<string> {
    const topic = topics(this.#options.kafka.topic_prefix).events
    const admin = this.#client.admin()
    try {
      await admin.connect()
      const [committed] = await admin.fetchOffsets({ groupId: this.#names.group, topics: [topic] })
      const own = committed?.partitions.find(({ partition }) => partition === this.partition)
      this.#committed = Math.max(0, Number(own?.offset ?? 0))
      this.#low = Number((await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === this.partition)?.low ?? 0)
      return own?.metadata ?? ''
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  /** The copy follows the topic where it can. A disk that refuses costs nothing but the time to read the topic. */
  #shelve(before: string | undefined, changes: readonly Change[]): void {
    const { shelf, say } = this.#options
    if (shelf === undefined || this.#checkpoint === '') return
    try {
      this.#onShelf = shelf.put(this.partition, before, this.#checkpoint, changes)
    } catch (error) {
      if (this.#onShelf || before === undefined) say(`partition ${this.partition}: no copy of the state is kept here for the moment: ${reason(error)}`)
      this.#onShelf = false
    }
  }

  #site(name: string): Site {
    let site = this.#sites.get(name)
    if (site === undefined) {
      site = new Site({ ...this.#options, onAlert: (alert) => this.#alerts.push(alert) })
      this.#sites.set(name, site)
    }
    return site
  }

  /**
   * Judges messages, in order, from `position` on; others are passed over.
   * @param alive called now and then; a rejection ends it: then this object must be closed
   */
  async process(messages: readonly KafkaMessage[], alive: () => Promise<void>): Promise<void> {
    let n = 0
    for (const message of messages) {
      const offset = Number(message.offset)
      if (offset < this.position) continue
      this.#take(message)
      this.position = offset + 1
      // What these say was said before.
      if (offset < this.#committed) {
        this.#alerts = []
        this.#counts.replayed++
      }
      if (++n % SLICE === 0) await alive()
    }
    this.#since.messages += n
    if (this.position <= this.#committed) return
    const { messages: most, milliseconds } = this.#options.checkpoint
    const passed = performance.now() - this.#since.at
    await this.commit((this.#since.messages >= most || passed >= milliseconds) && passed >= 20 * this.#cost)
  }

  #take({ key, value, headers }: KafkaMessage): void {
    this.#counts.in++
    const name = key?.toString() ?? ''
    const mark = readMark(headers)
    const known = this.#sites.has(name)
    if (mark === undefined || value === null || name === OWN || name.length > MOST_NAME || (!known && this.#sites.size >= MOST_SITES)) {
      this.#counts.foreign++
      return
    }
    this.#site(name).take(value.toString(), mark)
  }

  /** What the sites count since they began, on whichever worker. */
  get counts(): SiteCounts {
    const sum: SiteCounts = { in: 0, judged: 0, repeated: 0, unreadable: 0, missed: 0 }
    for (const { counts } of this.#sites.values()) for (const name of Object.keys(sum) as (keyof SiteCounts)[]) sum[name] += counts[name]
    return sum
  }

  get sites(): number {
    return this.#sites.size
  }

  /** Alerts, position and, if asked for, all that was learned: together or not at all. After a rejection this object must be closed. */
  async commit(checkpoint: boolean): Promise<void> {
    const alerts = this.#alerts.map(alertMessage)
    const id = checkpoint ? randomUUID() : this.#checkpoint
    const began = performance.now()
    const { changes, done } = checkpoint ? this.#changelog.changes(this.#entries(id)) : { changes: [], done: () => {} }
    if (checkpoint) this.#cost = performance.now() - began
    const offset = { partition: this.partition, offset: String(this.position), metadata: id }
    const { alerts: alertTopic, events } = topics(this.#options.kafka.topic_prefix)
    await this.#transact(async (transaction) => {
      for (const messages of requests(alerts)) await this.#sendAlerts(transaction, alertTopic, messages)
      for (const messages of requests(changes.map((change) => recordOf(change, this.partition)))) {
        await transaction.send({ topic: this.#names.changelog, messages })
      }
      await again(() => transaction.sendOffsets({ consumerGroupId: this.#names.group, topics: [{ topic: events, partitions: [offset] }] }))
    })
    this.#counts.transactions++
    this.#counts.alerts += alerts.length
    this.#alerts = []
    this.#committed = this.position
    if (!checkpoint) return
    done()
    const before = this.#checkpoint
    this.#checkpoint = id
    if (this.#onShelf) this.#shelve(before, changes)
    else if (this.#options.shelf !== undefined) this.#shelve(undefined, this.#changelog.records(this.#entries(id)))
    this.#since = { messages: 0, at: performance.now() }
    this.#counts.checkpoints++
    for (const { value } of changes) this.#counts.changelog += value?.length ?? 0
  }

  /** Something was read since the last checkpoint. */
  get dirty(): boolean {
    return this.#since.messages > 0 && this.position >= this.#committed
  }

  * #entries(id: string): Iterable<[string, string, unknown]> {
    yield [OWN, 'checkpoint', { version: VERSION, offset: this.position, id } satisfies Checkpoint]
    for (const [name, site] of this.#sites) for (const [entry, value] of site.save()) yield [name, entry, value]
  }

  /** What the topic refuses for good would be refused for ever, and with it all that comes behind: it is told here, and passed over. */
  async #sendAlerts(transaction: Transaction, topic: string, messages: Message[]): Promise<void> {
    try {
      await transaction.send({ topic, messages, compression: CompressionTypes.GZIP })
    } catch (error) {
      const type = errorType(error)
      if (type === undefined || !FOR_GOOD.has(type)) throw error
      if (messages.length > 1) {
        for (const message of messages) await this.#sendAlerts(transaction, topic, [message])
      } else {
        this.#options.say(`kafka refuses alert ${String(messages[0]!.headers?.['ce_id'])}: ${type}`)
      }
    }
  }

  /** One transaction within the deadline. */
  async #transact(work: (transaction: Transaction) => Promise<void>): Promise<void> {
    const { deadline } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${deadline / 1000} s`)), deadline)
    })
    const run = async (): Promise<void> => {
      const transaction = await this.#producer.transaction()
      await work(transaction)
      await transaction.commit()
    }
    try {
      await Promise.race([run(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets go of the connections; an open transaction ends when somebody takes over. Never rejects. */
  async close(): Promise<void> {
    await Promise.race([this.#producer.disconnect().catch(() => {}), sleep(2000, undefined, { ref: false })])
  }
}

const recordOf = ({ key, value }: Change, partition: number): Message => ({ key, value, partition })

/** Messages in portions that a request may hold. */
function * requests(messages: readonly Message[]): Iterable<Message[]> {
  let portion: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size = Buffer.byteLength(message.value ?? '') + Buffer.byteLength(message.key ?? '') + 300
    if (portion.length > 0 && bytes + size > REQUEST) {
      yield portion
      portion = []
      bytes = 0
    }
    portion.push(message)
    bytes += size
  }
  if (portion.length > 0) yield portion
}

/** The coordinator may still be busy with the transaction before; the library asks again for everything but this. */
async function again(work: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (errorType(error) !== 'CONCURRENT_TRANSACTIONS' || tries === 50) throw error
      await sleep(20)
    }
  }
}
