/**
 * The bytes of a capture stream that are not done with yet, and the record found last.
 *
 * A source asks for `space()`, reads straight into it, and says how much came with `filled()`. There are two buffers, so the
 * source may read ahead into one while the other is worked through. Each has room in front for the record that straddles
 * from one chunk into the next: those few bytes are all that is ever moved.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Frame } from './frame.ts'

/** A record was found: the fields of the frame describe it. */
export const FRAME = 1
/** More bytes are needed: `filled()` or `finish()` comes next. */
export const MORE = 0
/** There is nothing more to come; `problem` says why, when it is not simply the end. */
export const END = -1
export type Step = typeof FRAME | typeof MORE | typeof END

export interface CaptureProblem {
  readonly kind: 'empty' | 'not a capture' | 'unsupported' | 'corrupt' | 'cut'
  /** What is wrong, to follow the name of the file and a colon. */
  readonly text: string
}

/** What a capture says of itself between its packets (pcapng, section 4.6). Counts are since the start of the section. */
export interface Statistics {
  interfaceId: number
  /** How far the capturing clock had come; null when that is no time. */
  at: Micros | null
  /** Frames lost because nobody read them in time, and by the interface itself. */
  kernelDrops: number
  interfaceDrops: number
}

export class RecordWindow implements Frame {
  // The frame.
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  wireLength = 0
  at: Micros = 0
  nanos = 0
  linkType = 0
  interfaceId = 0

  /** Unread: `bytes[from..to)`. `from` may be beyond `to`: what lies between is still to come, and to be skipped. */
  from = 0
  to = 0
  problem: CaptureProblem | null = null
  /** Hears the statistics at their place among the frames. */
  onStatistics: ((statistics: Statistics) => void) | null = null

  readonly #chunkBytes: number
  readonly #straddleBytes: number
  readonly #buffers: [Uint8Array | null, Uint8Array | null] = [null, null]
  /** Index of the buffer that `bytes` is not. */
  #spare = 0
  /** Place of `bytes[0]` in the stream; negative while the first chunk's front room is empty. */
  #base = 0

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes
    this.#straddleBytes = Math.min(LIMITS.capture.straddleBytes, chunkBytes)
  }

  /** Where the next bytes go. Stays valid, and untouched by `next()`, until `filled()`. */
  space(): Uint8Array {
    const buffer = this.#buffers[this.#spare] ??= new Uint8Array(this.#straddleBytes + this.#chunkBytes)
    return buffer.subarray(this.#straddleBytes)
  }

  /** `count` bytes were put at the start of `space()`. To be called when `next()` asked for more. */
  filled(count: number): void {
    const incoming = this.#buffers[this.#spare]!
    const front = this.#straddleBytes
    const left = this.to - this.from
    if (left > front) return this.#gather(incoming.subarray(front, front + count))
    if (left > 0) incoming.set(this.bytes.subarray(this.from, this.to), front - left)
    this.#base += this.to - front
    this.bytes = incoming
    this.from = front - left
    this.to = front + count
    this.#spare = 1 - this.#spare
  }

  /** A record longer than the front room: its bytes come together in space that doubles, so each is moved a few times at most. */
  #gather(incoming: Uint8Array): void {
    if (this.to + incoming.length > this.bytes.length) {
      const grown = new Uint8Array(2 * (this.to - this.from + incoming.length))
      grown.set(this.bytes.subarray(this.from, this.to))
      this.#base += this.from
      this.bytes = grown
      this.to -= this.from
      this.from = 0
    }
    this.bytes.set(incoming, this.to)
    this.to += incoming.length
  }

  /** Place in the stream of the first unread byte. */
  get position(): number {
    return this.#base + this.from
  }

  /** Bytes of the stream so far. */
  get received(): number {
    return this.#base + this.to
  }

  /** Ends reading: `problem` is set, and the answer is what `next()` returns from now on. */
  stop(kind: CaptureProblem['kind'], text: string): typeof END {
    this.problem ??= { kind, text }
    return END
  }

  /** `stop`, naming the place. */
  corrupt(what: string): typeof END {
    return this.stop('corrupt', `corrupt at byte ${this.position}: ${what}; reading stopped there`)
  }
}
