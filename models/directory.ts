/**
 * Who is who at the two ends of a conversation: by address (`residents.ts`), and by the names that are used on it (`names.ts`).
 */
import type { Flow, Micros } from '../protocols/events.ts'
import { loadDevice, newDevice, remember, saveDevice, type Device } from './device.ts'
import { Names, isReceiving, type Claim, type Name } from './names.ts'
import { chunks, pack, unchunk, unpack } from './pack.ts'
import { Residents, type ResidentState } from './residents.ts'

/** The two ends of a conversation, kept with the flow. */
export interface Ends {
  client: Device
  server: Device
  version: number
  /** The end that is on the Internet, if one is. */
  outside: string | null
  callingAe: string | null
  sendingApp: string | null
  receivingApp: string | null
  /** The step in which the names were last compared. */
  heard: Micros
  /** An operation with a data set, or an HL7 message, was read on it. */
  read: boolean
  /** Day on which the server was last noted to speak its protocol here. */
  portDay: number
}

/** The ends of a conversation as they are saved: devices by id, `version` 1 where they are up to date. */
export type FlowState = Omit<Ends, 'client' | 'server'> & { client: string; server: string }

interface DirectoryState extends ResidentState {
  names: Map<string, Name>
}

/** Stands for whoever does not answer at an unknown address. */
export const NOBODY = newDevice('nobody', -1, 0, 0)

export class Directory {
  readonly #residents = new Residents()
  readonly #names = new Names(this.#residents)
  #flows = new WeakMap<Flow, Ends>()

  get devices(): Map<string, Device> {
    return this.#residents.devices
  }

  get state(): DirectoryState {
    return { ...this.#residents.state, names: this.#names.all }
  }

  /** Local day; set by the engine on its tick. */
  set day(day: number) {
    this.#residents.day = day
  }

  /**
   * @param dark nobody answered: an address that no device is known at stays nobody's, so that a scan of an empty network neither
   * fills the directory nor pushes out those who are known
   */
  ends(flow: Flow, at: Micros, dark = false): Ends {
    const known = this.#flows.get(flow)
    if (known !== undefined && known.version === this.#residents.version) return known
    const ae = known?.callingAe ?? null
    const client = this.#residents.at(flow.client.ip, flow.client.mac, ae, at)
    const nobody = dark && !this.#residents.state.byIp.has(flow.server.ip)
    const server = nobody ? NOBODY : this.#residents.at(flow.server.ip, flow.server.mac, null, at)
    const ends: Ends = {
      client, server,
      outside: onInternet(server, flow.server.ip) ? flow.server.ip : onInternet(client, flow.client.ip) ? flow.client.ip : null,
      version: 0, callingAe: ae, sendingApp: known?.sendingApp ?? null, receivingApp: known?.receivingApp ?? null,
      heard: known?.heard ?? 0, read: known?.read ?? false, portDay: known?.portDay ?? -1,
    }
    ends.version = this.#residents.version
    if (!nobody) this.#flows.set(flow, ends)
    return ends
  }

  /** The AE title that a client calls itself. */
  calling(ends: Ends, flow: Flow, ae: string, at: Micros): Claim | undefined {
    const claim = this.#names.heard(`ae:${ae}`, flow.client.ip, ends.client, at)
    if (ends.callingAe !== ae || ends.version !== this.#residents.version) {
      ends.callingAe = ae
      ends.version = -1
    }
    const now = this.ends(flow, at)
    remember(now.client.aes, ae, at)
    return claim
  }

  /** An HL7 application at one end of an edge: sending (MSH-3/4, to this receiver) or receiving (MSH-5). */
  application(ends: Ends, name: string, ip: string, device: Device, app: string, at: Micros): Claim | undefined {
    if (isReceiving(name)) this.#names.delivered(name, ip, ends.client === device ? ends.server : ends.client, at)
    const claim = this.#names.heard(name, ip, device, at)
    remember(device.apps, app, at)
    if (ends.version !== this.#residents.version) ends.version = -1
    return claim
  }

  /** The device last known at an address. */
  known(ip: string): Device | undefined {
    return this.#residents.known(ip)
  }

  /** What is known of a conversation that goes on; undefined when nothing is. */
  saveFlow(flow: Flow): FlowState | undefined {
    const ends = this.#flows.get(flow)
    return ends && { ...ends, client: ends.client.id, server: ends.server.id, version: ends.version === this.#residents.version ? 1 : 0 }
  }

  /** The conversation continues where `saveFlow` left off; called after `load`. */
  loadFlow(flow: Flow, state: FlowState): void {
    const client = this.devices.get(state.client)
    const server = this.devices.get(state.server)
    // Ends that are out of date are looked up again before they are used; then only what the conversation called itself is read of them.
    const current = state.version === 1 && client !== undefined && server !== undefined
    this.#flows.set(flow, { ...state, client: client ?? NOBODY, server: server ?? NOBODY, version: current ? this.#residents.version : -1 })
  }

  /** JSON-able entries: one per device, and a few of all. */
  *save(): Iterable<[string, unknown]> {
    const { byIp, byMac, routers, started, names, met } = this.state
    yield ['directory', pack({ byIp, byMac, routers, started, met })]
    yield* chunks('names', [...names])
    for (const device of this.devices.values()) yield [`device/${device.id}`, saveDevice(device)]
  }

  load(entries: Map<string, unknown>): void {
    const state = unpack(entries.get('directory')) as ResidentState
    // Saved before it was noted since when: they had been routers for longer than matters.
    if (state.routers instanceof Set) state.routers = new Map([...state.routers as Set<string>].map((mac) => [mac, state.started]))
    this.#residents.state = state
    this.#names.all = new Map(unchunk('names', entries) as [string, Name][])
    // In the order they were met: entries may come in the order of their keys.
    const devices = [...entries].filter(([key]) => key.startsWith('device/')).map(([, saved]) => loadDevice(saved))
    devices.sort((a, b) => a.serial - b.serial)
    for (const device of devices) this.devices.set(device.id, device)
    this.#residents.version++
    this.#flows = new WeakMap()
  }
}

const onInternet = (device: Device, ip: string): boolean => device.ips.get(ip)?.public === true
