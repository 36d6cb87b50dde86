/** Segments, given one after another, whole or in pieces, become messages and batches. */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { USUAL, segmentName } from './header.ts'
import type { HeldBytes } from './held.ts'
import { BHS, BTS, FHS, FTS, MSH, NAMELESS } from './segment-names.ts'

/** How a message travels. */
export type Framing = 'mllp' | 'http' | 'stx' | 'none'

/** Who hears what the reader finds. Offsets count from the first byte of the direction. */
export interface BlockSink {
  /** A message begins; `at` and `offset` are those of its block, or of its header segment where it is not the first of the block. */
  begin(framing: Framing, at: Micros, offset: number, inBatch: boolean): void
  /**
   * A segment of the message without its end; `name`: see `segment-names.ts`. Of a long one only the beginning is
   * there, `length` says how long it is; `cut`: its end never came; `hashed`: its hash stands in the reader's `SegmentHash`.
   */
  segment(b: Uint8Array, start: number, end: number, name: number, length: number, cut: boolean, hashed: boolean): void
  /** A piece of a long segment, in order, before `segment` is told of it; not of a header segment. */
  piece(b: Uint8Array, start: number, end: number): void
  /** Bytes of the message are missing here. */
  loss(): void
  /** The message is over; `ended` is false when its end never came. */
  finish(at: Micros, offset: number, ended: boolean): void
  /** FHS or BHS. */
  batchHeader(b: Uint8Array, start: number, end: number): void
  /** Commit acknowledgement of MLLP release 2. */
  commit(good: boolean): void
  oddity(code: string, section: string, offset: number, detail: string): void
}

/** Where the form of a block is laid down. */
export const BLOCK = 'MLLP R2 1.2.2'

const EMPTY = new Uint8Array(0)

export class Segments {
  /** A message is open: its header segment came. */
  isOpen = false
  /** The beginning of the current segment is lost: what comes up to its end is nothing. */
  isTorn = false
  /** The current segment is longer than what is held of any: its head is here, the rest is only counted. */
  isLong = false
  framing: Framing = 'mllp'
  readonly #sink: BlockSink
  readonly #memory: HeldBytes
  #head: Uint8Array = EMPTY
  #name = NAMELESS
  #length = 0
  #blockAt: Micros = 0
  #blockOffset = 0
  /** Of fields, as the last header declared it. */
  #separator: number = USUAL.field
  /** No message of this block began yet. */
  #isFirst = false
  /** Between FHS or BHS and BTS or FTS, over as many blocks as it takes. */
  #isBatch = false
  /** Of what is being read. */
  #at: Micros = 0

  constructor(sink: BlockSink, memory: HeldBytes) {
    this.#sink = sink
    this.#memory = memory
  }

  /** What comes now came at this time. */
  set at(at: Micros) {
    this.#at = at
  }

  /** What comes begins a segment, or goes on with one that is held by whoever calls. */
  get isWhole(): boolean {
    return !this.isLong && !this.isTorn
  }

  startBlock(framing: Framing, offset: number): void {
    this.framing = framing
    this.#blockAt = this.#at
    this.#blockOffset = offset
    this.#isFirst = true
    this.isOpen = this.isTorn = false
  }

  endBlock(offset: number, ended: boolean): void {
    this.finish(offset, ended)
    this.isTorn = false
    this.endLong()
  }

  /** The current segment, or what of it is not taken yet, ended: `b[start..end)`, at this place of the stream. @param hashed see `BlockSink.segment` */
  end(b: Uint8Array, start: number, end: number, offset: number, hashed: boolean): void {
    if (this.isTorn) {
      this.isTorn = false
    } else if (this.isLong) {
      this.piece(b, start, end)
      this.tellLong(false)
      this.endLong()
    } else if (end > start) {
      this.segment(b, start, end, end - start, offset, false, hashed)
    }
  }

  segment(b: Uint8Array, start: number, end: number, length: number, offset: number, cut: boolean, hashed: boolean): void {
    const name = segmentName(b, start, end, this.#separator)
    const stop = Math.min(end, start + LIMITS.hl7.segmentBytes)
    this.#announce(name, b, start, stop, offset)
    if (!this.isOpen) return
    if (length > stop - start && name !== MSH) this.#sink.piece(b, start, end)
    this.#sink.segment(b, start, stop, name, length, cut, hashed)
  }

  // ------------------------------------------------------------------------------------------- segments in pieces

  /** The segment that begins at `b[from]`, `offset` in the stream, is a long one. @returns false when there is no room for its head */
  startLong(b: Uint8Array, from: number, offset: number): boolean {
    const room = this.#memory.take(LIMITS.hl7.segmentBytes)
    if (room === null) return false
    this.#head = room
    this.#head.set(b.subarray(from, from + LIMITS.hl7.segmentBytes))
    this.#length = 0
    this.isLong = true
    this.#name = segmentName(this.#head, 0, this.#head.length, this.#separator)
    this.#announce(this.#name, this.#head, 0, this.#head.length, offset)
    return true
  }

  piece(b: Uint8Array, start: number, end: number): void {
    this.#length += end - start
    if (this.isOpen && this.#name !== MSH) this.#sink.piece(b, start, end)
  }

  tellLong(cut: boolean): void {
    if (this.isOpen) this.#sink.segment(this.#head, 0, this.#head.length, this.#name, this.#length, cut, false)
  }

  endLong(): void {
    this.isLong = false
    this.#memory.giveBack(this.#head)
    this.#head = EMPTY
  }

  // ----------------------------------------------------------------------------------------- messages and batches

  /** The message that is open is over. */
  finish(offset: number, ended: boolean): void {
    if (this.isOpen) this.#sink.finish(this.#at, offset, ended)
    this.isOpen = false
  }

  /** What a segment's name alone brings about: messages and batches begin and end. */
  #announce(name: number, b: Uint8Array, start: number, end: number, offset: number): void {
    if (name === MSH) {
      this.#separator = b[start + 3]!
      this.#begin(offset)
    } else if (name === FHS || name === BHS) {
      this.#separator = b[start + 3]!
      this.finish(offset, true)
      this.#isBatch = true
      this.#isFirst = false
      this.#sink.batchHeader(b, start, end)
    } else if (name === BTS || name === FTS) {
      this.finish(offset, true)
      this.#isBatch = false
    }
  }

  #begin(offset: number): void {
    if (this.isOpen) {
      if (!this.#isBatch && this.framing === 'mllp') this.#sink.oddity('mllp.two-messages', BLOCK, offset, 'a second message in the same block')
      this.finish(offset, true)
    }
    this.isOpen = true
    this.#sink.begin(this.framing, this.#isFirst ? this.#blockAt : this.#at, this.#isFirst ? this.#blockOffset : offset, this.#isBatch)
    this.#isFirst = false
  }
}
