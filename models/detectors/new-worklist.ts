import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { startedOn } from '../starters.ts'
import { NONE, SITE_KNOWN, counted, evidence, rarity, starterFactors, type Detector } from './detector.ts'

/** A site has one or two worklist servers, and gets another one about every fifth year. */
const ANOTHER_SERVER = 5e-4

export const newWorklist: Detector<'dicom.operation'> = {
  id: 'new-worklist',
  question: 'Do known scanners begin to ask for worklists of a host that gave none before?',
  wants: ['dicom.operation'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1557', 'T1200'],
  falsePositives: ['a new information system or worklist broker that went live for these scanners', 'the worklist server came back at another address, with other hardware'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    // Seen from the server: to its scanner another query is what it always does.
    if (scene.acts || scene.service !== 'MWL' || device.askers === undefined || !device.askers.has(scene.peer.id) || site.age < SITE_KNOWN) return NONE
    const askers = startedOn(device.askers, scene.day)
    if (askers.length === 0) return NONE
    const arithmetic: Factor[] = [...starterFactors(askers), { of: 'weight', why: 'a site gets another worklist server about every fifth year', times: ANOTHER_SERVER }]
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const queries = askers.reduce((sum, { n }) => sum + n, 0)
    const to = nameOf(device)
    const scanners = counted(askers.length, 'known scanners')
    return [evidence(newWorklist, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: queries, expected: null, unit: 'worklist queries to a new server', service: event.command,
      title: `${scanners} ${askers.length === 1 ? 'asks' : 'ask'} for worklists of a host that gave none before: ${to}`,
      text: `${counted(queries, 'worklist queries')} answered by ${to} today to ${scanners}, which ${askers.length === 1 ? 'followed' : 'all followed'} another worklist until now; `
        + `who gives out worklists decides which patients' names a scanner puts on its images; ${rarity(p)}.`,
    })]
  },
}
