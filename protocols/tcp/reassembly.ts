/**
 * Segments in any order to ordered bytes, losses and ends, one direction at a time. The invariants:
 *
 * 1. `next` (a sequence number) and `offset` (the same place as a count of bytes) move together and only forward. Everything below has been
 *    delivered, skipped or lost; nothing below is ever delivered again: the first copy wins, against later ones and against held ones.
 * 2. The order of work is: deliver in place (no copy), else hold (one copy), never both. While nothing is held and nothing is missing, a segment
 *    costs one comparison and one call; inside a range that the consumer does not want it costs an addition, whether it was captured or not.
 * 3. What the consumer does not want is a number, `skip`: bytes from `offset` on. Its end, `offset + skip`, never moves back, so a segment that
 *    is held wholly below it needs no bytes, and a loss wholly below it is counted but not told.
 * 4. Held ranges lie above `offset`, in order, without overlap. When the first one starts at `offset` it is drained at once, so between
 *    packets there is always a hole in front of it.
 * 5. A hole is lost when the receiver has acknowledged past it, and 64 packets or 100 ms went by since: a mirror port may show the
 *    acknowledgement before the data. Without that proof it is lost when a cap is reached: what is held, or how far above the hole we are. So no
 *    hole stops a direction for good, and nothing that is held grows beyond `limits.ts`. At the end every hole is lost.
 * 6. Segments further away than `aboveHole` are not believed until `farWitnesses` of them follow each other. Then either much was lost, or
 *    (when the acknowledgement numbers are strange, too) it is another conversation whose SYN was lost.
 * 7. The books balance after every packet (`counters.ts`).
 */
import type { Micros } from '../events.ts'
import type { Packet } from '../net/packet.ts'
import type { CaptureClock } from './clock.ts'
import type { Consumer } from './consumer.ts'
import type { Conversation } from './conversation.ts'
import type { TcpCounters } from './counters.ts'
import type { Half } from './half.ts'
import { COUNTED, Held, PagePool, SLICED, STORED } from './held.ts'
import { History } from './history.ts'
import type { TcpLimits } from './limits.ts'
import { advance, ahead } from './sequence.ts'

export interface ReassemblyOptions {
  limits: TcpLimits
  clock: CaptureClock
  counters: TcpCounters
  /** Called at the first byte, or first loss, of a conversation. */
  open: (conversation: Conversation) => Consumer
  /** A repetition brought other bytes than the first copy; once per conversation. */
  conflict: (conversation: Conversation, half: Half, offset: number, at: Micros) => void
}

const NO_BYTES = new Uint8Array(0)

export class Reassembly {
  /** Capture time of what is being done; set by the caller, since a number handed from call to call would be allocated. */
  at: Micros = 0
  readonly #limits: TcpLimits
  readonly #clock: CaptureClock
  readonly #counters: TcpCounters
  readonly #open: ReassemblyOptions['open']
  readonly #conflict: ReassemblyOptions['conflict']
  readonly #pool: PagePool
  /** Directions that wait for a hole to be filled, those that wait longest first. */
  readonly #waiting = new Map<Half, Conversation>()
  /** Bytes of all histories, and those that no conversation has at present. */
  #historyBytes = 0
  readonly #spare: History[] = []

  constructor(options: ReassemblyOptions) {
    this.#limits = options.limits
    this.#clock = options.clock
    this.#counters = options.counters
    this.#open = options.open
    this.#conflict = options.conflict
    this.#pool = new PagePool(options.limits)
  }

  /** The stream of a direction begins here. */
  start(half: Half, seq: number): void {
    half.isStarted = true
    half.next = seq
    half.acknowledged = half.offset + ahead(half.acknowledged, seq)
  }

  /**
   * A segment with payload.
   * @param seq of its first payload byte
   * @param isStranger its acknowledgement number does not belong to this conversation
   * @returns false when it belongs to another conversation between the same ports
   */
  segment(conversation: Conversation, half: Half, packet: Packet, seq: number, isStranger: boolean): boolean {
    const length = packet.payloadLength
    if (!half.isStarted) {
      if (isKeepAlive(half, seq, length)) return this.#repeated(half, length)
      this.start(half, seq)
    }
    const distance = ahead(seq, half.next)
    if (distance === 0 && half.held === null && half.end < 0) {
      this.#give(conversation, half, packet.bytes, packet.payload, packet.payloadEnd - packet.payload, length)
      return true
    }
    if (distance > this.#limits.aboveHole || distance < -this.#limits.aboveHole) return this.#far(conversation, half, packet, seq, isStranger)
    this.#near(conversation, half, packet, distance)
    return true
  }

  /** The stream of a direction ends at this sequence number. */
  finish(half: Half, seq: number): void {
    if (!half.isStarted) this.start(half, seq)
    const distance = ahead(seq, half.next)
    if (half.end < 0 && distance >= 0 && distance <= this.#limits.aboveHole) half.end = half.offset + distance
  }

  /** The peer has everything below `ack`. Acknowledgements of what cannot have been sent are not believed. */
  acknowledged(half: Half, ack: number): void {
    if (!half.isStarted) {
      half.acknowledged = ack
    } else {
      const reach = ahead(ack, half.next)
      if (reach > this.#limits.aboveHole) return
      if (!half.isAcknowledged || half.offset + reach > half.acknowledged) half.acknowledged = half.offset + reach
    }
    half.isAcknowledged = true
  }

  /** After each packet of the conversation: is a hole lost by now? */
  mind(conversation: Conversation, half: Half): void {
    const reach = half.isAcknowledged && half.isStarted ? half.acknowledged - half.offset : 0
    if (half.held === null && reach <= 0) {
      half.holeSince = -1
      return
    }
    const hole = half.held === null ? tail(half, reach) : half.held.start - half.offset
    if (hole === 0 || reach < hole) {
      half.holeSince = -1
    } else if (half.holeSince < 0) {
      half.holeSince = this.#clock.now
      half.holePackets = 0
      half.holeAcknowledged = half.acknowledged
    } else if (++half.holePackets >= this.#limits.holePackets || this.#clock.now - half.holeSince >= this.#limits.holeAge) {
      this.#giveUpAcknowledged(conversation, half)
    }
  }

  /** No more packets will come: what is held is delivered, what is missing is lost. */
  flush(conversation: Conversation, half: Half): void {
    while (half.held !== null) this.#giveUp(conversation, half)
    if (half.isStarted) {
      const missing = tail(half, half.isAcknowledged ? half.acknowledged - half.offset : 0)
      if (missing > 0) this.#lose(conversation, half, missing)
    }
    if (half.history === null) return
    half.history.forget()
    this.#spare.push(half.history)
    half.history = null
  }

  // -------------------------------------------------------------------------------------------------- segments

  /** A segment that is old, beyond `next`, or in order while others are held or the end is known. */
  #near(conversation: Conversation, half: Half, packet: Packet, distance: number): void {
    const { bytes, payload } = packet
    const start = half.offset + distance
    let length = packet.payloadLength
    if (half.end >= 0 && start + length > half.end) {
      const wanted = Math.max(half.end - start, 0)
      this.#counters.afterEnd += length - wanted
      if (wanted === 0) return
      length = wanted
    }
    const captured = Math.min(packet.payloadEnd - payload, length)
    if (distance < 0) this.#compareDelivered(conversation, half, packet, start)
    this.#place(conversation, half, bytes, payload, captured, length, start)
    this.#drain(conversation, half)
  }

  /** What is new of [start, start + length) is delivered when it is in order, else held. */
  #place(conversation: Conversation, half: Half, bytes: Uint8Array, from: number, captured: number, length: number, start: number): void {
    const old = half.offset - start
    if (old >= length) {
      this.#repeated(half, length)
    } else if (old > 0) {
      this.#counters.duplicate += old
      const known = Math.min(old, captured)
      this.#place(conversation, half, bytes, from + known, captured - known, length - old, half.offset)
    } else if (old === 0 && (half.held === null || start + length <= half.held.start)) {
      this.#give(conversation, half, bytes, from, captured, length)
    } else if (this.#pool.isExhausted) {
      this.#giveUpOldest()
      this.#place(conversation, half, bytes, from, captured, length, start)
    } else {
      this.#hold(conversation, half, bytes, from, captured, length, start)
    }
  }

  #repeated(half: Half, length: number): true {
    half.retransmitted++
    this.#counters.duplicate += length
    return true
  }

  /** Far away: see invariant 6. */
  #far(conversation: Conversation, half: Half, packet: Packet, seq: number, isStranger: boolean): boolean {
    const length = packet.payloadLength
    const distance = ahead(seq, half.next)
    // Old bytes with fitting acknowledgements are the copy of a second, late sensor.
    if (distance < 0 && !isStranger) return this.#repeated(half, length)
    const further = half.farWitnesses === 0 ? 0 : ahead(seq, half.farEnd)
    const isCopy = further < 0 && further >= -this.#limits.aboveHole
    if (!isCopy) {
      half.farWitnesses = Math.abs(further) <= this.#limits.aboveHole ? half.farWitnesses + 1 : 1
      half.farEnd = advance(seq, length)
    }
    if (isCopy || half.farWitnesses < this.#limits.farWitnesses) {
      this.#counters.outOfReach += length
      return true
    }
    half.farWitnesses = 0
    if (isStranger) return false
    while (half.held !== null) this.#giveUp(conversation, half)
    this.#lose(conversation, half, ahead(seq, half.next))
    this.#near(conversation, half, packet, 0)
    return true
  }

  /** In order: `captured` of `length` bytes are at `bytes[from..]`. */
  #give(conversation: Conversation, half: Half, bytes: Uint8Array, from: number, captured: number, length: number): void {
    half.next = advance(half.next, length)
    if (half.skip >= length) {
      half.skip -= length
      half.offset += length
      this.#counters.skipped += length
      return
    }
    // `skip` can be infinite, so all that is added to it would be a floating point number, down to the last loop over bytes.
    const unwanted = half.skip | 0
    half.skip = 0
    half.offset += length
    this.#counters.skipped += unwanted
    const wanted = captured - unwanted
    if (wanted > 0) {
      this.#counters.delivered += wanted
      const consumer = (conversation.consumer ??= this.#open(conversation))
      half.skip = consumer.data(half.direction, bytes, from + unwanted, from + captured, this.at)
      if (consumer.isKnown) this.#remember(half, half.offset - length + unwanted, bytes, from + unwanted, from + captured)
    }
    if (captured < length) this.#slice(conversation, half, length - Math.max(captured, unwanted))
  }

  /** Sliced off by the snap length; `offset` is past them already. */
  #slice(conversation: Conversation, half: Half, missing: number): void {
    const unwanted = Math.min(half.skip, missing)
    half.skip -= unwanted
    this.#counters.skipped += unwanted
    this.#counters.sliced += missing - unwanted
    if (missing > unwanted) (conversation.consumer ??= this.#open(conversation)).gap(half.direction, missing - unwanted, this.at)
  }

  /** The next `missing` bytes are lost. */
  #lose(conversation: Conversation, half: Half, missing: number): void {
    half.next = advance(half.next, missing)
    half.offset += missing
    half.lost += missing
    this.#counters.lost += missing
    half.holeSince = -1
    const unwanted = Math.min(half.skip, missing)
    half.skip -= unwanted
    if (missing > unwanted) (conversation.consumer ??= this.#open(conversation)).gap(half.direction, missing - unwanted, this.at)
  }

  // ------------------------------------------------------------------------------------------------ held ranges

  #hold(conversation: Conversation, half: Half, bytes: Uint8Array, from: number, captured: number, length: number, start: number): void {
    const held = half.held ?? this.#wait(conversation, half)
    const end = start + length
    const wanted = Math.min(Math.max(half.offset + half.skip, start), end)
    const stored = Math.min(Math.max(start + captured, wanted), end)
    let isNew = 0
    if (start < wanted) isNew += held.add(start, wanted, COUNTED, NO_BYTES, 0)
    if (wanted < stored) isNew += held.add(wanted, stored, STORED, bytes, from + wanted - start)
    if (stored < end) isNew += held.add(stored, end, SLICED, NO_BYTES, 0)
    this.#counters.held += isNew
    this.#counters.duplicate += length - isNew
    if (isNew === 0) half.retransmitted++
    if (held.differs) this.#report(conversation, half, start)
    this.#enforce(conversation, half)
  }

  #wait(conversation: Conversation, half: Half): Held {
    this.#waiting.set(half, conversation)
    return (half.held = new Held(this.#pool, this.#limits.heldRanges >> 1))
  }

  /** There are no pages left: what waits longest waits in vain. Segments that only came in the wrong order follow each other within milliseconds. */
  #giveUpOldest(): void {
    for (const [half, conversation] of this.#waiting) {
      this.#counters.holesByCap.heldTotalBytes++
      this.#giveUp(conversation, half)
      return
    }
  }

  /** Gives up holes until no cap is exceeded. */
  #enforce(conversation: Conversation, half: Half): void {
    const limits = this.#limits
    const byCap = this.#counters.holesByCap
    const above = half.isAcknowledged ? limits.aboveHole : limits.aboveHoleUnacknowledged
    for (let held = half.held; held !== null && held.start > half.offset; held = half.held) {
      if (held.pages * limits.pageBytes > limits.heldBytes) byCap.heldBytes++
      else if (held.ranges > limits.heldRanges) byCap.heldRanges++
      else if (held.end - half.offset > above) byCap.aboveHole++
      else return
      this.#giveUp(conversation, half)
    }
  }

  /** Delivers what is held without a hole in front. */
  #drain(conversation: Conversation, half: Half): void {
    const { held } = half
    if (held === null) return
    while (held.ranges > 0 && held.start === half.offset) {
      const isStored = held.firstKind === STORED
      const length = isStored ? held.pageLength : held.firstEnd - held.start
      this.#counters.held -= length
      if (isStored) this.#give(conversation, half, held.page(), held.pageOffset, length, length)
      else this.#give(conversation, half, NO_BYTES, 0, 0, length)
      held.release(length)
      half.holeSince = -1
    }
    if (held.ranges > 0) return
    half.held = null
    this.#waiting.delete(half)
  }

  /** The first hole below what is held is lost. */
  #giveUp(conversation: Conversation, half: Half): void {
    this.#lose(conversation, half, half.held!.start - half.offset)
    this.#drain(conversation, half)
  }

  /** All holes are lost that were acknowledged when the first one came to notice. */
  #giveUpAcknowledged(conversation: Conversation, half: Half): void {
    const acknowledged = half.holeAcknowledged
    while (half.held !== null && acknowledged >= half.held.start) this.#giveUp(conversation, half)
    if (half.held !== null) return
    const missing = tail(half, acknowledged - half.offset)
    if (missing > 0) this.#lose(conversation, half, missing)
  }

  // -------------------------------------------------------------------------------------------------- conflicts

  #remember(half: Half, offset: number, bytes: Uint8Array, from: number, to: number): void {
    half.history ??= this.#spare.pop() ?? this.#newHistory()
    half.history?.record(offset, bytes, from, to)
  }

  #newHistory(): History | null {
    const { historyBytes, historyTotalBytes } = this.#limits
    if (this.#historyBytes + historyBytes > historyTotalBytes) return null
    this.#historyBytes += historyBytes
    return new History(historyBytes)
  }

  #compareDelivered(conversation: Conversation, half: Half, packet: Packet, offset: number): void {
    // A keep-alive repeats the last byte, and some systems put any byte there.
    if (half.history === null || (packet.payloadLength === 1 && offset === half.offset - 1)) return
    const { bytes, payload, payloadEnd } = packet
    if (half.history.differs(offset, bytes, payload, payloadEnd)) this.#report(conversation, half, offset)
  }

  #report(conversation: Conversation, half: Half, offset: number): void {
    this.#counters.conflicts++
    if (conversation.hasConflict) return
    conversation.hasConflict = true
    this.#conflict(conversation, half, offset, this.at)
  }
}

/** A byte that the peer had acknowledged before, sent to see whether it is still there. */
function isKeepAlive(half: Half, seq: number, length: number): boolean {
  return length === 1 && half.isAcknowledged && ahead(seq, half.acknowledged) === -1
}

/** Bytes missing at the end of what is known. A FIN takes one number, too: one acknowledged byte alone may be a FIN that was lost. */
function tail(half: Half, acknowledged: number): number {
  if (half.end >= 0) return half.end - half.offset
  return acknowledged > 1 ? acknowledged : 0
}
