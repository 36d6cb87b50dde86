import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, valueOf, type Factor } from '../arithmetic.ts'
import { unitsOn } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { UNKNOWN_DESTINATION } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, days, evidence, newsFactor, num, othersFactor, rarity, type Detector } from './detector.ts'

const PRIOR = { a: 1, b: 20 }
/** Studies moved to a destination on its first day: for a colleague, mostly one. */
const FIRST = { mean: 1, size: 0.5 }
/** The archive refuses a destination that it does not know: a mistyped name is soon noticed, so fewer are expected. */
const MISTYPED = { mean: 0.4, size: 0.5 }

export const moveDestination: Detector<'dicom.operation'> = {
  id: 'move-destination',
  question: 'Does a device have studies sent to a destination that it never named?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1213', 'T1048.003'],
  falsePositives: ['a new reading station or disc burner', 'studies pushed to a colleague'],

  judge(event: DicomOperation, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const destination = event.move?.destination_ae ?? null
    if (!scene.acts || destination === null || !mature(device) || device.aes.has(destination)) return NONE
    const habit = device.memories.destination.known.get(destination)
    if (habit?.settled === true) return NONE
    const today = unitsOn(habit, scene.day) + 1
    const mistyped = event.status === UNKNOWN_DESTINATION
    const news = newsFactor(device, 'destination', destination, PRIOR, scene.day)
    const popular = site.popularity(device, 'destination', destination)
    const { others, users } = popular
    const first = mistyped ? MISTYPED : FIRST
    const arithmetic: Factor[] = [
      news, othersFactor(device, 'destination', destination, popular), { of: 'amount', n: today, ...first },
    ]
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const who = nameOf(device)
    const earlier = daysBefore(habit, scene.day)
    return [evidence(moveDestination, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: today, expected: first.mean * valueOf(news), unit: 'studies moved', service: 'C-MOVE',
      title: `${who} has studies sent to ${clean(destination)}, a destination it ${earlier === 0 ? 'never' : 'hardly'} used`,
      text: `${counted(today, 'C-MOVE requests')} today by ${who} ${today === 1 ? 'names' : 'name'} the destination ${clean(destination)}`
        + `${mistyped ? ', which the archive does not know' : ''}; it ${earlier === 0 ? `never did in ${days(device.lived)}` : `did so on only ${earlier} of the ${days(device.lived)} before`}`
        + `${others > 0 ? `, and ${users} of ${others} other devices of its role do` : ''}; `
        + `a new destination starts with ${num(first.mean)} on average; ${rarity(p)}.`,
    })]
  },
}
