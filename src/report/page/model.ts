/** The data of the page, with what is looked up often. */
import type { Alert } from '../../../models/alert.ts'
import type { Edge, ReportData, ReportDevice } from '../data.ts'

export type { Alert, Edge, ReportData, ReportDevice }

export class Model {
  data: ReportData
  readonly devices = new Map<string, ReportDevice>()
  /** Device ids by the address they use now. */
  readonly byIp = new Map<string, string>()
  readonly alertsOf = new Map<string, Alert[]>()
  readonly edgesOf = new Map<string, Edge[]>()

  constructor(data: ReportData) {
    this.data = data
    this.take(data)
  }

  /** New data of a live console in place of the old. */
  take(data: ReportData): void {
    this.data = data
    this.devices.clear()
    this.edgesOf.clear()
    this.byIp.clear()
    for (const device of data.devices) {
      this.devices.set(device.id, device)
      this.byIp.set(device.ip, device.id)
    }
    for (const edge of data.edges) {
      add(this.edgesOf, edge.client, edge)
      if (edge.server !== edge.client) add(this.edgesOf, edge.server, edge)
    }
    this.index()
  }

  /** After alerts changed. */
  index(): void {
    this.alertsOf.clear()
    for (const alert of this.data.alerts) {
      for (const id of new Set([alert.device.id, ...alert.peers.map((p) => p.id)])) add(this.alertsOf, id, alert)
    }
  }

  /** Takes a new alert or a new revision. */
  put(alert: Alert): void {
    const at = this.data.alerts.findIndex((a) => a.id === alert.id)
    if (at >= 0) this.data.alerts[at] = alert
    else this.data.alerts.push(alert)
    this.index()
  }

  nameOf(id: string): string {
    return this.devices.get(id)?.name ?? id
  }
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

/** Role without its detail. */
export const family = (role: string): string => role.split(':', 1)[0]!

export const rankOf = (severity: string): number => ['info', 'low', 'medium', 'high', 'critical'].indexOf(severity)

/** Is its address the Internet's? */
export const isOutside = ({ ip, addresses }: ReportDevice): boolean => addresses.some((a) => a.public && a.ip === ip)

/** Where a device is, for people. */
export const placeOf = (device: ReportDevice): string => (isOutside(device) ? 'the Internet' : networkOf(device.ip))

/** The last place of an IPv4 address says who, the rest where. IPv6: the first four groups. */
export function networkOf(ip: string): string {
  if (ip.includes(':')) return `${ip.split(':').slice(0, 4).join(':')}::/64`
  return `${ip.split('.').slice(0, 3).join('.')}.0/24`
}
