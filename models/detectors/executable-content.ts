import type { DicomOperation, Hl7Message } from '../../protocols/events.ts'
import { clean, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, type Detector } from './detector.ts'

const EXECUTABLE = new Set(['windows executable', 'elf executable', 'script', 'java class'])

export const executableContent: Detector<'hl7.message' | 'dicom.operation'> = {
  id: 'executable-content',
  question: 'Is a program carried inside a clinical message or in front of an image?',
  wants: ['hl7.message', 'dicom.operation'],
  group: 'protocol',
  objective: 'integrity',
  attack: ['T1105'],
  falsePositives: ['none known: documents of a patient are no programs'],

  judge(event: Hl7Message | DicomOperation, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts) return NONE
    return event.kind === 'hl7.message' ? judgeDocuments(event, device, scene) : judgePreambles(event, device, scene)
  },
}

function judgeDocuments(event: Hl7Message, device: Device, scene: Scene): readonly Evidence[] {
  const found = event.documents?.find((document) => document.content !== null && EXECUTABLE.has(document.content))
  if (found === undefined) return NONE
  return [evidence(executableContent, event, {
    actor: device, peer: scene.peer, p: null, severity: 'high', observed: found.bytes, expected: 0, unit: 'bytes of a program', service: event.message_type,
    title: `${nameOf(device)} sends a program inside an HL7 message`,
    text: `A document of ${num(found.bytes)} bytes in a ${clean(event.message_type ?? 'message')} message, declared as ${clean(found.declared ?? 'nothing')}, `
      + `begins like a program (${found.content}).`,
  })]
}

/** Over the web an instance travels with its preamble (PS3.10 7.1), whose 128 bytes may be anything, also the head of a program (CVE-2019-11687). */
function judgePreambles(event: DicomOperation, device: Device, scene: Scene): readonly Evidence[] {
  const { web } = event
  if (web === undefined) return NONE
  const content = Object.keys(web.preambles).find((kind) => EXECUTABLE.has(kind))
  if (content === undefined) return NONE
  // Who stores sends the instances; who retrieves is sent them.
  const [sender, receiver] = web.transaction === 'STOW-RS' ? [device, scene.peer] : [scene.peer, device]
  const n = web.preambles[content]!
  return [evidence(executableContent, event, {
    actor: sender, peer: receiver, p: null, severity: 'high', observed: n, expected: 0, unit: 'instances with a program in front', service: event.command,
    title: `${nameOf(sender)} sends images with a program in front of them`,
    text: `${num(n)} of ${num(web.instances)} instances in a ${web.transaction} transaction ${n === 1 ? 'begins' : 'begin'} like a program (${content}) where a DICOM file has its preamble.`,
  })]
}
