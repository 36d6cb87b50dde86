/**
 * The outbox: alerts that were accepted and that a sink's receiver has not acknowledged yet. It lies in the same LMDB environment as
 * what was learned, so both can change in one transaction. What holds at every moment, also after a kill or a full disk:
 *
 * - An alert is here before it is sent, and leaves only when it was acknowledged, refused for good, or shed. Every way out is counted:
 *   accepted = delivered + superseded + shed + refused + corrupt + held.
 * - Each sink has its own queue with its own copies: a sink that is away for days holds up no other.
 * - A queue is in order of acceptance, so it is in order for each device. A newer revision of an alert that still waits takes the
 *   place of the older one: an outage of days holds each alert once, in its latest form.
 * - A queue is bounded in bytes of disk. Beyond, the least severe goes first, of those the oldest; losses are tallied by severity until
 *   they have been reported by an alert of their own (`reportLosses`).
 * - Nothing of the backlog is in memory: a batch is read when it is sent, and opening counts keys only.
 * - A record whose checksum is wrong is counted and passed over; it stops nothing.
 *
 * Three databases: `outbox` (the queue), `outbox-index` (where the waiting form of an alert is), `outbox-totals` (the books).
 *
 *   outbox          [sink, severity rank, seq, alert id] -> CRC-32 (8 hexadecimal digits) + the alert as JSON, times in microseconds
 *   outbox-index    [sink, alert id]                     -> [severity rank, seq, revision, bytes]
 *   outbox-totals   sink                                 -> Totals
 */
import { crc32 } from 'node:zlib'
import type { Database, RootDatabase } from 'lmdb'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'
import { addLosses, lossCount, noLosses, noteShed, noteTime, shedCount, type Losses } from './losses.ts'

/** Bytes of a page of LMDB. Values that come in order leave pages half empty, so what fills a quarter of one takes a whole. */
const PAGE = 4096
const OWN_PAGES_FROM = 1000
/** Disk space that is in the file from the start and free: with a full disk, alerts still pass through. */
const RESERVE = 4 * 1024 * 1024

type QueueKey = [sink: string, rank: number, seq: number, id: string]
type Place = [rank: number, seq: number, revision: number, bytes: number]

/** The books of one sink's queue, since it was made. */
export interface Totals {
  accepted: number
  delivered: number
  /** Replaced by a newer revision while they waited. */
  superseded: number
  shed: number
  refused: number
  corrupt: number
  /** Waiting now, and the bytes of disk they take. */
  held: number
  bytes: number
  nextSeq: number
  /** Not yet reported. */
  losses: Losses
}

/** One waiting alert, as `next` gave it out. */
export interface Waiting {
  readonly key: QueueKey
  readonly alert: Alert
}

const noTotals = (): Totals => ({
  accepted: 0, delivered: 0, superseded: 0, shed: 0, refused: 0, corrupt: 0, held: 0, bytes: 0, nextSeq: 0, losses: noLosses(),
})

/** Disk space of a value (measured: the file is within a tenth of the sum). */
const diskBytes = (length: number): number => length > OWN_PAGES_FROM ? Math.ceil((length + 16) / PAGE) * PAGE : 2 * (length + 64)

const encode = (alert: Alert): string => {
  const json = JSON.stringify(alert)
  return crc32(json).toString(16).padStart(8, '0') + json
}

function decode(value: string): Alert | undefined {
  const json = value.slice(8)
  return crc32(json) === Number.parseInt(value.slice(0, 8), 16) ? JSON.parse(json) as Alert : undefined
}

export class Outbox {
  readonly #root: RootDatabase<unknown, string>
  readonly #queue: Database<string, QueueKey | (string | number)[]>
  readonly #index: Database<Place, (string | number)[]>
  readonly #totals: Database<Totals, string>
  readonly #maxBytes: number
  readonly #wants: (sink: string, alert: Alert) => boolean
  readonly sinks: readonly string[]

  /**
   * @param root the environment of the store
   * @param sinks names of the sinks: `[a-z0-9-]+`
   * @param maxBytes disk space of one sink's queue
   * @param wants whether an alert is for a sink; what it does not want is in none of its books
   */
  constructor(root: RootDatabase<unknown, string>, sinks: readonly string[], maxBytes: number, wants: (sink: string, alert: Alert) => boolean = () => true) {
    this.#root = root
    this.sinks = sinks
    this.#maxBytes = maxBytes
    this.#wants = wants
    this.#queue = root.openDB('outbox', { encoding: 'string' })
    this.#index = root.openDB('outbox-index', { encoding: 'json' })
    this.#totals = root.openDB('outbox-totals', { encoding: 'json' })
    if (!this.#totals.doesExist('')) this.#reserve()
    root.openDB('outbox-spare', { encoding: 'string' })
    root.transactionSync(() => { for (const sink of sinks) this.#recount(sink) })
  }

  /**
   * Takes alerts in, for every sink that wants them, in one transaction (in the caller's, when there is one).
   * @param lost what was lost before it could get here
   * @throws when the disk refuses; then nothing was taken
   */
  add(alerts: readonly Alert[], lost: Losses = noLosses()): void {
    const values = alerts.map(encode)
    this.#root.transactionSync(() => {
      for (const sink of this.sinks) {
        this.#change(sink, (totals) => {
          alerts.forEach((alert, i) => { if (this.#wants(sink, alert)) this.#put(sink, totals, alert, values[i]!) })
          totals.accepted += shedCount(lost)
          totals.shed += shedCount(lost)
          addLosses(totals.losses, lost)
        })
      }
    })
  }

  /** The oldest that wait, in order: at most `count`, and at most `bytes` of JSON but always one. Records that cannot be read are dropped. */
  next(sink: string, count: number, bytes: number): Waiting[] {
    const batch: Waiting[] = []
    const unreadable: QueueKey[] = []
    let size = 0
    for (const { key, value } of this.#inOrder(sink, count)) {
      const alert = decode(value)
      if (alert === undefined) {
        unreadable.push(key)
        continue
      }
      size += value.length
      if (batch.length === count || (size > bytes && batch.length > 0)) break
      batch.push({ key, alert })
    }
    if (unreadable.length === 0) return batch
    this.#dropUnreadable(sink, unreadable)
    return batch.length > 0 ? batch : this.next(sink, count, bytes)
  }

  /**
   * The receiver has them: they leave, but for those that grew in the meantime.
   * @throws when the disk refuses even to forget one
   */
  acknowledge(sink: string, sent: readonly Waiting[]): void {
    try {
      this.#forget(sink, sent)
    } catch (error) {
      // A tree that is changed is written anew: on a full disk there may be pages for one alert where there are none for fifty.
      if (sent.length <= 1) throw error
      const half = Math.ceil(sent.length / 2)
      this.acknowledge(sink, sent.slice(0, half))
      this.acknowledge(sink, sent.slice(half))
    }
  }

  /** The receiver will never take it: it leaves, counted as lost. @throws when the disk refuses */
  refuse(sink: string, { key, alert }: Waiting): void {
    this.#root.transactionSync(() => this.#change(sink, (totals) => {
      if (!this.#remove(totals, key)) return
      totals.refused += 1
      totals.losses.refused += 1
      noteTime(totals.losses, alert.raised_at)
    }))
  }

  /**
   * Turns the tally of losses into one alert in the same queue, and begins a new tally.
   * @param make the alert that says it
   */
  reportLosses(sink: string, make: (losses: Losses) => Alert): void {
    this.#root.transactionSync(() => this.#change(sink, (totals) => {
      if (lossCount(totals.losses) === 0) return
      const alert = make(totals.losses)
      totals.losses = noLosses()
      this.#put(sink, totals, alert, encode(alert))
    }))
  }

  /** Whether the queue is closer to its bound than to its end. */
  pressed(totals: Totals): boolean {
    return totals.bytes > this.#maxBytes / 2
  }

  /** `raised_at` of the alert that waits the longest; undefined where none waits. */
  oldest(sink: string): Micros | undefined {
    for (const { value } of this.#inOrder(sink, 1)) return decode(value)?.raised_at
    return undefined
  }

  totals(sink: string): Totals {
    return readable(() => this.#totals.get(sink)) ?? noTotals()
  }

  #forget(sink: string, sent: readonly Waiting[]): void {
    this.#root.transactionSync(() => this.#change(sink, (totals) => {
      for (const { key, alert } of sent) {
        const place = this.#place(sink, alert.id)
        if (place !== undefined && place[1] === key[2] && place[2] > alert.revision) continue
        if (this.#remove(totals, key)) totals.delivered += 1
      }
    }))
  }

  #place(sink: string, id: string): Place | undefined {
    return readable(() => this.#index.get([sink, id]))
  }

  #put(sink: string, totals: Totals, alert: Alert, value: string): void {
    totals.accepted += 1
    const place = this.#place(sink, alert.id)
    const older: QueueKey | undefined = place && [sink, place[0], place[1], alert.id]
    const waits = older !== undefined && this.#queue.doesExist(older)
    if (waits) totals.superseded += 1
    if (waits && place![2] >= alert.revision) return
    if (waits) this.#remove(totals, older)
    const seq = waits ? place![1] : totals.nextSeq++
    const rank = SEVERITIES.indexOf(alert.severity)
    const bytes = diskBytes(value.length)
    this.#queue.putSync([sink, rank, seq, alert.id], value)
    this.#index.putSync([sink, alert.id], [rank, seq, alert.revision, bytes])
    totals.held += 1
    totals.bytes += bytes
    while (totals.bytes > this.#maxBytes && totals.held > 1) this.#shedOne(sink, totals)
  }

  /** The oldest of the least severe makes room. */
  #shedOne(sink: string, totals: Totals): void {
    for (const { key, value } of this.#queue.getRange({ start: [sink], end: [sink, SEVERITIES.length], limit: 1 })) {
      this.#remove(totals, key as QueueKey)
      totals.shed += 1
      noteShed(totals.losses, SEVERITIES[key[1] as number]!, decode(value)?.raised_at ?? null)
      return
    }
    // The books say more than is there: believe the queue.
    totals.held = 0
    totals.bytes = 0
  }

  /** @returns whether it was there */
  #remove(totals: Totals, key: QueueKey): boolean {
    if (!this.#queue.removeSync(key)) return false
    const [sink, , seq, id] = key
    const place = this.#place(sink, id)
    if (place !== undefined && place[1] === seq) this.#index.removeSync([sink, id])
    totals.held -= 1
    totals.bytes -= place?.[3] ?? 0
    return true
  }

  #dropUnreadable(sink: string, keys: readonly QueueKey[]): void {
    this.#root.transactionSync(() => this.#change(sink, (totals) => {
      for (const key of keys) {
        if (!this.#remove(totals, key)) continue
        totals.corrupt += 1
        totals.losses.corrupt += 1
      }
    }))
  }

  #change(sink: string, change: (totals: Totals) => void): void {
    const totals = this.totals(sink)
    change(totals)
    this.#totals.putSync(sink, totals)
  }

  /** Merges the queues of the severities, each in order, by seq; reads no further than it is asked. */
  * #inOrder(sink: string, limit: number): Generator<{ key: QueueKey; value: string }> {
    const queues = SEVERITIES.map((_, rank) => this.#queue.getRange({ start: [sink, rank], end: [sink, rank + 1], limit: limit + 1 })[Symbol.iterator]())
    try {
      const heads = queues.map((queue) => queue.next())
      for (;;) {
        let first = -1
        for (const [rank, head] of heads.entries()) {
          if (head.done === true) continue
          if (first < 0 || (head.value.key[2] as number) < (heads[first]!.value as { key: QueueKey }).key[2]) first = rank
        }
        if (first < 0) return
        yield heads[first]!.value as { key: QueueKey; value: string }
        heads[first] = queues[first]!.next()
      }
    } finally {
      for (const queue of queues) queue.return?.()
    }
  }

  /** What is held is counted anew from the keys: a wrong book never outlives a restart, and what damage has hidden is counted. */
  #recount(sink: string): void {
    const totals = { ...noTotals(), ...this.totals(sink) }
    let found = this.#count(sink)
    if (found.held < totals.held || !found.inOrder) {
      this.#sortAnew()
      found = this.#count(sink)
    }
    const { held, bytes } = found
    const missing = Math.max(0, totals.held - held)
    totals.corrupt += missing
    totals.losses.corrupt += missing
    this.#totals.putSync(sink, { ...totals, held, bytes })
  }

  #count(sink: string): { held: number; bytes: number; inOrder: boolean } {
    let held = 0
    let bytes = 0
    let inOrder = true
    let last: [rank: number, seq: number] = [-1, -1]
    for (const key of this.#queue.getKeys({ start: [sink], end: [sink, SEVERITIES.length] }) as Iterable<QueueKey>) {
      inOrder &&= key[0] === sink && (key[1] > last[0] || (key[1] === last[0] && key[2] > last[1])) && this.#queue.doesExist(key)
      if (key[0] !== sink) continue
      held += 1
      bytes += this.#place(sink, key[3])?.[3] ?? 0
      last = [key[1], key[2]]
    }
    return { held, bytes, inOrder }
  }

  /** A damaged key leaves the tree out of order, and what lies behind it can't be found: everything that can be read is put in again. */
  #sortAnew(): void {
    const spare = this.#root.openDB<string, QueueKey | (string | number)[]>('outbox-spare', { encoding: 'string' })
    move(this.#queue, spare)
    move(spare, this.#queue)
  }

  /** Grows the file once, and frees what it grew by. */
  #reserve(): void {
    this.#root.transactionSync(() => { this.#queue.putSync(['', 0, 0, ''], ' '.repeat(RESERVE)) })
    this.#root.transactionSync(() => {
      this.#queue.removeSync(['', 0, 0, ''])
      this.#totals.putSync('', noTotals())
    })
  }
}

function move(from: Database<string, QueueKey | (string | number)[]>, to: Database<string, QueueKey | (string | number)[]>): void {
  for (const { key, value } of from.getRange({})) to.putSync(key, value)
  from.clearSync()
}

/** A value whose JSON is broken counts as absent. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
