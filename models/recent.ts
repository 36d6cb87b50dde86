/** The latest revision of recent alerts: for questions about them (`wardwire baseline explain`), and to join campaigns. */
import type { Alert } from './alert.ts'
import { DAY } from './clock.ts'
import type { Evidence } from './evidence.ts'
import { pack, unpack } from './pack.ts'

/** Alerts kept; the one that ended first goes first. */
const KEPT = 400
/** Incidents that share an actor or a target within this time are a campaign. */
const CAMPAIGN = 3 * DAY
/** Whom an outage hits are no targets: its peers are everybody. */
const OUTAGE = 'service-down'
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
    if (this.#alerts.size > KEPT) this.#alerts.delete(firstOver(this.#alerts.values()).id)
  }

  /** The campaign that an alert about this evidence belongs to: of an earlier one with the same actor, or a target that few use. */
  campaignOf({ raised_at, detector }: Alert, { actor, peer }: Evidence): string | undefined {
    const concerned = [actor.id, ...(peer === null || isShared(peer.role) || detector === OUTAGE ? [] : [peer.id])]
    let first: Alert | undefined
    for (const other of this.#alerts.values()) {
      if (raised_at - other.last_seen > CAMPAIGN || other.severity === 'info') continue
      const shared = concerned.includes(other.device.id) || (other.detector !== OUTAGE && other.peers.some(({ id, role }) => !isShared(role) && concerned.includes(id)))
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

/** The alert that ended first; of several the one with the lesser id. */
function firstOver(alerts: Iterable<Alert>): Alert {
  let first: Alert | undefined
  for (const alert of alerts) {
    if (first === undefined || alert.last_seen < first.last_seen || (alert.last_seen === first.last_seen && alert.id < first.id)) first = alert
  }
  return first!
}
