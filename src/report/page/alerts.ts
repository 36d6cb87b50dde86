/** The list of alerts, filtered and searched, and one alert in full: explanation, evidence, what to slice, what to do next. */
import { explanationOf } from '../../../models/explanation.ts'
import { advice } from './advice.ts'
import type { Alert, Model } from './model.ts'
import { rankOf } from './model.ts'
import { SEVERITIES, badge, copyable, count, h, isPrinting, percent, plural, shown, time } from './dom.ts'

/** What a live console adds to an alert. */
export interface Live {
  /** Buttons and state of one alert. */
  actions(alert: Alert): HTMLElement
  acknowledged(alert: Alert): boolean
}

export interface AlertList {
  element: HTMLElement
  refresh(): void
  open(id: string): void
}

/** Alerts drawn at once; the rest waits behind a button. */
const BATCH = 100

export function alertsView(model: Model, live?: Live): AlertList {
  const list = h('div', { class: 'alerts' })
  const told = h('p', { class: 'told', 'aria-live': 'polite' })
  const search = h('input', { type: 'search', id: 'alert-search', placeholder: 'title, device, address, detector, technique', 'aria-label': 'Search alerts', oninput: () => refresh() })
  const boxes = SEVERITIES.map((severity) => h('input', { type: 'checkbox', checked: true, value: severity, onchange: () => refresh() }))
  const done = h('input', { type: 'checkbox', onchange: () => refresh() })
  const opened = new Set<string>()
  let most = BATCH
  const refresh = (): void => {
    const want = search.value.toLowerCase()
    const severities = new Set(boxes.filter((b) => b.checked).map((b) => b.value))
    const all = model.data.alerts.filter((a) => severities.has(a.severity) && (live === undefined || done.checked || !live.acknowledged(a)) && (want === '' || textOf(a).includes(want)))
      .sort((a, b) => rankOf(b.severity) - rankOf(a.severity) || b.raised_at - a.raised_at)
    told.textContent = `${plural(all.length, 'alert')} of ${count(model.data.alerts.length)}, the most severe first`
    list.replaceChildren(...all.slice(0, most).map((a) => card(a, model, opened, live)),
      ...(all.length > most ? [h('button', { type: 'button', onclick: () => { most += BATCH; refresh() } }, `Show ${Math.min(BATCH, all.length - most)} more`)] : []))
  }
  const element = h('div', {},
    h('div', { class: 'tools' }, search, ...SEVERITIES.map((severity, i) => h('label', {}, boxes[i], ' ', badge(severity))), live === undefined ? null : h('label', {}, done, ' also acknowledged ones')),
    told, list)
  refresh()
  return {
    element, refresh,
    open(id) {
      opened.add(id)
      const at = model.data.alerts.findIndex((a) => a.id === id)
      if (at >= 0) most = Math.max(most, model.data.alerts.length)
      search.value = ''
      for (const box of boxes) box.checked = true
      refresh()
      const found = document.getElementById(`alert-${id}`)
      found?.scrollIntoView({ block: 'start' })
      found?.querySelector('summary')?.focus()
    },
  }
}

/** Observations told before the table of evidence, which has all. */
const SEEN = 2

const textOf = (a: Alert): string => [a.title, a.explanation, a.id, a.detector, a.device.name, a.device.role, ...a.hosts, ...a.peers.map((p) => p.name), ...a.attack.map((t) => `${t.technique} ${t.name}`)].join(' ').toLowerCase()

function card(alert: Alert, model: Model, opened: Set<string>, live?: Live): HTMLElement {
  const body = h('div', { class: 'body' })
  const fill = (): void => { if (body.childElementCount === 0) body.append(...inFull(alert, model, live)) }
  const element = h('details', { class: `alert ${alert.severity}`, id: `alert-${alert.id}`, open: opened.has(alert.id) || isPrinting() },
    h('summary', {}, badge(alert.severity), h('span', { class: 'when' }, `${time(alert.raised_at)}Z`), h('span', { class: 'title' }, shown(alert.title)), live?.acknowledged(alert) ? h('em', {}, 'acknowledged') : null),
    body)
  element.addEventListener('toggle', () => {
    if (!isPrinting()) opened[element.open ? 'add' : 'delete'](alert.id)
    if (element.open) fill()
  })
  if (element.open) fill()
  return element
}

export function inFull(alert: Alert, model: Model, live?: Live): HTMLElement[] {
  return [
    ...inWords(alert),
    h('dl', {},
      h('dt', {}, 'Device'), h('dd', {}, deviceLink(alert.device.id, alert.device.name, model), ` ${shown(alert.device.role)}, ${alert.device.ip.slice(0, 3).join(', ')}`),
      h('dt', {}, 'Others'), h('dd', {}, ...(alert.peers.length === 0 ? ['none named'] : alert.peers.slice(0, 12).flatMap((p, i) => [i > 0 ? '; ' : '', deviceLink(p.id, p.name, model), ` ${shown(p.role)}`])), alert.peers.length > 12 ? ` and ${alert.peers.length - 12} more` : ''),
      h('dt', {}, 'Time'), h('dd', {}, `${time(alert.first_seen)} to ${time(alert.last_seen)} UTC, raised ${time(alert.raised_at)}`),
      h('dt', {}, 'Rests on'), h('dd', {}, `${plural(alert.count, 'event')}; ${plural(alert.baseline.days, 'day')} of baseline (${shown(alert.baseline.state)}); score ${alert.score.toFixed(1)}`, alert.capture.loss > 0 ? `; ${percent(alert.capture.loss, 1)} of the bytes lost` : ''),
      h('dt', {}, 'ATT&CK'), h('dd', {}, alert.attack.map((a) => `${a.technique} ${a.name}`).join('; ') || '–')),
    h('h4', {}, 'Evidence'), evidenceTable(alert),
    h('h4', {}, 'Next steps'), h('ol', {}, ...advice(alert).map((step) => h('li', {}, step))),
    h('h4', {}, 'The packets behind it'),
    h('p', {}, 'Cuts the whole conversations out of the capture. They hold patient data as it went over the wire: handle the file as a patient record.'),
    copyable(sliceCommand(alert, model)),
    h('p', {}, 'Everything for a hand-over, with checksums, as one archive:'), copyable(evidenceCommand(alert, model)),
    ...(live === undefined ? [] : [h('h4', {}, 'Decide'), live.actions(alert)]),
    h('p', { class: 'soft' }, `id ${alert.id}, revision ${alert.revision}, detector ${alert.detector}, Community ID ${alert.flows.slice(0, 4).join(' ') || 'none'}${alert.flows.length > 4 ? ` and ${alert.flows.length - 4} more` : ''}`),
  ]
}

/** What was seen, then what speaks for a harmless reason and what does not. */
function inWords(alert: Alert): HTMLElement[] {
  const { seen, context, wouldExplain, wouldNot, next } = explanationOf(alert)
  const told = ([['Would explain it', wouldExplain], ['Would not', wouldNot], ['Next', next]] as const).flatMap(([name, text]) => (text === null ? [] : [h('dt', {}, name), h('dd', {}, shown(text))]))
  return [
    ...seen.slice(0, SEEN).map((text) => h('p', { class: 'why' }, shown(text))), h('p', { class: 'soft' }, shown(context.join(' '))),
    ...(told.length === 0 ? [] : [h('dl', { class: 'reasons' }, ...told)]),
  ]
}

function deviceLink(id: string, name: string, model: Model): HTMLElement {
  return model.devices.has(id) ? h('a', { href: `#device=${encodeURIComponent(id)}` }, shown(name)) : h('span', {}, shown(name))
}

function evidenceTable(alert: Alert): HTMLElement {
  const number = (n: number | null): string => (n === null ? '–' : count(Math.round(n * 10) / 10))
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Evidence' }, h('table', {},
    h('thead', {}, h('tr', {}, ...['Detector', 'Time (UTC)', 'Observed', 'Expected', 'Chance', 'In words'].map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, ...alert.evidence.map((e) => h('tr', {},
      h('td', {}, `${e.detector} (${e.group})`), h('td', {}, time(e.at)), h('td', { class: 'n' }, number(e.observed), e.unit === null ? '' : ` ${shown(e.unit)}`), h('td', { class: 'n' }, number(e.expected)),
      h('td', { class: 'n' }, e.p === null ? 'rule' : oneIn(e.p)), h('td', {}, shown(e.text)))))))
}

/** Never rarer than the model claims to know. */
const oneIn = (p: number): string => (p < 1e-6 ? '< 1 in 1,000,000' : p >= 0.5 ? 'usual' : `1 in ${count(Number((1 / p).toPrecision(2)))}`)

/** A word of a POSIX shell. */
const quoted = (word: string): string => (/^[\w./:@%+=,-]+$/.test(word) && !word.startsWith('-') ? word : `'${(word.startsWith('-') ? `./${word}` : word).replaceAll("'", "'\\''")}'`)

const captures = (model: Model): string => (model.data.files.length === 0 ? 'CAPTURE.pcap' : model.data.files.map(quoted).join(' '))
const home = (model: Model): string => model.data.origin ?? 'alerts.jsonl'

export const sliceCommand = (alert: Alert, model: Model): string => `wardwire slice ${captures(model)} --alert ${quoted(`${home(model)}:${alert.id}`)} -o ${quoted(`${alert.id}-raw-patient-data.pcap`)}`
export const evidenceCommand = (alert: Alert, model: Model): string => `wardwire evidence ${quoted(`${home(model)}:${alert.id}`)} --capture ${captures(model)} -o ${quoted(`${alert.id}-evidence-raw-patient-data.tar.gz`)}`
