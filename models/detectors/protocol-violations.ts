import type { Violation } from '../../protocols/events.ts'
import { clean, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const protocolViolations: Detector<'violation'> = {
  id: 'protocol-violations',
  question: 'Does a device send more that its protocol forbids than it ever did (fuzzing, tunnels, exploits)?',
  wants: ['violation'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1499.004', 'T1210', 'T1572'],
  falsePositives: ['a device with a faulty implementation, after an upgrade'],

  judge(event: Violation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    return judgeCrossings({
      strange: {
        detector: protocolViolations, title: `${nameOf(device)} breaks the rules of its protocol`, least: 3, peer: scene.peer,
        note: `the latest: ${clean(event.code)} (${clean(event.section)}) towards ${nameOf(scene.peer)}, on bytes that were not lost`,
      },
    }, event, device, site, scene)
  },
}
