/**
 * Whose names are heard where: AE titles, HL7 applications. They tell when a device has moved to another address, and when two hosts claim one name at the same time.
 *
 * A name heard from a new place is one of:
 * - moved: the new host is fresh (or shares an address that others moved to), so the device is taken to have moved there, baseline and
 *   all. If then the old place speaks again within its usual pauses, it never left: the move is undone, and it was a conflict.
 * - borrowed: the new place is another device with a life of its own, or on the Internet. Suspicious at once, a conflict when the owner speaks again.
 * - shared: known from the sensor's first day to be used at several places (pools of workstations, engines that forward).
 */
import type { Micros } from '../protocols/events.ts'
import { isPublic } from '../protocols/net/address.ts'
import { makeRoom, provenWorth } from '../protocols/room.ts'
import { FIRST_DAYS } from './baseline/novelty.ts'
import { DAY, MINUTE, SECOND } from './clock.ts'
import { remember, type Device } from './device.ts'
import type { Residents } from './residents.ts'

/** Names of a site, and places of each. */
export const NAME_LIMITS = { names: 50_000, places: 8 } as const

/** A pause is usual up to twice the longest of late, and at least this. */
const LEAST_PAUSE = 15 * MINUTE
/** More than so many moves of a name within a day are no failover but two users. */
const MOST_MOVES = 4

/** Names are heard in steps of this time: within one, a conversation compares them once, and how often does not matter. */
const STEP = 10 * SECOND
export const heardIn = (at: Micros): Micros => at - (at % STEP)

export interface Name {
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

export const NO_CLAIMS: Claim[] = []

export class Names {
  /** By kind and text. */
  all = new Map<string, Name>()
  readonly #residents: Residents

  constructor(residents: Residents) {
    this.#residents = residents
  }

  heard(key: string, ip: string, device: Device, exactly: Micros): Claim | undefined {
    const at = heardIn(exactly)
    const name = this.all.get(key)
    if (name === undefined) {
      this.#learnName(key, ip, device, at)
      return undefined
    }
    if (name.ip === ip) {
      // At a shared address the flow tells only the address; the name tells the device.
      const owner = this.#residents.state.byIp.get(ip)?.includes(name.owner) === true ? this.#residents.devices.get(name.owner) : undefined
      return this.#heardAtHome(key, name, owner ?? device, at)
    }
    if (name.places.includes(ip)) return undefined
    // On the sensor's first day whoever shares a name has always done so, as far as anybody can tell; and where several receive under one, another says nothing about them.
    if (at - this.#residents.state.started < DAY || (isReceiving(key) && name.places.length > 0)) {
      if (name.places.length < NAME_LIMITS.places) name.places.push(ip)
      return undefined
    }
    return this.#heardElsewhere(key, name, ip, device, at)
  }

  /** Who takes over from a device also gets what others send to it; who borrows its name does not, unless he sends it himself. */
  delivered(key: string, ip: string, sender: Device, at: Micros): void {
    const name = this.all.get(key)
    if (name === undefined || name.ip === ip) return
    for (const id of [name.owner, ...name.places.flatMap((place) => this.#residents.state.byIp.get(place) ?? [])]) {
      const receiver = this.#residents.devices.get(id)
      if (receiver !== undefined && sender.memories.peer.known.get(id)?.settled === true) remember((receiver.delivered ??= new Map()), ip, at)
    }
  }

  /** Since it was last heard at home, did its usual senders turn to this address? */
  #tookOver(owner: Device, ip: string, since: Micros): boolean {
    return (owner.delivered?.get(ip) ?? -Infinity) >= since
  }

  #learnName(key: string, ip: string, device: Device, at: Micros): void {
    const names = this.all
    // Invented names come by the thousand within minutes; one that was used on two days is somebody's.
    makeRoom(names, NAME_LIMITS.names, ({ first, last }) => provenWorth(last - first >= DAY ? 0 : 1, last))
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
      const other = this.#residents.devices.get(rival.device)
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
    const owner = this.#residents.devices.get(name.owner)
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
    // Nobody moves from this site to the Internet: who calls itself so there uses the name of somebody here.
    const isOutside = device !== owner && isPublic(ip) && !isPublic(name.ip)
    if (isOutside || (device !== owner && !this.#residents.isFresh(device, ip, at) && !this.#residents.isShared(ip))) {
      name.rival = { device: device.id, ip, since: at, last: at, uses: 1, told: false }
      // An owner that has been gone for long cannot object; then this is how a replacement of a known host looks. One whose senders turned here left, too.
      if (!isOutside && (at - name.last > this.#usual(name) || this.#tookOver(owner, ip, name.last))) return this.#move(name, owner, device, ip, at)
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
    if (device !== owner && (this.#residents.isFresh(device, ip, at) || this.#residents.isShared(ip))) {
      if (isNamedAs(device, owner)) this.#residents.absorb(owner, device, ip)
      else this.#residents.settle(owner, ip, at)
      this.#residents.seenAt(owner, ip, null, at)
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
    // Some send to the old address still, some to the new one: nobody is accused of receiving.
    if (!quick || isReceiving(key) || this.#tookOver(device, elsewhere, name.before!.last)) return this.#move(name, owner, owner, ip, at)
    // It never left: the other host becomes a device of its own, and the name is the old one's.
    const ownerLast = name.before!.last
    const rival = this.#residents.split(owner, elsewhere, at)
    name.before = null
    name.rival = { device: rival.id, ip: elsewhere, since: name.moved, last: at, uses: 1, told: true }
    name.ip = ip
    name.last = at
    return { kind: 'conflict', name: key, owner, rival, rivalIp: elsewhere, ownerIp: ip, ownerLast, pause: name.pause, since: name.moved }
  }

  #usual(name: Name): number {
    return Math.max(LEAST_PAUSE, 2 * name.pause)
  }

  #claim(kind: Claim['kind'], key: string, name: Name, owner: Device, rival: Device, rivalIp: string): Claim {
    return { kind, name: key, owner, rival, rivalIp, ownerIp: name.ip, ownerLast: name.last, pause: name.pause, since: name.rival?.since ?? name.last }
  }
}

/** Of an HL7 application that receives (MSH-5). */
export const isReceiving = (key: string): boolean => key.startsWith('rx:')

/** Nothing is known of a host but an address, and names that another has as well. */
function isNamedAs(host: Device, other: Device): boolean {
  return host.aes.size === 0 && host.lived < FIRST_DAYS && [...host.apps.keys()].every((app) => other.apps.has(app))
}
