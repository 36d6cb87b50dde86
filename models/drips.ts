/**
 * Small lasting rises that no single day shows: a CUSUM over the closed days of the streams that have little reason to rise. It runs on as
 * long as the rise lasts, and says how rare its level is.
 */
import { dayScore } from './baseline/counts.ts'
import { Cusum, DRIP } from './baseline/cusum.ts'
import type { Device } from './device.ts'
import type { Site } from './site.ts'
import { STREAMS, type StreamName } from './streams.ts'

/** What leaks in drips: access without a reason, old studies, searching, guessing. */
const WATCHED = ['unexplained.in', 'unexplained.out', 'stale.out', 'aimless', 'guess', 'hl7.shown'] as const satisfies StreamName[]
/** Their units, as evidence has them; and of these, of studies that leave without a reason. */
export const DRIPPING: ReadonlySet<string> = new Set(WATCHED.map((name) => STREAMS[name].unit))
export const LEAKING: ReadonlySet<string> = new Set([STREAMS['unexplained.in'].unit, STREAMS['unexplained.out'].unit, STREAMS['stale.out'].unit])
/** Days a stream has to be known. */
const KNOWN_DAYS = 14
/** The level from which a rise is looked at. */
const LOOK = DRIP.h

/** The day is over, before the streams learn from it. */
export function watchDrips(device: Device, day: number, site: Site): void {
  const pace = site.pace(device)
  // Half a day may be an outage of the sensor.
  if (pace.watched(day) < 0.5) return
  for (const name of WATCHED) {
    const stream = device.streams.get(name)
    if (stream === undefined || stream.days < KNOWN_DAYS) continue
    const n = stream.day === day ? stream.inDay : 0
    const score = dayScore(stream, day, n, pace)
    const before = device.drips.get(name)
    const cusum = new Cusum({ ...DRIP, h: Infinity }, before)
    cusum.add(score.z)
    if (cusum.run === 0) {
      device.drips.delete(name)
      continue
    }
    device.drips.set(name, {
      level: cusum.level, run: cusum.run, observed: (before?.observed ?? 0) + n, expected: (before?.expected ?? 0) + score.mean,
      open: cusum.level >= LOOK && cusum.level > (before?.level ?? 0),
    })
  }
}
