/**
 * DICOM upper layer (PS3.8): ordered bytes of one connection to associations and operations.
 *
 * Two files know the wire: `pdu.ts` (units and items) and `command.ts`, `dataset.ts` (what they carry). Here is what is between: where a
 * unit begins, which fragment belongs to which message, and what is skipped. Of a data set only the head is kept; pixel data
 * is passed over by arithmetic, but for the last byte of its last fragment, which tells when the data set is complete.
 */
import { u32be } from '../bytes.ts'
import type { DataSetFacts, DicomAssociation, DicomOperation, Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { LOST, MORE, NO, YES, YES_REVERSED } from '../protocol.ts'
import type { Connection, Direction, Dissector, End, Protocol, Verdict } from '../protocol.ts'
import { parseCommand, RESPONSE } from './command.ts'
import { emptyFacts, readFacts } from './facts.ts'
import { Operations } from './operations.ts'
import {
  A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RP, A_RELEASE_RQ, COMMAND, LAST, P_DATA_TF, PDU_HEADER, PDV_HEADER,
  parseAssociate, type Associate,
} from './pdu.ts'

/** One direction: where it is in its units, and the message it is sending. */
class Half {
  /** Bytes of the P-DATA-TF that are still to come, and of the fragment within it. */
  pdu = 0
  pdv = 0
  contextId = 0
  control = 0
  needs = PDU_HEADER
  /** Where in the stream: bytes consumed so far. */
  offset = 0
  /** Bytes of units of the present association. */
  bytes = 0
  isSearching = false

  // The message. Buffers are kept for the next one.
  messageStarted: Micros = 0
  command: Uint8Array = new Uint8Array(256)
  commandLength = 0
  head: Uint8Array = new Uint8Array(LIMITS.dicom.headStepBytes)
  headLength = 0
  /** Nothing more of the data set is looked at. */
  headDone = false
  facts: DataSetFacts | null = null
  request: DicomOperation | null = null
  expectsDataSet = false
  /** Bytes of the direction that were lost before the message. */
  lostBefore = 0

  /** Forgets where it was: bytes were lost, or a new connection begins. */
  lose(): void {
    this.pdu = 0
    this.pdv = 0
    this.commandLength = 0
    this.request = null
    this.facts = null
    this.expectsDataSet = false
    this.isSearching = true
  }
}

function append(buffer: Uint8Array, length: number, b: Uint8Array, start: number, end: number, limit: number): Uint8Array {
  const wanted = Math.min(limit, length + end - start)
  let into = buffer
  if (wanted > into.length) {
    into = new Uint8Array(Math.min(limit, Math.max(wanted, into.length * 2)))
    into.set(buffer.subarray(0, length))
  }
  into.set(b.subarray(start, start + wanted - length), length)
  return into
}

class DicomDissector implements Dissector {
  readonly #connection: Connection
  readonly #halves: [Half, Half] = [new Half(), new Half()]
  readonly #operations: Operations
  #request: Associate | undefined
  #accept: Associate | undefined
  #reject: DicomAssociation['reject'] = null
  #abort: DicomAssociation['abort'] = null
  #released = false
  #started: Micros = -1
  #last: Micros = 0
  #violations = 0

  constructor(connection: Connection) {
    this.#connection = connection
    this.#operations = new Operations(connection, () => ({
      calling_ae: (this.#request ?? this.#accept)?.calling_ae ?? null, called_ae: (this.#request ?? this.#accept)?.called_ae ?? null,
    }))
  }

  needs(direction: Direction): number {
    return this.#halves[direction].needs
  }

  data(direction: Direction, b: Uint8Array, start: number, end: number, at: Micros): number {
    const half = this.#halves[direction]
    this.#last = at
    let from = start
    if (half.isSearching) {
      from = findPdu(b, start, end)
      if (from < 0) return LOST
      half.isSearching = false
    }
    while (from < end) {
      let used: number
      if (half.pdv > 0) used = this.#fragment(direction, half, b, from, end, at)
      else if (half.pdu > 0) used = this.#pdvHeader(direction, half, b, from, end, at)
      else used = this.#unit(half, b, from, end, at)
      if (used < 0) return LOST
      if (used === 0) break
      from += used
      half.offset += used
      half.bytes += used
    }
    return from - start
  }

  /** A unit begins here. @returns bytes consumed, 0 when more are needed */
  #unit(half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    if (end - at < PDU_HEADER) {
      half.needs = PDU_HEADER
      return 0
    }
    const type = b[at]!
    const length = u32be(b, at + 2)
    if (this.#started < 0) this.#started = time
    if (type === P_DATA_TF) {
      half.pdu = length
      return PDU_HEADER
    }
    if (type < A_ASSOCIATE_RQ || type > A_ABORT) {
      this.#violation(half, 'pdu.type', 'PS3.8 9.3.1', `type ${type} is none of the seven`, time)
      half.lose()
      return LOST
    }
    const isAssociate = type <= A_ASSOCIATE_AC
    if (isAssociate ? length > LIMITS.dicom.associateBytes : length !== 4) {
      this.#violation(half, 'pdu.length', 'PS3.8 9.3', `a unit of type ${type} claims ${length} bytes`, time)
      half.lose()
      return LOST
    }
    const size = PDU_HEADER + length
    if (end - at < size) {
      half.needs = size
      return 0
    }
    this.#control(type, b, at, at + size, time)
    return size
  }

  /** A unit other than P-DATA-TF, whole. */
  #control(type: number, b: Uint8Array, at: number, end: number, time: Micros): void {
    if (type === A_ASSOCIATE_RQ) {
      if (this.#request !== undefined) this.#finish('closed', time)
      this.#started = time
      this.#request = parseAssociate(b, at, end)
    } else if (type === A_ASSOCIATE_AC) this.#accept ??= parseAssociate(b, at, end)
    else if (type === A_ASSOCIATE_RJ) this.#reject ??= { result: b[at + 7]!, source: b[at + 8]!, reason: b[at + 9]! }
    else if (type === A_ABORT) this.#abort ??= { source: b[at + 8]!, reason: b[at + 9]! }
    else if (type === A_RELEASE_RQ || type === A_RELEASE_RP) this.#released = true
  }

  #pdvHeader(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    if (end - at < PDV_HEADER) {
      half.needs = PDV_HEADER
      return 0
    }
    const length = u32be(b, at)
    if (length < 2 || length > half.pdu - 4) {
      this.#violation(half, 'pdv.length', 'PS3.8 9.3.5.1', `a fragment of ${length} bytes in a unit with ${half.pdu} left`, time)
      half.lose()
      return LOST
    }
    half.contextId = b[at + 4]!
    half.control = b[at + 5]!
    half.pdv = length - 2
    half.pdu -= PDV_HEADER
    if ((half.control & COMMAND) !== 0 && half.commandLength === 0) half.messageStarted = time
    if (half.pdv === 0) this.#fragmentDone(direction, half, time)
    return PDV_HEADER
  }

  /** Bytes of a fragment. @returns how many are done with; more than there are when the rest of it is passed over */
  #fragment(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    let used = Math.min(half.pdv, end - at)
    if ((half.control & COMMAND) !== 0) {
      half.command = append(half.command, half.commandLength, b, at, at + used, LIMITS.dicom.commandBytes)
      half.commandLength = Math.min(LIMITS.dicom.commandBytes, half.commandLength + used)
    } else {
      if (!half.headDone && half.request !== null) this.#readHead(half, b, at, at + used)
      // The last byte of the last fragment comes here as any other: it tells when the data set is complete.
      const skippable = half.pdv - ((half.control & LAST) !== 0 ? 1 : 0)
      if ((half.headDone || half.request === null) && skippable > used) used = skippable
      if (half.facts !== null) half.facts.bytes += used
    }
    half.pdv -= used
    half.pdu -= used
    if (half.pdv === 0) this.#fragmentDone(direction, half, time)
    return used
  }

  #readHead(half: Half, b: Uint8Array, start: number, end: number): void {
    const before = half.headLength
    half.head = append(half.head, before, b, start, end, LIMITS.dicom.headBytes)
    half.headLength = Math.min(LIMITS.dicom.headBytes, before + end - start)
    // Looked at in steps that double, so that each byte is looked at about twice.
    const step = before < LIMITS.dicom.headStepBytes ? LIMITS.dicom.headStepBytes : before * 2
    if (half.request!.command === 'C-STORE' && half.headLength >= Math.min(step, LIMITS.dicom.headBytes)) {
      half.headDone = half.headLength === LIMITS.dicom.headBytes || readFacts(half.head, half.headLength, { ...emptyFacts(half.facts!.transfer_syntax) }, this.#connection.pseudonyms)
    }
  }

  #fragmentDone(direction: Direction, half: Half, time: Micros): void {
    if ((half.control & LAST) === 0) return
    if ((half.control & COMMAND) !== 0) this.#commandDone(direction, half, time)
    else if (half.expectsDataSet) {
      half.expectsDataSet = false
      const { request } = half
      if (request !== null) {
        this.#operations.describe(request, half.facts!, half.head, half.headLength)
        request.complete = this.#connection.lost(direction) === half.lostBefore
        half.request = null
        this.#operations.requested(request, time)
      }
      half.facts = null
    }
  }

  #commandDone(direction: Direction, half: Half, time: Micros): void {
    const command = parseCommand(half.command, half.commandLength)
    half.commandLength = 0
    half.headLength = 0
    half.headDone = false
    half.lostBefore = this.#connection.lost(direction)
    half.request = null
    half.facts = null
    if (command === undefined) return
    half.expectsDataSet = command.hasDataSet
    if ((command.field & RESPONSE) !== 0) {
      this.#operations.response(direction === 0 ? 1 : 0, command, time)
      return
    }
    const request = this.#operations.request(direction, half.contextId, command, half.messageStarted, time)
    if (request === null) return
    if (!command.hasDataSet) {
      this.#operations.requested(request, time)
      return
    }
    half.request = request
    half.facts = emptyFacts(this.#transferSyntax(half.contextId))
    request.dataset = half.facts
  }

  #transferSyntax(contextId: number): string | null {
    return this.#accept?.contexts.find((c) => c.id === contextId)?.transfer_syntax ?? null
  }

  gap(direction: Direction, missing: number): boolean {
    const half = this.#halves[direction]
    // Within a fragment the loss is a piece of what is counted anyway: the next unit is where it was expected.
    if (half.pdv > missing && (half.control & COMMAND) === 0) {
      half.pdv -= missing
      half.pdu -= missing
      half.headDone = true
      if (half.facts !== null) half.facts.bytes += missing
      half.bytes += missing
      half.offset += missing
      return true
    }
    half.lose()
    return false
  }

  end(how: End, at: Micros): void {
    this.#finish(how === 'rst' ? 'reset' : how === 'fin' ? 'closed' : 'open', at)
  }

  #finish(ended: DicomAssociation['ended'], at: Micros): void {
    const { counts } = this.#operations
    this.#operations.end(at)
    if (this.#started < 0) return
    const request = this.#request
    const said = request ?? this.#accept
    const [client, server] = this.#halves
    const answers = new Map(this.#accept?.contexts.map((c) => [c.id, c]))
    this.#connection.emit({
      kind: 'dicom.association', at, flow: this.#connection.flow, complete: !this.#connection.afterGap && ended !== 'open', after_gap: this.#connection.afterGap,
      calling_ae: said?.calling_ae ?? null, called_ae: said?.called_ae ?? null,
      result: request === undefined ? 'unseen' : this.#reject ? 'rejected' : this.#accept ? 'accepted' : 'unanswered',
      ended: this.#abort ? 'aborted' : this.#released ? 'released' : ended,
      reject: this.#reject, abort: this.#abort,
      contexts: (said?.contexts ?? []).map((c) => ({ ...c, result: answers.get(c.id)?.result ?? null, transfer_syntax: answers.get(c.id)?.transfer_syntax ?? null })),
      max_pdu: { client: request?.maximumLength ?? null, server: this.#accept?.maximumLength ?? null },
      implementation: { client: request?.implementation ?? null, server: this.#accept?.implementation ?? null },
      user_identity: request?.userIdentity ?? null, roles: said?.roles ?? [], async_operations: said?.asyncOperations ?? null,
      operations: counts, bytes: { client: client.bytes, server: server.bytes }, started: this.#started, ended_at: this.#last,
    })
    this.#request = this.#accept = undefined
    this.#reject = this.#abort = null
    this.#released = false
    this.#started = -1
    client.bytes = server.bytes = 0
  }

  #violation(half: Half, code: string, section: string, detail: string, at: Micros): void {
    // Where bytes are missing, or the beginning was not seen, what looks wrong may be our own loss of sync.
    if (this.#connection.afterGap || this.#connection.flow.midstream || this.#violations++ >= LIMITS.dicom.violations) return
    this.#connection.emit({
      kind: 'violation', at, flow: this.#connection.flow, complete: true, after_gap: false, protocol: 'dicom', code, section, offset: half.offset, detail,
    })
  }
}

// ---------------------------------------------------------------------------------------------- recognition

/** A release, an abort or a rejection that is all there is: ten bytes say enough only where they stand alone. */
function isShortUnit(b: Uint8Array, start: number, end: number): boolean {
  const type = b[start]!
  return end - start === 10 && type >= A_ASSOCIATE_RJ && type <= A_ABORT && type !== P_DATA_TF && b[start + 1] === 0 && u32be(b, start + 2) === 4 && b[start + 6] === 0
}

/** Where a unit that is unmistakable begins, or -1: an A-ASSOCIATE, or a P-DATA-TF whose first fragment fits it. */
function findPdu(b: Uint8Array, start: number, end: number): number {
  if (isShortUnit(b, start, end)) return start
  for (let at = start; at + PDU_HEADER + PDV_HEADER <= end; at++) {
    const type = b[at]!
    if (type < A_ASSOCIATE_RQ || type > A_ABORT || b[at + 1] !== 0) continue
    if (isPlausible(b, at) && (b[at] === P_DATA_TF || areTitles(b, at + 10, Math.min(at + 42, end)))) return at
  }
  return -1
}

function isPlausible(b: Uint8Array, at: number): boolean {
  const length = u32be(b, at + 2)
  switch (b[at]) {
    case A_ASSOCIATE_RQ: case A_ASSOCIATE_AC:
      return length >= 68 && length <= LIMITS.dicom.associateBytes && b[at + 6] === 0 && (b[at + 7]! & 1) === 1 && b[at + 8] === 0 && b[at + 9] === 0
    case P_DATA_TF: {
      const pdv = u32be(b, at + 6)
      return pdv >= 2 && pdv + 4 <= length && length <= LIMITS.dicom.pduBytes && (b[at + 10]! & 1) === 1 && b[at + 11]! <= 3 && (pdv + 4 === length || length > pdv + 9)
    }
    default: return false
  }
}

/** Are the two titles text, padded with blanks or NUL? Asked only where sync is searched for: at the start of a connection a title may be anything. */
function areTitles(b: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (b[at]! < 0x20 && b[at] !== 0) return false
  return true
}

function probe(b: Uint8Array, start: number, end: number, direction: Direction, midstream: boolean): Verdict {
  const type = b[start]!
  if (!midstream && (type < A_ASSOCIATE_RQ || type > A_ABORT || (end - start > 1 && b[start + 1] !== 0))) return NO
  if (end - start < PDU_HEADER + PDV_HEADER) {
    if (isShortUnit(b, start, end) && (midstream || (type === A_ASSOCIATE_RJ && b[start + 7]! <= 2))) return YES
    return midstream ? NO : MORE
  }
  if (isPlausible(b, start)) {
    if (type === A_ASSOCIATE_RQ) return direction === 0 ? YES : YES_REVERSED
    if (type === A_ASSOCIATE_AC) return direction === 1 ? YES : YES_REVERSED
    // Data before the accept is seen where a replaying client does not wait; at the very start of a connection it is no DICOM.
    return midstream ? YES : NO
  }
  return midstream && findPdu(b, start, end) >= 0 ? YES : NO
}

export const dicom: Protocol = { name: 'dicom', probe, open: (connection) => new DicomDissector(connection) }
