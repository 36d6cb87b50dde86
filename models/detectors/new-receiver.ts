import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { startedOn } from '../starters.ts'
import { FIRST_STUDIES, NONE, SITE_KNOWN, counted, evidence, rarity, starterFactors, type Detector } from './detector.ts'

/** A host that nobody gave any study before. */
const UNUSED = 0.1
/** Studies that their scanner had given to somebody else already. */
const COPIES = 0.1
/** Studies before a scanner's test is called more. */
const LEAST = 3

export const newReceiver: Detector<'dicom.operation'> = {
  id: 'new-receiver',
  question: 'Do known scanners begin to give studies to a host that nobody gave any before?',
  wants: ['dicom.operation'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1200', 'T1557'],
  falsePositives: ['a new archive, reading or research station that went live for these scanners', 'an archive that moved to another address and name'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const { givers } = device
    // Seen from the receiver: to its scanner a copy is no new study.
    if (givers === undefined || scene.acts || !scene.newStudy || scene.service !== 'C-STORE' || site.age < SITE_KNOWN) return NONE
    if (!imaging(scene.peer) || !mature(scene.peer)) return NONE
    const today = startedOn(givers, scene.day)
    const studies = today.reduce((sum, { n }) => sum + n, 0)
    const copies = today.reduce((sum, giver) => sum + giver.copies, 0)
    const count = today.length
    if (studies < LEAST) return NONE
    const arithmetic: Factor[] = [...starterFactors(today), { of: 'amount', n: studies, ...FIRST_STUDIES }, { of: 'weight', why: 'nobody gave this host any study before', times: UNUSED }]
    if (copies >= LEAST) arithmetic.push({ of: 'weight', why: 'the scanners give the same studies to somebody else as well', times: COPIES })
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const to = nameOf(device)
    const scanners = counted(count, 'known scanners')
    return [evidence(newReceiver, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: studies, expected: null, unit: 'studies given to a new receiver', service: event.command,
      title: `${scanners} ${count === 1 ? 'begins' : 'begin'} to send studies to a host that nobody sent any before: ${to}`,
      text: `${counted(studies, 'studies')} from ${scanners} to ${to} today`
        + `${copies > 0 ? `, ${copies} of them copies of what went to somebody else as well` : ''}; a legitimate new receiver gets ${FIRST_STUDIES.mean} at first on average; ${rarity(p)}.`,
    })]
  },
}
