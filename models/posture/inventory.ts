/** Every device as one line of an inventory: what it is, from what evidence, and how sure that is. */
import type { Micros } from '../../protocols/events.ts'
import { isPublic } from '../../protocols/net/address.ts'
import type { DeviceView } from '../outlook.ts'
import type { Pair, Port } from './conversations.ts'
import type { Host, Make } from './hosts.ts'
import { systemOf, type OsClaim, type System } from './systems.ts'
import { toolkitOf } from './toolkits.ts'

export interface Service {
  transport: 'tcp' | 'udp'
  port: number
  protocol: string | null
  /** Different hosts that used it. */
  users: number
  conversations: number
}

export interface InventoryItem extends Make {
  id: string
  name: string
  role: string
  /** Speaks DICOM or HL7. */
  medical: boolean
  /** Of the images it made, the most frequent. */
  modality: string | null
  ip: string
  addresses: { ip: string; mac: string | null; vlan: string | null; first: Micros; last: Micros; public: boolean }[]
  /** Maker of the network interface, by its hardware address. */
  mac_vendor: string | null
  hostname: string | null
  ae_titles: string[]
  called_ae_titles: string[]
  applications: string[]
  implementation: { class_uid: string | null; version_name: string | null; toolkit: string | null }
  /** Signs of its system, and what they come to. */
  os: OsClaim[]
  system: System | null
  services_offered: Service[]
  services_used: Service[]
  /** Devices it exchanged data with. */
  peers: string[]
  /** Share of its conversations inside TLS, 0 to 1. */
  encrypted: number
  first_seen: Micros
  last_seen: Micros
  days: number
  /** How sure role and make are, and why. */
  confidence: 'high' | 'medium' | 'low'
  evidence: string[]
}

/** Peers listed of one device; a scan's victims are many. */
const MOST_PEERS = 200
const MOST_SERVICES = 60

/** So many scanners store where things are kept. A burner or a viewer gets what it gets from the archive. */
const KEEPS_FOR = 2

/** @param owner device id of an address */
export function inventoryOf(views: readonly DeviceView[], hosts: ReadonlyMap<string, Host>, pairs: Iterable<Pair>, owner: ReadonlyMap<string, string>): InventoryItem[] {
  const uses = new Map<string, Uses>()
  const of = (id: string): Uses => {
    let found = uses.get(id)
    if (found === undefined) uses.set(id, (found = { offered: new Map(), used: new Map(), peers: new Set(), scanners: new Set(), flows: 0, encrypted: 0 }))
    return found
  }
  const scanners = new Set(views.filter(({ role }) => role.startsWith('modality')).map(({ id }) => id))
  for (const pair of pairs) {
    const client = owner.get(pair.client)
    const server = owner.get(pair.server)
    if (client !== undefined) note(of(client), of(client).used, pair, server)
    if (server === undefined) continue
    note(of(server), of(server).offered, pair, client)
    if (client !== undefined && scanners.has(client) && pair.services.has('C-STORE')) of(server).scanners.add(client)
  }
  return views.map((view) => itemOf(view, hosts, of(view.id)))
}

interface Uses {
  offered: Map<string, Service>
  used: Map<string, Service>
  peers: Set<string>
  /** Those that store studies on it. */
  scanners: Set<string>
  flows: number
  encrypted: number
}

function note(uses: Uses, services: Map<string, Service>, pair: Pair, other: string | undefined): void {
  uses.flows += pair.flows
  uses.encrypted += pair.encrypted
  if (other !== undefined && uses.peers.size < MOST_PEERS) uses.peers.add(other)
  for (const port of pair.ports) addService(services, port)
}

function addService(services: Map<string, Service>, { transport, port, protocol, flows }: Port): void {
  const key = `${transport}/${port}/${protocol}`
  const known = services.get(key)
  if (known !== undefined) {
    known.users += 1
    known.conversations += flows
  } else if (services.size < MOST_SERVICES) services.set(key, { transport, port, protocol, users: 1, conversations: flows })
}

function itemOf(view: DeviceView, hosts: ReadonlyMap<string, Host>, uses: Uses): InventoryItem {
  const own = view.addresses.flatMap(({ ip }) => hosts.get(ip) ?? [])
  // A device that was replaced or moved runs what its present address shows.
  const present = hosts.get(view.ip)?.systems ?? []
  const os = present.length > 0 ? present : own.flatMap((h) => h.systems)
  const isModality = view.role.startsWith('modality')
  const make = isModality ? makeOf(own) : undefined
  // Alerts go by what it does of its own: one that answers nobody is a sink to them.
  const keeps = view.role === 'sink' && uses.scanners.size >= KEEPS_FOR
  // Who speaks DICOM from the Internet is somebody else's.
  const medical = !isPublic(view.ip) && ((view.role !== 'unknown' && view.role !== 'monitor') || own.some((h) => h.spoke.has('dicom') || h.spoke.has('hl7')))
  return {
    id: view.id, name: view.name, role: keeps ? 'archive' : view.role, medical, modality: isModality ? most(Object.entries(view.modalities)) : null,
    ...(make?.make ?? NO_MAKE),
    ip: view.ip,
    addresses: view.addresses.map((a) => ({ ...a, vlan: most([...hosts.get(a.ip)?.vlans ?? []]) || null })),
    mac_vendor: own.find((h) => h.vendor !== null)?.vendor ?? null,
    hostname: own.find((h) => h.hostname !== null)?.hostname ?? view.host,
    ae_titles: view.ae_titles, called_ae_titles: [...new Set(own.flatMap((h) => [...h.called.keys()]))], applications: view.applications,
    implementation: { class_uid: view.implementation, version_name: view.version, toolkit: toolkitOf(view.implementation) },
    os, system: systemOf(os, view.last),
    services_offered: busiest(uses.offered), services_used: busiest(uses.used),
    peers: [...uses.peers], encrypted: uses.flows === 0 ? 0 : uses.encrypted / uses.flows,
    first_seen: view.first, last_seen: view.last, days: view.days,
    ...sureness(view, make, keeps ? uses.scanners.size : 0),
  }
}

const NO_MAKE: Make = { manufacturer: null, model: null, software: null, station: null, serial: null, institution: null }

interface KnownMake {
  make: Make
  n: number
  all: number
}

/** What most of its images say; software, once updated, leaves the older one behind. */
function makeOf(own: readonly Host[]): KnownMake | undefined {
  let best: KnownMake | undefined
  let all = 0
  for (const host of own) {
    for (const { make, n } of host.makes.values()) {
      all += n
      if (best === undefined || n > best.n) best = { make, n, all: 0 }
    }
  }
  return best && { ...best, all }
}

function sureness(view: DeviceView, make: KnownMake | undefined, keepsFor: number): Pick<InventoryItem, 'confidence' | 'evidence'> {
  const evidence: string[] = []
  if (view.role !== 'unknown') evidence.push(`role ${view.role} from ${view.events} events over ${Math.max(1, Math.round(view.days))} days`)
  if (keepsFor > 0) evidence.push(`an archive, because ${keepsFor} scanners store on it`)
  if (make !== undefined) evidence.push(`make from ${make.n} of ${make.all} images that it sent`)
  if (view.implementation !== null) evidence.push(`implementation class UID ${view.implementation} in its associations`)
  if (view.applications.length > 0) evidence.push('HL7 applications from MSH-3 of its messages')
  const settled = view.role !== 'unknown' && view.days >= 7
  return { confidence: settled && (make === undefined || make.n >= 0.9 * make.all) ? 'high' : view.role === 'unknown' ? 'low' : 'medium', evidence }
}

function most(counts: readonly (readonly [string, number])[]): string | null {
  let best: string | null = null
  let n = 0
  for (const [name, count] of counts) {
    if (count > n) {
      n = count
      best = name
    }
  }
  return best
}

const busiest = (services: ReadonlyMap<string, Service>): Service[] => [...services.values()].sort((a, b) => b.conversations - a.conversations || a.port - b.port)
