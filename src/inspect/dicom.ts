/** A DICOM association as people read it: who, what was negotiated, each operation with its outcome. */
import { statusClass, uidName } from '../../protocols/dicom/names.ts'
import type { EventOf, PresentationContext } from '../../protocols/events.ts'
import type { Phi, Pseudonym } from '../../protocols/phi.ts'
import { amount, clock, seconds, shown, table } from './text.ts'

type Association = EventOf<'dicom.association'>
type Operation = EventOf<'dicom.operation'>

/** Gives the plain value behind a pseudonym where the reader asked for it. */
export type Reveal = (pseudonym: Pseudonym) => Phi | undefined

/** Operations listed in full; the rest is counted. */
const LISTED = 200
const CONTEXTS_LISTED = 12

const RESULTS = ['acceptance', 'user rejection', 'no reason', 'abstract syntax not supported', 'transfer syntaxes not supported']

export function associationText(association: Association, operations: Operation[], reveal: Reveal, all: boolean): string[] {
  const { client, server } = association.implementation
  const listed = all ? operations : operations.slice(0, LISTED)
  return [
    `  ${shown(association.calling_ae)} -> ${shown(association.called_ae)}   ${outcome(association)}, ${seconds(association.ended_at - association.started)}`,
    `  implementation  ${shown(client?.version_name ?? client?.class_uid)} -> ${shown(server?.version_name ?? server?.class_uid)}; ` +
      `maximum PDU ${association.max_pdu.client ?? '-'} / ${association.max_pdu.server ?? '-'}; bytes ${association.bytes.client} / ${association.bytes.server}`,
    ...(association.user_identity ? [`  user identity   type ${association.user_identity.type}${association.user_identity.has_passcode ? ', passcode in clear' : ''}${association.user_identity.accepted ? ', accepted' : ''}`] : []),
    ...(association.async_operations ? [`  asynchronous    ${association.async_operations.invoked} invoked, ${association.async_operations.performed} performed`] : []),
    ...(association.extended_negotiation ?? []).map((e) => `  extended        ${shown(uidName(e.sop_class_uid))}: ${amount(e.bytes, 'byte')}`),
    ...(association.common_extended_negotiation ?? []).map((e) => `  common extended ${shown(uidName(e.sop_class_uid))} of ${shown(uidName(e.service_class_uid))}${e.related.map((uid) => `, like ${shown(uidName(uid))}`).join('')}`),
    ...(association.unknown_items ? [`  unknown items   ${association.unknown_items.map((type) => `${type.toString(16).padStart(2, '0').toUpperCase()}H`).join(', ')}`] : []),
    ...association.roles.map((r) => `  role            ${shown(uidName(r.sop_class_uid))}: SCU ${r.scu ? 'yes' : 'no'}, SCP ${r.scp ? 'yes' : 'no'}`),
    ...(association.cause ? [`  opened for      ${causeText(association.cause)}`] : []),
    ...contextLines(association.contexts, new Set(operations.map((o) => o.context_id)), all),
    ...table(listed.map((o) => operationRow(o, reveal)), '  '),
    ...(listed.length < operations.length ? [`  and ${operations.length - listed.length} more operations (--flow ${association.flow.id} lists all)`] : []),
  ]
}

/** Contexts that were used or refused; those that were only offered are counted, since archives offer a hundred. */
function contextLines(contexts: PresentationContext[], used: Set<number>, all: boolean): string[] {
  const listed = all ? contexts : contexts.filter((c) => used.has(c.id) || c.result !== 0).slice(0, CONTEXTS_LISTED)
  const rows = listed.map((c) => [
    `context ${c.id}`, shown(c.abstract_syntax && uidName(c.abstract_syntax)),
    c.result === 0 ? shown(c.transfer_syntax && uidName(c.transfer_syntax)) : c.result === null ? 'unanswered' : RESULTS[c.result] ?? `result ${c.result}`,
  ])
  const rest = contexts.length - listed.length
  return [...table(rows, '  '), ...(rest > 0 ? [`  and ${amount(rest, 'context')} not used`] : [])]
}

function outcome({ result, ended, reject, abort }: Association): string {
  const reason = reject ? ` (result ${reject.result}, source ${reject.source}, reason ${reject.reason})` : ''
  const cause = abort ? ` (source ${abort.source}, reason ${abort.reason})` : ''
  return `${result}${reason}, ${ended}${cause}`
}

/** Who asked for it, and where. */
const causeText = (cause: NonNullable<Operation['cause']>): string => `${cause.command} ${cause.message_id} of ${shown(cause.ae)} at ${cause.ip} (${cause.flow})`

/** PS3.18: which transaction, what its answer was, how many instances, what stood in front of them. */
function webDetails(web: NonNullable<Operation['web']>): string[] {
  const preambles = Object.entries(web.preambles).map(([what, count]) => `${what} in front of ${count}`)
  return [
    `${web.transaction} ${web.resource}`, `HTTP ${web.http_status ?? '-'}`, ...(web.instances > 0 ? [amount(web.instances, 'instance')] : []), ...preambles,
    ...(web.authorization ? [`${shown(web.authorization)} authorization in clear`] : []),
  ]
}

/** time, command, what, status, details. */
export function operationRow(o: Operation, reveal: Reveal): string[] {
  const who = (name: string, pseudonym: Pseudonym | null | undefined): string[] =>
    pseudonym ? [`${name} ${shown(reveal(pseudonym)?.reveal() ?? pseudonym)}`] : []
  const details = [
    ...(o.dataset ? [amount(o.dataset.bytes, 'byte'), ...(o.dataset.study_uid ? [`study ${shown(o.dataset.study_uid)}`] : [])] : []),
    ...(o.dataset?.documents ?? []).map(({ element, content, bytes }) => `${content} of ${amount(bytes, 'byte')} in ${element}`),
    ...who('patient', o.dataset?.patient), ...who('accession', o.dataset?.accession),
    ...(o.query ? [`${shown(o.query.level ?? 'worklist')} by ${o.query.keys.map(shown).join(', ') || 'nothing'}${o.query.wildcard ? ' (wildcard)' : ''}${o.query.ranges ? ` (range of ${o.query.ranges.map(shown).join(', ')})` : ''}${o.command === 'C-FIND' ? `: ${amount(o.query.matches, 'match').replace('matchs', 'matches')}` : ''}`] : []),
    ...(o.move && !o.web ? [`${o.move.destination_ae === null ? '' : `to ${shown(o.move.destination_ae)}: `}${o.move.completed ?? '-'} completed, ${o.move.failed ?? '-'} failed, ${o.move.warning ?? '-'} with warning, ${o.move.remaining ?? '-'} remaining${o.move.flows ? ` (on ${o.move.flows.join(', ')})` : ''}`] : []),
    ...(o.commitment ? [`${amount(o.commitment.instances, 'instance')}, ${o.commitment.failed} failed`] : []),
    ...(o.cause ? [`for ${causeText(o.cause)}`] : []),
    ...(o.web ? webDetails(o.web) : []),
    ...(o.cancelled ? ['cancelled'] : []), ...(o.complete ? [] : ['incomplete']), ...(o.after_gap ? ['after a gap'] : []),
  ]
  return [
    clock(o.started), o.invoker === 'client' ? '>' : '<', o.command, shown(o.sop_class_uid && uidName(o.sop_class_uid)),
    o.status === null ? 'no answer' : `${o.status} ${statusClass(o.status)}`, o.duration_ms === null ? '-' : seconds(o.duration_ms * 1000), details.join('; '),
  ]
}
