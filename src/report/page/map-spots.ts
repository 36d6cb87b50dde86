/** What the map draws: a device, or many of a role and network as one. */
import type { Model, ReportDevice } from './model.ts'
import { family, isOutside, networkOf, rankOf } from './model.ts'
import { count, cut, shown } from './dom.ts'

/** Devices drawn one by one; of more, only the worst concerned are, and the others stand together by role and network. */
const SINGLE = 90
const WORST = 60
/** Groups drawn; more are made fewer by wider networks. */
const CROWDS = 80
/** What a device does, from those that make data to those that read it. */
export const COLUMNS: [string, string[]][] = [
  ['Make data', ['modality', 'hl7-source']],
  ['Order and route', ['ris', 'engine', 'gateway']],
  ['Keep', ['archive', 'sink']],
  ['Read and receive', ['workstation', 'hl7-receiver', 'monitor']],
  ['Not told yet', ['unknown']],
  ['Outside', ['outside']],
]

export interface Spot {
  id: string
  label: string
  group: string
  /** What it would be gathered under: a role, and mostly a network. */
  crowd: string
  members: ReportDevice[]
  severity: string
  isNew: boolean
}

const groupOf = (device: ReportDevice): string =>
  (isOutside(device) ? 'outside' : COLUMNS.some(([, roles]) => roles.includes(family(device.role))) ? family(device.role) : 'unknown')

/** The network a group stands for: from narrow to wide, until there are few enough. */
function crowding(devices: readonly ReportDevice[]): (device: ReportDevice) => string {
  const wide = (ip: string): string => (ip.includes(':') ? `${ip.split(':').slice(0, 2).join(':')}::/32` : `${ip.split('.').slice(0, 2).join('.')}.0.0/16`)
  const names = [(d: ReportDevice) => `${groupOf(d)} ${networkOf(d.ip)}`, (d: ReportDevice) => `${groupOf(d)} ${wide(d.ip)}`, groupOf]
  return names.find((name) => new Set(devices.map(name)).size <= CROWDS) ?? groupOf
}

/** Networks inside by how many devices they have, the most populous first. */
export function networksOf({ data }: Model): [name: string, devices: number][] {
  const found = new Map<string, number>()
  for (const device of data.devices) if (!isOutside(device)) found.set(networkOf(device.ip), (found.get(networkOf(device.ip)) ?? 0) + 1)
  return [...found].sort((a, b) => b[1] - a[1])
}

/** Devices of a network, and whoever is in conversation with them. @param network empty: all of them */
function devicesAround(model: Model, network: string): ReportDevice[] {
  const { devices } = model.data
  if (network === '') return devices
  const near = new Set(devices.filter(({ ip }) => networkOf(ip) === network).flatMap(({ id }) => [id, ...(model.edgesOf.get(id) ?? []).flatMap((e) => [e.client, e.server])]))
  return devices.filter(({ id }) => near.has(id))
}

export function spotsOf(model: Model, open: ReadonlySet<string>, network: string): Spot[] {
  const devices = devicesAround(model, network)
  const gather = devices.length > SINGLE
  const crowdOf = crowding(devices)
  const worst = new Map(devices.map((d) => [d.id, (model.alertsOf.get(d.id) ?? []).reduce((w, a) => (rankOf(a.severity) > rankOf(w) ? a.severity : w), '')]))
  const singles = new Set([...worst].filter(([, s]) => rankOf(s) >= 1).sort((a, b) => rankOf(b[1]) - rankOf(a[1])).slice(0, WORST).map(([id]) => id))
  const spots = new Map<string, Spot>()
  for (const device of devices) {
    const group = groupOf(device)
    const severity = worst.get(device.id)!
    const crowd = crowdOf(device)
    const alone = !gather || singles.has(device.id) || open.has(crowd)
    const id = alone ? device.id : `crowd:${crowd}`
    const spot = spots.get(id)
    if (spot === undefined) spots.set(id, { id, label: '', group, crowd, members: [device], severity, isNew: device.isNew })
    else {
      spot.members.push(device)
      spot.isNew ||= device.isNew
      if (rankOf(severity) > rankOf(spot.severity)) spot.severity = severity
    }
  }
  for (const spot of spots.values()) {
    const one = spot.members[0]!
    spot.label = spot.members.length === 1 ? cut(shown(one.name), 22) : `${count(spot.members.length)} × ${spot.crowd.replace(' ', '\n')}`
  }
  return [...spots.values()]
}
