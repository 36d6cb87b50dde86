/**
 * What waits for its end over all conversations of a decoder: handshakes, bodies, pieces of commands, requests without answer. Each conversation may hold little,
 * but whoever begins many and ends none would fill the memory. Beyond the cap room is made among those of like size that hold most together, since that is where
 * the flood is, and there by whoever has not grown or shrunk for longest, since what is honest ends soon.
 */
import type { Micros } from './events.ts'
import { LIMITS } from './limits.ts'

export interface Holder {
  /** What it holds goes unread: others need the room. */
  forget(at: Micros): void
}

/** Holders of like size (a power of two to the next), by when their share last changed. */
class Size {
  bytes = 0
  readonly holders = new Map<Holder, number>()
}

export class Waiting {
  used = 0
  /** Times that a conversation had to forget. */
  forgotten = 0
  readonly #sizes = Array.from({ length: 33 }, () => new Size())

  /** @param before bytes that `holder` held until now, as it last said @param bytes those from now on */
  hold(holder: Holder, before: number, bytes: number, at: Micros): void {
    this.#set(holder, before, 0)
    this.#set(holder, 0, bytes)
    while (this.used > LIMITS.waitingBytes) {
      const crowd = this.#sizes.reduce((most, size) => (size.bytes > most.bytes ? size : most))
      const [stalest, held] = crowd.holders.entries().next().value!
      this.#set(stalest, held, 0)
      this.forgotten++
      stalest.forget(at)
    }
  }

  #set(holder: Holder, before: number, bytes: number): void {
    const size = this.#sizes[32 - Math.clz32(Math.max(before, bytes))]!
    if (bytes > 0) size.holders.set(holder, bytes)
    else size.holders.delete(holder)
    size.bytes += bytes - before
    this.used += bytes - before
  }
}
