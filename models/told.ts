/**
 * What was told of a device's open day. A day's count stays high for the rest of it, whatever follows: hours after an attack has ended
 * ordinary work would tell of it again. So after a pause the day is told again only if what came since is itself more than usual.
 */
import type { Micros } from '../protocols/events.ts'
import { HOUR } from './clock.ts'
import { todayOf, type Device, type Told } from './device.ts'
import type { Site } from './site.ts'

/** What follows so soon goes on with it. */
const PAUSE = 2 * HOUR
/** Of what was counted and not told. */
const NEVER = 0

/**
 * May a count of the open day be told, with what is counted by now? The first time, and when what came since it was told is `unusual` by itself; what is not
 * goes on with what was told just before, but not with what follows from it in turn.
 */
export function mayTell(device: Device, name: string, at: Micros, site: Site, by: Pick<Told, 'n' | 'studies'>, unusual: (told: Told) => boolean): boolean {
  const counts = (todayOf(device, site.day).told ??= new Map())
  const told = counts.get(name)
  if (told !== undefined && !unusual(told)) return at - told.at < PAUSE
  counts.set(name, { at, hour: site.hour, ...by })
  return true
}

/** A count that is too high but not told, since there is a reason for it: should that end, only what came since then is told. */
export function leaveUntold(device: Device, name: string, site: Site, n: number): void {
  const counts = (todayOf(device, site.day).told ??= new Map())
  counts.set(name, { at: counts.get(name)?.at ?? NEVER, hour: site.hour, n })
}
