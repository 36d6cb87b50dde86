/**
 * What anybody would try first, over the same events: the bar to clear.
 *
 * - limits: a fixed number of bytes sent a day, and any new pair of hosts
 * - first-seen: anything (peer, port, title, object class, service, message kind) that a host never showed
 * - mad: a day's bytes more than 3.5 robust deviations above the median of the days before, on logarithms
 */
import { robustDeviate } from '../../models/baseline/robust.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { rfc3339 } from '../../protocols/time.ts'
import type { AlertLine } from './score.ts'

const DAY = 86_400_000_000
export const NAIVE = ['limits', 'first-seen', 'mad'] as const
type Naive = (typeof NAIVE)[number]
/** Known for so many days, a median means something. */
const ENOUGH = 5
const FAR = 3.5
/** Days that differ by less, in logarithms, are the same. */
const LEAST_SPREAD = 0.05

export class NaiveBaselines {
  readonly alerts: Record<Naive, AlertLine[]> = { limits: [], 'first-seen': [], mad: [] }
  readonly #limit: number
  readonly #armed: number
  readonly #seen = new Set<string>()
  readonly #told = new Set<string>()
  readonly #past = new Map<string, number[]>()
  #today = new Map<string, number>()
  #first = -1
  #day = 0

  /** @param limit bytes a host may send in a day; armed: raise nothing before this capture time */
  constructor(limit: number, armed: number) {
    this.#limit = limit
    this.#armed = armed
  }

  event(event: WireEvent): void {
    if (!('flow' in event)) return
    if (this.#first < 0) this.#first = event.at
    const day = Math.floor((event.at - this.#first) / DAY)
    if (day !== this.#day) this.#close(day)
    const { client, server } = event.flow
    this.#new(event, 'limits', 'pair', `${client.ip}>${server.ip}`, 'medium')
    for (const [what, value] of facts(event)) if (value !== null && value !== '') this.#new(event, 'first-seen', what, `${client.ip}/${what}/${value}`, 'low')
    if (event.kind === 'flow') for (const [ip, bytes] of [[client.ip, event.bytes.client], [server.ip, event.bytes.server]] as const) this.#bytes(event, ip, bytes)
  }

  #new(event: Extract<WireEvent, { flow: unknown }>, naive: Naive, what: string, key: string, severity: string): void {
    if (this.#seen.has(`${naive}/${key}`)) return
    this.#seen.add(`${naive}/${key}`)
    this.#tell(event.at, naive, what, severity, [event.flow.client.ip, event.flow.server.ip], 'novelty')
  }

  #bytes(event: WireEvent, ip: string, bytes: number): void {
    const sum = (this.#today.get(ip) ?? 0) + bytes
    this.#today.set(ip, sum)
    if (sum > this.#limit) this.#tell(event.at, 'limits', 'bytes', 'high', [ip], 'volume')
    const past = this.#past.get(ip)
    if (past === undefined || past.length < ENOUGH) return
    const z = robustDeviate(Math.log1p(sum), past, LEAST_SPREAD)
    if (z > FAR) this.#tell(event.at, 'mad', 'bytes', z > 2 * FAR ? 'high' : 'medium', [ip], 'volume')
  }

  #close(day: number): void {
    for (const ip of new Set([...this.#today.keys(), ...this.#past.keys()])) {
      const past = this.#past.get(ip) ?? []
      for (let d = this.#day; d < day; d++) past.push(d === this.#day ? Math.log1p(this.#today.get(ip) ?? 0) : 0)
      this.#past.set(ip, past)
    }
    this.#today = new Map()
    this.#day = day
  }

  /** One alert for each kind, hosts and day. */
  #tell(at: number, naive: Naive, what: string, severity: string, hosts: string[], group: string): void {
    const key = `${naive}/${what}/${hosts.join()}/${this.#day}`
    if (at < this.#armed || this.#told.has(key)) return
    this.#told.add(key)
    this.alerts[naive].push({ id: key, raised_at: rfc3339(at), severity, detector: `${naive}/${what}`, hosts, evidence: [{ group }] })
  }
}

function facts(event: WireEvent): [string, string | null][] {
  switch (event.kind) {
    case 'flow': return [['peer', event.flow.server.ip], ['port', String(event.flow.server.port)]]
    case 'dicom.association': return [['calling', event.calling_ae], ['called', event.called_ae], ['version', event.implementation.client?.version_name ?? null]]
    case 'dicom.operation': return [['service', event.command], ['object', event.sop_class_uid]]
    case 'hl7.message': return [['kind', event.message_type]]
    default: return []
  }
}
