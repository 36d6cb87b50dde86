/** What was learned is saved now and then, so that a restart goes on from there. */
import { reason } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** A checkpoint stops everything else, so it takes at most this part of the time. */
const SHARE = 20

export class Checkpoints {
  ok = 0
  failed = 0
  /** When the last good one was taken, in seconds since 1970; 0: none was. */
  at = 0
  /** Why the last one failed. */
  problem: string | null = null
  readonly #save: (() => void) | undefined
  readonly #seconds: () => number
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined

  /** @param save throws when it cannot; undefined where there is nothing to save @param seconds from one to the next */
  constructor(save: (() => void) | undefined, seconds: () => number, log: Log) {
    this.#save = save
    this.#seconds = seconds
    this.#log = log
  }

  /** From now on they are taken. */
  start(after = this.#seconds() * 1000): void {
    if (this.#save === undefined) return
    this.#timer = setTimeout(() => {
      const began = performance.now()
      this.take()
      this.start(Math.max(this.#seconds() * 1000, SHARE * (performance.now() - began)))
    }, after)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** @returns whether everything is saved */
  take(): boolean {
    if (this.#save === undefined) return true
    try {
      this.#save()
    } catch (error) {
      this.failed++
      if (this.problem === null) this.#log.error(reason(error))
      this.problem = reason(error)
      return false
    }
    this.ok++
    this.at = Date.now() / 1000
    if (this.problem !== null) this.#log.info('what is learned can be saved again')
    this.problem = null
    return true
  }
}
