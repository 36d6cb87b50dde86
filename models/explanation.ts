/** An alert in words: what was seen, what to know about it, what would explain it and what would not, and what to do next. */
import { rfc3339 } from '../protocols/time.ts'
import type { Alert } from './alert.ts'
import { counted, num } from './detectors/detector.ts'

export interface Explanation {
  /** One sentence or more for each observation, the rarest first. */
  seen: string[]
  /** Since when, how the others of its role fare, and how much of the truth the sensor had. */
  context: string[]
  /** Where the alert carries advice. */
  wouldExplain: string | null
  wouldNot: string | null
  next: string | null
}

/** Observations that the text of an alert repeats; all are in its evidence. */
const IN_TEXT = 4
/** Lost bytes that matter for counts. */
const LOSS = 0.001

export function explanationOf(alert: Alert): Explanation {
  const { advice } = alert
  return {
    seen: alert.evidence.map((one) => one.text),
    context: contextOf(alert),
    wouldExplain: advice === undefined || advice.would_explain.length === 0 ? null : `${advice.would_explain.join('; ')}.`,
    wouldNot: advice === undefined ? null : `${advice.would_not}.`,
    next: advice === undefined ? null : `${advice.next}.`,
  }
}

/** All of it as one text: the alert's `explanation`. */
export function inOneText({ seen, context, wouldExplain, wouldNot, next }: Explanation): string {
  const parts = [...seen.slice(0, IN_TEXT), ...context]
  if (wouldExplain !== null) parts.push(`Would explain it: ${wouldExplain}`)
  if (wouldNot !== null) parts.push(`Would not: ${wouldNot}`)
  if (next !== null) parts.push(`Next: ${next}`)
  return parts.join(' ')
}

function contextOf({ first_seen, count, baseline: { others, pace, state }, device, campaign, id, capture: { loss } }: Alert): string[] {
  const context = [`Since ${rfc3339(first_seen).slice(0, 16).replace('T', ' ')} UTC, ${counted(count, 'events')} so far.`]
  if (others !== undefined && pace !== undefined) {
    context.push(`The other ${counted(others, 'devices')} in the role ${device.role} ${others === 1 ? 'is' : 'are'} at ${num(pace)} % of the usual today.`)
  }
  if (campaign !== undefined && campaign !== id) context.push(`It belongs to the campaign that began with alert ${campaign}.`)
  if (state === 'learning') context.push('This device is still being learned, so ordinary firsts may be part of it.')
  if (loss > LOSS) context.push(`The sensor missed ${(100 * loss).toFixed(1)} % of the bytes, so counts may be low.`)
  return context
}
