import type { DicomAssociation } from '../../protocols/events.ts'
import { nameOf, todayOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, days, evidence, num, type Detector } from './detector.ts'

/** Associations of a site, and days, after which "the most that anybody proposed" means something. */
const ENOUGH = 200
const SITE_KNOWN = 3
/** Identifiers are odd numbers below 256, so an association has 128 contexts at most (PS3.8 9.3.2.2). Half of them is a lot anywhere. */
const MANY = 128 / 2
/** And more than anybody here by this. */
const RATIO = 1.5
/** So many in a day are no trial of a new program. */
const AGAIN = 3

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
    if (scene.side !== 'client' || n < MANY || n <= RATIO * contexts.most || contexts.seen < ENOUGH || site.age < SITE_KNOWN) return NONE
    if (Object.keys(event.operations).length > 0) return NONE
    const today = ++todayOf(device, scene.day).floods
    const repeated = n - new Set(event.contexts.map((context) => context.abstract_syntax)).size
    return [evidence(contextFlood, event, {
      actor: device, peer: scene.peer, p: null, severity: today >= AGAIN ? 'medium' : 'low', observed: n, expected: contexts.most, unit: 'presentation contexts',
      title: `${nameOf(device)} floods ${nameOf(scene.peer)} with presentation contexts`,
      text: `${nameOf(device)} proposed ${num(n)} presentation contexts${repeated > 0 ? `, ${num(repeated)} of them for a class already proposed` : ''}, and used none; `
        + `the most that anybody here proposed in ${days(site.age)} is ${num(contexts.most)}. It is number ${num(today)} of such associations today.`,
    })]
  },
}
