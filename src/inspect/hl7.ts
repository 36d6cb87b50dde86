/** An HL7 interface as people read it: who sends what to whom, how often, how fast and how well it is acknowledged. */
import type { EventOf, Hl7Ack, Hl7Query, Side } from '../../protocols/events.ts'
import type { Pseudonym } from '../../protocols/phi.ts'
import type { Reveal } from './dicom.ts'
import { amount, clock, quantileOf, seconds, shown, table } from './text.ts'

type Message = EventOf<'hl7.message'>

/** Messages listed without --flow. */
const LISTED = 10
/** Codes that say that the message was taken (HL7 table 0008). */
const GOOD = new Set(['AA', 'CA'])

interface Interface {
  from: string
  to: string
  direction: Side
  messages: Message[]
}

export function interfaceText(messages: Message[], reveal: Reveal, all: boolean): string[] {
  const lines: string[] = []
  for (const one of byInterface(messages.filter((m) => m.acknowledges === null))) {
    lines.push(`  ${one.from} ${one.direction === 'client' ? '->' : '<-'} ${one.to}   ${summary(one.messages)}`)
    const listed = all ? one.messages : one.messages.slice(0, LISTED)
    lines.push(...table(listed.map((m) => messageRow(m, reveal)), '    '))
    if (listed.length < one.messages.length) lines.push(`    and ${one.messages.length - listed.length} more messages (--flow ${messages[0]!.flow.id} lists all)`)
  }
  const lone = messages.filter((m) => m.acknowledges !== null)
  if (lone.length > 0) lines.push(`  ${amount(lone.length, 'acknowledgement')} of messages that were not seen, or again: ${shares(lone.map((m) => m.acknowledges!.code))}`)
  return lines
}

function byInterface(messages: Message[]): Interface[] {
  const found = new Map<string, Interface>()
  for (const m of messages) {
    const from = `${shown(m.sending_app)}|${shown(m.sending_facility)}`
    const to = `${shown(m.receiving_app)}|${shown(m.receiving_facility)}`
    const key = `${m.direction} ${from} ${to}`
    const known = found.get(key)
    if (known) known.messages.push(m)
    else found.set(key, { from, to, direction: m.direction, messages: [m] })
  }
  return [...found.values()]
}

function summary(messages: Message[]): string {
  const acks = messages.flatMap((m) => m.acks)
  const latencies = acks.map((a) => a.latency_ms).filter((l) => l !== null).sort((a, b) => a - b)
  const hours = Math.max((messages.at(-1)!.at - messages[0]!.at) / 3.6e9, 1 / 60)
  const failed = [...acks.map((a) => a.code).filter((code) => !GOOD.has(code)), ...messages.flatMap((m) => m.commit === 'nak' ? ['NAK'] : [])]
  const again = messages.filter((m) => m.repeat?.same_body === true).length
  const unanswered = messages.filter((m) => m.acks.length === 0 && m.commit === undefined).length
  return [
    `${amount(messages.length, 'message')} (${shares(messages.map((m) => shown(m.message_type)))})`,
    ...(messages.length > 1 ? [`${(messages.length / hours).toFixed(0)} an hour`] : []),
    ...(latencies.length > 0 ? [`acknowledged in ${seconds(quantileOf(latencies, 0.5) * 1000)} (median), ${seconds(quantileOf(latencies, 0.99) * 1000)} (99 %)`] : []),
    ...(failed.length > 0 ? [`refused: ${shares(failed.map(shown))}`] : []),
    ...(again > 0 ? [`sent again: ${again}`] : []),
    ...(unanswered > 0 ? [`unanswered: ${unanswered}`] : []),
  ].join(', ')
}

/** `3 ADT^A08, 1 ADT^A01`, the commonest first. */
function shares(names: string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${n} ${name}`).join(', ')
}

function messageRow(m: Message, reveal: Reveal): string[] {
  const ack = (a: Hl7Ack): string => `${shown(a.code)}${a.error === undefined ? '' : ` ${shown(a.error)}`}${a.latency_ms === null ? '' : ` after ${seconds(a.latency_ms * 1000)}`}`
  const acks = [...(m.commit === undefined ? [] : [`commit ${m.commit}`]), ...m.acks.map(ack)].join(', ')
  return [clock(m.started ?? m.at), shown(m.message_type), shown(m.control_id), amount(m.bytes, 'byte'), acks || 'no acknowledgement', details(m, reveal).join('; ')]
}

function details(m: Message, reveal: Reveal): string[] {
  const plain = (pseudonym: Pseudonym): string => shown(reveal(pseudonym)?.reveal() ?? pseudonym)
  const patients = m.acks.reduce((sum, { patients: n }) => sum + n, 0)
  return [
    ...(m.patient ? [`patient ${plain(m.patient)}`] : []),
    ...(m.merged ?? []).slice(0, 2).map((patient) => `takes over patient ${plain(patient)}`),
    ...m.orders.slice(0, 2).map((order) => `order ${plain(order)}`),
    ...(m.query ? [asked(m.query)] : []), ...(patients > 0 ? [`${amount(patients, 'patient')} shown`] : []),
    ...(m.documents ?? []).slice(0, 2).map(({ content, declared, value_type, bytes }) => `carries ${content ?? value_type} of ${amount(bytes, 'byte')} (declared ${shown(declared)})`),
    ...(m.repeat ? [m.repeat.same_body ? 'sent again' : 'the control id of another message'] : []),
    ...(m.batch ? ['in a batch'] : []), ...(m.continuation === undefined ? [] : [m.continuation === 'more' ? 'to be continued' : 'continues another']),
    ...(m.complete ? [] : ['incomplete']), ...(m.after_gap ? ['after a gap'] : []),
  ]
}

/** `asks Q22 by 2 keys with wildcards, 10 at most`. */
const asked = ({ name, keys, wildcard, limit }: Hl7Query): string =>
  `asks ${shown(name)} by ${amount(keys, 'key')}${wildcard ? (keys === 0 ? ', so for all' : ' with wildcards') : ''}${limit === null ? '' : `, ${limit} at most`}`
