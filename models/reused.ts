/**
 * Control ids of HL7 messages that were accepted, used again for another content (DETECTION 2.3, L3e). Counters begin anew: then all ids are used
 * again, one after the other. Who sends again, changed, what somebody recorded does so on a connection whose other ids are new.
 */
import type { Hl7Message } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import { seen } from './baseline/seen.ts'
import { MINUTE } from './clock.ts'
import { todayOf, type Device } from './device.ts'

/** Connections of a day that are looked at. */
const MOST = 64
/** Ids made of the time of day are shared by what comes within a minute. */
const CLOCK_MS = MINUTE / 1000

export const accepted = (answered: string | null): boolean => answered !== null && answered.charCodeAt(1) === 65

/** Counts a message that a device sent. @returns how many on its connection today had the id of another one, with new ids between them; 0 where this one has not */
export function countReused(event: Hl7Message, device: Device, day: number, learn: boolean): number {
  const today = todayOf(device, day)
  const { repeat } = event
  let reused = today.reused?.get(event.flow.id)
  if (repeat === undefined) {
    if (reused !== undefined) reused.fresh++
    return 0
  }
  if (repeat.same_body || !accepted(repeat.answered) || repeat.after_ms < CLOCK_MS) return 0
  device.reusedDays = seen(device.reusedDays, day, learn)
  if (reused === undefined) {
    today.reused ??= new Map()
    makeRoom(today.reused, MOST)
    today.reused.set(event.flow.id, (reused = { n: 0, fresh: 0 }))
  }
  reused.n++
  return reused.fresh > 0 ? reused.n : 0
}
