/**
 * The contract a protocol fulfils. `decoder.ts` calls it; `index.ts` lists who fulfils it.
 *
 * A protocol sees ordered bytes and losses of one connection, direction by direction, and emits events. It never
 * throws on wire data, never keeps a view, and holds no more than its limits allow.
 */
import type { Flow, Micros, WireEvent } from './events.ts'
import type { Pseudonyms } from './phi.ts'

/** 0: from the client, 1: from the server. */
export type Direction = 0 | 1
export const CLIENT: Direction = 0
export const SERVER: Direction = 1

/** Answers of `probe`. */
export const NO = 0
/** Not enough bytes to tell. */
export const MORE = 1
export const YES = 2
/**
 * Yes, and these bytes are what the *other* side sends: a connection whose start was not seen was guessed the wrong way round.
 * The decoder turns the flow and probes no further; on connections whose SYN was seen it counts as YES.
 */
export const YES_REVERSED = 3
/** Not these bytes, but what begins in a later segment of this side may be: all its segments are probed, by the protocols that said so, within `strangerSegments`. Where the protocol is known already it is as good as YES. */
export const LATER = -1
export type Verdict = typeof LATER | typeof NO | typeof MORE | typeof YES | typeof YES_REVERSED

/** `data` answers this when nothing in the bytes makes sense any more: the decoder probes again at the next bytes. */
export const LOST = -1

export type End = 'fin' | 'rst' | 'idle' | 'evicted' | 'end of capture'

/** What a dissector may use of its connection. */
export interface Connection {
  readonly flow: Flow
  readonly pseudonyms: Pseudonyms
  emit(event: WireEvent): void
  /** The same object for all connections of one decoder: what is shared among them hangs on it. */
  readonly capture?: object
  /** True once bytes were lost in either direction. */
  readonly afterGap: boolean
  /** Bytes of a direction lost for good so far, also those within what was skipped, of which `gap` does not tell. */
  lost(direction: Direction): number
}

export interface Dissector {
  /**
   * Ordered bytes of one direction: `bytes[start..end)`, a view that is valid until return.
   *
   * @returns how many bytes are done with.
   *   Fewer than offered: the rest is kept and offered again, in front of what follows, once `needs(direction)` bytes are there.
   *   More than offered: the excess is skipped, whether it is captured or not (bulk costs nothing).
   *   `LOST`: sync is lost; the rest is dropped and the protocol's `probe` decides when this dissector hears of this direction again.
   */
  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number
  /** How many bytes, from the first that was not consumed, the next call needs at least. Read only after `data` left some. */
  needs(direction: Direction): number
  /**
   * `missing` bytes are lost for good at this place of the direction. What was kept of it is dropped. Bytes that were to be
   * skipped anyway do not come here. Afterwards `probe` must answer YES before `data` is called again for this direction,
   * except when `gap` returns true: the dissector knows how to go on by itself (it was inside something it counts).
   */
  gap(direction: Direction, missing: number, at: Micros): boolean
  /**
   * Capture time from which `tick` is to be called although nothing comes; `Infinity`: no need. Asked after `data`, `gap` and `tick`; where
   * something was due earlier, `due` is asked again at that time. Only for those who wait for something: absent in others.
   */
  due?(): Micros
  /** `due` has passed. `at` is the capture clock, which any packet moves: it comes with the first packet, of whatever conversation, about a second later at most. */
  tick?(at: Micros): void
  /** Bytes of memory, about, that are held because something has not ended. Asked after `data`; absent in those who hold little. */
  holds?(): number
  /** Others need the room: what is held goes unread, and what is told of it says `complete: false`. Called while another connection is being read. */
  forget?(at: Micros): void
  /** The connection is over; emit what is open. Called once. */
  end(how: End, at: Micros): void
}

export interface Protocol {
  readonly name: 'dicom' | 'hl7' | 'tls'
  /**
   * Do these bytes, at the start of a direction or after a loss, belong to this protocol? Ports are a hint, content decides.
   * `midstream` is true when they need not be the beginning of what the peer sent.
   */
  probe(bytes: Uint8Array, start: number, end: number, direction: Direction, midstream: boolean): Verdict
  open(connection: Connection): Dissector
}
