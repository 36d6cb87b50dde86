import { ARCHIVES, PROGRAMS } from '../../protocols/content.ts'
import type { DicomOperation, Hl7Document, Hl7Message } from '../../protocols/events.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { ARCHIVE_DOCUMENT, ARCHIVE_INSIDE } from '../learn.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, before, classOf, days, evidence, num, type Detector } from './detector.ts'

export const executableContent: Detector<'hl7.message' | 'dicom.operation'> = {
  id: 'executable-content',
  question: 'Is a program carried inside a clinical message or an image, or in front of one?',
  wants: ['hl7.message', 'dicom.operation'],
  group: 'protocol',
  objective: 'integrity',
  attack: ['T1105', 'T1027.009'],
  falsePositives: ['of programs none known: documents and pictures of a patient are none', 'of archives a device whose software was changed to pack what it keeps for itself'],

  judge(event: Hl7Message | DicomOperation, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts) return NONE
    if (event.kind === 'hl7.message') return judgeDocuments(event, device, scene)
    const { web } = event
    // Who stores sends the instances; who retrieves over the web is sent them.
    const [sender, receiver] = web !== undefined && event.command !== 'C-STORE' ? [scene.peer, device] : [device, scene.peer]
    return web === undefined ? judgeObjects(event, sender, receiver) : [...judgePreambles(event, web, sender, receiver), ...judgeObjects(event, sender, receiver)]
  },
}

function judgeDocuments(event: Hl7Message, device: Device, scene: Scene): readonly Evidence[] {
  const { documents } = event
  if (documents === undefined) return NONE
  const found = documents.find(({ content }) => content !== null && PROGRAMS.has(content))
  if (found === undefined) return judgeArchives(event, documents, device, scene)
  return [evidence(executableContent, event, {
    actor: device, peer: scene.peer, p: null, severity: 'high', observed: found.bytes, expected: 0, unit: 'bytes of a program', service: event.message_type,
    title: `${nameOf(device)} sends a program inside an HL7 message`,
    text: `${documentText(event, found)}, begins like a program (${found.content}).`,
  })]
}

/** Formats that are no archives: pictures and text. Those of offices are. */
const PLAIN = /^image\/|\b(pdf|jpe?g|png|gif|tiff?|bmp|rtf|plain|html?|xml)\b/

/** What is said to be a report or a picture and is an archive is none; where archives are sent as such, that is news of a sender that is known. */
function judgeArchives(event: Hl7Message, documents: readonly Hl7Document[], device: Device, scene: Scene): readonly Evidence[] {
  const archives = documents.filter(({ content }) => content !== null && ARCHIVES.has(content))
  if (archives.length === 0 || device.memories.service.known.get(ARCHIVE_DOCUMENT)?.settled === true) return NONE
  const disguised = archives.find(({ declared }) => declared !== null && PLAIN.test(declared))
  const found = disguised ?? archives[0]!
  if (disguised === undefined && !mature(device)) return NONE
  return [evidence(executableContent, event, {
    actor: device, peer: scene.peer, p: null, severity: disguised === undefined ? 'low' : 'medium',
    observed: found.bytes, expected: 0, unit: 'bytes of an archive', service: event.message_type,
    title: `${nameOf(device)} sends an archive inside an HL7 message`,
    text: `${documentText(event, found)}, begins like an archive (${found.content}); ${before(device.memories.service.known.get(ARCHIVE_DOCUMENT), scene.day, device.lived)}.`,
  })]
}

const documentText = ({ message_type: type }: Hl7Message, { bytes, declared }: Hl7Document): string =>
  `A document of ${num(bytes)} bytes in a ${clean(type ?? 'message')} message, declared as ${clean(declared ?? 'nothing')}`

/** Over the web an instance travels with its preamble (PS3.10 7.1), whose 128 bytes may be anything, also the head of a program (CVE-2019-11687). */
function judgePreambles(event: DicomOperation, web: NonNullable<DicomOperation['web']>, sender: Device, receiver: Device): readonly Evidence[] {
  const content = Object.keys(web.preambles).find((kind) => PROGRAMS.has(kind))
  if (content === undefined) return NONE
  const n = web.preambles[content]!
  return [evidence(executableContent, event, {
    actor: sender, peer: receiver, p: null, severity: 'high', observed: n, expected: 0, unit: 'instances with a program in front', service: event.command,
    title: `${nameOf(sender)} sends images with a program in front of them`,
    text: `${num(n)} of ${num(web.instances)} instances in a ${web.transaction} transaction ${n === 1 ? 'begins' : 'begin'} like a program (${content}) where a DICOM file has its preamble.`,
  })]
}

/** Elements that hold pictures and documents, which no archive is; what private elements hold is their maker's business, as long as it is always so. */
const PUBLIC = new Set(['EncapsulatedDocument', 'PixelData'])

function judgeObjects(event: DicomOperation, sender: Device, receiver: Device): readonly Evidence[] {
  const documents = event.dataset?.documents
  if (documents === undefined) return NONE
  const program = documents.find(({ content }) => PROGRAMS.has(content))
  const found = program ?? documents.find(({ content, element }) => ARCHIVES.has(content) && PUBLIC.has(element)) ?? documents.find(({ content }) => ARCHIVES.has(content))
  if (found === undefined) return NONE
  const isPublic = PUBLIC.has(found.element)
  if (program === undefined && (sender.memories.service.known.get(ARCHIVE_INSIDE)?.settled === true || (!isPublic && !mature(sender)))) return NONE
  const what = program === undefined ? 'an archive' : 'a program'
  return [evidence(executableContent, event, {
    actor: sender, peer: receiver, p: null, severity: program !== undefined ? 'high' : isPublic ? 'medium' : 'low',
    observed: found.bytes, expected: 0, unit: `bytes of ${what}`, service: event.command,
    title: `${nameOf(sender)} sends objects with ${what} inside`,
    text: `${isPublic ? found.element : `Element ${found.element}`} of an object of class ${event.sop_class_uid === null ? 'unknown' : classOf(event.sop_class_uid)}, ${num(found.bytes)} bytes`
      + `${found.declared === null ? '' : ` declared as ${clean(found.declared)}`}, begins like ${what} (${found.content})`
      + `${program !== undefined ? '' : `; no object of ${nameOf(sender)} held one in ${days(sender.lived)}`}.`,
  })]
}
