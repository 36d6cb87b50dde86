/** DIMSE requests and responses of one association, paired (PS3.7 section 7): by message id, in both directions, also asynchronous. */
import type { DataSetFacts, DicomOperation, Micros, QueryFacts } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Connection, Direction } from '../protocol.ts'
import { C_CANCEL, COMMANDS, RESPONSE, type Command } from './command.ts'
import { readFacts, readQuery } from './facts.ts'

const PENDING = new Set([0xff00, 0xff01])
const WITH_IDENTIFIER = new Set(['C-FIND', 'C-MOVE', 'C-GET'])

interface Pending {
  readonly invoker: Direction
  readonly event: DicomOperation
}

interface EarlyResponse {
  readonly invoker: Direction
  readonly command: Command
  readonly at: Micros
}

/** Who talks: titles of the association, once known. */
export interface Titles {
  calling_ae: string | null
  called_ae: string | null
}

export class Operations {
  readonly #connection: Connection
  readonly #titles: () => Titles
  #pending: Pending[] = []
  /** Responses whose request has not come: mirror ports swap directions, and a request may wait behind a hole. */
  #early: EarlyResponse[] = []
  /** Requests by command. */
  counts: Record<string, number> = {}

  constructor(connection: Connection, titles: () => Titles) {
    this.#connection = connection
    this.#titles = titles
  }

  /** A request's command set is whole. @returns the event to complete with its data set, if one follows */
  request(direction: Direction, contextId: number, command: Command, started: Micros, at: Micros): DicomOperation | null {
    if (command.field === C_CANCEL) {
      for (const { invoker, event } of this.#pending) if (invoker === direction && event.message_id === command.respondedTo) event.cancelled = true
      return null
    }
    const name = COMMANDS.get(command.field)
    if (name === undefined) return null
    this.counts[name] = (this.counts[name] ?? 0) + 1
    const event: DicomOperation = {
      kind: 'dicom.operation', at, flow: this.#connection.flow, complete: !command.hasDataSet, after_gap: this.#connection.afterGap,
      transport: 'dimse', command: name, ...this.#titles(), invoker: direction === 0 ? 'client' : 'server',
      message_id: command.messageId, context_id: contextId, sop_class_uid: command.sopClass, sop_instance_uid: command.sopInstance,
      status: null, pending: 0, cancelled: false, dataset: null,
      query: name === 'C-FIND' ? { level: null, keys: [], wildcard: false, matches: 0 } : null,
      move: name === 'C-MOVE' || name === 'C-GET'
        ? { destination_ae: command.moveDestination, completed: null, failed: null, warning: null, remaining: null } : null,
      started, duration_ms: null,
    }
    if (this.#pending.length >= LIMITS.dicom.pendingOperations) this.#emit(this.#pending.shift()!.event, at)
    this.#pending.push({ invoker: direction, event })
    return event
  }

  /** What the head of a request's data set says. */
  describe(event: DicomOperation, facts: DataSetFacts, head: Uint8Array, length: number): void {
    readFacts(head, length, facts, this.#connection.pseudonyms)
    event.dataset = facts
    if (WITH_IDENTIFIER.has(event.command)) {
      const query: QueryFacts = event.query ?? { level: null, keys: [], wildcard: false, matches: 0 }
      readQuery(head, length, facts.transfer_syntax, query)
      event.query = query
    }
  }

  /** The request is whole: responses that came before it are paired now. */
  requested(event: DicomOperation, at: Micros): void {
    const early = this.#early.findIndex((e) => e.command.respondedTo === event.message_id && (e.invoker === 0) === (event.invoker === 'client'))
    if (early < 0) return
    const [{ invoker, command }] = this.#early.splice(early, 1) as [EarlyResponse]
    this.response(invoker, command, at)
  }

  /** A response, to a request of `invoker`. */
  response(invoker: Direction, command: Command, at: Micros): void {
    const field = command.field & ~RESPONSE
    const index = this.#pending.findIndex((p) => p.invoker === invoker && p.event.message_id === command.respondedTo &&
      (COMMANDS.get(field) === undefined || COMMANDS.get(field) === p.event.command))
    if (index < 0) {
      if (this.#early.length < LIMITS.dicom.earlyResponses) this.#early.push({ invoker, command, at })
      return
    }
    const { event } = this.#pending[index]!
    if (event.move) {
      const [remaining, completed, failed, warning] = command.subOperations
      event.move = {
        ...event.move, remaining: remaining ?? event.move.remaining, completed: completed ?? event.move.completed,
        failed: failed ?? event.move.failed, warning: warning ?? event.move.warning,
      }
    }
    if (PENDING.has(command.status)) {
      event.pending++
      if (event.query && command.hasDataSet && event.command === 'C-FIND') event.query.matches++
      return
    }
    event.status = command.status < 0 ? null : command.status.toString(16).toUpperCase().padStart(4, '0')
    event.sop_instance_uid ??= command.sopInstance
    event.duration_ms = Math.max(0, (at - event.started) / 1000)
    this.#pending.splice(index, 1)
    this.#emit(event, at)
  }

  /** The association is over: requests without a final response are given up. */
  end(at: Micros): void {
    for (const { event } of this.#pending) this.#emit(event, at)
    this.#pending = []
    this.#early = []
    this.counts = {}
  }

  #emit(event: DicomOperation, at: Micros): void {
    event.at = at
    this.#connection.emit(event)
  }
}
