/**
 * The map of devices and conversations: the only home of cytoscape. Columns by what a device does, from those that make data (left) to
 * those that read it (right), so the picture of one site is the same every time. Many devices of a role and network stand as one.
 */
import cytoscape from 'cytoscape'
import type { Edge, Model, ReportDevice } from './model.ts'
import { family, networkOf, rankOf } from './model.ts'
import { count, cut, h, isPrinting, paged, percent, plural, shown, size, time, whenPlaced } from './dom.ts'

/** Devices drawn one by one; of more, only the worst concerned are, and the others stand together by role and network. */
const SINGLE = 90
const WORST = 60
/** Groups drawn; more are made fewer by wider networks. */
const CROWDS = 80
const EDGES = 1500
/** Networks to choose from; the most populous first. */
const NETWORKS = 200
const COLUMNS: [string, string[]][] = [
  ['Make data', ['modality', 'hl7-source']],
  ['Order and route', ['ris', 'engine', 'gateway']],
  ['Keep', ['archive', 'sink']],
  ['Read and receive', ['workstation', 'hl7-receiver', 'monitor']],
  ['Not told yet', ['unknown']],
  ['Outside', ['outside']],
]
const SHAPES: Record<string, string> = {
  modality: 'ellipse', 'hl7-source': 'round-tag', ris: 'round-diamond', engine: 'hexagon', gateway: 'pentagon', archive: 'barrel', sink: 'barrel',
  workstation: 'round-rectangle', 'hl7-receiver': 'round-tag', monitor: 'vee', unknown: 'rectangle', outside: 'octagon',
}

interface Spot {
  id: string
  label: string
  group: string
  /** What it would be gathered under: a role, and mostly a network. */
  crowd: string
  members: ReportDevice[]
  severity: string
  isNew: boolean
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const groupOf = (device: ReportDevice): string =>
  (device.addresses.some((a) => a.public && a.ip === device.ip) ? 'outside' : COLUMNS.some(([, roles]) => roles.includes(family(device.role))) ? family(device.role) : 'unknown')

/** The network a group stands for: from narrow to wide, until there are few enough. */
function crowding(devices: readonly ReportDevice[]): (device: ReportDevice) => string {
  const wide = (ip: string): string => (ip.includes(':') ? `${ip.split(':').slice(0, 2).join(':')}::/32` : `${ip.split('.').slice(0, 2).join('.')}.0.0/16`)
  const names = [(d: ReportDevice) => `${groupOf(d)} ${networkOf(d.ip)}`, (d: ReportDevice) => `${groupOf(d)} ${wide(d.ip)}`, groupOf]
  return names.find((name) => new Set(devices.map(name)).size <= CROWDS) ?? groupOf
}

/** Networks inside by how many devices they have, the most populous first. */
function networksOf({ data }: Model): [name: string, devices: number][] {
  const found = new Map<string, number>()
  for (const { ip, addresses } of data.devices) if (!addresses.some((a) => a.public && a.ip === ip)) found.set(networkOf(ip), (found.get(networkOf(ip)) ?? 0) + 1)
  return [...found].sort((a, b) => b[1] - a[1])
}

/** Devices of a network, and whoever is in conversation with them. @param network empty: all of them */
function devicesAround(model: Model, network: string): ReportDevice[] {
  const { devices } = model.data
  if (network === '') return devices
  const near = new Set(devices.filter(({ ip }) => networkOf(ip) === network).flatMap(({ id }) => [id, ...(model.edgesOf.get(id) ?? []).flatMap((e) => [e.client, e.server])]))
  return devices.filter(({ id }) => near.has(id))
}

function spotsOf(model: Model, open: ReadonlySet<string>, network: string): Spot[] {
  const devices = devicesAround(model, network)
  const gather = devices.length > SINGLE
  const crowdOf = crowding(devices)
  const worst = new Map(devices.map((d) => [d.id, (model.alertsOf.get(d.id) ?? []).reduce((w, a) => (rankOf(a.severity) > rankOf(w) ? a.severity : w), '')]))
  const singles = new Set([...worst].filter(([, s]) => rankOf(s) >= 1).sort((a, b) => rankOf(b[1]) - rankOf(a[1])).slice(0, WORST).map(([id]) => id))
  const spots = new Map<string, Spot>()
  for (const device of devices) {
    const group = groupOf(device)
    const severity = worst.get(device.id)!
    const crowd = crowdOf(device)
    const alone = !gather || singles.has(device.id) || open.has(crowd)
    const id = alone ? device.id : `crowd:${crowd}`
    const spot = spots.get(id)
    if (spot === undefined) spots.set(id, { id, label: '', group, crowd, members: [device], severity, isNew: device.isNew })
    else {
      spot.members.push(device)
      spot.isNew ||= device.isNew
      if (rankOf(severity) > rankOf(spot.severity)) spot.severity = severity
    }
  }
  for (const spot of spots.values()) {
    const one = spot.members[0]!
    spot.label = spot.members.length === 1 ? cut(shown(one.name), 22) : `${count(spot.members.length)} × ${spot.crowd.replace(' ', '\n')}`
  }
  return [...spots.values()]
}

/** @param select what is chosen: a device, or a pair of them, or nothing */
export function mapView(model: Model, choose: (id: string) => void): HTMLElement {
  const canvas = h('div', { class: 'map', role: 'img', tabindex: 0, 'aria-label': 'Map of devices and their conversations; the table below says the same in words' })
  const told = h('p', { class: 'told', 'aria-live': 'polite' }, 'Choose a device or a line. Drag to move, turn the wheel to zoom; + and − do it by keyboard.')
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
    ;(window as unknown as { wardwireMap?: unknown }).wardwireMap = { nodes: graph.nodes().length, edges: graph.edges().length }
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
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (canvas.isConnected) draw() })
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
  const most = Math.log10(Math.max(10, ...edges.map((e) => e.bytes)))
  const graph = cytoscape({
    container: canvas, elements: [
      ...headers(spots),
      ...spots.map((spot, i) => ({ data: { id: spot.id, label: `${spot.isNew ? '+ ' : ''}${spot.label}`, shape: SHAPES[spot.group] ?? 'rectangle', size: spot.members.length > 1 ? 44 : 28 }, position: placed(spots, i), classes: `spot ${spot.severity} ${spot.isNew ? 'new' : ''} ${spot.members.length > 1 ? 'crowd' : ''} ${spot.group}` })),
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
      drawing.told.replaceChildren(`${shown(device.name)}: ${shown(device.role)}, ${device.ip} in ${networkOf(device.ip)}, ${plural((model.edgesOf.get(device.id) ?? []).length, 'peer')}. `,
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

const ACROSS = 200
const DOWN = 54
/** A column breaks into several when it gets taller than this; the more there are, the taller, so that the picture keeps its shape. */
const tallest = (spots: number): number => Math.max(12, Math.ceil(Math.sqrt(1.6 * spots)))

function places(spots: Spot[]): { at: Map<Spot, { x: number; y: number }>; heads: { label: string; x: number }[] } {
  const at = new Map<Spot, { x: number; y: number }>()
  const heads: { label: string; x: number }[] = []
  const tall = tallest(spots.length)
  let x = 0
  for (const [label, roles] of COLUMNS) {
    const mine = spots.filter((s) => roles.includes(s.group)).sort((a, b) => roles.indexOf(a.group) - roles.indexOf(b.group) || (networkOf(a.members[0]!.ip) < networkOf(b.members[0]!.ip) ? -1 : networkOf(a.members[0]!.ip) > networkOf(b.members[0]!.ip) ? 1 : a.label < b.label ? -1 : 1))
    if (mine.length === 0) continue
    heads.push({ label, x: x + ((Math.ceil(mine.length / tall) - 1) * ACROSS * 0.6) / 2 })
    mine.forEach((spot, i) => {
      const column = Math.floor(i / tall)
      const inColumn = Math.min(tall, mine.length - column * tall)
      at.set(spot, { x: x + column * ACROSS * 0.6 + (i % 2) * 26, y: ((i % tall) - (inColumn - 1) / 2) * DOWN })
    })
    x += ACROSS + (Math.ceil(mine.length / tall) - 1) * ACROSS * 0.6
  }
  return { at, heads }
}

let lastSpots: Spot[] | undefined
let lastPlaces: ReturnType<typeof places> | undefined
function placesOf(spots: Spot[]): ReturnType<typeof places> {
  if (lastSpots !== spots || lastPlaces === undefined) {
    lastPlaces = places(spots)
    lastSpots = spots
  }
  return lastPlaces
}

const placed = (spots: Spot[], i: number): { x: number; y: number } => placesOf(spots).at.get(spots[i]!) ?? { x: 0, y: 0 }

function headers(spots: Spot[]): cytoscape.ElementDefinition[] {
  const { at, heads } = placesOf(spots)
  const top = Math.min(0, ...[...at.values()].map((p) => p.y)) - 70
  return heads.map(({ label, x }, i) => ({ data: { id: `header:${i}`, label }, position: { x: x + 13, y: top }, classes: 'header', selectable: false, grabbable: false }))
}

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
