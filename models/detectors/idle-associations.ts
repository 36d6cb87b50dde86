import type { DicomAssociation } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const idleAssociations: Detector<'dicom.association'> = {
  id: 'idle-associations',
  question: 'Does a device hold associations open without using them, until nobody else gets one?',
  wants: ['dicom.association'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1499.002'],
  falsePositives: ['a viewer that lingers', 'a client that hangs after an upgrade'],

  judge(event: DicomAssociation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    return judgeCrossings({
      idle: {
        detector: idleAssociations, title: `${nameOf(device)} holds associations open without using them`, least: 4, peer: scene.peer,
        note: `this one for ${Math.round((event.ended_at - event.started) / 1e6)} s`,
      },
    }, event, device, site, scene)
  },
}
