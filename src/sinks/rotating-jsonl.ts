/**
 * Alerts to a file, one a line, synced to the disk before they count as delivered. A file that has grown to its size becomes `FILE.1`, the one
 * before it `FILE.2`, and so on. Other programs may rotate it as well: it is opened anew for each batch.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import type { Alert } from '../../models/alert.ts'
import type { SinkConfigOf } from '../config.ts'
import { FORMATS } from './formats/index.ts'
import type { Sink } from './sink.ts'

export class JsonlSink implements Sink {
  readonly #config: SinkConfigOf<'jsonl'>

  constructor(config: SinkConfigOf<'jsonl'>) {
    this.#config = config
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    const text = alerts.map((alert) => `${FORMATS[this.#config.format](alert)}\n`).join('')
    const size = await this.#append(text)
    if (size >= this.#config.max_bytes) await this.#rotate()
  }

  async close(): Promise<void> {}

  /** @returns the size of the file */
  async #append(text: string): Promise<number> {
    const file = await open(this.#config.path, 'a+', 0o640)
    try {
      const { size } = await file.stat()
      // A write that was cut off by a crash or a full disk left half a line: it stays a line of its own.
      const start = size > 0 && !await endsLine(file, size) ? '\n' : ''
      await file.appendFile(start + text)
      await file.datasync()
      return size + start.length + Buffer.byteLength(text)
    } finally {
      await file.close()
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#config
    await rm(`${path}.${keep}`, { force: true })
    for (let n = keep - 1; n >= 0; n--) {
      await rename(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
  }
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a
}
