/** One direction of a conversation: what was counted, and where its bytes stand. Filled by `reassembly.ts`. */
import type { Micros } from '../events.ts'
import { CLIENT, type Direction } from '../protocol.ts'
import type { Held } from './held.ts'
import type { History } from './history.ts'

export class Half {
  /** Turns when the conversation is found to have been guessed the wrong way round. */
  direction: Direction = CLIENT
  packets = 0
  /** Payload bytes by the headers, repetitions included. */
  bytes = 0
  retransmitted = 0
  /** Bytes missing for good. */
  lost = 0

  /** `next` is known: a SYN or a first segment was seen. */
  isStarted = false
  /** The sequence number of the SYN, as sent; means something when `hasSyn`. */
  initial = 0
  hasSyn = false
  sentReset = false
  /** Sequence number of the next byte to deliver. */
  next = 0
  /** The same as an offset into the stream. All further positions are offsets. */
  offset = 0
  /** Bytes from `offset` on that the consumer does not want. */
  skip = 0
  /** The highest acknowledgement of the peer, when `isAcknowledged`; a sequence number until the half is started. */
  acknowledged = 0
  isAcknowledged = false
  /** Where the stream ends; -1 while no FIN was seen. */
  end = -1

  /** Segments above a hole. */
  held: Held | null = null
  /** Since when the peer's acknowledgement covers the first hole: capture time, packets since, and how far it reached then. -1: it does not. */
  holeSince: Micros = -1
  holePackets = 0
  holeAcknowledged = 0
  /** Where a segment that was out of reach ended, and how many continued there. */
  farEnd = 0
  farWitnesses = 0
  history: History | null = null

  get isOver(): boolean {
    return this.end >= 0 && this.offset >= this.end
  }
}
