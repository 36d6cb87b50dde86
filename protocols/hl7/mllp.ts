/**
 * The bytes of one direction, cut into blocks, messages and segments.
 *
 * MLLP (Transport Specification: MLLP, release 2, section 1.2.2): <VT> content <FS><CR>; release 2 adds <VT><ACK><FS><CR> and
 * <VT><NAK><FS><CR>. The reader takes what real senders make of it, in pieces of any size:
 *
 *     OUTSIDE   between blocks. Waits for VT, STX, or a header that vouches for itself; a few bytes of keep-alive are nothing, more is noise
 *     START     behind VT or STX: blank lines and a byte order mark, then a header segment, a commit byte, or something foreign
 *     BODY      segments, each given to the sink when its end is there
 *     FOREIGN   a block whose content is not HL7: a sample is looked at, the rest counted
 *
 * Invariants: only the segment that has not ended is held, up to `segmentBytes` of it; of a longer one the head is kept and the
 * rest counted. Nothing depends on how the bytes are cut: where a decision needs bytes that are not there, the segment (or the
 * few bytes in front of the decision) is held and read again with what follows.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { MORE, NO, YES } from '../protocol.ts'
import type { Verdict } from '../protocol.ts'
import { ForeignBytes } from './foreign.ts'
import type { SegmentHash } from './body-hash.ts'
import type { HeldBytes } from './held.ts'
import { OPENING, isSegmentNext, opensBare, opensBlock } from './header.ts'
import { BLOCK, Segments } from './segments.ts'
import type { BlockSink, Framing } from './segments.ts'
import { Utf16 } from './utf16.ts'

const STX = 0x02, ETX = 0x03, ENQ = 0x05, ACK = 0x06, TAB = 0x09, LF = 0x0A, VT = 0x0B, CR = 0x0D, NAK = 0x15, SYN = 0x16, FS = 0x1C, BLANK = 0x20

const SEGMENT = 'HL7 v2.5.1 2.5'

const OUTSIDE = 0
const START = 1
const BODY = 2
const FOREIGN = 3

/** Pieces are read in slices, so that the space for held bytes and what follows them is bounded. */
const SLICE = 64 * 1024
/** The one place where held bytes and new ones are joined; used within one call only. */
const joined = new Uint8Array(SLICE + LIMITS.hl7.segmentBytes)
const EMPTY = new Uint8Array(0)

export class BlockReader {
  readonly #sink: BlockSink
  readonly #memory: HeldBytes
  readonly #segments: Segments
  readonly #hash: SegmentHash
  #state: typeof OUTSIDE | typeof START | typeof BODY | typeof FOREIGN = OUTSIDE

  /** Bytes held back: a segment that has not ended, or a few bytes that do not decide yet. */
  #held: Uint8Array = EMPTY
  #heldBytes = 0
  /** How many of them need not be looked at again. */
  #seen = 0
  /** The scan stops here and holds what is left. */
  #stuck = false
  /** Nothing more will come: decide with what is there. */
  #final = false
  /** Stream offset of what comes next, and of index 0 of the bytes being scanned. */
  #offset = 0
  #base = 0

  #utf16: Utf16 | undefined
  /** Bytes of this block are missing. */
  #lossy = false

  readonly #foreign = new ForeignBytes()
  /** After a loss, and in midstream, until the next block: what is there may be the rest of something good. */
  #resync: boolean

  /** @param memory and hash are shared by all readers; `midstream`: what comes first need not be a beginning */
  constructor(sink: BlockSink, memory: HeldBytes, hash: SegmentHash, midstream: boolean) {
    this.#sink = sink
    this.#memory = memory
    this.#segments = new Segments(sink, memory)
    this.#hash = hash
    this.#resync = midstream
  }

  /** Ordered bytes; all of them are taken. */
  feed(b: Uint8Array, start: number, end: number, at: Micros): void {
    this.#segments.at = at
    let from = start
    while (from < end) {
      const take = Math.min(end - from, SLICE)
      if (this.#heldBytes === 0) {
        this.#hold(b, this.#scan(b, from, from + take), from + take)
      } else {
        joined.set(this.#held.subarray(0, this.#heldBytes))
        joined.set(b.subarray(from, from + take), this.#heldBytes)
        const total = this.#heldBytes + take
        this.#release()
        this.#hold(joined, this.#scan(joined, 0, total), total)
      }
      from += take
    }
  }

  /** Bytes are missing. */
  gap(missing: number): void {
    this.#settle()
    this.#cutSegment()
    this.#lose()
    this.#offset += missing
  }

  /** Bytes of the current block are gone, and with them the place in it. */
  #lose(): void {
    this.#seen = 0
    if (this.#state === BODY && this.#segments.isOpen && this.#utf16 === undefined) {
      this.#segments.isTorn = this.#lossy = true
      this.#sink.loss()
    } else {
      if (this.#segments.isOpen) this.#sink.loss()
      this.#close(this.#offset, false)
      this.#foreign.reset()
      this.#resync = true
    }
  }

  /** The other side begins to speak: an end mark whose CR is still to come has done its work, and so has a message without any frame. */
  turn(): void {
    if (this.#state !== BODY) return
    if (this.#heldBytes > 0 && this.#held[this.#heldBytes - 1] === FS) this.#settle()
    else if (this.#segments.framing === 'none' && this.#heldBytes === 0 && this.#segments.isWhole) this.#close(this.#offset, true)
  }

  /** Between the marks of a block. */
  get isInBlock(): boolean {
    return this.#state !== OUTSIDE && this.#segments.framing === 'mllp'
  }

  /** Nothing more will come. @param closed by a peer, rather than lost from sight */
  end(closed: boolean): void {
    this.#settle()
    this.#reportForeign()
    if (closed && !this.#lossy && this.#state === BODY && this.#segments.framing === 'mllp' && (this.#segments.isOpen || this.#heldBytes > 0)) {
      this.#sink.oddity('mllp.no-end', BLOCK, this.#offset, 'the connection ended inside a block')
    }
    const whole = this.#segments.framing === 'none'
    this.#cutSegment(!whole)
    this.#close(this.#offset, whole)
  }

  /** A body without marks begins, whose length somebody else knows (HTTP). */
  openBody(at: Micros): void {
    this.#segments.at = at
    this.#startBlock('http', this.#offset)
  }

  closeBody(whole: boolean): void {
    this.#settle()
    this.#reportForeign()
    this.#cutSegment(!whole)
    this.#close(this.#offset, whole)
  }

  // ------------------------------------------------------------------------------------------- holding and scanning

  /** Decides what was held back only because more might have followed. */
  #settle(): void {
    if (this.#heldBytes === 0) return
    const bytes = this.#held.slice(0, this.#heldBytes)
    this.#release()
    this.#final = true
    this.#hold(bytes, this.#scan(bytes, 0, bytes.length), bytes.length)
    this.#final = false
  }

  #hold(b: Uint8Array, from: number, end: number): void {
    const size = end - from
    if (size === 0) return
    if (size > LIMITS.hl7.segmentBytes) {
      this.#goLong(b, from, end)
      return
    }
    const room = this.#memory.take(size)
    if (room === null) {
      this.#offset += size
      this.#lose()
      return
    }
    this.#held = room
    this.#held.set(b.subarray(from, end))
    this.#heldBytes = size
  }

  #release(): void {
    this.#memory.giveBack(this.#held)
    this.#held = EMPTY
    this.#heldBytes = 0
  }

  /** Only segments grow that long: what decides a start needs a few bytes. An undecided control character at its very end is taken for content. */
  #goLong(b: Uint8Array, from: number, end: number): void {
    if (!this.#segments.startLong(b, from, this.#offset)) {
      this.#offset += end - from
      this.#lose()
      return
    }
    const decided = from + this.#seen
    this.#segments.piece(b, from, decided)
    this.#offset += this.#seen
    this.#seen = 0
    this.#hold(b, decided, end)
  }

  /** @returns where to go on: `end`, or earlier when what is left must be held. */
  #scan(b: Uint8Array, start: number, end: number): number {
    this.#base = this.#offset - start
    this.#stuck = false
    let i = start
    while (i < end && !this.#stuck) {
      switch (this.#state) {
        case OUTSIDE: i = this.#outside(b, i, end); break
        case START: i = this.#start(b, i, end); break
        case BODY: i = this.#utf16 === undefined ? this.#body(b, i, end) : this.#wide(b, i, end, this.#utf16); break
        case FOREIGN: i = this.#foreignBlock(b, i, end); break
      }
    }
    this.#offset = this.#base + i
    return i
  }

  /** What stands at `i` is decided by bytes that are not there yet. */
  #wait(i: number): number {
    this.#stuck = true
    this.#seen = 0
    return i
  }

  // ------------------------------------------------------------------------------------------------- between blocks

  #outside(b: Uint8Array, from: number, end: number): number {
    for (let i = from; i < end; i++) {
      const c = b[i]!
      const opens = this.#opening(b, i, end)
      if (opens === MORE) return this.#wait(i)
      if (opens === YES) {
        this.#reportForeign()
        const framing = c === VT ? 'mllp' : c === STX ? 'stx' : 'none'
        if (framing === 'stx') this.#odd('mllp.other-framing', i, 'a message between STX and ETX')
        if (framing === 'none' && !this.#resync) this.#odd('mllp.no-start', i, 'a message without a start of block (VT)')
        this.#startBlock(framing, this.#base + (framing === 'none' ? i : i + 1))
        return framing === 'none' ? i : i + 1
      }
      if (this.#resync) continue
      if (this.#foreign.size === 0 && isKeepAlive(c)) {
        if (c === CR || c === LF || c === BLANK || c === 0) this.#foreign.reset()
        else this.#foreign.aside(c)
        continue
      }
      if (this.#foreign.add(c, this.#base + i)) this.#describeForeign()
    }
    return end
  }

  /** Does a block, or a message without one, begin at `i`? */
  #opening(b: Uint8Array, i: number, end: number): Verdict {
    const c = b[i]!
    let opens: Verdict = NO
    // Where the rest of a lost block may stand, a VT can be content.
    if (c === VT) opens = this.#resync ? opensBlock(b, i + 1, end) : YES
    else if (c === STX) opens = opensBare(b, i + 1, end)
    else if (c === 0x4D || c === 0x46 || c === 0x42) opens = opensBare(b, i, end)
    return opens === MORE && this.#final ? NO : opens
  }

  #startBlock(framing: Framing, offset: number): void {
    this.#resync = false
    this.#state = START
    this.#segments.startBlock(framing, offset)
    this.#lossy = false
    this.#utf16 = undefined
  }

  // --------------------------------------------------------------------------------------------- the start of a block

  #start(b: Uint8Array, from: number, end: number): number {
    let i = from
    while (i < end && (b[i] === CR || b[i] === LF || b[i] === BLANK)) i++
    if (i === end) return end
    const c = b[i]!
    const left = end - i
    if (c === VT || c === FS) {
      if (this.#segments.framing !== 'http') this.#odd('mllp.empty', i, c === VT ? 'a start of block (VT) right behind another' : 'a block without content')
      this.#state = OUTSIDE
      return c === VT ? i : i + 1
    }
    if (left < OPENING + 3 && !this.#final && isPromising(b, i, end)) return this.#wait(i)
    if ((c === ACK || c === NAK) && (left === 1 || b[i + 1] === FS)) {
      this.#sink.commit(c === ACK)
      this.#state = OUTSIDE
      return i + 1
    }
    if (c === 0xEF && b[i + 1] === 0xBB && b[i + 2] === 0xBF) i += 3
    this.#utf16 = Utf16.of(b, i, end, this.#base + i, this.#memory)
    if (this.#utf16 !== undefined) this.#odd('mllp.utf-16', i, 'a message in UTF-16, whose bytes may look like marks')
    this.#state = this.#utf16 !== undefined || opensBlock(b, i, end) === YES ? BODY : FOREIGN
    return i
  }

  // -------------------------------------------------------------------------------------------------------- segments

  #body(b: Uint8Array, from: number, end: number): number {
    const hash = this.#hash
    let line = from
    let i = from + this.#seen
    this.#seen = 0
    while (i < end) {
      // The way to the next control character, which is nearly always the segment's end, is also the way on which it is hashed.
      const scannedFrom = i
      i = hash.scan(b, i, end)
      if (i >= end) break
      const hashed = scannedFrom === line
      const c = b[i]!
      const ends = c === CR ? YES : c === FS ? this.#endsBlock(b, i, end) : c === LF ? this.#endsSegment(b, line, i, end)
        : c === VT ? this.#startsBlock(b, line, i, end) : c === ETX && this.#segments.framing === 'stx' ? YES : NO
      if (ends === MORE) return this.#pause(b, line, i)
      if (ends === YES) {
        this.#segments.end(b, line, i, this.#base + line, hashed)
        line = i + 1
        if (c !== CR && c !== LF) {
          this.#close(this.#base + i, true)
          return c === VT ? i : i + 1
        }
      }
      i++
    }
    return this.#pause(b, line, end)
  }

  /** FS ends the block before CR, and where the CR is missing; before anything else it is part of a field. */
  #endsBlock(b: Uint8Array, i: number, end: number): Verdict {
    if (i + 1 === end) return this.#final ? YES : MORE
    const next = b[i + 1]!
    if (next === CR) return YES
    if (next === VT || next === FS || next === LF || next === 0) {
      this.#odd('mllp.no-carriage-return', i, 'the end of block (FS) is not followed by CR')
      return YES
    }
    this.#oddIfWhole('hl7.control-character', i, 'FS inside a field')
    return NO
  }

  /** LF ends a segment behind CR, and before what looks like another segment or the block's end; else it is part of a field. */
  #endsSegment(b: Uint8Array, line: number, i: number, end: number): Verdict {
    if (i === line && this.#segments.isWhole) return YES
    const ends = isSegmentNext(b, i + 1, end)
    if (ends === MORE) return this.#final ? YES : MORE
    if (ends === YES) this.#oddIfWhole('hl7.separator', i, 'segments end with LF instead of CR')
    return ends
  }

  /** VT starts a block at the start of a segment, and before a header segment or a commit byte; else it is part of a field. */
  #startsBlock(b: Uint8Array, line: number, i: number, end: number): Verdict {
    let starts = i === line && this.#segments.isWhole ? YES : opensBlock(b, i + 1, end)
    if (starts === NO) starts = opensCommit(b, i + 1, end)
    if (starts === MORE) return this.#final ? NO : MORE
    if (starts === NO) this.#oddIfWhole('hl7.control-character', i, 'VT inside a field')
    else if (this.#segments.framing === 'mllp' && !this.#lossy) this.#odd('mllp.no-end', i, 'a block starts where the end (FS) of another is missing')
    return starts
  }

  /** The bytes end inside a segment, at `i`, which is the end or a control character that needs more to be judged. */
  #pause(b: Uint8Array, line: number, i: number): number {
    this.#stuck = true
    if (this.#segments.isWhole) {
      this.#seen = i - line
      return line
    }
    if (this.#segments.isLong) this.#segments.piece(b, line, i)
    return i
  }

  /** The end of the current segment will not come. */
  #cutSegment(cut = true): void {
    const size = this.#heldBytes
    this.#seen = 0
    if (this.#state === BODY && !this.#segments.isTorn) {
      if (this.#utf16 !== undefined) {
        this.#endWide(this.#utf16, cut)
      } else if (this.#segments.isLong) {
        this.#segments.piece(this.#held, 0, size)
        this.#segments.tellLong(cut)
      } else if (size > 0) {
        this.#segments.segment(this.#held, 0, size, size, this.#offset, cut, false)
      }
    }
    this.#offset += size
    this.#release()
    this.#segments.endLong()
    this.#segments.isTorn = false
  }

  /** The block is over. */
  #close(offset: number, ended: boolean): void {
    this.#segments.endBlock(offset, ended)
    this.#foreign.reset()
    this.#state = OUTSIDE
    this.#utf16?.release()
    this.#utf16 = undefined
  }

  // ---------------------------------------------------------------------------------------------------------- UTF-16

  /** The block ends with the bytes FS CR, or with the same as units. */
  #wide(b: Uint8Array, from: number, end: number, text: Utf16): number {
    for (let i = from; i + 2 <= end; i += 2) {
      const first = b[i]!
      const second = b[i + 1]!
      const unit = text.unit(first, second)
      if ((first === FS && second === CR) || unit === FS) {
        this.#endWide(text, false)
        this.#close(this.#base + i, true)
        return i + 2
      }
      if (unit === CR || unit === LF) {
        this.#endWide(text, false)
        text.next(this.#base + i + 2)
      } else {
        text.add(unit)
      }
      if (i + 4 > end && i + 2 < end) return this.#wait(i + 2)
    }
    return end - from === 1 && !this.#final ? this.#wait(from) : end
  }

  #endWide(text: Utf16, cut: boolean): void {
    if (text.size === 0) return
    this.#segments.segment(text.bytes, 0, text.size, text.length, text.offset, cut, false)
  }

  // --------------------------------------------------------------------------------------------------- foreign blocks

  /** Content that is not HL7 goes on to FS CR, to FS VT, to the start of a proper block, or to a header that vouches for itself. */
  #foreignBlock(b: Uint8Array, from: number, end: number): number {
    for (let i = from; i < end; i++) {
      const c = b[i]!
      let over: Verdict = NO
      if (c === FS) over = i + 1 === end ? MORE : b[i + 1] === CR || b[i + 1] === VT ? YES : NO
      else if (c === VT) over = opensBlock(b, i + 1, end)
      else if (c === 0x4D || c === 0x46 || c === 0x42) over = opensBare(b, i, end)
      if (over === MORE) {
        if (!this.#final) return this.#wait(i)
        over = c === FS ? YES : NO
      }
      if (over === YES) {
        this.#reportForeign()
        this.#foreign.reset()
        this.#state = c === FS || c === VT ? OUTSIDE : BODY
        return c === FS ? i + 1 : i
      }
      if (this.#foreign.add(c, this.#base + i)) this.#describeForeign()
    }
    return end
  }

  /** A run of foreign bytes is over. */
  #reportForeign(): void {
    if (!this.#foreign.described) this.#describeForeign()
    this.#foreign.reset()
  }

  #describeForeign(): void {
    const what = this.#foreign.describe()
    if (this.#state === FOREIGN) this.#sink.oddity('mllp.content', BLOCK, this.#foreign.offset, `a block that is not HL7: ${what}`)
    else this.#sink.oddity('mllp.noise', BLOCK, this.#foreign.offset, `between blocks: ${what}`)
  }

  /** What may be the rest of a lost block next to the beginning of another accuses nobody. */
  #oddIfWhole(code: string, i: number, detail: string): void {
    if (!this.#lossy) this.#odd(code, i, detail)
  }

  #odd(code: string, i: number, detail: string): void {
    this.#sink.oddity(code, code.startsWith('hl7') ? SEGMENT : BLOCK, this.#base + i, detail)
  }
}

/** Blanks, line ends, NUL and the control characters of line protocols; ends of blocks that came twice. */
const isKeepAlive = (c: number): boolean =>
  c === CR || c === LF || c === BLANK || c === TAB || (c <= ACK && c !== STX && c !== 1) || c === NAK || c === SYN || c === FS || c === ETX || c === ENQ

/** What stands in a commit acknowledgement of MLLP release 2: one byte, and the end of its block. */
function opensCommit(b: Uint8Array, i: number, end: number): Verdict {
  if (b[i] !== ACK && b[i] !== NAK) return i < end ? NO : MORE
  return i + 1 === end ? MORE : b[i + 1] === FS ? YES : NO
}

/** At the start of a block: could these few bytes become something known? */
const isPromising = (b: Uint8Array, i: number, end: number): boolean =>
  b[i] === 0xEF || b[i]! >= 0xFE || b[i] === 0 || ((b[i] === ACK || b[i] === NAK) && i + 1 === end) || opensBlock(b, i, end) === MORE
  || (end - i === 1 && opensBlock(b, i, end) !== NO)
