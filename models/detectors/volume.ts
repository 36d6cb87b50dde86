/** What the volume detectors share: from a crossed critical value to evidence. */
import type { WireEvent } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { armed, dayMean, hourMean, rate, unusualSince, type CountStream, type Crossing } from '../baseline/counts.ts'
import { mature, nameOf, type Device, type Told } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { STREAMS, type StreamKind, type StreamName } from '../streams.ts'
import { mayTell } from '../told.ts'
import { LOW_ALONE, SITE_KNOWN, counted, days, evidence, num, rarity, type Detector } from './detector.ts'

/** An excess has to matter: this ratio, and this many units. */
const RATIO = 1.5

export interface VolumeOptions {
  detector: Pick<Detector, 'id' | 'group' | 'objective'>
  title: string
  /** Least excess that matters. */
  least: number
  peer?: Device | null
  /** Who did it to the device that was counted; absent: the device itself. */
  actor?: Device
  note?: string
  /** Why more is expected than its own past says, where it is. */
  floor?: string
  service?: string | null
}

function material(crossing: Crossing, least: number): boolean {
  return crossing.observed > RATIO * crossing.expected && crossing.observed - crossing.expected >= least
}

/** @param judged without the caution of a first week: the baseline is armed, or the site's is */
export function volumeEvidence(
  event: WireEvent, device: Device, site: Site, stream: CountStream, name: string, crossing: Crossing, unit: string, options: VolumeOptions, judged = armed(stream),
): Evidence | undefined {
  if (!material(crossing, options.least)) return undefined
  const { window, observed, expected, basis } = crossing
  const unusual = (told: Told): boolean => window === 'hour' || unusualSince(stream, told.hour, site.hour, observed - told.n, site.pace(device))
  if (!mayTell(device, name, event.at, site, { n: stream.inDay }, unusual)) return undefined
  // Before the baseline is armed, a claim is capped so that it cannot be more than a note by itself.
  const arithmetic: Factor[] = [{ of: 'count', stream: name, window, observed, ...basis, rate: rate(stream), days: device.lived }]
  if (!judged) arithmetic.push({ of: 'cap', why: 'the count was not yet known for 3 days', least: LOW_ALONE })
  const p = rarityOf(arithmetic)
  return evidence(options.detector, event, {
    ...(judged ? {} : { learning: true }), actor: options.actor ?? device, peer: options.actor === undefined ? options.peer ?? null : device, p, arithmetic, observed, expected, unit, service: options.service ?? null, title: options.title,
    text: `${counted(observed, unit)} by ${nameOf(device)} ${window === 'hour' ? 'within this hour' : 'today so far'}; `
      + `expected ${num(expected)} for this ${window === 'hour' ? 'hour' : 'day'} (${usual(stream, device)}${basis.floor === expected && options.floor !== undefined ? `, but ${options.floor}` : ''})`
      + `${options.note === undefined ? '' : `; ${options.note}`}; ${rarity(p)}.`,
  })
}

/** On its first days a device has no rate of its own. */
const usual = (stream: CountStream, device: Device): string => device.lived < 1.5
  ? `such a device usually has ${num(rate(stream))} a day; it has been here for less than two days`
  : `usual rate ${num(rate(stream))} a day, learned over ${days(device.lived)}`

/** Days before which nobody knows how much work there is on a day of this site: it may have been watched for a night, or since a Sunday. */
const WORK_KNOWN = 3

/** Is it too early to call any amount of ordinary work much? */
export const workUnknown = (site: Site): boolean => site.age < WORK_KNOWN

/** The stream's evidence for every crossing of these names. What nobody at a known site does is judged of a newcomer too. */
export function judgeCrossings(
  names: Partial<Record<StreamName, VolumeOptions>>, event: WireEvent, device: Device, site: Site, scene: Scene,
): Evidence[] {
  const found: Evidence[] = []
  for (const { stream, crossing } of scene.crossed) {
    const options = names[stream]
    if (options === undefined) continue
    const kind: StreamKind = STREAMS[stream]
    if (kind.rare !== true && workUnknown(site)) continue
    const counts = device.streams.get(stream)!
    // Many images on a newcomer's first days are its tests and say nothing of its work.
    const judged = (armed(counts) && (kind.rare === true || mature(device))) || (kind.alien === true && site.age >= SITE_KNOWN)
    const one = volumeEvidence(event, device, site, counts, stream, crossing, kind.unit, options, judged)
    if (one !== undefined) found.push(one)
  }
  return found
}

/** Excess of a stream over what is expected of its open windows; 0 when it has none. */
export function excess(device: Device, name: StreamName, site: Site): number {
  const stream = device.streams.get(name)
  if (stream === undefined || stream.day !== site.day) return 0
  const pace = site.pace(device)
  const inHour = stream.hour === site.hour ? stream.inHour - hourMean(stream, stream.hour, pace) : 0
  return Math.max(stream.inDay - dayMean(stream, stream.day, pace), inHour)
}
