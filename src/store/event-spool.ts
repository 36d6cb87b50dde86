/**
 * Events that wait for Kafka, on disk: what a sensor that cannot wait decodes while the brokers are away. An LMDB environment of its own in the state
 * folder, because it may grow to gigabytes, and the file of the state with it.
 *
 *   [seq, events, bytes] -> gzip of: a line that says whose events they are, then one line for each: its number in the stream, and its JSON
 *
 * - Batches, as they will be sent, in the order of the stream. Nothing of them is in memory but one that is being sent; opening counts keys only.
 * - Bounded in bytes of disk. Beyond, the oldest go first: whoever comes back after days wants to know about today. Workers see the gap in the numbers.
 * - A batch that was sent and could not be forgotten is sent again after a restart; workers pass over numbers that they have had.
 * - A batch that is damaged (gzip has a checksum) is counted and passed over.
 */
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { open, type RootDatabase } from 'lmdb'
import { UserError, reason } from '../errors.ts'
import { privateFile } from './private-file.ts'
import { privateFolder } from './private-folder.ts'

/** Events of one stream, in order. */
export interface EventBatch {
  /** The key of its messages. */
  site: string
  /** What the messages say of the stream. */
  mark: { sensor: string; source: string; stream: string }
  events: { n: number; text: string }[]
}

type Key = [seq: number, events: number, bytes: number]

/** A batch is on its way many times larger than on disk: speed counts more than the last tenth. */
const LEVEL = 1
const PAGE = 4096
/** Bytes that the file may grow at a time. */
const diskBytes = (length: number): number => Math.ceil((length + 16) / PAGE) * PAGE

export class EventSpool {
  readonly #db: RootDatabase<Buffer, Key>
  readonly #maxBytes: number
  #first: number
  #end: number
  /** What is being sent: it is not taken away to make room. */
  #lent: Key | undefined
  /** What is over, but the disk refuses to forget; by sequence number. */
  readonly #over = new Map<number, Key>()
  /** Waiting. */
  events = 0
  bytes = 0
  /** Events that made room for newer ones, and events that could not be read back. */
  readonly lost = { shed: 0, corrupt: 0 }

  /** @param maxBytes disk space. @throws {UserError} when the folder can't be used */
  constructor(folder: string, maxBytes: number) {
    this.#maxBytes = maxBytes
    try {
      privateFolder(folder)
      this.#db = open({ path: privateFile(join(folder, 'events.mdb')), encoding: 'binary', noSubdir: true, overlappingSync: false })
      this.#db.readerCheck()
    } catch (error) {
      throw new UserError(`cannot keep events in ${folder}: ${reason(error)}`, 2)
    }
    this.#first = 0
    this.#end = 0
    let isFirst = true
    for (const [seq, events, bytes] of this.#db.getKeys({})) {
      if (isFirst) this.#first = seq
      isFirst = false
      this.#end = seq + 1
      this.events += events
      this.bytes += bytes
    }
  }

  /**
   * Keeps a batch, behind all others.
   * @param first before all others: it is older than they are
   * @throws when the disk refuses; then nothing has changed
   */
  put({ site, mark, events }: EventBatch, first = false): void {
    const value = gzipSync([JSON.stringify({ site, mark }), ...events.map(({ n, text }) => `${n} ${text}`)].join('\n'), { level: LEVEL })
    const key: Key = [first ? this.#first - 1 : this.#end, events.length, diskBytes(value.length)]
    const old = this.#oldest(this.bytes + key[2] - this.#maxBytes)
    this.#db.transactionSync(() => {
      for (const one of old) this.#db.removeSync(one)
      this.#db.putSync(key, value)
    })
    for (const one of old) {
      this.#count(one, -1)
      this.lost.shed += one[1]
    }
    this.#count(key, 1)
    if (first) this.#first = key[0]
    else this.#end = key[0] + 1
  }

  /** The oldest that waits; it stays until `forget`. */
  next(): EventBatch | undefined {
    const unreadable: Key[] = []
    let batch: EventBatch | undefined
    for (const { key, value } of this.#db.getRange({})) {
      if (this.#over.has(key[0])) continue
      batch = unpacked(value)
      if (batch === undefined) {
        unreadable.push(key)
        continue
      }
      this.#lent = key
      break
    }
    for (const key of unreadable) {
      this.lost.corrupt += key[1]
      this.#remove(key)
    }
    return batch
  }

  /** What `next` gave out has arrived. */
  forget(): void {
    if (this.#lent !== undefined) this.#remove(this.#lent)
    this.#lent = undefined
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  /** A full disk may refuse even this: then it is tried again with the next one. */
  #remove(key: Key): void {
    this.#count(key, -1)
    this.#over.set(key[0], key)
    try {
      this.#db.transactionSync(() => { for (const one of this.#over.values()) this.#db.removeSync(one) })
      this.#over.clear()
    } catch {
      // Nothing has changed.
    }
  }

  /** As many of the oldest as it takes to have so many bytes less. */
  #oldest(bytes: number): Key[] {
    const found: Key[] = []
    if (bytes <= 0) return found
    for (const key of this.#db.getKeys({})) {
      if (this.#over.has(key[0]) || key[0] === this.#lent?.[0]) continue
      found.push(key)
      bytes -= key[2]
      if (bytes <= 0) break
    }
    return found
  }

  #count([, events, bytes]: Key, sign: 1 | -1): void {
    this.events += sign * events
    this.bytes += sign * bytes
  }
}

function unpacked(value: Buffer): EventBatch | undefined {
  try {
    const [head, ...lines] = gunzipSync(value).toString().split('\n')
    const { site, mark } = JSON.parse(head!) as Omit<EventBatch, 'events'>
    return { site, mark, events: lines.map((line) => ({ n: Number.parseInt(line, 10), text: line.slice(line.indexOf(' ') + 1) })) }
  } catch {
    return undefined
  }
}
