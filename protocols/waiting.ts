/**
 * Bytes that wait for their end (handshakes, compressed bodies) over all conversations of a decoder. Each may hold little, but whoever begins many and ends
 * none would fill the memory: beyond the cap, what would have to wait goes unread.
 */
import { LIMITS } from './limits.ts'
import type { Pseudonyms } from './phi.ts'

export class Waiting {
  used = 0

  /** @returns false when too much waits already */
  take(bytes: number): boolean {
    if (this.used + bytes > LIMITS.waitingBytes) return false
    this.used += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.used -= bytes
  }
}

const ofDecoder = new WeakMap<Pseudonyms, Waiting>()

/** One per decoder, which has one maker of pseudonyms. */
export function waitingOf(pseudonyms: Pseudonyms): Waiting {
  let found = ofDecoder.get(pseudonyms)
  if (found === undefined) ofDecoder.set(pseudonyms, (found = new Waiting()))
  return found
}
