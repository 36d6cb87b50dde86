/**
 * DICOM upper layer (PS3.8): ordered bytes of one connection to associations and operations.
 *
 * What the wire looks like is in `pdu.ts`, `associate.ts`, `command.ts` and `dataset.ts`; what may follow what in `association.ts`; what
 * belongs together in `operations.ts`; what is told of an association in `story.ts`. Here is what is between: where a unit begins, which
 * fragment belongs to which message, and what is passed over. Nothing is allocated per unit or fragment of bulk. The last byte of the
 * last fragment is never passed over unseen: it tells when, and that, a data set is complete.
 */
import { u32be } from '../bytes.ts'
import type { DicomAssociation, Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { LOST, SERVER } from '../protocol.ts'
import type { Connection, Direction, Dissector, End } from '../protocol.ts'
import { AssociateReader, type Associate } from './associate.ts'
import { AssociationStates } from './association.ts'
import { causeOf } from './causes.ts'
import { commandSetAt, GROUP_LENGTH_ELEMENT, readCommand, type Command } from './command.ts'
import { IDENTIFIER, IMAGE, MATCH, NORMALIZED } from './facts.ts'
import { Faults } from './faults.ts'
import { Half } from './half.ts'
import { Operations } from './operations.ts'
import {
  A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RQ, abortOf, COMMAND, LAST, NO_CONTEXT, P_DATA_TF, PDU_HEADER, PDV_FIXED, PDV_HEADER,
  rejectOf, SHORT_BODY,
} from './pdu.ts'
import { findUnit } from './recognition.ts'
import { Story } from './story.ts'

/** A-ABORT (PS3.8 9.3.8): the provider did not recognize, or did not expect, a unit or a parameter, or takes its value for invalid. */
const BY_PROVIDER = 2
const MISUNDERSTOOD: ReadonlySet<number> = new Set([1, 2, 4, 5, 6])
/** Both directions, as bits. */
const BOTH = 3
/** Room that a side keeps for the next command in pieces; one that needed more gives it back. */
const KEPT_COMMAND = 1024
const EMPTY = new Uint8Array(0)

class DicomDissector implements Dissector {
  readonly #connection: Connection
  readonly #faults: Faults
  readonly #operations: Operations
  readonly #halves: readonly [Half, Half]

  // The present association.
  readonly #states = new AssociationStates((offset, type, state, at, isAlone) => {
    // What is missing may be what the side that is not in the capture said.
    if (isAlone || this.#heard === BOTH) this.#faults.report('pdu.out-of-place', offset, at, type, state)
  })
  #story = new Story()
  /** When the last bytes came. */
  #last: Micros = 0
  /** Sides that have sent a unit on this connection, as bits. */
  #heard = 0
  /** Transfer syntaxes of accepted contexts. */
  readonly #accepted = new Map<number, string | null>()

  constructor(connection: Connection) {
    this.#connection = connection
    this.#faults = new Faults(connection)
    this.#operations = new Operations(connection, this.#faults)
    this.#halves = [new Half(connection), new Half(connection)]
  }

  needs(direction: Direction): number {
    return this.#halves[direction].needs
  }

  data(direction: Direction, b: Uint8Array, start: number, end: number, at: Micros): number {
    const half = this.#halves[direction]
    let from = start
    if (half.isSearching) {
      from = findUnit(b, start, end)
      if (from < 0) {
        half.offset += end - start
        return LOST
      }
      half.offset += from - start
      half.isSearching = false
      from = this.#headless(direction, half, b, from, end, at)
    }
    this.#last = at
    while (from < end) {
      const used = this.#step(direction, half, b, from, end, at)
      if (used < 0) {
        half.offset += end - from
        return LOST
      }
      if (used === 0) break
      half.offset += used
      from += used
    }
    return from - start
  }

  /** A command set whose header is lost, and with it the presentation context. @returns where to go on */
  #headless(direction: Direction, half: Half, b: Uint8Array, start: number, end: number, time: Micros): number {
    const length = commandSetAt(b, start, end)
    if (length === 0) return start
    this.#begin(time)
    this.#heard |= 1 << direction
    half.started = time
    half.messageContext = NO_CONTEXT
    this.#commandDone(direction, half, b, start, start + length, time)
    half.offset += length
    return start + length
  }

  /** @returns bytes done with, 0 when `half.needs` are wanted, or LOST */
  #step(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    if (half.pdv > 0) return this.#fragment(direction, half, b, at, end, time)
    if (half.pdu > 0) return this.#pdvHeader(direction, half, b, at, end, time)
    if (half.unread > 0) {
      const used = half.unread
      half.unread = 0
      return used
    }
    if (half.associate !== null) return this.#associateStep(half, half.associate, b, at, end, time)
    return this.#unit(direction, half, b, at, end, time)
  }

  // ---------------------------------------------------------------------------------------------------- units

  #unit(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    half.needs = PDU_HEADER
    if (end - at < PDU_HEADER) return 0
    const type = b[at]!
    const length = u32be(b, at + 2)
    if (type === P_DATA_TF) {
      this.#begin(time)
      this.#place(direction, half, type, time)
      this.#checkLength(direction, half, length, time)
      if (length < PDV_HEADER) half.unread = length
      else half.pdu = length
      return PDU_HEADER
    }
    if (type === A_ASSOCIATE_RQ || type === A_ASSOCIATE_AC) return this.#associate(direction, half, type, length, time)
    if (type < A_ASSOCIATE_RQ || type > A_ABORT) {
      this.#faults.report('pdu.type', half.offset, time, type)
      if (b[at + 1] !== 0 || length > LIMITS.dicom.unknownPduBytes) return this.#lose(half)
      half.unread = length
      return PDU_HEADER
    }
    if (length !== SHORT_BODY) {
      this.#faults.report('pdu.length', half.offset, time, type, length)
      if (length > LIMITS.dicom.unknownPduBytes) return this.#lose(half)
    }
    half.needs = PDU_HEADER + Math.min(length, SHORT_BODY)
    if (end - at < half.needs) return 0
    this.#begin(time)
    this.#place(direction, half, type, time)
    if (length >= SHORT_BODY) this.#short(direction, half, type, b, at + PDU_HEADER, time)
    half.unread = Math.max(0, length - SHORT_BODY)
    return half.needs
  }

  /** Nothing makes sense here: what is found later is a guess. */
  #lose(half: Half): number {
    this.#faults.isSure = false
    half.lose()
    return LOST
  }

  #begin(time: Micros): void {
    if (this.#story.started < 0) this.#story.started = time
  }

  #place(direction: Direction, half: Half, type: number, time: Micros): void {
    this.#heard |= 1 << direction
    if (this.#heard === BOTH) this.#faults.isTwoSided = true
    this.#states.unit(direction, type, half.offset, time)
  }

  /** PS3.8 D.1.1: what a side announces binds the other; 0 is no limit. */
  #checkLength(direction: Direction, half: Half, length: number, time: Micros): void {
    if (length < PDV_HEADER) this.#faults.report('pdu.length', half.offset, time, P_DATA_TF, length)
    const receiver = direction === this.#story.requestor ? this.#story.accept : this.#story.request
    const maximum = receiver === null ? 0 : receiver.maximum_length ?? 0
    if (maximum > 0 && length > maximum) this.#faults.report('pdu.over-maximum', half.offset, time, length, maximum)
  }

  #short(direction: Direction, half: Half, type: number, b: Uint8Array, body: number, time: Micros): void {
    const story = this.#story
    if (type === A_ASSOCIATE_RJ) story.reject ??= rejectOf(b, body)
    else if (type === A_ABORT) this.#aborted(direction, half, abortOf(b, body), time)
    else if (type === A_RELEASE_RQ) story.isReleaseAsked = true
    else story.isReleaseAnswered = true
    // Answers may follow a release; where none is waited for, the association is told at once.
    if (story.isReleaseAnswered && story.isReleaseAsked && this.#operations.isQuiet) this.#tell('released', time)
  }

  /** What was no unit of DICOM was not recognised here either: the server's answer tells of it. What was, has been told already. */
  #aborted(direction: Direction, half: Half, abort: ReturnType<typeof abortOf>, time: Micros): void {
    const isFirst = this.#story.abort === null
    this.#story.abort ??= abort
    if (!isFirst || direction !== SERVER || abort.source !== BY_PROVIDER || !MISUNDERSTOOD.has(abort.reason) || this.#faults.count > 0) return
    this.#faults.report('pdu.misunderstood', half.offset, time, abort.reason)
  }

  #associate(direction: Direction, half: Half, type: number, length: number, time: Micros): number {
    if (length > LIMITS.dicom.associateBytes) {
      this.#faults.report('associate.length', half.offset, time, type, length)
      if (length > LIMITS.dicom.associateClaim) return this.#lose(half)
    }
    // An acceptance may be seen before its request where a mirror port swaps directions.
    const isLate = this.#story.request === null && this.#story.accept !== null && !this.#story.isTold
    if (type === A_ASSOCIATE_RQ && this.#story.started >= 0 && !isLate) {
      this.#place(direction, half, type, time)
      this.#finish('closed', time)
    }
    this.#begin(time)
    this.#place(direction, half, type, time)
    half.associate = new AssociateReader(type === A_ASSOCIATE_AC, length, this.#faults)
    if (type === A_ASSOCIATE_RQ) {
      this.#story.requestor = direction
      this.#story.request = half.associate.associate
    } else this.#story.accept ??= half.associate.associate
    if (length > 0) return PDU_HEADER
    this.#faults.report('pdu.length', half.offset, time, type, length)
    half.associate = null
    return PDU_HEADER
  }

  #associateStep(half: Half, reader: AssociateReader, b: Uint8Array, at: number, end: number, time: Micros): number {
    const used = reader.read(b, at, end, half.offset, time)
    half.needs = reader.needs
    if (used === 0) return 0
    this.#nameEnds()
    if (!reader.isComplete) return used
    half.associate = null
    if (reader.associate === this.#story.request) {
      this.#story.isRequestWhole = true
      const { client, server } = this.#connection.flow
      this.#operations.opened((this.#story.requestor === 0 ? client : server).ip, time)
    } else if (reader.associate === this.#story.accept) this.#negotiated(half, reader.associate, time)
    return used
  }

  /** Titles are in the request; an acceptance repeats them (PS3.8 table 9-17), untested, and is taken where the request was not seen. */
  #nameEnds(): void {
    const said = this.#story.request ?? this.#story.accept
    this.#operations.callingAe = said?.calling_ae ?? null
    this.#operations.calledAe = said?.called_ae ?? null
  }

  #negotiated(half: Half, accept: Associate, time: Micros): void {
    const story = this.#story
    story.isAcceptWhole = true
    this.#adopt(accept)
    if (!story.isRequestWhole) return
    this.#operations.window(story.requestor, accept.async_operations)
    for (const { id } of accept.contexts) {
      if (!story.request!.contexts.some((c) => c.id === id)) this.#faults.report('context.not-proposed', half.offset, time, id)
    }
  }

  #adopt(accept: Associate): void {
    for (const { id, result, transfer_syntax } of accept.contexts) if (result === 0) this.#accepted.set(id, transfer_syntax)
  }

  // -------------------------------------------------------------------------------------------------- fragments

  #pdvHeader(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    half.needs = Math.min(PDV_HEADER, half.pdu)
    if (end - at < half.needs) return 0
    const length = half.pdu < PDV_HEADER ? 0 : u32be(b, at)
    if (length < PDV_FIXED || length > half.pdu - 4) {
      this.#faults.report('pdv.length', half.offset, time, length, half.pdu)
      // The unit's own length still tells where the next one begins.
      half.unread = half.pdu
      half.pdu = 0
      return this.#step(direction, half, b, at, end, time)
    }
    half.contextId = b[at + 4]!
    half.control = b[at + 5]!
    half.pdv = length - PDV_FIXED
    half.pdu -= PDV_HEADER
    this.#checkFragment(half, time)
    if (half.pdv === 0) this.#fragmentDone(direction, half, b, at, at, time)
    return PDV_HEADER
  }

  #checkFragment(half: Half, time: Micros): void {
    const { contextId, control } = half
    if (control > (COMMAND | LAST)) this.#faults.report('pdv.control', half.offset, time, control)
    if ((half.pdv & 1) === 1) this.#faults.report('pdv.odd', half.offset, time, half.pdv)
    if ((control & COMMAND) === 0) {
      if (!half.expectsDataSet) this.#faults.report('message.no-command', half.offset, time)
      else if (half.messageContext === NO_CONTEXT) this.#contextFound(half)
      else if (contextId !== half.messageContext) this.#faults.report('message.interleaved', half.offset, time, contextId, half.messageContext)
      return
    }
    if (half.commandLength > 0) {
      if (contextId !== half.messageContext) this.#faults.report('message.interleaved', half.offset, time, contextId, half.messageContext)
      return
    }
    half.started = time
    half.messageContext = contextId
    if (this.#story.isAcceptWhole && !this.#accepted.has(contextId)) this.#faults.report('pdv.context', half.offset, time, contextId)
  }

  /** The header of the command was lost; its data set tells on which context it is. */
  #contextFound(half: Half): void {
    half.messageContext = half.contextId
    const event = half.request?.event
    if (event === undefined) return
    event.context_id = half.contextId
    event.dataset!.transfer_syntax = this.#accepted.get(half.contextId) ?? null
  }

  /** Bytes of a fragment. @returns how many are done with; more than there are when the rest of it is passed over */
  #fragment(direction: Direction, half: Half, b: Uint8Array, at: number, end: number, time: Micros): number {
    let used = Math.min(half.pdv, end - at)
    const to = at + used
    if ((half.control & COMMAND) === 0) {
      const { walker } = half
      if (!walker.isDone) walker.feed(b, at, to)
      const rest = half.pdv - used - ((half.control & LAST) === 0 ? 0 : 1)
      if (rest > 0) {
        const passed = walker.isDone ? rest : Math.min(rest, walker.skipping)
        if (!walker.isDone) walker.pass(passed)
        used += passed
      }
      half.dataSetBytes += used
    } else if (used < half.pdv || (half.control & LAST) === 0 || half.commandLength > 0) this.#keepCommand(half, b, at, to)
    half.pdv -= used
    half.pdu -= used
    if (half.pdv === 0) this.#fragmentDone(direction, half, b, at, to, time)
    return used
  }

  #keepCommand(half: Half, b: Uint8Array, start: number, end: number): void {
    const length = Math.min(LIMITS.dicom.commandBytes + 1, half.commandLength + end - start)
    if (length > half.command.length) {
      const larger = new Uint8Array(Math.min(LIMITS.dicom.commandBytes + 1, Math.max(512, 2 * length)))
      larger.set(half.command.subarray(0, half.commandLength))
      half.command = larger
    }
    half.command.set(b.subarray(start, start + length - half.commandLength), half.commandLength)
    half.commandLength = length
  }

  /** A fragment is whole: `b[at..to)` is what came of it last. */
  #fragmentDone(direction: Direction, half: Half, b: Uint8Array, at: number, to: number, time: Micros): void {
    if ((half.control & LAST) === 0) return
    if ((half.control & COMMAND) === 0) this.#dataSetDone(direction, half, true, time)
    else if (half.commandLength === 0) this.#commandDone(direction, half, b, at, to, time)
    else {
      const { command, commandLength } = half
      half.commandLength = 0
      if (command.length > KEPT_COMMAND) half.command = EMPTY
      this.#commandDone(direction, half, command, 0, commandLength, time)
    }
  }

  // --------------------------------------------------------------------------------------------------- messages

  #commandDone(direction: Direction, half: Half, b: Uint8Array, start: number, end: number, time: Micros): void {
    if (half.expectsDataSet) {
      this.#faults.report('message.no-data-set', half.offset, time)
      this.#dataSetDone(direction, half, false, time)
    }
    const command = readCommand(b, start, end)
    half.dataSetBytes = 0
    if (command.field < 0 || end - start > LIMITS.dicom.commandBytes) {
      this.#faults.report('command.form', half.offset, time, end - start)
      return
    }
    this.#checkCommand(half, command, end - start, time)
    half.expectsDataSet = command.hasDataSet
    half.lostBefore = this.#connection.lost(direction)
    half.isCut = false
    const transferSyntax = this.#accepted.get(half.messageContext) ?? null
    if (command.isResponse) this.#responseDone(direction, half, command, transferSyntax, time)
    else this.#requestDone(direction, half, command, transferSyntax, time)
  }

  #checkCommand(half: Half, command: Command, length: number, time: Micros): void {
    if (!command.isWhole) this.#faults.report('command.form', half.offset, time, length)
    else if (command.groupLength !== length - GROUP_LENGTH_ELEMENT) this.#faults.report('command.group-length', half.offset, time, command.groupLength, length)
  }

  #requestDone(direction: Direction, half: Half, command: Command, transferSyntax: string | null, time: Micros): void {
    const pending = this.#operations.request(direction, half.messageContext, transferSyntax, command, half.started, time, half.offset)
    if (pending === null) return
    if (!command.hasDataSet) {
      this.#operations.requested(pending, time)
      return
    }
    const { event } = pending
    half.request = pending
    half.facts.begin(event.command === 'C-STORE' ? IMAGE : event.query !== null ? IDENTIFIER : NORMALIZED)
    half.facts.facts = event.dataset
    half.facts.query = event.query
    half.facts.commitment = event.commitment ?? null
    half.walker.begin(half.facts, transferSyntax)
  }

  #responseDone(direction: Direction, half: Half, command: Command, transferSyntax: string | null, time: Micros): void {
    const invoker = opposite(direction)
    const asked = this.#halves[invoker]
    const query = this.#operations.response(invoker, half.messageContext, command, time, half.offset, asked.strayBytes)
    asked.strayBytes = 0
    if (query === null) return
    half.facts.begin(MATCH)
    half.facts.patients = query.patients
    half.walker.begin(half.facts, transferSyntax)
  }

  /** @param isWhole its last fragment came */
  #dataSetDone(direction: Direction, half: Half, isWhole: boolean, time: Micros): void {
    const bytes = half.dataSetBytes
    half.dataSetBytes = 0
    if (!half.expectsDataSet) {
      half.strayBytes = bytes
      return
    }
    half.expectsDataSet = false
    const { walker, request } = half
    const isClean = walker.end()
    if (walker.isMalformed || (isWhole && !isClean)) this.#faults.report('dataset.form', half.offset, time, walker.offset)
    if (walker.isOtherSyntax) this.#faults.report('dataset.syntax', half.offset, time, half.messageContext)
    half.request = null
    if (request === null) return
    request.event.dataset!.bytes = bytes
    request.event.complete = isWhole && !half.isCut && this.#connection.lost(direction) === half.lostBefore
    this.#operations.requested(request, time)
  }

  // -------------------------------------------------------------------------------------------- losses and ends

  gap(direction: Direction, missing: number, at: Micros): boolean {
    const half = this.#halves[direction]
    half.offset += missing
    // Within a fragment of a data set the loss is a piece of what is counted anyway.
    const counted = (half.control & COMMAND) === 0 ? Math.min(missing, half.pdv) : 0
    if (counted > 0) {
      if (counted <= half.walker.skipping) half.walker.pass(counted)
      else half.walker.isDone = true
      half.dataSetBytes += counted
      half.pdv -= counted
      half.pdu -= counted
      if (half.pdv === 0) this.#fragmentDone(direction, half, EMPTY, 0, 0, at)
    }
    if (counted === missing) return true
    if (this.#story.accept !== null && half.associate?.associate === this.#story.accept) this.#adopt(this.#story.accept)
    half.lose()
    return false
  }

  holds(): number {
    const [client, server] = this.#halves
    return this.#story.holds + this.#operations.holds + client.holds + server.holds
  }

  forget(at: Micros): void {
    this.#faults.isSure = false
    this.#operations.forget(at)
    this.#story.forget()
    this.#accepted.clear()
    for (const half of this.#halves) half.forget()
  }

  end(how: End, at: Micros): void {
    this.#finish(how === 'rst' ? 'reset' : how === 'fin' ? 'closed' : 'open', at)
  }

  /** The association is over in any case: what is open is told, and the next one may begin. */
  #finish(ended: DicomAssociation['ended'], at: Micros): void {
    for (const direction of [0, 1] as const) if (this.#halves[direction].request !== null) this.#dataSetDone(direction, this.#halves[direction], false, at)
    this.#states.begin(at)
    this.#operations.end(at)
    this.#tell(ended, at)
    this.#operations.begin()
    this.#story = new Story()
    this.#accepted.clear()
    this.#faults.clear()
    for (const half of this.#halves) half.began = half.offset
  }

  /** The event of the association, once. */
  #tell(ended: DicomAssociation['ended'], at: Micros): void {
    const story = this.#story
    if (story.started < 0 || story.isTold) return
    story.isTold = true
    const [client, server] = this.#halves
    const isWholeSeen = this.#faults.isTrusted && this.#heard === BOTH
    const event = story.event(this.#connection, ended, at, ended === 'open' ? this.#last : at, isWholeSeen)
    event.operations = this.#operations.counts
    event.bytes = { client: client.offset - client.began, server: server.offset - server.began }
    const { openedFor } = this.#operations
    if (openedFor !== null) event.cause = causeOf(openedFor.event, 'destination', story.started)
    if (this.#faults.count > 0) event.violations = this.#faults.count
    this.#connection.emit(event)
  }
}

const opposite = (direction: Direction): Direction => (direction === 0 ? 1 : 0)

export const open = (connection: Connection): Dissector => new DicomDissector(connection)
