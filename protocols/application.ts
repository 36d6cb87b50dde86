/**
 * What the bytes of one conversation mean: which protocol speaks here (by content, on any port), and its dissector fed.
 *
 * Each side is in one of these states:
 *
 *     LISTENING  nothing recognised; the first bytes are kept (at most `probeBytes`) and probed until a protocol says YES or all say NO
 *     REFUSED    all said NO; the other side may still say YES
 *     FEEDING    the dissector gets all bytes; what it leaves is kept and offered again
 *     SEARCHING  sync was lost; each segment is probed, and the dissector hears nothing until its protocol says YES
 *     DEAF       nobody wants these bytes any more; they are only counted
 *
 * A YES of either side opens the dissector for both.
 */
import type { Flow, Micros, WireEvent } from './events.ts'
import type { Keeper, KeptBytes } from './kept-bytes.ts'
import { LIMITS } from './limits.ts'
import type { TcpLimits } from './tcp/limits.ts'
import { CLIENT, LATER, MORE, NO, SERVER, YES, YES_REVERSED } from './protocol.ts'
import type { Connection, Direction, Dissector, End, Protocol, Verdict } from './protocol.ts'
import type { Pseudonyms } from './phi.ts'
import type { Holder, Waiting } from './waiting.ts'
import type { Consumer } from './tcp/consumer.ts'
import type { Conversation } from './tcp/conversation.ts'

const LISTENING = 0
const REFUSED = 1
const FEEDING = 2
const SEARCHING = 3
const DEAF = 4
/** Bytes offered at once behind those that were kept, where more are needed anyway. */
const FEED_BYTES = 1024
/** What a conversation may hold, more or less, without the common books hearing of it. */
const LITTLE = 2 * LIMITS.smallBytes
/** Bytes after which a dissector is asked what it holds: asking at each of many small messages would cost a tenth of them. */
const WEIGHED_BYTES = 1024

type State = typeof LISTENING | typeof REFUSED | typeof FEEDING | typeof SEARCHING | typeof DEAF

/** What all conversations share. */
export interface ApplicationContext {
  readonly protocols: readonly Protocol[]
  readonly pseudonyms: Pseudonyms
  readonly limits: TcpLimits
  readonly kept: KeptBytes
  readonly waiting: Waiting
  readonly counters: ApplicationCounters
  flow(conversation: Conversation): Flow
  emit(event: WireEvent): void
  /** `tick` is wanted at this capture time. */
  wake(conversation: Conversation, due: Micros): void
}

/** The books of this stage: bytes delivered by TCP = fed + strange + unsynchronised + forgotten + kept now. */
export class ApplicationCounters {
  /** Consumed by dissectors. */
  fed = 0
  /** Of conversations, or directions, of no known protocol. */
  strange = 0
  /** Passed over in search of sync. */
  unsynchronised = 0
  /** Kept for a dissector that never got the rest. */
  forgotten = 0
  /** Times a dissector lost sync by itself, by a cap, or failed (a fault of its code). */
  lostSync = 0
  carryBytes = 0
  keptTotalBytes = 0
  failed = 0
  /** The first of those faults. */
  fault: unknown = null
}

/** In place of all this for conversations of no known protocol, which are the most. They want no bytes, so it hears of none. */
const NOBODY: Consumer = { isKnown: false, data: () => Infinity, gap: () => {}, end: () => {} }

class Side {
  state: State = LISTENING
  /** The first byte that comes need not be the first the peer sent. */
  isMidstream: boolean
  /** Protocols that have not said NO, by bit; and those that are asked again of later segments. */
  candidates = -1
  laterCandidates = -1
  kept: Uint8Array | null = null
  keptLength = 0
  /** Bytes that the next call of the dissector needs. */
  need = 0
  /** Segments probed in vain. */
  tries = 0
  /** Bytes were passed over before the dissector was there. */
  hasMissed = false

  constructor(isMidstream: boolean) {
    this.isMidstream = isMidstream
  }
}

export class Application implements Consumer, Connection, Holder, Keeper {
  readonly #context: ApplicationContext
  readonly #conversation: Conversation
  #sides: [Side, Side]
  #protocol: Protocol | null = null
  #dissector: Dissector | null = null
  /** Whose kept bytes came first. */
  #firstKept: Side | null = null
  /** A time was asked for, and has not come yet. */
  #isTimed = false
  /** What the dissector holds, by the common books. */
  #held = 0
  /** Bytes that came since it was asked. */
  #unweighed = 0
  afterGap = false

  constructor(context: ApplicationContext, conversation: Conversation) {
    this.#context = context
    this.#conversation = conversation
    this.#sides = [new Side(!conversation.client?.hasSyn), new Side(!conversation.server?.hasSyn)]
  }

  get flow(): Flow {
    return this.#context.flow(this.#conversation)
  }

  get pseudonyms(): Pseudonyms {
    return this.#context.pseudonyms
  }

  get capture(): object {
    return this.#context
  }

  lost(direction: Direction): number {
    const { client, server } = this.#conversation
    return (direction === CLIENT ? client : server)?.lost ?? 0
  }

  get isKnown(): boolean {
    return this.#dissector !== null
  }

  emit(event: WireEvent): void {
    this.#context.emit(event)
  }

  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    const side = this.#sides[direction]
    try {
      if (side.state === FEEDING || side.state === LISTENING || side.state === SEARCHING) {
        const unwanted = side.state === FEEDING ? this.#feed(direction, side, bytes, start, end, at) : this.#listen(direction, side, bytes, start, end, at)
        if (!this.#isTimed) this.#askTime()
        this.#unweighed += end - start
        if (this.#unweighed >= WEIGHED_BYTES) this.#weigh(at)
        return unwanted
      }
    } catch (fault) {
      this.#fail(fault)
    }
    this.#context.counters.strange += end - start
    return side.state === DEAF ? Infinity : 0
  }

  gap(direction: Direction, missing: number, at: Micros): void {
    const side = this.#sides[direction]
    this.afterGap = true
    this.#drop(side)
    if (side.state === LISTENING) {
      side.isMidstream = true
      side.hasMissed = true
    } else if (side.state === FEEDING) {
      try {
        if (!this.#dissector!.gap(direction, missing, at)) side.state = SEARCHING
      } catch (fault) {
        this.#fail(fault)
      }
    }
  }

  tick(at: Micros): Micros {
    this.#isTimed = false
    const dissector = this.#dissector
    if (dissector?.due === undefined) return Infinity
    try {
      if (dissector.due() <= at) {
        dissector.tick?.(at)
        this.#weigh(at)
      }
      const due = dissector.due()
      this.#isTimed = due < Infinity
      return due
    } catch (fault) {
      this.#fail(fault)
      return Infinity
    }
  }

  #weigh(at: Micros): void {
    this.#unweighed = 0
    const held = this.#dissector?.holds?.() ?? 0
    if (Math.abs(held - this.#held) > LITTLE) this.#enter(held, at)
  }

  #enter(held: number, at: Micros): void {
    if (this.#held === held) return
    const before = this.#held
    this.#held = held
    this.#context.waiting.hold(this, before, held, at)
  }

  forget(at: Micros): void {
    this.#held = 0
    try {
      this.#dissector?.forget?.(at)
    } catch (fault) {
      this.#fail(fault)
    }
  }

  /** Kept bytes are wanted by others: as if they had been lost on the way. */
  drop(bytes: Uint8Array): void {
    const side = this.#sides[this.#sides[0].kept === bytes ? 0 : 1]
    this.#context.counters.keptTotalBytes++
    if (side.state === FEEDING) {
      this.#lose(side, 0)
      return
    }
    this.#drop(side)
    side.isMidstream = side.hasMissed = true
  }

  #askTime(): void {
    const due = this.#dissector?.due?.() ?? Infinity
    if (due === Infinity) return
    this.#isTimed = true
    this.#context.wake(this.#conversation, due)
  }

  end(how: End, at: Micros): void {
    for (const side of this.#sides) this.#drop(side)
    this.#enter(0, at)
    try {
      this.#dissector?.end(how, at)
    } catch (fault) {
      this.#fail(fault)
    }
  }

  // -------------------------------------------------------------------------------------------------- recognition

  /** LISTENING or SEARCHING: are these bytes, behind those that are kept, the protocol's? */
  #listen(direction: Direction, side: Side, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    const { probeBytes } = this.#context.limits
    if (side.kept !== null) {
      const from = Math.min(end, start + probeBytes - side.keptLength)
      if (this.#keep(side, bytes, start, from)) {
        const verdict = this.#probe(direction, side, side.kept, 0, side.keptLength)
        if (verdict === MORE && side.keptLength < probeBytes) return 0
        if (verdict >= YES) return this.#recognise(direction, side, verdict, bytes, from, end, at)
        side.keptLength -= from - start
      }
      this.#drop(side)
      if (this.#isDecided(side)) return this.#refuse(side, end - start)
    }
    const verdict = this.#probe(direction, side, bytes, start, end)
    if (verdict >= YES) return this.#recognise(direction, side, verdict, bytes, start, end, at)
    if (verdict === MORE && end - start < probeBytes && this.#keep(side, bytes, start, end)) {
      this.#firstKept ??= side
      return 0
    }
    return this.#refuse(side, end - start)
  }

  /** MORE when nobody says YES and somebody may yet. Sets `#protocol` with the first YES. */
  #probe(direction: Direction, side: Side, bytes: Uint8Array, start: number, end: number): Verdict {
    if (this.#dissector !== null) {
      const verdict = this.#protocol!.probe(bytes, start, end, direction, true)
      return verdict === LATER ? YES : verdict
    }
    const { protocols } = this.#context
    let answer: Verdict = NO
    let later = 0
    for (let i = 0; i < protocols.length; i++) {
      if ((side.candidates & (1 << i)) === 0) continue
      const verdict = protocols[i]!.probe(bytes, start, end, direction, side.isMidstream)
      if (verdict >= YES) {
        this.#protocol = protocols[i]!
        return verdict
      }
      if (verdict === MORE) answer = MORE
      else {
        side.candidates &= ~(1 << i)
        if (verdict === LATER) later |= 1 << i
      }
    }
    if (answer === NO && later !== 0 && this.#isDecided(side)) {
      side.isMidstream = true
      side.laterCandidates = later
    }
    return answer
  }

  /** What begins at the beginning is decided by it; elsewhere a later segment may begin with something known. */
  #isDecided(side: Side): boolean {
    return side.state === LISTENING && !side.isMidstream
  }

  /** @returns what `data` answers: `count` bytes are passed over */
  #refuse(side: Side, count: number): number {
    const { counters, limits } = this.#context
    side.hasMissed = true
    side.tries++
    if (side.state === SEARCHING) {
      counters.unsynchronised += count
      if (side.tries > limits.searchSegments) side.state = DEAF
    } else {
      counters.strange += count
      side.candidates = side.laterCandidates
      if (this.#isDecided(side) || side.tries > limits.strangerSegments) side.state = REFUSED
      if (this.#sides[0].state === REFUSED && this.#sides[1].state === REFUSED) {
        const { client, server } = this.#conversation
        client!.skip = server!.skip = Infinity
        this.#conversation.consumer = NOBODY
        return Infinity
      }
    }
    return side.state === DEAF ? Infinity : 0
  }

  /** The verdict was YES: what is kept of the side, and then the bytes, are the dissector's. */
  #recognise(direction: Direction, side: Side, verdict: Verdict, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    if (this.#dissector === null) direction = this.#open(direction, side, verdict, at)
    side.state = FEEDING
    side.need = 0
    return this.#feed(direction, side, bytes, start, end, at)
  }

  /** Opens the dissector for both sides. @returns the direction, which turns when the conversation was guessed the wrong way round */
  #open(direction: Direction, side: Side, verdict: Verdict, at: Micros): Direction {
    if (verdict === YES_REVERSED && this.#conversation.isMidstream) {
      this.#conversation.turn()
      this.#sides = [this.#sides[1], this.#sides[0]]
      direction = opposite(direction)
    }
    const protocol = this.#protocol!
    this.#conversation.protocol = protocol.name
    this.#dissector = protocol.open(this)
    const other = this.#sides[opposite(direction)]
    const mayBe = (other.candidates & (1 << this.#context.protocols.indexOf(protocol))) !== 0
    if (other.hasMissed || !mayBe || (other.isMidstream && other.kept === null)) {
      this.#drop(other)
      other.state = SEARCHING
    } else {
      other.state = FEEDING
      const isFirst = this.#firstKept === other
      if (!isFirst) this.#feedKept(direction, side, at)
      this.#feedKept(opposite(direction), other, at)
    }
    this.#firstKept = null
    return direction
  }

  // ------------------------------------------------------------------------------------------------------ feeding

  /** FEEDING: what is kept, then the bytes in place. @returns how many of the bytes behind `end` are not wanted */
  #feed(direction: Direction, side: Side, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    const dissector = this.#dissector!
    const { counters } = this.#context
    let from = start
    while (side.kept !== null) {
      if (side.keptLength < side.need) {
        // More than needed is offered where it is there, so that a dissector that counts byte by byte is not called for each.
        const to = Math.min(end, from + Math.max(side.need - side.keptLength, FEED_BYTES))
        if (!this.#keep(side, bytes, from, to)) return this.#lose(side, end - from)
        from = to
        if (side.keptLength < side.need) return 0
      }
      const used = dissector.data(direction, side.kept, 0, side.keptLength, at)
      if (!(used >= 0)) return this.#lose(side, end - from)
      if (used < side.keptLength) {
        counters.fed += used
        side.keptLength -= used
        side.kept.copyWithin(0, used, used + side.keptLength)
        if (!this.#await(direction, side)) return this.#lose(side, end - from)
      } else {
        counters.fed += side.keptLength
        const excess = used - side.keptLength
        this.#release(side)
        if (excess >= end - from) {
          counters.fed += end - from
          return excess - (end - from)
        }
        counters.fed += excess
        // Below the length of a packet here, though what is not wanted can be infinite: a whole number, not a floating point one.
        from = (from + excess) | 0
      }
    }
    if (from === end) return 0
    const used = dissector.data(direction, bytes, from, end, at)
    if (!(used >= 0)) return this.#lose(side, end - from)
    const rest = end - from - used
    if (rest <= 0) {
      counters.fed += end - from
      return -rest
    }
    counters.fed += used
    if (!this.#keep(side, bytes, end - rest, end)) return this.#lose(side, rest)
    return this.#await(direction, side) ? 0 : this.#lose(side, 0)
  }

  /** What a side kept while it was LISTENING. */
  #feedKept(direction: Direction, side: Side, at: Micros): void {
    if (side.kept === null) return
    side.state = FEEDING
    side.need = 0
    const unwanted = this.#feed(direction, side, side.kept, 0, 0, at)
    this.#conversation.sender(direction === CLIENT).skip = unwanted
  }

  /** Asks how much the dissector wants before it is called again. @returns false when that is too much */
  #await(direction: Direction, side: Side): boolean {
    side.need = Math.max(this.#dissector!.needs(direction), side.keptLength + 1)
    if (side.need <= this.#context.limits.carryBytes) return true
    this.#context.counters.carryBytes++
    return false
  }

  /** Sync is lost: what is kept, and `rest` bytes more, are passed over. */
  #lose(side: Side, rest: number): number {
    this.#context.counters.lostSync++
    this.#context.counters.unsynchronised += rest
    this.#drop(side)
    side.state = SEARCHING
    return 0
  }

  /** A dissector that throws has a fault; it alone ends. */
  #fail(fault: unknown): void {
    const { counters } = this.#context
    counters.failed++
    counters.fault ??= fault
    this.#dissector = null
    this.#enter(0, 0)
    for (const side of this.#sides) {
      this.#drop(side)
      side.state = DEAF
    }
  }

  // ------------------------------------------------------------------------------------------------- what is kept

  /** @returns false when there is no room */
  #keep(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    const length = side.keptLength + end - start
    if (side.kept === null || side.kept.length < length) {
      const larger = this.#context.kept.take(length, this)
      if (larger === null) {
        this.#context.counters.keptTotalBytes++
        return false
      }
      if (side.kept !== null) {
        larger.set(side.kept.subarray(0, side.keptLength))
        this.#context.kept.giveBack(side.kept)
      }
      side.kept = larger
    }
    side.kept.set(bytes.subarray(start, end), side.keptLength)
    side.keptLength = length
    return true
  }

  #release(side: Side): void {
    this.#context.kept.giveBack(side.kept!)
    side.kept = null
    side.keptLength = 0
  }

  #drop(side: Side): void {
    if (side.kept === null) return
    this.#context.counters.forgotten += side.keptLength
    this.#release(side)
  }
}

const opposite = (direction: Direction): Direction => (direction === CLIENT ? SERVER : CLIENT)
