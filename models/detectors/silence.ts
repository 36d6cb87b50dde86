import type { Micros, WireEvent } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { HOUR, MINUTE } from '../clock.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Found } from '../silences.ts'
import type { Site } from '../site.ts'
import { LOW_ALONE, NONE, counted, evidence, num, rarity, type Detector } from './detector.ts'

export const silence: Detector<'dicom.operation' | 'dicom.association' | 'hl7.message' | 'flow'> = {
  id: 'silence',
  question: 'Has a feed of messages fallen silent, or have many scanners and readers done so together in the middle of their work?',
  wants: ['dicom.operation', 'dicom.association', 'hl7.message', 'flow'],
  group: 'slow',
  objective: 'disruption',
  attack: ['T1489', 'T1486'],
  falsePositives: ['maintenance, or a day that ends early', 'a fault of the network between these machines and the sensor'],

  judge(event, _device: Device, site: Site, _scene: Scene): readonly Evidence[] {
    const found = site.silences.take()
    if (found.length === 0) return NONE
    const holiday = site.calendar.ofEverybody(event.at)
    return found.flatMap((one) => (one.were === 0 ? feed(event, one) : holiday ? NONE : machines(event, one)))
  },
}

/** Interfaces are stopped for maintenance, too. */
function feed(event: WireEvent, { devices: [device], since, expected, size }: Found): Evidence {
  const arithmetic: Factor[] = [{ of: 'silence', mean: expected, size }, { of: 'cap', why: 'interfaces are stopped for maintenance, too', least: LOW_ALONE }]
  const p = rarityOf(arithmetic)
  const who = nameOf(device)
  return evidence(silence, event, {
    actor: device, peer: null, p, arithmetic, observed: 0, expected, unit: 'messages', flow: null, began: since,
    title: `${who} has fallen silent`,
    text: `Nothing came from ${who} for ${lasting(event.at - since)}; ${num(expected)} messages were expected at the least; ${rarity(p)}.`,
  })
}

/** One alert, about the first of them. */
function machines(event: WireEvent, { devices: [first, ...others], since, until, expected, were }: Found): Evidence {
  const silent = 1 + others.length
  return evidence(silence, event, {
    actor: first, peer: null, others, p: null, severity: 'medium', observed: silent, expected, unit: 'machines silent at once', flow: null, began: since,
    title: 'Many scanners and readers have fallen silent together',
    text: `${silent} of ${counted(were, 'scanners and readers')} that were at work have been silent for ${lasting(event.at - since)} (${nameOf(first)}, say) to ${lasting(event.at - until)}, and others go on; `
      + `at such an hour ${num(expected)} of them usually fall silent.`,
  })
}

const lasting = (time: Micros): string => (time < 2 * HOUR ? `${Math.round(time / MINUTE)} min` : `${num(time / HOUR)} h`)
