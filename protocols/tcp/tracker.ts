/**
 * Packets to conversations: who talks to whom, since when, and when it is over. The order of bytes is `reassembly.ts`'s business.
 *
 *     const tracker = new Tracker({ limits, open, ended, settled, conflict })
 *     tracker.packet(packet)     // for each; `open`'s consumers hear bytes, gaps and ends meanwhile
 *     tracker.finish()           // the capture is over
 *
 * Timers run on the capture clock, at whole seconds of it: a silence ends a conversation at the same time whether a packet or a tick
 * of whoever captures brings that time.
 */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { TCP, type Packet } from '../net/packet.ts'
import type { End } from '../protocol.ts'
import { CaptureClock } from './clock.ts'
import type { Consumer } from './consumer.ts'
import { Conversation } from './conversation.ts'
import { TcpCounters } from './counters.ts'
import type { Half } from './half.ts'
import type { TcpLimits } from './limits.ts'
import { Reassembly } from './reassembly.ts'
import { advance, ahead } from './sequence.ts'
import { Timers } from './timers.ts'
import { CLASSES, CLOSED, ConversationTable, DATAGRAMS, ESTABLISHED, HALF_OPEN, PARTIAL, type Class } from './table.ts'

export interface TrackerOptions {
  limits: TcpLimits
  /** Called at the first byte, or first loss, of a conversation. */
  open: (conversation: Conversation) => Consumer
  /** A conversation is over for good, and forgotten after this call. */
  ended: (conversation: Conversation, at: Micros) => void
  /** It is forgotten now: a good moment to hand on what was gathered, when many end at once. */
  settled: () => void
  /** One of the first packets of a side of a TCP conversation. */
  beginning?: (packet: Packet) => void
  /** A repetition brought other bytes than the first copy; once per conversation. */
  conflict: (conversation: Conversation, half: Half, offset: number, at: Micros) => void
}

const FIN = 1
const SYN = 2
const RST = 4
const ACK = 16

const EXPIRY_INTERVAL: Micros = 1_000_000
/** Timers of ended conversations that are not worth looking for. */
const FEW_TIMERS = 1024
/** Ports from here on are given to clients by Linux (Windows and the IANA begin at 49152). */
const EPHEMERAL = 32_768
const NO_VLAN: readonly number[] = []

export class Tracker {
  readonly counters = new TcpCounters()
  readonly #limits: TcpLimits
  readonly #ended: TrackerOptions['ended']
  readonly #settled: TrackerOptions['settled']
  readonly #beginning: TrackerOptions['beginning']
  readonly #clock: CaptureClock
  readonly #table: ConversationTable
  readonly #reassembly: Reassembly
  readonly #conversations: (Conversation | null)[] = []
  readonly #timers = new Timers()
  readonly #ages: readonly number[]
  #nextExpiry: Micros = 0
  #serial = 0

  constructor(options: TrackerOptions) {
    const { limits } = options
    this.#limits = limits
    this.#ended = options.ended
    this.#settled = options.settled
    this.#beginning = options.beginning
    this.#clock = new CaptureClock(limits)
    this.#table = new ConversationTable(limits.conversations)
    this.#reassembly = new Reassembly({ limits, clock: this.#clock, counters: this.counters, open: options.open, conflict: options.conflict })
    this.#ages = agesOf(limits)
  }

  /** Latest believable capture time. */
  get now(): Micros {
    return this.#clock.now
  }

  /** Conversations known at present. */
  get size(): number {
    return this.#table.size
  }

  /** Conversations by how much they have proven to be one. */
  counts(): Record<string, number> {
    const of = (kind: Class): number => this.#table.count(kind)
    return { closed: of(CLOSED), half_open: of(HALF_OPEN), datagrams: of(DATAGRAMS), partial: of(PARTIAL), established: of(ESTABLISHED) }
  }

  /** Time has come to `at`. */
  tick(at: Micros): void {
    this.#clock.advance(at)
    const { now } = this.#clock
    if (now < this.#nextExpiry && now >= this.#nextExpiry - EXPIRY_INTERVAL) return
    if (now < this.#nextExpiry) this.#expire(wholeSecond(now))
    else for (let due = this.#due(); due <= now; due = this.#due()) this.#expire(due)
    this.#nextExpiry = wholeSecond(now) + EXPIRY_INTERVAL
  }

  /** The conversation's consumer wants `tick` at this capture time. One wish at a time: the next is what `tick` answers. */
  wake(conversation: Conversation, due: Micros): void {
    // Conversations that ended leave theirs behind.
    if (this.#timers.size > 2 * this.#table.size + FEW_TIMERS) this.#timers.prune()
    this.#timers.add(conversation, due)
  }

  packet(packet: Packet): void {
    this.tick(packet.at)
    this.#reassembly.at = packet.at
    if (packet.transport === TCP) this.#tcp(packet)
    else this.#udp(packet)
  }

  /** All conversations end, in the order they began. */
  finish(): void {
    this.#reassembly.at = this.#clock.now
    const open = this.#conversations.filter((conversation) => conversation !== null).sort((a, b) => a.serial - b.serial)
    for (const conversation of open) this.#forget(conversation, 'end of capture')
  }

  /** Address and port of one side of a conversation that is still known. */
  endpoint(conversation: Conversation, isClient: boolean): { ip: string; port: number } {
    return this.#table.endpoint(conversation.slot, conversation.clientIsLower === isClient)
  }

  // ------------------------------------------------------------------------------------------------------ packets

  #udp(packet: Packet): void {
    this.counters.udp++
    this.counters.udpPayload += packet.payloadLength
    const slot = this.#table.find(packet)
    const conversation = slot >= 0 ? this.#conversations[slot]! : this.#begin(packet, DATAGRAMS)
    this.#count(conversation, conversation.sender(this.#table.fromLower === conversation.clientIsLower), packet)
    // Whoever answers agrees.
    conversation.isEstablished = conversation.client !== null && conversation.server !== null
  }

  #tcp(packet: Packet): void {
    const { flags } = packet
    this.counters.tcp++
    this.counters.payload += packet.payloadLength
    const slot = this.#table.find(packet)
    let conversation: Conversation
    if (slot >= 0) {
      conversation = this.#conversations[slot]!
      if (this.#isAnother(conversation, packet)) {
        this.#forget(conversation, 'idle')
        this.#table.find(packet)
        conversation = this.#begin(packet, HALF_OPEN)
      }
    } else if (flags & RST) {
      this.counters.stray += packet.payloadLength
      return
    } else {
      conversation = this.#begin(packet, HALF_OPEN)
    }
    const isClient = this.#table.fromLower === conversation.clientIsLower
    const half = conversation.sender(isClient)
    this.#count(conversation, half, packet)
    if (conversation.isOver) this.#late(half, packet)
    else if (flags & RST) this.#reset(conversation, half, packet)
    else this.#segment(conversation, half, packet)
  }

  /** After the end: a copy of what was there before, or something nobody listens to any more. */
  #late(half: Half, packet: Packet): void {
    const isOld = half.isStarted && ahead(packet.seq | 0, half.next) < 0
    if (isOld) this.counters.duplicate += packet.payloadLength
    else this.counters.afterEnd += packet.payloadLength
    if (isOld && packet.payloadLength > 0) half.retransmitted++
  }

  #count(conversation: Conversation, half: Half, packet: Packet): void {
    half.packets++
    half.bytes += packet.payloadLength
    conversation.last = packet.at
    if (half.packets <= LIMITS.host.packets) {
      if (half.packets === 1) this.#learnMac(conversation, half, packet)
      if (conversation.isTcp) this.#beginning?.(packet)
    }
    conversation.seen = this.#clock.now
    this.#table.touch(conversation.slot)
  }

  #segment(conversation: Conversation, half: Half, packet: Packet): void {
    const { flags } = packet
    const isClient = half === conversation.client
    const peer = isClient ? conversation.server : conversation.client
    let seq = packet.seq | 0
    if (flags & SYN) {
      this.#synchronise(conversation, half, peer, seq, flags)
      seq = advance(seq, 1)
    } else {
      this.#promote(conversation, half, peer, packet)
    }
    const ack = packet.ack | 0
    // Whoever is far from where its side stands is lost or forged, and its acknowledgement would give up what nobody lost.
    if (peer !== null && flags & ACK && (!half.isStarted || Math.abs(ahead(seq, half.next)) <= this.#limits.aboveHole)) this.#reassembly.acknowledged(peer, ack)
    if (packet.payloadLength > 0) {
      const isStranger = peer === null || !peer.isStarted || Math.abs(ahead(ack, peer.next)) > this.#limits.aboveHole
      if (!this.#reassembly.segment(conversation, half, packet, seq, isStranger)) {
        this.#restart(conversation, packet)
        return
      }
    }
    if (flags & FIN) this.#reassembly.finish(half, advance(seq, packet.payloadLength))
    this.#reassembly.mind(conversation, half)
    if (peer !== null) this.#reassembly.mind(conversation, peer)
    if (half.end >= 0) this.#finishing(conversation, half, peer)
  }

  // ------------------------------------------------------------------------------------------------ begin and end

  #begin(packet: Packet, kind: Class): Conversation {
    if (this.#table.isFull) {
      this.counters.evicted++
      this.#forget(this.#conversations[this.#table.victim()]!, 'evicted')
    }
    const slot = this.#table.add(packet, kind)
    const { flags } = packet
    const isTcp = packet.transport === TCP
    const sourceIsClient = isTcp && flags & SYN ? (flags & ACK) === 0 : isSourceClient(packet)
    const vlan = packet.vlanCount === 0 ? NO_VLAN : Array.from(packet.vlans.subarray(0, packet.vlanCount))
    const conversation = new Conversation(slot, this.#serial++, isTcp, this.#table.fromLower === sourceIsClient, isTcp && (flags & SYN) === 0, packet.at, vlan)
    this.#conversations[slot] = conversation
    this.counters.conversations++
    return conversation
  }

  /** Does this packet open, or belong to, a later conversation between the same ports? */
  #isAnother(conversation: Conversation, packet: Packet): boolean {
    const { flags } = packet
    const isClient = this.#table.fromLower === conversation.clientIsLower
    const half = isClient ? conversation.client : conversation.server
    if (flags & SYN && (flags & RST) === 0) return this.#isOtherSyn(conversation, half, packet)
    if (!conversation.isOver || packet.payloadLength === 0 || half === null || !half.isStarted) return false
    // What an end sends beyond its own FIN or RST: someone else said so in its name, or this is a later conversation.
    const beyond = ahead(packet.seq | 0, half.next)
    return half.end >= 0 ? beyond > 0 : half.sentReset && beyond >= 0
  }

  #isOtherSyn(conversation: Conversation, half: Half | null, packet: Packet): boolean {
    const seq = packet.seq | 0
    if (half !== null && half.hasSyn) return half.initial !== seq
    // A SYN that arrives after what it opened: the first byte seen fits it.
    if (half !== null && half.isStarted) return advance(half.next, -half.offset) !== advance(seq, 1)
    if (conversation.isOver) return true
    // First sign of this side: a SYN-ACK fits anything, a SYN only another SYN (both opened at the same time).
    const peer = half === conversation.client ? conversation.server : conversation.client
    return (packet.flags & ACK) === 0 && peer !== null && !peer.hasSyn
  }

  /** Something other than a SYN: how much does it prove? */
  #promote(conversation: Conversation, half: Half, peer: Half | null, packet: Packet): void {
    if (this.#table.classOf(conversation.slot) === ESTABLISHED || half.end >= 0) return
    if (peer !== null ? peer.end >= 0 : packet.payloadLength === 0) return
    this.#table.move(conversation.slot, peer === null ? PARTIAL : ESTABLISHED)
    conversation.isEstablished = true
  }

  #synchronise(conversation: Conversation, half: Half, peer: Half | null, seq: number, flags: number): void {
    if (half.hasSyn) return
    half.hasSyn = true
    half.initial = seq
    if (!half.isStarted) this.#reassembly.start(half, advance(seq, 1))
    // It arrived after what it opened, but before anyone has heard of the conversation: nothing needs guessing any more.
    if (conversation.isMidstream && conversation.consumer === null && conversation.flow === null) {
      conversation.isMidstream = false
      if ((half === conversation.client) === ((flags & ACK) !== 0)) conversation.turn()
    }
    if (peer?.hasSyn) conversation.isEstablished = true
  }

  #reset(conversation: Conversation, half: Half, packet: Packet): void {
    this.counters.stray += packet.payloadLength
    const peer = half === conversation.client ? conversation.server : conversation.client
    if (!this.#isBelievable(half, peer, packet)) return
    half.sentReset = true
    conversation.isRefused = !conversation.isEstablished && half === conversation.server
    this.#end(conversation, 'rst')
    if (half.isStarted && ahead(packet.seq | 0, half.next) > 0) half.next = packet.seq | 0
  }

  /** Loosely RFC 5961 section 3.2: a reset lies in the window, or it is forged. */
  #isBelievable(half: Half, peer: Half | null, packet: Packet): boolean {
    const seq = packet.seq | 0
    if (half.isStarted) {
      const distance = ahead(seq, half.next)
      // A closed end answers each late segment from where that one's acknowledgement stands.
      if (distance < 0) return half.isAcknowledged && half.offset + distance >= half.acknowledged
      return distance <= this.#limits.aboveHole
    }
    if (peer === null || !peer.isStarted || (packet.flags & ACK) === 0) return true
    return Math.abs(ahead(packet.ack | 0, peer.next)) <= this.#limits.aboveHole
  }

  /** The sender has sent its FIN, now or before. */
  #finishing(conversation: Conversation, half: Half, peer: Half | null): void {
    if (peer !== null && peer.end < 0) this.#table.move(conversation.slot, PARTIAL)
    else if (peer !== null && half.isOver && peer.isOver) this.#end(conversation, 'fin')
    // Bytes are missing before a FIN, or the other side was never seen: both may still come.
    else this.#table.move(conversation.slot, CLOSED)
  }

  /** The consumer hears the end. The conversation stays known for a while, so that late copies of its packets are not taken for a new one. */
  #end(conversation: Conversation, how: End): void {
    const { client, server } = conversation
    if (client !== null) this.#reassembly.flush(conversation, client)
    if (server !== null) this.#reassembly.flush(conversation, server)
    conversation.isOver = true
    conversation.consumer?.end(how, this.#reassembly.at)
    conversation.consumer = null
    this.#table.move(conversation.slot, CLOSED)
  }

  #forget(conversation: Conversation, how: End): void {
    const { slot, client, server } = conversation
    if (!conversation.isOver) {
      const isFinished = conversation.isTcp && (client === null || client.end >= 0) && (server === null || server.end >= 0)
      this.#end(conversation, isFinished ? 'fin' : how)
    }
    this.#ended(conversation, this.#reassembly.at)
    this.#conversations[slot] = null
    this.#table.remove(slot)
    this.#settled()
  }

  /** The packet belongs to a later conversation whose start was not seen. */
  #restart(old: Conversation, packet: Packet): void {
    this.#forget(old, 'idle')
    this.#table.find(packet)
    const conversation = this.#begin(packet, HALF_OPEN)
    const half = conversation.sender(this.#table.fromLower === conversation.clientIsLower)
    this.#count(conversation, half, packet)
    this.#segment(conversation, half, packet)
  }

  /** The first whole second, not earlier than the next, at which some conversation has been silent for too long or wants to be woken. */
  #due(): Micros {
    let first = Infinity
    for (let kind = 0; kind < CLASSES; kind++) {
      const slot = this.#table.oldest(kind as Class)
      if (slot >= 0) first = Math.min(first, this.#conversations[slot]!.seen + this.#ages[kind]!)
    }
    const wake = Math.ceil(this.#timers.next / EXPIRY_INTERVAL) * EXPIRY_INTERVAL
    return Math.max(this.#nextExpiry, Math.min(wholeSecond(first) + EXPIRY_INTERVAL, wake))
  }

  #expire(now: Micros): void {
    this.#reassembly.at = now
    this.#wakeUp(now)
    for (let kind = 0; kind < CLASSES; kind++) {
      for (let slot = this.#table.oldest(kind as Class); slot >= 0; slot = this.#table.oldest(kind as Class)) {
        const conversation = this.#conversations[slot]!
        if (conversation.seen > now) {
          // The clock was set back.
          conversation.seen = now
          this.#table.touch(slot)
        } else if (now - conversation.seen > this.#ages[kind]!) {
          this.#forget(conversation, 'idle')
        } else {
          break
        }
      }
    }
  }

  #wakeUp(now: Micros): void {
    while (this.#timers.next <= now) {
      const conversation = this.#timers.shift()
      const due = conversation.consumer?.tick?.(now) ?? Infinity
      if (due < Infinity) this.#timers.add(conversation, Math.max(due, now + EXPIRY_INTERVAL))
    }
  }

  #learnMac(conversation: Conversation, half: Half, packet: Packet): void {
    const { sourceMac, destinationMac } = packet
    if (half === conversation.client) {
      if (sourceMac >= 0) conversation.clientMac = sourceMac
      if (conversation.serverMac < 0) conversation.serverMac = destinationMac
    } else {
      if (sourceMac >= 0) conversation.serverMac = sourceMac
      if (conversation.clientMac < 0) conversation.clientMac = destinationMac
    }
  }
}

/** Who is the client of a conversation whose start was not seen: by its port where that is telling, else who is heard first. */
function isSourceClient(packet: Packet): boolean {
  const { sourcePort, destinationPort } = packet
  if (sourcePort < 1024 !== destinationPort < 1024) return destinationPort < 1024
  if (sourcePort >= EPHEMERAL !== destinationPort >= EPHEMERAL) return sourcePort >= EPHEMERAL
  return true
}

const wholeSecond = (at: Micros): Micros => Math.floor(at / EXPIRY_INTERVAL) * EXPIRY_INTERVAL

function agesOf(limits: TcpLimits): number[] {
  const ages: number[] = []
  ages[CLOSED] = limits.closedAge
  ages[HALF_OPEN] = limits.halfOpenAge
  ages[DATAGRAMS] = limits.datagramAge
  ages[PARTIAL] = limits.partialAge
  ages[ESTABLISHED] = limits.establishedAge
  return ages
}
