import type { Violation } from '../../protocols/events.ts'
import { daysBefore, seen } from '../baseline/seen.ts'
import { clean, nameOf, todayOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { OVER_MAXIMUM } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, SITE_KNOWN, counted, days, evidence, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** So many PDUs over the limit in a day are no accident (PS3.8 D.1.1). */
const OVERSIZE = 3
/** Days after which a device that did so on less than this share of them is known to keep to the limits; one day is forgiven nobody. */
const KNOWN = 3
const CLEAN = 0.1

export const protocolViolations: Detector<'violation'> = {
  id: 'protocol-violations',
  question: 'Does a device send more that its protocol forbids than it ever did (fuzzing, tunnels, exploits)?',
  wants: ['violation'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1499.004', 'T1210', 'T1572'],
  falsePositives: ['a device with a faulty implementation, after an upgrade'],

  judge(event: Violation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const found = oversize(event, device, site, scene)
    if (scene.crossed.length === 0) return found
    return [...found, ...judgeCrossings({
      strange: {
        detector: protocolViolations, title: `${nameOf(device)} breaks the rules of its protocol`, least: 3, peer: scene.peer,
        note: `the latest: ${clean(event.code)} (${clean(event.section)}) towards ${nameOf(scene.peer)}, on bytes that were not lost`,
      },
    }, event, device, site, scene)]
  },
}

/** The other side says how much it takes; a program that has always kept to that does not forget it. */
function oversize(event: Violation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  if (event.code !== OVER_MAXIMUM || scene.side !== 'client') return NONE
  const today = todayOf(device, scene.day)
  // Absent in states that were saved before it was counted.
  const n = today.oversize = (today.oversize ?? 0) + 1
  device.oversizeDays = seen(device.oversizeDays, scene.day, !site.frozen)
  const because = n < OVERSIZE ? undefined : keptBefore(device, site, scene.day)
  if (because === undefined) return NONE
  return [evidence(protocolViolations, event, {
    actor: device, peer: scene.peer, p: null, severity: 'medium', observed: n, expected: 0, unit: 'PDUs over the limit',
    title: `${nameOf(device)} sends PDUs that are longer than ${nameOf(scene.peer)} takes`,
    text: `${counted(n, 'PDUs')} of ${nameOf(device)} today were longer than the other side said it takes (${clean(event.section)}), the latest towards ${nameOf(scene.peer)}; ${because}.`,
  })]
}

/** Why it is no way of this device, in words: it never did so, or, of a newcomer, hardly anybody here does. */
function keptBefore(device: Device, site: Site, day: number): string | undefined {
  if (device.lived >= KNOWN) {
    const before = daysBefore(device.oversizeDays, day)
    if (before > Math.max(1, CLEAN * device.lived)) return undefined
    return before === 0 ? `in the ${days(device.lived)} before, it kept to such limits` : `it did so on only ${before} of the ${days(device.lived)} before`
  }
  if (site.age < SITE_KNOWN || site.oversizeShare >= CLEAN) return undefined
  return `it is new, and in the ${days(site.age)} before, nobody known here did so on more than one day in ten`
}
