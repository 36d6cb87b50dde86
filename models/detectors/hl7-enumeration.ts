import type { Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Patients beyond the usual that matter: a person leafs through a page of a list. */
const LEAST = 20

export const hl7Enumeration: Detector<'hl7.message'> = {
  id: 'hl7-enumeration',
  question: 'Is a system shown far more patients by HL7 queries than it usually asks for?',
  wants: ['hl7.message'],
  group: 'meaning',
  objective: 'discovery',
  attack: ['T1213'],
  falsePositives: ['a registration desk on its busiest morning', 'a new client that loads its list of patients'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts || scene.crossed.length === 0) return NONE
    return judgeCrossings({
      'hl7.shown': {
        detector: hl7Enumeration, title: `${nameOf(device)} is shown far more patients by HL7 queries than usual`, least: LEAST, peer: scene.peer, service: event.message_type,
      },
    }, event, device, site, scene)
  },
}
