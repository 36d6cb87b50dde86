import type { DicomAssociation, FlowEnd } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const idleAssociations: Detector<'dicom.association' | 'flow'> = {
  id: 'idle-associations',
  question: 'Does a device hold associations, or connections to HL7 listeners, open without using them, until nobody else gets one?',
  wants: ['dicom.association', 'flow'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1499.002'],
  falsePositives: ['a viewer that lingers', 'a client that hangs after an upgrade'],

  judge(event: DicomAssociation | FlowEnd, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    return judgeCrossings({
      idle: {
        detector: idleAssociations, title: `${nameOf(device)} holds ${event.kind === 'flow' ? 'connections for HL7' : 'associations'} open without using them`, least: 4, peer: scene.peer,
        note: `this one for ${Math.round((event.ended_at - event.started) / 1e6)} s`,
      },
    }, event, device, site, scene)
  },
}
