/**
 * The header segment (MSH, HL7 v2.5.1 section 2.15.9). What stands in front of the time (separators, who to whom) and behind the control
 * id (version, acknowledgements, character set) is the same for all messages of an interface, so it is read once and then known by its bytes.
 */
import { u32le } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { PLAIN, charsetOf, decodeText, guessReach } from './charset.ts'
import type { Charset, Reach } from './charset.ts'
import { charsetText, timeText, wordOf } from './codes.ts'
import { asText } from './escapes.ts'
import type { TextDelimiters } from './escapes.ts'
import { fieldCount, fieldEnd, fieldStart, firstPartEnd, sawForeign, splitFields, upTo } from './fields.ts'
import { USUAL, readDelimiters } from './header.ts'
import type { Delimiters } from './header.ts'
import { Interner } from './intern.ts'
import { flatLatin1, lensOf } from './lens.ts'
import { parseTime } from './time.ts'

/** MSH-1 to MSH-6. */
export interface Route {
  readonly delimiters: Readonly<Delimiters>
  readonly textDelimiters: TextDelimiters
  /** They can be told apart. */
  readonly delimitersGood: boolean
  readonly sendingApp: string | null
  readonly sendingFacility: string | null
  readonly receivingApp: string | null
  readonly receivingFacility: string | null
  /** `MSH|...|` up to MSH-7, and the character set that it was read in: by these it is known again. Empty where that would be no good. */
  readonly bytes: Uint8Array
  /** The same behind `MSH`, four bytes at a time, lowest first, as far as they fill words. */
  readonly words: Int32Array
  readonly texts: Texts
}

/** MSH-9. */
export interface Kind {
  readonly type: string | null
  readonly structure: string | null
  /** ACK. All others that acknowledge show it by their MSA. */
  readonly isAck: boolean
}

/** MSH-11 to MSH-18. */
export interface Traits {
  readonly processingId: string | null
  readonly version: string | null
  readonly sequence: number | undefined
  /** MSH-14 is there: this message continues another. */
  readonly continues: boolean
  readonly ackConditions: { accept: string | null, application: string | null } | undefined
  readonly charset: string | null
  readonly texts: Texts
}

/** Texts and routes longer than this are read anew each time. */
const LONGEST_TEXT = 48
const LONGEST_ROUTE = 96
const LONGEST_TRAITS = 64
/** YYYYMMDDHHMMSS.SSSS+ZZZZ. */
const LONGEST_TIME = 24

/** A character set, with what was decoded in it. */
export class Texts {
  readonly charset: Charset
  readonly texts: Interner<string>
  /** Of codes, which are single words. */
  readonly words: Interner<string>
  readonly routes: Interner<Route>

  constructor(charset: Charset) {
    this.charset = charset
    this.texts = new Interner(1024, LONGEST_TEXT, (b, start, end) => textOf(charset, b, start, end))
    this.words = new Interner(1024, LONGEST_TEXT, (b, start, end) => wordOf(textOf(charset, b, start, end)))
    this.routes = new Interner(512, LONGEST_ROUTE, (b, start, end) => readRoute(this, b, start, end))
  }
}

/** Bytes as text, decoded where they are not ASCII; at most `textChars` of them. */
export function textOf(charset: Charset, b: Uint8Array, start: number, end: number): string {
  const stop = Math.min(end, start + LIMITS.hl7.textChars)
  for (let i = start; i < stop; i++) if (b[i]! > 0x7E || b[i] === 0x1B) return decodeText(charset, b, start, stop)
  return flatLatin1(b, start, stop)
}

/** Empty gives null. */
const orNull = (charset: Charset, b: Uint8Array, start: number, end: number): string | null => (end > start ? textOf(charset, b, start, end) : null)

export const UNDECLARED = new Texts(charsetOf(''))
const byLabel = new Map<string, Texts>()

/** By MSH-18. As many as there are known sets. */
function textsOf(declared: string | null): Texts {
  const charset = charsetOf(declared ?? '')
  if (charset.label === null) return UNDECLARED
  let found = byLabel.get(charset.label)
  if (found === undefined) byLabel.set(charset.label, (found = new Texts(charset)))
  return found
}

/** How the characters of these bytes reach. What is declared as ASCII and is not, is as good as undeclared. */
export function reachOf(charset: Charset, b: Uint8Array, start: number, end: number): Reach {
  return charset.label === null || charset.label === 'latin1' ? guessReach(b, start, end) : charset.reach
}

const isUsual = (b: Uint8Array, at: number): boolean => b[at] === 0x7C && b[at + 1] === 0x5E && b[at + 2] === 0x7E && b[at + 3] === 0x5C && b[at + 4] === 0x26 && b[at + 5] === 0x7C

const NOTHING = new Uint8Array(0)
const NO_WORDS = new Int32Array(0)

export const NO_ROUTE: Route = {
  delimiters: USUAL, textDelimiters: asText(USUAL), delimitersGood: true,
  sendingApp: null, sendingFacility: null, receivingApp: null, receivingFacility: null, bytes: NOTHING, words: NO_WORDS, texts: UNDECLARED,
}
const NO_KIND: Kind = { type: null, structure: null, isAck: false }
const NO_TRAITS: Traits = { processingId: null, version: null, sequence: undefined, continues: false, ackConditions: undefined, charset: null, texts: UNDECLARED }

const kinds = new Interner<Kind>(512, LONGEST_TEXT, (b, start, end) => readKind(b, start, end, USUAL.component))
const traits = new Interner<Traits>(512, LONGEST_TRAITS, (b, start, end) => readTraits(b, start, end, USUAL))

/** The header of the current message. One object per direction, read into again and again. */
export class HeaderReader {
  route = NO_ROUTE
  kind = NO_KIND
  traits = NO_TRAITS
  /** MSH-10; empty where it was seen to be empty, null where it was not seen. */
  controlId: string | null = null
  /** MSH-7 as sent, and in microseconds where it is a time. */
  time: string | null = null
  timeMicros: number | undefined
  /** The segment was there at least up to its control id. */
  isComplete = false
  /** Of the message before: senders rarely change in one connection. */
  #before = NO_ROUTE
  /** The last MSH-7 that was read: its bytes, and what they said. */
  readonly #timeBytes = new Uint8Array(LONGEST_TIME)
  #timeLength = 0
  #lastTime: string | null = null
  #lastMicros: number | undefined

  /** @param before the route of the last message of the same sender */
  reset(before: Route): void {
    this.#before = before
    this.route = NO_ROUTE
    this.kind = NO_KIND
    this.traits = NO_TRAITS
    this.controlId = this.time = null
    this.timeMicros = undefined
    this.isComplete = false
  }

  /** @param cut the segment stops in the middle: its last field may be half a field, and is left out. */
  read(b: Uint8Array, start: number, end: number, cut: boolean): void {
    const stop = cut ? lastSeparator(b, start, end, b[start + 3]!) : end
    // Where MSH-7 begins, if all in front of it is as in the message before.
    const again = this.#sameRoute(b, start, stop)
    const first = again > 0 ? 6 : 0
    split(b, again > 0 ? again : start, stop, b[start + 3]!, 10 - first)
    const fields = fieldCount() + first
    // The places, before another split overwrites them. Field n of the whole segment is MSH-(n+1).
    const routeEnd = fields < 6 ? stop : fieldStart(6 - first) - 1
    const timeAt = fieldStart(6 - first), timeEnd = fieldEnd(6 - first)
    const kindAt = fieldStart(8 - first), kindEnd = fieldEnd(8 - first)
    const idAt = fieldStart(9 - first), idEnd = fieldEnd(9 - first)
    const traitsAt = fields < 10 ? stop : fieldStart(10 - first)

    if (isUsual(b, start + 3)) {
      this.traits = traits.get(b, traitsAt, stop)
      const { texts } = this.traits
      this.route = again > 0 && texts === this.#before.texts ? this.#before : texts.routes.get(b, start + 3, routeEnd)
      this.kind = kinds.get(b, kindAt, kindEnd)
    } else {
      const delimiters = { ...USUAL }
      readDelimiters(b, start, stop, delimiters)
      this.traits = readTraits(b, traitsAt, stop, delimiters)
      this.route = readRoute(this.traits.texts, b, start + 3, routeEnd)
      this.kind = readKind(b, kindAt, kindEnd, delimiters.component)
    }
    const { charset } = this.traits.texts
    this.#readTime(charset, b, timeAt, firstPartEnd(b, timeAt, timeEnd, this.route.delimiters))
    this.isComplete = !cut || fields >= 9
    if (this.isComplete) this.controlId = orNull(charset, b, idAt, idEnd) ?? ''
  }

  /** MSH-7: most messages and nearly all acknowledgements are of the same second as the one before. */
  #readTime(charset: Charset, b: Uint8Array, at: number, end: number): void {
    const known = this.#timeBytes
    const length = end - at
    let same = length > 0 && length === this.#timeLength
    for (let i = 0; same && i < length; i++) same = known[i] === b[at + i]
    if (!same) {
      this.#lastTime = timeText(orNull(charset, b, at, end))
      this.#lastMicros = parseTime(b, at, end)
      this.#timeLength = length <= known.length && isAscii(b, at, end) ? length : 0
      for (let i = 0; i < this.#timeLength; i++) known[i] = b[at + i]!
    }
    this.time = this.#lastTime
    this.timeMicros = this.#lastMicros
  }

  /** @returns where MSH-7 begins; -1 where MSH-1 to MSH-6 are not those of the message before */
  #sameRoute(b: Uint8Array, start: number, end: number): number {
    const { bytes, words } = this.#before
    if (bytes.length === 0 || end - start < bytes.length) return -1
    const lens = lensOf(b)
    for (let i = 0, at = lens.shift + start + 3; i < words.length; i++, at += 4) if (lens.words.getInt32(at, true) !== words[i]) return -1
    for (let i = 3 + 4 * words.length; i < bytes.length; i++) if (b[start + i] !== bytes[i]) return -1
    return start + bytes.length
  }
}

/** Up to MSH-11, which is field `last`; where the bytes are not ASCII, with the reach of their character set, MSH-18. */
function split(b: Uint8Array, start: number, end: number, separator: number, last: number): void {
  splitFields(b, start, end, separator, last, PLAIN)
  if (!sawForeign()) return
  splitFields(b, start, end, separator, last + 7, PLAIN)
  const { charset } = textsOf(flatLatin1(b, fieldStart(last + 7), fieldEnd(last + 7)))
  splitFields(b, start, end, separator, last, reachOf(charset, b, start, end))
}

function lastSeparator(b: Uint8Array, start: number, end: number, separator: number): number {
  let i = end
  while (i > start && b[i - 1] !== separator) i--
  return Math.max(start, i - 1)
}

/** From MSH-1 on, up to the separator in front of MSH-7. */
function readRoute(texts: Texts, b: Uint8Array, start: number, end: number): Route {
  const { charset } = texts
  const delimiters = { ...USUAL }
  const delimitersGood = readDelimiters(b, start - 3, end, delimiters)
  splitFields(b, start, end, delimiters.field, 6, reachOf(charset, b, start, end))
  // The split begins with the separator, so field 1 is MSH-2.
  const name = (field: number): string | null => orNull(charset, b, fieldStart(field), firstPartEnd(b, fieldStart(field), fieldEnd(field), delimiters))
  const isWhole = fieldCount() === 5
  const bytes = isWhole && end - start <= LONGEST_ROUTE && isAscii(b, start, end) ? copyOf(b, start - 3, end + 1) : NOTHING
  return {
    delimiters, delimitersGood, textDelimiters: asText(delimiters), texts,
    sendingApp: name(2), sendingFacility: name(3), receivingApp: name(4), receivingFacility: name(5),
    bytes, words: wordsOf(bytes),
  }
}

function isAscii(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (b[i]! > 0x7E || b[i] === 0x1B) return false
  return true
}

/** A copy, also of a Buffer, whose own `slice` makes none. */
const copyOf = (b: Uint8Array, start: number, end: number): Uint8Array => Uint8Array.prototype.slice.call(b, start, end)

/** What follows the name, in words. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.max(0, bytes.length - 3) >> 2)
  for (let i = 0; i < words.length; i++) words[i] = u32le(bytes, 3 + 4 * i)
  return words
}

/** MSH-9: type, trigger and structure, whatever separates them. */
function readKind(b: Uint8Array, start: number, end: number, separator: number): Kind {
  const typeEnd = upTo(b, start, end, separator)
  const triggerEnd = upTo(b, Math.min(end, typeEnd + 1), end, separator)
  const structureAt = Math.min(end, triggerEnd + 1)
  const type = flatLatin1(b, start, Math.min(typeEnd, start + LIMITS.hl7.textChars))
  const trigger = flatLatin1(b, Math.min(end, typeEnd + 1), Math.min(triggerEnd, typeEnd + 1 + LIMITS.hl7.textChars))
  const structure = flatLatin1(b, structureAt, Math.min(upTo(b, structureAt, end, separator), structureAt + LIMITS.hl7.textChars))
  const both = (trigger === '' ? type : `${type}^${trigger}`).slice(0, LIMITS.hl7.textChars)
  return { type: both === '' ? null : wordOf(both), structure: structure === '' ? null : wordOf(structure), isAck: type === 'ACK' }
}

/** From MSH-11 to the end. */
function readTraits(b: Uint8Array, start: number, end: number, d: Readonly<Delimiters>): Traits {
  splitFields(b, start, end, d.field, 7, PLAIN)
  const { charset } = UNDECLARED
  const text = (field: number): string | null => orNull(charset, b, fieldStart(field), fieldEnd(field))
  const first = (field: number): string | null => orNull(charset, b, fieldStart(field), firstPartEnd(b, fieldStart(field), fieldEnd(field), d))
  // The split begins with MSH-11, so field n is MSH-(11+n).
  const accept = text(4)
  const application = text(5)
  const declared = text(7)
  return {
    processingId: wordOf(first(0)), version: wordOf(first(1)), sequence: wholeNumber(b, fieldStart(2), fieldEnd(2)), continues: fieldEnd(3) > fieldStart(3),
    ackConditions: accept === null && application === null ? undefined : { accept: wordOf(accept), application: wordOf(application) },
    charset: charsetText(declared), texts: textsOf(declared),
  }
}

/** Digits only, up to nine of them; else undefined. MSH-13 may also be -1 (sequence number protocol, section 2.10.1). */
export function wholeNumber(b: Uint8Array, start: number, end: number): number | undefined {
  const negative = end > start && b[start] === 0x2D
  const first = negative ? start + 1 : start
  if (end <= first || end - first > 9) return undefined
  let value = 0
  for (let i = first; i < end; i++) {
    const digit = b[i]! - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}
