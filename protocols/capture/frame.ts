/** One captured frame, as the readers of this folder hand it on: a view, valid until the reader is asked for the next. */
import type { Micros } from '../events.ts'

export interface Frame {
  /** The frame's bytes are `bytes[start..end)`. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Bytes the frame had on the wire; more than `end - start` when the capture was sliced (snap length). */
  readonly wireLength: number
  readonly at: Micros
  /** Nanoseconds of the capture's own time below the microsecond (0 to 999), which `at` has no room for. Only a copy of the frame needs them. */
  readonly nanos?: number
  /** LINKTYPE_ of the tcpdump registry, FCS bits removed. */
  readonly linkType: number
  /** Index of the capturing interface within its source; 0 where there is one. */
  readonly interfaceId: number
}
