import type { Hl7Message } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { nameOf, todayOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, rarity, type Detector } from './detector.ts'

/** Merges and moves of patient identities (HL7 v2.5.1 chapter 3). */
const MERGE = /^ADT\^A(18|30|34|35|36|39|40|41|42|43|44)/
/** A patient who survives one merge today survives another: rarely. */
const AGAIN = { mean: 0.05, size: 0.5 }
/** Surviving patients remembered a day. */
const MOST = 5000

export const hl7Merge: Detector<'hl7.message'> = {
  id: 'hl7-merge',
  question: 'Are many patients merged into one?',
  wants: ['hl7.message'],
  group: 'meaning',
  objective: 'integrity',
  attack: ['T1565.001'],
  falsePositives: ['a clean-up of duplicates of one patient (test patients, unknown emergencies)'],

  judge(event: Hl7Message, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts || event.patient === null || event.message_type === null || device.role === 'engine' || !MERGE.test(event.message_type)) return NONE
    const { merges } = todayOf(device, scene.day)
    const n = (merges.get(event.patient) ?? 0) + 1
    if (merges.size < MOST || n > 1) merges.set(event.patient, n)
    if (n < 3) return NONE
    const arithmetic: Factor[] = [{ of: 'amount', n: n - 1, ...AGAIN }]
    const p = rarityOf(arithmetic)
    return [evidence(hl7Merge, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: n, expected: AGAIN.mean, unit: 'merges into one patient', service: event.message_type,
      inexcusable: true,
      title: `${nameOf(device)} merges many patients into one`,
      text: `${n} merges today left the same surviving patient; another merge into the same patient is expected ${num(AGAIN.mean)} times; ${rarity(p)}.`,
    })]
  },
}
