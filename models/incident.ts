/** One incident: what each piece of evidence adds to its alert, and how a revision is written. Which incident it is, incidents.ts says. */
import type { Micros } from '../protocols/events.ts'
import { adviceOn } from './advice.ts'
import type { Alert, AlertDevice, AlertEvidence, Severity } from './alert.ts'
import { ATTACK_VERSION, techniques } from './attack.ts'
import { counted } from './detectors/detector.ts'
import { addressOf, clean, mature, nameOf, type Device } from './device.ts'
import { NOBODY } from './directory.ts'
import type { Evidence, Objective } from './evidence.ts'
import { explanationOf, inOneText } from './explanation.ts'
import { shortId } from './hash.ts'
import { OUTAGES } from './recent.ts'
import type { Site } from './site.ts'
import { newStanding, surprise, type Standing } from './standing.ts'

/** Caps of what one alert carries; its count goes on. */
const MOST = { evidence: 24, peers: 32, hosts: 300, flows: 60, services: 16 } as const

/** Incidents that are opened within an hour before a further one is only counted; those of high severity have as many of their own, and so have newcomers (incidents.ts). */
export const STORM = 100

/** What a rule's severity is worth on the scale of scores. */
export const SCORES: Record<Severity, number> = { info: 0, low: 2.5, medium: 3.5, high: 5.1, critical: 8 }

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
  /** What it was before its latest quiet of hours; absent: there was none. */
  quiet?: Quiet
  /** Count at the last revision that was written. */
  told: number
  /** All of it so far was declared; absent: not all. */
  declared?: boolean
  /** It stands for all incidents beyond the cap of an hour. */
  storm: boolean
}

/** An incident as it stood when nothing was heard of it for hours. */
export interface Quiet {
  since: Micros
  /** What its evidence was of: detectors, and what they counted. */
  kinds: string[]
  /** How many of its peers it had by then. */
  peers: number
  asker?: string | undefined
}

export interface DetectorFacts {
  attack: readonly string[]
  falsePositives: readonly string[]
}

/** What every alert says beside its evidence. */
export interface Teller {
  sensor: string
  source: string
  facts(detector: string): DetectorFacts
}

/** An incident that this evidence begins; it takes over what its actor stood for. @param key tells it from others of the same moment */
export function openIncident(key: string, { actor, at, detector, objective }: Evidence, severity: Severity, storm: boolean, { sensor, source }: Teller): Incident {
  const { standing } = actor
  actor.standing = newStanding()
  return {
    alert: {
      schema: 'wardwire.alert/1', id: `a-${shortId(`${key}/${at}`)}`, revision: 0, raised_at: at, first_seen: at, last_seen: at, severity, score: 0, detector,
      title: '', explanation: '', device: describe(actor), peers: [], hosts: [], evidence: [], attack: [], attack_version: ATTACK_VERSION, flows: [], count: 0,
      baseline: { days: 0, events: 0, state: '' }, capture: { sensor, source, loss: 0 },
    },
    actor: actor.id, objective, peers: [], lead: -1, leadP: 2, standing, told: 0, storm,
  }
}

/** @param excuse why it is expected, if it was declared or allowed */
export function take(incident: Incident, evidence: Evidence, excuse: string | undefined, teller: Teller): void {
  const { alert } = incident
  const { actor, peer, asker, others = [], flow } = evidence
  if (asker !== undefined && asker !== null) incident.asker ??= asker.id
  alert.count++
  incident.declared = excuse !== undefined && (incident.declared ?? alert.count === 1)
  alert.last_seen = Math.max(alert.last_seen, evidence.at)
  for (const device of [actor, peer, asker, ...others]) {
    if (device === null || device === undefined || device === NOBODY || device.id === incident.actor) continue
    if (!incident.peers.includes(device.id) && incident.peers.length < MOST.peers) {
      incident.peers.push(device.id)
      alert.peers.push(describe(device))
    }
  }
  addSome(alert.hosts, [...actor.ips.keys(), ...(peer?.ips.keys() ?? []), ...(asker?.ips.keys() ?? []), ...others.flatMap(({ ips }) => [...ips.keys()]), ...(flow === null ? [] : [flow.client.ip, flow.server.ip])], MOST.hosts)
  if (flow !== null) addSome(alert.flows, [flow.community_id], MOST.flows)
  keep(alert.evidence, published(evidence, excuse))
  alert.attack = techniques([...alert.attack.map((a) => a.technique), ...teller.facts(evidence.detector).attack])
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

/** The next revision of its alert, as it stands now. @param actor of the evidence that asked for it */
export function revise(incident: Incident, actor: Device, site: Site, teller: Teller): Alert {
  const { alert } = incident
  incident.told = alert.count
  alert.revision++
  if (actor.id === incident.actor) {
    alert.baseline = { days: Math.floor(actor.lived), events: actor.events, state: mature(actor) ? 'learned' : 'learning', ...peersOf(actor, alert, site) }
  }
  if (incident.storm) alert.title = `A storm of alerts: ${counted(alert.count, 'findings')} beyond ${STORM} incidents in an hour, counted together`
  alert.capture.loss = round(site.loss)
  alert.advice = { would_explain: [...teller.facts(alert.detector).falsePositives], ...adviceOn(alert.detector, incident.objective) }
  alert.explanation = inOneText(explanationOf(alert))
  return structuredClone(alert)
}

/** What the others of the role do today, where counts are judged beside them: how many they are, and percent of their usual. */
function peersOf(actor: Device, alert: Alert, site: Site): { others?: number; pace?: number } {
  const others = actor.role === 'unknown' ? 0 : site.popularity(actor, 'peer', '').others
  if (others === 0 || !alert.evidence.some((one) => one.arithmetic?.some((factor) => factor.of === 'count') === true)) return {}
  return { others, pace: Math.round(100 * site.pace(actor).factor(site.day)) }
}

function addSome(list: string[], more: Iterable<string>, most: number): void {
  for (const one of more) if (list.length < most && !list.includes(one)) list.push(one)
}

/** One line per detector and unit, and server that is away: the rarest, of equals the latest about the same device; with the most that there was of it, and by what services. The list is ordered by rarity. */
function keep(list: AlertEvidence[], one: AlertEvidence): void {
  const same = list.findIndex((e) => e.detector === one.detector && e.unit === one.unit && e.group === one.group && (e.actor === one.actor || !OUTAGES.has(one.detector)))
  const before = list[same]
  if (before !== undefined) {
    const { flows } = before
    addSome(flows, one.flows, 8)
    const rarer = one.p === null ? (one.observed ?? 0) >= (before.observed ?? 0)
      : one.p < (before.p ?? 1) || (one.p === before.p && one.actor === before.actor)
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
    detector, group, at, p, observed, expected, unit, text: excuse === undefined ? text : `${text} Declared: ${sentence(clean(excuse))}`,
    flows: flow === null ? [] : [flow.community_id],
    ...(arithmetic.length > 0 && { arithmetic: [...arithmetic] }), actor: actor.id, peer: peer?.id ?? null, service: service === null ? null : clean(service),
  }
}

/** Notes of people end with a full stop, or not; what was cut has its own end. */
const sentence = (note: string): string => (/[.!?…]$/.test(note) ? note : `${note}.`)

function describe(device: Device): AlertDevice {
  const macs = [...new Set([...device.ips.values()].flatMap((a) => (a.mac === null ? [] : [a.mac])))]
  return {
    id: device.id, role: device.role, name: nameOf(device),
    ip: [addressOf(device), ...[...device.ips.keys()].filter((ip) => ip !== addressOf(device))], mac: macs,
    ae_titles: [...device.aes.keys()].map(clean),
  }
}

/** Scores and shares as they are published. */
export const round = (x: number): number => Math.round(x * 1000) / 1000
