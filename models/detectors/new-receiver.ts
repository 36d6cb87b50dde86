import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { FIRST_DAYS } from '../baseline/novelty.ts'
import { DAY } from '../clock.ts'
import { imaging, mature, nameOf, type Device, type Starter } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { startedOn } from '../starters.ts'
import { FIRST_STUDIES, NONE, SITE_KNOWN, counted, days, evidence, rarity, starterFactors, type Detector } from './detector.ts'

/** A host that nobody gave any study before. */
const UNUSED = 0.1
/** Studies that their scanner had given to somebody else already. */
const COPIES = 0.1
/** Studies before a scanner's test is called more. */
const LEAST = 3
/** When it is asked who only takes: days that the site is watched, studies that it took and on how many days, the share of its calls that come from one scanner, and of that scanner's studies at most. */
const TAKER = { age: 14, studies: 10, days: 5, calls: 0.9, share: 2 / 3 } as const
/** What who only takes is used for. */
const TAKES: ReadonlySet<string> = new Set(['C-STORE<', 'C-ECHO<'])

export const newReceiver: Detector<'dicom.operation'> = {
  id: 'new-receiver',
  question: 'Do known scanners begin to give studies to a host that nobody gave any before, or has one done so since it was learned, for a host that does nothing else?',
  wants: ['dicom.operation'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1200', 'T1557'],
  falsePositives: ['a new archive, reading or research station that went live for these scanners', 'a station of a single scanner that was set up of late', 'an archive that moved to another address and name'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    // Seen from the receiver: to its scanner a copy is no new study.
    if (scene.acts || !scene.newStudy || scene.service !== 'C-STORE' || !imaging(scene.peer) || !mature(scene.peer)) return NONE
    return device.givers === undefined ? judgeTaker(event, device, site, scene) : judgeFirst(event, device, device.givers, site, scene)
  },
}

function judgeFirst(event: DicomOperation, device: Device, givers: ReadonlyMap<string, Starter>, site: Site, scene: Scene): readonly Evidence[] {
  if (site.age < SITE_KNOWN) return NONE
  const today = startedOn(givers, scene.day)
  const studies = today.reduce((sum, { n }) => sum + n, 0)
  const copies = today.reduce((sum, giver) => sum + giver.copies, 0)
  const count = today.length
  if (studies < LEAST) return NONE
  const arithmetic: Factor[] = [...starterFactors(today), { of: 'amount', n: studies, ...FIRST_STUDIES }, { of: 'weight', why: 'nobody gave this host any study before', times: UNUSED }]
  if (copies >= LEAST) arithmetic.push({ of: 'weight', why: 'the scanners give the same studies to somebody else as well', times: COPIES })
  const p = rarityOf(arithmetic)
  if (p > 0.01) return NONE
  const to = nameOf(device)
  const scanners = counted(count, 'known scanners')
  return [evidence(newReceiver, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: studies, expected: null, unit: 'studies given to a new receiver', service: event.command,
    title: `${scanners} ${count === 1 ? 'begins' : 'begin'} to send studies to a host that nobody sent any before: ${to}`,
    text: `${counted(studies, 'studies')} from ${scanners} to ${to} today`
      + `${copies > 0 ? `, ${copies} of them copies of what went to somebody else as well` : ''}; a legitimate new receiver gets ${FIRST_STUDIES.mean} at first on average; ${rarity(p)}.`,
  })]
}

/**
 * What began while the site was learned, or too slowly to be seen, and has become a habit: asked once, when there is enough of it to tell. Archives get studies from
 * many, readers ask for studies, media are given theirs by an archive; who takes a part of one scanner's studies and does nothing else is none of these.
 */
function judgeTaker(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const { service, peer } = device.memories
  const takes = service.known.get('C-STORE<')
  if (device.taker === true || takes === undefined || site.age < TAKER.age || takes.total < TAKER.studies || takes.days < TAKER.days) return NONE
  device.taker = true
  const since = site.age - (event.at - takes.first) / DAY
  if (since < FIRST_DAYS || peer.known.size > 0 || ![...service.known.keys()].every((one) => TAKES.has(one)) || !isOnlyGiver(scene.peer, device)) return NONE
  const made = scene.peer.streams.get('store.out')?.total ?? 0
  const [who, from] = [nameOf(device), nameOf(scene.peer)]
  if (takes.total > TAKER.share * made) return NONE
  return [evidence(newReceiver, event, {
    actor: device, peer: scene.peer, p: null, arithmetic: [], severity: 'low', observed: takes.total, expected: null, unit: 'studies given to a host that only takes', service: event.command,
    title: `${from} gives some of its studies to a host that does nothing but take them: ${who}`,
    text: `${counted(takes.total, 'studies')} from ${from} to ${who} on ${counted(takes.days, 'days')}, the first ${days(since)} after this site was first watched; nobody else gives ${who} any, and it asks nobody for anything, sends nothing on and is asked for nothing.`,
  })]
}

/** Does nearly everything that is given to it come from there? */
function isOnlyGiver(giver: Device, { memories }: Device): boolean {
  let all = 0
  for (const { total } of memories.caller.known.values()) all += total
  return (memories.caller.known.get(giver.id)?.total ?? 0) >= TAKER.calls * all
}
