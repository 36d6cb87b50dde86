/** The contract of a detector: one file, one question. See docs/detectors/ for what users read about each. */
import { uidName } from '../../protocols/dicom/names.ts'
import type { EventKind, EventOf, Flow, WireEvent } from '../../protocols/events.ts'
import type { EvidenceGroup } from '../alert.ts'
import type { NewsFactor, OthersFactor, WeightFactor } from '../arithmetic.ts'
import { newsBefore, type MemoryName, type NewsPrior } from '../baseline/novelty.ts'
import { daysBefore, type DaysSeen } from '../baseline/seen.ts'
import { clean, type Device, type Starter } from '../device.ts'
import type { Evidence, Objective } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'

export interface Detector<K extends EventKind = EventKind> {
  readonly id: string
  readonly question: string
  readonly wants: readonly K[]
  readonly group: EvidenceGroup
  readonly objective: Objective
  /** ATT&CK technique ids (see ../attack.ts). */
  readonly attack: readonly string[]
  /** What else looks like this: shown as "would explain it". */
  readonly falsePositives: readonly string[]
  /** Runs after counting and before learning, so an event never excuses itself. */
  judge(event: EventOf<K>, device: Device, site: Site, scene: Scene): readonly Evidence[]
}

export const NONE: readonly Evidence[] = []

/** Days after which a site knows who gives studies to whom, and what nobody there does. */
export const SITE_KNOWN = 7
/** A claim that is just about a low alert by itself (DETECTION 2.4). */
export const LOW_ALONE = 7e-6
/** A tenth of what is looked at anywhere has no order (teaching, second opinions, telephone calls): nobody is expected to have less. */
export const WITHOUT_ORDER = 0.1
/** Studies that a legitimate first contact brings on its first days: a negative binomial. */
export const FIRST_STUDIES = { mean: 3, size: 0.5 } as const

type Given = Pick<Evidence, 'actor' | 'peer' | 'p' | 'title' | 'text'> & Partial<Evidence>

/** Evidence of a detector about an event. */
export function evidence(detector: Pick<Detector, 'id' | 'group' | 'objective'>, event: WireEvent, given: Given): Evidence {
  const flow: Flow | null = 'flow' in event ? event.flow : null
  return {
    detector: detector.id, group: detector.group, objective: detector.objective, at: event.at,
    observed: null, expected: null, unit: null, service: null, flow, arithmetic: [], ...given,
  }
}

/** The chance of news of this kind on this local day, as a factor. */
export function newsFactor(device: Device, memory: MemoryName, value: string, prior: NewsPrior, day: number): NewsFactor {
  return { of: 'news', memory, value: clean(value), prior, news: newsBefore(device.memories[memory], day), days: device.lived }
}

/** How few of its role do it, as a factor. */
export function othersFactor(device: Device, memory: MemoryName, value: string, popular: { users: number; others: number }): OthersFactor {
  return { of: 'others', memory, value: clean(value), users: popular.users, others: popular.others, known: device.role !== 'unknown' }
}

/** That each of several scanners takes up a new peer, as factors. */
export const starterFactors = (starters: readonly Starter[]): WeightFactor[] =>
  starters.map(({ name, chance }) => ({ of: 'weight', why: `${name} takes up a new peer on ${oneDayIn(chance)}`, times: chance }))

/** A number as people write it. */
export function num(x: number): string {
  if (Number.isInteger(x)) return String(x)
  return x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x >= 0.01 ? x.toFixed(2) : x.toExponential(1)
}

/** A number of things, as people write it: `1 study sent`, `2 studies sent`. The unit is given for several. */
export function counted(n: number, unit: string): string {
  return `${num(n)} ${n === 1 ? singular(unit) : unit}`
}

/** Units name things in the plural; of one, the noun is in the singular. */
function singular(unit: string): string {
  return unit
    .replace(/\b(stud|quer|bod)ies\b/g, '$1y')
    .replace(/\b(instances|messages|uses|hosts|ports|records|devices|conversations|operations|requests|violations|associations|merges|kinds|objects|images|bytes|callers|answers|hours|days|senders|titles|claims|patients|servers|connections|events|scanners)\b/g, (noun) => noun.slice(0, -1))
}

export const days = (n: number): string => (n < 1.5 ? 'the first day' : `${Math.floor(n)} days`)

/** On which of its days before this one it was done, in words. @param seen what is remembered of it, if anything */
export function before(seen: DaysSeen | undefined, day: number, lived: number): string {
  const earlier = daysBefore(seen, day)
  return earlier === 0 ? `none in the ${days(lived)} before` : `on only ${earlier} of the ${days(lived)} before`
}

/** A SOP class with its name, where it has one. */
export function classOf(uid: string): string {
  const name = uidName(uid)
  return name === uid ? clean(uid) : `${name} (${uid})`
}

/** A chance on a day, in words. */
export const oneDayIn = (chance: number): string => `about 1 day in ${Math.max(1, Math.round(1 / chance))}`

/** How rare, in words; never rarer than the model claims to know. */
export function rarity(p: number): string {
  if (p >= 1e-2) return `about 1 in ${Math.round(1 / p)} device-days`
  const power = Math.min(6, Math.floor(-Math.log10(p)))
  return `rarer than 1 in ${(10 ** power).toLocaleString('en-US')} device-days`
}
