/**
 * Events to a Kafka topic, for workers that judge them (`wardwire detect`): an idempotent producer, acknowledged by all in-sync replicas, one request
 * at a time. The key is the site, so all events of a hospital are in one partition, in the order in which they were decoded.
 *
 * Unlike alerts, events are not kept on disk: there are thousands a second, and a capture can be read again. What waits for a broker is held in
 * memory up to a bound. Whoever can wait asks `drained` and loses nothing; whoever cannot (live capture) loses the newest. Events are numbered,
 * lost ones too, so workers see what is missing, and pass over what comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CompressionTypes, Partitioners, type Kafka, type Message, type Producer } from 'kafkajs'
import { shortId } from '../../models/hash.ts'
import type { WireEvent } from '../../protocols/events.ts'
import type { Config, KafkaConfig } from '../config.ts'
import { reason } from '../errors.ts'
import { VERSION } from '../version.ts'
import { eventJson } from './event-json.ts'
import { markHeaders, type EventMark } from './event-mark.ts'
import { ensureTopic, errorType, kafkaClient, settingsOf, topics } from './kafka-client.ts'
import { FOR_GOOD, MAX_BYTES } from './kafka.ts'

export interface EventPublisherOptions {
  /** Bytes of JSON that may wait: above `most`, what comes is lost; `drained` waits until it is below `low`. */
  hold: { most: number; low: number }
  batch: { count: number; bytes: number }
  /** How long one batch may take, milliseconds. */
  deadline: number
  /** The pause after a first failure and the longest one, milliseconds; it doubles in between. */
  pause: { first: number; longest: number }
}

export const EVENT_PUBLISHING: EventPublisherOptions = {
  hold: { most: 64_000_000, low: 4_000_000 }, batch: { count: 2000, bytes: 700_000 }, deadline: 30_000, pause: { first: 250, longest: 10_000 },
}

/** Closing waits no longer than this for a library that hangs, milliseconds. */
const CLOSE = 2000

interface Waiting {
  text: string
  n: number
}

/** in = sent + lost + waiting */
export interface EventBooks {
  in: number
  sent: number
  /** No room while the brokers were away, or refused for good. */
  lost: number
  waiting: number
}

export class EventPublisher {
  readonly #client: Kafka
  readonly #config: KafkaConfig
  readonly #site: string
  readonly #mark: Omit<EventMark, 'n'>
  readonly #input: string
  readonly #say: (line: string) => void
  readonly #options: EventPublisherOptions
  #producer: Producer | undefined
  #queue: Waiting[] = []
  #bytes = 0
  #books = { in: 0, sent: 0, lost: 0 }
  #closing = false
  #stopped = false
  #wake = (): void => {}
  #progress = (): void => {}
  readonly #waiters: (() => void)[] = []
  readonly #loop: Promise<void>
  /** Why nothing goes out at the moment; undefined while it does. */
  failing: string | undefined

  /**
   * @param source how the sensor captures: `replay`, or an interface
   * @param input what is read, so that reading it again is known: the same text gives the same stream
   * @param say hears in one line when publishing begins to fail, and when it goes on
   * @throws {UserError} when a file that the configuration names can't be read
   */
  constructor(kafka: KafkaConfig, config: Pick<Config, 'sensor' | 'site'>, source: string, input: string, say: (line: string) => void, options: EventPublisherOptions = EVENT_PUBLISHING) {
    this.#client = kafkaClient(kafka)
    this.#config = kafka
    this.#site = config.site ?? config.sensor
    this.#mark = { sensor: config.sensor, source, stream: '' }
    this.#input = input
    this.#say = say
    this.#options = options
    this.#loop = this.#run()
  }

  get books(): EventBooks {
    return { ...this.#books, waiting: this.#queue.length }
  }

  accept(event: WireEvent): void {
    const text = eventJson(event)
    const n = this.#books.in++
    // The same input read again by the same program is the same stream, so workers know what was published before.
    if (n === 0) this.#mark.stream = shortId(`${VERSION} ${this.#input} ${text}`)
    const size = Buffer.byteLength(text)
    if (this.#bytes + size > this.#options.hold.most || size > MAX_BYTES) {
      this.#books.lost++
      return
    }
    this.#queue.push({ text, n })
    this.#bytes += size
    this.#wake()
  }

  /** Resolves when there is room; at once when there is. */
  async drained(): Promise<boolean> {
    while (this.#bytes > this.#options.hold.low && !this.#stopped) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    return !this.#stopped
  }

  /** Gives up waiting: `drained` answers false. */
  stop(): void {
    this.#stopped = true
    this.#wake()
    this.#release()
  }

  /**
   * Sends what waits, then ends.
   * @param within milliseconds since the last acknowledgement after which it gives up
   */
  async close(within: number): Promise<EventBooks> {
    this.#closing = true
    const patience = setTimeout(() => this.stop(), within)
    this.#progress = () => patience.refresh()
    this.#wake()
    await this.#loop
    clearTimeout(patience)
    return this.books
  }

  async #run(): Promise<void> {
    let pause = this.#options.pause.first
    let most = this.#options.batch.count
    while (!this.#stopped) {
      const batch = this.#next(most)
      if (batch.length === 0) {
        if (this.#closing) break
        await new Promise<void>((resolve) => { this.#wake = resolve })
        continue
      }
      try {
        await this.#send(batch)
        this.#taken(batch, 'sent')
        most = Math.min(this.#options.batch.count, most * 2)
        pause = this.#options.pause.first
        if (this.failing !== undefined) this.#say('events are published again')
        this.failing = undefined
        this.#progress()
      } catch (error) {
        if (FOR_GOOD.has(errorType(error) ?? '')) {
          // A batch may be more than the topic takes where each of its events is not.
          if (batch.length === 1) this.#taken(batch, 'lost')
          most = Math.max(1, batch.length >> 1)
          continue
        }
        const why = reason(error)
        if (this.failing === undefined) this.#say(`events wait, because of: ${why}`)
        this.failing = why
        await this.#disconnect()
        await Promise.race([sleep(pause), new Promise<void>((resolve) => { if (this.#stopped) resolve(); else this.#wake = () => { if (this.#stopped) resolve() } })])
        pause = Math.min(pause * 2, this.#options.pause.longest)
      }
    }
    await this.#disconnect()
    this.#release()
  }

  #next(most: number): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { text } of this.#queue) {
      bytes += text.length
      if (count > 0 && (count >= most || bytes > this.#options.batch.bytes)) break
      count++
    }
    return this.#queue.slice(0, count)
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const messages = batch.map(({ text, n }): Message => ({ key: this.#site, value: text, headers: markHeaders({ ...this.#mark, n }) }))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#options.deadline / 1000} s`)), this.#options.deadline)
    })
    try {
      await Promise.race([this.#produce(messages), late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #produce(messages: Message[]): Promise<void> {
    const topic = topics(this.#config.topic_prefix).events
    if (this.#producer === undefined) {
      await ensureTopic(this.#client, topic, this.#config, settingsOf.events(this.#config))
      const producer = this.#client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner })
      await producer.connect()
      this.#producer = producer
    }
    await this.#producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages })
  }

  #taken(batch: readonly Waiting[], how: 'sent' | 'lost'): void {
    this.#queue.splice(0, batch.length)
    for (const { text } of batch) this.#bytes -= Buffer.byteLength(text)
    this.#books[how] += batch.length
    if (this.#bytes <= this.#options.hold.low) this.#release()
  }

  #release(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    if (producer === undefined) return
    const patience = new AbortController()
    await Promise.race([producer.disconnect().catch(() => {}), sleep(CLOSE, undefined, { signal: patience.signal }).catch(() => {})])
    patience.abort()
  }
}
