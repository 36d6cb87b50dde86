/** Who gives studies to a host that receives its first: what a new archive, or somebody who plays one, is known by. */
import { FIRST_DAYS, newsBefore, newsChance, type NewsPrior } from './baseline/novelty.ts'
import { DAY } from './clock.ts'
import { imaging, mature, nameOf, type Device, type Giver } from './device.ts'
import type { Micros } from '../protocols/events.ts'

/** New peers of a scanner a day. */
export const SCANNER_PEERS: NewsPrior = { a: 0.4, b: 20 }
/** Scanners remembered of one receiver: more say nothing more. */
const MOST = 16

/** Notes a study that somebody gives to a host. @param copy it was given to somebody else already */
export function given(device: Device, giver: Device, at: Micros, day: number, copy: boolean): void {
  const first = device.memories.service.known.get('C-STORE<')?.first
  if (first !== undefined && at - first > FIRST_DAYS * DAY) {
    delete device.givers
    return
  }
  if (!imaging(giver) || !mature(giver)) return
  const givers = device.givers ??= new Map<string, Giver>()
  let known = givers.get(giver.id)
  if (known === undefined) {
    if (givers.size >= MOST) return
    const { peer } = giver.memories
    known = { name: nameOf(giver), day, studies: 0, copies: 0, chance: newsChance({ ...peer, news: newsBefore(peer, day) }, SCANNER_PEERS, giver.lived) }
    givers.set(giver.id, known)
  }
  if (known.day !== day) {
    known.day = day
    known.studies = known.copies = 0
  }
  known.studies++
  if (copy) known.copies++
}
