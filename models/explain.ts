/**
 * The arithmetic of an alert, computed again: each factor from the numbers that the alert carries, and from the baseline as it is now. Pure:
 * the command line prints what comes out.
 */
import type { Alert, AlertEvidence, EvidenceGroup } from './alert.ts'
import { rarityOf, valueOf, type CountFactor, type Factor, type NewsFactor } from './arithmetic.ts'
import { LOOK, compare, dayMean, hourMean, type CountStream } from './baseline/counts.ts'
import { SiteClock, dayOf } from './clock.ts'
import type { Device } from './device.ts'
import { num } from './detectors/detector.ts'
import { groupP, surprise } from './standing.ts'
import type { Site } from './site.ts'
import { STREAMS } from './streams.ts'

export interface ExplainedFactor {
  /** In words and formula. */
  text: string
  value: number
  /** By the baseline of now; null where it has nothing to say about this. */
  now: number | null
}

export interface ExplainedEvidence {
  detector: string
  group: EvidenceGroup
  text: string
  observed: number | null
  expected: number | null
  unit: string | null
  /** As the alert says, and from the factors; null for rules. */
  p: number | null
  computed: number | null
  factors: ExplainedFactor[]
  /** Corrected for the tests its group makes, and what it adds to the score. */
  group_p: number | null
  surprise: number | null
  /** The factors under the baseline of now. */
  p_now: number | null
  /** Do the numbers agree with each other? */
  agrees: boolean
  /** Would it be evidence today? */
  holds: boolean
}

export interface ExplainedAlert {
  alert: Alert
  evidence: ExplainedEvidence[]
  /** Sum of the groups' surprises. It is the alert's score when all came within a short time; surprise fades with a half-life of a day. */
  surprise: number
}

/** Rarer than this is evidence: of counts, and of everything else. */
const RARER = { count: LOOK, other: 1e-2 } as const
/** Computed twice by the same functions, numbers agree to this. */
const AGREE = 1e-9

export function explain(alert: Alert, devices: ReadonlyMap<string, Device>, site: Site): ExplainedAlert {
  const clock = new SiteClock(site.calendar.tz)
  const evidence = alert.evidence.map((one) => explainOne(one, alert, devices, site, clock))
  const best = new Map<EvidenceGroup, number>()
  for (const one of evidence) if (one.surprise !== null) best.set(one.group, Math.max(best.get(one.group) ?? 0, one.surprise))
  return { alert, evidence, surprise: [...best.values()].reduce((sum, x) => sum + x, 0) }
}

function explainOne(one: AlertEvidence, alert: Alert, devices: ReadonlyMap<string, Device>, site: Site, clock: SiteClock): ExplainedEvidence {
  const { detector, group, text, observed, expected, unit, p } = one
  const known = { detector, group, text, observed, expected, unit, p }
  const factors = one.arithmetic ?? []
  if (p === null || factors.length === 0) {
    return { ...known, computed: null, factors: [], group_p: null, surprise: null, p_now: null, agrees: true, holds: p === null }
  }
  const judged = [devices.get(one.actor ?? alert.device.id), devices.get(one.peer ?? '')].filter((device) => device !== undefined)
  const explained = factors.map((factor) => explainFactor(factor, one, judged, site, clock))
  const computed = rarityOf(factors)
  let now = 1
  for (const factor of explained) now *= factor.now ?? factor.value
  // What is a habit now is not looked at any more, whatever there was of it on its first day.
  if (factors.some((factor, i) => factor.of === 'news' && explained[i]!.now === 1)) now = 1
  for (const factor of factors) if (factor.of === 'cap') now = Math.max(now, factor.least)
  const look = factors.some((factor) => factor.of === 'count') ? RARER.count : RARER.other
  return {
    ...known, computed, factors: explained, group_p: groupP(group, p), surprise: surprise(group, p), p_now: now,
    agrees: Math.abs(computed - p) <= AGREE * p, holds: now <= look,
  }
}

function explainFactor(factor: Factor, one: AlertEvidence, judged: Device[], site: Site, clock: SiteClock): ExplainedFactor {
  const value = valueOf(factor)
  switch (factor.of) {
    case 'count': {
      const { mean, size, n, window } = factor
      const allowed = factor.observed - n
      return {
        text: `${streamName(factor.stream)} in this ${window}: P(N >= ${num(n)}), N negative binomial with mean ${num(mean)} and size ${num(size)}`
          + `${allowed > 0 ? ` (${num(factor.observed)} less ${num(allowed)} that a silence had left undone)` : ''}`,
        value, now: countNow(factor, one, judged, site, clock),
      }
    }
    case 'news': {
      const a = factor.prior.a + factor.news
      const b = factor.prior.b + factor.days
      return {
        text: `chance of a new ${factor.memory} on a day: 1 - (b/(b+1))^a with a = ${num(factor.prior.a)} + ${num(factor.news)} = ${num(a)}, `
          + `b = ${num(factor.prior.b)} + ${num(factor.days)} = ${num(b)}`,
        value, now: newsNow(factor, judged),
      }
    }
    case 'others': {
      const device = judged.find(({ memories }) => memories[factor.memory].known.has(factor.value)) ?? judged[0]
      return {
        text: `share of its role without this ${factor.memory}: 1 - (${factor.known ? factor.users : 0} + 0.2)/(${factor.others} + 1)`,
        value, now: device === undefined ? null : 1 - site.popularity(device, factor.memory, factor.value).q,
      }
    }
    case 'amount':
      return { text: `so much on a first day: P(N >= ${num(factor.n)}), N negative binomial with mean ${num(factor.mean)} and size ${num(factor.size)}`, value, now: null }
    case 'share':
      return { text: `P(at least ${factor.hits} of ${factor.tries}), each with chance ${num(factor.share)}${factor.size === undefined ? '' : `, in batches (negative binomial with size ${num(factor.size)})`}${factor.least === undefined ? '' : `, but no less than ${num(factor.least)}`}`, value, now: null }
    case 'drip':
      return { text: `CUSUM at level ${num(factor.level)} after ${num(factor.days)} days: 1 / its average run length on quiet days`, value, now: null }
    case 'silence':
      return { text: `nothing came: P(N = 0), N negative binomial with mean ${num(factor.mean)} and size ${num(factor.size)}`, value, now: null }
    case 'sum':
      return {
        text: `so many bytes of ${num(factor.studies)} studies: P(sum >= ${num(factor.bytes / 1e6)} MB), each log-normal with median ${num(Math.exp(factor.mu) / 1e6)} MB and log-sd ${num(factor.sigma)}`,
        value, now: null,
      }
    case 'weight': return { text: factor.why, value, now: null }
    case 'cap': return { text: `no claim below ${factor.least.toExponential(1)}: ${factor.why}`, value, now: null }
  }
}

const streamName = (stream: string): string =>
  stream.startsWith('trigger/') ? `${stream.slice('trigger/'.length)} messages sent` : Object.hasOwn(STREAMS, stream) ? STREAMS[stream as keyof typeof STREAMS].unit : stream

/** The same count against what the stream expects of that window now. */
function countNow(factor: CountFactor, one: AlertEvidence, judged: Device[], site: Site, clock: SiteClock): number | null {
  for (const device of judged) {
    const stream: CountStream | undefined = factor.stream.startsWith('trigger/')
      ? device.triggers.get(factor.stream.slice('trigger/'.length)) : device.streams.get(factor.stream)
    if (stream === undefined) continue
    const hour = clock.hour(one.at)
    const pace = site.pace(device)
    const mean = factor.window === 'hour' ? hourMean(stream, hour, pace) : dayMean(stream, dayOf(hour), pace)
    return compare(stream, factor.window, factor.observed, Math.max(mean, factor.floor ?? 0), pace.piles, (factor.observed - factor.n) / 1.5).p
  }
  return null
}

/** A value that is part of the baseline now is no news. */
function newsNow(factor: NewsFactor, judged: Device[]): number | null {
  const device = judged.find(({ memories }) => memories[factor.memory].known.has(factor.value))
  if (device === undefined) return null
  const memory = device.memories[factor.memory]
  if (memory.known.get(factor.value)!.settled) return 1
  return valueOf({ ...factor, news: memory.news, days: device.lived })
}
