/** The latest revision of recent alerts: for questions about them (`wardwire baseline explain`), and to join campaigns. */
import type { Micros } from '../protocols/events.ts'
import type { Alert, Severity } from './alert.ts'
import { DAY } from './clock.ts'
import type { Evidence } from './evidence.ts'
import { pack, unpack } from './pack.ts'

/** Alerts kept. */
const KEPT = 400
/** An alert is kept, or goes on growing, as if it had ended so much later: who raises cheap ones by the hundred must not push out the one that matters. */
const LONGER: Record<Severity, Micros> = { info: 0, low: DAY, medium: 7 * DAY, high: 30 * DAY, critical: 90 * DAY }
/** Incidents that share an actor or a target within this time are a campaign. */
const CAMPAIGN = 3 * DAY
/** Whom an outage hits are no targets: its peers are everybody. */
export const OUTAGES: ReadonlySet<string> = new Set(['service-down', 'silence'])
/** Whom everybody uses joins nobody, and is nobody's target in particular. */
const SHARED = /^(archive|ris|engine|hl7-receiver)$/
export const isShared = (role: string): boolean => SHARED.test(role)

export class Recent {
  readonly #alerts = new Map<string, Alert>()

  get alerts(): ReadonlyMap<string, Alert> {
    return this.#alerts
  }

  keep(alert: Alert): void {
    this.#alerts.delete(alert.id)
    this.#alerts.set(alert.id, alert)
    if (this.#alerts.size > KEPT) this.#alerts.delete(leastWorth(this.#alerts.values()).id)
  }

  /** The campaign that an alert about this evidence belongs to: of an earlier one with the same actor, or a target that few use. */
  campaignOf({ raised_at, detector }: Alert, { actor, peer }: Evidence): string | undefined {
    const concerned = [actor.id, ...(peer === null || isShared(peer.role) || OUTAGES.has(detector) ? [] : [peer.id])]
    let first: Alert | undefined
    for (const other of this.#alerts.values()) {
      if (raised_at - other.last_seen > CAMPAIGN || other.severity === 'info') continue
      const shared = concerned.includes(other.device.id) || (!OUTAGES.has(other.detector) && other.peers.some(({ id, role }) => !isShared(role) && concerned.includes(id)))
      if (shared && (first === undefined || other.raised_at < first.raised_at || (other.raised_at === first.raised_at && other.id < first.id))) first = other
    }
    return first?.campaign ?? first?.id
  }

  *save(): Iterable<[string, unknown]> {
    for (const [id, alert] of this.#alerts) yield [`alert/${id}`, pack(alert)]
  }

  load(entries: Map<string, unknown>): void {
    this.#alerts.clear()
    for (const [key, alert] of entries) if (key.startsWith('alert/')) this.#alerts.set(key.slice('alert/'.length), unpack(alert) as Alert)
  }
}

/** By when it ended and how severe it is. */
export const worthOf = ({ last_seen, severity }: Alert): number => last_seen + LONGER[severity]

/** Of several the one with the lesser id. */
function leastWorth(alerts: Iterable<Alert>): Alert {
  let least: Alert | undefined
  let worth = Infinity
  for (const alert of alerts) {
    const own = worthOf(alert)
    if (own > worth || (own === worth && alert.id > least!.id)) continue
    least = alert
    worth = own
  }
  return least!
}
