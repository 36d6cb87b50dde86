/** What `toString('latin1')` of a Buffer calls after looking at its arguments, which takes as long again as a field. */
interface Latin1 { latin1Slice(start: number, end: number): string }

/**
 * Other ways to look at the same bytes: four at a time, and as text. Making a `DataView` or a `Buffer` costs more than a field is long, so the
 * ones of the last two arrays (the capture's, and the one where held bytes are joined) are kept.
 */
export class Lens {
  readonly bytes: Uint8Array
  /** Of the memory behind the bytes, in which they begin at `shift`. */
  readonly words: DataView
  readonly shift: number
  readonly #text: Latin1

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.words = new DataView(bytes.buffer)
    this.shift = bytes.byteOffset
    this.#text = Buffer.from(bytes.buffer) as unknown as Latin1
  }

  /** One character a byte; unlike text put together letter by letter it lies in one piece, which is what comparing and hashing want. */
  text(start: number, end: number): string {
    return this.#text.latin1Slice(this.shift + start, this.shift + end)
  }
}

let last = new Lens(new Uint8Array(0))
let before = last

export function lensOf(b: Uint8Array): Lens {
  return b === last.bytes ? last : turnTo(b)
}

function turnTo(b: Uint8Array): Lens {
  const found = b === before.bytes ? before : new Lens(b)
  before = last
  last = found
  return found
}

/** The bytes `b[start..end)` as ISO 8859-1. */
export function flatLatin1(b: Uint8Array, start: number, end: number): string {
  return end > start ? lensOf(b).text(start, end) : ''
}
