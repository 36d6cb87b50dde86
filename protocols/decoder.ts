/**
 * Frames in, events out: read this first.
 *
 *     frame -> net/          link layer, tags, tunnels, IP, fragments          -> packet
 *           -> tcp/tracker   which conversation; bytes of each side in order   -> bytes, gaps, ends
 *           -> application   which protocol, by content                        -> its dissector
 *           -> dicom/, hl7/, tls/                                              -> events
 *           -> host/         the first packets of each side, and datagrams     -> what hosts show of themselves
 *
 * Everything is driven by the frames and their times: the same frames give the same events, in the same order. Events leave when their
 * frame is done, so what happens to them later cannot disturb decoding.
 */
import { Application, ApplicationCounters, type ApplicationContext } from './application.ts'
import type { Frame } from './capture/frame.ts'
import type { CaptureReport, Flow, FlowEnd, Micros, WireEvent } from './events.ts'
import { ConversationFlow } from './flow.ts'
import { HostWatch } from './host/watch.ts'
import { PROTOCOLS } from './index.ts'
import { KeptBytes } from './kept-bytes.ts'
import { LIMITS } from './limits.ts'
import { FrameDecoder, PACKET } from './net/decode.ts'
import { Packet, UDP } from './net/packet.ts'
import type { Pseudonyms } from './phi.ts'
import type { Protocol } from './protocol.ts'
import type { Conversation } from './tcp/conversation.ts'
import type { TcpCounters } from './tcp/counters.ts'
import type { Half } from './tcp/half.ts'
import type { TcpLimits } from './tcp/limits.ts'
import { Tracker } from './tcp/tracker.ts'
import { Waiting } from './waiting.ts'

export interface DecoderOptions {
  emit: (event: WireEvent) => void
  pseudonyms: Pseudonyms
  /** As set in the site's other tools; 0 unless told. */
  communityIdSeed?: number
  protocols?: readonly Protocol[]
  /** Instead of those of `limits.ts`. */
  limits?: Partial<TcpLimits>
}

export class Decoder {
  /** Frames in, and their bytes on the wire. */
  frames = 0
  bytes = 0
  /** Frames that whoever captured says it lost before they came here, in all. */
  readonly lostInCapture = { kernel: 0, interface: 0 }
  readonly net = new FrameDecoder()
  readonly application = new ApplicationCounters()
  readonly #emit: (event: WireEvent) => void
  readonly #communityIdSeed: number
  readonly #packet = new Packet()
  readonly #tracker: Tracker
  readonly #kept: KeptBytes
  readonly #waiting = new Waiting()
  readonly #hosts = new HostWatch((event) => { this.#gather(event) })
  /** What the present frame brought, in a list that is used again and again. */
  readonly #events: (WireEvent | null)[] = []
  #eventCount = 0

  constructor({ emit, pseudonyms, communityIdSeed = 0, protocols = PROTOCOLS, limits: own }: DecoderOptions) {
    const limits: TcpLimits = { ...LIMITS.tcp, ...own }
    this.#emit = emit
    this.#communityIdSeed = communityIdSeed
    this.#kept = new KeptBytes(limits.keptTotalBytes)
    const context: ApplicationContext = {
      protocols, pseudonyms, limits, kept: this.#kept, waiting: this.#waiting, counters: this.application,
      flow: (conversation) => this.#flow(conversation),
      emit: (event) => { this.#gather(event) },
      wake: (conversation, due) => { this.#tracker.wake(conversation, due) },
    }
    this.#tracker = new Tracker({
      limits,
      open: (conversation) => new Application(context, conversation),
      ended: (conversation, at) => { this.#gather(this.#flowEnd(conversation, at)) },
      settled: () => { this.#deliver() },
      beginning: (packet) => { this.#hosts.beginning(packet) },
      conflict: (conversation, half, offset, at) => this.#conflict(conversation, half, offset, at),
    })
  }

  frame(frame: Frame): void {
    this.frames++
    this.bytes += frame.wireLength
    if (this.net.decode(frame, this.#packet) !== PACKET) return
    if (this.#packet.transport === UDP) this.#hosts.datagram(this.#packet)
    this.#tracker.packet(this.#packet)
    this.#deliver()
  }

  /** Time has come to `at` and no frame did: timers move on a quiet network too. */
  tick(at: Micros): void {
    this.#tracker.tick(at)
    this.#deliver()
  }

  /** The capture is over: conversations end, in the order they began, and the sensor reports. @param truncated a file ended in the middle of a record */
  finish(truncated = false): void {
    this.net.finish()
    this.#tracker.finish()
    this.#gather(this.report(truncated))
    this.#deliver()
  }

  /** The sensor about itself, so far. */
  report(truncated = false): CaptureReport {
    return { kind: 'capture', at: this.#tracker.now, frames: this.frames, bytes: this.bytes, dropped: this.dropped(), gaps: this.tcp.lost, truncated }
  }

  /** Capture time: the latest that is believed, so one wild timestamp moves nothing. */
  get now(): Micros {
    return this.#tracker.now
  }

  get tcp(): TcpCounters {
    return this.#tracker.counters
  }

  /** Conversations known at present, by state. */
  conversationsByState(): Record<string, number> {
    return this.#tracker.counts()
  }

  /** Conversations known at present. */
  get conversations(): number {
    return this.#tracker.size
  }

  /** Bytes kept for dissectors at present. */
  get kept(): number {
    return this.#kept.used
  }

  /** Bytes, about, of what waits for its end in conversations that hold much. */
  get waiting(): number {
    return this.#waiting.used
  }

  /** Times that a table or a memory that all conversations share was full, and one of them was forgotten, or what it waited for. */
  get crowded(): number {
    const { tcp, application } = this
    return tcp.evicted + tcp.holesByCap.heldTotalBytes + application.keptTotalBytes + this.#waiting.forgotten
  }

  /** What went no further, and which caps were reached, by name; zeros are left out. Frames for `net` names, bytes or times for the others. */
  dropped(): Record<string, number> {
    const { tcp, application } = this
    const found: Record<string, number> = {
      ...this.net.dropped(),
      'capture.kernel': this.lostInCapture.kernel, 'capture.interface': this.lostInCapture.interface,
      'tcp.after-end': tcp.afterEnd, 'tcp.out-of-reach': tcp.outOfReach, 'tcp.stray': tcp.stray,
      'tcp.conversations': tcp.evicted,
      'tcp.heldBytes': tcp.holesByCap.heldBytes, 'tcp.heldTotalBytes': tcp.holesByCap.heldTotalBytes,
      'tcp.heldRanges': tcp.holesByCap.heldRanges, 'tcp.aboveHole': tcp.holesByCap.aboveHole,
      'tcp.carryBytes': application.carryBytes, 'tcp.keptTotalBytes': application.keptTotalBytes,
      'waitingBytes': this.#waiting.forgotten,
      'dissector.failed': application.failed, 'host.hosts': this.#hosts.evicted, 'host.claims': this.#hosts.silenced,
    }
    return Object.fromEntries(Object.entries(found).filter(([, count]) => count > 0))
  }

  #gather(event: WireEvent): void {
    this.#events[this.#eventCount++] = event
  }

  #deliver(): void {
    const count = this.#eventCount
    if (count === 0) return
    const events = this.#events
    // Whoever hears an event may throw; the others of the frame are gone then, but not told a second time.
    this.#eventCount = 0
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      events[i] = null
      this.#emit(event)
    }
  }

  #flow(conversation: Conversation): Flow {
    return (conversation.flow ??= new ConversationFlow(
      conversation, this.#tracker.endpoint(conversation, true), this.#tracker.endpoint(conversation, false), this.#communityIdSeed))
  }

  #flowEnd(conversation: Conversation, at: Micros): FlowEnd {
    const { client, server } = conversation
    const lost = (client?.lost ?? 0) + (server?.lost ?? 0)
    return {
      kind: 'flow', at, flow: this.#flow(conversation), complete: lost === 0 && !conversation.isMidstream, after_gap: lost > 0,
      transport: conversation.isTcp ? 'tcp' : 'udp', protocol: conversation.protocol, state: conversation.state,
      bytes: { client: client?.bytes ?? 0, server: server?.bytes ?? 0 },
      packets: { client: client?.packets ?? 0, server: server?.packets ?? 0 },
      retransmitted: (client?.retransmitted ?? 0) + (server?.retransmitted ?? 0),
      gaps: { client: client?.lost ?? 0, server: server?.lost ?? 0 },
      started: conversation.started, ended_at: conversation.last,
    }
  }

  #conflict(conversation: Conversation, half: Half, offset: number, at: Micros): void {
    this.#gather({
      kind: 'violation', at, flow: this.#flow(conversation), complete: true, after_gap: false,
      protocol: 'tcp', code: 'overlap.conflict', section: 'RFC 9293 3.10.7.4', offset,
      detail: `the ${half.direction === 0 ? 'client' : 'server'} sent other bytes for a part that it had sent before`,
    })
  }
}
