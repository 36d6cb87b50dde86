import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { LOOK, dayMean, hourMean, rate, withFloor } from '../baseline/counts.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { isOutlet } from '../role.ts'
import { bareShare } from '../rows.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { STREAMS } from '../streams.ts'
import { NONE, WITHOUT_ORDER, counted, evidence, num, rarity, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Fewer in a row may be anything. */
const SEVERAL = 4

export const unexplainedAccess: Detector<'dicom.operation'> = {
  id: 'unexplained-access',
  question: 'Are more studies fetched or sent than usual whose patients had no order, appointment or visit?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1213', 'T1048.003', 'T1119'],
  falsePositives: ['a teaching, research or legal request for old studies', 'an order feed that the sensor does not see for some departments'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.unexplained || device.role === 'archive') return NONE
    const row = inRow(event, device, scene)
    if (scene.crossed.length === 0) return row
    expectSome(device, scene, site)
    const note = 'none of these patients had an order, appointment or visit in the last 14 days'
    const floor = isOutlet(device) ? 'such a device gets piles that may all have none' : 'a tenth of what anybody receives may have none'
    const isSent = imaging(device) && scene.side === 'server' && event.cause === undefined
    const options = (title: string) => ({ detector: unexplainedAccess, title, least: 3, peer: scene.peer, note, floor, service: event.command })
    return [...row, ...judgeCrossings({
      // A scanner that is sent studies asked for none: whoever sends them does it.
      'unexplained.in': isSent ? { ...options(`${nameOf(device)} is sent studies of patients without an order`), actor: scene.peer } : options(fetches(device)),
      'unexplained.out': options(`${nameOf(device)} sends studies of patients without an order`),
    }, event, device, site, scene)]
  },
}

const fetches = (device: Device): string => `${nameOf(device)} fetches studies of patients without an order`

/** Do they follow each other, at one who reads? Media and gateways get what is asked of them in piles. */
function inRow(event: DicomOperation, device: Device, scene: Scene): readonly Evidence[] {
  const { rows, today: { row } } = device
  if (scene.moved !== 'in' || row === undefined || row.hits < SEVERAL || device.role !== 'workstation' || !mature(device)) return NONE
  const { hits, tries, all } = row
  const share = bareShare(rows)
  const arithmetic: Factor[] = [{ of: 'share', hits, tries, share }, { of: 'weight', why: 'a row may begin with any study of a day', times: Math.max(all, rate(device.streams.get('store.in')!)) }]
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  row.odd = true
  const who = nameOf(device)
  return [evidence(unexplainedAccess, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: hits, expected: share * tries, unit: STREAMS['unexplained.in'].unit, service: event.command, title: fetches(device),
    text: `${hits} of the last ${counted(tries, 'studies')} that ${who} received were of patients without an order, appointment or visit in the last 14 days; ${num(100 * share)} % at most are expected to be; ${rarity(p)}.`,
  })]
}

/** Of what anybody receives some has no order, even if none came so far; and where it comes in piles all of it may have none, since a pile has one reason. */
function expectSome(device: Device, scene: Scene, site: Site): void {
  const pace = site.pace(device)
  const outlet = isOutlet(device)
  scene.crossed = scene.crossed.map(({ stream: name, crossing }) => {
    const all = name === 'unexplained.in' ? device.streams.get('store.in') : name === 'unexplained.out' && outlet ? device.streams.get('store.out') : undefined
    // Who was watched and never received any is expected to go on like that: what a prior says of its kind is for newcomers.
    if (all === undefined || (all.days === 0 && mature(device))) return { stream: name, crossing }
    const mean = crossing.window === 'hour' ? hourMean(all, site.hour, pace) : dayMean(all, site.day, pace)
    return { stream: name, crossing: withFloor(device.streams.get(name)!, crossing, outlet ? mean : WITHOUT_ORDER * mean) }
  })
}
