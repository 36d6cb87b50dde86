/** What one event counts for one of its devices, before it is judged. What it teaches, after: learn.ts. */
import { countAnswer, refusalOf } from './answers.ts'
import { statusClass } from '../protocols/dicom/names.ts'
import type { DicomAssociation, DicomOperation, FlowEnd, Hl7Message, Micros, Violation, WireEvent } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import { classOf } from './baseline/classes.ts'
import { DAY, MINUTE } from './clock.ts'
import { did, sentImage, serviceOf } from './deeds.ts'
import { DEVICE_LIMITS, MESSAGE_CLASSES, mature, todayOf, type Device, type Today } from './device.ts'
import { hash52 } from './hash.ts'
import { accepted } from './reused.ts'
import { follow } from './rows.ts'
import type { Scene } from './scene.ts'
import { BREADTHS, breadthClass, type Site } from './site.ts'
import { asked, given } from './starters.ts'
import { tally, tallyTrigger, type StreamName } from './streams.ts'

/** A study older than this when it is sent is old: a day, and the slack of a wrong clock or zone. */
const STALE = 2 * DAY
/** An association, or a connection to an HL7 listener, held open so long without any use is idle. */
const IDLE = MINUTE

export function observe(event: WireEvent, device: Device, site: Site, scene: Scene): void {
  device.events++
  if (event.kind !== 'host' && event.kind !== 'capture') device.last = event.at
  if (scene.side === 'client' || event.kind !== 'flow' || !failed(event)) device.heard = Math.max(device.heard ?? 0, lastOf(event))
  switch (event.kind) {
    case 'dicom.operation': return operation(event, device, site, scene)
    case 'dicom.association': return association(event, device, site, scene)
    case 'hl7.message': return message(event, device, site, scene)
    case 'flow': return flow(event, device, site, scene)
    case 'violation': return violation(event, device, site, scene)
    default: return undefined
  }
}

/** A conversation is told when it is given up, or when the input ends; its last packet came before. */
const lastOf = (event: WireEvent): Micros => ('ended_at' in event ? event.ended_at : event.at)

function bump(scene: Scene, device: Device, stream: StreamName, n: number, site: Site): void {
  const found = tally(device, stream, n, site)
  if (found !== undefined) for (const crossing of found) scene.crossed.push({ stream, crossing })
}

function operation(event: DicomOperation, device: Device, site: Site, scene: Scene): void {
  const { acts } = scene
  scene.service = serviceOf(event)
  scene.ends.read = true
  switch (scene.service) {
    case 'C-STORE':
      bump(scene, device, acts ? 'images.out' : 'images.in', 1, site)
      study(event, device, site, scene)
      if (acts) privates(event, device, scene)
      if (scene.newStudy) did(device, acts ? 'C-STORE>' : 'C-STORE<')
      return
    case 'C-FIND':
      did(device, acts ? 'C-FIND>' : 'C-FIND<')
      if (acts) query(event, device, site, scene)
      return
    case 'C-MOVE':
    case 'C-GET':
      did(device, `${scene.service}${acts ? '>' : '<'}`)
      if (acts) bump(scene, device, 'retrieve', 1, site)
      if (acts && isGuessedDestination(event, device)) bump(scene, device, 'guess', 1, site)
      // Over the web the images come back in the answer: whoever asked receives them.
      if (event.transport === 'dicomweb' && event.dataset !== null) turned(scene, () => { study(event, device, site, scene) })
      return
    case 'MWL':
      if (!acts && event.status !== null && statusClass(event.status) === 'success') asked(device, scene.peer, event.at, scene.day)
      did(device, acts ? 'MWL>' : 'MWL<')
      if (acts) worklist(event, todayOf(device, scene.day))
      return
    default:
      did(device, `${scene.service}${acts ? '>' : '<'}`)
  }
}

/** Counts a study once a day and direction. */
function study(event: DicomOperation, device: Device, site: Site, scene: Scene): void {
  const facts = event.dataset
  if (facts === null) return
  // Sliced packets may hide the study: then its conversation stands for it, and only its bytes are counted.
  const fresh = moved(device, scene, facts.study_uid ?? event.flow.id, facts.bytes)
  if (!fresh || facts.study_uid === null) return
  scene.newStudy = true
  if (!scene.acts && event.cause === undefined) given(device, scene.peer, event.at, scene.day, sentBefore(scene.peer, facts.study_uid, facts.bytes))
  bump(scene, device, scene.acts ? 'store.out' : 'store.in', 1, site)
  if (scene.acts) sentImage(device, facts.modality)
  if (facts.patient !== null && site.orders.visible(event.at)) {
    scene.unexplained = !site.orders.explained(facts.patient, event.at)
    if (scene.unexplained) bump(scene, device, scene.acts ? 'unexplained.out' : 'unexplained.in', 1, site)
    if (!scene.acts) follow(device, scene.unexplained, scene.day)
  }
  if (scene.acts) giveTo(device, scene)
  if (scene.acts && isStale(facts.study_date, event.at)) {
    scene.stale = true
    bump(scene, device, 'stale.out', 1, site)
  }
}

/** What was given to a stranger so long ago was another occasion. */
const STRANGE_DAYS = 14

/** Counts the studies given to a peer until the device knows it. */
function giveTo(device: Device, { peer, edge, day, unexplained }: Scene): void {
  if (edge?.settled === true) {
    device.strangers?.delete(peer.id)
    return
  }
  const strangers = (device.strangers ??= new Map())
  let given = strangers.get(peer.id)
  if (given === undefined || day - given.since >= STRANGE_DAYS) {
    if (given === undefined) makeRoom(strangers, DEVICE_LIMITS.strangers)
    strangers.set(peer.id, (given = { since: day, studies: 0, unordered: 0 }))
  }
  given.studies++
  if (unexplained) given.unordered++
}

/** Of a study whose first object a receiver just got: had its sender, who has counted that object, sent any of it today? */
const sentBefore = (sender: Device, study: string, bytes: number): boolean => (sender.today.bytes.out.studies.get(keyOf(study)) ?? 0) > bytes

/** Bytes of a study; answers whether the study is new today. */
function moved(device: Device, scene: Scene, study: string, bytes: number): boolean {
  const today = todayOf(device, scene.day)
  const way = scene.acts ? 'out' : 'in'
  const key = keyOf(study)
  const open = today.bytes[way]
  const before = open.studies.get(key)
  if (before === undefined && open.studies.size >= DEVICE_LIMITS.studies) open.studies.clear()
  const some = Number.isFinite(bytes) && bytes > 0 ? bytes : 0
  open.studies.set(key, (before ?? 0) + some)
  open.sum += some
  scene.moved = way
  return before === undefined
}

/** Did it receive some of this study today? */
export const received = (device: Device, study: string): boolean => device.today.bytes.in.studies.has(keyOf(study))

/** By what a study is remembered. The last one is kept: both ends count it, image after image. */
function keyOf(study: string): number {
  if (study !== hashed.study) hashed = { study, hash: hash52(study, 1) }
  return hashed.hash
}
let hashed = { study: '', hash: hash52('', 1) }

/** Of a study that it sends: what its objects hold in private elements. */
function privates({ dataset }: DicomOperation, device: Device, scene: Scene): void {
  const bytes = dataset?.private_bytes ?? 0
  if (dataset === null || dataset.study_uid === null || bytes === 0 || device.role === 'archive') return
  const today = todayOf(device, scene.day)
  const key = keyOf(dataset.study_uid)
  today.privates ??= new Map()
  const before = today.privates.get(key)
  if (before !== undefined && bytes <= before) return
  if (before === undefined) makeRoom(today.privates, DEVICE_LIMITS.studies)
  today.privates.set(key, bytes)
  scene.privateBytes = bytes
}

/** A conversation of images whose packets were cut so short that nothing in it could be read: its headers still tell how much it carried. */
function unread(event: FlowEnd, device: Device, site: Site, scene: Scene): void {
  if (scene.ends.read || event.transport !== 'tcp' || event.state !== 'established' || event.protocol === 'hl7' || event.protocol === 'tls') return
  // Who gives out worklists, and was never stored on, is not stored on now: what a loss hid there was another look at the list.
  const { deeds } = scene.ends.server
  if (deeds.has('MWL<') && !deeds.has('C-STORE<')) return
  if (event.protocol === null && !speaks(scene.ends.server, event.flow.server.port, 'dicom')) return
  const sent = event.bytes.client >= event.bytes.server
  const acts = (scene.side === 'client') === sent
  const count = (): void => {
    moved(device, scene, event.flow.id, sent ? event.bytes.client : event.bytes.server)
    bump(scene, device, acts ? 'unread.out' : 'unread.in', 1, site)
  }
  if (acts === scene.acts) count()
  else turned(scene, count)
}

/** Counts as if the other end had acted. */
function turned(scene: Scene, count: () => void): void {
  scene.acts = !scene.acts
  count()
  scene.acts = !scene.acts
}

function isStale(date: string | null, at: number): boolean {
  if (date === null) return false
  if (date !== read.date) read = { date, then: startOf(date) }
  return at - read.then > STALE + DAY
}
/** The date that was read last: most are today's. */
let read = { date: '', then: NaN }

/** @returns when a day of DICOM began (YYYYMMDD); NaN where it is none */
const startOf = (date: string): number =>
  (/^\d{8}$/.test(date) ? Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8))) * 1000 : NaN)

/** A query is aimless when another follows it without a retrieval between. */
function query(event: DicomOperation, device: Device, site: Site, scene: Scene): void {
  bump(scene, device, 'query', 1, site)
  const matches = event.query?.matches ?? event.pending
  if (matches > 0) bump(scene, device, 'matches', matches, site)
  todayOf(device, scene.day).breadth[breadthClass(matches)]!++
  if (device.openQuery) bump(scene, device, 'aimless', 1, site)
}

function worklist(event: DicomOperation, today: Today): void {
  today.worklists ??= new Array<number>(BREADTHS).fill(0)
  today.worklists[breadthClass(event.query?.matches ?? event.pending)]!++
}

function association(event: DicomAssociation, device: Device, site: Site, scene: Scene): void {
  // What was refused carried no images.
  if (event.result === 'rejected') scene.ends.read = true
  if (scene.side !== 'client') {
    if (event.implementation.server !== null) device.implementation = event.implementation.server.class_uid
    return
  }
  const { contexts } = site.state
  contexts.seen++
  // A flood is not what is usual here: it does not excuse the next one.
  if (!isContextFlood(event, site)) contexts.today = Math.max(contexts.today, event.contexts.length)
  const own = event.implementation.client
  if (own !== null) {
    device.implementation = own.class_uid
    device.version = own.version_name
  }
  if (countsAsGuess(event, device, scene)) bump(scene, device, 'guess', 1, site)
  // Verification keeps a connection alive, and uses it for nothing.
  const used = Object.keys(event.operations).some((command) => command !== 'C-ECHO')
  if (!used && event.result !== 'rejected' && !event.after_gap && event.ended_at - event.started >= IDLE) bump(scene, device, 'idle', 1, site)
}

/** Associations of a site, and days, after which "the most that anybody proposed" means something. */
const CONTEXTS_KNOWN = { associations: 200, days: 3 } as const
/** Identifiers are odd numbers below 256, so an association has 128 contexts at most (PS3.8 9.3.2.2). Half of them is a lot anywhere. */
const MANY_CONTEXTS = 128 / 2
/** And more than anybody here by this. */
const MORE_CONTEXTS = 1.5

/** Far more presentation contexts than anybody at a known site proposed up to yesterday, and none of them used? */
export function isContextFlood({ contexts: { length }, operations }: DicomAssociation, { state: { contexts }, age }: Site): boolean {
  return length >= MANY_CONTEXTS && length > MORE_CONTEXTS * contexts.most && contexts.seen >= CONTEXTS_KNOWN.associations && age >= CONTEXTS_KNOWN.days
    && Object.keys(operations).length === 0
}

/** The same mistake made again is not another guess. */
export const pairOf = (event: DicomAssociation): string => `${event.calling_ae ?? ''}>${event.called_ae ?? ''}`

/**
 * A pair of titles that the device never used, and that the server does not know; or, since most servers take any, one more called title today for the same
 * server. That one is new is no guess by itself: titles are given anew, and whoever looks at many hosts calls each by its own; a router calls itself by many.
 */
function countsAsGuess(event: DicomAssociation, device: Device, { peer, day }: Scene): boolean {
  const { known } = device.memories.called
  if (known.has(pairOf(event))) return false
  if (unknownAe(event)) return true
  const called = `>${event.called_ae ?? ''}`
  for (const pair of known.keys()) if (pair.endsWith(called)) return false
  const tried = (todayOf(device, day).tried ??= new Set())
  const again = tried.has(peer.id)
  if (tried.size < DEVICE_LIMITS.names) tried.add(peer.id)
  return again
}

/** A destination that the archive does not know (PS3.4 C.4.2.1.5), and this device never named. */
export const UNKNOWN_DESTINATION = 'A801'
const isGuessedDestination = ({ status, move }: DicomOperation, device: Device): boolean =>
  status === UNKNOWN_DESTINATION && typeof move?.destination_ae === 'string' && !device.memories.destination.known.has(move.destination_ae)

/** Rejected because of a name: PS3.8 table 9-21, source 1, reasons 3 (calling) and 7 (called AE title not recognized). */
function unknownAe(event: DicomAssociation): boolean {
  return event.result === 'rejected' && event.reject !== null && event.reject.source === 1 && (event.reject.reason === 3 || event.reject.reason === 7)
}

function message(event: Hl7Message, device: Device, site: Site, scene: Scene): void {
  scene.service = 'HL7'
  scene.ends.read = true
  if (event.acknowledges !== null) return
  did(device, scene.acts ? 'HL7>' : 'HL7<')
  if (!scene.acts) {
    if (refusalOf(event) === 'refused') bump(scene, device, 'nak', 1, site)
    return
  }
  bump(scene, device, 'hl7.out', 1, site)
  device.spoke = Math.max(device.spoke ?? 0, event.at)
  const today = todayOf(device, scene.day)
  today.messages ??= new Array<number>(MESSAGE_CLASSES).fill(0)
  today.messages[classOf(event.bytes, MESSAGE_CLASSES)]!++
  if (refusalOf(event) === 'unanswered') bump(scene, device, 'unanswered', 1, site)
  scene.refusal = countAnswer(device.answers ??= new Map(), scene.peer.id, event, scene.day, site.frozen)
  let shown = 0
  for (const ack of event.acks) shown += ack.patients
  if (shown > 0) bump(scene, device, 'hl7.shown', shown, site)
  if (event.repeat?.same_body === true && accepted(event.repeat.answered)) bump(scene, device, 'replay', 1, site)
  if (event.message_type !== null) scene.kindCrossed = tallyTrigger(device, event.message_type, 1, site)
}

function flow(event: FlowEnd, device: Device, site: Site, scene: Scene): void {
  unread(event, device, site, scene)
  if (scene.side === 'client' && failed(event)) device.spoke = Math.max(device.spoke ?? 0, event.ended_at)
  if (scene.side !== 'client' || event.transport !== 'tcp' || event.flow.midstream) return
  if (isIdleAtListener(event, scene)) bump(scene, device, 'idle', 1, site)
  if (!device.memories.contact.known.has(contactOf(event)) && !sweeps(device, event.flow.server.port)) bump(scene, device, 'contacts', 1, site)
}

/** Was a connection to a port that always spoke HL7 held open though no message came over it, and the server had nothing to answer? */
function isIdleAtListener({ protocol, state, bytes, gaps, flow: { server }, started, ended_at }: FlowEnd, { ends }: Scene): boolean {
  if (ends.read || state !== 'established' || (protocol !== null && protocol !== 'hl7') || ended_at - started < IDLE) return false
  return bytes.server === 0 && gaps.client === 0 && gaps.server === 0 && speaks(ends.server, server.port, 'hl7')
}

/** Is a server known to speak this at a port? */
export const speaks = (device: Device, port: number, protocol: 'dicom' | 'hl7'): boolean => device.memories.port.known.get(`${port}/${protocol}`)?.settled === true

/** A conversation of no protocol that wardwire reads: what was spoken in it may be anything, and so may be what TLS hides. */
export const isForeign = ({ protocol }: FlowEnd): boolean => protocol === null || protocol === 'tls'

/** Hosts whose same port is looked at again and again make a sweep: that a further host was added to it is no news of whoever sweeps. */
const SWEPT = 8

function sweeps(device: Device, port: number): boolean {
  const suffix = `:${port}`
  let hosts = 0
  for (const [value, habit] of device.memories.contact.known) {
    // Not what is merely settled: to a newcomer everything of its first days is.
    if (habit.days > 1 && value.endsWith(suffix) && ++hosts >= SWEPT) return true
  }
  return false
}

/** How a conversation is remembered by whoever opened it. */
export const contactOf = ({ transport, flow: { server } }: FlowEnd): string => `${transport === 'udp' ? 'udp/' : ''}${server.ip}:${server.port}`

export const failed = (event: FlowEnd): boolean => event.state === 'refused' || event.state === 'unanswered'

/** A PDU that is longer than the other side said it takes (PS3.8 D.1.1). */
export const OVER_MAXIMUM = 'pdu.over-maximum'

function violation(event: Violation, device: Device, site: Site, scene: Scene): void {
  if (scene.side !== 'client' || event.after_gap || event.protocol === 'tcp') return
  bump(scene, device, 'strange', 1, site)
  // Newcomers are judged by what is usual here: they do not make it usual themselves.
  if (event.code === OVER_MAXIMUM && mature(device)) site.state.oversize.today = true
}
