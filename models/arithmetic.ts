/**
 * How a rarity came about, factor by factor: what a detector multiplies, and what `wardwire baseline explain` computes again. Plain data,
 * so that it travels with the alert and is kept with it.
 */
import { binomialUpperTail, logNormalSumUpperTail, negativeBinomialUpperTail, silenceTail } from './baseline/distributions.ts'
import { dripTail } from './baseline/cusum.ts'
import { newsChance, type MemoryName, type NewsPrior } from './baseline/novelty.ts'

/**
 * A window's count against the device's own rate: P(N >= n), N negative binomial. `observed` is n before what a silence left undone
 * is allowed for; `floor`: the mean is no less, whatever the device's own
 * rate. `rate` a day, learned over so many `days`.
 */
export interface CountFactor { of: 'count'; stream: string; window: 'hour' | 'day'; observed: number; n: number; mean: number; size: number; floor?: number | undefined; rate: number; days: number }
/** The chance that something new of this kind appears on a day: Gamma(a + news, b + days) prior of a rate. */
export interface NewsFactor { of: 'news'; memory: MemoryName; value: string; prior: NewsPrior; news: number; days: number }
/** The share of the role that does not have this habit; of a device without a role nobody is like it. */
export interface OthersFactor { of: 'others'; memory: MemoryName; value: string; users: number; others: number; known: boolean }
/** How much of something new there is on a first day: P(N >= n), N negative binomial. */
export interface AmountFactor { of: 'amount'; n: number; mean: number; size: number }
/** P(at least `hits` of `tries`), each with the chance `share`; with a `size` where hits come in batches: negative binomial about the same mean. No less than `least`, where what makes one a hit makes others hits too. */
export interface ShareFactor { of: 'share'; hits: number; tries: number; share: number; least?: number | undefined; size?: number | undefined }
/** A lasting rise: the chance that the CUSUM of quiet days reaches this level on a day (reciprocal of its average run length). */
export interface DripFactor { of: 'drip'; stream: string; level: number; days: number }
/** Nothing where so much was to come: P(N = 0), N negative binomial. */
export interface SilenceFactor { of: 'silence'; mean: number; size: number }
/** A fixed weight, and why. */
export interface WeightFactor { of: 'weight'; why: string; times: number }
/** No claim beyond this, and why. */
export interface CapFactor { of: 'cap'; why: string; least: number }

/** A day's bytes: P(sum of so many studies >= bytes), each log-normal; `seen` so far, learned over so many `days`; `median` is that of the device's own studies. */
export interface SumFactor { of: 'sum'; bytes: number; studies: number; mu: number; sigma: number; median?: number | undefined; seen: number; days: number }

export type Factor = SumFactor | CountFactor | NewsFactor | OthersFactor | AmountFactor | ShareFactor | DripFactor | SilenceFactor | WeightFactor | CapFactor

/** The number that a factor contributes; a cap contributes none. */
export function valueOf(factor: Factor): number {
  switch (factor.of) {
    case 'count':
    case 'amount': return negativeBinomialUpperTail(factor.n, factor.mean, factor.size)
    case 'news': return newsChance(factor.news, factor.prior, factor.days)
    case 'others': return 1 - popularityOf(factor)
    case 'share': return Math.max(factor.least ?? 0, factor.size === undefined ? binomialUpperTail(factor.hits, factor.tries, factor.share) : negativeBinomialUpperTail(factor.hits, factor.share * factor.tries, factor.size))
    case 'sum': return logNormalSumUpperTail(factor.bytes, factor.studies, factor.mu, factor.sigma)
    case 'drip': return dripTail(factor.level)
    case 'silence': return silenceTail(factor.mean, factor.size)
    case 'weight': return factor.times
    case 'cap': return 1
  }
}

/** Share of the role that has the habit, with a fifth of a device added. */
function popularityOf({ users, others, known }: Pick<OthersFactor, 'users' | 'others' | 'known'>): number {
  return ((known ? users : 0) + 0.2) / (others + 1)
}

/** Nothing is impossible: what is rarer is told as this, which every format of numbers still holds with all its digits. */
const RAREST = 1e-300

/** The rarity that factors make together: their product, and no less than a cap among them. */
export function rarityOf(factors: readonly Factor[]): number {
  let p = 1
  for (const factor of factors) p *= valueOf(factor)
  for (const factor of factors) if (factor.of === 'cap') p = Math.max(p, factor.least)
  return Math.max(p, RAREST)
}
