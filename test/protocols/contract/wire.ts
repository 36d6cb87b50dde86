/**
 * A conversation as frames, cut, lost, doubled or begun anywhere, for whoever tests from the decoder's door.
 * The time of a segment is that of its turn, so how a turn is cut does not show in times.
 */
import { ACK, FIN, PSH, SYN, ipBytes, type WireFrame } from '../../../fixtures/build/frames.ts'
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
export const START: Micros = Date.UTC(2024, 2, 5, 12) * 1000
const TURN: Micros = 10_000
/** Slow enough that a hole is given up before the next turn but one. */
export const SLOW: Micros = 150_000
const ISN = [0xFFFFFF00, 0x10000000] as const

export const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** @param split how a turn is cut into segments @param pace time between turns */
export function segments(turns: Turns, split: (bytes: Uint8Array) => Uint8Array[] = (bytes) => [bytes], pace: Micros = TURN): Segment[] {
  const sent: [number, number] = [0, 0]
  return turns.flatMap(([from, whole], turn) => split(whole).filter((bytes) => bytes.length > 0).map((bytes) => {
    const segment = { from, offset: sent[from], ack: sent[from === 0 ? 1 : 0], bytes, at: START + turn * pace }
    sent[from] += bytes.length
    return segment
  }))
}

/** Ethernet, IPv4, TCP. */
const HEADER = 14 + 20 + 20

/** Headers without lengths, numbers, flags and checksums: built once for many frames, since spoiling bytes needs many. */
function header({ client, server, clientPort, serverPort }: Ends): Uint8Array {
  const bytes = Buffer.alloc(HEADER)
  bytes.writeUInt16BE(0x0800, 12)
  bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6], 14)
  bytes.set(ipBytes(client), 26)
  bytes.set(ipBytes(server), 30)
  bytes.writeUInt16BE(clientPort, 34)
  bytes.writeUInt16BE(serverPort, 36)
  bytes.set([0x50, 0, 0xFF, 0xFF], 46)
  return bytes
}

export interface FrameOptions {
  ends?: Partial<Ends>
  open?: boolean
  close?: boolean
  /** The whole of which `parts` are what is left: the FINs stand at its ends. */
  of?: Turns
}

/** Handshake, segments, and both FINs at the places where the streams end. */
export function frames(parts: readonly Segment[], { ends: own = {}, open = true, close = true, of }: FrameOptions = {}): WireFrame[] {
  const ends = { ...ENDS, ...own }
  const headers = [header(ends), header({ client: ends.server, server: ends.client, clientPort: ends.serverPort, serverPort: ends.clientPort })] as const
  const frame = (from: Direction, flags: number, seq: number, ack: number, payload: Uint8Array, at: Micros): WireFrame => {
    const bytes = Buffer.allocUnsafe(HEADER + payload.length)
    bytes.set(headers[from])
    bytes.set(payload, HEADER)
    bytes.writeUInt16BE(40 + payload.length, 16)
    bytes.writeUInt32BE((ISN[from] + seq) >>> 0, 38)
    bytes.writeUInt32BE(flags & ACK ? (ISN[from === 0 ? 1 : 0] + ack) >>> 0 : 0, 42)
    bytes[47] = flags
    return { bytes, at }
  }
  const none = new Uint8Array(0)
  const last = parts.at(-1)?.at ?? START
  const length = (from: Direction): number => (of === undefined ? parts : segments(of)).reduce((end, p) => (p.from === from ? Math.max(end, p.offset + p.bytes.length) : end), 0)
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
