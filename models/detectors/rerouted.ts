import type { DicomAssociation, DicomOperation, FlowEnd, Hl7Message } from '../../protocols/events.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, type Detector } from './detector.ts'

export const rerouted: Detector<'dicom.operation' | 'dicom.association' | 'hl7.message' | 'flow'> = {
  id: 'rerouted',
  question: 'Does a device suddenly speak from the hardware address of another one?',
  wants: ['dicom.operation', 'dicom.association', 'hl7.message', 'flow'],
  group: 'identity',
  objective: 'integrity',
  attack: ['T1557'],
  falsePositives: ['a new router, firewall or load balancer in front of the device', 'a network card that was moved to another machine'],

  judge(event: DicomAssociation | DicomOperation | FlowEnd | Hl7Message, _device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const { reroute } = scene
    if (reroute === null || scene.side !== 'client') return NONE
    const { device, through, ip, mac } = reroute
    return [evidence(rerouted, event, {
      actor: through, peer: device, p: null, severity: 'low', observed: 2, expected: 1, unit: 'devices behind one hardware address',
      title: `${nameOf(device)} is reached through ${nameOf(through)}`,
      text: `${ip} (${nameOf(device)}) now sends from the hardware address ${mac}, which belongs to ${nameOf(through)}: `
        + 'what it sends passes through another machine, which could read or change it.',
    })]
  },
}
