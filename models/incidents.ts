/**
 * From evidence to alerts: one incident per actor and objective, which grows while evidence keeps coming (24 h after the last), and is
 * written again as a revision when it has something to say. Ids and texts are functions of the evidence alone.
 */
import type { Micros } from '../protocols/events.ts'
import { SEVERITIES, type Alert, type AlertDevice, type AlertEvidence, type Severity } from './alert.ts'
import { ATTACK_VERSION, techniques } from './attack.ts'
import { DAY } from './clock.ts'
import { NOBODY } from './directory.ts'
import { addressOf, clean, mature, nameOf, type Device } from './device.ts'
import { newStanding, score, severityOf, surprise, weigh, type Evidence, type Objective, type Standing } from './evidence.ts'
import { shortId } from './hash.ts'
import type { Site } from './site.ts'

/** An incident without new evidence for so long is over. */
const OPEN = DAY
/** Caps of what one alert carries; its count goes on. */
const MOST = { evidence: 24, peers: 32, hosts: 300, flows: 60, open: 2000 } as const

export interface Incident {
  alert: Alert
  actor: string
  objective: Objective
  /** Devices by id, and what each piece of evidence adds. */
  peers: string[]
  /** Largest surprise of a piece of evidence so far: who leads. */
  lead: number
  standing: Standing
  /** Count at the last revision that was written. */
  told: number
}

export interface DetectorFacts {
  attack: readonly string[]
  falsePositives: readonly string[]
}

export interface IncidentOptions {
  onAlert(alert: Alert): void
  learnUntil: Micros
  sensor: string
  source: string
  facts(detector: string): DetectorFacts
}

export class Incidents {
  /** By actor and objective. */
  #open = new Map<string, Incident>()
  readonly #options: IncidentOptions
  readonly #site: Site
  /** Evidence since the start that raised nothing: too little by itself, or before `learnUntil`; by detector. */
  readonly suppressed = new Map<string, number>()

  constructor(site: Site, options: IncidentOptions) {
    this.#site = site
    this.#options = options
  }

  /** Does the device have an incident that is still growing? Its new habits are not learned as normal meanwhile. */
  concerns(device: Device, at: Micros): boolean {
    for (const incident of this.#open.values()) {
      if (at - incident.alert.last_seen <= OPEN && (incident.actor === device.id || incident.peers.includes(device.id))) return true
    }
    return false
  }

  add(evidence: Evidence): void {
    const { at, actor, peer, group, p } = evidence
    const excuse = this.#site.calendar.excuse(at, actor.ips, peer?.ips ?? null, evidence.service)
    const incident = this.#find(evidence)
    // What was declared weighs on nobody.
    const standing = excuse !== undefined ? newStanding() : incident?.standing ?? actor.standing
    const sum = p === null ? score(standing, at) : weigh(standing, group, p, at)
    const severity = excuse === undefined ? rank(evidence, sum) : p === null ? 'low' : 'info'
    const total = p === null ? Math.max(sum, SCORES[severity]) : sum
    if (incident !== undefined) return this.#grow(incident, evidence, severity, total, excuse)
    if ((severity === 'info' && excuse === undefined) || at < this.#options.learnUntil) {
      this.suppressed.set(evidence.detector, (this.suppressed.get(evidence.detector) ?? 0) + 1)
      return
    }
    // What is weak by itself belongs to the trouble that its actor is in already.
    const other = SEVERITIES.indexOf(severity) < SEVERITIES.indexOf('medium') ? this.#trouble(actor, at) : undefined
    if (other !== undefined) this.#grow(other, evidence, severity, total, excuse)
    else this.#openFor(evidence, severity, total, excuse)
  }

  #trouble(actor: Device, at: Micros): Incident | undefined {
    for (const incident of this.#open.values()) {
      if (incident.actor === actor.id && at - incident.alert.last_seen <= OPEN && incident.alert.severity !== 'info') return incident
    }
    return undefined
  }

  #find(evidence: Evidence): Incident | undefined {
    const key = `${evidence.actor.id}/${evidence.objective}`
    const own = this.#open.get(key)
    if (own !== undefined) {
      if (evidence.at - own.alert.last_seen <= OPEN) return own
      this.#open.delete(key)
    }
    // The other end of the same edge may have been told about already: one incident, two views.
    if (evidence.peer === null) return undefined
    for (const incident of this.#open.values()) {
      if (incident.objective !== evidence.objective || evidence.at - incident.alert.last_seen > OPEN || incident.actor !== evidence.peer.id) continue
      if (incident.peers.includes(evidence.actor.id) || shareHost(incident.alert.hosts, evidence.actor)) return incident
    }
    return undefined
  }

  #openFor(evidence: Evidence, severity: Severity, total: number, excuse: string | undefined): void {
    const { actor } = evidence
    const alert: Alert = {
      schema: 'wardwire.alert/1', id: `a-${shortId(`${actor.id}/${evidence.objective}/${evidence.at}/${evidence.detector}`)}`, revision: 0,
      raised_at: evidence.at, first_seen: evidence.at, last_seen: evidence.at, severity, score: 0, detector: evidence.detector,
      title: '', explanation: '', device: describe(actor), peers: [], hosts: [], evidence: [], attack: [], attack_version: ATTACK_VERSION, flows: [], count: 0,
      baseline: { days: 0, events: 0, state: '' }, capture: { sensor: this.#options.sensor, source: this.#options.source, loss: 0 },
    }
    const incident: Incident = { alert, actor: actor.id, objective: evidence.objective, peers: [], lead: -1, standing: actor.standing, told: 0 }
    actor.standing = newStanding()
    if (this.#open.size >= MOST.open) this.#open.delete(this.#open.keys().next().value!)
    this.#open.set(`${actor.id}/${evidence.objective}`, incident)
    this.#take(incident, evidence, excuse)
    alert.score = round(total)
    this.#write(incident, actor)
  }

  #grow(incident: Incident, evidence: Evidence, severity: Severity, total: number, excuse: string | undefined): void {
    const { alert } = incident
    const before = alert.evidence.length
    const worse = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(alert.severity)
    if (worse) alert.severity = severity
    alert.score = Math.max(alert.score, round(total))
    this.#take(incident, evidence, excuse)
    // A revision for a higher severity, another detector, or a count that doubled.
    if (worse || (alert.evidence.length > before && severity !== 'info') || alert.count >= 2 * incident.told) this.#write(incident, evidence.actor)
  }

  #take(incident: Incident, evidence: Evidence, excuse: string | undefined): void {
    const { alert } = incident
    const { actor, peer } = evidence
    alert.count++
    alert.last_seen = Math.max(alert.last_seen, evidence.at)
    for (const device of [actor, peer]) {
      if (device === null || device === NOBODY || device.id === incident.actor) continue
      if (!incident.peers.includes(device.id) && incident.peers.length < MOST.peers) {
        incident.peers.push(device.id)
        alert.peers.push(describe(device))
      }
    }
    addSome(alert.hosts, [...actor.ips.keys(), ...(peer?.ips.keys() ?? []), ...(evidence.flow === null ? [] : [evidence.flow.client.ip, evidence.flow.server.ip])], MOST.hosts)
    const flow = evidence.flow?.community_id
    if (flow !== undefined) addSome(alert.flows, [flow], MOST.flows)
    keep(alert.evidence, published(evidence, excuse))
    alert.attack = techniques([...alert.attack.map((a) => a.technique), ...this.#options.facts(evidence.detector).attack])
    const weight = excuse !== undefined ? 0 : evidence.p === null ? SCORES[evidence.severity ?? 'low'] : surprise(evidence.group, evidence.p)
    if (weight >= incident.lead) {
      incident.lead = weight
      alert.detector = evidence.detector
      alert.title = evidence.title
      if (actor.id === incident.actor) alert.device = describe(actor)
    }
  }

  #write(incident: Incident, actor: Device): void {
    const { alert } = incident
    incident.told = alert.count
    alert.revision++
    if (actor.id === incident.actor) {
      alert.baseline = { days: Math.floor(actor.lived), events: actor.events, state: mature(actor) ? 'learned' : 'learning' }
    }
    alert.capture.loss = round(this.#site.loss)
    alert.explanation = this.#explain(alert)
    this.#options.onAlert(structuredClone(alert))
  }

  /** Observed and expected from the evidence, what would explain it, and what would not. */
  #explain(alert: Alert): string {
    const parts = alert.evidence.slice(0, 4).map((e) => e.text)
    const { falsePositives } = this.#options.facts(alert.detector)
    if (falsePositives.length > 0) parts.push(`Would explain it: ${falsePositives.join('; ')}.`)
    if (alert.baseline.state === 'learning') parts.push('This device is still being learned, so ordinary firsts may be part of it.')
    if (alert.capture.loss > 0.001) parts.push(`The sensor missed ${(100 * alert.capture.loss).toFixed(1)} % of the bytes, so counts may be low.`)
    return parts.join(' ')
  }

  /** Drops what is over, on a tick. */
  expire(at: Micros): void {
    for (const [key, incident] of this.#open) if (at - incident.alert.last_seen > OPEN) this.#open.delete(key)
  }

  save(): unknown {
    return [...this.#open]
  }

  load(state: unknown): void {
    this.#open = new Map(structuredClone(state) as [string, Incident][])
  }
}

/** What a rule's severity is worth on the scale of scores. */
const SCORES: Record<Severity, number> = { info: 0, low: 2.5, medium: 3.5, high: 5.1, critical: 8 }

/** Rules bring their severity; the rest is as severe as its sum. */
function rank(evidence: Evidence, sum: number): Severity {
  return evidence.p === null ? evidence.severity ?? 'low' : severityOf(sum)
}

/** A host that was taken for the device itself until the two were told apart. */
const shareHost = (hosts: readonly string[], device: Device): boolean => hosts.some((ip) => device.ips.has(ip))

const round = (x: number): number => Math.round(x * 1000) / 1000

function addSome(list: string[], more: Iterable<string>, most: number): void {
  for (const one of more) if (list.length < most && !list.includes(one)) list.push(one)
}

/** One line per detector and unit: the latest says it all. The list is ordered by rarity. */
function keep(list: AlertEvidence[], one: AlertEvidence): void {
  const same = list.findIndex((e) => e.detector === one.detector && e.unit === one.unit && e.group === one.group)
  if (same >= 0) {
    const flows = list[same]!.flows
    addSome(flows, one.flows, 8)
    list[same] = { ...one, flows }
  } else if (list.length < MOST.evidence) list.push(one)
  list.sort((a, b) => (a.p ?? 0) - (b.p ?? 0))
}

function published(evidence: Evidence, excuse: string | undefined): AlertEvidence {
  const { detector, group, at, p, observed, expected, unit, text, flow, arithmetic, actor, peer, service } = evidence
  return {
    detector, group, at, p, observed, expected, unit, text: excuse === undefined ? text : `${text} Declared: ${clean(excuse)}.`,
    flows: flow === null ? [] : [flow.community_id],
    ...(arithmetic.length > 0 && { arithmetic: [...arithmetic] }), actor: actor.id, peer: peer?.id ?? null, service: service === null ? null : clean(service),
  }
}

export function describe(device: Device): AlertDevice {
  const macs = [...new Set([...device.ips.values()].flatMap((a) => (a.mac === null ? [] : [a.mac])))]
  return {
    id: device.id, role: device.role, name: nameOf(device),
    ip: [addressOf(device), ...[...device.ips.keys()].filter((ip) => ip !== addressOf(device))], mac: macs,
    ae_titles: [...device.aes.keys()].map(clean),
  }
}
