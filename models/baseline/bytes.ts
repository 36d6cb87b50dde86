/**
 * How many bytes of images a device moves in a day, beside what its studies usually weigh. Sizes are judged per study (log-normal), and a
 * day is the sum of as many as are expected: fitting the day's sum itself would call three times too many days rare (DETECTION 2.2).
 */
import { logNormalSumUpperTail } from './distributions.ts'
import { KEEP } from './counts.ts'

/** Pseudo-studies of the prior spread, and that spread: studies of one scanner differ by a factor of about 2.5 (DETECTION 1.1). */
const PRIOR_WEIGHT = 30
const PRIOR_SIGMA = 0.9
/** Studies that have to be known before anything is judged. */
const ENOUGH = 10
/** A study teaches at most the 99.5 % point of what is known. */
const WINSOR_Z = 2.576
/** An excess matters from this ratio, and this many median studies. */
const RATIO = 1.5
const LEAST_STUDIES = 3
/** Looks get rarer as the day's sum grows. */
const NEXT = 1.05

/** Log sizes of the studies of a device in one direction, forgotten like everything else: weight, mean, and weighted squares around it. */
export interface StudySizes {
  n: number
  mean: number
  squares: number
}

/** The open day in one direction. */
export interface OpenBytes {
  sum: number
  /** Bytes of each study: it counts once. */
  studies: Map<number, number>
  /** The sum from which to look. */
  look: number
}

export interface Excess {
  observed: number
  expected: number
  /** Bytes of a median study. */
  median: number
  p: number
  /** What p was computed from: a sum of so many log-normal sizes. */
  basis: { bytes: number; studies: number; mu: number; sigma: number }
}

export const newOpenBytes = (): OpenBytes => ({ sum: 0, studies: new Map(), look: 0 })
export const newStudySizes = (): StudySizes => ({ n: 0, mean: 0, squares: 0 })

/** Takes a closed day's studies (bytes each) into the sizes. */
export function learnSizes(sizes: StudySizes, studies: Iterable<number>): void {
  sizes.n *= KEEP
  sizes.squares *= KEEP
  for (const bytes of studies) {
    if (!(bytes > 0)) continue
    const x = sizes.n < ENOUGH ? Math.log(bytes) : Math.min(Math.log(bytes), sizes.mean + WINSOR_Z * sigmaOf(sizes))
    sizes.n++
    const step = x - sizes.mean
    sizes.mean += step / sizes.n
    sizes.squares += step * (x - sizes.mean)
  }
}

/** Predictive standard deviation of one study's log size. */
export function sigmaOf(sizes: StudySizes): number {
  const variance = (sizes.squares + PRIOR_WEIGHT * PRIOR_SIGMA ** 2) / (sizes.n + PRIOR_WEIGHT)
  return Math.sqrt(variance * (1 + 1 / Math.max(1, sizes.n)))
}

export const known = (sizes: StudySizes): boolean => sizes.n >= ENOUGH

/**
 * Is the day's sum so far out of proportion? Asked again only after it grew by a twentieth.
 * @param studies how many are expected, or were counted, where their number explains itself
 * @param spread variance of that number over its mean (1 + mean / size for a negative binomial); 0 when it was counted
 */
export function judgeBytes(open: OpenBytes, sizes: StudySizes, studies: number, spread: number): Excess | undefined {
  if (!known(sizes)) return undefined
  const median = Math.exp(sizes.mean)
  const v = sigmaOf(sizes) ** 2
  const expected = studies * median * Math.exp(v / 2)
  const matters = Math.max(RATIO * expected, expected + LEAST_STUDIES * median)
  open.look = Math.max(matters, open.sum * NEXT)
  if (open.sum < matters) return undefined
  // The sum of a random number of sizes has the mean and variance of a sum of `studies` wider ones.
  const wider = Math.sqrt(Math.log(Math.exp(v) + spread))
  const mu = sizes.mean + (v - wider * wider) / 2
  const basis = { bytes: open.sum, studies: Math.max(1, studies), mu, sigma: wider }
  return { observed: open.sum, expected, median, p: logNormalSumUpperTail(basis.bytes, basis.studies, mu, wider), basis }
}
