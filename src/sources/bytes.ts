/**
 * Where the bytes of a capture come from: a file, a pipe, standard input, and gzip or zstd around them, told by content.
 */
import { constants, open as openDescriptor } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { SourceError, type ByteSource, type RawSource } from './byte-source.ts'
import { Gunzip, Unzstd } from './inflate.ts'

export const STANDARD_INPUT = '-'

/** Bytes of a regular file, or null for pipes and whatever else has no size. */
export async function fileSize(path: string): Promise<number | null> {
  if (path === STANDARD_INPUT) return null
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : null
  } catch {
    return null
  }
}

/** @param parked open the file for each read only: for the many that wait while others are read */
export async function openRaw(path: string, parked = false): Promise<RawSource> {
  if (path === STANDARD_INPUT) return standardInput()
  const kind = await look(path)
  if (kind.isDirectory()) throw new SourceError('is a directory, not a capture file')
  if (kind.isFIFO()) return new Pipe(await openPipe(path))
  // Devices have no position to read at.
  if (!kind.isFile()) return new PlainFile(path, await opened(path), null)
  const handle = await opened(path)
  if (!parked) return new PlainFile(path, handle, 0)
  await handle.close()
  return new PlainFile(path, null, 0)
}

function standardInput(): Pipe {
  if (process.stdin.isTTY) throw new SourceError('is a terminal: pipe a capture into it')
  return new Pipe(process.stdin)
}

/** Unpacks what the first bytes show to be packed. */
export async function unpacked(raw: RawSource): Promise<ByteSource> {
  const head = new Uint8Array(6)
  let length = 0
  while (length < head.length) {
    const count = await raw.read(head.subarray(length))
    if (count === 0) break
    length += count
  }
  const source = new Replayed(head.subarray(0, length), raw)
  const kind = packing(head.subarray(0, length))
  if (kind === 'gzip') return new Gunzip(source)
  if (kind === 'zstd') return new Unzstd(source)
  if (kind !== null) throw new SourceError(`is ${kind}: unpack it first (gzip and zstd are read as they are)`)
  return source
}

const PACKINGS: readonly (readonly [magic: string, name: string])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['425a68', 'bzip2-compressed'],
  ['fd377a585a00', 'xz-compressed'],
  ['04224d18', 'lz4-compressed'],
  ['504b0304', 'a zip archive'],
  ['377abcaf271c', 'a 7z archive'],
]

function packing(head: Uint8Array): string | null {
  const start = Buffer.from(head).toString('hex')
  // A zstd stream may begin with skippable frames: 184D2A50 to 184D2A5F, little-endian.
  if (/^5.2a4d18/.test(start)) return 'zstd'
  return PACKINGS.find(([magic]) => start.startsWith(magic))?.[1] ?? null
}

class PlainFile implements RawSource {
  position = 0
  readonly #path: string
  readonly #seekable: boolean
  #handle: FileHandle | null

  /** @param handle null: open the file for each read */
  constructor(path: string, handle: FileHandle | null, start: 0 | null) {
    this.#path = path
    this.#handle = handle
    this.#seekable = start !== null
  }

  async read(space: Uint8Array): Promise<number> {
    const handle = this.#handle ?? await opened(this.#path)
    try {
      const { bytesRead } = await handle.read(space, 0, space.length, this.#seekable ? this.position : null)
      this.position += bytesRead
      return bytesRead
    } catch (error) {
      throw unreadable(error)
    } finally {
      if (handle !== this.#handle) await handle.close()
    }
  }

  interrupt(): void {
    // A file never makes anyone wait.
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }
}

/**
 * Standard input and FIFOs: read by the event loop, not by a thread of its pool, because a thread that waits for a silent pipe
 * cannot be called back, and would hold up the end of the program.
 */
export class Pipe implements RawSource {
  position = 0
  readonly #stream: Readable
  #chunk: Uint8Array = new Uint8Array(0)

  constructor(stream: Readable) {
    this.#stream = stream
  }

  async read(space: Uint8Array): Promise<number> {
    if (this.#chunk.length === 0) this.#chunk = await this.#next()
    const count = Math.min(this.#chunk.length, space.length)
    space.set(this.#chunk.subarray(0, count))
    this.#chunk = this.#chunk.subarray(count)
    this.position += count
    return count
  }

  /** What came, or nothing at the end. */
  #next(): Promise<Uint8Array> {
    const stream = this.#stream
    return new Promise((resolve, reject) => {
      const done = (): void => {
        stream.off('readable', attempt).off('end', end).off('close', end).off('error', fail)
      }
      const attempt = (): void => {
        const chunk = stream.read() as Buffer | null
        if (chunk === null) return
        done()
        resolve(chunk)
      }
      const end = (): void => {
        done()
        resolve(new Uint8Array(0))
      }
      const fail = (error: Error): void => {
        done()
        reject(unreadable(error))
      }
      stream.on('readable', attempt).on('end', end).on('close', end).on('error', fail)
      if (stream.readableEnded || stream.destroyed) end()
      else attempt()
    })
  }

  interrupt(): void {
    this.#stream.destroy()
  }

  close(): Promise<void> {
    this.#stream.destroy()
    return Promise.resolve()
  }
}

const openFd = promisify(openDescriptor)

async function openPipe(path: string): Promise<Readable> {
  try {
    // Non-blocking, or opening would already wait for the writer, out of reach.
    return new Socket({ fd: await openFd(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false })
  } catch (error) {
    throw unreadable(error)
  }
}

/** Bytes that were read to look at, then the rest. */
class Replayed implements ByteSource {
  #head: Uint8Array
  readonly #rest: ByteSource

  constructor(head: Uint8Array, rest: ByteSource) {
    this.#head = head
    this.#rest = rest
  }

  async read(space: Uint8Array): Promise<number> {
    const count = Math.min(this.#head.length, space.length)
    if (count === 0) return this.#rest.read(space)
    space.set(this.#head.subarray(0, count))
    this.#head = this.#head.subarray(count)
    return count + (count < space.length ? await this.#rest.read(space.subarray(count)) : 0)
  }

  close(): Promise<void> {
    return this.#rest.close()
  }
}

async function look(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path)
  } catch (error) {
    throw unreadable(error)
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw unreadable(error)
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a directory, not a capture file',
  EMFILE: 'too many open files',
  EIO: 'the disk reports an error',
}

function unreadable(error: unknown): SourceError {
  const code = codeOf(error)
  return new SourceError(`cannot be read: ${REASONS[code] ?? (error instanceof Error ? error.message : code)}`)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
