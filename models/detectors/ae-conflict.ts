import type { DicomAssociation, DicomOperation } from '../../protocols/events.ts'
import type { Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { claimEvidence } from './identity.ts'

export const aeConflict: Detector<'dicom.operation' | 'dicom.association'> = {
  id: 'ae-conflict',
  question: 'Is an AE title used from another host while its owner is still there?',
  wants: ['dicom.operation', 'dicom.association'],
  group: 'identity',
  objective: 'identity',
  attack: ['T1036', 'T1078'],
  falsePositives: ['a clone of a workstation that kept its AE title', 'a device with two network cards'],

  judge(event: DicomOperation | DicomAssociation, _device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (scene.claims.length === 0) return NONE
    return scene.claims.filter((claim) => claim.name.startsWith('ae:')).map((claim) => claimEvidence(aeConflict, event, claim, 'AE title'))
  },
}
