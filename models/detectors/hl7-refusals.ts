import type { Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const hl7Refusals: Detector<'hl7.message'> = {
  id: 'hl7-refusals',
  question: 'Does a receiver refuse, or leave unanswered, far more HL7 messages than usual?',
  wants: ['hl7.message'],
  group: 'volume',
  objective: 'integrity',
  attack: ['T1565.002', 'T1499.002'],
  falsePositives: ['a receiver with a fault after an upgrade', 'a receiver that is slow under load'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    const options = (title: string) => ({ detector: hl7Refusals, title, least: 8, peer: scene.peer, service: event.message_type })
    return judgeCrossings({
      nak: options(`${nameOf(device)} refuses far more HL7 messages than usual`),
      unanswered: options(`${nameOf(device)} gets no acknowledgement for far more HL7 messages than usual`),
    }, event, device, site, scene)
  },
}
