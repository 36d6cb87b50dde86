/** Which scanners start to use a host that has just begun to offer a service: what a new archive or worklist, or somebody who plays one, is known by. */
import { FIRST_DAYS, newsBefore, newsChance, type NewsPrior } from './baseline/novelty.ts'
import { DAY } from './clock.ts'
import { imaging, mature, nameOf, type Device, type Starter } from './device.ts'
import type { Micros } from '../protocols/events.ts'

/** New peers of a scanner a day. */
export const SCANNER_PEERS: NewsPrior = { a: 0.4, b: 20 }
/** Scanners remembered of one host: more say nothing more. */
const MOST = 16

/** Notes a study that somebody gives to a host. @param copy it was given to somebody else already */
export function given(device: Device, giver: Device, at: Micros, day: number, copy: boolean): void {
  const starter = starts(device, 'givers', giver, at, day)
  if (starter === undefined) return
  starter.n++
  if (copy) starter.copies++
}

/** Notes that somebody who follows the worklist of another asks a host for one. */
export function asked(device: Device, asker: Device, at: Micros, day: number): void {
  const follows = asker.memories.service.known.get('MWL>')?.settled === true
  const known = asker.memories.peer.known.get(device.id)?.settled === true
  if (device.askers?.has(asker.id) !== true && (!follows || known)) return
  const starter = starts(device, 'askers', asker, at, day)
  if (starter !== undefined) starter.n++
}

/** What the host began with. */
const SERVICE = { givers: 'C-STORE<', askers: 'MWL<' } as const

/** The starter's entry for the day; none where the host offers the service for longer than its first days, or who uses it is no known scanner. */
function starts(device: Device, as: keyof typeof SERVICE, starter: Device, at: Micros, day: number): Starter | undefined {
  const first = device.memories.service.known.get(SERVICE[as])?.first
  if (first !== undefined && at - first > FIRST_DAYS * DAY) {
    delete device[as]
    return undefined
  }
  if (!imaging(starter) || !mature(starter)) return undefined
  const starters = device[as] ??= new Map<string, Starter>()
  let known = starters.get(starter.id)
  if (known === undefined) {
    if (starters.size >= MOST) return undefined
    known = { name: nameOf(starter), day, n: 0, copies: 0, chance: newsChance(newsBefore(starter.memories.peer, day), SCANNER_PEERS, starter.lived) }
    starters.set(starter.id, known)
  }
  if (known.day !== day) {
    known.day = day
    known.n = known.copies = 0
  }
  return known
}

export const startedOn = (starters: ReadonlyMap<string, Starter>, day: number): Starter[] => [...starters.values()].filter((starter) => starter.day === day)
