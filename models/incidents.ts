/**
 * From evidence to alerts: one incident per actor and objective, which grows while evidence keeps coming (24 h after the last), and is
 * written again as a revision when it has something to say. Ids and texts are functions of the evidence alone.
 */
import type { Micros } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import { SEVERITIES, type Alert, type AlertEvidence, type Severity } from './alert.ts'
import { Budget, type BudgetState } from './budget.ts'
import { DAY, HOUR } from './clock.ts'
import { mature, todayOf, type Device } from './device.ts'
import { DRIPPING, LEAKING } from './drips.ts'
import { OBJECTIVES, type Evidence, type Objective } from './evidence.ts'
import { allowed, type Allowance } from './feedback.ts'
import { SCORES, STORM, openIncident, revise, round, take, type Incident, type Quiet, type Teller } from './incident.ts'
import { pack, unpack } from './pack.ts'
import { Recent, isShared, worthOf } from './recent.ts'
import { AFTERMATH, didSo, failsWith, isItsTitle, isOneStory, namesActor, shareHost, sharesConversation } from './related.ts'
import type { Site } from './site.ts'
import { newStanding, score, severityOf, surprise, weigh } from './standing.ts'
import { DEEDS } from './streams.ts'

/** An incident without new evidence for so long is over. */
const OPEN = DAY
/** But what is summed up over days may have been told that long ago. */
const REMEMBERED = 30 * DAY
/** Whoever broke in goes on to search and to fetch. */
const FOLLOWING: ReadonlySet<Objective> = new Set(['collection', 'discovery'])
/** Incidents that grow at once; those of the least worth end first. */
const MOST_OPEN = 2000
/** Incidents that were opened in this hour: of high severity and others, of known devices and of newcomers. */
const NONE_OPENED = { high: 0, others: 0, highOfNew: 0, othersOfNew: 0 }
type Opened = { hour: number } & typeof NONE_OPENED
/** Detectors of what a device is in, for hours or weeks, not of what it does. */
const STATES: ReadonlySet<string> = new Set(['service-down', 'rerouted'])
/** Under this key the incidents of a storm are counted together. */
const STORMY = 'storm'

export interface IncidentOptions extends Teller {
  onAlert(alert: Alert): void
  /** The device last known at an address. */
  known(ip: string): Device | undefined
  learnUntil: Micros
}

export class Incidents {
  /** By actor and objective. */
  #open = new Map<string, Incident>()
  readonly #recent = new Recent()
  /** Opened in this hour: of high severity, and others. */
  #opened: Opened = { hour: -1, ...NONE_OPENED }
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

  add(evidence: Evidence): void {
    const { at, actor, group, p } = evidence
    const declared = this.#declared(evidence)
    const excuse = declared ?? allowed(this.allowances, evidence)
    const { incident, others } = this.#find(evidence, excuse !== undefined)
    // What was declared weighs on nobody.
    const standing = excuse !== undefined ? newStanding() : incident?.standing ?? actor.standing
    const sum = p === null ? score(standing, at) : weigh(standing, group, p, at)
    if (p !== null && excuse === undefined) note(actor, this.#site.day, sum)
    const wrong = wrongAnyway(evidence) || (declared !== undefined && this.#unlikeDeclared(evidence))
    const severity = excuse === undefined ? rank(evidence, sum, this.#thresholds) : wrong ? 'low' : 'info'
    const total = p === null ? Math.max(sum, SCORES[severity]) : sum
    if (incident !== undefined) return this.#grow(incident, evidence, severity, total, excuse)
    if ((severity === 'info' && excuse === undefined) || at < this.#options.learnUntil) {
      this.suppressed.set(evidence.detector, (this.suppressed.get(evidence.detector) ?? 0) + 1)
      return
    }
    const other = this.#trouble(evidence, severity, others)
    if (other === undefined) return this.#openFor(evidence, severity, total, excuse)
    // There it adds to what is known of that trouble.
    const together = p === null || excuse !== undefined ? total : weigh(other.standing, group, p, at)
    const worst = excuse === undefined && p !== null ? rank(evidence, together, this.#thresholds) : severity
    return this.#grow(other, evidence, worst, together, excuse)
  }

  /** Why it is expected of all who did it, if a declared change says so. */
  #declared(evidence: Evidence): string | undefined {
    const { at, began = at, actor, others = [], service, inexcusable } = evidence
    if (inexcusable === true) return undefined
    const notes = [actor, ...others].map(({ ips }) => this.#site.calendar.excuse(began, ips, withWhom(evidence), service))
    return notes.includes(undefined) ? undefined : notes[0]
  }

  /**
   * Does a server fall silent that was declared only together with hosts that do not use it, nor do its work now? That is not what a
   * migration brings about, and many a migration lasts for months.
   */
  #unlikeDeclared({ at, actor, peer, p, group, service }: Evidence): boolean {
    const { calendar } = this.#site
    if (p !== null || group !== 'slow' || peer === null || calendar.excuse(at, actor.ips, peer.ips, service) !== undefined) return false
    for (const ip of calendar.named(at, actor.ips)) {
      const user = this.#options.known(ip)
      if ((actor.delivered?.get(ip) ?? -Infinity) > at - DAY || (user !== undefined && actor.memories.caller.known.get(user.id)?.settled === true)) return false
    }
    return true
  }

  /** What is weak by itself belongs to the trouble that its actor is in already; so do other views of the same deed, and what follows a break-in. Who has read of that a day ago is told anew of what is strong. */
  #trouble(evidence: Evidence, severity: Severity, others: readonly Incident[]): Incident | undefined {
    const { actor, at, since = at, objective, service, p } = evidence
    const isStrong = isMedium(severity)
    const follows = p !== null && (FOLLOWING.has(objective) || !isStrong)
    for (const other of OBJECTIVES) {
      for (const incident of this.#growing(actor, other, at)) {
        if (others.includes(incident) || onlyDeclared(incident)) continue
        // Whatever else is strong is a story of its own, unless it tells late of what has been going on.
        const from = follows || (p !== null && (didSo(incident, service) || isItsTitle(incident, evidence))) ? at - AFTERMATH : since
        if (incident.alert.last_seen > from && !(isStrong && isOldNews(incident, at))) return incident
      }
    }
    for (const incident of this.#open.values()) {
      if (others.includes(incident) || onlyDeclared(incident)) continue
      if (sharesConversation(incident, evidence) || (!isStrong && namesActor(incident, evidence))) return incident
    }
    return undefined
  }

  /** The incident that this belongs to, and those that it might have belonged to, were it not another story. */
  #find(evidence: Evidence, excused: boolean): { incident: Incident | undefined; others: Incident[] } {
    const others: Incident[] = []
    const told = this.#toldBefore(evidence)
    if (told !== undefined) return { incident: told, others }
    for (const incident of this.#related(evidence)) {
      if (!servesOthers(incident, evidence) && (excused || !another(incident, evidence, this.#thresholds))) return { incident, others }
      others.push(incident)
    }
    return { incident: undefined, others }
  }

  /** Where days are summed up: what was told of the same deeds within them, by either end. */
  #toldBefore(evidence: Evidence): Incident | undefined {
    const { actor, at, sums } = evidence
    if (sums === undefined) return undefined
    let latest: Incident | undefined
    for (const incident of this.#open.values()) {
      const { alert, storm } = incident
      if (storm || onlyDeclared(incident) || at - alert.last_seen > sums || alert.last_seen < (latest?.alert.last_seen ?? 0)) continue
      const takesPart = incident.actor === actor.id || incident.peers.includes(actor.id)
      if (takesPart && alert.evidence.some((one) => sameDrip(one, evidence))) latest = incident
    }
    return latest
  }

  /** What it may belong to, the closest first: the actor's own; that of the other end of the same edge, one incident, two views; of who asked for it, the third. */
  *#related(evidence: Evidence): Iterable<Incident> {
    const { actor, peer, asker, objective, at } = evidence
    const own = this.#growing(actor, objective, at)
    if (peer !== null) own.sort((a, b) => Number(b.peers.includes(peer.id)) - Number(a.peers.includes(peer.id)))
    yield* own
    for (const other of this.#growing(peer, objective, at)) if (other.peers.includes(actor.id) || shareHost(other.alert.hosts, actor)) yield other
    yield* this.#growing(asker, objective, at)
    for (const incident of this.#open.values()) {
      if (incident.objective !== objective || !grows(incident, at)) continue
      if (incident.asker === actor.id || isOneStory(incident, evidence)) yield incident
    }
  }

  /** The latest first. A server that everybody uses may be in several at once. */
  #growing(device: Device | null | undefined, objective: Objective, at: Micros): Incident[] {
    if (device === null || device === undefined) return []
    const latest = this.#open.get(`${device.id}/${objective}`)
    const found = latest === undefined ? [] : [latest]
    if (isShared(device.role)) for (const one of this.#open.values()) if (one.actor === device.id && one.objective === objective && one !== latest && !one.storm) found.push(one)
    return found.filter((incident) => grows(incident, at))
  }

  #openFor(evidence: Evidence, severity: Severity, total: number, excuse: string | undefined): void {
    const { actor } = evidence
    const storm = this.#storm(evidence.at, severity, mature(actor))
    if (storm && this.#open.has(STORMY)) return this.#grow(this.#open.get(STORMY)!, evidence, severity, total, excuse)
    const key = storm ? STORMY : `${actor.id}/${evidence.objective}`
    const incident = openIncident(key, evidence, severity, storm, this.#options)
    const before = this.#open.get(key)
    if (before !== undefined && isShared(actor.role) && (servesOthers(before, evidence) || onlyDeclared(before))) this.#open.set(`${key}/${before.alert.id}`, before)
    makeRoom(this.#open, MOST_OPEN, ({ alert }) => worthOf(alert))
    this.#open.set(key, incident)
    const { alert } = incident
    take(incident, evidence, excuse, this.#options)
    const campaign = excuse === undefined && !storm ? this.#recent.campaignOf(alert, evidence) : undefined
    if (campaign !== undefined) alert.campaign = campaign
    alert.score = round(total)
    this.#write(incident, actor)
  }

  /** Are there more new incidents in this hour than anybody reads? */
  #storm(at: Micros, severity: Severity, known: boolean): boolean {
    const hour = Math.floor(at / HOUR)
    if (hour !== this.#opened.hour) this.#opened = { hour, ...NONE_OPENED }
    if (severity === 'critical') return false
    // Newcomers can be invented by the hundred: they must not hide what a device does that everybody knows.
    return ++this.#opened[severity === 'high' ? known ? 'high' : 'highOfNew' : known ? 'others' : 'othersOfNew'] > STORM
  }

  #grow(incident: Incident, evidence: Evidence, severity: Severity, total: number, excuse: string | undefined): void {
    const { alert } = incident
    const before = alert.evidence.length
    if (evidence.at - alert.last_seen >= AFTERMATH) incident.quiet = asItStands(incident)
    const worse = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(alert.severity)
    if (worse) alert.severity = severity
    alert.score = Math.max(alert.score, round(total))
    take(incident, evidence, excuse, this.#options)
    // A revision for a higher severity, another detector, or a count that doubled.
    if (worse || (alert.evidence.length > before && severity !== 'info') || alert.count >= 2 * incident.told) this.#write(incident, evidence.actor)
  }

  #write(incident: Incident, actor: Device): void {
    const alert = revise(incident, actor, this.#site, this.#options)
    this.#recent.keep(alert)
    this.#options.onAlert(alert)
  }

  /** A day is over. */
  closeDay(scores: Iterable<number>): void {
    this.budget.learn(scores)
    this.#thresholds = this.budget.thresholds()
  }

  /** Recent alerts by id: of those that still grow, as they are now, told or not. */
  get kept(): ReadonlyMap<string, Alert> {
    const kept = new Map(this.#recent.alerts)
    for (const { alert } of this.#open.values()) if (kept.has(alert.id)) kept.set(alert.id, alert)
    return kept
  }

  /** Events of an alert that came since its last revision was told. */
  untold(id: string): number {
    for (const { alert, told } of this.#open.values()) if (alert.id === id) return alert.count - told
    return 0
  }

  get thresholds(): readonly (readonly [score: number, severity: Severity, perDay: number])[] {
    return this.#thresholds
  }

  /** Drops what is over, on a tick. */
  expire(at: Micros): void {
    for (const [key, incident] of this.#open) if (at - incident.alert.last_seen > (isSummed(incident) ? REMEMBERED : OPEN)) this.#open.delete(key)
  }

  *save(): Iterable<[string, unknown]> {
    yield ['incidents', pack([...this.#open])]
    yield ['budget', { ...this.budget.state, opened: this.#opened }]
    yield* this.#recent.save()
  }

  load(entries: Map<string, unknown>): void {
    this.#open = new Map(unpack(entries.get('incidents')) as [string, Incident][])
    const budget = entries.get('budget') as (BudgetState & { opened: Opened }) | undefined
    if (budget !== undefined) {
      const { opened, ...state } = budget
      this.#opened = { ...NONE_OPENED, ...opened }
      this.budget.state = state
    }
    this.#thresholds = this.budget.thresholds()
    this.#recent.load(entries)
  }
}

/** Rules bring their severity; the rest is as severe as its sum. */
function rank(evidence: Evidence, sum: number, thresholds: Incidents['thresholds']): Severity {
  if (evidence.p === null) return evidence.severity ?? 'low'
  const severity = severityOf(sum, thresholds)
  return evidence.learning === true && SEVERITIES.indexOf(severity) > SEVERITIES.indexOf('low') ? 'low' : severity
}

/**
 * With whom the actor did it, as declarations ask. A silence, or a slow change, is its own, whoever showed it; of many hosts that it reached for,
 * the latest is the other end of the conversation.
 */
function withWhom({ group, peer, flow, actor }: Evidence): ReadonlyMap<string, unknown> | ReadonlySet<string> | null {
  if (group === 'slow') return null
  if (peer !== null || flow === null) return peer?.ips ?? null
  return new Set([flow.client.ip, flow.server.ip].filter((ip) => !actor.ips.has(ip)))
}

/** What needs no learning to be wrong is not hidden by any declaration; that a server is away is just what was declared. */
const wrongAnyway = ({ p, group }: Evidence): boolean => p === null && group !== 'slow'

function note(device: Device, day: number, sum: number): void {
  const today = todayOf(device, day)
  if (sum > today.score) today.score = sum
}

/** Whoever has read of it has done so by now. */
const isOldNews = ({ alert }: Incident, at: Micros): boolean => at - alert.raised_at > DAY

/** Does it grow with new evidence, or is it over? */
const grows = ({ alert }: Incident, at: Micros): boolean => at - alert.last_seen <= OPEN

/** Is any of it also summed up over days? */
const isSummed = ({ alert, storm }: Incident): boolean => !storm && alert.evidence.some(({ unit }) => unit !== null && DRIPPING.has(unit))

/** The same count; or another side of the same leak: studies that are old, or without an order, given or got. */
const sameDrip = (one: AlertEvidence, { detector, unit }: Evidence): boolean =>
  one.unit === unit || (one.detector === detector && LEAKING.has(one.unit ?? '') && LEAKING.has(unit ?? ''))

const isMedium = (severity: Severity): boolean => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf('medium')

/** Enough for an alert that somebody has to look at, whatever else is known. */
const strong = ({ group, p }: Evidence, thresholds: Incidents['thresholds']): boolean =>
  p === null || isMedium(severityOf(surprise(group, p), thresholds))

/**
 * Is it a story of its own, whoever has dealt with the first one has not heard of? What is strong by itself, after a pause, and of another
 * kind, or about another target, or again what was known to be over; or what nobody declared, however weak, beside what was.
 */
function another(incident: Incident, evidence: Evidence, thresholds: Incidents['thresholds']): boolean {
  const { actor, peers, alert } = incident
  if (onlyDeclared(incident)) return true
  if (!strong(evidence, thresholds)) return false
  if ((evidence.actor.id !== actor || !STATES.has(evidence.detector)) && ofItsOwn(incident) && !failsWith(incident, evidence)) return true
  const { at, since = at, peer } = evidence
  const goesOn = since - alert.last_seen < AFTERMATH
  // What began after the quiet may have begun weakly, and is in that alert by now.
  const before = goesOn ? incident.quiet : asItStands(incident)
  if (before === undefined || since - before.since < AFTERMATH) return false
  // A low rule is no more than what it goes on with; nor is the other end of what was asked for.
  if (goesOn && (evidence.severity === 'low' || evidence.asker?.id === actor || before.asker === evidence.actor.id)) return false
  if (evidence.anew !== undefined) return evidence.anew
  const elsewhere = peer !== null && peer.id !== actor && !peers.slice(0, before.peers).includes(peer.id) && !isShared(peer.role)
  return elsewhere || !before.kinds.includes(kindOf(evidence))
}

/**
 * Is it what a server that everybody uses does for others, while it is in an alert about somebody else? Where studies and messages go
 * is what such an alert is about, and who has read it does not look there for whoever else begins to get some.
 */
function servesOthers({ actor, objective, peers, asker: askedBy, alert }: Incident, { actor: server, peer, asker, at, objective: of }: Evidence): boolean {
  if (objective !== 'collection' || of !== objective || server.id !== actor || !isShared(server.role) || at - alert.raised_at < AFTERMATH) return false
  const known = (one: Device | null | undefined): boolean => one !== null && one !== undefined && (peers.includes(one.id) || one.id === askedBy)
  return peer !== null && !known(peer) && !known(asker)
}

/** What whoever has read the alert by now knows of it. */
const asItStands = ({ alert, peers, asker }: Incident): Quiet => ({ since: alert.last_seen, kinds: alert.evidence.map(kindOf), peers: peers.length, asker })

/** Studies sent are another story than studies received, and studies without an order than studies; their images are not. */
const kindOf = ({ detector, unit }: Pick<Evidence, 'detector' | 'unit'>): string => DEEDS.get(unit ?? '') ?? `${detector}/${unit ?? ''}`

/** What was not declared is no part of it. */
const onlyDeclared = ({ alert, declared }: Incident): boolean => declared === true || alert.severity === 'info'

/** Is it about the state of one server (silent, behind other hardware), which says nothing of what is done meanwhile, with it or by it? */
const ofItsOwn = ({ actor, alert }: Incident): boolean => alert.evidence.every((one) => one.p === null && one.actor === actor && STATES.has(one.detector))
