/** Keeps what was captured, as pcapng with its statistics: a replay of it is what was seen live, frame for frame and tick for tick. */
import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import type { Frame } from '../../protocols/capture/frame.ts'
import type { Statistics } from '../../protocols/capture/window.ts'
import { UserError, reason } from '../errors.ts'
import { PcapngWriter } from './pcapng-writer.ts'

/** Bytes gathered before they are written. */
const BATCH = 1024 * 1024

export class Recorder {
  readonly #path: string
  readonly #file: WriteStream
  readonly #writer = new PcapngWriter(2 * BATCH)
  /** Interface and link type as they came -> the number written. */
  readonly #interfaces = new Map<number, number>()
  #hasSection = false
  #blocked = false
  #failure: unknown

  /** @param path replaced when it is there; readable by its owner only, because frames hold patient data */
  constructor(path: string) {
    this.#path = path
    this.#file = createWriteStream(path, { mode: 0o600 })
    this.#file.on('error', (error) => { this.#failure ??= error })
    this.#file.on('drain', () => { this.#blocked = false })
  }

  begin(): void {
    this.#hasSection = false
    this.#interfaces.clear()
  }

  frame({ bytes, start, end, wireLength, at, linkType, interfaceId }: Frame): void {
    if (!this.#hasSection) this.#writer.section()
    this.#hasSection = true
    let id = this.#interfaces.get(interfaceId)
    if (id === undefined) {
      id = this.#interfaces.size
      this.#interfaces.set(interfaceId, id)
      this.#writer.interface({ name: `capture ${interfaceId}`, linkType, snapLength: 0 })
    }
    this.#writer.packet(id, at, bytes, start, end, wireLength)
    if (this.#writer.size >= BATCH) this.flush()
  }

  statistics(statistics: Statistics): void {
    const id = this.#interfaces.get(statistics.interfaceId)
    // An interface that has shown nothing yet has no link type to be described by.
    if (id !== undefined) this.#writer.statistics({ ...statistics, interfaceId: id })
  }

  flush(): void {
    if (this.#failure !== undefined || this.#writer.size === 0) return
    this.#blocked = !this.#file.write(Buffer.from(this.#writer.take()))
  }

  /** Resolves when the file takes more. @returns false when it can't be written any more */
  async drained(): Promise<boolean> {
    if (this.#blocked && this.#failure === undefined) await once(this.#file, 'drain').catch(() => {})
    return this.#failure === undefined
  }

  /** @throws {UserError} when anything could not be written */
  async close(): Promise<void> {
    this.flush()
    await new Promise<void>((resolve) => {
      if (this.#failure !== undefined) return resolve()
      this.#file.once('error', () => resolve())
      this.#file.end(resolve)
    })
    if (this.#failure !== undefined) throw new UserError(`cannot write ${this.#path}: ${reason(this.#failure)}`, 1)
  }
}
