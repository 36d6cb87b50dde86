/** How often each segment occurs in a message; messages of one kind share one object. */
import { LIMITS } from '../limits.ts'
import { NAMELESS } from './segment-names.ts'

/** A shape is a list of (name, count). Remembered shapes: more than a site's interfaces have, and a miss only costs time. */
const SLOTS = 1024

interface Shape {
  readonly kinds: Int32Array
  readonly counts: Record<string, number>
}

const shapes = new Array<Shape | undefined>(SLOTS).fill(undefined)

export class SegmentCounts {
  /** Name and count by turns. */
  readonly #kinds = new Int32Array(2 * (LIMITS.hl7.segmentKinds + 1))
  #used = 0
  #last = 0

  reset(): void {
    this.#used = this.#last = 0
  }

  /** What has no name, or one name too many, is counted as `?`. */
  add(name: number): void {
    const kinds = this.#kinds
    // Repeated segments follow each other.
    if (this.#used === 0 || kinds[this.#last] !== name) this.#find(name)
    kinds[this.#last + 1]!++
  }

  #find(name: number): void {
    const kinds = this.#kinds
    for (let i = 0; i < this.#used; i += 2) {
      if (kinds[i] !== name) continue
      this.#last = i
      return
    }
    if (name !== NAMELESS && this.#used >= 2 * LIMITS.hl7.segmentKinds) {
      this.#find(NAMELESS)
      return
    }
    this.#last = this.#used
    kinds[this.#used] = name
    kinds[this.#used + 1] = 0
    this.#used += 2
  }

  /** {"PID": 1, "OBX": 3}: shared with other messages, so not to be changed. */
  counts(): Record<string, number> {
    const kinds = this.#kinds
    const used = this.#used
    let hash = used
    for (let i = 0; i < used; i++) hash = Math.imul(hash ^ kinds[i]!, 0x01000193)
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1)
    const shape = shapes[slot]
    if (shape !== undefined && shape.kinds.length === used) {
      let i = 0
      while (i < used && shape.kinds[i] === kinds[i]) i++
      if (i === used) return shape.counts
    }
    const counts: Record<string, number> = {}
    for (let i = 0; i < used; i += 2) counts[nameText(kinds[i]!)] = kinds[i + 1]!
    shapes[slot] = { kinds: kinds.slice(0, used), counts: Object.freeze(counts) }
    return counts
  }
}

/** Three capitals or digits, or `?`: never the name of anything an object has by itself. */
const nameText = (name: number): string => (name === NAMELESS ? '?' : String.fromCharCode(name >> 16, (name >> 8) & 0xFF, name & 0xFF))
