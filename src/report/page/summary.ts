/** The first page: what happened, in plain words, for somebody who reads nothing else. */
import { endOfLifeOf } from '../../../models/posture/systems.ts'
import type { Model } from './model.ts'
import { family, rankOf } from './model.ts'
import { SEVERITIES, badge, count, h, minute, percent, plural, shapeOf, shown, size, span, time } from './dom.ts'

export function summaryView(model: Model): HTMLElement {
  const { data } = model
  const { unseen } = data
  const bytes = Object.values(unseen.protocols).reduce((sum, p) => sum + p.bytes, 0)
  const urgent = data.alerts.filter((a) => rankOf(a.severity) >= 3).sort((a, b) => rankOf(b.severity) - rankOf(a.severity) || a.raised_at - b.raised_at)
  const roles = new Map<string, number>()
  for (const d of data.devices) roles.set(family(d.role), (roles.get(family(d.role)) ?? 0) + 1)
  const tally = SEVERITIES.map((s): [string, number] => [s, data.alerts.filter((a) => a.severity === s).length])
  const tls = unseen.protocols['tls']?.bytes ?? 0
  const strange = unseen.protocols['not recognised']?.bytes ?? 0
  return h('div', {},
    h('p', { class: 'lead' },
      data.span === null ? 'No conversation was seen. '
        : `Over ${span(data.span.to - data.span.from)} (${minute(data.span.from)} to ${minute(data.span.to)} UTC), ${plural(data.devices.length, 'device')} exchanged ${size(bytes)} in ${count(data.events['flow'] ?? 0)} conversations: ${count(data.events['dicom.operation'] ?? 0)} DICOM operations and ${count(data.events['hl7.message'] ?? 0)} HL7 messages. `,
      data.alerts.length === 0 ? 'Nothing in it was unusual enough for an alert.'
        : urgent.length === 0 ? `${plural(data.alerts.length, 'thing')} stood out; none of them is of high severity.`
          : `${plural(urgent.length, 'alert')} of high severity ${urgent.length === 1 ? 'needs' : 'need'} somebody to look.`),
    h('ul', { class: 'tiles' }, ...tally.map(([s, n]) => h('li', { class: `tile ${n === 0 ? 'none' : s}` }, h('a', { href: '#alerts' }, h('span', { class: 'figure' }, h('span', { 'aria-hidden': 'true' }, `${shapeOf(s)} `), count(n)), h('span', {}, s))))),
    h('h3', {}, urgent.length === 0 ? 'What stood out' : 'Look at these first'),
    data.alerts.length === 0 ? h('p', {}, 'No alerts.')
      : h('ol', { class: 'plain first' }, ...(urgent.length > 0 ? urgent : [...data.alerts].sort((a, b) => rankOf(b.severity) - rankOf(a.severity))).slice(0, 8).map((a) => h('li', {},
        badge(a.severity), ' ', h('a', { href: `#alert=${encodeURIComponent(a.id)}` }, shown(a.title)), h('span', { class: 'soft' }, ` ${time(a.raised_at)}Z`), h('br'), h('span', {}, firstSentence(shown(a.explanation)))))),
    h('h3', {}, 'Who is there'),
    h('p', {}, [...roles].sort((a, b) => b[1] - a[1]).map(([role, n]) => `${count(n)} ${shown(role)}`).join(', ') || 'Nobody.',
      `. ${plural(data.devices.filter((d) => d.isNew).length, 'device')} came after the first three days.`),
    ...postureLines(model),
    h('h3', {}, 'How far to trust this'),
    h('p', {}, `${size(unseen.lostBytes)} are provably missing from the conversations (${percent(unseen.lostBytes, bytes + unseen.lostBytes)}); ${percent(tls, bytes)} of the payload is encrypted, ${percent(strange, bytes)} is of no protocol that is read here. `,
      'What nobody saw raises no alert: ', h('a', { href: '#unseen' }, 'what was not seen'), '.'))
}

/** The site's own numbers beside the published ones. */
function postureLines({ data: { posture } }: Model): HTMLElement[] {
  if (posture === undefined) return []
  const { imaging, known, past, field } = endOfLifeOf(posture.inventory.map(({ role, system }) => ({ role, system: system ?? null })))
  const inside = posture.segments.segments.filter(({ kind }) => kind !== 'internet')
  const mixed = inside.filter(({ kind }) => kind === 'mixed').length
  return [
    h('h3', {}, 'How they live'),
    h('ul', { class: 'plain' },
      h('li', {}, known === 0 ? `None of ${plural(imaging, 'imaging device')} shows what system it runs.`
        : `${count(past)} of ${plural(known, 'imaging device')} that ${known === 1 ? 'shows' : 'show'} a system ${past === 1 ? 'runs' : 'run'} one past its end of life (${percent(past, known)}; published: ${percent(field, 1)}).`),
      h('li', {}, `${count(mixed)} of ${plural(inside.length, 'network')} ${mixed === 1 ? 'mixes' : 'mix'} medical devices with other hosts (${percent(mixed, inside.length)}; published: ${percent(posture.segments.field.mixed, 1)}).`),
      h('li', {}, posture.segments.exposed.length === 0 ? 'No medical device was in conversation with the Internet. ' : `${plural(new Set(posture.segments.exposed.map((c) => `${c.client}>${c.server}`)).size, 'pair')} of a medical device and an address on the Internet. `, h('a', { href: '#networks' }, 'inventory and segments'))),
  ]
}

function firstSentence(text: string): string {
  const end = /[.!?] (?=[A-Z0-9])/.exec(text)
  const sentence = end === null ? text : text.slice(0, end.index + 1)
  const capital = sentence.slice(0, 1).toUpperCase() + sentence.slice(1)
  return capital.length > 320 ? `${capital.slice(0, 319)}…` : capital
}
