/**
 * Between the engine, which must not wait, and the outbox, which is a disk that may refuse. Alerts are gathered for a moment and stored
 * in one transaction. While the disk refuses, they are held in memory up to a bound; beyond it the least severe goes first, counted.
 */
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { reason } from '../errors.ts'
import { lossCount, noLosses, noteShed } from './losses.ts'
import type { Outbox } from './outbox.ts'

export interface IntakeOptions {
  /** How long alerts are gathered before they are stored, milliseconds. */
  every: number
  /** The pause after the disk has refused, milliseconds. */
  retry: number
  /** Alerts held in memory; each takes a few kilobytes. */
  hold: number
}

export const INTAKE: IntakeOptions = { every: 100, retry: 2000, hold: 10_000 }

export class Intake {
  readonly #outbox: Outbox
  readonly #stored: () => void
  readonly #say: (line: string) => void
  readonly #options: IntakeOptions
  /** By severity, then by id: the latest revision, in order of arrival. */
  readonly #waiting = SEVERITIES.map(() => new Map<string, Alert>())
  #count = 0
  #lost = noLosses()
  #timer: NodeJS.Timeout | undefined
  /** Why alerts are held in memory; undefined while the disk takes them. */
  failing: string | undefined

  /**
   * @param stored called when alerts were stored: whoever delivers may look
   * @param say hears in one line when the disk begins to refuse, and when it takes alerts again
   */
  constructor(outbox: Outbox, stored: () => void, say: (line: string) => void, options: IntakeOptions = INTAKE) {
    this.#outbox = outbox
    this.#stored = stored
    this.#say = say
    this.#options = options
  }

  /** Alerts in memory. */
  get held(): number {
    return this.#count
  }

  accept(alert: Alert): void {
    for (const queue of this.#waiting) {
      if (queue.delete(alert.id)) this.#count -= 1
    }
    this.#waiting[SEVERITIES.indexOf(alert.severity)]!.set(alert.id, alert)
    this.#count += 1
    if (this.#count > this.#options.hold) this.#shedOne()
    this.#timer ??= setTimeout(() => this.store(), this.failing === undefined ? this.#options.every : this.#options.retry)
  }

  /** Stores what was gathered, now. @returns whether nothing is left in memory */
  store(): boolean {
    if (this.#count === 0 && lossCount(this.#lost) === 0) return true
    try {
      this.storeWith((add) => add())
      return true
    } catch (error) {
      if (this.failing === undefined) this.#say(`alerts are held in memory, the store refuses them: ${reason(error)}`)
      this.failing = reason(error)
      return false
    }
  }

  /**
   * Stores what was gathered in somebody else's transaction.
   * @param transaction calls `add` once, and throws when nothing was changed; then the alerts stay here
   */
  storeWith(transaction: (add: () => void) => void): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const alerts = this.#waiting.flatMap((queue) => [...queue.values()]).sort((a, b) => a.raised_at - b.raised_at)
    try {
      transaction(() => this.#outbox.add(alerts, this.#lost))
    } catch (error) {
      this.#timer = setTimeout(() => this.store(), this.#options.retry)
      throw error
    }
    for (const queue of this.#waiting) queue.clear()
    this.#count = 0
    this.#lost = noLosses()
    if (this.failing !== undefined) this.#say('the store takes alerts again')
    this.failing = undefined
    if (alerts.length > 0) this.#stored()
  }

  /** Tries a last time. @returns how many alerts are lost because the disk still refuses */
  close(): number {
    this.store()
    clearTimeout(this.#timer)
    return this.#count
  }

  #shedOne(): void {
    const queue = this.#waiting.find((q) => q.size > 0)!
    const [id, alert] = queue.entries().next().value!
    queue.delete(id)
    this.#count -= 1
    noteShed(this.#lost, alert.severity, alert.raised_at)
  }
}
