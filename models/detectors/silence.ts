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
    return found.flatMap((one) => (one.kind === 'feed' ? feed(event, one) : holiday ? NONE : machines(event, one)))
  },
}

/** What is declared from the hour on in which the silence began explains it. */
const beganAt = (last: Micros, event: WireEvent): Micros => Math.min(last + HOUR, event.at)

/** Interfaces are stopped for maintenance, too. */
function feed(event: WireEvent, { devices: [device], at, since, expected, size }: Found): Evidence {
  const arithmetic: Factor[] = [{ of: 'silence', mean: expected, size }, { of: 'cap', why: 'interfaces are stopped for maintenance, too', least: LOW_ALONE }]
  const p = rarityOf(arithmetic)
  const who = nameOf(device)
  return evidence(silence, event, {
    actor: device, peer: null, p, arithmetic, observed: 0, expected, unit: 'messages', flow: null, began: beganAt(since, event),
    title: `${who} has fallen silent`,
    text: `No message came from ${who} for ${lasting(at - since)}; ${num(expected)} were expected at the least; ${rarity(p)}.`,
  })
}

/** One alert, about the first of them. */
function machines(event: WireEvent, { devices: [first, ...others], at, since, until, expected, size, silent }: Found): Evidence {
  return evidence(silence, event, {
    actor: first, peer: null, others, p: null, severity: 'medium', observed: silent, expected, unit: 'machines silent at once', flow: null, began: beganAt(until, event),
    title: 'Many scanners and readers have fallen silent together',
    text: `${silent} of ${counted(size, 'scanners and readers')} that were at work have been silent for ${lasting(at - until)} to ${lasting(at - since)}, and others go on; `
      + `at such an hour ${num(expected)} of them usually fall silent at most.`,
  })
}

const lasting = (time: Micros): string => (time < 2 * HOUR ? `${Math.round(time / MINUTE)} min` : `${num(time / HOUR)} h`)
