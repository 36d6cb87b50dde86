import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, valueOf, type Factor } from '../arithmetic.ts'
import { unitsOn } from '../baseline/novelty.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { received } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, before, classOf, counted, evidence, newsFactor, num, oneDayIn, othersFactor, rarity, type Detector } from './detector.ts'

/** New services a day: a handful a year; upgrades and licences bring object classes more often. */
const PRIORS = { service: { a: 0.5, b: 20 }, object: { a: 1.5, b: 20 } } as const
/** Uses of something new on its first day. */
const FIRST = { mean: 2, size: 0.5 }
/** Retrieving images to itself over the asking association is rare in practice, and answering like an archive is no scanner's business. */
const GRAVE = new Set(['C-GET>', 'C-FIND<', 'C-MOVE<', 'C-GET<', 'C-STORE<'])
const GRAVITY = 0.1
/** Machines by what they take pictures with, and the classes of their images (DICOM PS3.4 B.5). Angiography, which takes sections too, and what may come of any machine is left out. */
const KINDS = [
  { modalities: ['CT', 'MR', 'PT', 'NM'], classes: ['2', '2.1', '4', '4.1', '20', '128', '130'] },
  { modalities: ['CR', 'DX', 'MG', 'RG', 'IO', 'PX'], classes: ['1', '1.1', '1.1.1', '1.2', '1.2.1', '1.3', '1.3.1', '13.1.3', '13.1.4', '13.1.5'] },
  { modalities: ['US', 'IVUS'], classes: ['3.1', '6.1', '6.2'] },
].map(({ modalities, classes }) => ({ modalities: new Set(modalities), classes: new Set(classes.map((class_) => `1.2.840.10008.5.1.4.1.1.${class_}`)) }))
/** What so many others and a third of the role do is no news, whoever begins with it. */
const COMMON = 2
const COMMON_SHARE = 1 / 3

export const newService: Detector<'dicom.operation'> = {
  id: 'new-service',
  question: 'Does a known device ask for, offer, or send a kind of thing that neither it nor its kind ever did?',
  wants: ['dicom.operation'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1213', 'T1119', 'T1210', 'T1001.003'],
  falsePositives: ['a software upgrade or a new licence of this device', 'a new examination protocol (dose reports, structured reports)'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!mature(device)) return NONE
    const service = judgeValue(`${scene.service}${scene.acts ? '>' : '<'}`, event, device, site, scene)
    if (service !== undefined) return [service]
    if (!scene.acts || scene.service !== 'C-STORE' || event.sop_class_uid === null || passesOn(event, device)) return NONE
    const object = judgeValue(event.sop_class_uid, event, device, site, scene)
    return object === undefined ? NONE : [object]
  },
}

/** What it was given it did not make. */
const passesOn = ({ dataset }: DicomOperation, device: Device): boolean => dataset !== null && dataset.study_uid !== null && received(device, dataset.study_uid)

function judgeValue(value: string, event: DicomOperation, device: Device, site: Site, scene: Scene): Evidence | undefined {
  const habit = device.memories.service.known.get(value)
  if (habit?.settled === true) return undefined
  const popular = site.popularity(device, 'service', value)
  const { others, users, q } = popular
  // Being called is the caller's doing: verification of anything by anybody is how networks are tested.
  if (scene.service === 'C-ECHO' || (!scene.acts && (scene.service === 'N-EVENT-REPORT' || device.role === 'unknown'))) return undefined
  if (users >= COMMON && q >= COMMON_SHARE) return undefined
  const today = unitsOn(habit, scene.day) + 1
  const object = /^\d/.test(value)
  const news = newsFactor(device, 'service', value, PRIORS[object ? 'object' : 'service'], scene.day)
  const chance = valueOf(news)
  const arithmetic: Factor[] = [news, othersFactor(device, 'service', value, popular)]
  if (!polls(value, device)) arithmetic.push({ of: 'amount', n: today, ...FIRST })
  if (GRAVE.has(value)) arithmetic.push({ of: 'weight', why: 'a service that only archives and few readers have a use for', times: GRAVITY })
  else if (site.unheardOf('service', value)) arithmetic.push({ of: 'weight', why: 'nobody at this site does this', times: GRAVITY })
  if (madeByOthers(value, device.role)) {
    arithmetic.push({ of: 'weight', why: 'images that machines of another kind make', times: GRAVITY })
    if (beganWithOthers(value, device, scene.day)) arithmetic.push({ of: 'weight', why: 'and it began with several of them today', times: GRAVITY })
  }
  const p = rarityOf(arithmetic)
  if (p > 0.01) return undefined
  const who = nameOf(device)
  // What it asked for itself is its own deed, also where the other end performs it.
  const own = scene.acts || scene.side === 'client' || (event.cause !== undefined && scene.asker === null)
  const what = object ? `objects of class ${classOf(value)}` : used(scene.service, scene.acts)
  return evidence(newService, event, {
    actor: own ? device : scene.peer, peer: own ? scene.peer : device, p, arithmetic,
    observed: today, expected: FIRST.mean * chance, unit: object ? 'objects of a new class' : what, service: event.command,
    title: titleOf(who, scene, object, own),
    text: `${counted(today, what)} today by ${who} (${device.role}), ${before(habit, scene.day, device.lived)}`
      + `${others > 0 && device.role !== 'unknown' ? `; ${users} of ${others} other devices of its role do this` : ''}; `
      + `something new starts with ${num(FIRST.mean)} uses on average, and is seen on ${oneDayIn(chance)}; ${rarity(p)}.`,
  })
}

function titleOf(who: string, { service, acts }: Scene, object: boolean, own: boolean): string {
  if (object) return `${who} sends a kind of object it never sent`
  if (acts) return `${who} uses a service it never used: ${service}`
  return own ? `${who} fetches studies, which it never did` : `${who} is used in a way it never was: it answers ${service}`
}

/** Pictures of a scanner that no scanner of its kind takes: rays through a body part, sections of the body, and sound are other machines. */
function madeByOthers(value: string, role: string): boolean {
  const images = KINDS.find(({ classes }) => classes.has(value))
  const own = KINDS.find(({ modalities }) => modalities.has(role.replace(/^modality:/, '')))
  return role.startsWith('modality:') && images !== undefined && own !== undefined && images !== own
}

/** An upgrade brings one new thing to see; nobody makes two other machines of one within a day. */
function beganWithOthers(value: string, { memories, role }: Device, day: number): boolean {
  for (const [other, habit] of memories.service.known) if (other !== value && !habit.settled && unitsOn(habit, day) > 0 && madeByOthers(other, role)) return true
  return false
}

/** Worklists are asked for by the clock, so how often says nothing, where the device is a scanner, or may be one that begins to work. */
const polls = (value: string, device: Device): boolean => value === 'MWL>' && (device.role === 'unknown' || imaging(device))

/** A service counts by what it is for: of stores and retrievals that is the study, however many requests it takes. */
function used(service: string, acts: boolean): string {
  if (service === 'C-STORE') return acts ? 'studies sent (C-STORE)' : 'studies received (C-STORE)'
  return acts ? `${service} requests` : `${service} answers`
}
