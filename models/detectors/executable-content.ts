import type { Hl7Message } from '../../protocols/events.ts'
import { clean, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, type Detector } from './detector.ts'

const EXECUTABLE = new Set(['windows executable', 'elf executable', 'script', 'java class'])

export const executableContent: Detector<'hl7.message'> = {
  id: 'executable-content',
  question: 'Is a program carried inside a clinical message?',
  wants: ['hl7.message'],
  group: 'protocol',
  objective: 'integrity',
  attack: ['T1105'],
  falsePositives: ['none known: documents of a patient are no programs'],

  judge(event: Hl7Message, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts || event.documents === undefined) return NONE
    const found = event.documents.find((document) => document.content !== null && EXECUTABLE.has(document.content))
    if (found === undefined) return NONE
    return [evidence(executableContent, event, {
      actor: device, peer: scene.peer, p: null, severity: 'high', observed: found.bytes, expected: 0, unit: 'bytes of a program', service: event.message_type,
      title: `${nameOf(device)} sends a program inside an HL7 message`,
      text: `A document of ${num(found.bytes)} bytes in a ${clean(event.message_type ?? 'message')} message, declared as ${clean(found.declared ?? 'nothing')}, `
        + `begins like a program (${found.content}).`,
    })]
  },
}
