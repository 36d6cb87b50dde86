/** JSON lines to a file or standard output, in large writes, never ahead of a slow disk by more than one batch. */
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { UserError, reason } from '../errors.ts'

/** Characters gathered before they are handed to the operating system. */
const BATCH = 256 * 1024

export class JsonLines {
  readonly #target: string
  readonly #stream: Writable
  #lines: string[] = []
  #size = 0
  #failure: unknown
  #blocked = false

  /** @param path a file, or `-` for standard output. @param append to what the file holds, instead of replacing it */
  constructor(path: string, append = false) {
    this.#target = path === '-' ? 'standard output' : path
    this.#stream = path === '-' ? process.stdout : createWriteStream(path, { flags: append ? 'a' : 'w' })
    this.#stream.on('error', (error) => { this.#failure ??= error })
    this.#stream.on('drain', () => { this.#blocked = false })
  }

  write(line: string): void {
    this.#lines.push(line)
    this.#size += line.length + 1
    if (this.#size >= BATCH) this.flush()
  }

  /** Resolves when the stream takes more; call it between chunks of input. @returns false when writing has failed: nothing more will be written */
  async drained(): Promise<boolean> {
    // `once` rejects when the stream fails while we wait; the failure is kept by the listener above.
    if (this.#blocked && this.#failure === undefined) await once(this.#stream, 'drain').catch(() => {})
    return this.#failure === undefined
  }

  /** Writes what is left and closes the file. @throws {UserError} when anything could not be written. */
  async close(): Promise<void> {
    this.flush()
    await new Promise<void>((resolve) => {
      if (this.#failure !== undefined) return resolve()
      this.#stream.once('error', () => resolve())
      if (this.#stream === process.stdout) process.stdout.write('', () => resolve())
      else this.#stream.end(resolve)
    })
    if (this.#failure !== undefined) throw new UserError(`cannot write ${this.#target}: ${reason(this.#failure)}`, 1)
  }

  /** Hands on what was gathered, for those who read as it comes. */
  flush(): void {
    if (this.#size === 0 || this.#failure !== undefined) return
    this.#blocked = !this.#stream.write(`${this.#lines.join('\n')}\n`)
    this.#lines = []
    this.#size = 0
  }
}
