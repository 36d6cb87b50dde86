import type { WireEvent } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Silence } from '../silences.ts'
import type { Site } from '../site.ts'
import { LOW_ALONE, NONE, evidence, num, rarity, type Detector } from './detector.ts'

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
    return found.map(({ device, first, silence: one }) => (one.together === undefined ? alone(event, device, one) : together(event, device, first ?? device, one)))
  },
}

/** A feed. Interfaces are stopped for maintenance, too. */
function alone(event: WireEvent, device: Device, { since, expected, size }: Silence): Evidence {
  const arithmetic: Factor[] = [{ of: 'silence', mean: expected, size }, { of: 'cap', why: 'interfaces are stopped for maintenance, too', least: LOW_ALONE }]
  const p = rarityOf(arithmetic)
  const who = nameOf(device)
  return evidence(silence, event, {
    actor: device, peer: null, p, arithmetic, observed: 0, expected, unit: 'messages', flow: null, began: since,
    title: `${who} has fallen silent`,
    text: `Nothing came from ${who} for ${lasting(event.at - since)}; ${num(expected)} messages were expected at the least; ${rarity(p)}.`,
  })
}

/** One of many: one alert, about the first of them. */
function together(event: WireEvent, device: Device, first: Device, { since, expected, together: all }: Silence): Evidence {
  const { silent, usual } = all!
  return evidence(silence, event, {
    actor: first, peer: device === first ? null : device, p: null, severity: 'medium', observed: silent, expected: 0, unit: 'machines silent at once', flow: null, began: since,
    title: 'Many scanners and readers have fallen silent together',
    text: `${silent} scanners and readers fell silent within hours in the middle of their work, where ${usual} are usually heard in such an hour, and others went on: `
      + `nothing came from ${nameOf(device)} for ${lasting(event.at - since)}, where ${num(expected)} studies were expected at the least.`,
  })
}

const lasting = (time: number): string => (time < 2 * 3_600_000_000 ? `${Math.round(time / 60_000_000)} min` : `${num(time / 3_600_000_000)} h`)
