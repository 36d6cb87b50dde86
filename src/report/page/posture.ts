/** Inventory and segments: what the devices are, what their networks mix, who reaches into them, and the rules that the traffic needs. */
import { endOfLifeOf } from '../../../models/posture/systems.ts'
import type { InventoryRow, PostureView } from '../data.ts'
import { deviceHref } from './devices.ts'
import { count, cut, h, paged, plural, shown, size, time } from './dom.ts'
import type { Model } from './model.ts'
import { systemText } from './system.ts'

const none = (text: string): HTMLElement => h('p', {}, text)
const share = (part: number): string => `${(100 * part).toFixed(0)} %`

export function postureViewOf(model: Model): HTMLElement {
  const { posture } = model.data
  if (posture === undefined) return none('No inventory was kept of this run.')
  return h('div', {}, ...segments(model, posture), ...inventory(posture))
}

type Contact = PostureView['segments']['exposed'][number]

function segments(model: Model, { segments: audit }: PostureView): HTMLElement[] {
  const inside = audit.segments.filter((s) => s.kind !== 'internet')
  const mixed = inside.filter((s) => s.kind === 'mixed').length
  const outside = audit.exposed.reduce((sum, contact) => sum + contact.conversations, 0)
  const list = paged<(typeof audit.segments)[number]>('Segments', ['Network', 'Name', 'VLAN', 'Kind', 'Devices', 'Medical', 'What lives there'], (s) => h('tr', {},
    h('td', {}, s.kind === 'internet' ? 'the Internet' : s.subnet), h('td', {}, s.kind === 'internet' || s.name.endsWith(s.subnet) ? '–' : shown(s.name)), h('td', {}, s.vlan ?? '–'),
    h('td', {}, { medical: '● medical only', mixed: '◆ mixed', other: '○ no medical device', internet: '▲ the Internet' }[s.kind]),
    h('td', { class: 'n' }, count(s.devices)), h('td', { class: 'n' }, count(s.medical)), h('td', {}, Object.entries(s.kinds).map(([kind, n]) => `${count(n)} ${shown(kind)}`).join(', '))), 20)
  list.show(audit.segments)
  const field = (kind: 'medical' | 'other' | 'mixed', text: string): HTMLElement => h('tr', {}, h('td', {}, text), h('td', { class: 'n' }, share(audit.shares[kind])), h('td', { class: 'n' }, share(audit.field[kind])))
  const contacts = (label: string, rows: readonly Contact[]): HTMLElement => {
    const table = paged<Contact>(label, ['From', 'To', 'Services', 'Conversations', 'Bytes', 'First (UTC)', 'Last (UTC)'], (c) => h('tr', {},
      h('td', {}, host(model, c.client)), h('td', {}, host(model, c.server)), h('td', {}, cut(c.services.map(shown).join(', '), 120)), h('td', { class: 'n' }, count(c.conversations)),
      h('td', { class: 'n' }, size(c.bytes)), h('td', {}, time(c.first).slice(0, 16)), h('td', {}, time(c.last).slice(0, 16))), 15)
    table.show(rows)
    return table.element
  }
  const rules = paged<(typeof audit.rules)[number]>('Rules', ['From', 'To', 'Service', 'Protocol', 'Conversations'], (r) => h('tr', {},
    h('td', {}, ...r.from.flatMap((ip, i) => [i > 0 ? ', ' : '', host(model, ip)])), h('td', {}, host(model, r.to)), h('td', {}, `${r.transport}/${r.port}`), h('td', {}, r.protocol ?? 'not recognised'), h('td', { class: 'n' }, count(r.conversations))), 15)
  rules.show(audit.rules)
  return [
    h('p', { class: 'lead' }, inside.length === 0 ? 'No network was seen.'
      : `${mixed === 0 ? 'None' : count(mixed)} of ${plural(inside.length, 'network')} ${mixed > 1 ? 'mix' : 'mixes'} medical devices with other hosts; ${plural(outside, 'conversation')} of medical devices ${outside === 1 ? 'reaches' : 'reach'} the Internet.`),
    h('h3', {}, 'Networks'), list.element,
    h('div', { class: 'scroll' }, h('table', { class: 'narrow' }, h('thead', {}, h('tr', {}, ...['Share of networks', 'This site', 'Published field figure'].map((t) => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, field('medical', 'medical devices only'), field('mixed', 'medical and other hosts mixed'), field('other', 'no medical device')))),
    h('h3', {}, 'Medical devices in conversation with the Internet'), audit.exposed.length === 0 ? none('None was seen.') : contacts('Exposed devices', audit.exposed),
    h('h3', {}, 'IT hosts in conversation with medical devices'), audit.it_to_medical.length === 0 ? none('None was seen.') : contacts('IT to medical', audit.it_to_medical),
    h('h3', {}, 'The rules that settled traffic needs'), none('From these hosts to this service; everything else towards medical devices may be closed. wardwire segments prints them as nftables and CSV.'), rules.element,
    h('h3', {}, 'What these rules would have stopped'), audit.blocked.length === 0 ? none('Nothing.') : contacts('Stopped', audit.blocked),
  ]
}

/** By its name, with the address the rule is about. */
function host(model: Model, ip: string): HTMLElement | string {
  const id = model.byIp.get(ip)
  if (id === undefined) return shown(ip)
  const name = model.nameOf(id)
  return h('span', {}, h('a', { href: deviceHref(id) }, cut(shown(name), 32)), name === ip ? '' : ` ${ip}`)
}

function inventory({ inventory: items }: PostureView): HTMLElement[] {
  const { imaging, known, past, share: isPast, field } = endOfLifeOf(items.map(({ role, system }) => ({ role, system: system ?? null })))
  const list = paged<InventoryRow>('Inventory', ['Device', 'Role', 'Make and model', 'Software', 'Serial', 'Implementation', 'System', 'Offers', 'Network interface', 'How sure'], (i) => h('tr', {},
    h('td', {}, h('a', { href: deviceHref(i.id) }, cut(shown(i.name), 28)), i.hostname === null ? '' : ` ${cut(shown(i.hostname), 40)}`), h('td', {}, shown(i.role)),
    h('td', {}, cut([i.manufacturer, i.model].filter((t) => t !== null).map(shown).join(' '), 60) || '–'), h('td', {}, cut(shown(i.software ?? '–'), 40)), h('td', {}, cut(shown(i.serial ?? '–'), 30)),
    h('td', {}, cut(shown([i.implementation.toolkit, i.implementation.version_name].filter((t) => t !== null).join(' ') || i.implementation.class_uid || '–'), 50)),
    h('td', { title: i.os.map((os) => `${shown(os.name)}: ${shown(os.evidence)}`).join('; ') }, ...systemText(i)),
    h('td', {}, cut(i.services_offered.map((s) => `${s.protocol ?? s.transport}/${s.port}`).join(', '), 60) || '–'), h('td', {}, cut(shown(i.mac_vendor ?? '–'), 30)),
    h('td', { title: i.evidence.map(shown).join('; ') }, i.confidence)), 25)
  const search = h('input', { type: 'search', 'aria-label': 'Search inventory', placeholder: 'name, make, model, system', oninput: () => filter() })
  const filter = (): void => {
    const want = search.value.toLowerCase()
    list.show(want === '' ? items : items.filter((i) => [i.name, i.role, i.ip, i.manufacturer, i.model, i.software, i.serial, i.station, i.hostname, i.mac_vendor, i.implementation.toolkit, ...i.os.map((os) => os.name)].join(' ').toLowerCase().includes(want)))
  }
  filter()
  return [
    h('h3', {}, 'Inventory'),
    none(isPast === null ? `Of ${plural(imaging, 'imaging device')}, none shows what system it runs.`
      : `Of ${plural(imaging, 'imaging device')}, ${count(known)} show what system they run, and ${count(past)} of these (${share(isPast)}) ran one past the end of its support; a published field figure is ${share(field)}.`),
    h('div', { class: 'tools' }, search), list.element,
  ]
}
