import type { DicomOperation, Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, days, evidence, type Detector } from './detector.ts'

/** An edge is long learned when it was used on so many days. */
const LEARNED_DAYS = 7
/** From so many studies or messages on it is a leak rather than a try. */
const GRAVE = { studies: 3, messages: 10 } as const

export const publicAddress: Detector<'dicom.operation' | 'hl7.message'> = {
  id: 'public-address',
  question: 'Does patient data travel to or from an address on the Internet that nobody declared?',
  wants: ['dicom.operation', 'hl7.message'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1048.003'],
  falsePositives: ['a teleradiology or cloud partner that is not listed in the calendar (public_peers)'],

  judge(event: DicomOperation | Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts) return NONE
    const { outside } = scene.ends
    if (outside === null || site.calendar.publicPeers.has(outside)) return NONE
    const { edge } = scene
    if (edge !== undefined && edge.days >= LEARNED_DAYS) return NONE
    const hl7 = event.kind === 'hl7.message'
    if (hl7 ? event.acknowledges !== null : event.command === 'C-ECHO') return NONE
    // A study's further images say nothing new.
    if (!hl7 && event.command === 'C-STORE' && !scene.newStudy) return NONE
    const n = (edge?.total ?? 0) + 1
    const inside = event.flow.client.ip === outside ? event.flow.server.ip : event.flow.client.ip
    const insider = device.ips.has(inside) ? device : scene.peer
    return [evidence(publicAddress, event, {
      actor: insider, peer: insider === device ? scene.peer : device, p: null,
      severity: n >= (hl7 ? GRAVE.messages : GRAVE.studies) ? 'high' : 'medium',
      observed: n, expected: 0, unit: hl7 ? 'HL7 messages' : 'DICOM operations', service: hl7 ? event.message_type : event.command,
      title: `${nameOf(insider)} exchanges ${hl7 ? 'HL7 messages' : 'DICOM'} with the public address ${outside}`,
      text: `${counted(n, hl7 ? 'HL7 messages' : 'DICOM studies or requests')} between ${inside} and ${outside}, an address on the Internet that is neither declared `
        + `nor in use on ${LEARNED_DAYS} days or more (it was on ${edge?.days ?? 0}; the device is known for ${days(device.lived)}).`,
    })]
  },
}
