import type { DicomAssociation, DicomOperation } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const aeGuessing: Detector<'dicom.association' | 'dicom.operation'> = {
  id: 'ae-guessing',
  question: 'Does a device try AE titles until one is accepted, or one after the other though any is?',
  wants: ['dicom.association', 'dicom.operation'],
  group: 'identity',
  objective: 'identity',
  attack: ['T1110.001', 'T1110.003'],
  falsePositives: ['a device being set up, with its titles mistyped', 'an archive whose list of known titles was emptied'],

  judge(event: DicomAssociation | DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0) return NONE
    return judgeCrossings({
      guess: {
        detector: aeGuessing, title: `${nameOf(device)} tries AE titles at ${nameOf(scene.peer)}`, least: 3, peer: scene.peer,
        note: 'those that were refused, and at servers that take any those of today after the first; each counted once, since the same mistake repeated is one',
      },
    }, event, device, site, scene)
  },
}
