/**
 * Other ways to look at the same bytes: four at a time, and as text. Making a `DataView` or a `Buffer` costs more than a field is long, so the
 * ones of the last two memory blocks (the capture's, and the one where held bytes are joined) are kept.
 */
export class Lens {
  readonly memory: ArrayBufferLike
  readonly words: DataView
  readonly #text: Buffer

  constructor(memory: ArrayBufferLike) {
    this.memory = memory
    this.words = new DataView(memory)
    this.#text = Buffer.from(memory)
  }

  /** One character a byte; unlike text put together letter by letter it lies in one piece, which is what comparing and hashing want. */
  text(from: number, to: number): string {
    return this.#text.toString('latin1', from, to)
  }
}

let last = new Lens(new ArrayBuffer(0))
let before = last

/** Offsets of the lens are those of the memory: add `b.byteOffset`. */
export function lensOf(b: Uint8Array): Lens {
  if (b.buffer === last.memory) return last
  const found = b.buffer === before.memory ? before : new Lens(b.buffer)
  before = last
  last = found
  return found
}

/** The bytes `b[start..end)` as ISO 8859-1. */
export function flatLatin1(b: Uint8Array, start: number, end: number): string {
  return lensOf(b).text(b.byteOffset + start, b.byteOffset + end)
}

/** Has any byte of the word a value below 20H? May also say yes when the byte above such a one is near. */
export const hasControl = (word: number): boolean => (((word - 0x20202020) | 0) & ~word & 0x80808080) !== 0
