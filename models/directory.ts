/**
 * Who is who. A host is first of all its address; names it uses (AE titles, HL7 applications, hardware address) tell when a device has
 * moved to another address, and when two hosts claim one name at the same time.
 *
 * A name heard from a new place is one of:
 * - moved: the new host is fresh (or shares an address that others moved to), so the device is taken to have moved there, baseline and
 *   all. If then the old place speaks again within its usual pauses, it never left: the move is undone, and it was a conflict.
 * - borrowed: the new place is another device with a life of its own. Suspicious at once, a conflict when the owner speaks again.
 * - shared: known from the sensor's first day to be used at several places (pools of workstations, engines that forward).
 */
import type { Flow, Micros } from '../protocols/events.ts'
import { isPublic } from '../protocols/net/address.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { FIRST_DAYS } from './baseline/novelty.ts'
import { DAY, MINUTE, SECOND } from './clock.ts'
import { addressOf, nameOf, newDevice, remember, type Address, type Device } from './device.ts'
import { shortId } from './hash.ts'

/** Devices, names and hardware addresses of a site. At a cap those are forgotten that have proven least, and of equals those unheard for longest. */
export const DIRECTORY_LIMITS = { devices: 20_000, names: 50_000, macs: 50_000, places: 8 } as const

/** A device is fresh at an address for this long: it may just have moved there. */
const FRESH = DAY
/** A pause is usual up to twice the longest of late, and at least this. */
const LEAST_PAUSE = 15 * MINUTE
/** So long at one address with one hardware address, another one is news. */
const LONG_KNOWN = 7 * DAY
/** More than so many moves of a name within a day are no failover but two users. */
const MOST_MOVES = 4

/** Names are heard in steps of this time: within one, a conversation compares them once, and how often does not matter. */
const STEP = 10 * SECOND
export const heardIn = (at: Micros): Micros => at - (at % STEP)

interface Name {
  /** Whose it is, and from which address it was last heard. */
  owner: string
  ip: string
  last: Micros
  first: Micros
  /** Longest pause between two uses at one place; fades by a tenth a day. */
  pause: number
  /** Where it was heard before it moved. */
  before: { ip: string; last: Micros } | null
  moves: number
  moved: Micros
  /** Addresses that are known to use it side by side. */
  places: string[]
  /** Who used it beside the owner of late, and since when. */
  rival: { device: string; ip: string; since: Micros; last: Micros; uses: number; told: boolean } | null
}

export interface Claim {
  kind: 'conflict' | 'borrowed'
  name: string
  owner: Device
  rival: Device
  rivalIp: string
  ownerIp: string
  /** When the owner was last heard before the rival, and how long it usually pauses. */
  ownerLast: Micros
  pause: number
  /** Since when the rival uses it. */
  since: Micros
}

/** Addresses remembered of one device. */
const MOST_ADDRESSES = 16

/**
 * Whoever has no life of its own here (no day of it, no deed) goes first, then whoever came in the last days: a flood of passers-by, or of invented
 * devices that each do something once, would push out those who are known.
 */
const provenAs = ({ lived, deeds, last }: Device): number => provenWorth(lived >= FIRST_DAYS ? 0 : lived > 0 || deeds.size > 0 ? 1 : 2, last)

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
  /** An operation with a data set was read on it. */
  read: boolean
  /** Day on which the server was last noted to speak its protocol here. */
  portDay: number
}

/** The ends of a conversation as they are saved: devices by id, `version` 1 where they are up to date. */
export type FlowState = Omit<Ends, 'client' | 'server'> & { client: string; server: string }

export interface DirectoryState {
  byIp: Map<string, string[]>
  byMac: Map<string, string>
  /** Hardware addresses in front of several hosts: routers; since when. */
  routers: Map<string, Micros>
  names: Map<string, Name>
  started: Micros
  /** Devices met so far. */
  met: number
}

/** Stands for whoever does not answer at an unknown address. */
export const NOBODY = newDevice('nobody', -1, 0, 0)

export class Directory {
  readonly devices = new Map<string, Device>()
  state: DirectoryState = { byIp: new Map(), byMac: new Map(), routers: new Map(), names: new Map(), started: -1, met: 0 }
  #flows = new WeakMap<Flow, Ends>()
  /** Counts what changes the answer of `ends`. */
  #version = 0

  /** Local day of `at`; set by the engine on its tick. */
  day = 0

  /**
   * @param dark nobody answered: an address that no device is known at stays nobody's, so that a scan of an empty network neither
   * fills the directory nor pushes out those who are known
   */
  ends(flow: Flow, at: Micros, dark = false): Ends {
    const known = this.#flows.get(flow)
    if (known !== undefined && known.version === this.#version) return known
    const ae = known?.callingAe ?? null
    const client = this.#at(flow.client.ip, flow.client.mac, ae, at)
    const nobody = dark && !this.state.byIp.has(flow.server.ip)
    const server = nobody ? NOBODY : this.#at(flow.server.ip, flow.server.mac, null, at)
    const ends: Ends = {
      client, server,
      outside: onInternet(server, flow.server.ip) ? flow.server.ip : onInternet(client, flow.client.ip) ? flow.client.ip : null,
      version: 0, callingAe: ae, sendingApp: known?.sendingApp ?? null, receivingApp: known?.receivingApp ?? null,
      heard: known?.heard ?? 0, read: known?.read ?? false, portDay: known?.portDay ?? -1,
    }
    ends.version = this.#version
    if (!nobody) this.#flows.set(flow, ends)
    return ends
  }

  /** The device last known at an address. */
  known(ip: string): Device | undefined {
    return this.devices.get(this.state.byIp.get(ip)?.[0] ?? '')
  }

  /** The device at an address; with several there, the one of this AE title. */
  #at(ip: string, mac: string | null, ae: string | null, at: Micros): Device {
    if (this.state.started < 0) this.state.started = at
    const ids = this.state.byIp.get(ip)
    if (ids !== undefined) {
      let found: Device | undefined
      for (const id of ids) {
        const device = this.devices.get(id)
        if (device === undefined) continue
        found ??= device
        if (ae !== null && ids.length > 1 && device.aes.has(ae)) {
          found = device
          break
        }
      }
      if (found !== undefined) {
        this.#seenAt(found, ip, mac, at)
        return found
      }
    }
    return this.#moved(ip, mac, at) ?? this.#create(ip, mac, at)
  }

  #create(ip: string, mac: string | null, at: Micros): Device {
    for (const [, gone] of makeRoom(this.devices, DIRECTORY_LIMITS.devices, provenAs)) this.#forgotten(gone)
    const device = newDevice(`dev-${shortId(`${ip}/${at}`)}`, this.state.met++, at, this.day)
    this.devices.set(device.id, device)
    this.state.byIp.set(ip, [device.id])
    this.#version++
    this.#seenAt(device, ip, mac, at)
    return device
  }

  #seenAt(device: Device, ip: string, mac: string | null, at: Micros): void {
    let address = device.ips.get(ip)
    if (address === undefined) {
      address = { mac, first: at, last: at, public: isPublic(ip) } satisfies Address
      device.ips.set(ip, address)
    }
    address.last = at
    if (device.ips.size > MOST_ADDRESSES) this.#dropAddress(device)
    if (mac !== null && address.mac !== mac) {
      if (address.mac !== null) this.#rerouted(device, ip, address, address.mac, mac, at)
      address.mac = mac
    }
    // Whoever is on the Internet is seen with the hardware address of the way there.
    if (mac !== null && address.public) this.#router(mac, at)
    else if (mac !== null && !this.state.routers.has(mac)) {
      const owner = this.state.byMac.get(mac)
      if (owner === undefined || !this.devices.has(owner)) {
        makeRoom(this.state.byMac, DIRECTORY_LIMITS.macs, (id, known) => (this.#usesNow(id, known) ? 1 : 0))
        this.state.byMac.set(mac, device.id)
      }
      else if (owner !== device.id) this.#router(mac, at)
    }
  }

  #usesNow(id: string, mac: string): boolean {
    for (const address of this.devices.get(id)?.ips.values() ?? []) if (address.mac === mac) return true
    return false
  }

  /** The address unheard for longest is nobody's again. */
  #dropAddress(device: Device): void {
    let oldest = ''
    let when = Infinity
    for (const [ip, { last }] of device.ips) {
      if (last >= when) continue
      oldest = ip
      when = last
    }
    device.ips.delete(oldest)
    this.#leaves(device, oldest)
  }

  /**
   * An address answers from the hardware address of another device that is alive elsewhere, so its path leads through that one now; or, after
   * a week from its own, from one that nobody had: then it has a new card, or somebody in front of it.
   */
  #rerouted(device: Device, ip: string, { first }: Address, before: string, now: string, at: Micros): void {
    const { routers, byMac, started } = this.state
    // One frame in the name of another address makes a router; whoever is one for a day is it for all to see.
    const since = routers.get(now)
    if (routers.has(before) || (since !== undefined && at - since >= DAY) || at - started < DAY || device.detour?.mac === now) return
    const owner = byMac.get(now)
    const through = this.devices.get(owner ?? '')
    if (since !== undefined) {
      if (byMac.get(before) === device.id && at - first > LONG_KNOWN) device.detour = { ip, mac: now, through: 'a machine that has several addresses since today', passed: 0 }
    } else if (through !== undefined ? through !== device && at - through.last < DAY : owner === undefined && byMac.get(before) === device.id && at - first > LONG_KNOWN) {
      device.detour = { ip, mac: now, through: through === undefined ? null : `${nameOf(through)} (${addressOf(through)})`, passed: 0 }
    }
  }

  /** One hardware address in front of two devices is a router (or a bridge, or a translator). */
  #router(mac: string, at: Micros): void {
    const { routers, byMac } = this.state
    byMac.delete(mac)
    if (routers.size < 10_000 && !routers.has(mac)) routers.set(mac, at)
  }

  /** A new address with the hardware address of a device that fell silent elsewhere: a new lease. */
  #moved(ip: string, mac: string | null, at: Micros): Device | undefined {
    const id = mac === null || this.state.routers.has(mac) ? undefined : this.state.byMac.get(mac)
    const device = id === undefined ? undefined : this.devices.get(id)
    if (device === undefined) return undefined
    // A second live address behind one hardware address, or one so soon after the first, is a router's.
    let first = at
    for (const address of device.ips.values()) {
      if (at - address.last < 5 * MINUTE) return void this.#router(mac!, at)
      first = Math.min(first, address.first)
    }
    if (isPublic(ip) || at - first < FRESH) return void this.#router(mac!, at)
    this.#settle(device, ip, at)
    this.#seenAt(device, ip, mac, at)
    return device
  }

  #settle(device: Device, ip: string, at: Micros): void {
    const there = this.state.byIp.get(ip)
    this.state.byIp.set(ip, there === undefined ? [device.id] : [...there.filter((id) => id !== device.id), device.id])
    // Behind a shared address is a translator, whose hardware address is nobody's.
    const mac = there === undefined ? null : this.devices.get(there[0]!)?.ips.get(ip)?.mac ?? null
    if (mac !== null) this.#router(mac, at)
    this.#version++
  }

  /** The AE title that a client calls itself. */
  calling(ends: Ends, flow: Flow, ae: string, at: Micros): Claim | undefined {
    const claim = this.#heard(`ae:${ae}`, flow.client.ip, ends.client, at)
    if (ends.callingAe !== ae || ends.version !== this.#version) {
      ends.callingAe = ae
      ends.version = -1
    }
    const now = this.ends(flow, at)
    remember(now.client.aes, ae, at)
    return claim
  }

  /** An HL7 application at one end of an edge: sending (MSH-3/4, to this receiver) or receiving (MSH-5). */
  application(ends: Ends, name: string, ip: string, device: Device, app: string, at: Micros): Claim | undefined {
    if (name.startsWith('rx:')) this.#delivered(name, ip, ends.client === device ? ends.server : ends.client, at)
    const claim = this.#heard(name, ip, device, at)
    remember(device.apps, app, at)
    if (ends.version !== this.#version) ends.version = -1
    return claim
  }

  #heard(key: string, ip: string, device: Device, exactly: Micros): Claim | undefined {
    const at = heardIn(exactly)
    const name = this.state.names.get(key)
    if (name === undefined) {
      this.#learnName(key, ip, device, at)
      return undefined
    }
    if (name.ip === ip) {
      // At a shared address the flow tells only the address; the name tells the device.
      const owner = this.state.byIp.get(ip)?.includes(name.owner) === true ? this.devices.get(name.owner) : undefined
      return this.#heardAtHome(key, name, owner ?? device, at)
    }
    if (name.places.includes(ip)) return undefined
    if (at - this.state.started < DAY) {
      // The sensor's first day: whoever shares a name now has always done so, as far as anybody can tell.
      if (name.places.length < DIRECTORY_LIMITS.places) name.places.push(ip)
      return undefined
    }
    return this.#heardElsewhere(key, name, ip, device, at)
  }

  /** Who takes over from a device also gets what others send to it; who borrows its name does not, unless he sends it himself. */
  #delivered(key: string, ip: string, sender: Device, at: Micros): void {
    const name = this.state.names.get(key)
    if (name === undefined || name.ip === ip) return
    const owner = this.devices.get(name.owner)
    if (owner !== undefined && sender.memories.peer.known.get(owner.id)?.settled === true) remember((owner.delivered ??= new Map()), ip, at)
  }

  /** Since it was last heard at home, did its usual senders turn to this address? */
  #tookOver(owner: Device, ip: string, since: Micros): boolean {
    return (owner.delivered?.get(ip) ?? -Infinity) >= since
  }

  #learnName(key: string, ip: string, device: Device, at: Micros): void {
    const { names } = this.state
    // Invented names come by the thousand within minutes; one that was used on two days is somebody's.
    makeRoom(names, DIRECTORY_LIMITS.names, ({ first, last }) => provenWorth(last - first >= DAY ? 0 : 1, last))
    names.set(key, {
      owner: device.id, ip, first: at, last: at, pause: 0, before: null, moves: 0, moved: 0, places: [], rival: null,
    })
  }

  /** At its usual place; if another host used it meanwhile, then both exist. */
  #heardAtHome(key: string, name: Name, device: Device, at: Micros): Claim | undefined {
    const { rival } = name
    const gap = at - name.last
    let claim: Claim | undefined
    if (rival !== null && rival.last > name.last && gap <= this.#usual(name)) {
      const other = this.devices.get(rival.device)
      if (other !== undefined && other !== device) {
        claim = this.#claim('conflict', key, name, device, other, rival.ip)
        rival.told = true
      }
    }
    if (rival === null || at - rival.last > DAY) {
      name.rival = null
      const days = gap / DAY
      name.pause = Math.max(name.pause * 0.9 ** Math.min(days, 100), gap)
    }
    name.owner = device.id
    name.last = at
    return claim
  }

  #heardElsewhere(key: string, name: Name, ip: string, device: Device, at: Micros): Claim | undefined {
    const owner = this.devices.get(name.owner)
    if (owner === undefined) {
      this.#learnName(key, ip, device, at)
      return undefined
    }
    if (name.before?.ip === ip) return this.#cameBack(key, name, owner, device, ip, at)
    // A rival that keeps using the name.
    if (name.rival?.ip === ip) {
      name.rival.last = at
      name.rival.uses++
      return undefined
    }
    if (device !== owner && !this.#fresh(device, ip, at) && !this.#translates(ip)) {
      name.rival = { device: device.id, ip, since: at, last: at, uses: 1, told: false }
      // An owner that has been gone for long cannot object; then this is how a replacement of a known host looks. One whose senders turned here left, too.
      if (at - name.last > this.#usual(name) || this.#tookOver(owner, ip, name.last)) return this.#move(name, owner, device, ip, at)
      return this.#claim('borrowed', key, name, owner, device, ip)
    }
    return this.#move(name, owner, device, ip, at)
  }

  /** The device is taken to be at `ip` now; a fresh host there was it all the time. */
  #move(name: Name, owner: Device, device: Device, ip: string, at: Micros): undefined {
    // One that moves on within a day has not left its home yet: who uses two addresses in turn must not make it forgotten.
    if (name.before === null || name.before.ip === ip || at - name.moved > DAY) name.before = { ip: name.ip, last: name.last }
    if (at - name.moved > DAY) name.moves = 0
    name.moves++
    name.moved = at
    name.ip = ip
    name.last = at
    if (device !== owner && (this.#fresh(device, ip, at) || this.#translates(ip))) {
      if (this.#unnamed(device)) this.#absorb(owner, device, ip)
      else this.#settle(owner, ip, at)
      this.#seenAt(owner, ip, null, at)
    } else if (device !== owner) {
      name.owner = device.id
    }
    return undefined
  }

  /** Heard at the old place after it moved away. */
  #cameBack(key: string, name: Name, owner: Device, device: Device, ip: string, at: Micros): Claim | undefined {
    const gap = at - name.before!.last
    const elsewhere = name.ip
    const quick = gap <= this.#usual(name) || name.moves >= MOST_MOVES
    if (!quick || this.#tookOver(device, elsewhere, name.before!.last)) return this.#move(name, owner, owner, ip, at)
    // It never left: the other host becomes a device of its own, and the name is the old one's.
    const ownerLast = name.before!.last
    const rival = this.#split(owner, elsewhere, at)
    name.before = null
    name.rival = { device: rival.id, ip: elsewhere, since: name.moved, last: at, uses: 1, told: true }
    name.ip = ip
    name.last = at
    return { kind: 'conflict', name: key, owner, rival, rivalIp: elsewhere, ownerIp: ip, ownerLast, pause: name.pause, since: name.moved }
  }

  /** Takes an address away from a device and gives it to a new one. */
  #split(owner: Device, ip: string, at: Micros): Device {
    const ids = (this.state.byIp.get(ip) ?? []).filter((id) => id !== owner.id)
    const mac = owner.ips.get(ip)?.mac ?? null
    owner.ips.delete(ip)
    if (ids.length > 0) {
      this.state.byIp.set(ip, ids)
      this.#version++
      const other = this.devices.get(ids[0]!)
      if (other !== undefined) return other
    }
    this.state.byIp.delete(ip)
    if (mac !== null && this.state.byMac.get(mac) === owner.id) this.state.byMac.delete(mac)
    return this.#create(ip, mac, at)
  }

  /** A host that was met a moment ago under its address alone turns out to be a known device. */
  #absorb(owner: Device, fresh: Device, ip: string): void {
    const address = fresh.ips.get(ip)
    const ids = (this.state.byIp.get(ip) ?? []).filter((id) => id !== fresh.id && id !== owner.id)
    this.state.byIp.set(ip, [...ids, owner.id])
    if (address !== undefined) {
      owner.ips.set(ip, address)
      if (address.mac !== null && this.state.byMac.get(address.mac) === fresh.id) this.state.byMac.set(address.mac, owner.id)
    }
    this.devices.delete(fresh.id)
    this.#version++
  }

  #fresh(device: Device, ip: string, at: Micros): boolean {
    const address = device.ips.get(ip)
    return address === undefined || at - address.first < FRESH
  }

  /** Others have moved in here: an address that several devices share. */
  #translates(ip: string): boolean {
    const ids = this.state.byIp.get(ip) ?? []
    if (ids.length > 1) return true
    const device = this.devices.get(ids[0] ?? '')
    return device !== undefined && device.ips.size > 1 && (device.ips.get(ip)?.first ?? 0) > device.first + DAY
  }

  /** Nothing but an address is known of it. */
  #unnamed(device: Device): boolean {
    return device.aes.size === 0 && device.apps.size === 0 && device.lived < FIRST_DAYS
  }

  #usual(name: Name): number {
    return Math.max(LEAST_PAUSE, 2 * name.pause)
  }

  #claim(kind: Claim['kind'], key: string, name: Name, owner: Device, rival: Device, rivalIp: string): Claim {
    return { kind, name: key, owner, rival, rivalIp, ownerIp: name.ip, ownerLast: name.last, pause: name.pause, since: name.rival?.since ?? name.last }
  }

  #forgotten(device: Device): void {
    for (const ip of device.ips.keys()) this.#leaves(device, ip)
    for (const { mac } of device.ips.values()) if (mac !== null && this.state.byMac.get(mac) === device.id) this.state.byMac.delete(mac)
    this.#version++
  }

  #leaves(device: Device, ip: string): void {
    const ids = this.state.byIp.get(ip)?.filter((id) => id !== device.id) ?? []
    if (ids.length === 0) this.state.byIp.delete(ip)
    else this.state.byIp.set(ip, ids)
    this.#version++
  }

  /** What is known of a conversation that goes on; undefined when nothing is. */
  saveFlow(flow: Flow): FlowState | undefined {
    const ends = this.#flows.get(flow)
    return ends && { ...ends, client: ends.client.id, server: ends.server.id, version: ends.version === this.#version ? 1 : 0 }
  }

  /** The conversation continues where `saveFlow` left off; called after `load`. */
  loadFlow(flow: Flow, state: FlowState): void {
    const client = this.devices.get(state.client)
    const server = this.devices.get(state.server)
    // Ends that are out of date are looked up again before they are used; then only what the conversation called itself is read of them.
    const current = state.version === 1 && client !== undefined && server !== undefined
    this.#flows.set(flow, { ...state, client: client ?? NOBODY, server: server ?? NOBODY, version: current ? this.#version : -1 })
  }

  /** After `load`. */
  changed(): void {
    this.#version++
    this.#flows = new WeakMap()
  }
}


const onInternet = (device: Device, ip: string): boolean => device.ips.get(ip)?.public === true
