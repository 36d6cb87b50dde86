/**
 * Connections of the same two hosts. In enhanced mode the application's acknowledgement may come over a connection of its own, which its
 * sender opened (HL7 v2.5.1 section 2.9.3), so one that answers nothing on its connection is shown to the others between these hosts.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Answer, Taken } from './answer.ts'

export interface Listener {
  /** An acknowledgement that came elsewhere at `at`, sent by the host `from`. */
  elsewhere(from: string, answer: Answer, at: Micros): Taken
}

export class Pairs {
  readonly #listeners = new Map<string, Listener[]>()

  add(a: string, b: string, listener: Listener): void {
    const key = keyOf(a, b)
    const list = this.#listeners.get(key)
    if (list === undefined) this.#listeners.set(key, [listener])
    else if (list.push(listener) > LIMITS.hl7.pairConnections) list.shift()
  }

  remove(a: string, b: string, listener: Listener): void {
    const key = keyOf(a, b)
    const left = this.#listeners.get(key)?.filter(other => other !== listener) ?? []
    if (left.length === 0) this.#listeners.delete(key)
    else this.#listeners.set(key, left)
  }

  /** Offers an acknowledgement of `from` to `to` to all connections of the two but the one it came on, the newest first. */
  offer(from: string, to: string, own: Listener, answer: Answer, at: Micros): Taken {
    const list = this.#listeners.get(keyOf(from, to)) ?? []
    let late: Taken = 'unknown'
    for (let i = list.length - 1; i >= 0; i--) {
      const taken = list[i] === own ? 'unknown' : list[i]!.elsewhere(from, answer, at)
      if (taken === 'taken') return taken
      if (taken === 'late') late = taken
    }
    return late
  }
}

const keyOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

const ofCapture = new WeakMap<object, Pairs>()

/** One for all connections of a capture; a connection that belongs to none is alone. */
export function pairsOf(capture: object | undefined): Pairs {
  let found = capture === undefined ? undefined : ofCapture.get(capture)
  if (found === undefined) {
    found = new Pairs()
    if (capture !== undefined) ofCapture.set(capture, found)
  }
  return found
}
