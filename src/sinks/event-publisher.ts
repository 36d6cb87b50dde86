/**
 * Events to a Kafka topic, for workers that judge them (`wardwire detect`): an idempotent producer, acknowledged by all in-sync replicas, one request
 * at a time. The key is the site, so all events of a hospital are in one partition, in the order in which they were decoded.
 *
 * Unlike alerts, events are not on disk before they are sent: there are thousands a second. What waits is held in memory up to a bound. Whoever can
 * wait asks `drained`, and loses nothing. Whoever cannot (live capture) gives a spool: what waits for brokers that are away goes to disk, in order.
 *
 *     the batch being sent  <  the spool  <  the queue in memory
 *
 * Without a spool, or with a full disk, the newest are lost beyond the bound. Events are numbered, lost ones too, so workers see what is missing, and
 * pass over what comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CompressionTypes, Partitioners, type Kafka, type Message, type Producer } from 'kafkajs'
import { shortId } from '../../models/hash.ts'
import type { WireEvent } from '../../protocols/events.ts'
import type { Config, KafkaConfig } from '../config.ts'
import { reason } from '../errors.ts'
import type { EventBatch, EventSpool } from '../store/event-spool.ts'
import { VERSION } from '../version.ts'
import { eventJson } from './event-json.ts'
import { markHeaders } from './event-mark.ts'
import { ensureTopic, errorType, kafkaClient, settingsOf, topics } from './kafka-client.ts'
import { FOR_GOOD, MAX_BYTES } from './kafka.ts'

export interface EventPublisherOptions {
  /** Bytes of JSON in memory: above `most`, what comes is lost; above `spill`, it goes to the spool; `drained` waits until it is below `low`. */
  hold: { most: number; spill: number; low: number }
  batch: { count: number; bytes: number }
  /** How long one batch may take, milliseconds. */
  deadline: number
  /** The pause after a first failure and the longest one, milliseconds; it doubles in between. */
  pause: { first: number; longest: number }
}

export const EVENT_PUBLISHING: EventPublisherOptions = {
  hold: { most: 64_000_000, spill: 8_000_000, low: 4_000_000 }, batch: { count: 2000, bytes: 700_000 }, deadline: 30_000, pause: { first: 250, longest: 10_000 },
}

/** How long brokers that are away are given at the end, milliseconds. */
const GOODBYE = 1000
/** Between two tries to use a disk that refuses, milliseconds. */
const DISK_PAUSE = 2000
/** Closing waits no longer than this for a library that hangs, milliseconds. */
const CLOSE = 2000

type Waiting = EventBatch['events'][number]

/** in = sent + lost + waiting, where `in` includes what the spool held at the start. */
export interface EventBooks {
  in: number
  sent: number
  /** No room while the brokers were away, refused for good, or unreadable. */
  lost: number
  waiting: number
}

export class EventPublisher {
  readonly #client: Kafka
  readonly #config: KafkaConfig
  readonly #site: string
  #mark: EventBatch['mark']
  readonly #input: string
  readonly #say: (line: string) => void
  readonly #options: EventPublisherOptions
  readonly #spool: EventSpool | undefined
  #producer: Producer | undefined
  /** What is being sent, and whether the spool still has it. */
  #hand: EventBatch | undefined
  #isSpooled = false
  /** Events of a batch in hand that are over, though the spool still has the whole batch. */
  #partly = 0
  #queue: Waiting[] = []
  /** In memory: in hand and in the queue. */
  #bytes = 0
  /** The number of the next event. */
  #next = 0
  #books = { in: 0, sent: 0, lost: 0 }
  /** When the disk may be asked again; 0 while it takes events. */
  #retryAt = 0
  #closing = false
  /** Brokers that are away are not waited for: the disk keeps what they miss. */
  #hasty = false
  #stopped = false
  #wake = (): void => {}
  #giveUp = (): void => {}
  #progress = (): void => {}
  readonly #waiters: (() => void)[] = []
  readonly #loop: Promise<void>
  /** Why nothing goes out at the moment; undefined while it does. */
  failing: string | undefined
  /** Why the disk takes no events that wait; undefined while it does. */
  refusing: string | undefined

  /**
   * @param source how the sensor captures: `replay` or `live`
   * @param input what is read, so that reading it again is known: the same text gives the same stream
   * @param say hears in one line when publishing begins to fail, and when it goes on
   * @throws {UserError} when a file that the configuration names can't be read
   */
  constructor(kafka: KafkaConfig, config: Pick<Config, 'sensor' | 'site'>, source: string, input: string, say: (line: string) => void, options: EventPublisherOptions = EVENT_PUBLISHING, spool?: EventSpool) {
    this.#client = kafkaClient(kafka)
    this.#config = kafka
    this.#site = config.site ?? config.sensor
    this.#mark = { sensor: config.sensor, source, stream: '' }
    this.#input = input
    this.#say = say
    this.#options = options
    this.#spool = spool
    this.#books.in = spool?.events ?? 0
    this.#loop = this.#run()
  }

  get books(): EventBooks {
    const { shed = 0, corrupt = 0 } = this.#spool?.lost ?? {}
    const { in: all, sent, lost } = this.#books
    return { in: all, sent, lost: lost + shed + corrupt, waiting: this.#queue.length + (this.#isSpooled ? 0 : this.#hand?.events.length ?? 0) + (this.#spool?.events ?? 0) - this.#partly }
  }

  /** Bytes of disk that waiting events take. */
  get spooled(): number {
    return this.#spool?.bytes ?? 0
  }

  accept(event: WireEvent): void {
    const text = eventJson(event)
    const n = this.#next++
    this.#books.in++
    // The same input read again by the same program is the same stream, so workers know what was published before.
    if (n === 0) this.#mark = { ...this.#mark, stream: shortId(`${VERSION} ${this.#input} ${text}`) }
    const size = Buffer.byteLength(text)
    if (this.#bytes + size > this.#options.hold.most || size > MAX_BYTES) {
      this.#books.lost++
      return
    }
    this.#queue.push({ n, text })
    this.#bytes += size
    this.#wake()
    if (this.#spool === undefined) return
    const isAway = this.failing !== undefined || this.#spool.events > 0
    if (this.#bytes > (isAway ? this.#options.batch.bytes : this.#options.hold.spill) && performance.now() >= this.#retryAt) this.#spill()
  }

  /** Resolves when there is room; at once when there is. */
  async drained(): Promise<boolean> {
    while (this.#bytes > this.#options.hold.low && !this.#stopped) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    return !this.#stopped
  }

  /** Gives up waiting, also for an answer: `drained` answers false. */
  stop(): void {
    this.#stopped = true
    this.#wake()
    this.#giveUp()
    this.#release()
  }

  /**
   * Sends what waits, then ends. What is left in the books is in the spool, where there is one.
   * @param within milliseconds after which it ends in any case, `patient`: since the last acknowledgement
   */
  async close(within: number, patient = false): Promise<EventBooks> {
    this.#closing = true
    this.#hasty = this.#spool !== undefined && !patient
    const timer = setTimeout(() => this.stop(), this.failing !== undefined && this.#hasty ? Math.min(within, GOODBYE) : within)
    if (patient) this.#progress = () => timer.refresh()
    this.#wake()
    await this.#loop
    clearTimeout(timer)
    this.#putBack()
    this.#spill()
    return this.books
  }

  /** Whether what still waits is on disk. */
  get isKept(): boolean {
    return this.#spool !== undefined && this.#bytes === 0
  }

  async #run(): Promise<void> {
    let pause = this.#options.pause.first
    let most = this.#options.batch.count
    while (!this.#stopped) {
      const batch = this.#hand ??= this.#take()
      if (batch === undefined) {
        if (this.#closing) break
        await new Promise<void>((resolve) => { this.#wake = resolve })
        continue
      }
      const part = batch.events.slice(0, most)
      try {
        await this.#send(batch, part)
        this.#over(batch, part, 'sent')
        most = Math.min(this.#options.batch.count, most * 2)
        pause = this.#options.pause.first
        if (this.failing !== undefined) this.#say('events are published again')
        this.failing = undefined
        this.#progress()
      } catch (error) {
        if (this.#stopped || this.#hasty) break
        if (FOR_GOOD.has(errorType(error) ?? '')) {
          // A batch may be more than the topic takes where each of its events is not.
          if (part.length === 1) this.#over(batch, part, 'lost')
          most = Math.max(1, part.length >> 1)
          continue
        }
        const why = reason(error)
        if (this.failing === undefined) this.#say(`events wait, because of: ${why}`)
        this.failing = why
        this.#putBack()
        await this.#disconnect()
        await Promise.race([sleep(pause), new Promise<void>((resolve) => { if (this.#stopped) resolve(); else this.#wake = () => { if (this.#stopped) resolve() } })])
        pause = Math.min(pause * 2, this.#options.pause.longest)
      }
    }
    await this.#disconnect()
    this.#release()
  }

  /** The next batch: what has waited the longest. */
  #take(): EventBatch | undefined {
    const kept = this.#spool?.next()
    this.#isSpooled = kept !== undefined
    return kept ?? this.#ofQueue()
  }

  #ofQueue(): EventBatch | undefined {
    let bytes = 0
    let count = 0
    for (const { text } of this.#queue) {
      bytes += text.length
      if (count > 0 && (count >= this.#options.batch.count || bytes > this.#options.batch.bytes)) break
      count++
    }
    return count === 0 ? undefined : { site: this.#site, mark: this.#mark, events: this.#queue.splice(0, count) }
  }

  /** The queue goes to disk. */
  #spill(): void {
    for (let batch = this.#spool && this.#ofQueue(); batch !== undefined; batch = this.#ofQueue()) {
      if (!this.#keep(batch)) {
        this.#queue = [...batch.events, ...this.#queue]
        return
      }
    }
  }

  /** What could not be sent waits before all others; on disk where it can. */
  #putBack(): void {
    if (this.#hand !== undefined && !this.#isSpooled && this.#keep(this.#hand, true)) this.#hand = undefined
  }

  /** @returns whether it is in the spool, and no longer in memory */
  #keep(batch: EventBatch, first = false): boolean {
    if (this.#spool === undefined) return false
    try {
      this.#spool.put(batch, first)
    } catch (error) {
      if (this.refusing === undefined) this.#say(`events are held in memory, the disk refuses them: ${reason(error)}`)
      this.refusing = reason(error)
      this.#retryAt = performance.now() + DISK_PAUSE
      return false
    }
    if (this.refusing !== undefined) this.#say('the disk takes events again')
    this.refusing = undefined
    this.#retryAt = 0
    this.#bytes -= bytesOf(batch.events)
    return true
  }

  async #send({ site, mark }: EventBatch, events: readonly Waiting[]): Promise<void> {
    const messages = events.map(({ text, n }): Message => ({ key: site, value: text, headers: markHeaders({ ...mark, n }) }))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#options.deadline / 1000} s`)), this.#options.deadline)
      this.#giveUp = () => reject(new Error('told to end'))
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

  /** A part of what is in hand, from its beginning, needs no more care. */
  #over(batch: EventBatch, part: readonly Waiting[], how: 'sent' | 'lost'): void {
    batch.events.splice(0, part.length)
    this.#books[how] += part.length
    if (this.#isSpooled) this.#partly += part.length
    else this.#bytes -= bytesOf(part)
    if (batch.events.length === 0) {
      if (this.#isSpooled) this.#spool?.forget()
      this.#hand = undefined
      this.#partly = 0
    }
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

const bytesOf = (events: readonly Waiting[]): number => events.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
