/** Who takes the ordered bytes of a conversation. */
import type { Micros } from '../events.ts'
import type { Direction, End } from '../protocol.ts'

export interface Consumer {
  /**
   * The next bytes of a direction: `bytes[start..end)`, a view that is valid until return.
   *
   * @returns how many of the bytes that follow are not wanted; `Infinity`: none of this direction, ever.
   */
  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number
  /** The next `missing` bytes of a direction are lost for good. Bytes that were not wanted do not come here. */
  gap(direction: Direction, missing: number, at: Micros): void
  /** The time that was asked for (`Tracker.wake`) has come. @returns when to be called next; `Infinity`: not again */
  tick?(at: Micros): Micros
  /** Called once, after the last bytes. */
  end(how: End, at: Micros): void
  /** Worth comparing repetitions with what was delivered. */
  readonly isKnown: boolean
}
