/**
 * Which conversations an alert rests on: those with its Community IDs that touch its time. An alert lists a limited number of them; when
 * its list is full, what its device and the hosts it names said to each other in that time belongs to it too.
 */
import type { Alert } from '../../models/alert.ts'
import type { EventOf, Flow, Micros } from '../../protocols/events.ts'

/** As many as an alert lists at most (models/incidents.ts). */
const FULL_LIST = 60
/** Evidence may be the end of a conversation that was over before; and clocks of two sensors differ. */
const SLACK: Micros = 60_000_000

export interface Conversation {
  flow: Flow
  started: Micros
  ended: Micros
}

export class Wanted {
  readonly #alert: Alert
  readonly #ids: ReadonlySet<string>
  readonly #own: ReadonlySet<string>
  readonly #hosts: ReadonlySet<string>
  readonly #isFull: boolean

  constructor(alert: Alert) {
    this.#alert = alert
    this.#ids = new Set([...alert.flows, ...alert.evidence.flatMap((e) => e.flows)])
    this.#own = new Set(alert.device.ip)
    this.#hosts = new Set(alert.hosts)
    this.#isFull = alert.flows.length >= FULL_LIST
  }

  /** May belong to the alert; its time has not been looked at. */
  mayBe({ client, server, community_id }: Flow): boolean {
    if (this.#ids.has(community_id)) return true
    return this.#isFull && ((this.#own.has(client.ip) && this.#hosts.has(server.ip)) || (this.#own.has(server.ip) && this.#hosts.has(client.ip)))
  }

  /** Belongs to the alert. */
  is(end: EventOf<'flow'>): boolean {
    return this.mayBe(end.flow) && end.started <= this.#alert.last_seen + SLACK && end.ended_at >= this.#alert.first_seen - SLACK
  }
}
