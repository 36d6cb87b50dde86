/** Which conversation wants to be woken when: a heap by time, then by order of beginning, so the same frames wake in the same order. */
import type { Micros } from '../events.ts'
import type { Conversation } from './conversation.ts'

interface Timer {
  readonly due: Micros
  readonly conversation: Conversation
}

const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.conversation.serial < b.conversation.serial)

export class Timers {
  #heap: Timer[] = []

  get size(): number {
    return this.#heap.length
  }

  /** When the first one is due; `Infinity` where there is none. */
  get next(): Micros {
    return this.#heap[0]?.due ?? Infinity
  }

  add(conversation: Conversation, due: Micros): void {
    const heap = this.#heap
    const timer = { due, conversation }
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(timer, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = timer
  }

  /** Takes the first one off. There must be one. */
  shift(): Conversation {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    if (heap.length > 0) heap[at] = last
    return first.conversation
  }

  /** Drops the timers of conversations that are over. */
  prune(): void {
    const left = this.#heap.filter(({ conversation }) => !conversation.isOver)
    this.#heap = []
    for (const { conversation, due } of left) this.add(conversation, due)
  }
}
