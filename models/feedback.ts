/**
 * What an analyst answers to an alert. "Allowed": the same again, between the same devices, by the same service and not much more of it, is
 * a note until a day; never a mute of a device or a detector. "Malicious": what the period taught the baseline is taken back.
 */
import type { Micros } from '../protocols/events.ts'
import type { Alert } from './alert.ts'
import { DAY } from './clock.ts'
import { clean, type Device } from './device.ts'
import type { Evidence } from './evidence.ts'

/** So much more than the alert showed is still the same: it is written again when a count has doubled, so what it showed last may be half of what there was. */
const MORE = 2

export interface Allowance {
  kind: 'allow'
  alert: string
  title: string
  /** Capture times. */
  since: Micros
  until: Micros
  why: string
  /** Device ids: whose deed, and with whom. No peers: what concerns no peer. */
  actor: string
  peers: string[]
  claims: { detector: string; unit: string | null; service: string | null; ceiling: number | null }[]
}

export interface Purge {
  kind: 'malicious'
  alert: string
  title: string
  from: Micros
  to: Micros
  actor: string
  peers: string[]
}

export type Feedback = Allowance | Purge

/** An exception for what the alert shows. @param days it lasts, from the alert's last event on */
export function allow(alert: Alert, days: number, why: string): Allowance {
  return {
    kind: 'allow', alert: alert.id, title: alert.title, since: alert.first_seen, until: alert.last_seen + days * DAY, why: clean(why),
    actor: alert.device.id, peers: alert.peers.map((peer) => peer.id),
    claims: alert.evidence.flatMap(({ detector, unit, service, services = [], observed, most }) =>
      [service ?? '', ...services].map((by) => ({ detector, unit, service: by === '' ? null : by, ceiling: observed === null ? null : Math.ceil(MORE * (most ?? observed)) }))),
  }
}

/** Takes back what the period of the alert taught. */
export const malicious = (alert: Alert): Purge => ({
  kind: 'malicious', alert: alert.id, title: alert.title, from: alert.first_seen, to: alert.last_seen, actor: alert.device.id,
  peers: alert.peers.map((peer) => peer.id),
})

/** Is this what was allowed? @returns why, or undefined */
export function allowed(allowances: readonly Allowance[], evidence: Evidence): string | undefined {
  for (const allowance of allowances) {
    if (evidence.at < allowance.since || evidence.at > allowance.until || !sameEdge(allowance, evidence.actor, evidence.peer)) continue
    for (const { detector, unit, service, ceiling } of allowance.claims) {
      if (detector !== evidence.detector || unit !== evidence.unit || service !== (evidence.service === null ? null : clean(evidence.service))) continue
      if (ceiling === null || (evidence.observed !== null && evidence.observed <= ceiling)) return allowance.why || `allowed after alert ${allowance.alert}`
    }
  }
  return undefined
}

/** Either end may be the one that is told about. */
function sameEdge({ actor, peers }: Allowance, one: Device, other: Device | null): boolean {
  if (one.id === actor) return other === null || peers.includes(other.id)
  return other?.id === actor && peers.includes(one.id)
}
