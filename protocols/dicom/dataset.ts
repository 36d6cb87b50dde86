/**
 * Walks a data set (PS3.5 section 7) as its bytes come, in pieces of any size: implicit or explicit VR, either byte order,
 * deflated, nested sequences of defined and undefined length, encapsulated pixel data. Never throws, linear, and holds no more than
 * one element's header and the part of its value that somebody wants; all else is passed over by arithmetic.
 *
 * Where it stands is a stack of levels. Level 0 is the data set itself; above, sequences and items alternate, and a level of
 * defined length ends by position, one of undefined length by its delimiter.
 */
import { constants, inflateRawSync } from 'node:zlib'
import { u16be, u16le, u32be, u32le } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE } from './uids.ts'

const ITEM = 0xfffee000
const ITEM_END = 0xfffee00d
const SEQUENCE_END = 0xfffee0dd
const UNDEFINED = 0xffffffff
export const PIXEL_DATA = 0x7fe00010

/** Tag 4, length 4 (implicit), or tag 4, VR 2, length 2 (explicit). */
const SHORT_HEADER = 8
/** Tag 4, VR 2, reserved 2, length 4. */
const LONG_HEADER = 12

/** A VR as a number: its two characters. */
const vr = (name: string): number => (name.charCodeAt(0) << 8) | name.charCodeAt(1)
/** Implicit VR: none on the wire. */
export const NO_VR = 0
/** What takes the place of a VR where a value comes in fragments (PS3.5 A.4). */
export const FRAGMENT = 1
export const SQ = vr('SQ')
export const UN = vr('UN')
/** VRs whose length has 32 bits (PS3.5 table 7.1-1). */
export const LONG_VRS: ReadonlySet<number> = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'].map(vr))

/** OB, OW and their like. */
export const isOther = (code: number): boolean => code >> 8 === 0x4f

/** Encodings of a level, as bits. */
const IMPLICIT = 1
const BIG_ENDIAN = 2
const DEFLATED = 4

/** Who wants to know what. One per walker, so that its calls stay cheap. */
export interface Visitor {
  /** The walk ends with this element of the top level, or where it would stand. */
  readonly last: number
  /** Of a deflated data set no more is inflated than it takes to come to this element of the top level. */
  readonly needed: number
  /**
   * @returns how many bytes of this element's value are wanted, at most `LIMITS.dicom.valueBytes`; 0: none. `parent` is the sequence it is in, 0 at
   * the top. Of a value in fragments, the first fragment is meant, with the VR `FRAGMENT`
   */
  wants(tag: number, vr: number, parent: number): number
  /** May this sequence hold something wanted? Where the VR is implicit, the bytes decide whether the element is one. */
  enters(tag: number): boolean
  /** A wanted value, or the beginning of it, of `length` bytes in all. The bytes are valid until return. */
  value(tag: number, vr: number, parent: number, b: Uint8Array, start: number, end: number, length: number): void
  /** An item of a sequence begins. */
  item(sequence: number): void
}

/** Kinds of levels. */
const ELEMENTS = 0
const SEQUENCE = 1
const FRAGMENTS = 2
/** A sequence and its items are a level each. */
const MAX_LEVEL = 2 * LIMITS.dicom.depth

export class DataSetWalker {
  /** Nothing more is looked at: all wanted was seen, the budget is spent, or it makes no sense. */
  isDone = true
  /** What was walked does not fit PS3.5 7. */
  isMalformed = false
  /** The bytes are not in the transfer syntax that was negotiated, but in another that fits. */
  isOtherSyntax = false
  /** Bytes of the data set that come next and that nobody wants. */
  skipping = 0
  /** Bytes of the data set walked so far. */
  offset = 0

  #visitor: Visitor | null = null
  #elements = 0
  #encoding = 0
  #isGuessed = false
  #isBegun = false
  /** The last element of the top level. */
  #reached = 0
  /** Items of the value in fragments that is being read. */
  #fragments = 0
  /** Walks what a deflated data set is inflated to, so far. */
  #plain: DataSetWalker | null = null
  #inflated = 0
  /** The beginning of an element that the next piece continues; or the head of a deflated data set, of which `#needs` bytes are inflated next. */
  #carry: Uint8Array = EMPTY
  #carried = 0
  #needs = 0

  #level = 0
  readonly #kinds: number[] = [ELEMENTS]
  readonly #encodings: number[] = [0]
  readonly #tags: number[] = [0]
  /** Where a level ends; Infinity where a delimiter ends it. */
  readonly #ends: number[] = [Infinity]

  /** @param transferSyntax null: not known, to be guessed from the first element */
  begin(visitor: Visitor, transferSyntax: string | null): void {
    this.#visitor = visitor
    this.isDone = false
    this.isMalformed = this.isOtherSyntax = false
    this.skipping = this.offset = this.#elements = this.#carried = this.#needs = this.#level = this.#reached = 0
    this.#isGuessed = transferSyntax === null
    this.#isBegun = false
    this.#encoding = this.#encodings[0] = encodingOf(transferSyntax)
    if (this.#encoding === DEFLATED) this.#beginDeflated(visitor)
  }

  /** The next bytes of the data set. */
  feed(b: Uint8Array, start: number, end: number): void {
    if (this.isDone) return
    if (this.#encoding === DEFLATED) {
      this.#feedDeflated(b, start, end)
      return
    }
    let at = start
    while (at < end && !this.isDone) {
      if (this.skipping > 0) {
        const count = Math.min(this.skipping, end - at)
        this.pass(count)
        at += count
      } else if (this.#carried > 0) at = this.#feedCarried(b, at, end)
      else {
        const used = this.#step(b, at, end)
        if (used === 0 && !this.isDone) {
          this.#gather(b, at, end, this.#needs)
          return
        }
        this.#advance(used)
        at += used
      }
    }
  }

  /** `count` bytes that nobody wants went by unseen. */
  pass(count: number): void {
    this.skipping -= count
    this.offset += count
  }

  /** The data set is over, or its next bytes are lost. @returns true when it ends between two elements, as far as it was walked */
  end(): boolean {
    if (this.isDone) return true
    if (this.#encoding === DEFLATED) {
      this.#inflate()
      this.#endDeflated()
      return true
    }
    const isClean = this.#carried === 0 && this.skipping === 0
    this.isDone = true
    if (this.#carry.length > KEPT_CARRY) this.#carry = EMPTY
    return isClean
  }

  /** Bytes held of what has not ended. */
  get holds(): number {
    return this.#carry.length
  }

  /** What is held goes unread, and nothing more is looked at. */
  forget(): void {
    this.isDone = true
    this.skipping = 0
    this.#endDeflated()
  }

  #advance(used: number): void {
    this.offset += used
    this.#elements++
  }

  #gather(b: Uint8Array, start: number, end: number, upTo: number): number {
    if (this.#carry.length < upTo) {
      const larger = new Uint8Array(Math.max(64, 2 ** Math.ceil(Math.log2(upTo))))
      larger.set(this.#carry.subarray(0, this.#carried))
      this.#carry = larger
    }
    const to = Math.min(end, start + upTo - this.#carried)
    this.#carry.set(b.subarray(start, to), this.#carried)
    this.#carried += to - start
    return to
  }

  #feedCarried(b: Uint8Array, start: number, end: number): number {
    const to = this.#gather(b, start, end, this.#needs)
    if (this.#carried < this.#needs) return to
    const used = this.#step(this.#carry, 0, this.#carried)
    if (used === 0) return to
    this.#advance(used)
    // A look ahead may have asked for more than it took.
    const ahead = this.#carried - used
    const passed = Math.min(ahead, this.skipping)
    this.pass(passed)
    this.#carry.copyWithin(0, used + passed, this.#carried)
    this.#carried = ahead - passed
    this.#needs = SHORT_HEADER
    return to
  }

  // A deflated data set (PS3.5 A.5) is inflated as far as it takes to come to what identifies it: a beginning, then from the start again one of
  // four times its length, so that all of them cost little more than the last. Only what is new is walked.

  #beginDeflated(visitor: Visitor): void {
    this.#plain = new DataSetWalker()
    this.#plain.begin(visitor, EXPLICIT_LE)
    this.#inflated = 0
    this.#needs = LIMITS.dicom.deflatedBytes
  }

  #feedDeflated(b: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && !this.isDone;) {
      at = this.#gather(b, at, end, this.#needs)
      if (this.#carried < this.#needs) return
      this.#inflate()
      this.#needs *= 4
      if (this.#needs > LIMITS.dicom.deflatedTotalBytes) this.#endDeflated()
    }
  }

  #inflate(): void {
    const plain = this.#plain!
    const { bytes, isCut } = inflateHead(this.#carry.subarray(0, this.#carried))
    if (bytes.length > this.#inflated) plain.feed(bytes, this.#inflated, bytes.length)
    const isStuck = isCut || bytes.length <= this.#inflated
    this.#inflated = bytes.length
    this.offset = plain.offset
    this.isMalformed = plain.isMalformed
    this.isOtherSyntax = plain.isOtherSyntax
    if (isStuck || plain.isDone || plain.#reached >= this.#visitor!.needed) this.#endDeflated()
  }

  #endDeflated(): void {
    this.isDone = true
    this.#plain = null
    this.#carry = EMPTY
    this.#carried = 0
  }

  /** One element or delimiter. @returns bytes read (what is not wanted of it is `skipping`); 0: `#needs` bytes are needed, or all is done */
  #step(b: Uint8Array, at: number, end: number): number {
    if (end - at < SHORT_HEADER) return this.#need(SHORT_HEADER)
    if (!this.#isBegun) this.#recognise(b, at)
    while (this.#level > 0 && this.offset >= this.#ends[this.#level]!) this.#level--
    const level = this.#level
    const encoding = this.#encodings[level]!
    const isBig = (encoding & BIG_ENDIAN) !== 0
    const tag = isBig ? u16be(b, at) * 0x10000 + u16be(b, at + 2) : u16le(b, at) * 0x10000 + u16le(b, at + 2)
    if (this.#elements === LIMITS.dicom.elements) return this.#done()
    if (tag >= ITEM) return this.#delimiter(b, at, end, tag, isBig ? u32be(b, at + 4) : u32le(b, at + 4))
    if (this.#kinds[level] !== ELEMENTS) return this.#malformed()
    if (level === 0) {
      this.#reached = tag
      if (tag > this.#visitor!.last) return this.#done()
    }
    if ((encoding & IMPLICIT) !== 0) return this.#element(b, at, end, tag, NO_VR, SHORT_HEADER, isBig ? u32be(b, at + 4) : u32le(b, at + 4), encoding)
    const code = u16be(b, at + 4)
    if (!isVr(code)) return this.#malformed()
    if (!LONG_VRS.has(code)) return this.#element(b, at, end, tag, code, SHORT_HEADER, isBig ? u16be(b, at + 6) : u16le(b, at + 6), encoding)
    if (end - at < LONG_HEADER) return this.#need(LONG_HEADER)
    return this.#element(b, at, end, tag, code, LONG_HEADER, isBig ? u32be(b, at + 8) : u32le(b, at + 8), encoding)
  }

  #element(b: Uint8Array, at: number, end: number, tag: number, code: number, header: number, length: number, encoding: number): number {
    const visitor = this.#visitor!
    const value = at + header
    const parent = this.#tags[this.#level]!
    if (length === UNDEFINED) {
      const isPixels = code !== NO_VR && code !== SQ && code !== UN
      // Within UN of undefined length the encoding is implicit little endian (PS3.5 6.2.2).
      return this.#enter(isPixels ? FRAGMENTS : SEQUENCE, tag, Infinity, code === UN ? IMPLICIT : encoding, header)
    }
    if (this.offset + header + length > this.#ends[this.#level]!) return this.#malformed()
    // What is too short for an item is no sequence, whatever bytes come next.
    if (length >= SHORT_HEADER && (code === SQ || code === NO_VR) && visitor.enters(tag)) {
      if (code === NO_VR && end - value < 4) return this.#need(header + 4)
      if (code === SQ || beginsItem(b, value, encoding)) return this.#enter(SEQUENCE, tag, this.offset + header + length, encoding, header)
    }
    const wanted = code === SQ ? 0 : Math.min(length, visitor.wants(tag, code, parent), LIMITS.dicom.valueBytes)
    if (wanted > 0) {
      if (end - value < wanted) return this.#need(header + wanted)
      visitor.value(tag, code, parent, b, value, value + wanted, length)
    }
    this.skipping = length - wanted
    if (this.#level === 0 && tag === visitor.last) this.isDone = true
    return header + wanted
  }

  #delimiter(b: Uint8Array, at: number, end: number, tag: number, length: number): number {
    const kind = this.#kinds[this.#level]!
    if (tag === ITEM && kind === SEQUENCE) {
      const sequence = this.#tags[this.#level]!
      const end = length === UNDEFINED ? Infinity : this.offset + SHORT_HEADER + length
      if (end > this.#ends[this.#level]! && end !== Infinity) return this.#malformed()
      this.#visitor!.item(sequence)
      return this.#enter(ELEMENTS, sequence, end, this.#encodings[this.#level]!, SHORT_HEADER)
    }
    if (tag === ITEM && kind === FRAGMENTS && length !== UNDEFINED) return this.#fragment(b, at + SHORT_HEADER, end, length)
    if ((tag === ITEM_END && kind === ELEMENTS && this.#level > 0) || (tag === SEQUENCE_END && kind !== ELEMENTS)) {
      this.#level--
      return SHORT_HEADER
    }
    return this.#malformed()
  }

  /** PS3.5 A.4: the first item is the table of offsets, the second the first fragment. */
  #fragment(b: Uint8Array, value: number, end: number, length: number): number {
    const visitor = this.#visitor!
    const tag = this.#tags[this.#level]!
    const parent = this.#tags[this.#level - 1]!
    const wanted = this.#fragments !== 1 ? 0 : Math.min(length, visitor.wants(tag, FRAGMENT, parent), LIMITS.dicom.valueBytes)
    if (end - value < wanted) return this.#need(SHORT_HEADER + wanted)
    this.#fragments++
    if (wanted > 0) visitor.value(tag, FRAGMENT, parent, b, value, value + wanted, length)
    this.skipping = length - wanted
    if (this.#fragments === 2 && this.#level === 1 && tag === visitor.last) this.isDone = true
    return SHORT_HEADER + wanted
  }

  #enter(kind: number, tag: number, end: number, encoding: number, header: number): number {
    if (this.#level === MAX_LEVEL) {
      if (end === Infinity) return this.#done()
      this.skipping = end - this.offset - header
      return header
    }
    const level = ++this.#level
    this.#fragments = 0
    this.#kinds[level] = kind
    this.#tags[level] = tag
    this.#ends[level] = end
    this.#encodings[level] = encoding
    return header
  }

  /** The first element tells whether the negotiated encoding can be true, and which it is where none was negotiated. */
  #recognise(b: Uint8Array, at: number): void {
    this.#isBegun = true
    const seen = guessEncoding(b, at)
    if (seen < 0 || seen === this.#encoding) return
    this.isOtherSyntax = !this.#isGuessed
    this.#encoding = this.#encodings[0] = seen
  }

  #need(bytes: number): 0 {
    this.#needs = bytes
    return 0
  }

  #done(): 0 {
    this.isDone = true
    return 0
  }

  #malformed(): 0 {
    this.isMalformed = true
    return this.#done()
  }
}

/** The first element of a data set is a character set or an image type: a longer one is something else. */
const FIRST_VALUE = 1 << 20

/** Room that a walker keeps for the next data set; one that needed more gives it back. */
const KEPT_CARRY = 512
const EMPTY = new Uint8Array(0)

/** Encapsulated syntaxes, private ones and unknown ones are explicit little endian (PS3.5 A.4). */
function encodingOf(transferSyntax: string | null): number {
  switch (transferSyntax) {
    case IMPLICIT_LE: return IMPLICIT
    case EXPLICIT_BE: return BIG_ENDIAN
    case DEFLATED_LE: case JPIP_DEFLATE: case JPIP_HTJ2K_DEFLATE: return DEFLATED
    default: return 0
  }
}

const isCapital = (c: number): boolean => c >= 0x41 && c <= 0x5a
const isVr = (code: number): boolean => isCapital(code >> 8) && isCapital(code & 0xff)

/** Data sets begin in a low group: a command would be group 0, files' meta information group 2. -1: cannot tell. */
function guessEncoding(b: Uint8Array, at: number): number {
  const isExplicit = isCapital(b[at + 4]!) && isCapital(b[at + 5]!)
  if (isExplicit && b[at] === 0 && b[at + 1]! >= 8) return BIG_ENDIAN
  const group = u16le(b, at)
  if (group < 8 || group > 0x7fe0) return -1
  if (isExplicit) return 0
  return u32le(b, at + 4) <= FIRST_VALUE ? IMPLICIT : -1
}

const beginsItem = (b: Uint8Array, at: number, encoding: number): boolean =>
  (encoding & BIG_ENDIAN) !== 0 ? u32be(b, at) === ITEM : u32be(b, at) === 0xfeff00e0

/**
 * What the beginning of a deflated stream says; empty when it is none. What would inflate beyond the budget is cut in half until it
 * does not, so a bomb costs a few budgets at most.
 */
function inflateHead(b: Uint8Array): { bytes: Uint8Array; isCut: boolean } {
  for (let length = b.length; length > 0; length >>= 1) {
    try {
      const bytes = inflateRawSync(b.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LIMITS.dicom.inflatedBytes })
      return { bytes, isCut: length < b.length }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') break
    }
  }
  return { bytes: EMPTY, isCut: true }
}
