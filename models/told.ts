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

/** What was told of this count today, of its day or of an hour, if that is over: what came since has to speak for itself. */
export function toldBefore(device: Device, name: string, at: Micros, site: Site): Told | undefined {
  const told = todayOf(device, site.day).told?.get(name)
  return told !== undefined && at - told.at >= PAUSE ? told : undefined
}

export function tell(device: Device, name: string, at: Micros, site: Site, n: number, studies?: number): void {
  const today = todayOf(device, site.day)
  today.told ??= new Map()
  today.told.set(name, { at, hour: site.hour, n, ...(studies !== undefined && { studies }) })
}
