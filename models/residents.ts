/**
 * Which device is at which address. A host is first of all its address; its hardware address tells when it moved to another one, where no router stands in
 * between. What names tell beyond that stands in `names.ts`.
 */
import type { Micros } from '../protocols/events.ts'
import { isPublic } from '../protocols/net/address.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { FIRST_DAYS } from './baseline/novelty.ts'
import { DAY, MINUTE } from './clock.ts'
import { addressOf, nameOf, newDevice, type Address, type Device } from './device.ts'
import { shortId } from './hash.ts'

/** Devices and hardware addresses of a site. At a cap those are forgotten that have proven least, and of equals those unheard for longest. */
export const RESIDENT_LIMITS = { devices: 20_000, macs: 50_000 } as const

/** A device is fresh at an address for this long: it may just have moved there. */
const FRESH = DAY
/** So long at one address with one hardware address, another one is news. */
const LONG_KNOWN = 7 * DAY
/** Addresses remembered of one device. */
const MOST_ADDRESSES = 16

/**
 * Whoever has no life of its own here (no day of it, no deed) goes first, then whoever came in the last days: a flood of passers-by, or of invented
 * devices that each do something once, would push out those who are known.
 */
const provenAs = ({ lived, deeds, last }: Device): number => provenWorth(lived >= FIRST_DAYS ? 0 : lived > 0 || deeds.size > 0 ? 1 : 2, last)

export interface ResidentState {
  byIp: Map<string, string[]>
  byMac: Map<string, string>
  /** Hardware addresses in front of several hosts: routers; since when. */
  routers: Map<string, Micros>
  started: Micros
  /** Devices met so far. */
  met: number
}

export class Residents {
  readonly devices = new Map<string, Device>()
  state: ResidentState = { byIp: new Map(), byMac: new Map(), routers: new Map(), started: -1, met: 0 }
  /** Counts what changes who is where. */
  version = 0
  /** Local day; set by the engine on its tick. */
  day = 0

  /** The device last known at an address. */
  known(ip: string): Device | undefined {
    return this.devices.get(this.state.byIp.get(ip)?.[0] ?? '')
  }

  /** The device at an address; with several there, the one of this AE title. */
  at(ip: string, mac: string | null, ae: string | null, at: Micros): Device {
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
        this.seenAt(found, ip, mac, at)
        return found
      }
    }
    return this.#moved(ip, mac, at) ?? this.#create(ip, mac, at)
  }

  #create(ip: string, mac: string | null, at: Micros): Device {
    for (const [, gone] of makeRoom(this.devices, RESIDENT_LIMITS.devices, provenAs)) this.#forgotten(gone)
    const device = newDevice(`dev-${shortId(`${ip}/${at}`)}`, this.state.met++, at, this.day)
    this.devices.set(device.id, device)
    this.state.byIp.set(ip, [device.id])
    this.version++
    this.seenAt(device, ip, mac, at)
    return device
  }

  seenAt(device: Device, ip: string, mac: string | null, at: Micros): void {
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
        makeRoom(this.state.byMac, RESIDENT_LIMITS.macs, (id, known) => (this.#usesNow(id, known) ? 1 : 0))
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
      if (byMac.get(before) === device.id && at - first > LONG_KNOWN) device.detour = { ip, mac: now, through: 'a machine that has several addresses since today', since: at, passed: 0 }
    } else if (through !== undefined ? through !== device && at - through.last < DAY : owner === undefined && byMac.get(before) === device.id && at - first > LONG_KNOWN) {
      device.detour = { ip, mac: now, through: through === undefined ? null : `${nameOf(through)} (${addressOf(through)})`, since: at, passed: 0 }
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
    this.settle(device, ip, at)
    this.seenAt(device, ip, mac, at)
    return device
  }

  settle(device: Device, ip: string, at: Micros): void {
    const there = this.state.byIp.get(ip)
    this.state.byIp.set(ip, there === undefined ? [device.id] : [...there.filter((id) => id !== device.id), device.id])
    // Behind a shared address is a translator, whose hardware address is nobody's.
    const mac = there === undefined ? null : this.devices.get(there[0]!)?.ips.get(ip)?.mac ?? null
    if (mac !== null) this.#router(mac, at)
    this.version++
  }

  /** Takes an address away from a device and gives it to a new one. */
  split(owner: Device, ip: string, at: Micros): Device {
    const ids = (this.state.byIp.get(ip) ?? []).filter((id) => id !== owner.id)
    const mac = owner.ips.get(ip)?.mac ?? null
    owner.ips.delete(ip)
    if (ids.length > 0) {
      this.state.byIp.set(ip, ids)
      this.version++
      const other = this.devices.get(ids[0]!)
      if (other !== undefined) return other
    }
    this.state.byIp.delete(ip)
    if (mac !== null && this.state.byMac.get(mac) === owner.id) this.state.byMac.delete(mac)
    return this.#create(ip, mac, at)
  }

  /** A host that was met a moment ago under its address alone turns out to be a known device. */
  absorb(owner: Device, fresh: Device, ip: string): void {
    const address = fresh.ips.get(ip)
    const ids = (this.state.byIp.get(ip) ?? []).filter((id) => id !== fresh.id && id !== owner.id)
    this.state.byIp.set(ip, [...ids, owner.id])
    if (address !== undefined) {
      owner.ips.set(ip, address)
      if (address.mac !== null && this.state.byMac.get(address.mac) === fresh.id) this.state.byMac.set(address.mac, owner.id)
    }
    this.devices.delete(fresh.id)
    this.version++
  }

  isFresh(device: Device, ip: string, at: Micros): boolean {
    const address = device.ips.get(ip)
    return address === undefined || at - address.first < FRESH
  }

  /** Others have moved in here: an address that several devices share. */
  isShared(ip: string): boolean {
    const ids = this.state.byIp.get(ip) ?? []
    if (ids.length > 1) return true
    const device = this.devices.get(ids[0] ?? '')
    return device !== undefined && device.ips.size > 1 && (device.ips.get(ip)?.first ?? 0) > device.first + DAY
  }

  #forgotten(device: Device): void {
    for (const ip of device.ips.keys()) this.#leaves(device, ip)
    for (const { mac } of device.ips.values()) if (mac !== null && this.state.byMac.get(mac) === device.id) this.state.byMac.delete(mac)
    this.version++
  }

  #leaves(device: Device, ip: string): void {
    const ids = this.state.byIp.get(ip)?.filter((id) => id !== device.id) ?? []
    if (ids.length === 0) this.state.byIp.delete(ip)
    else this.state.byIp.set(ip, ids)
    this.version++
  }
}
