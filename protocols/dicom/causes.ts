/**
 * What one association makes another do: a C-MOVE makes the archive send to a third party (PS3.4 C.4.2), a storage commitment request is answered by
 * a report, mostly on an association of its own (PS3.4 J.3). One memory for all connections of a decoder, bounded, driven by capture time.
 *
 * A C-STORE belongs to the C-MOVE that it names as its originator, where the same archive or the same study vouches for it. One that names nobody, or
 * the right title with a message id of its own (some archives do), belongs to the C-MOVE that its association was opened for: from the archive that was
 * asked, to the title that was named, while it was at it.
 */
import type { Cause, DicomOperation, Flow, Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Pseudonyms } from '../phi.ts'

/** A C-MOVE while it is performed, and shortly after. */
export interface Move {
  readonly event: DicomOperation
  /** Address of the side that performs it. */
  readonly performer: string
  ended: Micros
}

const performerOf = ({ flow, invoker }: DicomOperation): string => (invoker === 'client' ? flow.server.ip : flow.client.ip)
const askerOf = ({ flow, invoker }: DicomOperation): string => (invoker === 'client' ? flow.client.ip : flow.server.ip)

export function causeOf(event: DicomOperation, by: Cause['by'], at: Micros): Cause {
  return {
    command: event.command, flow: event.flow.id, ae: event.calling_ae, ip: askerOf(event), message_id: event.message_id, by, after_ms: Math.max(0, (at - event.started) / 1000),
  }
}

/** Keeps the youngest entries. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > LIMITS.dicom.causes) map.delete(map.keys().next().value!)
}

export class Causes {
  /** By destination title, newest last. */
  readonly #byTitle = new Map<string, Move[]>()
  /** By title and message id of who asked. */
  readonly #byOriginator = new Map<string, Move>()
  readonly #commitments = new Map<string, DicomOperation>()

  /** A C-MOVE request was seen. */
  moving(event: DicomOperation): Move | null {
    const title = event.move?.destination_ae
    if (title === null || title === undefined || title === '') return null
    const move: Move = { event, performer: performerOf(event), ended: Infinity }
    const others = (this.#byTitle.get(title) ?? []).filter((other) => isAtIt(other, event.started))
    remember(this.#byTitle, title, [...others.slice(1 - LIMITS.dicom.movesPerTitle), move])
    remember(this.#byOriginator, `${event.calling_ae ?? ''} ${event.message_id}`, move)
    return move
  }

  /** An association was asked for. @returns the C-MOVE that it serves, as far as is known yet */
  opened(requestor: string, title: string | null, flow: Flow, at: Micros): Move | null {
    const moves = title === null ? undefined : this.#byTitle.get(title)
    if (moves === undefined) return null
    const fitting = moves.filter((move) => move.performer === requestor && isAtIt(move, at))
    const move = fitting.find(({ event }) => event.move!.flows === undefined) ?? fitting.at(-1) ?? null
    if (move !== null) addFlow(move, flow)
    return move
  }

  /** A C-STORE is whole. @param opened the C-MOVE that its association was opened for */
  stored(event: DicomOperation, opened: Move | null, at: Micros): Move | null {
    const named = this.#named(event)
    const move = named ?? openedFor(event, opened)
    if (move === null || !isAtIt(move, at)) return null
    const sender = askerOf(event)
    const wanted = studiesOf(move.event)
    const study = event.dataset?.study_uid ?? null
    const isWanted = study !== null && wanted.includes(study)
    // Another study than those that were asked for was sent for another reason; what names its originator is believed if one of the two fits.
    if (!isWanted && (sender !== move.performer || (move === opened && study !== null && wanted.length > 0))) return null
    const { event: asked } = move
    addFlow(move, event.flow)
    asked.move!.stored = (asked.move!.stored ?? 0) + 1
    event.cause = causeOf(asked, named === undefined ? 'destination' : 'originator', at)
    return move
  }

  /** The C-MOVE that a C-STORE names. */
  #named({ move_originator: named }: DicomOperation): Move | undefined {
    return named === undefined || named.message_id === null ? undefined : this.#byOriginator.get(`${named.ae} ${named.message_id}`)
  }

  /** A storage commitment request is whole. */
  asked(event: DicomOperation): void {
    const transaction = event.commitment?.transaction_uid
    if (transaction !== null && transaction !== undefined) remember(this.#commitments, transaction, event)
  }

  /** A storage commitment report is whole. */
  reported(event: DicomOperation, at: Micros): void {
    const asked = this.#commitments.get(event.commitment?.transaction_uid ?? '')
    if (asked === undefined || asked === event || at - asked.started > LIMITS.dicom.commitmentAge) return
    event.cause = causeOf(asked, 'transaction', at)
    event.commitment!.asked = asked.commitment!.instances
  }
}

/** The C-MOVE that its association was opened for, unless it names somebody else. */
const openedFor = ({ move_originator: named }: DicomOperation, opened: Move | null): Move | null =>
  (named === undefined || named.message_id === null || named.ae === opened?.event.calling_ae ? opened : null)

/** It is performed, or was until a moment ago. */
const isAtIt = (move: Move, at: Micros): boolean => at - move.ended < LIMITS.dicom.moveGrace && at - move.event.started < LIMITS.dicom.moveAge

function studiesOf(event: DicomOperation): readonly string[] {
  return event.query?.study_uids ?? (event.dataset?.study_uid === null || event.dataset === null ? [] : [event.dataset.study_uid])
}

function addFlow({ event }: Move, flow: Flow): void {
  const flows = (event.move!.flows ??= [])
  if (flows.length < LIMITS.dicom.moveFlows && !flows.includes(flow.id)) flows.push(flow.id)
}

const memories = new WeakMap<Pseudonyms, Causes>()

/** One memory per decoder, which has one maker of pseudonyms. */
export function causesOf(pseudonyms: Pseudonyms): Causes {
  let found = memories.get(pseudonyms)
  if (found === undefined) memories.set(pseudonyms, found = new Causes())
  return found
}
