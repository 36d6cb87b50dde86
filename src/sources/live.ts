/**
 * Frames as they come: from the capturing process (`live-child.ts`), started anew whenever it ends; from one that runs elsewhere and
 * connects to a socket; or from standard input. Each is a stream that the reader of capture files reads, so live and replay are one path.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, statSync, unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Frame } from '../../protocols/capture/frame.ts'
import { CaptureReader, FRAME, MORE, type Statistics } from '../../protocols/capture/reader.ts'
import type { Micros } from '../../protocols/events.ts'
import { UserError, reason } from '../errors.ts'
import { SourceError, type ByteSource, type RawSource } from './byte-source.ts'
import { openRaw, Pipe, STANDARD_INPUT, unpacked } from './bytes.ts'
import { FAULTS, type LiveOptions } from './live-options.ts'

export interface FeedHandlers {
  /** Valid until return. */
  onFrame(frame: Frame): void
  onStatistics(statistics: Statistics): void
  /** The network is quiet, and time has come to `at`. */
  onTick(at: Micros): void
  /** The first bytes of a stream are here; its statistics count from zero. */
  onBegin(): void
  /** The stream is gone, and will be tried again. @param why one clause */
  onTrouble(why: string): void
  /** Awaited between chunks, so that writers can drain. */
  afterChunk(): Promise<void> | void
}

export interface Feed {
  /**
   * Reads until `stop`, or the end of a stream that ends.
   * @returns what was wrong with the stream, or null
   * @throws {UserError} when it can't be read from the beginning
   */
  run(handlers: FeedHandlers): Promise<string | null>
  /** Frames that are on their way still come; then `run` returns. */
  stop(): void
}

/** Reads one stream to its end. @returns what is wrong with it, or null */
async function readStream(source: ByteSource, handlers: FeedHandlers): Promise<string | null> {
  const reader = new CaptureReader()
  reader.onStatistics = (statistics) => handlers.onStatistics(statistics)
  let hasBegun = false
  for (;;) {
    let step = reader.next()
    while (step === FRAME) {
      handlers.onFrame(reader)
      step = reader.next()
    }
    if (step !== MORE) return reader.problem === null || reader.problem.kind === 'empty' ? null : reader.problem.text
    await handlers.afterChunk()
    const count = await source.read(reader.space())
    if (count > 0 && !hasBegun) handlers.onBegin()
    hasBegun = true
    if (count === 0) reader.finish()
    else reader.filled(count)
  }
}

// ------------------------------------------------------------------------------------------------ our own capturing process

/** The pause before it is started anew, milliseconds: it doubles, and begins again once the process has lived for a while. */
const RESTART = { first: 500, longest: 30_000, settled: 60_000 }
/** How long it may take to end when asked to, milliseconds. */
const GOODBYE = 2000

/** The capturing process's program, beside this file, as source or built. */
export const childProgram = (): string => fileURLToPath(new URL(`./live-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

export class ChildFeed implements Feed {
  readonly #options: LiveOptions
  #child: ChildProcess | undefined
  #stopped = false
  #endPause = (): void => {}
  /** Starts beyond the first. */
  restarts = 0

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** The process id, for tests and the log. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  async run(handlers: FeedHandlers): Promise<string | null> {
    let pause = RESTART.first
    for (let isFirst = true; !this.#stopped; isFirst = false) {
      const began = performance.now()
      const { spoke, code, text } = await this.#once(handlers)
      if (this.#stopped) break
      const fault = Object.values(FAULTS).find((f) => f.code === code)
      if (isFirst && !spoke) throw new UserError(text || `the capturing process ended with code ${code}`, fault?.exit ?? 1)
      handlers.onTrouble(text || 'the capturing process was killed')
      if (performance.now() - began > RESTART.settled) pause = RESTART.first
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        this.#endPause = () => { clearTimeout(timer); resolve() }
      })
      pause = Math.min(2 * pause, RESTART.longest)
      this.restarts += 1
    }
    return null
  }

  stop(): void {
    this.#stopped = true
    this.#endPause()
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), GOODBYE).unref()
  }

  async #once(handlers: FeedHandlers): Promise<{ spoke: boolean; code: number | null; text: string }> {
    const child = spawn(process.execPath, [...process.execArgv, childProgram(), JSON.stringify(this.#options)], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (more: string) => { text = (text + more).slice(-4000) })
    let spoke = false
    const ended = new Promise<number | null>((resolve) => {
      child.on('error', (error) => { text = `the capturing process cannot be started: ${reason(error)}`; resolve(null) })
      child.on('close', resolve)
    })
    const source = new Pipe(child.stdout)
    const problem = await readStream({
      read: async (space) => {
        const count = await source.read(space)
        spoke ||= count > 0
        return count
      },
      close: () => source.close(),
    }, handlers).catch((error: unknown) => reason(error))
    if (problem !== null && child.exitCode === null) child.kill('SIGKILL')
    const code = await ended
    this.#child = undefined
    return { spoke, code, text: text.trim().split('\n').at(-1) ?? '' }
  }
}

// ------------------------------------------------------------------------------------------------ a capturing process elsewhere

/** One at a time: a second one waits until the first is gone. */
export class SocketFeed implements Feed {
  readonly #path: string
  readonly #server: Server
  #waiting: Socket[] = []
  #wake = (): void => {}
  #stopped = false
  #current: Socket | undefined

  /** @param path of the stream socket to make; only the own user and group may connect */
  constructor(path: string) {
    this.#path = path
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {})
      this.#waiting.push(socket)
      this.#wake()
    })
  }

  async run(handlers: FeedHandlers): Promise<string | null> {
    await this.#listen()
    while (!this.#stopped) {
      const socket = this.#waiting.shift()
      if (socket === undefined) {
        await new Promise<void>((resolve) => { this.#wake = resolve })
        continue
      }
      this.#current = socket
      const problem = await readStream(new Pipe(socket), handlers).catch((error: unknown) => reason(error))
      socket.destroy()
      this.#current = undefined
      if (!this.#stopped) handlers.onTrouble(problem ?? 'the capturing process went away')
    }
    return null
  }

  stop(): void {
    this.#stopped = true
    this.#server.close()
    for (const socket of this.#waiting) socket.destroy()
    this.#current?.destroy()
    this.#wake()
  }

  async #listen(): Promise<void> {
    // A socket that a killed run left behind goes; anything else stays, and is in the way.
    if (statSync(this.#path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(this.#path)
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(new UserError(`cannot listen on ${this.#path}: ${reason(error)}`, 1)))
      this.#server.listen(this.#path, resolve)
    })
    chmodSync(this.#path, 0o660)
  }
}

// ------------------------------------------------------------------------------------------------ standard input

/** How far behind the wall clock a stream may be to be taken for a live one, and how long it is silent before time is told instead, milliseconds. */
const LIVE_WITHIN = 60_000
const QUIET = 1000

export class StdinFeed implements Feed {
  #raw: RawSource | undefined
  #stopped = false

  async run(handlers: FeedHandlers): Promise<string | null> {
    let last: Micros = 0
    let heard = performance.now()
    const alive = (at: Micros): void => {
      last = at
      heard = performance.now()
    }
    // tcpdump is silent on a quiet network, so the time is told by us, while the stream keeps up with the clock.
    const clock = setInterval(() => {
      const behind = (Date.now() * 1000 - last) / 1000 - (performance.now() - heard)
      if (last > 0 && performance.now() - heard > 2 * QUIET && Math.abs(behind) < LIVE_WITHIN) handlers.onTick((Date.now() - QUIET) * 1000)
    }, QUIET)
    try {
      this.#raw = await openRaw(STANDARD_INPUT)
      const source = await unpacked(this.#raw)
      return await readStream(source, {
        ...handlers,
        onFrame: (frame) => { alive(frame.at); handlers.onFrame(frame) },
        onStatistics: (statistics) => { if (statistics.at !== null) alive(statistics.at); handlers.onStatistics(statistics) },
      })
    } catch (error) {
      if (error instanceof SourceError) return this.#stopped ? null : error.message
      throw error
    } finally {
      clearInterval(clock)
      await this.#raw?.close()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#raw?.interrupt()
  }
}
