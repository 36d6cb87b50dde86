/**
 * Capture files to frames, in the order of capture time.
 *
 * One file is read straight through. Several are merged: the reader whose next frame is the earliest goes next, and among equals
 * the file named first. Each file keeps its own order, even where its clock steps back. A file takes memory and a descriptor
 * only from the time of its first frame on, so a ring of hundreds is read like one file.
 *
 * What is wrong with a file is a value with one clear clause, not an exception; the other files, and what was read of this one, count.
 */
import type { Frame } from '../../protocols/capture/frame.ts'
import { CaptureReader, FRAME, MORE, type Statistics } from '../../protocols/capture/reader.ts'
import type { Micros } from '../../protocols/events.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { isSupportedLinkType } from '../../protocols/net/link.ts'
import { SourceError, type ByteSource, type RawSource } from './byte-source.ts'
import { fileSize, openRaw, STANDARD_INPUT, unpacked } from './bytes.ts'
import { MergeQueue, type Ordered } from './merge-queue.ts'

export interface CaptureProblem {
  readonly path: string
  readonly kind: 'unreadable' | 'empty' | 'not a capture' | 'unsupported' | 'corrupt' | 'cut'
  /** One clause; `path: text` is the line to show. */
  readonly text: string
}

export interface CaptureResult {
  frames: number
  /** Bytes of captured frames, without the headers of the file. */
  bytes: number
  /** Capture time of the last frame; 0 when there was none. */
  at: Micros
  /** A file ended in the middle of a record. */
  truncated: boolean
  problems: CaptureProblem[]
}

export interface CaptureProgress {
  /** Bytes of the files as they lie on disk (packed, where they are packed). */
  bytes: number
  /** Null when an input has no size. */
  totalBytes: number | null
  frames: number
  at: Micros
}

export interface CaptureHandlers {
  /** Called for each frame, which is valid until return. `fileIndex` is the place in `paths`. */
  onFrame(frame: Frame, fileIndex: number): void
  /** What the capture says of itself, at its place among the frames. */
  onStatistics?(statistics: Statistics, fileIndex: number): void
  /** Awaited between chunks (some MiB), so that writers can drain. */
  afterChunk?(): Promise<void> | void
  onProgress?(progress: CaptureProgress): void
  /** Ends reading at the next chunk; what was read counts. */
  signal?: AbortSignal
}

/** @param paths capture files; `-` is standard input */
export async function readCaptures(paths: readonly string[], handlers: CaptureHandlers): Promise<CaptureResult> {
  const run = new Run(paths, handlers)
  try {
    await run.start()
    await run.merge()
  } finally {
    await run.close()
  }
  return run.result
}

/** Memory for reading, shared by the files that are open at once. Each takes a quarter of what is left. */
const READ_BYTES = 32 * 1024 * 1024
const SMALLEST_CHUNK = 64 * 1024
/** Files held open at once; more are opened for each read. Far below the usual limit of 1024 descriptors. */
const OPEN_FILES = 200

/** One input, in the order of the merge by `at` and `index`. */
class Input implements Ordered<Input> {
  readonly index: number
  readonly path: string
  /** Time of the frame that is next; of a waiting file, of its first frame. */
  at: Micros = 0
  reader: CaptureReader | null = null
  chunkBytes = 0
  raw: RawSource | null = null
  source: ByteSource | null = null
  /** The read that runs while the chunk before is worked through. */
  pending: Promise<number> | null = null
  /** Bytes of the file already counted as progress. */
  counted = 0
  /** The link type seen last, and all that were told to be unsupported. */
  linkType = -1
  readonly unsupported = new Set<number>()

  constructor(index: number, path: string) {
    this.index = index
    this.path = path
  }

  before(other: Input): boolean {
    return this.at < other.at || (this.at === other.at && this.index < other.index)
  }
}

class Run {
  readonly result: CaptureResult = { frames: 0, bytes: 0, at: 0, truncated: false, problems: [] }
  readonly #handlers: CaptureHandlers
  readonly #inputs: Input[]
  readonly #queue = new MergeQueue<Input>()
  readonly #open = new Set<Input>()
  #freeBytes = READ_BYTES
  #readBytes = 0
  #totalBytes: number | null = 0

  constructor(paths: readonly string[], handlers: CaptureHandlers) {
    this.#handlers = handlers
    handlers.signal?.addEventListener('abort', this.#interrupt)
    this.#inputs = paths.map((path, index) => new Input(index, path))
  }

  /** Opens what must be, and learns when the others begin. */
  async start(): Promise<void> {
    for (const input of this.#inputs) {
      const size = await fileSize(input.path)
      this.#totalBytes = size === null || this.#totalBytes === null ? null : this.#totalBytes + size
      const alone = this.#inputs.length === 1
      const ready = await this.#opened(input, alone || size === null ? size : SMALLEST_CHUNK)
      if (!ready) continue
      this.#queue.push(input)
      // What can be opened again waits closed for its turn.
      if (!alone && size !== null) await this.#release(input)
    }
  }

  async merge(): Promise<void> {
    for (let input = this.#queue.first(); input !== null; input = this.#queue.first()) {
      if (this.#handlers.signal?.aborted) return
      if (input.reader === null && !await this.#opened(input, await fileSize(input.path))) {
        this.#queue.shift()
        continue
      }
      if (this.#deliver(input)) this.#queue.settle()
      else if (!await this.#more(input)) {
        await this.#release(input)
        this.#queue.shift()
      } else this.#queue.settle()
    }
  }

  /**
   * Hands out the frames of `input` while it is first in the queue.
   * @returns false when its chunk is used up
   */
  #deliver(input: Input): boolean {
    const reader = input.reader!
    const { result } = this
    const rival = this.#queue.second()
    do {
      if (reader.linkType !== input.linkType) this.#noteLinkType(input, reader.linkType)
      result.frames++
      result.bytes += reader.end - reader.start
      result.at = reader.at
      this.#handlers.onFrame(reader, input.index)
      if (reader.next() !== FRAME) return false
      input.at = reader.at
    } while (rival === null || input.before(rival))
    return true
  }

  /**
   * The reader of `input` gave all it has: brings on the next chunk, until there is a frame.
   * @returns false at the end of the input
   */
  async #more(input: Input): Promise<boolean> {
    const step = await this.#toFrame(input)
    this.#handlers.onProgress?.({ bytes: this.#readBytes, totalBytes: this.#totalBytes, frames: this.result.frames, at: this.result.at })
    await this.#handlers.afterChunk?.()
    if (step) input.at = input.reader!.at
    return step
  }

  async #toFrame(input: Input): Promise<boolean> {
    const reader = input.reader!
    let step = reader.next()
    while (step === MORE && !this.#handlers.signal?.aborted) {
      try {
        const count = await (input.pending ?? input.source!.read(reader.space()))
        if (this.#handlers.signal?.aborted) return false
        input.pending = null
        this.#countBytes(input)
        if (count === 0) reader.finish()
        else {
          reader.filled(count)
          input.pending = input.source!.read(reader.space())
          // Waited for later; until then a failure is nobody's unhandled rejection.
          input.pending.catch(() => undefined)
        }
      } catch (error) {
        this.#fail(input, error)
        return false
      }
      step = reader.next()
    }
    if (step !== FRAME && reader.problem !== null) this.#problem(input, reader.problem.kind, reader.problem.text)
    return step === FRAME
  }

  /** Opens `input` and reads to its first frame. @returns false when there is none */
  async #opened(input: Input, size: number | null): Promise<boolean> {
    const chunkBytes = Math.min(size ?? Infinity, LIMITS.capture.chunkBytes, Math.floor(this.#freeBytes / 4))
    input.chunkBytes = Math.max(chunkBytes, Math.min(size ?? Infinity, SMALLEST_CHUNK), 4096)
    this.#freeBytes -= 2 * input.chunkBytes
    this.#open.add(input)
    input.reader = new CaptureReader(input.chunkBytes)
    input.reader.onStatistics = (statistics) => this.#handlers.onStatistics?.(statistics, input.index)
    try {
      input.raw = await openRaw(input.path, this.#open.size > OPEN_FILES)
      input.source = await unpacked(input.raw)
    } catch (error) {
      this.#fail(input, error)
      await this.#release(input)
      return false
    }
    if (!await this.#toFrame(input)) {
      await this.#release(input)
      return false
    }
    input.at = input.reader.at
    return true
  }

  async #release(input: Input): Promise<void> {
    if (!this.#open.delete(input)) return
    this.#freeBytes += 2 * input.chunkBytes
    await (input.source ?? input.raw)?.close()
    await input.pending?.catch(() => undefined)
    input.reader = null
    input.pending = input.source = input.raw = null
  }

  /** A pipe may be silent for ever: the read that waits for it ends. */
  readonly #interrupt = (): void => {
    for (const { raw } of this.#open) raw?.interrupt()
  }

  async close(): Promise<void> {
    this.#handlers.signal?.removeEventListener('abort', this.#interrupt)
    for (const input of this.#inputs) await this.#release(input)
  }

  #countBytes(input: Input): void {
    const position = input.raw!.position
    // A file that was opened before its turn is read from its start again.
    if (position > input.counted) {
      this.#readBytes += position - input.counted
      input.counted = position
    }
  }

  #fail(input: Input, error: unknown): void {
    if (!(error instanceof SourceError)) throw error
    this.#problem(input, error.cut ? 'cut' : input.reader?.received ? 'corrupt' : 'unreadable', error.message)
  }

  #noteLinkType(input: Input, linkType: number): void {
    input.linkType = linkType
    if (isSupportedLinkType(linkType) || input.unsupported.has(linkType)) return
    input.unsupported.add(linkType)
    this.#problem(input, 'unsupported', `link type ${linkType} is not supported: its frames are counted, not decoded`)
  }

  #problem(input: Input, kind: CaptureProblem['kind'], text: string): void {
    if (kind === 'cut') this.result.truncated = true
    this.result.problems.push({ path: input.path === STANDARD_INPUT ? 'standard input' : input.path, kind, text })
  }
}
