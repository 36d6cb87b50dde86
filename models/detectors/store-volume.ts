import type { DicomOperation } from '../../protocols/events.ts'
import type { Crossing } from '../baseline/counts.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import type { StreamName } from '../streams.ts'
import { leaveUntold } from '../told.ts'
import { NONE, type Detector } from './detector.ts'
import { excess, judgeCrossings } from './volume.ts'

/** Studies are larger than usual from so many times the mean on. */
const USUAL = 2
/** Studies without an order that an excess has to contain, where orders are visible. */
const WITHOUT_ORDER = 3

export const storeVolume: Detector<'dicom.operation'> = {
  id: 'store-volume',
  question: 'Does a device send, receive or retrieve studies out of proportion to its own history?',
  wants: ['dicom.operation'],
  group: 'volume',
  objective: 'collection',
  attack: ['T1048.003', 'T1020', 'T1119'],
  falsePositives: ['a migration or export', 'a busy day that is busy for the other devices too (that is allowed for)', 'a queue that drains after a downtime (that is allowed for)'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    // An archive sends and receives what others ask of it: they are judged, each by its own measure.
    if (scene.crossed.length === 0 || device.role === 'archive') return NONE
    const who = nameOf(device)
    const options = (title: string, least: number) => ({ detector: storeVolume, title, least, peer: scene.peer, service: event.command })
    const judged = {
      'store.out': options(`${who} sends far more studies than usual`, 3),
      'store.in': options(`${who} receives far more studies than usual`, 3),
      'retrieve': options(`${who} retrieves far more studies than usual`, 3),
      'images.out': options(`${who} sends far more images than usual`, imagesOf(device, 'out')),
      'images.in': options(`${who} receives far more images than usual`, imagesOf(device, 'in')),
    }
    if (!unordered(event, device, site)) {
      for (const { stream, crossing } of scene.crossed) if (stream in judged && crossing.window === 'day') leaveUntold(device, stream, site, crossing.observed)
      return NONE
    }
    const crossed = scene.crossed.filter(({ stream, crossing }) => !ofTheStudies(device, stream, crossing))
    return judgeCrossings(judged, event, device, site, { ...scene, crossed })
  },
}

/** Where orders are visible, work that was ordered explains itself. */
const unordered = (event: DicomOperation, device: Device, site: Site): boolean => !site.orders.visible(event.at)
  || Math.max(excess(device, 'unexplained.out', site), excess(device, 'unexplained.in', site)) >= WITHOUT_ORDER

/** Images come by the study: as many as usual of each say nothing that the count of studies does not. */
function ofTheStudies(device: Device, stream: StreamName, { window, observed }: Crossing): boolean {
  const way = stream === 'images.out' ? 'out' : stream === 'images.in' ? 'in' : undefined
  const studies = way === undefined ? undefined : device.streams.get(`store.${way}`)
  if (way === undefined || studies === undefined) return false
  return observed <= USUAL * (window === 'hour' ? studies.inHour : studies.inDay) * imagesOf(device, way) / 3
}

/** Three usual studies' worth of images. */
function imagesOf(device: Device, way: 'in' | 'out'): number {
  const images = device.streams.get(`images.${way}`)
  const studies = device.streams.get(`store.${way}`)
  return images === undefined || studies === undefined || studies.total === 0 ? 3 : (3 * images.total) / studies.total
}

