/**
 * How many bytes of images a device moves in a day, beside what its studies usually weigh. Sizes are judged per study (log-normal), and a
 * day is the sum of as many as are expected: fitting the day's sum itself would call three times too many days rare (DETECTION 2.2).
 */
import { logNormalSumUpperTail } from './distributions.ts'
import { KEEP, LOOK } from './counts.ts'

/** Pseudo-studies of the prior spread, and that spread: studies of one scanner differ by a factor of about 2.5 (DETECTION 1.1). */
const PRIOR_WEIGHT = 30
const PRIOR_SIGMA = 0.9
/** Studies that have to be known before anything is judged. */
const ENOUGH = 10
/** A study teaches at most the 99.5 % point of what is known. */
const WINSOR_Z = 2.576
/** And the sizes themselves at most the 99.95 % point: the large ones among many small are what they are kept for. */
const PLAIN_Z = 3.29
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
  /** The same of the sizes themselves: weight, sum, and sum of squares; absent: learned before they were kept. */
  plain?: { n: number; sum: number; squares: number }
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
  const plain = sizes.plain ??= { n: 0, sum: 0, squares: 0 }
  plain.n *= KEEP
  plain.sum *= KEEP
  plain.squares *= KEEP
  for (const bytes of studies) {
    if (!(bytes > 0)) continue
    const log = Math.log(bytes)
    const atMost = (z: number): number => (sizes.n < ENOUGH ? log : Math.min(log, sizes.mean + z * sigmaOf(sizes)))
    const [x, taught] = [atMost(WINSOR_Z), Math.exp(atMost(PLAIN_Z))]
    sizes.n++
    const step = x - sizes.mean
    sizes.mean += step / sizes.n
    sizes.squares += step * (x - sizes.mean)
    plain.n++
    plain.sum += taught
    plain.squares += taught * taught
  }
}

/** Predictive standard deviation of one study's log size. */
export function sigmaOf(sizes: StudySizes): number {
  const variance = (sizes.squares + PRIOR_WEIGHT * PRIOR_SIGMA ** 2) / (sizes.n + PRIOR_WEIGHT)
  return Math.sqrt(variance * (1 + 1 / Math.max(1, sizes.n)))
}

/**
 * The log-normal that a day's studies are drawn from. Who sends studies of two kinds (a gateway: some radiographs, few tomographies) has
 * more weight in the few large ones than the logarithms know, so their sum varies by the sizes' own spread where that is the wider.
 */
function sizeOf(sizes: StudySizes): { mu: number; sigma: number } {
  const one = { mu: sizes.mean, sigma: sigmaOf(sizes) }
  const { plain } = sizes
  if (plain === undefined || plain.n < ENOUGH) return one
  const mean = plain.sum / plain.n
  const v = Math.log(plain.squares / plain.n / (mean * mean))
  return v > one.sigma ** 2 ? { mu: Math.log(mean) - v / 2, sigma: Math.sqrt(v) } : one
}

/** Are so many bytes of so many studies more than these usually weigh? */
export function unusualFor(sizes: StudySizes, bytes: number, studies: number): boolean {
  const { mu, sigma } = sizeOf(sizes)
  return logNormalSumUpperTail(bytes, Math.max(1, studies), mu, sigma) < LOOK
}

const known = (sizes: StudySizes): boolean => sizes.n >= ENOUGH

/**
 * Is the day's sum so far out of proportion? Asked again only after it grew by a twentieth.
 * @param studies how many are expected, or were counted, where their number explains itself
 * @param spread variance of that number over its mean (1 + mean / size for a negative binomial); 0 when it was counted
 */
export function judgeBytes(open: OpenBytes, sizes: StudySizes, studies: number, spread: number): Excess | undefined {
  if (!known(sizes)) return undefined
  const median = Math.exp(sizes.mean)
  const one = sizeOf(sizes)
  const v = one.sigma ** 2
  const expected = studies * Math.exp(one.mu + v / 2)
  const matters = Math.max(RATIO * expected, expected + LEAST_STUDIES * median)
  open.look = Math.max(matters, open.sum * NEXT)
  if (open.sum < matters) return undefined
  // The sum of a random number of sizes has the mean and variance of a sum of `studies` wider ones.
  const wider = Math.sqrt(Math.log(Math.exp(v) + spread))
  const mu = one.mu + (v - wider * wider) / 2
  const basis = { bytes: open.sum, studies: Math.max(1, studies), mu, sigma: wider }
  return { observed: open.sum, expected, median, p: logNormalSumUpperTail(basis.bytes, basis.studies, mu, wider), basis }
}
