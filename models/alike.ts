/**
 * What devices of one role have in common over weeks. Whatever a device did from its first days on has become its own baseline; only its
 * peers still tell that it is odd. So each is compared with them once it is known, and what began while it was learned comes to light.
 */
import { KEEP } from './baseline/counts.ts'
import { FIRST_DAYS } from './baseline/novelty.ts'
import { SITE_KNOWN } from './detectors/detector.ts'
import type { Device } from './device.ts'
import type { Site } from './site.ts'
import type { StreamName } from './streams.ts'

/** What has no reason, and the work that it is a part of. */
const WATCHED = [['unexplained.in', 'store.in'], ['unexplained.out', 'store.out']] as const satisfies [StreamName, StreamName][]
/** Days of knowing, and peers, before anything is compared. */
const KNOWN_DAYS = 14
const PEERS = 3
/** The share that is without a reason anywhere (unexplained-access), as of so many studies. */
const SHARE = 0.1
const PSEUDO = 30
/** How much the shares of peers differ, squared: as of two peers, before the others have told. */
const SPREAD = 0.3 ** 2
const SPREAD_WEIGHT = 2
/** No peers are so alike that they differ by less. */
const LEAST_SPREAD = 0.15 ** 2

const amount = (device: Device, name: StreamName): number => device.streams.get(name)?.a ?? 0

/** A day is over. */
export function comparePeers(devices: Iterable<Device>, site: Site): void {
  const roles = new Map<string, Device[]>()
  for (const device of devices) {
    noteTests(device, site)
    if (device.role === 'unknown' || device.role === 'archive' || device.lived < KNOWN_DAYS) continue
    const same = roles.get(device.role)
    if (same === undefined) roles.set(device.role, [device])
    else same.push(device)
  }
  for (const same of roles.values()) {
    if (same.length <= PEERS) continue
    for (const [name, all] of WATCHED) for (const device of same) compare(device, same, name, all, site)
  }
}

/** A scanner that comes to a known site is tried out first, with patients nobody ordered anything for: that says nothing of its work. */
function noteTests(device: Device, site: Site): void {
  if (site.frozen) return
  if (device.lived > FIRST_DAYS || site.age - device.lived < SITE_KNOWN) {
    if (device.tests !== undefined) device.tests *= KEEP
    return
  }
  const n = amount(device, 'unexplained.out')
  if (n > 0) device.tests = n
}

function compare(device: Device, same: readonly Device[], name: StreamName, all: StreamName, site: Site): void {
  const stream = device.streams.get(name)
  if (stream === undefined || stream.days < KNOWN_DAYS || site.frozen) return
  const peers = same.filter((one) => one !== device)
  let without = SHARE * PSEUDO
  let studies = PSEUDO
  for (const peer of peers) {
    without += amount(peer, name)
    studies += amount(peer, all)
  }
  const share = without / studies
  let deviation = 0
  let squares = 0
  for (const peer of peers) {
    const mean = share * amount(peer, all)
    deviation += (amount(peer, name) - mean) ** 2 - mean
    squares += mean * mean
  }
  const expected = share * amount(device, all)
  // Peers that hardly do any of this say little of how much peers differ in it.
  const prior = SPREAD_WEIGHT * expected * expected
  const spread = Math.max(LEAST_SPREAD, (prior * SPREAD + deviation) / (prior + squares))
  const tests = name === 'unexplained.out' ? device.tests ?? 0 : 0
  const told = device.apart?.get(name)?.told ?? false
  device.apart ??= new Map()
  device.apart.set(name, { observed: Math.round(Math.max(0, stream.a - tests)), expected, size: 1 / spread, open: !told, told })
}
