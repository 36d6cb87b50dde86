/** The numbers that the text of a piece of evidence tells, and those that its fields hold. */
import type { Alert, AlertEvidence } from '../../models/alert.ts'
import { valueOf } from '../../models/arithmetic.ts'
import { num } from '../../models/detectors/detector.ts'

/** Numbers of a text, names and addresses left out. */
export function numbersIn(text: string, alert: Alert): string[] {
  let rest = text
  const names = [...alert.hosts, alert.device.name, ...alert.peers.map((peer) => peer.name), ...alert.device.ae_titles, ...alert.peers.flatMap((peer) => peer.ae_titles)]
  for (const name of names.sort((a, b) => b.length - a.length)) rest = rest.replaceAll(name, '')
  rest = rest.replace(/\b[A-Z]{3}\^[A-Z]\d\d\b|HL7|PS3\.\d[\d. D]*|\b1\.2\.840[\d.]+|port \d+( of [\d.]+)?|\b\d+\.\d+\.\d+\.\d+\b|\d{4}-\d\d-\d\d( \d\d:\d\d)?|\b([\da-f]{2}:){5}[\da-f]{2}\b/g, '')
  return [...rest.matchAll(/(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?(?![\w])/g)].map(([n]) => n)
}

/** Fixed numbers of the rules, as their pages say. */
const CONSTANTS = ['14', '7', '1', '2']

/** All that its fields say, as people write numbers. */
export function knownNumbers(one: AlertEvidence, alert: Alert): Set<string> {
  const known: number[] = [one.observed ?? 0, one.expected ?? 0, alert.baseline.days, alert.count]
  for (const factor of one.arithmetic ?? []) {
    for (const value of Object.values(factor)) if (typeof value === 'number') known.push(value)
    if (factor.of === 'news') known.push(factor.prior.a, factor.prior.b)
    known.push(valueOf(factor), 1 / valueOf(factor), Math.round(1 / valueOf(factor)))
    if (factor.of === 'share') known.push(100 * factor.share)
    if (factor.of === 'count' && factor.mean > 0) known.push(factor.mean)
  }
  const texts = new Set(CONSTANTS)
  for (const x of known) for (const text of [num(x), String(Math.floor(x)), num(x / 1e6)]) texts.add(text)
  if (one.p !== null) {
    const power = Math.min(6, Math.floor(-Math.log10(one.p)))
    texts.add((10 ** power).toLocaleString('en-US')).add(String(Math.round(1 / one.p)))
  }
  return texts
}
