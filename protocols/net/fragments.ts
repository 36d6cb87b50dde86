/**
 * Fragments of IPv4 and IPv6 to whole datagrams, in any order.
 *
 * Where fragments overlap, the copy that came first is kept, in steps of the 8 bytes that offsets count in; what the last
 * fragment says about the total length holds from the first such fragment on. A bit for each 8 bytes makes that linear, whatever
 * geometry is sent. A datagram is never delivered in part: what stays incomplete is dropped by age or when space runs out,
 * the oldest first.
 */
import { randomFillSync } from 'node:crypto'
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { FRAGMENT, FRAGMENT_AGE, FRAGMENT_BYTES, FRAGMENT_DATAGRAMS, FRAGMENT_MALFORMED, PACKET, type Cursor } from './layers.ts'
import type { Packet } from './packet.ts'

const MAX_DATAGRAM = 65_535
const UNITS = 8192
const SMALLEST_SPACE = 4096
const BUCKETS = 1024
/** The upper bits of a product are its well-mixed ones. */
const BUCKET_SHIFT = 22
/** Spent datagrams kept for reuse. */
const SPARES = 8

class Datagram {
  readonly addresses = new Uint32Array(8)
  hash = 0
  id = 0
  /** Of the key: IPv4's protocol field; -1 for IPv6, whose fragments may differ in it. */
  protocol = 0
  scope = 0
  born: Micros = 0

  bytes = new Uint8Array(SMALLEST_SPACE)
  /** One bit for each 8 bytes that came. */
  readonly seen = new Uint8Array(UNITS / 8)
  seenUnits = 0
  /** Length in bytes, by the last fragment; -1 until it came. */
  total = -1
  /** End of the furthest fragment. */
  reach = 0
  /** Bytes from here on were not captured. */
  cut = MAX_DATAGRAM
  /** Next header of the fragment at offset 0. */
  nextHeader = 0
  frames = 0

  // In the chain of its bucket, and in the order of age.
  chain: Datagram | null = null
  older: Datagram | null = null
  newer: Datagram | null = null
}

export class Fragments {
  /** Frames whose bytes wait here. */
  held = 0
  /** Next header of the datagram that was completed last (its fragment at offset 0). */
  nextHeader = 0
  readonly #outcomes: Float64Array
  /** Secret odd multipliers of the hash: whoever chooses addresses and identifications cannot choose the bucket. Never shows in output. */
  readonly #multipliers = randomFillSync(new Uint32Array(11))
  readonly #buckets: (Datagram | null)[] = new Array<Datagram | null>(BUCKETS).fill(null)
  #oldest: Datagram | null = null
  #newest: Datagram | null = null
  #count = 0
  #bytes = 0
  #now: Micros = 0
  readonly #spares: Datagram[] = []
  /** Completed, and still read by whoever has the packet. */
  readonly #lent: Datagram[] = []

  /** @param outcomes counts by outcome; frames that were held and then given up move from FRAGMENT to their reason */
  constructor(outcomes: Float64Array) {
    this.#outcomes = outcomes
  }

  /**
   * The payload of a fragment is at the cursor.
   *
   * @param offset in bytes
   * @returns FRAGMENT: kept. PACKET: with it the datagram is whole, and the cursor is at the start of its payload, which is
   *   valid until the next frame. Otherwise the reason why it was dropped.
   */
  add(cursor: Cursor, packet: Packet, id: number, protocol: number, offset: number, more: boolean): number {
    const length = cursor.wireEnd - cursor.at
    if (length < 0 || offset + length > MAX_DATAGRAM || (more && (length === 0 || length % 8 !== 0))) return FRAGMENT_MALFORMED
    this.#expire(packet.at)
    const key = packet.ipVersion === 4 ? protocol : -1
    const hash = this.#hash(packet.addresses, id, key, cursor.scope)
    const datagram = this.#find(packet.addresses, hash, id, key, cursor.scope) ?? this.#open(packet.addresses, hash, id, key, cursor.scope)

    const end = offset + length
    if (datagram.total >= 0 ? end > datagram.total : !more && end < datagram.reach) return FRAGMENT_MALFORMED
    if (!more && datagram.total < 0) datagram.total = end
    if (end > datagram.reach) datagram.reach = end
    if (offset === 0) datagram.nextHeader = protocol
    datagram.frames++
    this.held++
    this.#put(datagram, cursor, offset, length)
    if (datagram.seenUnits * 8 < datagram.total || datagram.total < 0) {
      this.#makeRoom(datagram)
      return FRAGMENT
    }
    this.#remove(datagram)
    this.#lent.push(datagram)
    this.nextHeader = datagram.nextHeader
    cursor.bytes = datagram.bytes
    cursor.at = 0
    cursor.wireEnd = datagram.total
    cursor.end = Math.min(datagram.total, datagram.cut)
    return PACKET
  }

  /** The packet of the frame before is done with. */
  reclaim(): void {
    while (this.#lent.length > 0) this.#spare(this.#lent.pop()!)
  }

  get isLent(): boolean {
    return this.#lent.length > 0
  }

  /** Copies what was not there yet. */
  #put(datagram: Datagram, cursor: Cursor, offset: number, length: number): void {
    this.#grow(datagram, offset + length)
    const { bytes, seen } = datagram
    const captured = Math.max(0, Math.min(cursor.end - cursor.at, length))
    let isNew = false
    for (let at = 0; at < length; at += 8) {
      const unit = (offset + at) >> 3
      const bit = 1 << (unit & 7)
      if ((seen[unit >> 3]! & bit) !== 0) continue
      seen[unit >> 3]! |= bit
      datagram.seenUnits++
      isNew = true
      const stop = Math.min(at + 8, captured)
      for (let i = at; i < stop; i++) bytes[offset + i] = cursor.bytes[cursor.at + i]!
    }
    if (isNew && captured < length) datagram.cut = Math.min(datagram.cut, offset + captured)
  }

  #grow(datagram: Datagram, size: number): void {
    const before = datagram.bytes.length
    if (size <= before) return
    const grown = new Uint8Array(Math.min(Math.max(2 * before, size), MAX_DATAGRAM + 1))
    grown.set(datagram.bytes)
    datagram.bytes = grown
    this.#bytes += grown.length - before
  }

  #hash(addresses: Uint32Array, id: number, protocol: number, scope: number): number {
    const multipliers = this.#multipliers
    let sum = Math.imul(id, multipliers[8]! | 1) + Math.imul(protocol, multipliers[9]! | 1) + Math.imul(scope, multipliers[10]! | 1)
    for (let i = 0; i < 8; i++) sum += Math.imul(addresses[i]!, multipliers[i]! | 1)
    return sum | 0
  }

  #find(addresses: Uint32Array, hash: number, id: number, protocol: number, scope: number): Datagram | null {
    let found: Datagram | null = this.#buckets[hash >>> BUCKET_SHIFT]!
    while (found !== null) {
      if (found.hash === hash && found.id === id && found.protocol === protocol && found.scope === scope && sameAddresses(found.addresses, addresses)) break
      found = found.chain
    }
    return found
  }

  #open(addresses: Uint32Array, hash: number, id: number, protocol: number, scope: number): Datagram {
    if (this.#count === LIMITS.net.fragmentedDatagrams) this.#giveUp(this.#oldest!, FRAGMENT_DATAGRAMS)
    const datagram = this.#spares.pop() ?? new Datagram()
    datagram.addresses.set(addresses)
    datagram.hash = hash
    datagram.id = id
    datagram.protocol = protocol
    datagram.scope = scope
    datagram.born = this.#now
    const bucket = hash >>> BUCKET_SHIFT
    datagram.chain = this.#buckets[bucket]!
    this.#buckets[bucket] = datagram
    datagram.older = this.#newest
    if (this.#newest === null) this.#oldest = datagram
    else this.#newest.newer = datagram
    this.#newest = datagram
    this.#count++
    this.#bytes += datagram.bytes.length
    return datagram
  }

  #remove(datagram: Datagram): void {
    const bucket = datagram.hash >>> BUCKET_SHIFT
    if (this.#buckets[bucket] === datagram) this.#buckets[bucket] = datagram.chain
    else {
      let before = this.#buckets[bucket]!
      while (before.chain !== datagram) before = before.chain!
      before.chain = datagram.chain
    }
    if (datagram.older === null) this.#oldest = datagram.newer
    else datagram.older.newer = datagram.newer
    if (datagram.newer === null) this.#newest = datagram.older
    else datagram.newer.older = datagram.older
    datagram.chain = datagram.older = datagram.newer = null
    this.#count--
    this.#bytes -= datagram.bytes.length
    this.held -= datagram.frames
  }

  #giveUp(datagram: Datagram, reason: number): void {
    this.#outcomes[FRAGMENT]! -= datagram.frames
    this.#outcomes[reason]! += datagram.frames
    this.#remove(datagram)
    this.#spare(datagram)
  }

  /** No more frames come: what waits is given up. */
  finish(): void {
    while (this.#oldest !== null) this.#giveUp(this.#oldest, FRAGMENT_AGE)
  }

  #spare(datagram: Datagram): void {
    if (this.#spares.length === SPARES) return
    datagram.seen.fill(0)
    datagram.seenUnits = datagram.reach = datagram.frames = 0
    datagram.total = -1
    datagram.cut = MAX_DATAGRAM
    this.#spares.push(datagram)
  }

  /** Time is the latest seen: a clock that steps back makes nothing old. */
  #expire(at: Micros): void {
    if (at > this.#now) this.#now = at
    while (this.#oldest !== null && this.#now - this.#oldest.born > LIMITS.net.fragmentAge) this.#giveUp(this.#oldest, FRAGMENT_AGE)
  }

  #makeRoom(kept: Datagram): void {
    while (this.#bytes > LIMITS.net.fragmentBytes && this.#oldest !== kept) this.#giveUp(this.#oldest!, FRAGMENT_BYTES)
  }
}

function sameAddresses(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < 8; i++) if (a[i] !== b[i]) return false
  return true
}
