import type { Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const hl7Replay: Detector<'hl7.message'> = {
  id: 'hl7-replay',
  question: 'Are HL7 messages sent again that were already accepted?',
  wants: ['hl7.message'],
  group: 'meaning',
  objective: 'integrity',
  attack: ['T1565.002'],
  falsePositives: ['a sender that repeats its queue after a restart', 'a monitor that sends the same test message again and again'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    return judgeCrossings({
      replay: {
        detector: hl7Replay, title: `${nameOf(device)} sends messages again that were already accepted`, least: 5, peer: scene.peer, service: event.message_type,
        note: 'with the same control id and the same content, though the receiver had said yes to each',
      },
    }, event, device, site, scene)
  },
}
