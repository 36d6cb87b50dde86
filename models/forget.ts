/** Takes back what a period taught about a device, after an analyst has called it malicious. */
import type { Micros } from '../protocols/events.ts'
import { unlearn } from './baseline/counts.ts'
import { HOUR, dayOf, hourOfDay, type SiteClock } from './clock.ts'
import { MEMORIES } from './baseline/novelty.ts'
import type { Device } from './device.ts'
import type { Purge } from './feedback.ts'

/** What the days of an alert taught of who did it, and of whom it was done to. */
export function forgetAlert({ from, to, actor, peers }: Purge, devices: ReadonlyMap<string, Device>, clock: SiteClock): void {
  const hour = clock.hour(from)
  // An alert begins when there is enough to tell; what it tells about began earlier that day.
  const since = from - hourOfDay(hour) * HOUR - (from % HOUR)
  const one = devices.get(actor)
  if (one !== undefined) forget(one, hour, clock.hour(to), since)
  for (const id of peers) {
    const peer = devices.get(id)
    if (peer !== undefined) forgetPeer(peer, actor, since)
  }
}

/** Of whoever did it: its counts of these days, and every habit that began with them. @param from, to local hours @param since capture time */
function forget(device: Device, from: number, to: number, since: Micros): void {
  for (const stream of [...device.streams.values(), ...device.triggers.values()]) unlearn(stream, dayOf(from), dayOf(to))
  for (const name of MEMORIES) {
    const memory = device.memories[name]
    for (const [value, habit] of memory.known) {
      if (habit.first < since) continue
      memory.known.delete(value)
      memory.news = Math.max(0, memory.news - 1)
    }
  }
}

/** Of whom it was done to: that it knows the one who did it. */
function forgetPeer(device: Device, actor: string, since: Micros): void {
  for (const name of MEMORIES) {
    const memory = device.memories[name]
    const habit = memory.known.get(actor)
    if (habit === undefined || habit.first < since) continue
    memory.known.delete(actor)
    memory.news = Math.max(0, memory.news - 1)
  }
}
