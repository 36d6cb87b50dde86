import type { DicomOperation } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const queryEnumeration: Detector<'dicom.operation'> = {
  id: 'query-enumeration',
  question: 'Does a device search the archive for more than it goes on to read?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1213'],
  falsePositives: ['a research coordinator who searches for a cohort', 'a new prefetch or synchronisation job'],

  judge(event: DicomOperation, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts || scene.service !== 'C-FIND' || scene.crossed.length === 0) return NONE
    const who = nameOf(device)
    const options = (title: string, least: number) => ({ detector: queryEnumeration, title, least, peer: scene.peer, service: 'C-FIND' })
    return judgeCrossings({
      'aimless': options(`${who} queries without retrieving`, 5),
      'matches': options(`${who} is shown far more patients and studies than usual`, 10),
    }, event, device, scene)
  },
}
