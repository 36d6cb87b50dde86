import type { DicomAssociation } from '../../protocols/events.ts'
import { daysBefore, seen } from '../baseline/seen.ts'
import { nameOf, todayOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { isContextFlood } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, days, evidence, num, type Detector } from './detector.ts'

/** So many in a day are no trial of a new program. */
const AGAIN = 3
/** A program that did so on so many days is known for it. */
const KNOWN_FOR = 3

export const contextFlood: Detector<'dicom.association'> = {
  id: 'context-flood',
  question: 'Does a device propose far more presentation contexts than anybody at this site ever did, and use none?',
  wants: ['dicom.association'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1499.004'],
  falsePositives: ['a new viewer or test program that proposes everything it knows'],

  judge(event: DicomAssociation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const { contexts } = site.state
    const n = event.contexts.length
    if (scene.side !== 'client' || !isContextFlood(event, site)) return NONE
    const today = ++todayOf(device, scene.day).floods
    device.floodDays = seen(device.floodDays, scene.day, !site.frozen)
    if (daysBefore(device.floodDays, scene.day) >= KNOWN_FOR) return NONE
    const repeated = n - new Set(event.contexts.map((context) => context.abstract_syntax)).size
    return [evidence(contextFlood, event, {
      actor: device, peer: scene.peer, p: null, severity: today >= AGAIN ? 'medium' : 'low', observed: n, expected: contexts.most, unit: 'presentation contexts',
      title: `${nameOf(device)} floods ${nameOf(scene.peer)} with presentation contexts`,
      text: `${nameOf(device)} proposed ${num(n)} presentation contexts${repeated > 0 ? `, ${num(repeated)} of them for a class already proposed` : ''}, and used none; `
        + `the most that anybody here proposed in ${days(site.age)} is ${num(contexts.most)}. It is number ${num(today)} of such associations today.`,
    })]
  },
}
