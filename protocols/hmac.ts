/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) of short messages under one key. A call into the runtime's OpenSSL costs more than the two blocks that an
 * identifier needs, and hashing identifiers never seen before is the dearest step of a small message; so these two blocks are computed here.
 * What is longer goes to OpenSSL. Neither table look-ups nor branches depend on the key.
 */
import { createHash, createHmac } from 'node:crypto'

const BLOCK = 64
/** Longest message that fits the inner hash's one block with its end mark and length. */
const SHORT = BLOCK - 9

/** FIPS 180-4 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of the cube roots of the first 64 primes; and of the square roots of the first eight. */
const PRIMES = primes(64)
const ROUND = Int32Array.from(PRIMES, (prime) => fractionBits(prime, 3n))
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fractionBits(prime, 2n))

function primes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n)
  return found
}

/** floor(n^(1/root) * 2^32), of which the low 32 bits are the fraction; in whole numbers, since it must be exact. */
function fractionBits(n: number, root: bigint): number {
  const target = BigInt(n) << (32n * root)
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** root <= target) low = middle
    else high = middle
  }
  return Number(BigInt.asIntN(32, low))
}

/** The block being hashed, then its expansion (the message schedule). */
const w = new Int32Array(64)

/** Zeros from word `first` up to the length; a loop, because a call of `fill` costs more than so few words. */
function clear(first: number): void {
  for (let t = first; t < 15; t++) w[t] = 0
}

/** FIPS 180-4 6.2.2: the state after the block in `w[0..16)`. */
function compress(from: Int32Array, into: Int32Array): void {
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!
    const y = w[t - 2]!
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[t] = (w[t - 16]! + small0 + w[t - 7]! + small1) | 0
  }
  let a = from[0]!, b = from[1]!, c = from[2]!, d = from[3]!, e = from[4]!, f = from[5]!, g = from[6]!, h = from[7]!
  for (let t = 0; t < 64; t++) {
    const big1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + big1 + ((e & f) ^ (~e & g)) + ROUND[t]! + w[t]!) | 0
    const big0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  into[0] = from[0]! + a
  into[1] = from[1]! + b
  into[2] = from[2]! + c
  into[3] = from[3]! + d
  into[4] = from[4]! + e
  into[5] = from[5]! + f
  into[6] = from[6]! + g
  into[7] = from[7]! + h
}

export class Hmac {
  /** The result of `of`: eight words, the first byte highest. */
  readonly words = new Int32Array(8)
  readonly #key: Uint8Array
  /** States after the padded key, of the inner and of the outer hash. */
  readonly #inner: Int32Array
  readonly #outer: Int32Array

  constructor(key: Uint8Array) {
    this.#key = key
    const block = key.length > BLOCK ? createHash('sha256').update(key).digest() : key
    this.#inner = padded(block, 0x36)
    this.#outer = padded(block, 0x5C)
  }

  /** Of `bytes[0..size)`. */
  of(bytes: Uint8Array, size: number): void {
    if (size > SHORT) {
      const mac = createHmac('sha256', this.#key).update(bytes.subarray(0, size)).digest()
      for (let i = 0; i < 8; i++) this.words[i] = mac.readInt32BE(4 * i)
      return
    }
    clear(0)
    for (let i = 0; i < size; i++) w[i >> 2]! |= bytes[i]! << (24 - 8 * (i & 3))
    w[size >> 2]! |= 0x80 << (24 - 8 * (size & 3))
    w[15] = 8 * (BLOCK + size)
    compress(this.#inner, w)
    w[8] = 0x80 << 24
    clear(9)
    w[15] = 8 * (BLOCK + 32)
    compress(this.#outer, this.words)
  }
}

function padded(key: Uint8Array, padding: number): Int32Array {
  w.fill(0, 0, 16)
  for (let i = 0; i < BLOCK; i++) w[i >> 2]! |= ((key[i] ?? 0) ^ padding) << (24 - 8 * (i & 3))
  const state = new Int32Array(8)
  compress(START, state)
  return state
}
