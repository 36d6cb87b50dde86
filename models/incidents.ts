/**
 * From evidence to alerts: one incident per actor and objective, which grows while evidence keeps coming (24 h after the last), and is
 * written again as a revision when it has something to say. Ids and texts are functions of the evidence alone.
 */
import type { Micros } from '../protocols/events.ts'
import { SEVERITIES, type Alert, type AlertDevice, type AlertEvidence, type Severity } from './alert.ts'
import { ATTACK_VERSION, techniques } from './attack.ts'
import { Budget, type BudgetState } from './budget.ts'
import { DAY, HOUR } from './clock.ts'
import { NOBODY } from './directory.ts'
import { addressOf, clean, mature, nameOf, todayOf, type Device } from './device.ts'
import { OBJECTIVES, type Evidence, type Objective } from './evidence.ts'
import { newStanding, score, severityOf, surprise, weigh, type Standing } from './standing.ts'
import { adviceOn } from './advice.ts'
import { counted } from './detectors/detector.ts'
import { explanationOf, inOneText } from './explanation.ts'
import { allowed, type Allowance } from './feedback.ts'
import { shortId } from './hash.ts'
import { pack, unpack } from './pack.ts'
import type { Site } from './site.ts'

/** An incident without new evidence for so long is over. */
const OPEN = DAY
/** Searching and fetching follow each other: what an actor's counts say so soon after is the same incident, whatever it is after. */
const AFTERMATH = 2 * HOUR
/** Caps of what one alert carries; its count goes on. */
const MOST = { evidence: 24, peers: 32, hosts: 300, flows: 60, services: 16, open: 2000 } as const
/** Alerts kept for questions about them (`wardwire baseline explain`); the one that ended first goes first. */
const KEPT = 400
/** Incidents that are opened within an hour before a further one is only counted; those of high severity have as many of their own. */
const STORM = 100
/** Incidents that share an actor or a target within this time are a campaign. */
const CAMPAIGN = 3 * DAY
/** Whom an outage hits are no targets: its peers are everybody. */
const OUTAGE = 'service-down'
/** Whom everybody uses joins nobody. */
const SHARED = /^(archive|ris|engine|hl7-receiver)$/

export interface Incident {
  alert: Alert
  actor: string
  objective: Objective
  /** Devices by id, and what each piece of evidence adds. */
  peers: string[]
  /** Who had the actor do it. */
  asker?: string | undefined
  /** Largest surprise of a piece of evidence so far, and of equals the rarest: that one leads, and gives the title. */
  lead: number
  leadP: number
  standing: Standing
  /** Count at the last revision that was written. */
  told: number
  /** It stands for all incidents beyond the cap of an hour. */
  storm: boolean
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
  /** The latest revision of recent alerts, by id. */
  #kept = new Map<string, Alert>()
  /** Opened in this hour: of high severity, and others. */
  #opened = { hour: -1, high: 0, others: 0 }
  readonly budget = new Budget()
  #thresholds = this.budget.thresholds()
  allowances: readonly Allowance[] = []
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
    // A silence, or a slow change, is the actor's own, whoever showed it.
    const withWhom = group === 'slow' ? null : peer?.ips ?? null
    const excuse = this.#site.calendar.excuse(at, actor.ips, withWhom, evidence.service) ?? allowed(this.allowances, evidence)
    const incident = this.#find(evidence)
    // What was declared weighs on nobody.
    const standing = excuse !== undefined ? newStanding() : incident?.standing ?? actor.standing
    const sum = p === null ? score(standing, at) : weigh(standing, group, p, at)
    if (p !== null && excuse === undefined) note(actor, this.#site.day, sum)
    const severity = excuse === undefined ? rank(evidence, sum, this.#thresholds) : wrongAnyway(evidence) ? 'low' : 'info'
    const total = p === null ? Math.max(sum, SCORES[severity]) : sum
    if (incident !== undefined) return this.#grow(incident, evidence, severity, total, excuse)
    if ((severity === 'info' && excuse === undefined) || at < this.#options.learnUntil) {
      this.suppressed.set(evidence.detector, (this.suppressed.get(evidence.detector) ?? 0) + 1)
      return
    }
    // What is weak by itself belongs to the trouble that its actor is in already.
    const other = this.#trouble(actor, at, patience(evidence, severity))
    if (other === undefined) return this.#openFor(evidence, severity, total, excuse)
    // There it adds to what is known of that trouble.
    const together = p === null || excuse !== undefined ? total : weigh(other.standing, group, p, at)
    const worst = excuse === undefined && p !== null ? rank(evidence, together, this.#thresholds) : severity
    return this.#grow(other, evidence, worst, together, excuse)
  }

  #trouble(actor: Device, at: Micros, within: Micros): Incident | undefined {
    for (const objective of OBJECTIVES) {
      const incident = this.#open.get(`${actor.id}/${objective}`)
      if (incident !== undefined && at - incident.alert.last_seen < within && incident.alert.severity !== 'info') return incident
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
    const other = this.#growing(evidence.peer, evidence)
    if (other !== undefined && (other.peers.includes(evidence.actor.id) || shareHost(other.alert.hosts, evidence.actor))) return other
    // And a third: who asked for it.
    return this.#growing(evidence.asker, evidence) ?? this.#askedFor(evidence)
  }

  #growing(device: Device | null | undefined, { at, objective }: Evidence): Incident | undefined {
    const incident = device === null || device === undefined ? undefined : this.#open.get(`${device.id}/${objective}`)
    return incident !== undefined && at - incident.alert.last_seen <= OPEN ? incident : undefined
  }

  /** The incident of others that this actor had them do. */
  #askedFor({ actor, at, objective }: Evidence): Incident | undefined {
    for (const incident of this.#open.values()) {
      if (incident.objective === objective && incident.asker === actor.id && at - incident.alert.last_seen <= OPEN) return incident
    }
    return undefined
  }

  #openFor(evidence: Evidence, severity: Severity, total: number, excuse: string | undefined): void {
    const { actor } = evidence
    const storm = this.#storm(evidence.at, severity)
    if (storm && this.#open.has(STORMY)) return this.#grow(this.#open.get(STORMY)!, evidence, severity, total, excuse)
    const key = storm ? STORMY : `${actor.id}/${evidence.objective}`
    const alert: Alert = {
      schema: 'wardwire.alert/1', id: `a-${shortId(`${key}/${evidence.at}`)}`, revision: 0,
      raised_at: evidence.at, first_seen: evidence.at, last_seen: evidence.at, severity, score: 0, detector: evidence.detector,
      title: '', explanation: '', device: describe(actor), peers: [], hosts: [], evidence: [], attack: [], attack_version: ATTACK_VERSION, flows: [], count: 0,
      baseline: { days: 0, events: 0, state: '' }, capture: { sensor: this.#options.sensor, source: this.#options.source, loss: 0 },
    }
    const incident: Incident = { alert, actor: actor.id, objective: evidence.objective, peers: [], lead: -1, leadP: 2, standing: actor.standing, told: 0, storm }
    actor.standing = newStanding()
    if (this.#open.size >= MOST.open) this.#open.delete(this.#open.keys().next().value!)
    this.#open.set(key, incident)
    this.#take(incident, evidence, excuse)
    if (excuse === undefined && !storm) this.#join(alert, evidence)
    alert.score = round(total)
    this.#write(incident, actor)
  }

  /** Are there more new incidents in this hour than anybody reads? */
  #storm(at: Micros, severity: Severity): boolean {
    const hour = Math.floor(at / HOUR)
    if (hour !== this.#opened.hour) this.#opened = { hour, high: 0, others: 0 }
    if (severity === 'critical') return false
    return ++this.#opened[severity === 'high' ? 'high' : 'others'] > STORM
  }

  /** Joins an alert to the campaign of an earlier one with the same actor, or a target that few use. */
  #join(alert: Alert, { actor, peer }: Evidence): void {
    const concerned = [actor.id, ...(peer === null || SHARED.test(peer.role) || alert.detector === OUTAGE ? [] : [peer.id])]
    let first: Alert | undefined
    for (const other of this.#kept.values()) {
      if (alert.raised_at - other.last_seen > CAMPAIGN || other.severity === 'info') continue
      const shared = concerned.includes(other.device.id) || (other.detector !== OUTAGE && other.peers.some(({ id, role }) => !SHARED.test(role) && concerned.includes(id)))
      if (shared && (first === undefined || other.raised_at < first.raised_at || (other.raised_at === first.raised_at && other.id < first.id))) first = other
    }
    if (first !== undefined) alert.campaign = first.campaign ?? first.id
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
    const { actor, peer, asker } = evidence
    if (asker !== undefined && asker !== null) incident.asker ??= asker.id
    alert.count++
    alert.last_seen = Math.max(alert.last_seen, evidence.at)
    for (const device of [actor, peer, asker]) {
      if (device === null || device === undefined || device === NOBODY || device.id === incident.actor) continue
      if (!incident.peers.includes(device.id) && incident.peers.length < MOST.peers) {
        incident.peers.push(device.id)
        alert.peers.push(describe(device))
      }
    }
    addSome(alert.hosts, [...actor.ips.keys(), ...(peer?.ips.keys() ?? []), ...(asker?.ips.keys() ?? []), ...(evidence.flow === null ? [] : [evidence.flow.client.ip, evidence.flow.server.ip])], MOST.hosts)
    const flow = evidence.flow?.community_id
    if (flow !== undefined) addSome(alert.flows, [flow], MOST.flows)
    keep(alert.evidence, published(evidence, excuse))
    alert.attack = techniques([...alert.attack.map((a) => a.technique), ...this.#options.facts(evidence.detector).attack])
    const weight = excuse !== undefined ? 0 : evidence.p === null ? SCORES[evidence.severity ?? 'low'] : surprise(evidence.group, evidence.p)
    const p = evidence.p ?? 1
    if (weight > incident.lead || (weight === incident.lead && p < incident.leadP)) {
      incident.lead = weight
      incident.leadP = p
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
      alert.baseline = { days: Math.floor(actor.lived), events: actor.events, state: mature(actor) ? 'learned' : 'learning', ...this.#peersOf(actor, alert) }
    }
    if (incident.storm) alert.title = `A storm of alerts: ${counted(alert.count, 'findings')} beyond ${STORM} incidents in an hour, counted together`
    alert.capture.loss = round(this.#site.loss)
    alert.advice = { would_explain: [...this.#options.facts(alert.detector).falsePositives], ...adviceOn(alert.detector, incident.objective) }
    alert.explanation = inOneText(explanationOf(alert))
    const copy = structuredClone(alert)
    this.#kept.delete(alert.id)
    this.#kept.set(alert.id, copy)
    if (this.#kept.size > KEPT) this.#kept.delete(firstOver(this.#kept.values()).id)
    this.#options.onAlert(copy)
  }

  /** What the others of the role do today, where counts are judged beside them: how many they are, and percent of their usual. */
  #peersOf(actor: Device, alert: Alert): { others?: number; pace?: number } {
    const others = actor.role === 'unknown' ? 0 : this.#site.popularity(actor, 'peer', '').others
    if (others === 0 || !alert.evidence.some((one) => one.arithmetic?.some((factor) => factor.of === 'count') === true)) return {}
    return { others, pace: Math.round(100 * this.#site.pace(actor).factor(this.#site.day)) }
  }

  /** A day is over. */
  closeDay(scores: Iterable<number>): void {
    this.budget.learn(scores)
    this.#thresholds = this.budget.thresholds()
  }

  /** Recent alerts by id: of those that still grow, as they are now, told or not. */
  get kept(): ReadonlyMap<string, Alert> {
    const kept = new Map(this.#kept)
    for (const { alert } of this.#open.values()) if (kept.has(alert.id)) kept.set(alert.id, alert)
    return kept
  }

  get thresholds(): readonly (readonly [score: number, severity: Severity, perDay: number])[] {
    return this.#thresholds
  }

  /** Drops what is over, on a tick. */
  expire(at: Micros): void {
    for (const [key, incident] of this.#open) if (at - incident.alert.last_seen > OPEN) this.#open.delete(key)
  }

  *save(): Iterable<[string, unknown]> {
    yield ['incidents', pack([...this.#open])]
    yield ['budget', { ...this.budget.state, opened: this.#opened }]
    for (const [id, alert] of this.#kept) yield [`alert/${id}`, pack(alert)]
  }

  load(entries: Map<string, unknown>): void {
    this.#open = new Map(unpack(entries.get('incidents')) as [string, Incident][])
    const budget = entries.get('budget') as (BudgetState & { opened: { hour: number; high: number; others: number } }) | undefined
    if (budget !== undefined) {
      const { opened, ...state } = budget
      this.#opened = { ...opened }
      this.budget.state = state
    }
    this.#thresholds = this.budget.thresholds()
    this.#kept.clear()
    for (const [key, alert] of entries) if (key.startsWith('alert/')) this.#kept.set(key.slice('alert/'.length), unpack(alert) as Alert)
  }
}

/** What a rule's severity is worth on the scale of scores. */
const SCORES: Record<Severity, number> = { info: 0, low: 2.5, medium: 3.5, high: 5.1, critical: 8 }

/** Rules bring their severity; the rest is as severe as its sum. */
function rank(evidence: Evidence, sum: number, thresholds: Incidents['thresholds']): Severity {
  if (evidence.p === null) return evidence.severity ?? 'low'
  const severity = severityOf(sum, thresholds)
  return evidence.learning === true && SEVERITIES.indexOf(severity) > SEVERITIES.indexOf('low') ? 'low' : severity
}

/** What needs no learning to be wrong is not hidden by any declaration; that a server is away is just what was declared. */
const wrongAnyway = ({ p, group }: Evidence): boolean => p === null && group !== 'slow'

/** Under this key the incidents of a storm are counted together. */
const STORMY = 'storm'

function note(device: Device, day: number, sum: number): void {
  const today = todayOf(device, day)
  if (sum > today.score) today.score = sum
}

/** The alert that ended first; of several the one with the lesser id. */
function firstOver(alerts: Iterable<Alert>): Alert {
  let first: Alert | undefined
  for (const alert of alerts) {
    if (first === undefined || alert.last_seen < first.last_seen || (alert.last_seen === first.last_seen && alert.id < first.id)) first = alert
  }
  return first!
}

/** How long after the last sign of trouble something else of the same actor still belongs to it. */
function patience({ group, p }: Evidence, severity: Severity): Micros {
  // The owner of a borrowed name may be heard again only hours later; anything else of that day is a story of its own.
  if (group === 'identity' && severity !== 'low') return OPEN
  return p === null && severity !== 'low' ? 0 : AFTERMATH
}

/** A host that was taken for the device itself until the two were told apart. */
const shareHost = (hosts: readonly string[], device: Device): boolean => hosts.some((ip) => device.ips.has(ip))

const round = (x: number): number => Math.round(x * 1000) / 1000

function addSome(list: string[], more: Iterable<string>, most: number): void {
  for (const one of more) if (list.length < most && !list.includes(one)) list.push(one)
}

/** One line per detector and unit: the rarest, of equals the latest; with the most that there was of it, and by what services. The list is ordered by rarity. */
function keep(list: AlertEvidence[], one: AlertEvidence): void {
  const same = list.findIndex((e) => e.detector === one.detector && e.unit === one.unit && e.group === one.group)
  const before = list[same]
  if (before !== undefined) {
    const { flows } = before
    addSome(flows, one.flows, 8)
    const rarer = one.p === null ? (one.observed ?? 0) >= (before.observed ?? 0) : one.p <= (before.p ?? 1)
    const [shown, other] = rarer ? [one, before] : [before, one]
    const most = Math.max(before.most ?? before.observed ?? 0, one.observed ?? 0)
    const services = [...new Set([...before.services ?? [], ...(shown.service === other.service ? [] : [other.service ?? ''])])]
      .filter((service) => service !== (shown.service ?? '')).slice(0, MOST.services)
    const { most: _most, services: _services, ...line } = shown
    list[same] = { ...line, flows, ...(most > (shown.observed ?? 0) && { most }), ...(services.length > 0 && { services }) }
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
