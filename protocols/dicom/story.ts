/** What the two sides of one association said to each other, and the event that tells it. */
import type { DicomAssociation, Implementation, Micros, PresentationContext } from '../events.ts'
import type { Connection, Direction } from '../protocol.ts'
import type { Associate } from './associate.ts'
import { APPLICATION_CONTEXT } from './uids.ts'

export class Story {
  /** The side that sent A-ASSOCIATE-RQ; the client unless seen otherwise. */
  requestor: Direction = 0
  request: Associate | null = null
  accept: Associate | null = null
  isRequestWhole = false
  isAcceptWhole = false
  reject: DicomAssociation['reject'] = null
  abort: DicomAssociation['abort'] = null
  isReleaseAsked = false
  isReleaseAnswered = false
  /** Its event is out; what still comes of it makes no second one. */
  isTold = false
  /** When its first unit came; -1: none has. */
  started: Micros = -1
  /** Lists were forgotten. */
  #isCut = false

  /** Memory that it takes, about. */
  get holds(): number {
    return (this.request?.bytes ?? 0) + (this.accept?.bytes ?? 0)
  }

  /** Lists go, names and what is one number stay. */
  forget(): void {
    for (const said of [this.request, this.accept]) {
      if (said === null) continue
      said.bytes = 0
      said.contexts = []
      said.roles = []
      said.extended = []
      said.common_extended = []
    }
    this.#isCut = true
  }

  /** @param isWholeSeen both sides were heard and nothing was lost, so what was not said was not said. The caller adds what was done, and what it was for */
  event(connection: Connection, ended: DicomAssociation['ended'], at: Micros, endedAt: Micros, isWholeSeen: boolean): DicomAssociation {
    const { request, accept } = this
    const said = request ?? accept
    const agreed = accept ?? request
    const event: DicomAssociation = {
      kind: 'dicom.association', at, flow: connection.flow, complete: this.isRequestWhole && ended !== 'open' && !connection.afterGap && !this.#isCut, after_gap: connection.afterGap,
      calling_ae: said?.calling_ae ?? null, called_ae: said?.called_ae ?? null,
      result: !this.isRequestWhole ? 'unseen' : this.reject !== null ? 'rejected' : accept !== null ? 'accepted' : 'unanswered',
      ended: this.abort !== null ? 'aborted' : this.#wasReleased(ended, isWholeSeen) ? 'released' : ended,
      reject: this.reject, abort: this.abort,
      contexts: contextsOf(request, accept),
      max_pdu: this.#sides(request?.maximum_length ?? null, accept?.maximum_length ?? null),
      implementation: this.#sides(implementationOf(request), implementationOf(accept)),
      user_identity: identityOf(request, accept), roles: agreed?.roles ?? [], async_operations: agreed?.async_operations ?? null,
      operations: {}, bytes: { client: 0, server: 0 },
      started: this.started, ended_at: endedAt,
    }
    const context = request?.application_context ?? null
    const unknown = [...request?.unknown_items ?? [], ...accept?.unknown_items ?? []]
    if (context !== null && context !== APPLICATION_CONTEXT) event.application_context = context
    if (request !== null && request.extended.length > 0) event.extended_negotiation = request.extended
    if (request !== null && request.common_extended.length > 0) event.common_extended_negotiation = request.common_extended
    if (unknown.length > 0) event.unknown_items = unknown
    return event
  }

  #sides<T>(ofRequestor: T, ofAcceptor: T): { client: T; server: T } {
    return this.requestor === 1 ? { client: ofAcceptor, server: ofRequestor } : { client: ofRequestor, server: ofAcceptor }
  }

  /** Asked and answered; where a side was not heard or bytes were lost, one of the two is enough. */
  #wasReleased(ended: DicomAssociation['ended'], isWholeSeen: boolean): boolean {
    if (this.isReleaseAsked && this.isReleaseAnswered) return true
    if (isWholeSeen) return false
    return this.isReleaseAnswered || (this.isReleaseAsked && ended === 'closed')
  }
}

const implementationOf = (said: Associate | null): Implementation | null =>
  said === null || (said.class_uid === null && said.version_name === null) ? null : { class_uid: said.class_uid, version_name: said.version_name }

function identityOf(request: Associate | null, accept: Associate | null): DicomAssociation['user_identity'] {
  const identity = request?.user_identity ?? null
  return identity !== null && accept?.identity_accepted === true ? { ...identity, accepted: true } : identity
}

/** What was proposed, with the answers; answers alone where the proposal was not seen. */
function contextsOf(request: Associate | null, accept: Associate | null): PresentationContext[] {
  if (request === null) return accept?.contexts ?? []
  const answers = new Map(accept?.contexts.map((c) => [c.id, c]))
  return request.contexts.map((c) => {
    const answer = answers.get(c.id)
    return { ...c, result: answer?.result ?? null, transfer_syntax: answer?.transfer_syntax ?? null }
  })
}
