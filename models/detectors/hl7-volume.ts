import type { Hl7Message } from '../../protocols/events.ts'
import { clean, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { volumeEvidence, workUnknown } from './volume.ts'

export const hl7Volume: Detector<'hl7.message'> = {
  id: 'hl7-volume',
  question: 'Does a system send far more HL7 messages of one kind than it does at this time?',
  wants: ['hl7.message'],
  group: 'volume',
  objective: 'integrity',
  attack: ['T1565.001', 'T1213'],
  falsePositives: ['a clean-up of the patient index (merges)', 'a queue that drains after a downtime (allowed for)', 'a migration or reload of an interface'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const kind = event.message_type
    if (scene.kindCrossed === undefined || kind === null || device.role === 'engine' || workUnknown(site)) return NONE
    if (device.memories.trigger.known.get(kind)?.settled !== true) return NONE
    const stream = device.triggers.get(kind)
    if (stream === undefined) return NONE
    return scene.kindCrossed.flatMap((crossing) => volumeEvidence(event, device, site, stream, `trigger/${kind}`, crossing, `${clean(kind)} messages sent`, {
      detector: hl7Volume, title: `${nameOf(device)} sends far more ${clean(kind)} messages than usual`, least: 8, peer: scene.peer, service: kind,
    }) ?? [])
  },
}
