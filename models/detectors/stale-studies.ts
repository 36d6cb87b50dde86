import type { DicomOperation } from '../../protocols/events.ts'
import { imaging, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const staleStudies: Detector<'dicom.operation'> = {
  id: 'stale-studies',
  question: 'Does a scanner send studies that it did not just make?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1048.003', 'T1074.002'],
  falsePositives: ['a console that resends its local archive after a long downtime', 'a device clock that is days off'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.stale || scene.crossed.length === 0 || !imaging(device)) return NONE
    return judgeCrossings({
      'stale.out': {
        detector: staleStudies, title: `${nameOf(device)} sends old studies`, least: 3, peer: scene.peer, service: event.command,
        note: 'their study dates are more than two days past, and a scanner sends what it has just made',
      },
    }, event, device, site, scene)
  },
}
