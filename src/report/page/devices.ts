/** The table of devices, and the page of one: who it is, what it did each day beside what was expected, whom it talks to, its alerts. */
import type { Edge, Model, ReportDevice } from './model.ts'
import { placeOf, rankOf } from './model.ts'
import type { Series } from '../data.ts'
import { expectationChart, isBeyond } from './charts.ts'
import { badge, count, cut, h, paged, percent, plural, shown, size, time, whenPlaced } from './dom.ts'
import { systemText } from './system.ts'

const worst = (model: Model, id: string): string =>
  (model.alertsOf.get(id) ?? []).reduce((w, a) => (rankOf(a.severity) > rankOf(w) ? a.severity : w), '')

export const deviceHref = (id: string): string => `#device=${encodeURIComponent(id)}`

export function devicesView(model: Model): HTMLElement {
  const list = paged<ReportDevice>('Devices', ['Name', 'Role', 'Address', 'Network', 'Worst alert', 'Peers', 'Events', 'Known for', 'First seen (UTC)'], (d) => {
    const severity = worst(model, d.id)
    return h('tr', {},
      h('td', {}, h('a', { href: deviceHref(d.id) }, cut(shown(d.name), 40))), h('td', {}, shown(d.role)), h('td', {}, d.ip), h('td', {}, placeOf(d)),
      h('td', {}, severity === '' ? '–' : badge(severity)), h('td', { class: 'n' }, count((model.edgesOf.get(d.id) ?? []).length)), h('td', { class: 'n' }, count(d.events)),
      h('td', { class: 'n' }, plural(Math.floor(d.days), 'day')), h('td', {}, d.isNew ? h('strong', {}, 'new ') : '', time(d.first)))
  })
  const roles = [...new Set(model.data.devices.map((d) => d.role))].sort()
  const role = h('select', { 'aria-label': 'Role', onchange: () => filter() }, h('option', { value: '' }, 'every role'), ...roles.map((r) => h('option', { value: r }, shown(r))))
  const search = h('input', { type: 'search', placeholder: 'name, address, AE title, hardware address', 'aria-label': 'Search devices', oninput: () => filter() })
  const sorted = [...model.data.devices].sort((a, b) => rankOf(worst(model, b.id)) - rankOf(worst(model, a.id)) || b.events - a.events)
  const filter = (): void => {
    const want = search.value.toLowerCase()
    list.show(sorted.filter((d) => (role.value === '' || d.role === role.value) && (want === '' || [d.name, d.id, ...d.ae_titles, ...d.applications, ...d.addresses.flatMap((a) => [a.ip, a.mac ?? ''])].join(' ').toLowerCase().includes(want))))
  }
  filter()
  return h('div', {}, h('div', { class: 'tools' }, search, role), list.element)
}

/** Days of observed counts that make a chart worth its place; the busiest streams first, those that crossed before them. */
export function devicePage(model: Model, id: string): HTMLElement {
  const device = model.devices.get(id)
  if (device === undefined) return h('p', {}, 'This device is not in the report.')
  const series = [...model.data.series[id] ?? []].sort((a, b) => crossed(b) - crossed(a) || total(b) - total(a))
  const edges = [...model.edgesOf.get(id) ?? []].sort((a, b) => b.bytes - a.bytes)
  const alerts = [...model.alertsOf.get(id) ?? []].sort((a, b) => rankOf(b.severity) - rankOf(a.severity))
  const list = (items: string[]): string => (items.length === 0 ? '–' : items.map(shown).join(', '))
  const charts = series.slice(0, 9).map((s) => {
    const place = h('div', { class: 'chart' })
    whenPlaced(() => expectationChart(place, s))
    return h('figure', {}, h('figcaption', {}, h('strong', {}, shown(s.unit)), ` a day — ${inWords(s)}`), place)
  })
  return h('article', { class: 'device' },
    h('h2', { tabindex: -1 }, shown(device.name), h('span', { class: 'soft' }, ` ${shown(device.role)}`)),
    h('dl', {},
      h('dt', {}, 'Addresses'), h('dd', {}, ...device.addresses.flatMap((a, i) => [i > 0 ? h('br') : '', `${a.ip}${a.mac === null ? '' : ` (${a.mac})`}${a.public ? ', on the Internet' : ''}, ${time(a.first).slice(0, 16)} to ${time(a.last).slice(0, 16)}`])),
      h('dt', {}, 'AE titles'), h('dd', {}, list(device.ae_titles)), h('dt', {}, 'HL7 applications'), h('dd', {}, list(device.applications)),
      h('dt', {}, 'Implementation'), h('dd', {}, list([device.implementation, device.version].filter((t) => t !== null))),
      ...(device.host === null ? [] : [h('dt', {}, 'Host name'), h('dd', {}, shown(device.host))]),
      ...inventoryOf(model, id),
      h('dt', {}, 'Images sent'), h('dd', {}, list(Object.entries(device.modalities).map(([name, n]) => `${name} ${count(n)}`))),
      h('dt', {}, 'Known'), h('dd', {}, `${plural(Math.floor(device.days), 'day')}, ${count(device.events)} events${device.isNew ? ', new at this site' : ''}`),
      ...(device.failed > 0 ? [h('dt', {}, 'Knocked in vain'), h('dd', {}, `${count(device.failed)} attempts were refused or not answered`)] : [])),
    h('h3', {}, 'Alerts'), alerts.length === 0 ? h('p', {}, 'None.') : h('ul', { class: 'plain' }, ...alerts.map((a) => h('li', {}, badge(a.severity), ' ', h('a', { href: `#alert=${encodeURIComponent(a.id)}` }, shown(a.title)), ` ${time(a.raised_at)}Z${a.device.id === id ? '' : ' (as a peer)'}`))),
    h('h3', {}, 'Expected and observed'),
    charts.length === 0 ? h('p', {}, 'Nothing was counted on it for a whole day.') : h('div', { class: 'charts' }, ...charts),
    charts.length === 0 ? null : h('p', { class: 'soft' }, 'Bars are what was observed, the dashed line what the model expected of that day, the pale step what a normal day stays below 999 times in 1,000. A dot marks a day at or above it.'),
    series.length > 9 ? h('p', { class: 'soft' }, `${series.length - 9} quieter counts are not drawn.`) : null,
    h('h3', {}, 'Peers'), peers(model, id, edges))
}

/** Where an inventory was made: what it is, and what it runs. */
function inventoryOf(model: Model, id: string): HTMLElement[] {
  const item = model.data.posture?.inventory.find((row) => row.id === id)
  if (item === undefined) return []
  const make = [item.manufacturer, item.model, item.software, item.serial].filter((text) => text !== null).map(shown).join(', ')
  const offers = item.services_offered.map((s) => `${s.protocol ?? s.transport}/${s.port}`).join(', ')
  return [['Make', make === '' ? [] : [make]], ['System', systemText(item)], ['Offers', offers === '' ? [] : [offers]], ['How sure', [`${item.confidence}: ${item.evidence.map(shown).join('; ')}`]]]
    .flatMap(([name, text]) => (text!.length === 0 ? [] : [h('dt', {}, name as string), h('dd', {}, ...(text as (HTMLElement | string)[]))]))
}

const total = (s: Series): number => s.observed.reduce((sum, n) => sum + n, 0)
const crossed = (s: Series): number => s.observed.filter((_, i) => isBeyond(s, i)).length

/** The chart, said. */
function inWords(s: Series): string {
  const i = s.observed.length - 1
  const beyond = crossed(s)
  return `last day ${count(s.observed[i]!)} observed, ${count(s.expected[i]!)} expected${beyond > 0 ? `; ${plural(beyond, 'day')} of ${s.days.length} at or above what is rare` : ''}`
}

function peers(model: Model, id: string, edges: Edge[]): HTMLElement {
  const list = paged<Edge>('Peers', ['Peer', 'Who opens', 'What', 'Conversations', 'Bytes', 'In TLS', 'Last (UTC)'], (e) => {
    const peer = e.client === id ? e.server : e.client
    return h('tr', {},
      h('td', {}, h('a', { href: deviceHref(peer) }, shown(model.nameOf(peer)))), h('td', {}, e.client === id ? 'this device' : 'the peer'),
      h('td', {}, cut(Object.entries(e.services).map(([name, n]) => `${count(n)} ${shown(name)}`).join(', '), 140)), h('td', { class: 'n' }, count(e.flows)), h('td', { class: 'n' }, size(e.bytes)),
      h('td', { class: 'n' }, percent(e.encrypted, e.flows)), h('td', {}, time(e.last)))
  }, 15)
  list.show(edges)
  return list.element
}
