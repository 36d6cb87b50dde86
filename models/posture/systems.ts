/**
 * Which system a device runs, out of all that its hosts showed; and how many of the imaging devices run one that nobody mends any more.
 *
 * The weightiest evidence decides; among equals, the one that says most (an end of life says more than a family). Evidence that speaks for another
 * family lowers the confidence. None of this raises an alert.
 */
import type { Micros } from '../../protocols/events.ts'
import { family } from '../role.ts'

export type Confidence = 'high' | 'medium' | 'low'

/** One sign of a system. */
export interface OsClaim {
  name: string
  /** End of the maker's free security updates, YYYY-MM-DD; null where something the name covers still is mended. */
  eol: string | null
  evidence: string
  /** Short name by which claims are compared: `windows-7`, `linux-5`. */
  family: string | null
  confidence: Confidence
  /** Where the date is published. */
  source: string | null
}

export interface System extends OsClaim {
  /** Past its end of life when the device was last seen. */
  past_end_of_life: boolean
  /** Claims that agree, and that do not. */
  agree: number
  disagree: number
}

/** The field's published share of imaging devices on systems past their end of life (Unit 42, 2020). */
const FIELD_SHARE = 0.83

export interface EndOfLife {
  /** Imaging devices seen, those whose system could be told, and those past its end of life. */
  imaging: number
  known: number
  past: number
  /** `past` of `known`, 0 to 1; null where none is known. */
  share: number | null
  field: number
}

const WEIGHT: Record<Confidence, number> = { high: 9, medium: 4, low: 1 }

/** @param at when the device was last seen: what is past then, was past when it was used. @returns null where nothing was shown */
export function systemOf(claims: readonly OsClaim[], at: Micros): System | null {
  const weights = new Map<string, number>()
  for (const claim of claims) weights.set(keyOf(claim), (weights.get(keyOf(claim)) ?? 0) + WEIGHT[claim.confidence])
  let best: OsClaim | undefined
  for (const claim of claims) if (best === undefined || rank(claim, weights) > rank(best, weights)) best = claim
  if (best === undefined) return null
  const isFor = (claim: OsClaim): boolean => related(claim, best)
  const agree = claims.filter(isFor).length
  const disagree = claims.length - agree
  const confidence = disagree > 0 ? 'low' : agree > 1 && best.confidence === 'medium' ? 'high' : best.confidence
  return { ...best, confidence, past_end_of_life: best.eol !== null && Date.parse(best.eol) * 1000 < at, agree, disagree }
}

const keyOf = (claim: OsClaim): string => claim.family ?? claim.name
const rank = (claim: OsClaim, weights: ReadonlyMap<string, number>): number =>
  weights.get(keyOf(claim))! * 100 + WEIGHT[claim.confidence] * 10 + (claim.eol === null ? 0 : 1)

/** Claims of one maker's line that do not contradict: `Windows`, and `8.1 or later`, cover what is more exactly told elsewhere. */
function related(a: OsClaim, b: OsClaim): boolean {
  const [one, other] = [keyOf(a), keyOf(b)]
  if (one === other) return true
  const line = (key: string): string => key.split('-', 1)[0]!
  return line(one) === line(other) && [one, other].some((key) => key === 'windows' || key === 'windows-8.1+' || key === 'linux')
}

/** Of the devices that make images. */
export function endOfLifeOf(items: Iterable<{ role: string; system: System | null }>): EndOfLife {
  const found: EndOfLife = { imaging: 0, known: 0, past: 0, share: null, field: FIELD_SHARE }
  for (const { role, system } of items) {
    if (family(role) !== 'modality') continue
    found.imaging += 1
    if (system === null) continue
    found.known += 1
    if (system.past_end_of_life) found.past += 1
  }
  if (found.known > 0) found.share = found.past / found.known
  return found
}
