/**
 * Two hosts and their connections. In enhanced mode the application's acknowledgement may come over a connection of its own, which its sender opened
 * (HL7 v2.5.1 section 2.9.3), so one that answers nothing on its connection is shown to the others between these hosts. And who got no answer
 * connects anew and sends again, so what was sent over connections that are over is remembered.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Answer, Taken } from './answer.ts'
import { Sender } from './sender.ts'
import type { Sent } from './sender.ts'

export interface Listener {
  /** An acknowledgement that came elsewhere at `at`, sent by the host `from`. */
  elsewhere(from: string, answer: Answer, at: Micros): Taken
  /** What the host sent here. */
  sentBy(from: string): Sender
}

export class Pair {
  readonly key: string
  readonly #hosts: readonly string[]
  /** Connections, the newest last. */
  #listeners: Listener[] = []
  /** What was sent over those that are over, by the one host and by the other. */
  #past: (Sender | undefined)[] = []

  constructor(key: string, hosts: readonly string[]) {
    this.key = key
    this.#hosts = hosts
  }

  add(listener: Listener): void {
    if (this.#listeners.push(listener) > LIMITS.hl7.pairConnections) this.#listeners.shift()
  }

  remove(listener: Listener): void {
    this.#listeners = this.#listeners.filter(other => other !== listener)
    this.#hosts.forEach((host, side) => {
      const sender = listener.sentBy(host)
      const past = this.#past[side]
      if (past === undefined || past.size === 0) this.#past[side] = sender
      else past.adopt(sender)
    })
  }

  forgetPast(): void {
    this.#past = []
  }

  /** There is only one connection, and was none before: nearly always. */
  get isAlone(): boolean {
    return this.#past.length === 0 && this.#listeners.length === 1
  }

  get isOver(): boolean {
    return this.#listeners.length === 0
  }

  /** Places for messages of connections that are over. */
  get remembered(): number {
    return (this.#past[0]?.size ?? 0) + (this.#past[1]?.size ?? 0)
  }

  /** Offers an acknowledgement of `from` to all connections but the one it came on, the newest first. */
  offer(from: string, own: Listener, answer: Answer, at: Micros): Taken {
    let late: Taken = 'unknown'
    for (let i = this.#listeners.length - 1; i >= 0; i--) {
      const listener = this.#listeners[i]!
      const taken = listener === own ? 'unknown' : listener.elsewhere(from, answer, at)
      if (taken === 'taken') return taken
      if (taken === 'late') late = taken
    }
    return late
  }

  /** The message of this control id that the application `app` of `from` sent over another connection: interfaces side by side may count alike. */
  earlier(from: string, own: Listener, app: string | null, controlId: string, hash: number): Sent | undefined {
    for (let i = this.#listeners.length - 1; i >= 0; i--) {
      const listener = this.#listeners[i]!
      const sent = listener === own ? undefined : listener.sentBy(from).find(controlId, hash)
      if (sent?.app === app) return sent
    }
    const sent = this.#past[this.#hosts.indexOf(from)]?.find(controlId, hash)
    return sent?.app === app ? sent : undefined
  }
}

export class Pairs {
  readonly #pairs = new Map<string, Pair>()
  /** Those with a past, and how much of it; whose connection ended last is last. */
  readonly #past = new Map<Pair, number>()
  #remembered = 0

  open(a: string, b: string, listener: Listener): Pair {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`
    let pair = this.#pairs.get(key)
    if (pair === undefined) this.#pairs.set(key, (pair = new Pair(key, a === b ? [a] : [a, b])))
    pair.add(listener)
    return pair
  }

  /** The connection is over, and all of it is told. */
  close(pair: Pair, listener: Listener): void {
    pair.remove(listener)
    this.#enter(pair)
    for (const stalest of this.#past.keys()) {
      if (this.#remembered <= LIMITS.hl7.pastMessages) break
      stalest.forgetPast()
      this.#enter(stalest)
    }
  }

  #enter(pair: Pair): void {
    const { remembered } = pair
    this.#remembered += remembered - (this.#past.get(pair) ?? 0)
    this.#past.delete(pair)
    if (remembered > 0) this.#past.set(pair, remembered)
    else if (pair.isOver) this.#pairs.delete(pair.key)
  }
}

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
