/**
 * DIMSE requests and responses of one association, paired (PS3.7 section 7): by message id, presentation context and service, in both
 * directions, also asynchronous. Where an id is in use twice, the instance decides, then the order.
 *
 * An event is `complete` when its request (command and data set) was seen whole. It then may still lack a `status`: no final
 * response was seen. A response whose request was not seen is an operation too, but never a complete one.
 */
import type { DicomAssociation, DicomOperation, DimseCommand, Micros, Side } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Pseudonym } from '../phi.ts'
import type { Connection, Direction } from '../protocol.ts'
import { causesOf, type Causes, type Move } from './causes.ts'
import { C_CANCEL, RESPONSE, type Command } from './command.ts'
import { emptyFacts, emptyQuery, PATIENT_BYTES } from './facts.ts'
import type { Faults } from './faults.ts'
import { NO_CONTEXT } from './pdu.ts'
import { STORAGE_COMMITMENT } from './uids.ts'

/** Statuses of pending responses (PS3.7 annex C). */
const PENDING = 0xff00
const PENDING_WARNING = 0xff01
/** Memory of a request that waits, and of what its data set told, about. */
const OPERATION_BYTES = 600
const FACTS_BYTES = 600
/** Matching or sub-operations terminated due to a Cancel (PS3.4 C.4). */
const CANCELLED = 0xfe00

export interface Pending {
  readonly invoker: Direction
  readonly event: DicomOperation
  /** False when only responses tell of it. */
  isSeen: boolean
  /** The request's data set is still to come. */
  isOpen: boolean
  /** Its message id was used again meanwhile: where and when. */
  again: { offset: number; at: Micros } | null
  /** More requests than were negotiated waited while it did: the first of them too many. */
  beyond: { offset: number; at: Micros; messageId: number } | null
  /** A final response that came before the request was whole. */
  held: Answer | null
  /** Patients that the matches of a query named, and of how many the memory is counted. */
  patients: Set<Pseudonym> | null
  counted: number
  /** Of a C-MOVE: what it makes others do. */
  move: Move | null
  /** Memory that it takes, about. */
  bytes: number
}

interface Answer {
  readonly invoker: Direction
  readonly contextId: number
  readonly command: Command
  readonly at: Micros
  readonly offset: number
  /** Data set bytes of the request that went by before the capture knew what they were. */
  readonly strayBytes: number
}

/** What every request of a service must have (PS3.7 tables 9.3-1 to 9.3-12 and 10.3-1 to 10.3-11). */
function lacksElement(service: DimseCommand, command: Command): boolean {
  const needsInstance = service === 'C-STORE' || (service.startsWith('N-') && service !== 'N-CREATE')
  return command.messageId < 0 || command.sopClass === null || (needsInstance && command.sopInstance === null) ||
    (service === 'C-MOVE' && command.moveDestination === null)
}

const statusText = (status: number): string => (status === 0 ? '0000' : status.toString(16).toUpperCase().padStart(4, '0'))
const side = (direction: Direction): Side => (direction === 0 ? 'client' : 'server')
const known = (count: number): number | null => (count < 0 ? null : count)

export class Operations {
  readonly #connection: Connection
  readonly #faults: Faults
  readonly #causes: Causes
  /** The C-MOVE that the association was opened for. */
  openedFor: Move | null = null
  callingAe: string | null = null
  calledAe: string | null = null
  /** Requests by command. */
  counts: DicomAssociation['operations'] = {}
  /** How many requests of a side may wait for their responses; 0 without limit (PS3.7 D.3.3.3). */
  readonly #windows: [number, number] = [0, 0]
  #pending: Pending[] = []
  #held = 0
  /** Responses whose request has not come: mirror ports swap directions, and a request may wait behind a hole. */
  #early: Answer[] = []

  constructor(connection: Connection, faults: Faults) {
    this.#connection = connection
    this.#faults = faults
    this.#causes = causesOf(connection.pseudonyms)
  }

  /** An association was asked for, by the side of that address. */
  opened(requestor: string, at: Micros): void {
    this.openedFor = this.#causes.opened(requestor, this.calledAe, this.#connection.flow, at)
  }

  /** Both A-ASSOCIATE units were seen. What was not negotiated is one at a time; what the requestor may invoke the acceptor performs, and the other way round. */
  window(requestor: Direction, agreed: DicomAssociation['async_operations']): void {
    this.#windows[requestor] = agreed?.invoked ?? 1
    this.#windows[requestor === 0 ? 1 : 0] = agreed?.performed ?? 1
  }

  /** Memory of what waits, about. */
  get holds(): number {
    return this.#held + this.#early.length * OPERATION_BYTES
  }

  #grow(pending: Pending, bytes: number): void {
    pending.bytes += bytes
    this.#held += bytes
  }

  /** What waits is told as it is, except for what is being said. */
  forget(at: Micros): void {
    this.#settle(at, 0)
    for (let i = 0; i < this.#pending.length;) {
      const pending = this.#pending[i]!
      if (pending.isOpen) i++
      else this.#finish(i, pending.held, at)
    }
  }

  /** Nothing waits for anything. */
  get isQuiet(): boolean {
    return this.#pending.length === 0 && this.#early.length === 0
  }

  /** A request's command set is whole. @returns what its data set, if one follows, is to complete; null when it is no operation of its own */
  request(invoker: Direction, contextId: number, transferSyntax: string | null, command: Command, started: Micros, at: Micros, offset: number): Pending | null {
    if (this.#early.length > 0) this.#settle(at, LIMITS.dicom.earlyAge)
    const { field, service } = command
    if (field === C_CANCEL) {
      this.#cancel(invoker, command.respondedTo)
      return null
    }
    if (service === undefined) {
      this.#faults.report('command.unknown', offset, at, field)
      return null
    }
    if (lacksElement(service, command)) this.#faults.report('command.element', offset, at, field)
    this.counts[service] = (this.counts[service] ?? 0) + 1
    const pending = this.#add(this.#operation(invoker, contextId, command, Math.max(0, command.messageId), started, at), at, offset)
    pending.isOpen = command.hasDataSet
    if (command.hasDataSet) pending.event.dataset = emptyFacts(transferSyntax)
    pending.event.complete = !command.hasDataSet && command.isWhole
    if (service === 'C-MOVE') pending.move = this.#causes.moving(pending.event)
    return pending
  }

  #operation(invoker: Direction, contextId: number, command: Command, messageId: number, started: Micros, at: Micros): Pending {
    const service = command.service!
    const event: DicomOperation = {
      kind: 'dicom.operation', at, flow: this.#connection.flow, complete: false, after_gap: this.#connection.afterGap,
      transport: 'dimse', command: service, calling_ae: this.callingAe, called_ae: this.calledAe, invoker: side(invoker),
      message_id: messageId, context_id: contextId, sop_class_uid: command.sopClass, sop_instance_uid: command.sopInstance,
      status: null, pending: 0, cancelled: false, dataset: null,
      query: service === 'C-FIND' || service === 'C-MOVE' || service === 'C-GET' ? emptyQuery() : null,
      move: service === 'C-MOVE' || service === 'C-GET'
        ? { destination_ae: command.moveDestination, completed: null, failed: null, warning: null, remaining: null } : null,
      started, duration_ms: null,
    }
    if (command.moveOriginator !== null) event.move_originator = { ae: command.moveOriginator, message_id: known(command.moveOriginatorId) }
    if (command.sopClass === STORAGE_COMMITMENT) event.commitment = { type: known(command.type), transaction_uid: null, instances: 0, failed: 0 }
    return { invoker, event, isSeen: true, isOpen: false, again: null, beyond: null, held: null, patients: null, counted: 0, move: null, bytes: 0 }
  }

  #add(pending: Pending, at: Micros, offset: number): Pending {
    const { invoker, event } = pending
    const again = this.#pending.findIndex((p) => p.invoker === invoker && p.event.message_id === event.message_id)
    if (again >= 0) {
      // Where bytes were lost, the response to the earlier one was among them; it must not get the later one's.
      if (this.#faults.isTrusted) this.#pending[again]!.again ??= { offset, at: event.started }
      else this.#finish(again, null, at)
    }
    if (this.#pending.length >= LIMITS.dicom.pendingOperations) this.#finish(0, null, at)
    this.#checkWindow(pending, offset)
    this.#pending.push(pending)
    this.#grow(pending, OPERATION_BYTES)
    return pending
  }

  #checkWindow({ invoker, event }: Pending, offset: number): void {
    const window = this.#windows[invoker]
    if (window === 0 || this.#pending.length < window || !this.#faults.isTrusted) return
    let waiting = 0
    let oldest: Pending | null = null
    for (const other of this.#pending) {
      if (other.invoker !== invoker || other.event.message_id === event.message_id) continue
      waiting++
      oldest ??= other
    }
    if (oldest !== null && waiting >= window) oldest.beyond ??= { offset, at: event.started, messageId: event.message_id }
  }

  #cancel(invoker: Direction, messageId: number): void {
    for (const { invoker: by, event } of this.#pending) if (by === invoker && event.message_id === messageId) event.cancelled = true
  }

  /** The request is whole, or all of it that will be seen: responses that came before it are paired now. */
  requested(pending: Pending, at: Micros): void {
    pending.isOpen = false
    const { event, held } = pending
    if (event.dataset !== null) this.#grow(pending, FACTS_BYTES + PATIENT_BYTES * (event.query?.study_uids?.length ?? 0))
    if (event.command === 'C-STORE') {
      if (this.openedFor !== null || event.move_originator !== undefined) this.#causes.stored(event, this.openedFor, at)
    } else if (event.commitment !== undefined) {
      if (event.command === 'N-ACTION') this.#causes.asked(event)
      else this.#causes.reported(event, at)
    }
    if (event.query !== null && event.complete && event.query.keys.length === 0) event.query.wildcard = true
    if (held !== null) {
      this.#finish(this.#pending.indexOf(pending), held, at)
      return
    }
    for (let i = 0; i < this.#early.length;) {
      const answer = this.#early[i]!
      if (this.#find(answer) !== pending) i++
      else {
        this.#early.splice(i, 1)
        this.#answer(pending, answer, at)
      }
    }
  }

  /**
   * A response, to a request of `invoker`.
   * @returns the query whose match follows as a data set; null otherwise
   */
  response(invoker: Direction, contextId: number, command: Command, at: Micros, offset: number, strayBytes: number): Pending | null {
    if (this.#early.length > 0) this.#settle(at, LIMITS.dicom.earlyAge)
    const field = command.field & ~RESPONSE
    if (command.service === undefined) {
      this.#faults.report('command.unknown', offset, at, field)
      return null
    }
    if (command.status < 0 || command.respondedTo < 0) this.#faults.report('command.element', offset, at, command.field)
    if (command.respondedTo < 0) return null
    const answer: Answer = { invoker, contextId, command, at, offset, strayBytes }
    const pending = this.#find(answer)
    if (pending !== null) return this.#answer(pending, answer, at)
    this.#early.push(answer)
    if (this.#early.length > LIMITS.dicom.earlyResponses) this.#settleFirst(at)
    return null
  }

  /** The oldest request that this can be the response to. */
  #find({ invoker, contextId, command }: Answer): Pending | null {
    const { service, respondedTo, sopInstance } = command
    let second: Pending | null = null
    for (const pending of this.#pending) {
      const { event } = pending
      if (pending.invoker !== invoker || event.message_id !== respondedTo || event.command !== service || pending.held !== null) continue
      const isSame = (event.context_id === contextId || contextId === NO_CONTEXT || event.context_id === NO_CONTEXT) && (sopInstance === null || event.sop_instance_uid === null || sopInstance === event.sop_instance_uid)
      if (isSame) return pending
      second ??= pending
    }
    // Another instance or context: an error of the responder where nothing was lost, a later response where something was.
    return this.#faults.isTrusted ? second : null
  }

  #answer(pending: Pending, answer: Answer, at: Micros): Pending | null {
    const { command, contextId } = answer
    const { event } = pending
    if (contextId !== event.context_id) this.#faults.report('dimse.context', answer.offset, at, contextId, event.context_id)
    if (event.move !== null) {
      event.move.remaining = known(command.remaining) ?? event.move.remaining
      event.move.completed = known(command.completed) ?? event.move.completed
      event.move.failed = known(command.failed) ?? event.move.failed
      event.move.warning = known(command.warning) ?? event.move.warning
    }
    if (command.status === PENDING || command.status === PENDING_WARNING) {
      event.pending++
      if (event.command !== 'C-FIND' || !command.hasDataSet) return null
      event.query!.matches++
      pending.patients ??= new Set()
      // Of the matches before this one.
      this.#grow(pending, PATIENT_BYTES * (pending.patients.size - pending.counted))
      pending.counted = pending.patients.size
      return pending
    }
    // Only a cancelled retrieval ends with something remaining (PS3.4 C.4.2.1.6), so most final responses do not name it.
    if (event.move !== null && command.remaining < 0 && command.status !== CANCELLED) event.move.remaining = event.move.remaining === null ? null : 0
    if (pending.isOpen) pending.held = answer
    else this.#finish(this.#pending.indexOf(pending), answer, at)
    return null
  }

  /** Responses older than `age` will not see their request any more. */
  #settle(at: Micros, age: Micros): void {
    while (this.#early.length > 0 && at - this.#early[0]!.at >= age) this.#settleFirst(at)
  }

  #settleFirst(at: Micros): void {
    const answer = this.#early.shift()!
    const { command, invoker, contextId } = answer
    const pending = this.#find(answer)
    if (pending !== null) {
      this.#answer(pending, answer, at)
      return
    }
    if (this.#faults.isTrusted && this.#faults.isTwoSided) {
      this.#faults.report('dimse.response', answer.offset, at, command.respondedTo)
      return
    }
    const unseen = this.#operation(invoker, contextId, command, Math.max(0, command.respondedTo), answer.at, at)
    if (answer.strayBytes > 0) unseen.event.dataset = { ...emptyFacts(null), bytes: answer.strayBytes }
    if (this.#pending.length >= LIMITS.dicom.pendingOperations) this.#finish(0, null, at)
    this.#pending.push(unseen)
    this.#grow(unseen, OPERATION_BYTES)
    unseen.isSeen = false
    this.#answer(unseen, answer, at)
  }

  /** The association is over: what waits is given up. */
  end(at: Micros): void {
    this.#settle(at, 0)
    while (this.#pending.length > 0) this.#finish(0, this.#pending[0]!.held, at)
  }

  /** A new association begins on the connection. */
  begin(): void {
    this.counts = {}
    this.callingAe = this.calledAe = null
    this.openedFor = null
    this.#windows[0] = this.#windows[1] = 0
  }

  #finish(index: number, answer: Answer | null, at: Micros): void {
    const { event, invoker, isSeen, again, beyond, patients, move, bytes } = this.#pending[index]!
    this.#held -= bytes
    // Mostly one waits.
    if (this.#pending.length === 1) this.#pending.pop()
    else this.#pending.splice(index, 1)
    if (move !== null) move.ended = at
    if (again !== null && this.#isInUse(event.started, again.at, answer)) this.#faults.report('dimse.message-id', again.offset, at, event.message_id)
    if (beyond !== null && this.#isInUse(event.started, beyond.at, answer)) this.#faults.report('dimse.window', beyond.offset, at, beyond.messageId, this.#windows[invoker])
    if (answer !== null) {
      const { command } = answer
      event.status = command.status < 0 ? null : statusText(command.status)
      event.sop_class_uid ??= command.sopClass
      event.sop_instance_uid ??= command.sopInstance
      if (isSeen) event.duration_ms = Math.max(0, (answer.at - event.started) / 1000)
    }
    if (event.command === 'C-FIND' && event.query !== null) event.query.patients = patients?.size ?? 0
    event.at = at
    event.after_gap ||= this.#connection.afterGap
    this.#connection.emit(event)
  }

  /** Was the id in use when it was taken again? A response may only seem to come later (see `earlyAge`), but not where both requests came at once. */
  #isInUse(first: Micros, second: Micros, answer: Answer | null): boolean {
    return first === second || (answer === null ? this.#faults.isTwoSided : answer.at - second >= LIMITS.dicom.earlyAge)
  }
}
