import type { DicomAssociation, DicomOperation, Hl7Message } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { DAY } from '../clock.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { STREAMS, type StreamName } from '../streams.ts'
import { NONE, evidence, num, rarity, type Detector } from './detector.ts'

/** An excess over the whole rise that matters, and the ratio. */
const LEAST = 5
const RATIO = 1.5

export const slowDrip: Detector<'dicom.operation' | 'dicom.association' | 'hl7.message'> = {
  id: 'slow-drip',
  question: 'Has a device, for days or weeks, been doing a little more of what has no reason, too little to show on any one day?',
  wants: ['dicom.operation', 'dicom.association', 'hl7.message'],
  group: 'slow',
  objective: 'collection',
  attack: ['T1030', 'T1029'],
  falsePositives: ['a new duty of this device (teaching, research, second opinions)', 'an order feed that has begun to leave out some departments'],

  judge(event: DicomOperation | DicomAssociation | Hl7Message, device: Device, _site: Site, _scene: Scene): readonly Evidence[] {
    if (device.drips.size === 0 || device.role === 'archive') return NONE
    const found: Evidence[] = []
    for (const [name, drip] of device.drips) {
      if (!drip.open) continue
      drip.open = false
      const { observed, expected, run, level } = drip
      if (observed < RATIO * expected || observed - expected < LEAST) continue
      const arithmetic: Factor[] = [{ of: 'drip', stream: name, level, days: run }]
      const p = rarityOf(arithmetic)
      const { unit } = STREAMS[name as StreamName]
      found.push(evidence(slowDrip, event, {
        actor: device, peer: null, p, arithmetic, observed, expected, unit, sums: run * DAY,
        title: `${nameOf(device)} has been doing a little too much for ${num(run)} days: ${unit}`,
        text: `${num(observed)} ${unit} by ${nameOf(device)} in ${num(run)} days, expected ${num(expected)}; no single day stood out, but together they lie `
          + `${num(level)} standard deviations above what is allowed for; ${rarity(p)}.`,
      }))
    }
    return found
  },
}
