/** HL7 v2 in HTTP/1.1 bodies (RFC 9110; the media types that HL7 over HTTP uses): which messages carry it, and their bodies as blocks. */
import { latin1 } from '../bytes.ts'
import type { Micros } from '../events.ts'
import { isStartLine, mayBeStart, parseHead, type HttpHead } from '../http/head.ts'
import { HttpReader, type HttpSink } from '../http/reader.ts'
import { LIMITS } from '../limits.ts'
import { MORE, NO, YES } from '../protocol.ts'
import type { Verdict } from '../protocol.ts'
import { BARE_OPENING, opensBare } from './header.ts'
import type { BlockReader } from './mllp.ts'

/** `application/hl7-v2`, `x-application/hl7-v2+er7`, `application/edi-hl7v2`, `text/hl7v2`, `application/hl7-v2+xml` is not: that is XML. */
const HL7_TYPE = /^[\w.+-]+\/[\w.+-]*hl7[\w.+-]*(?<!xml|json)\s*(;|$)/i

/** Some name no type, or one that says nothing: then the body must show what it is. */
const ANY_TYPE = /^(text\/plain|application\/octet-stream)?\s*(;|$)/i

const VT = 0x0B

/** First bytes of what `probeHttp` can say YES to: POST, PUT, HTTP. */
export const mayCarryHl7 = (first: number): boolean => first === 0x50 || first === 0x48

/** Does an HTTP message begin here, with a whole start line? */
export function startsHttp(b: Uint8Array, start: number, end: number): boolean {
  if (!mayCarryHl7(b[start]!)) return false
  const line = /^[^\r\n]*(?=\r?\n)/.exec(latin1(b, start, Math.min(end, start + LIMITS.http.headBytes)))
  return line !== null && isStartLine(line[0])
}

/** Does an HTTP message that carries HL7 begin here? */
export function probeHttp(b: Uint8Array, start: number, end: number): Verdict {
  const text = latin1(b, start, Math.min(end, start + LIMITS.http.headBytes))
  const line = /^[^\r\n]*/.exec(text)![0]
  if (line.length === text.length) return mayBeStart(line) ? MORE : NO
  if (!isStartLine(line)) return NO
  const blank = /\n\r?\n/.exec(text)
  if (blank === null) return text.length >= LIMITS.http.headBytes ? NO : MORE
  const head = parseHead(text.slice(0, blank.index + 1))
  if (head.method !== null && head.method !== 'POST' && head.method !== 'PUT') return NO
  if (HL7_TYPE.test(head.type)) return YES
  if (!ANY_TYPE.test(head.type) || head.isChunked || head.length === 0) return NO
  return opensBare(b, start + blank.index + blank[0].length, end)
}

/** Bodies that are HL7 go to the block reader; the others are passed over. */
class Hl7Bodies implements HttpSink {
  readonly #blocks: BlockReader
  #isHl7 = false
  /** The type does not tell: the first bytes must, which are kept here until they do. */
  #isUnsure = false
  readonly #first = new Uint8Array(1 + BARE_OPENING)
  #firstBytes = 0

  constructor(blocks: BlockReader) {
    this.#blocks = blocks
  }

  head({ status, type, length, isChunked }: HttpHead, at: Micros): boolean {
    const hasNone = (status !== null && (status < 200 || status === 204 || status === 304)) || (!isChunked && (length === 0 || (length === undefined && status === null)))
    this.#isHl7 = !hasNone && HL7_TYPE.test(type)
    this.#isUnsure = !hasNone && ANY_TYPE.test(type)
    this.#firstBytes = 0
    if (this.#isHl7) this.#blocks.openBody(at)
    return true
  }

  body(b: Uint8Array, start: number, end: number, at: Micros): void {
    let from = start
    while (this.#isUnsure && from < end) {
      this.#first[this.#firstBytes++] = b[from++]!
      this.#look(at)
    }
    if (this.#isHl7) this.#blocks.feed(b, from, end, at)
  }

  #look(at: Micros): void {
    const opens = opensBare(this.#first, this.#first[0] === VT ? 1 : 0, this.#firstBytes)
    if (opens === MORE) return
    this.#isUnsure = false
    this.#isHl7 = opens === YES
    if (!this.#isHl7) return
    this.#blocks.openBody(at)
    this.#blocks.feed(this.#first, 0, this.#firstBytes, at)
  }

  loss(missing: number): void {
    this.#isUnsure = false
    if (this.#isHl7) this.#blocks.gap(missing)
  }

  finish(isWhole: boolean): void {
    if (this.#isHl7) this.#blocks.closeBody(isWhole)
    this.#isHl7 = this.#isUnsure = false
  }

  lost(): void {
    // What is lost of a message is told by the messages that are answered without it.
  }
}

/** One direction of an HTTP connection. */
export const httpReader = (blocks: BlockReader): HttpReader => new HttpReader(new Hl7Bodies(blocks))
