/** An instance as a file (PS3.10 7): preamble, file meta information, data set; as a stream. Bulk is counted. */
import { u16be, u16le, u32le } from '../../bytes.ts'
import { documentContent } from '../../content.ts'
import { LIMITS } from '../../limits.ts'
import { DataSetWalker, LONG_VRS } from '../dataset.ts'
import type { FactsReader } from '../facts.ts'
import { fieldText } from '../pdu.ts'

const PREAMBLE = 128
/** Preamble, `DICM`, and the group length (0002,0000) with its header. */
const HEAD = PREAMBLE + 4 + 12
/** Tag, VR, two bytes reserved and four of length (PS3.5 7.1.2). */
const LONG_HEADER = 12
const META_GROUP = 0x0002
const GROUP_LENGTH = 0x00000002
const NOTHING = new Uint8Array(0)
const SOP_CLASS = 0x0002
const SOP_INSTANCE = 0x0003
const TRANSFER_SYNTAX = 0x0010

export class Part10Reader {
  bytes = 0
  sopClass: string | null = null
  sopInstance: string | null = null
  transferSyntax: string | null = null
  /** What the preamble is; null where it is zeros, as it should be, or was not seen. */
  preamble: string | null = null
  /** `DICM` is where it belongs. */
  isFile = false
  readonly #facts: FactsReader
  readonly #walker = new DataSetWalker()
  #head = new Uint8Array(HEAD)
  #held = 0
  #needs = HEAD
  /** Where the next element of the file meta information begins, of a file that does not say how long all of it is; 0: it says. */
  #elementAt = 0
  #isOpen = true

  /** @param facts begun, and pointed at what is to be filled in */
  constructor(facts: FactsReader) {
    this.#facts = facts
  }

  feed(b: Uint8Array, start: number, end: number): void {
    this.bytes += end - start
    let from = start
    while (this.#isOpen && from < end) {
      const to = Math.min(end, from + this.#needs - this.#held)
      this.#head.set(b.subarray(from, to), this.#held)
      this.#held += to - from
      from = to
      if (this.#held === this.#needs) this.#headRead()
    }
    if (!this.#walker.isDone) this.#walker.feed(b, from, end)
  }

  /** Bytes are lost: what the data set tells after them is not known. */
  loss(missing: number): void {
    this.bytes += missing
    this.#isOpen = false
    if (missing <= this.#walker.skipping) this.#walker.pass(missing)
    else this.#walker.isDone = true
  }

  /** Bytes held of what has not ended. */
  get holds(): number {
    return this.#head.length + this.#walker.holds
  }

  /** What is held goes unread. */
  forget(): void {
    this.#isOpen = false
    this.#walker.forget()
  }

  end(): void {
    if (this.#isOpen && this.#held > PREAMBLE) this.#look()
    this.#walker.end()
  }

  #headRead(): void {
    const head = this.#head
    if (this.#elementAt === 0 && this.#needs === HEAD) {
      this.#look()
      const isGroupLength = u32le(head, PREAMBLE + 4) === GROUP_LENGTH && u16le(head, PREAMBLE + 10) === 4
      const length = isGroupLength ? u32le(head, PREAMBLE + 12) : 0
      if (this.isFile && length > 0 && length <= LIMITS.dicom.metaBytes) {
        this.#want(HEAD + length)
        return
      }
      if (this.isFile && !isGroupLength) this.#elementAt = PREAMBLE + 4
    }
    if (this.#elementAt > 0 && this.#isMetaLeft()) return
    this.#isOpen = false
    if (!this.isFile) return
    const from = this.#elementAt > 0 ? PREAMBLE + 4 : HEAD
    const dataAt = this.#elementAt > 0 ? this.#elementAt : this.#held
    this.#meta(from, dataAt)
    this.#walker.begin(this.#facts, this.transferSyntax)
    if (dataAt < this.#held) this.#walker.feed(this.#head, dataAt, this.#held)
    this.#head = NOTHING
    this.#held = 0
  }

  #want(bytes: number): void {
    this.#needs = bytes
    if (bytes <= this.#head.length) return
    const grown = new Uint8Array(Math.min(Math.max(bytes, 2 * this.#head.length), HEAD + LIMITS.dicom.metaBytes))
    grown.set(this.#head.subarray(0, this.#held))
    this.#head = grown
  }

  /** Without the group length, which is mandatory but read without by others too, the file meta information ends where its group does. */
  #isMetaLeft(): boolean {
    const b = this.#head
    for (;;) {
      const at = this.#elementAt
      const value = at + LONG_HEADER
      if (value > this.#held) {
        if (value > HEAD + LIMITS.dicom.metaBytes) return false
        this.#want(value)
        return true
      }
      if (u16le(b, at) !== META_GROUP) return false
      const next = LONG_VRS.has(u16be(b, at + 4)) ? value + u32le(b, at + 8) : at + 8 + u16le(b, at + 6)
      // What is longer than any such header is given up: it is read as far as it was understood.
      if (next + LONG_HEADER > HEAD + LIMITS.dicom.metaBytes) return false
      this.#elementAt = next
    }
  }

  #look(): void {
    const head = this.#head.subarray(0, this.#held)
    this.isFile = Buffer.from(head.buffer, PREAMBLE, 4).toString('latin1') === 'DICM'
    const isZero = head.subarray(0, PREAMBLE).every((byte) => byte === 0)
    if (!isZero) this.preamble = documentContent(head.subarray(0, PREAMBLE))
  }

  /** Group 0002, explicit VR little endian (PS3.10 7.1). */
  #meta(start: number, end: number): void {
    const b = this.#head
    let at = start
    while (at + 8 <= end && u16le(b, at) === META_GROUP) {
      const isLong = LONG_VRS.has(u16be(b, at + 4))
      const value = at + (isLong ? 12 : 8)
      const next = value + (isLong ? u32le(b, at + 8) : u16le(b, at + 6))
      if (next > end) return
      const element = u16le(b, at + 2)
      if (element === SOP_CLASS) this.sopClass = fieldText(b, value, next) || null
      else if (element === SOP_INSTANCE) this.sopInstance = fieldText(b, value, next) || null
      else if (element === TRANSFER_SYNTAX) this.transferSyntax = fieldText(b, value, next) || null
      at = next
    }
  }
}
