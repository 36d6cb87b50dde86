/**
 * The clock of timers: the latest capture time seen, that one wrong timestamp cannot move. A step of more than
 * `clockStep`, forward or back, counts only when `clockWitnesses` packets in a row agree with it; until then the clock stands.
 */
import type { Micros } from '../events.ts'
import type { TcpLimits } from './limits.ts'

export class CaptureClock {
  now: Micros = 0
  readonly #limits: TcpLimits
  #isSet = false
  #suspect: Micros = 0
  #witnesses = 0

  constructor(limits: TcpLimits) {
    this.#limits = limits
  }

  advance(at: Micros): void {
    const step = at - this.now
    if (step >= 0 ? step <= this.#limits.clockStep : step >= -this.#limits.clockStep) {
      if (step > 0) this.now = at
      this.#witnesses = 0
    } else {
      this.#doubt(at)
    }
  }

  #doubt(at: Micros): void {
    if (!Number.isFinite(at)) return
    if (!this.#isSet) {
      this.#isSet = true
      this.now = at
      return
    }
    const agrees = this.#witnesses > 0 && Math.abs(at - this.#suspect) <= this.#limits.clockStep
    this.#witnesses = agrees ? this.#witnesses + 1 : 1
    this.#suspect = at
    if (this.#witnesses < this.#limits.clockWitnesses) return
    this.now = at
    this.#witnesses = 0
  }
}
