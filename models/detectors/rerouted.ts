import type { DicomOperation, Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, evidence, type Detector } from './detector.ts'

/** Addresses flap for a moment when a standby takes over; what so many messages take is a path. */
const PATH = 10

export const rerouted: Detector<'dicom.operation' | 'hl7.message'> = {
  id: 'rerouted',
  question: 'Does what a device sends of patients suddenly come from another hardware address?',
  wants: ['dicom.operation', 'hl7.message'],
  group: 'identity',
  objective: 'integrity',
  attack: ['T1557'],
  falsePositives: ['a new router, firewall or load balancer in front of the device', 'a new network card, or a standby that took over the address'],

  judge(event: DicomOperation | Hl7Message, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const { detour } = device
    if (detour === undefined || !scene.acts || !ofPatient(event, scene)) return NONE
    const own = event.flow[scene.side]
    if (own.ip !== detour.ip || own.mac !== detour.mac || ++detour.passed < PATH) return NONE
    const { ip, mac, through, since, passed } = detour
    const who = nameOf(device)
    const whose = through === null ? 'nobody had so far' : `belongs to ${through}`
    return [evidence(rerouted, event, {
      actor: device, peer: scene.peer, p: null, severity: 'low', began: since, observed: passed, expected: 0, unit: 'messages or studies by the new way', service: scene.service,
      title: through === null ? `${who} sends from a hardware address that it never had` : `${who} is reached through ${through}`,
      text: `${ip} (${who}) now sends from the hardware address ${mac}, which ${whose}: ${counted(passed, 'messages')} or studies of patients came that way, `
        + 'and what passes through another machine may be read or changed there.',
    })]
  },
}

const ofPatient = (event: DicomOperation | Hl7Message, scene: Scene): boolean =>
  event.kind === 'hl7.message' ? event.patient !== null && event.acknowledges === null : scene.newStudy
