/**
 * One direction of an HTTP/1.1 connection (RFC 9112): heads, and bodies as streams, whatever protocol is in them. Bodies end by length, by
 * chunks, or with the connection. Only a head, or a line between chunks, is held, within `LIMITS.http`.
 */
import { latin1 } from '../bytes.ts'
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { isStartLine, mayBeStart, parseHead, STARTS, type HttpHead } from './head.ts'

const LF = 0x0A, CR = 0x0D
/** Bytes of a chunk's size line that are read: sizes have few digits, extensions nobody uses. */
const CHUNK_LINE = 64
/** Room that a direction keeps for the next head; one that needed more gives it back. */
const KEPT_TEXT = LIMITS.smallBytes
const NOTHING = new Uint8Array(0)

/** Who hears of the messages of a direction. */
export interface HttpSink {
  /** A message begins. @returns false where no body follows in spite of what the head says (RFC 9112 6.3: the answer to HEAD) */
  head(head: HttpHead, at: Micros): boolean
  /** Bytes of the body, valid until return. */
  body(b: Uint8Array, start: number, end: number, at: Micros): void
  /** Bytes of the body that are lost. */
  loss(missing: number): void
  /** The message is over; `isWhole` is false where its end was not seen. Once per `head`. */
  finish(isWhole: boolean, at: Micros): void
  /** What comes next cannot be told from anything: messages may have gone by unseen. */
  lost(): void
}

const HEADER = 0
const BODY = 1
const CHUNK_SIZE = 2
const CHUNK = 3
const CHUNK_END = 4
const TRAILER = 5
const LOST = 6

export class HttpReader {
  readonly #sink: HttpSink
  #state: typeof HEADER | typeof BODY | typeof CHUNK_SIZE | typeof CHUNK | typeof CHUNK_END | typeof TRAILER | typeof LOST = HEADER
  /** Head, chunk size or trailer line that is not complete. */
  #text = NOTHING
  #textBytes = 0
  /** Bytes of the body or chunk still to come. */
  #left = 0
  /** `head` was told, `finish` was not. */
  #isOpen = false
  /** Where in `#text` the current line of the head begins. */
  #lineAt = 0
  /** While lost: the line so far, in `#text`, may become a start line. */
  #candidate = false

  constructor(sink: HttpSink) {
    this.#sink = sink
  }

  /** Ordered bytes; all of them are taken. */
  feed(b: Uint8Array, start: number, end: number, at: Micros): void {
    let i = start
    while (i < end) {
      switch (this.#state) {
        case HEADER: i = this.#header(b, i, end, at); break
        case BODY: case CHUNK: i = this.#content(b, i, end, at); break
        case CHUNK_SIZE: case CHUNK_END: case TRAILER: i = this.#chunkLine(b, i, end, at); break
        case LOST: i = this.#lost(b, i, end); break
      }
    }
  }

  gap(missing: number, at: Micros): void {
    const counts = (this.#state === BODY || this.#state === CHUNK) && this.#left > missing
    if (counts) {
      this.#left -= missing
      this.#sink.loss(missing)
    } else {
      this.#close(false, at)
      this.#loseTrack(false)
    }
  }

  /** Bytes held of a head that has not ended. */
  get holds(): number {
    return this.#text.length
  }

  /** What is held goes unread. */
  forget(): void {
    if (this.#text.length <= KEPT_TEXT) return
    this.#text = NOTHING
    this.#close(false, 0)
    this.#loseTrack(false)
  }

  /** The connection is over. */
  end(at: Micros): void {
    // A response without a length ends with its connection (RFC 9112 section 6.3).
    this.#close(this.#left === Infinity, at)
  }

  /** One line of the head: the start line must be one, and the blank line is its end. */
  #header(b: Uint8Array, from: number, end: number, at: Micros): number {
    const line = this.#lineAt
    const stop = Math.min(lineEnd(b, from, end) + 1, end)
    const next = from + this.#keep(b, from, stop)
    if (next < stop) {
      this.#loseTrack(false)
    } else if (b[stop - 1] === LF) {
      const blank = this.#textBytes - line <= 2 && (this.#textBytes - line === 1 || this.#text[line] === CR)
      if (line === 0 && blank) this.#textBytes = 0
      else if (line === 0 && !isStartLine(latin1(this.#text, 0, this.#textBytes).trimEnd())) this.#loseTrack(true)
      else if (blank) this.#open(at)
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
        this.#candidate = mayBeStart(line)
      }
    }
    return end
  }

  #loseTrack(atLineStart: boolean): void {
    this.#state = LOST
    this.#textBytes = this.#lineAt = 0
    this.#candidate = atLineStart
    this.#sink.lost()
  }

  /** The head is complete. */
  #open(at: Micros): void {
    const head = parseHead(latin1(this.#text, 0, this.#textBytes))
    this.#textBytes = this.#lineAt = 0
    if (this.#text.length > KEPT_TEXT) this.#text = NOTHING
    const { status, isChunked } = head
    this.#isOpen = true
    const follows = this.#sink.head(head, at)
    const none = !follows || (status !== null && (status < 200 || status === 204 || status === 304))
    this.#left = none || isChunked ? 0 : head.length ?? (status === null ? 0 : Infinity)
    this.#state = isChunked && !none ? CHUNK_SIZE : this.#left > 0 ? BODY : HEADER
    if (this.#state === HEADER) this.#close(true, at)
  }

  #content(b: Uint8Array, from: number, end: number, at: Micros): number {
    const stop = Math.min(end, from + this.#left)
    this.#sink.body(b, from, stop, at)
    this.#left -= stop - from
    if (this.#left > 0) return stop
    if (this.#state === CHUNK) {
      this.#state = CHUNK_END
    } else {
      this.#close(true, at)
      this.#state = HEADER
    }
    return stop
  }

  /** RFC 9112 section 7.1: size in hexadecimal, extensions, CR LF; CR LF behind the chunk; trailer fields up to an empty line. */
  #chunkLine(b: Uint8Array, from: number, end: number, at: Micros): number {
    const stop = lineEnd(b, from, end)
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
      if (this.#left === 0) this.#close(size !== null, at)
      if (size === null) this.#loseTrack(true)
    } else if (line === '') {
      this.#state = HEADER
    }
    return stop + 1
  }

  #close(isWhole: boolean, at: Micros): void {
    if (this.#isOpen) this.#sink.finish(isWhole, at)
    this.#isOpen = false
  }

  /** @returns how many of the bytes there was room for. */
  #keep(b: Uint8Array, from: number, to: number): number {
    const size = Math.min(this.#textBytes + to - from, LIMITS.http.headBytes)
    if (this.#text.length < size) {
      const grown = new Uint8Array(Math.min(LIMITS.http.headBytes, Math.max(512, 2 * size)))
      grown.set(this.#text.subarray(0, this.#textBytes))
      this.#text = grown
    }
    const kept = size - this.#textBytes
    this.#text.set(b.subarray(from, from + kept), this.#textBytes)
    this.#textBytes = size
    return kept
  }
}

function lineEnd(b: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && b[at] !== LF) at++
  return at
}
