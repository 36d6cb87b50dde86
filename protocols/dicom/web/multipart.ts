/**
 * A multipart body (RFC 2046 5.1; PS3.18 8.6.1.2.1) as a stream: parts are given on as they come, whatever their size. What may be the beginning
 * of a delimiter, and a part's head, is all that is held.
 */
import { latin1 } from '../../bytes.ts'
import { LIMITS } from '../../limits.ts'

export interface PartSink {
  /** @param type its Content-Type; empty where it has none */
  part(type: string): void
  data(b: Uint8Array, start: number, end: number): void
  /** @param isWhole the delimiter behind it was seen */
  partEnd(isWhole: boolean): void
}

/** The boundary parameter of a Content-Type; null when it has none that RFC 2046 allows. */
export function boundaryOf(type: string): string | null {
  const found = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(type)
  return found?.[1] ?? found?.[2] ?? null
}

const SEARCHING = 0
/** Behind a delimiter: the rest of its line, `--` for the last one. */
const BEHIND = 1
const HEAD = 2
const DATA = 3
const DONE = 4
const NOTHING = Buffer.alloc(0)

export class Multipart {
  readonly #sink: PartSink
  /** CR LF and `--boundary`. */
  readonly #delimiter: Buffer
  #state: typeof SEARCHING | typeof BEHIND | typeof HEAD | typeof DATA | typeof DONE = SEARCHING
  /** Bytes that do not decide yet. */
  #held: Buffer

  constructor(boundary: string, sink: PartSink) {
    this.#sink = sink
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    // The first delimiter may stand at the very beginning, without a line end before it.
    this.#held = Buffer.from('\r\n')
  }

  feed(b: Uint8Array, start: number, end: number): void {
    const piece = Buffer.from(b.buffer, b.byteOffset + start, end - start)
    const all = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    const used = this.#read(all)
    this.#held = used === all.length ? NOTHING : Buffer.from(all.subarray(used))
  }

  /** Bytes are lost: of the part that is open no more is known for sure, but its size. */
  loss(): void {
    this.#held = NOTHING
    if (this.#state === HEAD || this.#state === BEHIND) this.#state = SEARCHING
  }

  /** Bytes held of what does not decide yet. */
  get holds(): number {
    return this.#held.length
  }

  end(): void {
    if (this.#state !== DATA) return
    if (this.#held.length > 0) this.#sink.data(this.#held, 0, this.#held.length)
    this.#sink.partEnd(false)
    this.#state = DONE
  }

  /** @returns how many bytes are read; the rest waits for more */
  #read(b: Buffer): number {
    let at = 0
    for (;;) {
      let next: number
      switch (this.#state) {
        case SEARCHING: case DATA: next = this.#data(b, at); break
        case BEHIND: next = this.#behind(b, at); break
        case HEAD: next = this.#head(b, at); break
        case DONE: return b.length
      }
      if (next < 0) return ~next
      at = next
    }
  }

  /** Up to the next delimiter. @returns where to go on; ~n when all up to n is read and more is needed */
  #data(b: Buffer, from: number): number {
    const found = b.indexOf(this.#delimiter, from)
    const stop = found >= 0 ? found : safeEnd(b, from, this.#delimiter)
    if (this.#state === DATA && stop > from) this.#sink.data(b, from, stop)
    if (found < 0) return ~stop
    if (this.#state === DATA) this.#sink.partEnd(true)
    this.#state = BEHIND
    return found + this.#delimiter.length
  }

  #behind(b: Buffer, from: number): number {
    if (b.length - from < 2) return ~from
    if (b[from] === 0x2d && b[from + 1] === 0x2d) {
      this.#state = DONE
      return from
    }
    const line = b.indexOf(0x0a, from)
    if (line < 0) return b.length - from > LIMITS.dicom.partHeadBytes ? this.#giveUp(from) : ~from
    this.#state = HEAD
    return line + 1
  }

  #head(b: Buffer, from: number): number {
    let at = from
    for (;;) {
      const line = b.indexOf(0x0a, at)
      if (line < 0) return b.length - from > LIMITS.dicom.partHeadBytes ? this.#giveUp(from) : ~from
      if (line - at <= 1 && (line === at || b[at] === 0x0d)) {
        const type = /(?:^|\n)content-type:[ \t]*([^\r\n]*)/i.exec(latin1(b, from, line))?.[1] ?? ''
        this.#state = DATA
        this.#sink.part(type.trim())
        return line + 1
      }
      at = line + 1
    }
  }

  /** A head without end: the next delimiter is looked for. */
  #giveUp(from: number): number {
    this.#state = SEARCHING
    return from
  }
}

/** Where what may be the beginning of a delimiter begins at the end of the bytes. */
function safeEnd(b: Buffer, from: number, delimiter: Buffer): number {
  for (let at = Math.max(from, b.length - delimiter.length + 1); at < b.length; at++) {
    if (b[at] === 0x0d && b.compare(delimiter, 0, b.length - at, at, b.length) === 0) return at
  }
  return b.length
}
