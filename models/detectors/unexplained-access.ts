import type { DicomOperation } from '../../protocols/events.ts'
import { dayMean, hourMean, withFloor } from '../baseline/counts.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, WITHOUT_ORDER, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

export const unexplainedAccess: Detector<'dicom.operation'> = {
  id: 'unexplained-access',
  question: 'Are more studies fetched or sent than usual whose patients had no order, appointment or visit?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1213', 'T1048.003', 'T1119'],
  falsePositives: ['a teaching, research or legal request for old studies', 'an order feed that the sensor does not see for some departments'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.unexplained || scene.crossed.length === 0 || device.role === 'archive') return NONE
    expectSome(device, scene, site)
    const who = nameOf(device)
    const note = 'none of these patients had an order, appointment or visit in the last 14 days'
    const options = (title: string) => ({ detector: unexplainedAccess, title, least: 3, peer: scene.peer, note, floor: 'a tenth of what anybody receives may have none', service: event.command })
    return judgeCrossings({
      'unexplained.in': options(`${who} fetches studies of patients without an order`),
      'unexplained.out': options(`${who} sends studies of patients without an order`),
    }, event, device, site, scene)
  },
}

/** Whoever receives studies is expected to receive some without an order, even if none came so far. */
function expectSome(device: Device, scene: Scene, site: Site): void {
  const received = device.streams.get('store.in')
  const stream = device.streams.get('unexplained.in')
  // Who was watched and never received any is expected to go on like that: what a prior says of its kind is for newcomers.
  if (received === undefined || stream === undefined || (received.days === 0 && mature(device))) return
  const pace = site.pace(device)
  scene.crossed = scene.crossed.map(({ stream: name, crossing }) => {
    if (name !== 'unexplained.in') return { stream: name, crossing }
    const all = crossing.window === 'hour' ? hourMean(received, site.hour, pace) : dayMean(received, site.day, pace)
    return { stream: name, crossing: withFloor(stream, crossing, WITHOUT_ORDER * all) }
  })
}
