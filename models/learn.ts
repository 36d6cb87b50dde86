/** What one event teaches about one of its devices, after it was judged: whom it uses and who uses it, which services, destinations, ports and kinds of messages. */
import { ARCHIVES } from '../protocols/content.ts'
import type { DicomAssociation, DicomOperation, FlowEnd, Hl7Message, WireEvent } from '../protocols/events.ts'
import { learnSizes, newStudySizes } from './baseline/bytes.ts'
import { KEEP } from './baseline/counts.ts'
import { glance, glimpse, touch, use, type Habit, type MemoryName } from './baseline/novelty.ts'
import { boundDevice } from './baseline/recall.ts'
import { beat, newRhythm } from './baseline/rhythm.ts'
import { did } from './deeds.ts'
import { imaging, type Device } from './device.ts'
import { contactOf, isForeign, pairOf } from './observe.ts'
import { learnPrivates } from './privates.ts'
import { learnRow } from './rows.ts'
import type { Scene } from './scene.ts'
import type { Site } from './site.ts'

/** Of the memory of services: objects that hold archives. */
export const ARCHIVE_INSIDE = 'archive inside'
/** And documents in HL7 messages that are archives. */
export const ARCHIVE_DOCUMENT = 'archive as document'

export function learn(event: WireEvent, device: Device, site: Site, scene: Scene): void {
  if (scene.side === 'server') spoken(event, device, scene, site)
  switch (event.kind) {
    case 'dicom.operation': return operation(event, device, scene, site)
    case 'dicom.association': return association(event, device, scene, site)
    case 'hl7.message': return message(event, device, scene, site)
    case 'flow': return flow(event, device, scene, site)
    default: return undefined
  }
}

function operation(event: DicomOperation, device: Device, scene: Scene, site: Site): void {
  if (scene.acts) acted(event, device, scene, site)
  if (scene.side === 'server') note(device, 'caller', scene.peer.id, 1, event.at, scene, site)
  const way = scene.acts ? '>' : '<'
  const units = scene.service === 'C-STORE' && !scene.newStudy ? 0 : 1
  note(device, 'service', scene.service + way, units, event.at, scene, site)
  if (scene.acts && scene.service === 'C-STORE' && event.sop_class_uid !== null) {
    note(device, 'service', event.sop_class_uid, 1, event.at, scene, site)
    if (event.dataset?.documents !== undefined && holdsArchive(event.dataset.documents)) note(device, 'service', ARCHIVE_INSIDE, 1, event.at, scene, site)
  }
}

/** What it asked for, or sent. */
function acted(event: DicomOperation, device: Device, scene: Scene, site: Site): void {
  edge(event.at, device, scene, scene.newStudy || event.command === 'C-MOVE' || event.command === 'C-GET' ? 1 : 0, site)
  device.openQuery = scene.service === 'C-FIND'
  const destination = event.move?.destination_ae ?? null
  if (destination !== null) note(device, 'destination', destination, 1, event.at, scene, site)
  const patient = event.dataset?.patient ?? null
  if (scene.newStudy && imaging(device) && !scene.stale && patient !== null) site.orders.reason(patient, event.at)
}

function association(event: DicomAssociation, device: Device, scene: Scene, site: Site): void {
  if (event.user_identity?.has_passcode === true) note(device, 'service', scene.side === 'client' ? 'user-passcode>' : 'user-passcode<', 1, event.at, scene, site)
  if (scene.side === 'client') note(device, 'called', pairOf(event), 1, event.at, scene, site)
}

function message(event: Hl7Message, device: Device, scene: Scene, site: Site): void {
  if (event.acknowledges !== null) return
  if (!scene.acts) {
    note(device, 'sender', scene.peer.id, 1, event.at, scene, site)
    if (event.message_type !== null) note(device, 'taken', event.message_type, 1, event.at, scene, site)
    if (scene.side === 'server') note(device, 'caller', scene.peer.id, 1, event.at, scene, site)
    return
  }
  if (scene.edge === undefined) did(device, 'HL7-peers')
  edge(event.at, device, scene, 1, site)
  if (event.message_type !== null) note(device, 'trigger', event.message_type, 1, event.at, scene, site)
  if (event.documents !== undefined && holdsArchive(event.documents)) note(device, 'service', ARCHIVE_DOCUMENT, 1, event.at, scene, site)
}

const holdsArchive = (documents: readonly { content: string | null }[]): boolean => documents.some(({ content }) => content !== null && ARCHIVES.has(content))

/** A web server speaks much else at its port. */
const overTheWeb = (event: DicomOperation | Hl7Message): boolean => event.kind === 'dicom.operation' && event.transport === 'dicomweb'

/** What is spoken at a port of a server; once a day and conversation is enough. */
function spoken(event: WireEvent, device: Device, scene: Scene, site: Site): void {
  if (scene.ends.portDay === scene.day || (event.kind !== 'hl7.message' && event.kind !== 'dicom.operation') || overTheWeb(event)) return
  scene.ends.portDay = scene.day
  const protocol = event.kind === 'hl7.message' ? 'hl7' : 'dicom'
  note(device, 'port', `${event.flow.server.port}/${protocol}`, 1, event.at, scene, site)
}

/** The day is over: what its studies and messages weighed. */
export function learnBytes(device: Device, day: number): void {
  if (device.today.day !== day) return
  const { messages, worklists } = device.today
  if (worklists !== undefined) device.worklists = worklists.map((n, i) => KEEP * (device.worklists?.[i] ?? 0) + n)
  if (messages !== undefined) device.messageSizes = messages.map((n, i) => KEEP * (device.messageSizes?.[i] ?? 0) + n)
  for (const way of ['out', 'in'] as const) {
    const { studies } = device.today.bytes[way]
    if (studies.size === 0) continue
    let sizes = device.sizes.get(`store.${way}`)
    if (sizes === undefined) device.sizes.set(`store.${way}`, (sizes = newStudySizes()))
    learnSizes(sizes, studies.values())
  }
  learnPrivates(device)
  learnRow(device)
}

const NTP = 123
/** RFC 5905 7.3: a packet of the network time protocol without extensions is 48 bytes, with a MAC 68. */
const LARGEST_NTP = 68

/** Clocks are asked again and again, at addresses that change, and in packets that hold nothing else. */
const asksTime = ({ flow, bytes, packets }: FlowEnd): boolean => flow.server.port === NTP && bytes.client <= LARGEST_NTP * packets.client && bytes.server <= LARGEST_NTP * packets.server

function flow(event: FlowEnd, device: Device, scene: Scene, site: Site): void {
  if (event.transport === 'udp') {
    // Within the house everything asks and tells by datagrams.
    if (scene.side === 'client' && scene.ends.outside === event.flow.server.ip && !asksTime(event)) contact(event, device, scene, site)
    return
  }
  if (event.flow.midstream) return
  if (scene.side === 'client') contact(event, device, scene, site)
  else if (isForeign(event) && event.state === 'established' && event.bytes.client > 0) {
    note(device, 'port', `${event.flow.server.port}/?${scene.peer.id}`, 1, event.at, scene, site)
  }
}

function contact(event: FlowEnd, device: Device, scene: Scene, site: Site): void {
  const habit = note(device, 'contact', contactOf(event), 1, event.at, scene, site)
  if (habit.settled) delete habit.rhythm
  else if (habit.rhythm === undefined) habit.rhythm = newRhythm(event.started)
  else beat(habit.rhythm, event.started)
}

function edge(at: number, device: Device, scene: Scene, units: number, site: Site): void {
  if (scene.edge === undefined) scene.edge = note(device, 'peer', scene.peer.id, units, at, scene, site)
  else if (site.frozen) glance(scene.edge, units, at, scene.day)
  else touch(scene.edge, units, at, scene.day)
}

/** A use of a value; of a frozen site it is seen, but not learned. */
function note(device: Device, memory: MemoryName, value: string, n: number, at: number, scene: Scene, site: Site): Habit {
  const { [memory]: of } = device.memories
  const before = of.known.size
  const habit = site.frozen ? glimpse(of, value, n, at, scene.day) : use(of, value, n, at, scene.day, device.lived)
  if (of.known.size > before) boundDevice(device.memories)
  return habit
}
