/**
 * HL7 v2 in HTTP (HAPI's "HL7 over HTTP" and engines like it): the body of a POST, and of its response, is a message. Only as much of HTTP/1.1
 * (RFC 9112) as it takes to find the bodies: start line, length or chunks, content type.
 */
import { latin1 } from '../bytes.ts'
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { MORE, NO, YES } from '../protocol.ts'
import type { Verdict } from '../protocol.ts'
import { upTo } from './fields.ts'
import { opensBare } from './header.ts'
import type { BlockReader } from './mllp.ts'

const LF = 0x0A, CR = 0x0D

/** `application/hl7-v2`, `x-application/hl7-v2+er7`, `application/edi-hl7v2`, `text/hl7v2`, `application/hl7-v2+xml` is not: that is XML. */
const HL7_TYPE = /^[\w.+-]+\/[\w.+-]*hl7[\w.+-]*(?<!xml|json)\s*(;|$)/i

const REQUEST = /^(POST|PUT) \S{1,2048} HTTP\/1\.[01]$/
const RESPONSE = /^HTTP\/1\.[01] (\d{3})(?=\s|$)/

/** First bytes of what `probeHttp` can say YES to. */
export const mayBeHttp = (first: number): boolean => first === 0x50 || first === 0x48

/** What a start line begins with. */
const STARTS = ['POST ', 'PUT ', 'HTTP/1.']
/** Bytes of a chunk's size line that are read: sizes have few digits, extensions nobody uses. */
const CHUNK_LINE = 64

interface Header {
  readonly status: number | undefined
  readonly length: number | undefined
  readonly chunked: boolean
  readonly type: string
}

const isStartLine = (line: string): boolean => REQUEST.test(line) || RESPONSE.test(line)

/** Start line and fields, the blank line included or not. */
function parseHeader(text: string): Header {
  const response = RESPONSE.exec(text)
  const length = /\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r?(\n|$)/i.exec(text)
  return {
    status: response === null ? undefined : Number(response[1]),
    length: length === null ? undefined : Number(length[1]),
    chunked: /\ntransfer-encoding:[^\n]*\bchunked[ \t]*\r?(\n|$)/i.test(text),
    type: /\ncontent-type:[ \t]*([^\r\n]*)/i.exec(text)?.[1] ?? '',
  }
}

/** Does an HTTP message that carries HL7 begin here? */
export function probeHttp(b: Uint8Array, start: number, end: number): Verdict {
  const text = latin1(b, start, Math.min(end, start + LIMITS.hl7.httpHeaderBytes))
  const line = /^[^\r\n]*/.exec(text)![0]
  if (line.length === text.length) return STARTS.some(known => known.startsWith(line.slice(0, known.length))) ? MORE : NO
  if (!isStartLine(line)) return NO
  const blank = /\n\r?\n/.exec(text)
  if (blank === null) return text.length >= LIMITS.hl7.httpHeaderBytes ? NO : MORE
  const header = parseHeader(text.slice(0, blank.index + 1))
  if (HL7_TYPE.test(header.type)) return YES
  // Some name no type, or text/plain: then the body must show what it is.
  if (!/^(text\/plain|application\/octet-stream|$)/i.test(header.type) || header.chunked || header.length === 0) return NO
  return opensBare(b, start + blank.index + blank[0].length, end)
}

const HEADER = 0
const BODY = 1
const CHUNK_SIZE = 2
const CHUNK = 3
const CHUNK_END = 4
const TRAILER = 5
const LOST = 6

/** One direction of an HTTP connection; bodies that are HL7 go to the block reader. */
export class HttpReader {
  readonly #blocks: BlockReader
  #state: typeof HEADER | typeof BODY | typeof CHUNK_SIZE | typeof CHUNK | typeof CHUNK_END | typeof TRAILER | typeof LOST = HEADER
  /** Header, chunk size or trailer line that is not complete. */
  #text = new Uint8Array(0)
  #textBytes = 0
  /** Bytes of the body or chunk still to come. */
  #left = 0
  #isHl7 = false
  /** Where in `#text` the current line of the header begins. */
  #lineAt = 0
  /** While lost: the line so far, in `#text`, may become a start line. */
  #candidate = false

  constructor(blocks: BlockReader) {
    this.#blocks = blocks
  }

  feed(b: Uint8Array, start: number, end: number, at: Micros): void {
    let i = start
    while (i < end) {
      switch (this.#state) {
        case HEADER: i = this.#header(b, i, end, at); break
        case BODY: case CHUNK: i = this.#content(b, i, end, at); break
        case CHUNK_SIZE: case CHUNK_END: case TRAILER: i = this.#chunkLine(b, i, end); break
        case LOST: i = this.#lost(b, i, end); break
      }
    }
  }

  gap(missing: number): void {
    const counts = (this.#state === BODY || this.#state === CHUNK) && this.#left > missing
    if (counts) {
      this.#left -= missing
      if (this.#isHl7) this.#blocks.gap(missing)
    } else {
      this.#closeBody(false)
      this.#loseTrack(false)
    }
  }

  end(): void {
    // A response without a length ends with its connection (RFC 9112 section 6.3).
    this.#closeBody(this.#left === Infinity)
  }

  /** One line of the header: the start line must be of interest, and the blank one is its end. */
  #header(b: Uint8Array, from: number, end: number, at: Micros): number {
    const line = this.#lineAt
    const stop = Math.min(upTo(b, from, end, LF) + 1, end)
    const next = from + this.#keep(b, from, stop)
    if (next < stop) {
      this.#loseTrack(false)
    } else if (b[stop - 1] === LF) {
      const blank = this.#textBytes - line <= 2 && (this.#textBytes - line === 1 || this.#text[line] === CR)
      if (line === 0 && blank) this.#textBytes = 0
      else if (line === 0 && !isStartLine(latin1(this.#text, 0, this.#textBytes).trimEnd())) this.#loseTrack(true)
      else if (blank) this.#openBody(at)
      else this.#lineAt = this.#textBytes
    }
    return next
  }

  /** Looks for a line that begins as a start line does. */
  #lost(b: Uint8Array, from: number, end: number): number {
    for (let i = from; i < end; i++) {
      const c = b[i]!
      if (c === LF) {
        this.#textBytes = 0
        this.#candidate = true
      } else if (this.#candidate) {
        this.#keep(b, i, i + 1)
        const line = latin1(this.#text, 0, this.#textBytes)
        if (STARTS.includes(line)) {
          this.#state = HEADER
          return i + 1
        }
        this.#candidate = STARTS.some(start => start.startsWith(line))
      }
    }
    return end
  }

  #loseTrack(atLineStart: boolean): void {
    this.#state = LOST
    this.#textBytes = this.#lineAt = 0
    this.#candidate = atLineStart
  }

  /** The header is complete. */
  #openBody(at: Micros): void {
    const header = parseHeader(latin1(this.#text, 0, this.#textBytes))
    this.#textBytes = this.#lineAt = 0
    const { status } = header
    const none = status !== undefined && (status < 200 || status === 204 || status === 304)
    this.#isHl7 = !none && HL7_TYPE.test(header.type)
    this.#left = none ? 0 : header.chunked ? 0 : header.length ?? (status === undefined ? 0 : Infinity)
    this.#state = header.chunked && !none ? CHUNK_SIZE : this.#left > 0 ? BODY : HEADER
    if (this.#state === HEADER) this.#isHl7 = false
    if (this.#isHl7) this.#blocks.openBody(at)
  }

  #content(b: Uint8Array, from: number, end: number, at: Micros): number {
    const stop = Math.min(end, from + this.#left)
    if (this.#isHl7) this.#blocks.feed(b, from, stop, at)
    this.#left -= stop - from
    if (this.#left > 0) return stop
    if (this.#state === CHUNK) {
      this.#state = CHUNK_END
    } else {
      this.#closeBody(true)
      this.#state = HEADER
    }
    return stop
  }

  /** RFC 9112 section 7.1: size in hexadecimal, extensions, CR LF; CR LF behind the chunk; trailer fields up to an empty line. */
  #chunkLine(b: Uint8Array, from: number, end: number): number {
    const stop = upTo(b, from, end, LF)
    this.#keep(b, from, Math.max(from, Math.min(stop, from + CHUNK_LINE - this.#textBytes)))
    if (stop === end) return end
    const line = latin1(this.#text, 0, this.#textBytes).trim()
    this.#textBytes = 0
    if (this.#state === CHUNK_END) {
      this.#state = CHUNK_SIZE
    } else if (this.#state === CHUNK_SIZE) {
      const size = /^[0-9A-Fa-f]{1,10}(?=$|[ ;])/.exec(line)
      this.#left = size === null ? 0 : parseInt(size[0], 16)
      this.#state = this.#left > 0 ? CHUNK : TRAILER
      if (this.#left === 0) this.#closeBody(size !== null)
      if (size === null) this.#loseTrack(true)
    } else if (line === '') {
      this.#state = HEADER
    }
    return stop + 1
  }

  #closeBody(whole: boolean): void {
    if (this.#isHl7) this.#blocks.closeBody(whole)
    this.#isHl7 = false
  }

  /** @returns how many of the bytes there was room for. */
  #keep(b: Uint8Array, from: number, to: number): number {
    const size = Math.min(this.#textBytes + to - from, LIMITS.hl7.httpHeaderBytes)
    if (this.#text.length < size) {
      const grown = new Uint8Array(Math.min(LIMITS.hl7.httpHeaderBytes, Math.max(512, 2 * size)))
      grown.set(this.#text.subarray(0, this.#textBytes))
      this.#text = grown
    }
    const kept = size - this.#textBytes
    this.#text.set(b.subarray(from, from + kept), this.#textBytes)
    this.#textBytes = size
    return kept
  }
}
