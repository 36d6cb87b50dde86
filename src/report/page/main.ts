/** The page: one view at a time, drawn when it is first looked at, all of them when it is printed. */
import 'uplot/dist/uPlot.min.css'
import './style.css'
import type { ReportData } from '../data.ts'
import { alertsView, type AlertList, type Live } from './alerts.ts'
import { stepName, timelineChart } from './charts.ts'
import { devicePage, devicesView } from './devices.ts'
import { byId, count, drawNow, h, minute, shown, size, whenPlaced } from './dom.ts'
import { liveConsole } from './live.ts'
import { mapView } from './map.ts'
import { Model } from './model.ts'
import { postureViewOf } from './posture.ts'
import { summaryView } from './summary.ts'
import { unseenView } from './unseen.ts'

interface View {
  id: string
  title: string
  make(): HTMLElement
}

class Page {
  readonly #model: Model
  readonly #views: View[]
  readonly #sections = new Map<string, HTMLElement>()
  readonly #drawn = new Set<string>()
  #alerts: AlertList | undefined

  constructor(model: Model, live?: Live) {
    this.#model = model
    this.#views = [
      { id: 'summary', title: 'Summary', make: () => summaryView(model) },
      { id: 'alerts', title: 'Alerts', make: () => (this.#alerts = alertsView(model, live)).element },
      { id: 'timeline', title: 'Timeline', make: () => this.#timeline() },
      { id: 'map', title: 'Map', make: () => mapView(model, (id) => { location.hash = `device=${encodeURIComponent(id)}` }) },
      { id: 'devices', title: 'Devices', make: () => devicesView(model) },
      { id: 'networks', title: 'Inventory and segments', make: () => postureViewOf(model) },
      { id: 'unseen', title: 'What was not seen', make: () => unseenView(model) },
    ]
    this.#build(live !== undefined)
    addEventListener('hashchange', () => this.#route(true))
    addEventListener('beforeprint', () => this.#print(true))
    addEventListener('afterprint', () => this.#print(false))
    this.#route(false)
  }

  /** Data changed: what is on the screen is drawn again, the rest when it is looked at. */
  refresh(): void {
    this.#drawn.clear()
    if (this.#current === 'alerts' && this.#alerts !== undefined) {
      this.#alerts.refresh()
      this.#drawn.add('alerts')
    } else if (this.#current === 'summary') this.#draw('summary')
    // What somebody is looking around in stays as it is until they come back to it.
  }
  #current = 'summary'

  #build(live: boolean): void {
    const { data } = this.#model
    document.title = `wardwire ${live ? 'console' : 'report'}${data.sensor === '' ? '' : ` – ${shown(data.sensor)}`}`
    const nav = h('nav', { 'aria-label': 'Views' }, h('ul', {}, ...this.#views.map(({ id, title }) => h('li', {}, h('a', { href: `#${id}`, id: `to-${id}` }, title)))))
    for (const { id, title } of this.#views) this.#sections.set(id, h('section', { id: `view-${id}`, 'aria-labelledby': `title-${id}` }, h('h2', { id: `title-${id}`, tabindex: -1 }, title), h('div', { class: 'content' })))
    const device = h('section', { id: 'view-device' }, h('div', { class: 'content' }))
    this.#sections.set('device', device)
    byId('page').replaceChildren(
      h('a', { href: '#view', class: 'skip', onclick: (event) => { event.preventDefault(); byId('view').focus() } }, 'Skip to the content'),
      h('header', {}, h('h1', {}, 'wardwire', h('span', { class: 'soft' }, live ? ' console' : ' report')),
        h('p', { class: 'soft', id: 'about' }, [data.sensor === '' ? '' : `sensor ${shown(data.sensor)}`, data.files.slice(0, 3).map(shown).join(', ') + (data.files.length > 3 ? ` and ${data.files.length - 3} more` : ''), data.span === null ? '' : `${minute(data.span.from)} to ${minute(data.span.to)} UTC`, `version ${data.version}`].filter((t) => t !== '').join(' · ')), nav),
      h('main', { id: 'view', tabindex: -1 }, ...this.#sections.values()))
  }

  #route(focus: boolean): void {
    const [, name = 'summary', , argument = ''] = /^#?([a-z]*)(=(.*))?$/.exec(location.hash) ?? []
    const id = name === 'alert' ? 'alerts' : this.#sections.has(name) ? name : 'summary'
    this.#current = id
    for (const [key, section] of this.#sections) section.classList.toggle('shown', key === id)
    for (const view of this.#views) {
      const link = byId(`to-${view.id}`)
      if (view.id === id) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    if (id === 'device') this.#sections.get(id)!.querySelector('.content')!.replaceChildren(devicePage(this.#model, decoded(argument)))
    else this.#draw(id)
    if (name === 'alert') this.#alerts?.open(decoded(argument))
    else if (focus) this.#sections.get(id)!.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true })
    if (focus && name !== 'alert') scrollTo(0, 0)
  }

  /** Everything anew, for paper; and back. */
  #print(on: boolean): void {
    document.documentElement.toggleAttribute('data-printing', on)
    this.#drawn.clear()
    if (on) for (const { id } of this.#views) this.#draw(id)
    this.#route(false)
    if (on) drawNow()
  }

  #draw(id: string): void {
    const view = this.#views.find((v) => v.id === id)
    if (view === undefined || this.#drawn.has(id)) return
    this.#drawn.add(id)
    this.#sections.get(id)!.querySelector('.content')!.replaceChildren(view.make())
  }

  #timeline(): HTMLElement {
    const { data } = this.#model
    const { timeline } = data
    const place = h('div', { class: 'chart', role: 'img', 'aria-label': 'Traffic of the site over time, with the alerts above it' })
    if (timeline.dicom.length > 0) whenPlaced(() => timelineChart(place, data, data.alerts, (alert) => { location.hash = `alert=${encodeURIComponent(alert.id)}` }))
    const busy = timeline.dicom.map((n, i) => n + timeline.hl7[i]!)
    const peak = busy.indexOf(Math.max(...busy, 0))
    return h('div', {},
      h('p', {}, 'Each mark is an alert, in the lane of its severity; choose it to read it. Drag across the chart to look closer, double-click to see all again.'), place,
      timeline.dicom.length === 0 ? h('p', {}, 'There was no traffic.')
        : h('p', {}, `In words: each point covers ${stepName(timeline.step)}. ${size(timeline.bytes.reduce((a, b) => a + b, 0))} in all. The busiest began at ${minute(timeline.start + peak * timeline.step)} UTC with ${count(timeline.dicom[peak] ?? 0)} DICOM operations and ${count(timeline.hl7[peak] ?? 0)} HL7 messages.`))
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const embedded = document.getElementById('data')
if (embedded !== null) new Page(new Model(JSON.parse(embedded.textContent) as ReportData))
else void liveConsole((model, live) => new Page(model, live))
