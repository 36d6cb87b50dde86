/** One connection that carries HL7: its two directions read, its messages and acknowledgements tied, its oddities reported. */
import type { Hl7Acknowledges, Hl7Message, Micros, Side } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Connection, Direction, Dissector, End } from '../protocol.ts'
import type { Answer, Taken } from './answer.ts'
import { Exchange } from './exchange.ts'
import { splitFields, fieldEnd, fieldStart } from './fields.ts'
import { latin1 } from '../bytes.ts'
import { PLAIN } from './charset.ts'
import { lineLook } from './foreign.ts'
import type { HttpReader } from '../http/reader.ts'
import { httpReader, mayCarryHl7, startsHttp } from './http.ts'
import type { MessageReader } from './message.ts'
import { BlockReader } from './mllp.ts'
import { NO_ROUTE } from './msh.ts'
import { pairsOf } from './pairs.ts'
import type { Listener, Pair, Pairs } from './pairs.ts'
import { readersOf } from './readers.ts'
import type { ReaderPool } from './readers.ts'
import type { Sender } from './sender.ts'
import { NAMELESS } from './segment-names.ts'
import type { BlockSink, Framing } from './segments.ts'

const SIDES: readonly [Side, Side] = ['client', 'server']

/** What comes first need not be a beginning: that was not seen, or is lost. */
export const beginsAnywhere = ({ flow, afterGap }: Connection): boolean => flow.midstream || afterGap

export class Hl7Dissector implements Dissector, Listener {
  readonly #connection: Connection
  readonly #exchange: Exchange
  readonly #readers: ReaderPool
  readonly #pairs: Pairs
  readonly #pair: Pair
  #violations: Map<string, number> | undefined
  #violationsLeft: number = LIMITS.hl7.violations
  /** Of each direction, from its first bytes on. */
  #streams: [Stream | undefined, Stream | undefined] = [undefined, undefined]
  #isHttp = false
  #hasSpoken = false
  /** Capture time of what is being read: when whatever is told now became known. */
  #now: Micros = 0

  constructor(connection: Connection) {
    this.#connection = connection
    this.#readers = readersOf(connection.pseudonyms)
    this.#pairs = pairsOf(connection.capture)
    this.#pair = this.#pairs.open(connection.flow.client.ip, connection.flow.server.ip, this)
    this.#exchange = new Exchange(
      event => { this.tell(event) },
      (direction, app, controlId, hash) => this.#pair.isAlone ? undefined : this.#pair.earlier(this.#connection.flow[SIDES[direction]].ip, this, app, controlId, hash),
    )
  }

  /** Takes all it is offered: what must wait is held here, and bounded here. */
  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    if (end <= start) return 0
    this.#now = at
    this.#exchange.expire(at)
    this.#streams[1 - direction]?.blocks.turn()
    const stream = this.#stream(direction)
    if (!this.#isHttp) this.#listenForHttp(stream, bytes, start, end)
    if (stream.http === undefined) stream.blocks.feed(bytes, start, end, at)
    else stream.http.feed(bytes, start, end, at)
    return end - start
  }

  needs(): number {
    return 1
  }

  gap(direction: Direction, missing: number, at: Micros): boolean {
    this.#now = at
    this.#exchange.expire(at)
    const stream = this.#stream(direction)
    if (stream.http === undefined) stream.blocks.gap(missing)
    else stream.http.gap(missing, at)
    return true
  }

  due(): Micros {
    return this.#exchange.due()
  }

  tick(at: Micros): void {
    this.#now = at
    this.#exchange.expire(at)
  }

  holds(): number {
    return this.#exchange.holds + (this.#isHttp ? (this.#streams[0]?.http?.holds ?? 0) + (this.#streams[1]?.http?.holds ?? 0) : 0)
  }

  forget(at: Micros): void {
    this.#now = at
    for (const stream of this.#streams) stream?.http?.forget()
    this.#exchange.forget()
  }

  end(how: End, at: Micros): void {
    this.#now = at
    for (const stream of this.#streams) {
      stream?.http?.end(at)
      stream?.blocks.end(how === 'fin' || how === 'rst')
    }
    this.#exchange.end()
    this.#pairs.close(this.#pair, this)
  }

  /** An acknowledgement that answers nothing here: is it for a message on another connection of the two hosts? */
  offer(direction: Direction, answer: Answer, at: Micros): Taken {
    return this.#pair.offer(this.#connection.flow[SIDES[direction]].ip, this, answer, at)
  }

  elsewhere(from: string, answer: Answer, at: Micros): Taken {
    this.#now = at
    return this.#exchange.elsewhere(this.#connection.flow.client.ip === from ? 1 : 0, answer, at)
  }

  sentBy(from: string): Sender {
    return this.#exchange.sentBy(this.#connection.flow.client.ip === from ? 0 : 1)
  }

  #stream(direction: Direction): Stream {
    return (this.#streams[direction] ??= new Stream(this, direction, this.#connection, this.#exchange, this.#readers, this.#isHttp))
  }

  /** HTTP shows by the first byte of a connection, which was recognised by its head; of one joined in the middle, by its next start line. */
  #listenForHttp(stream: Stream, bytes: Uint8Array, start: number, end: number): void {
    this.#isHttp = beginsAnywhere(this.#connection) ? !stream.blocks.isInBlock && startsHttp(bytes, start, end) : !this.#hasSpoken && mayCarryHl7(bytes[start]!)
    this.#hasSpoken = true
    if (this.#isHttp) for (const each of this.#streams) each?.turnToHttp()
  }

  tell(event: Hl7Message): void {
    event.at = this.#now
    this.#connection.emit(event)
  }

  /** Reports what a standard forbids: a few times per code and connection. */
  violation(code: string, section: string, offset: number, detail: string): void {
    this.#violations ??= new Map()
    const times = this.#violations.get(code) ?? 0
    if (times >= LIMITS.hl7.violationsPerCode || this.#violationsLeft <= 0) return
    this.#violations.set(code, times + 1)
    this.#violationsLeft--
    const { flow, afterGap } = this.#connection
    this.#connection.emit({ kind: 'violation', at: this.#now, flow, complete: true, after_gap: afterGap, protocol: 'hl7', code, section, offset, detail })
  }
}

/** One direction: blocks become messages, messages become events. */
class Stream implements BlockSink {
  readonly blocks: BlockReader
  http: HttpReader | undefined
  readonly #owner: Hl7Dissector
  readonly #direction: Direction
  readonly #connection: Connection
  readonly #exchange: Exchange
  readonly #readers: ReaderPool
  /** Of the open message. */
  #message: MessageReader
  /** Of the last message. */
  #route = NO_ROUTE
  #framing: Framing = 'mllp'
  #started: Micros = 0
  #offset = 0
  #batch = false
  #lossy = false

  constructor(owner: Hl7Dissector, direction: Direction, connection: Connection, exchange: Exchange, readers: ReaderPool, http: boolean) {
    this.#owner = owner
    this.#direction = direction
    this.#connection = connection
    this.#exchange = exchange
    this.#readers = readers
    this.#message = readers.none
    this.blocks = new BlockReader(this, readers.memory, readers.segmentHash, beginsAnywhere(connection))
    if (http) this.turnToHttp()
  }

  turnToHttp(): void {
    this.blocks.closeBody(true)
    this.http = httpReader(this.blocks)
  }

  begin(framing: Framing, at: Micros, offset: number, inBatch: boolean): void {
    this.#framing = framing
    this.#started = at
    this.#offset = offset
    this.#batch = inBatch
    this.#lossy = false
    this.#message = this.#readers.take()
    this.#message.reset(this.#route)
  }

  segment(b: Uint8Array, start: number, end: number, name: number, length: number, cut: boolean, hashed: boolean): void {
    this.#message.segment(b, start, end, name, length, cut, hashed)
    if (name === NAMELESS && !cut && !this.#message.isInDocument) this.#strangeLine(b, start, end, length)
  }

  /** What is no segment may be a tunnel behind a header. Next to a loss, or where a loss took the marks, it may be anything. */
  #strangeLine(b: Uint8Array, start: number, end: number, length: number): void {
    if (this.#lossy || (this.#framing === 'none' && this.#connection.afterGap)) return
    const look = lineLook(b, start, end)
    if (look !== undefined) this.#owner.violation('hl7.segment', 'HL7 v2.5.1 2.5', this.#offset, `a line of ${length} bytes that is no segment and looks like ${look}`)
  }

  piece(b: Uint8Array, start: number, end: number): void {
    this.#message.piece(b, start, end)
  }

  loss(): void {
    this.#lossy = true
    this.#message.loss()
  }

  batchHeader(b: Uint8Array, start: number, end: number): void {
    // BHS-11 and FHS-11: the control id, as MSH-10 is of a message; the inner one is what is acknowledged.
    splitFields(b, start, end, b[start + 3]!, 10, PLAIN)
    const from = fieldStart(10)
    if (fieldEnd(10) > from) this.#exchange.batch(this.#direction, latin1(b, from, Math.min(fieldEnd(10), from + LIMITS.hl7.textChars)))
  }

  commit(good: boolean): void {
    this.#exchange.transportCommit(this.#direction, good)
  }

  oddity(code: string, section: string, offset: number, detail: string): void {
    this.#owner.violation(code, section, offset, detail)
  }

  finish(at: Micros, offset: number, ended: boolean): void {
    this.#report(at, offset, ended)
    this.#route = this.#message.header.route
    this.#readers.giveBack(this.#message)
    this.#message = this.#readers.none
  }

  #report(at: Micros, offset: number, ended: boolean): void {
    const m = this.#message
    // A header that was cut before it said anything is no message.
    const { header } = m
    if (!header.isComplete && header.kind.type === null) return
    if (!header.route.delimitersGood) this.#owner.violation('hl7.delimiters', 'HL7 v2.5.1 2.5.4', this.#offset, 'MSH-1 and MSH-2 declare no five different separators')
    const bytes = offset - this.#offset
    if (m.ackCode === '' && !header.kind.isAck) {
      this.#exchange.message(this.#direction, this.#event(at, bytes, ended, null), at)
      return
    }
    const answer: Answer = {
      code: m.ackCode,
      isDelayed: m.isDelayed,
      of: m.ackOf,
      controlId: header.controlId,
      messageType: header.kind.type,
      bytes,
      patients: m.patients,
      error: m.error,
    }
    if (m.ackOf === '' && (this.#lossy || !ended)) {
      // What it names is lost, so nobody knows what it answers.
      this.#owner.tell(this.#event(at, bytes, ended, { control_id: '', code: m.ackCode, to: 'unseen', patients: m.patients, error: m.error }))
      return
    }
    const alone = this.#exchange.acknowledgement(this.#direction, answer, at)
    if (alone === undefined) return
    if (alone.to === 'unseen' && m.ackOf !== '') {
      const taken = this.#owner.offer(this.#direction, answer, at)
      if (taken === 'taken') return
      if (taken === 'late') alone.to = 'answered'
    }
    if (m.ackOf === '') this.#owner.violation('hl7.acknowledgement', 'HL7 v2.5.1 2.15.8', this.#offset, 'an acknowledgement that names no message (MSA-2)')
    else this.#owner.tell(this.#event(at, bytes, ended, alone))
  }

  /** All fields in one order, so that all events have one shape. */
  #event(at: Micros, bytes: number, ended: boolean, acknowledges: Hl7Acknowledges | null): Hl7Message {
    const m = this.#message
    const { route, kind, traits, controlId, time, timeMicros } = m.header
    return {
      kind: 'hl7.message',
      at,
      flow: this.#connection.flow,
      complete: ended && !this.#lossy,
      after_gap: this.#connection.afterGap,
      direction: SIDES[this.#direction],
      message_type: kind.type,
      structure: kind.structure,
      control_id: controlId,
      sending_app: route.sendingApp,
      sending_facility: route.sendingFacility,
      receiving_app: route.receivingApp,
      receiving_facility: route.receivingFacility,
      version: traits.version,
      processing_id: traits.processingId,
      charset: traits.charset,
      message_time: time,
      segments: m.segments,
      bytes,
      patient: m.patient,
      orders: m.orders,
      batch: this.#batch,
      acks: [],
      acknowledges,
      framing: this.#framing,
      started: this.#started,
      lag_ms: timeMicros === undefined ? undefined : (this.#started - timeMicros) / 1000,
      body: acknowledges === null ? m.bodyHash() : undefined,
      sequence: traits.sequence,
      ack_conditions: traits.ackConditions,
      commit: undefined,
      repeat: undefined,
      merged: m.merged,
      service: m.service,
      imaging: m.imaging ?? (kind.type?.startsWith('OMI') === true ? true : undefined),
      query: m.query,
      documents: m.documents,
      continuation: m.continued ? 'more' : traits.continues ? 'rest' : undefined,
    }
  }
}
