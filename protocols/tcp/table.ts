/**
 * Which conversation a packet belongs to: addresses and ports to a slot, without allocating, whatever a sender chooses.
 *
 * - The key is the two endpoints and the transport, nothing else: copies of a packet on other VLANs or interfaces are the same conversation.
 *   The lower endpoint comes first, so both directions have one key.
 * - Hashing is multilinear over 16-bit halves with secret odd multipliers, of which the high bits are used: for any two keys that someone
 *   may choose, the chance to meet in one bucket is about one in the number of buckets (Lemire and Kaser, "Strongly universal string hashing is fast").
 *   The secret differs per table and never shows: order is by lists, not by buckets.
 * - Slots are in one of the `Class` lists, each in order of last use. When the table is full the first of the lowest class goes: what has proven
 *   least, and of that, what is idle longest.
 */
import { randomFillSync } from 'node:crypto'
import { ipText } from '../net/address.ts'
import type { Packet } from '../net/packet.ts'

/** How much a conversation has proven to be one; the order of eviction. */
export const CLOSED = 0
export const HALF_OPEN = 1
export const DATAGRAMS = 2
/** Payload of one side only, or one side has closed. */
export const PARTIAL = 3
export const ESTABLISHED = 4
export const CLASSES = 5
export type Class = typeof CLOSED | typeof HALF_OPEN | typeof DATAGRAMS | typeof PARTIAL | typeof ESTABLISHED

const NONE = -1
/** Words of a key: two addresses of four, both ports, transport. */
const WORDS = 10
const FIRST_SLOTS = 1024

export class ConversationTable {
  /** Set by `find`: the packet's source is the lower endpoint. */
  fromLower = false
  size = 0
  readonly #limit: number
  #slots = FIRST_SLOTS
  #keys = new Uint32Array(FIRST_SLOTS * WORDS)
  #hashes = new Int32Array(FIRST_SLOTS)
  /** Next slot of the same bucket; of a free slot, the next free one. */
  #chain = new Int32Array(FIRST_SLOTS)
  #previous = new Int32Array(FIRST_SLOTS)
  #next = new Int32Array(FIRST_SLOTS)
  #classes = new Uint8Array(FIRST_SLOTS)
  #buckets = new Int32Array(FIRST_SLOTS * 2).fill(NONE)
  /** Leaves as many of a hash's high bits as there are buckets. */
  #shift = shiftFor(FIRST_SLOTS * 2)
  #free = NONE
  #used = 0
  readonly #first = new Int32Array(CLASSES).fill(NONE)
  readonly #last = new Int32Array(CLASSES).fill(NONE)
  readonly #multipliers = new Int32Array(WORDS * 2 + 1)
  /** Hash of the key that `find` missed. */
  #missed = 0
  #recent = NONE

  /** @param limit most slots in use at once */
  constructor(limit: number) {
    this.#limit = limit
    randomFillSync(this.#multipliers)
    for (let i = 0; i < this.#multipliers.length; i++) this.#multipliers[i]! |= 1
  }

  get isFull(): boolean {
    return this.size >= this.#limit
  }

  /** @returns the packet's slot, or -1 */
  find(packet: Packet): number {
    const lower = isLower(packet)
    this.fromLower = lower
    if (this.#recent !== NONE && this.#matches(this.#recent, packet, lower)) return this.#recent
    const hash = this.#hash(packet, lower)
    for (let slot = this.#buckets[this.#bucket(hash)]!; slot !== NONE; slot = this.#chain[slot]!) {
      if (this.#hashes[slot] === hash && this.#matches(slot, packet, lower)) return (this.#recent = slot)
    }
    this.#missed = hash
    return NONE
  }

  /** Adds the packet that `find` has just missed. The caller makes room first. */
  add(packet: Packet, kind: Class): number {
    const slot = this.#takeSlot()
    const lower = this.fromLower
    const { addresses } = packet
    const key = slot * WORDS
    for (let i = 0; i < 8; i++) this.#keys[key + i] = addresses[lower ? i : i ^ 4]!
    this.#keys[key + 8] = ports(packet, lower)
    this.#keys[key + 9] = packet.transport
    const hash = this.#missed
    this.#hashes[slot] = hash
    const bucket = this.#bucket(hash)
    this.#chain[slot] = this.#buckets[bucket]!
    this.#buckets[bucket] = slot
    this.#classes[slot] = kind
    this.#append(slot, kind)
    this.#recent = slot
    this.size++
    return slot
  }

  remove(slot: number): void {
    const bucket = this.#bucket(this.#hashes[slot]!)
    let before = NONE
    for (let at = this.#buckets[bucket]!; at !== slot; at = this.#chain[at]!) before = at
    if (before === NONE) this.#buckets[bucket] = this.#chain[slot]!
    else this.#chain[before] = this.#chain[slot]!
    this.#unlink(slot)
    this.#chain[slot] = this.#free
    this.#free = slot
    if (this.#recent === slot) this.#recent = NONE
    this.size--
  }

  /** The slot was used: it goes to the end of its class. */
  touch(slot: number): void {
    const kind = this.#classes[slot]!
    if (this.#last[kind] === slot) return
    this.#unlink(slot)
    this.#append(slot, kind)
  }

  classOf(slot: number): Class {
    return this.#classes[slot] as Class
  }

  move(slot: number, kind: Class): void {
    if (this.#classes[slot] === kind) return
    this.#unlink(slot)
    this.#classes[slot] = kind
    this.#append(slot, kind)
  }

  /** The slot of a class that was not used for longest, or -1. */
  oldest(kind: Class): number {
    return this.#first[kind]!
  }

  /** The slot to give up when there is no room, or -1. */
  victim(): number {
    for (let kind = 0; kind < CLASSES; kind++) if (this.#first[kind] !== NONE) return this.#first[kind]!
    return NONE
  }

  /** Conversations of a class: walked through, so for those who ask now and then. */
  count(kind: Class): number {
    let count = 0
    for (let slot = this.#first[kind]!; slot !== NONE; slot = this.#next[slot]!) count++
    return count
  }

  /** Address and port of the lower or the higher endpoint of a slot. */
  endpoint(slot: number, lower: boolean): { ip: string; port: number } {
    const key = slot * WORDS
    const ports = this.#keys[key + 8]!
    return { ip: ipText(this.#keys, key + (lower ? 0 : 4)), port: lower ? ports >>> 16 : ports & 0xFFFF }
  }

  #matches(slot: number, packet: Packet, lower: boolean): boolean {
    const { addresses } = packet
    const keys = this.#keys
    const key = slot * WORDS
    const source = lower ? 0 : 4
    const destination = lower ? 4 : 0
    // The last words differ most.
    return keys[key + 3 + source] === addresses[3] && keys[key + 3 + destination] === addresses[7] && keys[key + 8] === ports(packet, lower)
      && keys[key + 2 + source] === addresses[2] && keys[key + 2 + destination] === addresses[6]
      && keys[key + 1 + source] === addresses[1] && keys[key + 1 + destination] === addresses[5]
      && keys[key + source] === addresses[0] && keys[key + destination] === addresses[4]
      && keys[key + 9] === packet.transport
  }

  #hash(packet: Packet, lower: boolean): number {
    const { addresses } = packet
    const multipliers = this.#multipliers
    const source = lower ? 0 : 4
    let hash = multipliers[20]! + Math.imul(multipliers[18]!, packet.transport)
    const between = ports(packet, lower)
    hash += Math.imul(multipliers[16]!, between & 0xFFFF) + Math.imul(multipliers[17]!, between >>> 16)
    // The first words of IPv4 addresses are all the same.
    for (let i = packet.ipVersion === 4 ? 3 : 0; i < 4; i++) {
      const word = addresses[i + source]!
      const other = addresses[i + 4 - source]!
      hash = (hash + Math.imul(multipliers[2 * i]!, word & 0xFFFF) + Math.imul(multipliers[2 * i + 1]!, word >>> 16)
        + Math.imul(multipliers[2 * i + 8]!, other & 0xFFFF) + Math.imul(multipliers[2 * i + 9]!, other >>> 16)) | 0
    }
    return hash | 0
  }

  #bucket(hash: number): number {
    return hash >>> this.#shift
  }

  #takeSlot(): number {
    if (this.#free !== NONE) {
      const slot = this.#free
      this.#free = this.#chain[slot]!
      return slot
    }
    if (this.#used === this.#slots) this.#grow()
    return this.#used++
  }

  #grow(): void {
    const slots = this.#slots * 2
    this.#slots = slots
    this.#keys = grown(this.#keys, new Uint32Array(slots * WORDS))
    this.#hashes = grown(this.#hashes, new Int32Array(slots))
    this.#previous = grown(this.#previous, new Int32Array(slots))
    this.#next = grown(this.#next, new Int32Array(slots))
    this.#classes = grown(this.#classes, new Uint8Array(slots))
    this.#chain = new Int32Array(slots)
    this.#buckets = new Int32Array(slots * 2).fill(NONE)
    this.#shift = shiftFor(slots * 2)
    for (let slot = 0; slot < this.#used; slot++) {
      const bucket = this.#bucket(this.#hashes[slot]!)
      this.#chain[slot] = this.#buckets[bucket]!
      this.#buckets[bucket] = slot
    }
  }

  #append(slot: number, kind: number): void {
    const last = this.#last[kind]!
    this.#previous[slot] = last
    this.#next[slot] = NONE
    if (last === NONE) this.#first[kind] = slot
    else this.#next[last] = slot
    this.#last[kind] = slot
  }

  #unlink(slot: number): void {
    const kind = this.#classes[slot]!
    const previous = this.#previous[slot]!
    const next = this.#next[slot]!
    if (previous === NONE) this.#first[kind] = next
    else this.#next[previous] = next
    if (next === NONE) this.#last[kind] = previous
    else this.#previous[next] = previous
  }
}

/** Is the source the lower endpoint (address, then port)? */
function isLower(packet: Packet): boolean {
  const { addresses } = packet
  for (let i = packet.ipVersion === 4 ? 3 : 0; i < 4; i++) {
    const source = addresses[i]!
    const destination = addresses[i + 4]!
    if (source !== destination) return source < destination
  }
  return packet.sourcePort <= packet.destinationPort
}

/** Both ports in one word, the lower endpoint's in the upper half. */
function ports(packet: Packet, lower: boolean): number {
  return (lower ? (packet.sourcePort << 16) | packet.destinationPort : (packet.destinationPort << 16) | packet.sourcePort) >>> 0
}

/** @param buckets a power of two */
const shiftFor = (buckets: number): number => Math.clz32(buckets - 1)

function grown<T extends Uint32Array | Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}
