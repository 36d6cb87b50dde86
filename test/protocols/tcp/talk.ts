/** One conversation at the tracker's door, for tests: packets without frames, and a consumer that writes down what it hears. */
import type { Micros } from '../../../protocols/events.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { Packet, TCP, UDP } from '../../../protocols/net/packet.ts'
import type { Direction, End } from '../../../protocols/protocol.ts'
import type { Consumer } from '../../../protocols/tcp/consumer.ts'
import type { Conversation } from '../../../protocols/tcp/conversation.ts'
import type { TcpLimits } from '../../../protocols/tcp/limits.ts'
import { Tracker } from '../../../protocols/tcp/tracker.ts'

export const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16

export interface Fields {
  src?: number
  dst?: number
  sport?: number
  dport?: number
  seq?: number
  ack?: number
  flags?: number
  payload?: Uint8Array | string
  /** Payload bytes on the wire, when fewer were captured. */
  length?: number
  at?: Micros
  transport?: number
}

export const bytesOf = (payload: Uint8Array | string): Uint8Array => (typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload)

export const CLIENT_IP = 0x0A000001
export const SERVER_IP = 0x0A000002

export function packet({ src = CLIENT_IP, dst = SERVER_IP, sport = 50_000, dport = 104, seq = 0, ack = 0, flags = ACK, payload = '', length, at = 0, transport = TCP }: Fields): Packet {
  const made = new Packet()
  const bytes = bytesOf(payload)
  Object.assign(made, {
    // A few bytes before and behind, as in a frame: whoever reads past the payload is found out.
    bytes: Buffer.concat([Buffer.from('>>>>'), bytes, Buffer.from('<<<<')]), payload: 4, payloadEnd: 4 + bytes.length, payloadLength: length ?? bytes.length,
    at, ipVersion: 4, transport, sourcePort: sport, destinationPort: dport, seq: seq >>> 0, ack: ack >>> 0, flags,
  })
  made.addresses.set([0, 0, 0xFFFF, src, 0, 0, 0xFFFF, dst])
  return made
}

export const datagram = (fields: Fields): Packet => packet({ ...fields, transport: UDP })

/** What a recording consumer was told. Bytes of one direction that follow each other are one entry. */
export type Entry = { from: Direction; text: string; skip?: number } | { from: Direction; gap: number } | { end: End }

export class Recorder implements Consumer {
  readonly entries: Entry[] = []
  readonly isKnown = true
  /** Answers of `data`, in turn; 0 afterwards. */
  readonly skips: number[] = []

  data(from: Direction, bytes: Uint8Array, start: number, end: number): number {
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1')
    const last = this.entries.at(-1)
    const skip = this.skips.shift() ?? 0
    if (last && 'text' in last && last.from === from && last.skip === undefined) last.text += text
    else this.entries.push({ from, text })
    if (skip > 0) (this.entries.at(-1) as { skip?: number }).skip = skip
    return skip
  }

  gap(from: Direction, gap: number): void {
    this.entries.push({ from, gap })
  }

  end(how: End): void {
    this.entries.push({ end: how })
  }

  /** Everything a side sent, with `[n]` where n bytes are missing. */
  stream(from: Direction): string {
    return this.entries.map((e) => ('end' in e || e.from !== from ? '' : 'text' in e ? e.text : `[${e.gap}]`)).join('')
  }

  get ended(): End | undefined {
    const last = this.entries.at(-1)
    return last && 'end' in last ? last.end : undefined
  }
}

export interface Summary {
  client: string
  state: string
  bytes: [number, number]
  packets: [number, number]
  retransmitted: [number, number]
  lost: [number, number]
}

/** A tracker with its conversations written down, and packets named by who sends them and the offset in their stream. */
export class Talk {
  readonly tracker: Tracker
  readonly recorders: Recorder[] = []
  readonly flows: Summary[] = []
  readonly conflicts: { from: Direction; offset: number }[] = []
  at: Micros = 1_000_000
  readonly isn: { client: number; server: number }
  /** For the consumer that is opened next. */
  skips: number[] = []

  constructor({ limits = {}, isn = { client: 1000, server: 5000 } }: { limits?: Partial<TcpLimits>; isn?: { client: number; server: number } } = {}) {
    this.isn = isn
    this.tracker = new Tracker({
      limits: { ...LIMITS.tcp, ...limits },
      open: () => {
        const recorder = new Recorder()
        recorder.skips.push(...this.skips)
        this.recorders.push(recorder)
        return recorder
      },
      ended: (conversation) => this.flows.push(this.#summary(conversation)),
      settled: () => {},
      conflict: (_conversation, half, offset) => this.conflicts.push({ from: half.direction, offset }),
    })
  }

  get recorder(): Recorder {
    return this.recorders.at(-1)!
  }

  /** What the client, and the server, said in the latest conversation. */
  get client(): string {
    return this.recorders.length === 0 ? '' : this.recorder.stream(0)
  }

  get server(): string {
    return this.recorders.length === 0 ? '' : this.recorder.stream(1)
  }

  send(fields: Fields): this {
    this.tracker.packet(packet({ at: this.at, ...fields }))
    this.#check()
    return this
  }

  open(): this {
    return this.syn().synAck().fromClient(0, '')
  }

  syn(): this {
    return this.send({ seq: this.isn.client, flags: SYN })
  }

  synAck(): this {
    return this.#fromServer({ seq: this.isn.server, ack: this.isn.client + 1, flags: SYN | ACK })
  }

  /** @param ack how much of the server's stream is acknowledged */
  fromClient(offset: number, payload: Uint8Array | string, { ack = 0, ...fields }: Fields = {}): this {
    return this.send({ seq: this.isn.client + 1 + offset, ack: this.isn.server + 1 + ack, payload, ...fields })
  }

  fromServer(offset: number, payload: Uint8Array | string, { ack = 0, ...fields }: Fields = {}): this {
    return this.#fromServer({ seq: this.isn.server + 1 + offset, ack: this.isn.client + 1 + ack, payload, ...fields })
  }

  #fromServer(fields: Fields): this {
    return this.send({ src: SERVER_IP, dst: CLIENT_IP, sport: 104, dport: 50_000, ...fields })
  }

  wait(micros: Micros): this {
    this.at += micros
    return this
  }

  /** A packet of another conversation, which only moves the clock. */
  tick(): this {
    this.tracker.packet(datagram({ src: 1, dst: 2, at: this.at }))
    return this
  }

  finish(): this {
    this.tracker.finish()
    this.#check()
    return this
  }

  #check(): void {
    const { counters } = this.tracker
    if (!counters.balances) throw new Error(`the books do not balance: ${JSON.stringify(counters)}`)
  }

  #summary(conversation: Conversation): Summary {
    const { client, server, state } = conversation
    const { ip, port } = this.tracker.endpoint(conversation, true)
    const each = (pick: 'bytes' | 'packets' | 'retransmitted' | 'lost'): [number, number] => [client?.[pick] ?? 0, server?.[pick] ?? 0]
    return {
      client: `${ip.slice(ip.lastIndexOf('.') + 1)}:${port}`, state,
      bytes: each('bytes'), packets: each('packets'), retransmitted: each('retransmitted'), lost: each('lost'),
    }
  }
}
