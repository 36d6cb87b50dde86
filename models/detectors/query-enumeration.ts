import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { QUARTER, countFrom, shareFrom } from '../baseline/classes.ts'
import { LOOK, rate, withFloor } from '../baseline/counts.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import { LEAST_CLASS, breadthClass, type Site } from '../site.ts'
import { LOW_ALONE, NONE, SITE_KNOWN, counted, evidence, num, rarity, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Whoever leafs through what the archive has reads after every second query. */
const LEAFS = 0.5

/** Worklists that a device was shown before some are called broad, and from how many broad ones on; broad: a quarter of it is still rarer than this. */
const ENOUGH_WORKLISTS = 100
const SEVERAL = 3
const UNUSUAL = 5e-3
/** Broad worklists come in batches: somebody looks for a patient. */
const BATCHES = 0.5

export const queryEnumeration: Detector<'dicom.operation'> = {
  id: 'query-enumeration',
  question: 'Does a device search the archive for more than it goes on to read, or look at far longer worklists than its own?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'discovery',
  attack: ['T1213'],
  falsePositives: ['a research coordinator who searches for a cohort', 'a new prefetch or synchronisation job', 'a scanner whose worklist is no longer filtered by its station or day'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.acts && scene.service === 'MWL') return worklists(event, device, site, scene)
    if (!scene.acts || scene.service !== 'C-FIND') return NONE
    const found = [...breadth(event, device, site, scene), ...newcomer(event, device, site, scene)]
    if (scene.crossed.length === 0) return found
    expectRead(device, scene, site)
    const who = nameOf(device)
    const options = (title: string, least: number) => ({ detector: queryEnumeration, title, least, peer: scene.peer, service: 'C-FIND' })
    found.push(...judgeCrossings({
      'aimless': options(`${who} queries without retrieving`, 5),
      'matches': options(`${who} is shown far more patients and studies than usual`, 10),
    }, event, device, site, scene))
    return found
  },
}

/** Whoever goes on to read is shown what to read: each retrieval of the window explains the records of a usual query. */
function expectRead(device: Device, scene: Scene, site: Site): void {
  const { matches, query, retrieve } = Object.fromEntries(device.streams)
  if (matches === undefined || query === undefined || retrieve === undefined) return
  scene.crossed = scene.crossed.map(({ stream, crossing }) => {
    const read = crossing.window === 'hour' ? (retrieve.hour === site.hour ? retrieve.inHour : 0) : retrieve.day === site.day ? retrieve.inDay : 0
    // The query of this moment may still be followed by a retrieval.
    return { stream, crossing: stream === 'matches' ? withFloor(matches, crossing, (read + 1) * rate(matches) / rate(query)) : crossing }
  })
}

/** How many of today's queries were as broad as this one, against what share of all queries at this site are. */
function breadth(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const matches = event.query?.matches ?? event.pending
  const class_ = breadthClass(matches)
  if (class_ < LEAST_CLASS || !site.breadth.known) return NONE
  const hits = device.today.breadth.slice(class_).reduce((sum, n) => sum + n, 0)
  const queries = device.today.breadth.reduce((sum, n) => sum + n, 0)
  const share = site.breadth.share(class_)
  const arithmetic: Factor[] = [{ of: 'share', hits, tries: queries, share }]
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(queryEnumeration, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: hits, expected: share * queries, unit: 'broad queries', service: 'C-FIND',
    title: `${who} asks broad queries`,
    text: `${hits} of ${counted(queries, 'queries')} by ${who} today ${hits === 1 ? 'was' : 'were'} answered with ${2 ** class_} records or more (this one ${matches}); `
      + `of all queries at this site ${num(100 * share)} % are as broad; ${rarity(p)}.`,
  })]
}

/** How many of today's worklists were as long as this one, against what this device was ever shown, for a scanner asks for its own; of who hardly asked for any, against what anybody here is. */
function worklists(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const today = device.today.worklists
  const own = mature(device) && countFrom(device.worklists ?? [], 0) >= ENOUGH_WORKLISTS
  const known = own ? device.worklists! : site.state.worklists
  const matches = event.query?.matches ?? event.pending
  const class_ = breadthClass(matches)
  if (class_ < LEAST_CLASS || today === undefined || (!own && site.age < SITE_KNOWN)) return NONE
  const hits = countFrom(today, class_)
  if (hits < SEVERAL || countFrom(known, 0) < ENOUGH_WORKLISTS || shareFrom(known, class_ - QUARTER) > UNUSUAL) return NONE
  const tries = countFrom(today, 0)
  const share = shareFrom(known, class_)
  const arithmetic: Factor[] = [{ of: 'share', hits, tries, share, size: BATCHES }]
  if (!own) arithmetic.push({ of: 'cap', why: 'the worklist of whoever begins to ask for it may not be filtered yet', least: LOW_ALONE })
  else if (hits > tries / 2) arithmetic.push({ of: 'cap', why: 'most of its worklists are longer, as with new settings', least: LOW_ALONE })
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(queryEnumeration, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: hits, expected: share * tries, unit: 'long worklists', service: 'MWL',
    title: `${who} asks for far longer worklists than ${own ? 'its own' : 'is usual here'}`,
    text: `${hits} of ${counted(tries, 'worklists')} that ${who} asked for today had ${2 ** class_} entries or more (this one ${matches}); `
      + `of those ${own ? 'before' : 'that anybody here asked for'}, ${num(100 * share)} % at most; ${rarity(p)}.`,
  })]
}

/** Of a newcomer nobody knows how much it searches, but who searches goes on to read: it looks for one thing after the other, and takes none. */
function newcomer(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  if (mature(device) || site.age < SITE_KNOWN) return NONE
  const [aimless, query] = [device.streams.get('aimless'), device.streams.get('query')]
  if (aimless?.day !== site.day || query?.day !== site.day) return NONE
  const arithmetic: Factor[] = [
    { of: 'share', hits: aimless.inDay, tries: query.inDay, share: LEAFS },
    { of: 'cap', why: 'a catalogue, or a list that is refreshed, only asks', least: LOW_ALONE },
  ]
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(queryEnumeration, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: aimless.inDay, expected: LEAFS * query.inDay, unit: 'queries without a retrieval', service: 'C-FIND',
    title: `${who} queries without retrieving`,
    text: `${aimless.inDay} of ${counted(query.inDay, 'queries')} by ${who} today were followed by another query without a retrieval; such a newcomer is judged by what is usual anywhere: `
      + `up to ${num(100 * LEAFS)} % is allowed for; ${rarity(p)}.`,
  })]
}
