/** Inventory and segments: what of the devices their networks tell. Shows the posture audit where the data has it, and networks in any case. */
import type { Model, ReportDevice } from './model.ts'
import { family, networkOf } from './model.ts'
import { deviceHref } from './devices.ts'
import { count, cut, h, paged, percent, plural, shown } from './dom.ts'

const MEDICAL = new Set(['modality', 'archive', 'workstation', 'ris', 'engine', 'gateway', 'hl7-source', 'hl7-receiver', 'sink'])

export function networksView(model: Model): HTMLElement {
  const networks = new Map<string, ReportDevice[]>()
  for (const d of model.data.devices) {
    const key = d.addresses.some((a) => a.public && a.ip === d.ip) ? 'the Internet' : networkOf(d.ip)
    networks.set(key, [...networks.get(key) ?? [], d])
  }
  const medical = (d: ReportDevice): boolean => MEDICAL.has(family(d.role))
  const rows = [...networks].map(([name, members]) => ({ name, members, medical: members.filter(medical).length })).sort((a, b) => b.members.length - a.members.length)
  const inside = rows.filter((r) => r.name !== 'the Internet' && r.medical > 0)
  const mixed = inside.filter((r) => r.medical < r.members.length)
  const list = paged<(typeof rows)[number]>('Networks', ['Network', 'Devices', 'Medical', 'Kinds', 'Mixed'], (r) => {
    const kinds = new Map<string, number>()
    for (const d of r.members) kinds.set(family(d.role), (kinds.get(family(d.role)) ?? 0) + 1)
    return h('tr', {}, h('td', {}, r.name), h('td', { class: 'n' }, count(r.members.length)), h('td', { class: 'n' }, percent(r.medical, r.members.length)),
      h('td', {}, [...kinds].map(([k, n]) => `${count(n)} ${shown(k)}`).join(', ')), h('td', {}, r.medical === 0 || r.name === 'the Internet' ? '–' : r.medical < r.members.length ? '◆ mixes' : '● medical only'))
  }, 20)
  list.show(rows)
  const software = paged<ReportDevice>('Inventory', ['Device', 'Role', 'Implementation', 'Version', 'AE titles', 'HL7 applications', 'Hardware addresses'], (d) => h('tr', {},
    h('td', {}, h('a', { href: deviceHref(d.id) }, cut(shown(d.name), 32))), h('td', {}, shown(d.role)), h('td', {}, shown(d.implementation ?? '–')), h('td', {}, shown(d.version ?? '–')),
    h('td', {}, cut(d.ae_titles.map(shown).join(', '), 60) || '–'), h('td', {}, cut(d.applications.map(shown).join(', '), 200) || '–'), h('td', {}, cut([...new Set(d.addresses.flatMap((a) => a.mac ?? []))].join(', '), 60) || '–')), 25)
  software.show(model.data.devices)
  return h('div', {},
    h('p', { class: 'lead' }, inside.length === 0 ? 'No network with medical devices was seen.'
      : `${plural(mixed.length, 'network')} of ${count(inside.length)} with medical devices also ${mixed.length === 1 ? 'holds' : 'hold'} other or unknown hosts (${percent(mixed.length, inside.length)}). Published field figures speak of 72 % of healthcare VLANs.`),
    h('h3', {}, 'Networks'), h('p', { class: 'soft' }, 'By address, as /24 or /64: the true borders are the routers’.'), list.element,
    h('h3', {}, 'Inventory'), software.element)
}
