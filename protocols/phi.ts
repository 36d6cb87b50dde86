/**
 * Patient data stops here. What identifies a person leaves `protocols/` only as a `Pseudonym`: a keyed hash (HMAC-SHA-256 with
 * the site's key, 80 bits kept) that is the same for the same person in DICOM and HL7 and useless without the key. The plain value may be
 * carried in `Phi`, whose every string form is `[phi]`.
 */
import { createHash, createHmac, hash } from 'node:crypto'

/** 16 characters of base32hex text. */
export type Pseudonym = string & { readonly __pseudonym: unique symbol }

/** What is pseudonymised; part of the hash, so a patient id never equals an accession number. */
export type Subject = 'patient' | 'order' | 'body'

/** How many recent identities keep their pseudonym at hand: hashing is the dearest step of a small message. */
const CACHE = 65_536

/** Block of SHA-256, and how long a message may be that is hashed in place; bytes. */
const BLOCK = 64
const SHORT = 512

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'
const letters = Buffer.alloc(16)

/** The same person or order, however the systems pad and spell. */
const normalised = (id: string): string => id.trim().toUpperCase()

export class Pseudonyms {
  readonly #key: Uint8Array
  readonly #seen: Record<Subject, Map<string, Pseudonym>> = { patient: new Map(), order: new Map(), body: new Map() }
  readonly #plain: Map<Pseudonym, Phi> | undefined
  /** The two blocks of HMAC (RFC 2104): padded key and message, padded key and inner hash. */
  readonly #inner = Buffer.alloc(BLOCK + SHORT)
  readonly #outer = Buffer.alloc(BLOCK + 32)

  /**
   * @param key the site's secret, at least 16 bytes.
   * @param options remember: keep the plain values, for a reader who asked to see them (`inspect --show-phi`)
   */
  constructor(key: Uint8Array, options: { remember?: boolean } = {}) {
    if (key.length < 16) throw new RangeError('a pseudonym key needs at least 16 bytes')
    this.#key = key
    const block = Buffer.alloc(BLOCK)
    block.set(key.length > BLOCK ? createHash('sha256').update(key).digest() : key)
    for (let i = 0; i < BLOCK; i++) {
      this.#inner[i] = block[i]! ^ 0x36
      this.#outer[i] = block[i]! ^ 0x5c
    }
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

  /** Uncached, for bodies of messages. */
  digest(subject: Subject, value: string | Uint8Array): Pseudonym {
    const mac = this.#hmac(subject, value)
    for (let i = 0, bit = 0; bit < 80; i++, bit += 5) {
      const word = (mac.charCodeAt(bit >> 3) << 8) | mac.charCodeAt((bit >> 3) + 1)
      letters[i] = ALPHABET.charCodeAt((word >> (11 - (bit & 7))) & 31)
    }
    // In one piece: text put together letter by letter is slow to compare and to look up, which is all that is done with it.
    return letters.toString('latin1') as Pseudonym
  }

  /** HMAC-SHA-256 as binary text. Short values, nearly all, by two one-shot hashes: half the cost of a `Hmac` object. */
  #hmac(subject: Subject, value: string | Uint8Array): string {
    if (typeof value !== 'string' || subject.length + 1 + 3 * value.length > SHORT) {
      return createHmac('sha256', this.#key).update(`${subject}\0`).update(value).digest('binary')
    }
    const end = BLOCK + this.#inner.write(`${subject}\0${value}`, BLOCK)
    this.#outer.write(hash('sha256', this.#inner.subarray(0, end), 'binary'), BLOCK, 'binary')
    return hash('sha256', this.#outer, 'binary')
  }
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
