/**
 * A conversation as frames, cut, lost, doubled or begun anywhere, for whoever tests from the decoder's door.
 * The time of a segment is that of its turn, so how a turn is cut does not show in times.
 */
import { ACK, FIN, PSH, SYN, tcpFrame, type WireFrame } from '../../../fixtures/build/frames.ts'
import { Decoder, type DecoderOptions } from '../../../protocols/decoder.ts'
import type { Micros, WireEvent } from '../../../protocols/events.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import type { Direction } from '../../../protocols/protocol.ts'

/** Who says what, in order. */
export type Turns = readonly (readonly [Direction, Uint8Array])[]

export interface Segment {
  from: Direction
  /** Offset in the sender's stream, and how much of the peer's it acknowledges. */
  offset: number
  ack: number
  bytes: Uint8Array
  at: Micros
}

export interface Ends { client: string; server: string; clientPort: number; serverPort: number }

const ENDS: Ends = { client: '10.1.0.1', server: '10.2.0.2', clientPort: 50_000, serverPort: 11_112 }
const START: Micros = Date.UTC(2024, 2, 5, 12) * 1000
const TURN: Micros = 10_000
const ISN = [0xFFFFFF00, 0x10000000] as const

export const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** @param split how a turn is cut into segments */
export function segments(turns: Turns, split: (bytes: Uint8Array, turn: number) => Uint8Array[] = (bytes) => [bytes]): Segment[] {
  const sent: [number, number] = [0, 0]
  return turns.flatMap(([from, whole], turn) => split(whole, turn).filter((bytes) => bytes.length > 0).map((bytes) => {
    const segment = { from, offset: sent[from], ack: sent[from === 0 ? 1 : 0], bytes, at: START + turn * TURN }
    sent[from] += bytes.length
    return segment
  }))
}

export interface FrameOptions { ends?: Partial<Ends>; open?: boolean; close?: boolean }

/** Handshake, segments, and both FINs at the places where the streams end. */
export function frames(parts: readonly Segment[], { ends: own = {}, open = true, close = true }: FrameOptions = {}): WireFrame[] {
  const ends = { ...ENDS, ...own }
  const frame = (from: Direction, flags: number, seq: number, ack: number, payload: Uint8Array, at: Micros): WireFrame => tcpFrame({
    at, flags, seq: (ISN[from] + seq) >>> 0, ack: flags & ACK ? (ISN[from === 0 ? 1 : 0] + ack) >>> 0 : 0, payload,
    ...(from === 0 ? { src: ends.client, dst: ends.server, sport: ends.clientPort, dport: ends.serverPort }
      : { src: ends.server, dst: ends.client, sport: ends.serverPort, dport: ends.clientPort }),
  })
  const none = new Uint8Array(0)
  const last = parts.at(-1)?.at ?? START
  const length = (from: Direction): number => Math.max(0, ...parts.filter((p) => p.from === from).map((p) => p.offset + p.bytes.length))
  const body = parts.map((p) => frame(p.from, PSH | ACK, 1 + p.offset, 1 + p.ack, p.bytes, p.at))
  const [client, server] = [length(0), length(1)]
  return [
    ...(open ? [frame(0, SYN, 0, 0, none, START), frame(1, SYN | ACK, 0, 1, none, START), frame(0, ACK, 1, 1, none, START)] : []),
    ...body,
    ...(close ? [
      frame(0, FIN | ACK, 1 + client, 1 + server, none, last), frame(1, FIN | ACK, 1 + server, 2 + client, none, last), frame(0, ACK, 2 + client, 2 + server, none, last),
    ] : []),
  ]
}

export const SITE_KEY = new Uint8Array(32).fill(7)

export function feed(decoder: Decoder, wire: Iterable<WireFrame>): void {
  for (const { bytes, at, wireLength = bytes.length, interfaceId = 0 } of wire) {
    decoder.frame({ bytes, start: 0, end: bytes.length, wireLength, at, linkType: 1, interfaceId })
  }
}

export interface Decoded { decoder: Decoder; events: WireEvent[] }

export function decode(wire: Iterable<WireFrame>, options: Partial<DecoderOptions> = {}): Decoded {
  const events: WireEvent[] = []
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => events.push(event), ...options })
  feed(decoder, wire)
  decoder.finish()
  return { decoder, events }
}

/** The events of a conversation as text, without what depends on how it was cut into packets. */
export function told(events: readonly WireEvent[]): string[] {
  return events.filter((e) => e.kind !== 'capture').map((e) => JSON.stringify(e.kind === 'flow' ? { ...e, packets: 0, retransmitted: 0, bytes: 0 } : e))
}

/** The books of every stage; throws when they do not balance. Only after `finish`. */
export function checkBooks(decoder: Decoder): void {
  const { net, tcp, application } = decoder
  const dropped = Object.values(net.dropped()).reduce((sum, n) => sum + n, 0)
  const books = {
    frames: [decoder.frames, tcp.tcp + tcp.udp + net.outcomes[1]! + dropped],
    payload: [tcp.payload, tcp.delivered + tcp.skipped + tcp.sliced + tcp.duplicate + tcp.dropped],
    delivered: [tcp.delivered, application.fed + application.strange + application.unsynchronised + application.forgotten],
    held: [tcp.held, 0],
    kept: [decoder.kept, 0],
  }
  for (const [name, [into, out]] of Object.entries(books)) if (into !== out) throw new Error(`the books of ${name} do not balance: ${into} in, ${out} out`)
}
