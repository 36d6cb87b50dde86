/** A binary heap that keeps the foremost of its items first. */
export interface Ordered<T> {
  before(other: T): boolean
}

export class MergeQueue<T extends Ordered<T>> {
  readonly #heap: T[] = []

  first(): T | null {
    return this.#heap[0] ?? null
  }

  /** The best of all others. */
  second(): T | null {
    const [, left, right] = this.#heap
    if (left === undefined || right === undefined) return left ?? null
    return right.before(left) ? right : left
  }

  push(input: T): void {
    const heap = this.#heap
    let at = heap.push(input) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!heap[at]!.before(heap[parent]!)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Removes the first. */
  shift(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.settle()
  }

  /** The first is not what it was: puts it in its place. */
  settle(): void {
    const heap = this.#heap
    for (let at = 0; ;) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      if (left < heap.length && heap[left]!.before(heap[least]!)) least = left
      if (right < heap.length && heap[right]!.before(heap[least]!)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const kept = heap[a]!
    heap[a] = heap[b]!
    heap[b] = kept
  }
}
