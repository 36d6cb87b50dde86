import type { Hl7Message } from '../../protocols/events.ts'
import { makeRoom } from '../../protocols/room.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { LOOK } from '../baseline/counts.ts'
import { DAY, HOUR } from '../clock.ts'
import { nameOf, todayOf, type Device, type Survivor } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, rarity, type Detector } from './detector.ts'

/** Merges and moves of patient identities (HL7 v2.5.1 chapter 3). */
const MERGE = /^ADT\^A(18|30|34|35|36|39|40|41|42|43|44)/
export const isMerge = (kind: string): boolean => MERGE.test(kind)
/** A patient who survives one merge today survives another: rarely. */
const AGAIN = { mean: 0.05, size: 0.5 }
/** And in the days after it: hardly less so. Merges into one patient that go on are counted together until a week passes without one. */
const AGAIN_LATER = { mean: 0.1, size: 0.5 }
const WEEK = 7
/** Surviving patients remembered a day, and of late. */
const MOST = 5000
const MOST_SURVIVORS = 1000

export const hl7Merge: Detector<'hl7.message'> = {
  id: 'hl7-merge',
  question: 'Are many patients merged into one?',
  wants: ['hl7.message'],
  group: 'meaning',
  objective: 'integrity',
  attack: ['T1565.001'],
  falsePositives: ['a clean-up of duplicates of one patient (test patients, unknown emergencies)'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts || event.patient === null || event.message_type === null || device.role === 'engine' || !isMerge(event.message_type)) return NONE
    if (passedOn(event.patient, event.at, device, site)) return NONE
    const { merges } = todayOf(device, scene.day)
    const today = (merges.get(event.patient) ?? 0) + 1
    if (merges.size < MOST || today > 1) merges.set(event.patient, today)
    const all = site.frozen ? today : survived(event.patient, device, scene.day)
    if (all < 3) return NONE
    const [ofDay, ofDays] = [{ of: 'amount', n: today - 1, ...AGAIN }, { of: 'amount', n: all - 1, ...AGAIN_LATER }] as const
    const later = rarityOf([ofDays]) < rarityOf([ofDay])
    const arithmetic: Factor[] = [later ? ofDays : ofDay]
    const p = rarityOf(arithmetic)
    if (later && p > LOOK) return NONE
    const [n, expected] = later ? [all, AGAIN_LATER.mean] : [today, AGAIN.mean]
    return [evidence(hl7Merge, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: n, expected, unit: 'merges into one patient', service: event.message_type,
      inexcusable: true, ...(later && { sums: WEEK * DAY }),
      title: `${nameOf(device)} merges many patients into one`,
      text: `${n} merges ${later ? 'of late' : 'today'} left the same surviving patient; another merge into the same patient is expected ${num(expected)} times; ${rarity(p)}.`,
    })]
  },
}

/** Did another system send a merge into this patient just before? An engine has addresses that it only sends from, and need not look like one there. */
function passedOn(patient: string, at: number, device: Device, { state: { merged } }: Site): boolean {
  const last = merged.get(patient)
  if (last !== undefined && last.by !== device.id && at - last.at < HOUR) return true
  if (last === undefined) makeRoom(merged, MOST_SURVIVORS, (one) => one.at)
  merged.set(patient, { by: device.id, at })
  return false
}

/** How many merges left this patient, this one included, with no quiet week between. */
function survived(patient: string, device: Device, day: number): number {
  const survivors = (device.survivors ??= new Map<string, Survivor>())
  let survivor = survivors.get(patient)
  if (survivor === undefined) {
    makeRoom(survivors, MOST_SURVIVORS, ({ day: last }) => last)
    survivors.set(patient, (survivor = { n: 0, day }))
  }
  if (day - survivor.day > WEEK) survivor.n = 0
  survivor.n++
  survivor.day = day
  return survivor.n
}
