/**
 * The map of devices and conversations: the only home of cytoscape. In stages by what a device does, from those that make data to those
 * that read it. What is drawn is in `map-spots.ts`, and where in `map-places.ts`.
 */
import cytoscape from 'cytoscape'
import type { Edge, Model } from './model.ts'
import { networkOf, placeOf, rankOf } from './model.ts'
import { oneBelowTheOther, sideBySide, type Places } from './map-places.ts'
import { networksOf, spotsOf, type Spot } from './map-spots.ts'
import { count, cut, h, isPrinting, paged, percent, plural, shown, size, time, whenPlaced } from './dom.ts'

const EDGES = 1500
/** Networks to choose from; the most populous first. */
const NETWORKS = 200
const SHAPES: Record<string, string> = {
  modality: 'ellipse', 'hl7-source': 'round-tag', ris: 'round-diamond', engine: 'hexagon', gateway: 'pentagon', archive: 'barrel', sink: 'barrel',
  workstation: 'round-rectangle', 'hl7-receiver': 'round-tag', monitor: 'vee', unknown: 'rectangle', outside: 'octagon',
}

/** As in style.css. */
const NARROW = matchMedia('(max-width: 700px)')

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** @param choose told the id of the device whose page is wanted */
export function mapView(model: Model, choose: (id: string) => void): HTMLElement {
  const canvas = h('div', { class: 'map', role: 'img', tabindex: 0, 'aria-label': 'Map of devices and their conversations; the table below says the same in words' })
  const told = h('p', { class: 'told', 'aria-live': 'polite' }, 'Choose a device or a line. Drag to move; turn the wheel, pinch, or use + and − to zoom.')
  const open = new Set<string>()
  const onlyNew = h('input', { type: 'checkbox', id: 'map-new', onchange: () => draw() })
  const quiet = h('input', { type: 'checkbox', id: 'map-alerts', onchange: () => draw() })
  const networks = networksOf(model)
  const network = h('select', { 'aria-label': 'Network', onchange: () => draw() }, h('option', { value: '' }, 'every network'), ...networks.slice(0, NETWORKS).map(([name, of]) => h('option', { value: name }, `${name}, ${plural(of, 'device')}`)))
  const isNear = ({ client, server }: Edge): boolean => network.value === '' || [client, server].some((id) => networkOf(model.devices.get(id)?.ip ?? '') === network.value)
  let graph: cytoscape.Core | undefined
  const draw = (): void => {
    graph?.destroy()
    graph = drawGraph(canvas, model, { open, onlyNew: onlyNew.checked, onlyAlerts: quiet.checked, network: network.value, isNear, told, choose, redraw: draw })
    if (isPrinting()) return picture(canvas, graph)
    ;(window as unknown as { wardwireMap?: unknown }).wardwireMap = { nodes: graph.nodes().length, edges: graph.edges().length, letters: 12 * graph.zoom() }
  }
  const zoom = (factor: number): void => { graph?.zoom({ level: graph.zoom() * factor, renderedPosition: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } }) }
  canvas.addEventListener('keydown', (event) => {
    const step: Record<string, () => void> = {
      '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8), '0': () => graph?.fit(undefined, 24),
      ArrowLeft: () => graph?.panBy({ x: 60, y: 0 }), ArrowRight: () => graph?.panBy({ x: -60, y: 0 }),
      ArrowUp: () => graph?.panBy({ x: 0, y: 60 }), ArrowDown: () => graph?.panBy({ x: 0, y: -60 }),
    }
    const act = step[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
  for (const query of [NARROW, matchMedia('(prefers-color-scheme: dark)')]) query.addEventListener('change', () => { if (canvas.isConnected) draw() })
  whenPlaced(draw)
  return h('div', {},
    h('div', { class: 'tools' },
      ...(networks.length > 1 ? [network] : []), h('label', {}, onlyNew, ' only what is new'), h('label', {}, quiet, ' only what alerts concern'),
      h('button', { type: 'button', onclick: () => zoom(1.25), 'aria-label': 'Zoom in' }, '+'), h('button', { type: 'button', onclick: () => zoom(0.8), 'aria-label': 'Zoom out' }, '−'),
      h('button', { type: 'button', onclick: () => graph?.fit(undefined, 24) }, 'All of it')),
    canvas, legend(), told, edgeTable(model))
}

/** Paper takes no canvas that is painted later. */
function picture(place: HTMLElement, graph: cytoscape.Core): void {
  const source = graph.png({ full: true, scale: 2, bg: css('--paper'), maxWidth: 2400, maxHeight: 2400 })
  graph.destroy()
  place.replaceChildren(h('img', { src: source, alt: 'Map of devices and their conversations' }))
}

function legend(): HTMLElement {
  const item = (mark: string, text: string, name = ''): HTMLElement => h('span', { class: 'key' }, h('span', { 'aria-hidden': 'true', class: `mark ${name}` }, mark), ` ${text}`)
  return h('p', { class: 'legend' },
    item('▲', 'thick red border: concerned by an alert of high severity', 'high'), item('◆', 'orange: medium', 'medium'),
    item('┅', 'dashed line or border: new since the first days of watching'), item('━', 'line: conversations; thicker is more bytes'), item('┈', 'dotted line: all inside TLS'), item('+', 'name: device is new'))
}

interface Drawing {
  open: Set<string>
  onlyNew: boolean
  onlyAlerts: boolean
  network: string
  /** Of a conversation: does an end of it lie in that network? */
  isNear(edge: Edge): boolean
  told: HTMLElement
  choose(id: string): void
  redraw(): void
}

function drawGraph(canvas: HTMLElement, model: Model, drawing: Drawing): cytoscape.Core {
  let spots = spotsOf(model, drawing.open, drawing.network)
  const home = new Map(spots.flatMap((spot) => spot.members.map((device): [string, Spot] => [device.id, spot])))
  const newAfter = (model.data.span?.from ?? 0) + 3 * 86_400e6
  const merged = new Map<string, { from: Spot; to: Spot; list: Edge[]; bytes: number; isNew: boolean; encrypted: boolean }>()
  for (const edge of model.data.edges) {
    const from = home.get(edge.client)
    const to = home.get(edge.server)
    if (from === undefined || to === undefined || from === to || !drawing.isNear(edge)) continue
    const key = `${from.id}>${to.id}`
    const known = merged.get(key) ?? { from, to, list: [], bytes: 0, isNew: true, encrypted: true }
    known.list.push(edge)
    known.bytes += edge.bytes
    known.isNew &&= edge.first >= newAfter
    known.encrypted &&= edge.flows > 0 && edge.encrypted === edge.flows
    merged.set(key, known)
  }
  let edges = [...merged.values()]
  if (drawing.onlyNew) edges = edges.filter((e) => e.isNew || e.from.isNew || e.to.isNew)
  if (drawing.onlyAlerts) edges = edges.filter((e) => rankOf(e.from.severity) >= 2 || rankOf(e.to.severity) >= 2)
  edges = edges.sort((a, b) => Number(b.isNew) - Number(a.isNew) || b.bytes - a.bytes).slice(0, EDGES)
  if (drawing.onlyNew || drawing.onlyAlerts) {
    const kept = new Set(edges.flatMap((e) => [e.from, e.to]))
    spots = spots.filter((s) => kept.has(s))
  }
  const places = NARROW.matches && !isPrinting() ? oneBelowTheOther(spots) : sideBySide(spots)
  const most = Math.log10(Math.max(10, ...edges.map((e) => e.bytes)))
  const graph = cytoscape({
    container: canvas, elements: [
      ...headers(places),
      ...spots.map((spot) => ({ data: { id: spot.id, label: `${spot.isNew ? '+ ' : ''}${spot.label}`, shape: SHAPES[spot.group] ?? 'rectangle', size: spot.members.length > 1 ? 44 : 28 }, position: places.at.get(spot)!, classes: `spot ${spot.severity} ${spot.isNew ? 'new' : ''} ${spot.members.length > 1 ? 'crowd' : ''} ${spot.group}` })),
      ...edges.map((e, i) => ({ data: { id: `e${i}`, source: e.from.id, target: e.to.id, width: 1 + (4 * Math.log10(Math.max(1, e.bytes))) / most }, classes: `${e.isNew ? 'new' : ''} ${e.encrypted ? 'encrypted' : ''} ${rankOf(e.from.severity) >= 2 && rankOf(e.to.severity) >= 2 && e.isNew ? 'hot' : ''}` })),
    ],
    layout: { name: 'preset', fit: true, padding: 24 }, style: styles(), minZoom: 0.05, maxZoom: 4, autoungrabify: false, boxSelectionEnabled: false,
    hideEdgesOnViewport: edges.length > 800, pixelRatio: Math.min(2, devicePixelRatio),
  })
  graph.on('tap', 'node.spot', (event) => {
    const spot = spots.find((s) => s.id === (event.target as cytoscape.NodeSingular).id())!
    graph.elements().removeClass('faded')
    const near = (event.target as cytoscape.NodeSingular).closedNeighborhood()
    graph.elements().difference(near).not('.header').addClass('faded')
    if (spot.members.length > 1) {
      drawing.told.replaceChildren(`${plural(spot.members.length, 'device')}: ${spot.crowd}. `,
        h('button', { type: 'button', onclick: () => { drawing.open.add(spot.crowd); drawing.redraw() } }, 'Show each'))
    } else {
      const device = spot.members[0]!
      drawing.told.replaceChildren(`${shown(device.name)}: ${shown(device.role)}, ${device.ip} in ${placeOf(device)}, ${plural((model.edgesOf.get(device.id) ?? []).length, 'peer')}. `,
        h('button', { type: 'button', onclick: () => drawing.choose(device.id) }, 'Open its page'))
    }
  })
  graph.on('tap', 'edge', (event) => {
    const e = edges[Number((event.target as cytoscape.EdgeSingular).id().slice(1))]!
    const services = new Map<string, number>()
    for (const one of e.list) for (const [name, n] of Object.entries(one.services)) services.set(name, (services.get(name) ?? 0) + n)
    drawing.told.textContent = `${e.from.label.replace('\n', ' ')} → ${e.to.label.replace('\n', ' ')}: ${size(e.bytes)}; ${[...services].map(([name, n]) => `${count(n)} ${shown(name)}`).join(', ')}${e.isNew ? '; new' : ''}`
  })
  graph.on('tap', (event) => { if (event.target === graph) graph.elements().removeClass('faded') })
  return graph
}

const headers = ({ heads }: Places): cytoscape.ElementDefinition[] =>
  heads.map(({ label, x, y }, i) => ({ data: { id: `header:${i}`, label }, position: { x, y }, classes: 'header', selectable: false, grabbable: false }))

function styles(): cytoscape.StylesheetJson {
  const ink = css('--ink')
  return [
    { selector: 'node', style: { label: 'data(label)', 'font-size': 12, color: ink, 'text-valign': 'bottom', 'text-margin-y': 4, 'text-wrap': 'wrap', 'font-family': 'system-ui, sans-serif', 'text-outline-color': css('--paper'), 'text-outline-width': 2 } },
    { selector: 'node.header', style: { shape: 'rectangle', width: 1, height: 1, 'background-opacity': 0, 'font-size': 15, 'font-weight': 'bold', color: css('--soft'), 'text-valign': 'center', events: 'no' } },
    { selector: 'node.spot', style: { shape: 'data(shape)' as 'ellipse', width: 'data(size)', height: 'data(size)', 'background-color': css('--c1'), 'border-width': 1.5, 'border-color': ink } },
    { selector: 'node.archive, node.sink', style: { 'background-color': css('--c2') } },
    { selector: 'node.workstation, node.hl7-receiver', style: { 'background-color': css('--c3') } },
    { selector: 'node.ris, node.engine, node.gateway, node.hl7-source', style: { 'background-color': css('--c4') } },
    { selector: 'node.unknown, node.monitor', style: { 'background-color': css('--line') } },
    { selector: 'node.outside', style: { 'background-color': css('--paper') } },
    { selector: 'node.crowd', style: { 'border-style': 'double', 'border-width': 5 } },
    { selector: 'node.new', style: { 'border-style': 'dashed' } },
    { selector: 'node.medium', style: { 'border-color': css('--medium'), 'border-width': 4 } },
    { selector: 'node.high, node.critical', style: { 'border-color': css('--high'), 'border-width': 6 } },
    { selector: 'edge', style: { width: 'data(width)', 'line-color': css('--edge'), 'target-arrow-color': css('--edge'), 'target-arrow-shape': 'triangle', 'arrow-scale': 0.8, 'curve-style': 'bezier', opacity: 0.55 } },
    { selector: 'edge.encrypted', style: { 'line-style': 'dotted' } },
    { selector: 'edge.new', style: { 'line-style': 'dashed', opacity: 0.95, 'line-color': ink, 'target-arrow-color': ink } },
    { selector: 'edge.hot', style: { 'line-color': css('--high'), 'target-arrow-color': css('--high') } },
    { selector: '.faded', style: { opacity: 0.12 } },
  ] as cytoscape.StylesheetJson
}

/** The same in words: sortable by nothing, searchable, for keyboards, screen readers and paper. */
function edgeTable(model: Model): HTMLElement {
  const newAfter = (model.data.span?.from ?? 0) + 3 * 86_400e6
  const list = paged<Edge>('Conversations', ['From', 'To', 'What', 'Conversations', 'Bytes', 'In TLS', 'First seen (UTC)'], (e) => h('tr', {},
    h('td', {}, h('a', { href: `#device=${encodeURIComponent(e.client)}` }, shown(model.nameOf(e.client)))), h('td', {}, h('a', { href: `#device=${encodeURIComponent(e.server)}` }, shown(model.nameOf(e.server)))),
    h('td', {}, cut(Object.entries(e.services).map(([name, n]) => `${count(n)} ${shown(name)}`).join(', ') || e.ports.map((p) => `port ${p}`).join(', '), 160)),
    h('td', { class: 'n' }, count(e.flows)), h('td', { class: 'n' }, size(e.bytes)), h('td', { class: 'n' }, percent(e.encrypted, e.flows)),
    h('td', {}, e.first >= newAfter ? h('strong', {}, 'new ') : '', time(e.first))), 20)
  const search = h('input', { type: 'search', 'aria-label': 'Search conversations', placeholder: 'name, address, service', oninput: () => filter() })
  const all = [...model.data.edges].sort((a, b) => Number(b.first >= newAfter) - Number(a.first >= newAfter) || b.bytes - a.bytes)
  const filter = (): void => {
    const want = search.value.toLowerCase()
    list.show(want === '' ? all : all.filter((e) => [e.client, e.server].some((id) => `${model.nameOf(id)} ${model.devices.get(id)?.ip ?? ''}`.toLowerCase().includes(want)) || Object.keys(e.services).some((s) => s.toLowerCase().includes(want))))
  }
  list.show(all)
  return h('div', {}, h('h3', {}, 'Conversations, new ones first'), h('div', { class: 'tools' }, search), list.element)
}
