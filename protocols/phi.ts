/**
 * Patient data stops here. What identifies a person leaves `protocols/` only as a `Pseudonym`: a keyed hash (HMAC-SHA-256 with
 * the site's key, 80 bits kept) that is the same for the same person in DICOM and HL7 and useless without the key. The plain value may be
 * carried in `Phi`, whose every string form is `[phi]`.
 */
import { latin1 } from './bytes.ts'
import { Hmac } from './hmac.ts'

/** 16 characters of base32hex text. */
export type Pseudonym = string & { readonly __pseudonym: unique symbol }

/** What is pseudonymised; part of the hash, so a patient id never equals an accession number. */
export type Subject = 'patient' | 'order' | 'body'

/** How many recent identities keep their pseudonym at hand: hashing is the dearest step of a small message. */
const CACHE = 65_536

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'
/** `latin1Slice` is what `toString('latin1')` calls after looking at its arguments, which takes as long again. */
const letters = Buffer.alloc(16) as Buffer & { latin1Slice(start: number, end: number): string }

/** Identifiers of this many bytes or fewer are hashed where they stand. */
const SHORT = 64

/** The same person or order, however the systems pad and spell. */
const normalised = (id: string): string => id.trim().toUpperCase()

export class Pseudonyms {
  readonly #hmac: Hmac
  /** Of each subject the beginning of what is hashed, and room behind it. */
  readonly #messages: Record<Subject, Uint8Array> = { patient: message('patient'), order: message('order'), body: message('body') }
  readonly #seen: Record<Subject, Map<string, Pseudonym>> = { patient: new Map(), order: new Map(), body: new Map() }
  readonly #plain: Map<Pseudonym, Phi> | undefined

  /**
   * @param key the site's secret, at least 16 bytes.
   * @param options remember: keep the plain values, for a reader who asked to see them (`inspect --show-phi`)
   */
  constructor(key: Uint8Array, options: { remember?: boolean } = {}) {
    if (key.length < 16) throw new RangeError('a pseudonym key needs at least 16 bytes')
    this.#hmac = new Hmac(key)
    if (options.remember === true) this.#plain = new Map()
  }

  /** The value behind a pseudonym that was made here; undefined unless values are remembered. */
  plain(pseudonym: Pseudonym): Phi | undefined {
    return this.#plain?.get(pseudonym)
  }

  /** A patient identifier (Patient ID (0010,0020), PID-3.1), the same for both protocols. Empty gives null. */
  patient(id: string): Pseudonym | null {
    return this.#of('patient', id)
  }

  /** An accession, placer or filler order number. Empty gives null. */
  order(id: string): Pseudonym | null {
    return this.#of('order', id)
  }

  #of(subject: Subject, id: string): Pseudonym | null {
    const plain = normalised(id)
    const seen = this.#seen[subject]
    const known = seen.get(plain)
    if (known !== undefined) return known
    const made = this.make(subject, id)
    if (made === null) return null
    // Two generations would keep hot entries longer; clearing keeps it simple, and a refill costs milliseconds.
    if (seen.size >= CACHE) seen.clear()
    seen.set(plain, made)
    return made
  }

  /** What `patient` and `order` give, for those who remember it by themselves. */
  make(subject: Subject, id: string): Pseudonym | null {
    const plain = normalised(id)
    if (plain === '') return null
    const made = this.digest(subject, plain)
    this.#plain?.set(made, new Phi(id.trim()))
    return made
  }

  /** The same of an identifier that is ASCII, without a detour over text. */
  makeOfBytes(subject: Subject, b: Uint8Array, start: number, end: number): Pseudonym | null {
    if (end - start > SHORT || this.#plain !== undefined) return this.make(subject, latin1(b, start, end))
    let from = start
    let to = end
    while (from < to && isBlank(b[from]!)) from++
    while (to > from && isBlank(b[to - 1]!)) to--
    if (from === to) return null
    const message = this.#messages[subject]
    let size = subject.length + 1
    for (let i = from; i < to; i++) {
      const c = b[i]!
      message[size++] = c >= 0x61 && c <= 0x7A ? c - 0x20 : c
    }
    return this.#pseudonym(message, size)
  }

  /** Uncached, for bodies of messages. */
  digest(subject: Subject, value: string): Pseudonym {
    const message = Buffer.from(`${subject}\0${value}`)
    return this.#pseudonym(message, message.length)
  }

  #pseudonym(message: Uint8Array, size: number): Pseudonym {
    this.#hmac.of(message, size)
    const { words } = this.#hmac
    for (let i = 0, bit = 0; i < 16; i++, bit += 5) {
      const word = words[bit >> 5]!
      const at = bit & 31
      // A letter may begin in one word and end in the next.
      const five = at <= 27 ? word >>> (27 - at) : (word << (at - 27)) | (words[(bit >> 5) + 1]! >>> (59 - at))
      letters[i] = ALPHABET.charCodeAt(five & 31)
    }
    // In one piece: text put together letter by letter is slow to compare and to look up, which is all that is done with it.
    return letters.latin1Slice(0, 16) as Pseudonym
  }
}

/** What `trim` takes off, of ASCII. */
const isBlank = (c: number): boolean => c === 0x20 || (c >= 0x09 && c <= 0x0D)

function message(subject: Subject): Uint8Array {
  const bytes = new Uint8Array(subject.length + 1 + SHORT)
  for (let i = 0; i < subject.length; i++) bytes[i] = subject.charCodeAt(i)
  return bytes
}

/** Holds a plain value that must not be printed by accident. */
export class Phi {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  toString(): string {
    return '[phi]'
  }
  toJSON(): string {
    return '[phi]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[phi]'
  }
  /** Only `inspect --show-phi` calls this. */
  reveal(): string {
    return this.#value
  }
}
