import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { STREAMS, type StreamName } from '../streams.ts'
import { NONE, counted, days, evidence, num, rarity, type Detector } from './detector.ts'

/** An excess that matters: studies, and the ratio. */
const LEAST = 10
const RATIO = 1.5
/** A claim that stays low: stations for teaching and second opinions read what others ordered long ago. */
const READING = 1e-5

export const unlikePeers: Detector<'dicom.operation'> = {
  id: 'unlike-peers',
  question: 'Has a device, for as long as it is known, done more of what has no reason than others of its role?',
  wants: ['dicom.operation'],
  group: 'slow',
  objective: 'collection',
  attack: ['T1030', 'T1048.003'],
  falsePositives: ['a station for teaching, research or second opinions', 'a reader of a department whose orders the sensor does not see'],

  judge(event: DicomOperation, device: Device, _site: Site, _scene: Scene): readonly Evidence[] {
    if (device.apart === undefined) return NONE
    const found: Evidence[] = []
    for (const [name, apart] of device.apart) {
      if (!apart.open) continue
      apart.open = false
      const { observed, expected, size } = apart
      if (observed < RATIO * expected || observed - expected < LEAST) continue
      const arithmetic: Factor[] = [{ of: 'amount', n: observed, mean: expected, size }]
      if (name === 'unexplained.in') arithmetic.push({ of: 'cap', why: 'stations for teaching and second opinions look the same', least: READING })
      const p = rarityOf(arithmetic)
      if (p > TELL) continue
      apart.told = true
      const who = nameOf(device)
      const { unit } = STREAMS[name as StreamName]
      found.push(evidence(unlikePeers, event, {
        actor: device, peer: null, p, arithmetic, observed, expected, unit,
        title: `${who} is unlike the others of its role: ${unit}`,
        text: `${counted(observed, unit)} by ${who} in ${days(device.lived)} (older days count less); the others in the role ${device.role} would have had `
          + `${num(expected)} of as many; it may have begun while ${who} was being learned; ${rarity(p)}.`,
      }))
    }
    return found
  },
}

/** Rare enough to be told, and not to be asked again: about a low alert by itself. */
const TELL = 5e-5
