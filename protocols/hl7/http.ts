/**
 * HL7 v2 in HTTP (HAPI's "HL7 over HTTP" and engines like it): the body of a POST, and of its response, is a message. Only as much of HTTP/1.1
 * (RFC 9112) as it takes to find the bodies: start line, length or chunks, content type.
 */
import { latin1 } from '../bytes.ts'
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { MORE, NO, YES } from '../protocol.ts'
import type { Verdict } from '../protocol.ts'
import { opensBare } from './header.ts'
import type { BlockReader } from './mllp.ts'

const LF = 0x0A

/** `application/hl7-v2`, `x-application/hl7-v2+er7`, `application/edi-hl7v2`, `text/hl7v2`, `application/hl7-v2+xml` is not: that is XML. */
const HL7_TYPE = /^[\w.+-]+\/[\w.+-]*hl7[\w.+-]*(?<!xml|json)\s*(;|$)/i

const REQUEST = /^(POST|PUT) \S{1,2048} HTTP\/1\.[01]$/
const RESPONSE = /^HTTP\/1\.[01] (\d{3})( |$)/

/** First bytes of what `probeHttp` can say YES to. */
export const mayBeHttp = (first: number): boolean => first === 0x50 || first === 0x48

interface Header {
  /** Where the body begins. */
  readonly end: number
  readonly status: number | undefined
  readonly length: number | undefined
  readonly chunked: boolean
  readonly type: string
}

/** Parses start line and fields at `b[at..end)`; MORE when they are not all there, NO when this is no HTTP message that has a body of interest. */
function readHeader(b: Uint8Array, at: number, end: number): Header | typeof MORE | typeof NO {
  const text = latin1(b, at, Math.min(end, at + LIMITS.hl7.httpHeaderBytes))
  const start = /^[^\r\n]*/.exec(text)![0]
  if (start.length === text.length) return 'POST '.startsWith(start.slice(0, 5)) || 'PUT '.startsWith(start.slice(0, 4)) || 'HTTP/1.'.startsWith(start.slice(0, 7)) ? MORE : NO
  const response = RESPONSE.exec(start)
  if (response === null && !REQUEST.test(start)) return NO
  const blank = /\r?\n\r?\n/.exec(text)
  if (blank === null) return text.length >= LIMITS.hl7.httpHeaderBytes ? NO : MORE
  const fields = text.slice(start.length, blank.index + 2)
  const length = /\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r?(\n|$)/i.exec(fields)
  return {
    end: at + blank.index + blank[0].length,
    status: response === null ? undefined : Number(response[1]),
    length: length === null ? undefined : Number(length[1]),
    chunked: /\ntransfer-encoding:[^\n]*\bchunked[ \t]*\r?(\n|$)/i.test(fields),
    type: /\ncontent-type:[ \t]*([^\r\n]*)/i.exec(fields)?.[1] ?? '',
  }
}

/** Does an HTTP message that carries HL7 begin here? */
export function probeHttp(b: Uint8Array, start: number, end: number): Verdict {
  const header = readHeader(b, start, end)
  if (header === MORE || header === NO) return header
  if (HL7_TYPE.test(header.type)) return YES
  // Some name no type, or text/plain: then the body must show what it is.
  if (!/^(text\/plain|application\/octet-stream|$)/i.test(header.type) || header.chunked || header.length === 0) return NO
  return opensBare(b, header.end, end)
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
        case LOST:
          // A new message begins with a piece, as good as always.
          if (probeStart(b, i, end)) this.#state = HEADER
          else return
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
      this.#state = LOST
      this.#textBytes = 0
    }
  }

  end(): void {
    // A response without a length ends with its connection (RFC 9112 section 6.3).
    this.#closeBody(this.#left === Infinity)
  }

  #header(b: Uint8Array, from: number, end: number, at: Micros): number {
    const before = this.#textBytes
    const room = LIMITS.hl7.httpHeaderBytes - before
    const take = Math.min(end - from, room)
    this.#keep(b, from, from + take)
    const header = readHeader(this.#text, 0, this.#textBytes)
    if (header === MORE && take < room) return from + take
    if (header === MORE || header === NO) {
      this.#state = LOST
      this.#textBytes = 0
      return end
    }
    this.#textBytes = 0
    this.#openBody(header, at)
    return from + header.end - before
  }

  #openBody(header: Header, at: Micros): void {
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
    let stop = from
    while (stop < end && b[stop] !== LF) stop++
    this.#keep(b, from, Math.min(stop, from + 64))
    if (stop === end) return end
    const line = latin1(this.#text, 0, this.#textBytes).trim()
    this.#textBytes = 0
    if (this.#state === CHUNK_END) {
      this.#state = CHUNK_SIZE
    } else if (this.#state === CHUNK_SIZE) {
      const size = /^[0-9A-Fa-f]{1,10}(?=$|[ ;])/.exec(line)
      this.#left = size === null ? 0 : parseInt(size[0], 16)
      this.#state = size === null ? LOST : this.#left > 0 ? CHUNK : TRAILER
      if (this.#state !== CHUNK) this.#closeBody(this.#state === TRAILER)
    } else if (line === '') {
      this.#state = HEADER
    }
    return stop + 1
  }

  #closeBody(whole: boolean): void {
    if (this.#isHl7) this.#blocks.closeBody(whole)
    this.#isHl7 = false
  }

  #keep(b: Uint8Array, from: number, to: number): void {
    const size = Math.min(this.#textBytes + to - from, LIMITS.hl7.httpHeaderBytes)
    if (this.#text.length < size) {
      const grown = new Uint8Array(Math.min(LIMITS.hl7.httpHeaderBytes, Math.max(512, 2 * size)))
      grown.set(this.#text.subarray(0, this.#textBytes))
      this.#text = grown
    }
    this.#text.set(b.subarray(from, from + size - this.#textBytes), this.#textBytes)
    this.#textBytes = size
  }
}

const probeStart = (b: Uint8Array, at: number, end: number): boolean => {
  const header = readHeader(b, at, end)
  return header !== NO
}
