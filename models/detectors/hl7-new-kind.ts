import type { Hl7Message } from '../../protocols/events.ts'
import { negativeBinomialUpperTail } from '../baseline/distributions.ts'
import { newsChance } from '../baseline/novelty.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, days, evidence, num, rarity, type Detector } from './detector.ts'

const PRIOR = { a: 0.3, b: 20 }
/** Messages of a new kind on its first day, and in one hour of it. */
const DAY = { mean: 5, size: 0.5 }
const HOUR = { mean: 1, size: 0.7 }

export const hl7NewKind: Detector<'hl7.message'> = {
  id: 'hl7-new-kind',
  question: 'Does a system send a kind of HL7 message that it never sent?',
  wants: ['hl7.message'],
  group: 'novelty',
  objective: 'integrity',
  attack: ['T1565.002', 'T1071'],
  falsePositives: ['an interface that went live', 'a rarely used function (a pre-admission, a cancelled discharge)'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const kind = event.message_type
    // An engine passes on what others send; they are judged.
    if (!scene.acts || kind === null || event.acknowledges !== null || device.role === 'engine' || !mature(device)) return NONE
    const habit = device.memories.trigger.known.get(kind)
    if (habit?.settled === true) return NONE
    const today = (habit !== undefined && habit.day === scene.day ? habit.today : 0) + 1
    const stream = device.triggers.get(kind)
    const hour = stream !== undefined && stream.hour === site.hour ? stream.inHour : today
    const chance = newsChance(device.memories.trigger, PRIOR, device.lived)
    const tail = Math.min(1, 2 * Math.min(
      negativeBinomialUpperTail(today, DAY.mean, DAY.size), negativeBinomialUpperTail(hour, HOUR.mean, HOUR.size)))
    const { others, users, q } = site.popularity(device, 'trigger', kind)
    const p = chance * (1 - q) * tail
    if (p > 0.01) return NONE
    const who = nameOf(device)
    return [evidence(hl7NewKind, event, {
      actor: device, peer: scene.peer, p, observed: today, expected: DAY.mean * chance, unit: 'messages of the new kind', service: kind,
      title: `${who} sends ${clean(kind)}, a kind of message it never sent`,
      text: `${today} ${clean(kind)} messages today (${hour} within this hour) from ${who}, none in the ${days(device.lived)} before`
        + `${others > 0 ? `; ${users} of ${others} other senders of its role send it` : ''}; a new kind starts with ${num(DAY.mean)} a day on average; ${rarity(p)}.`,
    })]
  },
}
