/**
 * Outbox -> sink, until the receiver has acknowledged: one loop a sink.
 *
 * A sink has only so long to answer; after that, or after any failure, it is closed and made anew before the next try, because a client
 * library whose connection hangs may never recover by itself. Tries are spaced by a growing pause. A batch that the receiver
 * refuses for good is sent alert by alert, and only what it refuses then leaves the queue.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reason } from '../errors.ts'
import { lossCount } from '../store/losses.ts'
import type { Outbox, Waiting } from '../store/outbox.ts'
import { lossAlert } from './loss-alert.ts'
import { Refused, type MakeSink, type Sink } from './sink.ts'

export interface DeliveryOptions {
  /** Alerts, and bytes of JSON, of one batch. */
  batch: { count: number; bytes: number }
  /** How long one batch may take, milliseconds. */
  deadline: number
  /** The pause after a first failure and the longest one, milliseconds; it doubles in between. */
  pause: { first: number; longest: number }
  /** How often the outbox is looked at even when nobody said there is something new, milliseconds. */
  look: number
}

export const DELIVERY: DeliveryOptions = {
  batch: { count: 500, bytes: 512 * 1024 },
  deadline: 30_000,
  pause: { first: 250, longest: 30_000 },
  look: 1000,
}

/** Closing waits no longer than this for a library that hangs, milliseconds. */
const CLOSE = 2000

export class Delivery {
  readonly name: string
  readonly #outbox: Outbox
  readonly #make: MakeSink
  readonly #sensor: string
  readonly #say: (line: string) => void
  readonly #options: DeliveryOptions
  #stopped = false
  #draining = false
  /** Ends whatever the loop waits for. */
  #giveUp = (): void => {}
  #wake = (): void => {}
  #acknowledged = (): void => {}
  #loop: Promise<void> | undefined
  /** Why nothing goes out at the moment; undefined while it does. */
  failing: string | undefined
  /** Failures since the start. */
  failures = 0

  /**
   * @param sensor the name under which losses are reported
   * @param say hears in one line when delivery begins to fail, and when it goes on
   */
  constructor(name: string, outbox: Outbox, make: MakeSink, sensor: string, say: (line: string) => void, options: DeliveryOptions = DELIVERY) {
    this.name = name
    this.#outbox = outbox
    this.#make = make
    this.#sensor = sensor
    this.#say = say
    this.#options = options
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** There is something new in the outbox. */
  wake(): void {
    this.#wake()
  }

  /**
   * Sends what waits, then ends.
   * @param within milliseconds after which it ends in any case, `patient`: since the last acknowledgement; what is left stays in the outbox
   * @returns how many alerts are left
   */
  async drain(within: number, patient = false): Promise<number> {
    this.start()
    this.#draining = true
    this.#wake()
    const patience = setTimeout(() => {
      this.#stopped = true
      this.#giveUp()
    }, within)
    if (patient) this.#acknowledged = () => patience.refresh()
    await this.#loop
    clearTimeout(patience)
    return this.#outbox.totals(this.name).held
  }

  async #run(): Promise<void> {
    let sink: Sink | undefined
    let pause = this.#options.pause.first
    let alone = 0
    while (!this.#stopped) {
      let batch: Waiting[] = []
      try {
        sink ??= this.#make()
        batch = this.#next(alone > 0 || sink.single === true)
        if (batch.length === 0) {
          if (this.#draining) break
          await this.#idle()
          continue
        }
        await this.#send(sink, batch)
        await this.#acknowledge(batch)
        alone = Math.max(0, alone - 1)
        pause = this.#options.pause.first
        this.#recovered()
        this.#acknowledged()
      } catch (error) {
        if (this.#stopped) break
        if (error instanceof Refused && this.#refused(batch, error)) {
          alone = Math.max(alone - 1, batch.length > 1 ? batch.length : 0)
          continue
        }
        this.#failed(error)
        await close(sink)
        sink = undefined
        await this.#pause(pause)
        pause = Math.min(pause * 2, this.#options.pause.longest)
      }
    }
    await close(sink)
  }

  /** The next batch; before it, losses become an alert of their own, once the queue is no longer pressed for room. */
  #next(alone: boolean): Waiting[] {
    const totals = this.#outbox.totals(this.name)
    if (lossCount(totals.losses) > 0 && !this.#outbox.pressed(totals)) {
      this.#outbox.reportLosses(this.name, (losses) => lossAlert(losses, this.name, this.#sensor))
    }
    return this.#outbox.next(this.name, alone ? 1 : this.#options.batch.count, this.#options.batch.bytes)
  }

  async #send(sink: Sink, batch: readonly Waiting[]): Promise<void> {
    const over = new AbortController()
    const timer = setTimeout(() => over.abort(), this.#options.deadline)
    this.#giveUp = () => over.abort()
    try {
      await new Promise<void>((resolve, reject) => {
        over.signal.addEventListener('abort', () => reject(new Error(`no answer within ${this.#options.deadline / 1000} s`)))
        // A rejection that comes after the deadline is of no interest any more.
        sink.send(batch.map(({ alert }) => alert), over.signal).then(resolve, reject)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** @returns whether the refusal is dealt with; false: the disk refused to forget the alert */
  #refused(batch: readonly Waiting[], error: Refused): boolean {
    if (batch.length > 1) return true
    try {
      this.#outbox.refuse(this.name, batch[0]!)
    } catch {
      return false
    }
    this.#say(`${this.name} refuses alert ${batch[0]!.alert.id}: ${error.message}`)
    return true
  }

  /** Until the disk has noted it, nothing else is sent: what it has not forgotten would go out again and again. */
  async #acknowledge(batch: readonly Waiting[]): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#outbox.acknowledge(this.name, batch)
        return
      } catch (error) {
        this.#failed(error)
        await this.#pause(this.#options.pause.first)
      }
    }
  }

  /** Waits until there is something new, or until it is time to look again. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.look)
      this.#wake = this.#giveUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Waits its time out, whatever comes in, but not beyond the end. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#giveUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #failed(error: unknown): void {
    this.failures += 1
    const why = reason(error)
    if (this.failing === undefined) this.#say(`${this.name}: alerts wait, because of: ${why}`)
    this.failing = why
  }

  #recovered(): void {
    if (this.failing !== undefined) this.#say(`${this.name}: alerts are delivered again`)
    this.failing = undefined
  }
}

async function close(sink: Sink | undefined): Promise<void> {
  if (sink === undefined) return
  const patience = new AbortController()
  await Promise.race([sink.close(), sleep(CLOSE, undefined, { signal: patience.signal }).catch(() => {})])
  patience.abort()
}
