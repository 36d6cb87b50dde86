/**
 * Tails of the distributions that the models believe in: "how rare is this, or something more extreme". A tail has a plain form, or
 * one in natural logarithms, `log...`, that goes on where a double ends (p < 1e-300), or both: as they are asked for.
 *
 * Common to all of them:
 * - they answer 0 <= p <= 1 (or log p <= 0), never NaN, and throw nothing;
 * - outside its domain, or given NaN, a tail is 1: a number that cannot be judged is no evidence;
 * - an upper tail includes the observed value, P(X >= x), so a p-value is valid (never too small) for counts too;
 * - no clock, no state, no allocation; about 0.2-0.6 us for the counts of a hospital (below 1e4), some microseconds at 1e6.
 *
 * Accuracy: relative error below 1e-9 for p down to 1e-300 and, in logarithms, below (test/models/baseline/vectors).
 */
import { gammaP, incompleteBeta, log1mExp, logGammaP, logGammaQ, logIncompleteBeta, logNormalTail, normalUpperQuantile } from './special.ts'

// ---- counts

/**
 * Counts end here: a larger one is judged as this one (which only errs to caution) and a larger mean can't be judged. It keeps
 * what a hostile number costs to some milliseconds, and 1e-9 of accuracy.
 */
const LARGEST_COUNT = 1e9
/** From this size on a negative binomial is Poisson to the last digit; and below the other, where digits get lost, it is judged as that. */
const POISSON_SIZE = 1e100
const SMALLEST_SIZE = 1e-6

/**
 * P(X >= n) of a negative binomial count: a Poisson count whose rate varies as a Gamma, variance = mean + mean^2/size.
 * @param n the count, any real (P(X >= 2.5) is P(X >= 3)); n <= 0 gives 1
 * @param mean expected count, 0 <= mean <= 1e9; at 0 only the count 0 is possible
 * @param size 0 < size; small is bursty, Infinity is Poisson
 */
export function negativeBinomialUpperTail(n: number, mean: number, size: number): number {
  const k = Math.min(Math.ceil(n), LARGEST_COUNT)
  if (!(k > 0 && mean >= 0 && mean <= LARGEST_COUNT && size > 0)) return 1
  if (mean === 0) return 0
  if (size >= POISSON_SIZE) return gammaP(k, mean)
  const r = Math.max(size, SMALLEST_SIZE)
  return incompleteBeta(k, r, mean / (mean + r), r / (mean + r))
}

/** log P(X >= n); parameters as `negativeBinomialUpperTail`. */
export function logNegativeBinomialUpperTail(n: number, mean: number, size: number): number {
  const k = Math.min(Math.ceil(n), LARGEST_COUNT)
  if (!(k > 0 && mean >= 0 && mean <= LARGEST_COUNT && size > 0)) return 0
  if (mean === 0) return -Infinity
  if (size >= POISSON_SIZE) return logGammaP(k, mean)
  const r = Math.max(size, SMALLEST_SIZE)
  return logIncompleteBeta(k, r, mean / (mean + r), r / (mean + r))
}

/** log P(X <= n), "as few as this"; n < 0 gives -Infinity, n >= 1e9 gives 0; else as `negativeBinomialUpperTail`. */
export function logNegativeBinomialLowerTail(n: number, mean: number, size: number): number {
  const k = Math.floor(n) + 1
  if (!(k <= LARGEST_COUNT && mean >= 0 && mean <= LARGEST_COUNT && size > 0)) return 0
  if (k <= 0) return -Infinity
  if (mean === 0) return 0
  if (size >= POISSON_SIZE) return logGammaQ(k, mean)
  const r = Math.max(size, SMALLEST_SIZE)
  return logIncompleteBeta(r, k, r / (mean + r), mean / (mean + r))
}

/**
 * log of the mid-p value P(X > n) + P(X = n)/2 of a count: uniform on average under the baseline, where P(X >= n) is too large for small
 * counts. For sums over many days (CUSUM), not for an alert of its own. Parameters as `negativeBinomialUpperTail`.
 */
export function logNegativeBinomialMidP(n: number, mean: number, size: number): number {
  return logMean(logNegativeBinomialUpperTail(n, mean, size), logNegativeBinomialUpperTail(n + 1, mean, size))
}

/**
 * The mid-p value as a standard normal deviate: 0 is the middle of the baseline, +3 is rarely so many, -3 rarely so few. Exact in both
 * tails; +-Infinity for the impossible. What can't be judged gives 0. Parameters as `negativeBinomialUpperTail`, n >= 0.
 */
export function negativeBinomialScore(n: number, mean: number, size: number): number {
  if (!(n >= 0 && mean >= 0 && size > 0)) return 0
  const upper = logNegativeBinomialMidP(n, mean, size)
  if (upper < -Math.LN2) return normalUpperQuantile(upper)
  const lower = logMean(logNegativeBinomialLowerTail(n, mean, size), logNegativeBinomialLowerTail(n - 1, mean, size))
  return 0 - normalUpperQuantile(Math.min(0, lower))
}

/** log((e^a + e^b) / 2) for logarithms a, b of probabilities. */
function logMean(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high)) - Math.LN2
}

/**
 * The smallest n with P(X >= n) < p: a count that reaches it is rarer than p. Computed once per window, it lets a crossing fire on the
 * event itself. Above 1e9 it is Infinity.
 * @param p 0 < p; above 1 gives 0 (any count), 0 or less gives Infinity (none)
 * @param mean, size as `negativeBinomialUpperTail`; outside the domain gives Infinity: what can't be judged never crosses
 */
export function negativeBinomialCritical(p: number, mean: number, size: number): number {
  if (!(p > 0 && mean >= 0 && mean <= LARGEST_COUNT && size > 0)) return Infinity
  if (p > 1) return 0
  if (mean === 0) return 1
  if (p >= SUMMED_P && mean <= SUMMED_MEAN && mean <= SUMMED_RATIO * size) return criticalBySum(p, mean, size)
  const goal = Math.log(p)
  // Invariant: P(X >= low) >= p > P(X >= high). The logarithm of the tail is nearly straight far out, so a secant closes in at once;
  // every other step bisects, so that no shape of tail makes it slow.
  let low = 0
  let atLow = 0
  let width = 4 * Math.sqrt(mean + (mean / size) * mean) + 4
  let high = Math.min(LARGEST_COUNT, Math.ceil(mean + width))
  let atHigh = logNegativeBinomialUpperTail(high, mean, size)
  while (atHigh >= goal) {
    if (high >= LARGEST_COUNT) return Infinity
    low = high
    atLow = atHigh
    width *= 2
    high = Math.min(LARGEST_COUNT, Math.ceil(high + width))
    atHigh = logNegativeBinomialUpperTail(high, mean, size)
  }
  for (let step = 0; high - low > 1; step++) {
    const guess = (step & 1) === 0 ? low + (high - low) * ((atLow - goal) / (atLow - atHigh)) : low + (high - low) / 2
    const middle = Math.min(high - 1, Math.max(low + 1, Math.round(guess)))
    const at = logNegativeBinomialUpperTail(middle, mean, size)
    if (at < goal) {
      high = middle
      atHigh = at
    } else {
      low = middle
      atLow = at
    }
  }
  return high
}

/** Counts of a window are small and its threshold is no far tail: adding up what is likelier is exact enough there, and quicker. */
const SUMMED_P = 1e-4
const SUMMED_MEAN = 200
/** Of mean to size: beyond it the tail is long. */
const SUMMED_RATIO = 50

/** `negativeBinomialCritical`, by adding up P(X = 0), P(X = 1) ... until less than p is left. */
function criticalBySum(p: number, mean: number, size: number): number {
  const isPoisson = size >= POISSON_SIZE
  const r = Math.max(size, SMALLEST_SIZE)
  const q = mean / (mean + r)
  let term = isPoisson ? Math.exp(-mean) : Math.exp(-r * Math.log1p(mean / r))
  let left = 1
  let n = 0
  while (left >= p) {
    left -= term
    term *= isPoisson ? mean / (n + 1) : (q * (r + n)) / (n + 1)
    n++
  }
  return n
}

/**
 * P(X >= k) of k successes in n independent trials.
 * @param k any real; k <= 0 gives 1, k > n gives 0
 * @param n trials, 0 <= n <= 1e9 (its whole part counts)
 * @param p chance of each, 0..1
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  return Math.exp(logBinomialUpperTail(k, n, p))
}

/** log P(X >= k) of a binomial count. */
export function logBinomialUpperTail(k: number, n: number, p: number): number {
  const hits = Math.ceil(k)
  const trials = Math.floor(n)
  if (!(hits > 0 && trials >= 0 && trials <= LARGEST_COUNT && p >= 0 && p <= 1)) return 0
  if (hits > trials || p === 0) return -Infinity
  return p === 1 ? 0 : logIncompleteBeta(hits, trials - hits + 1, p)
}

/**
 * The chance that something new (a peer, a service ...) appears today: news come as a Poisson process whose rate is Gamma(a, b), so
 * 1 - (b/(b+1))^a.
 * @param a news seen, prior included, a >= 0; 0 gives 0 (news are impossible: be sure to give a prior)
 * @param b days observed, prior included, b >= 0; 0 gives 1
 */
export function gammaPoissonNovelty(a: number, b: number): number {
  if (!(a >= 0 && a < Infinity && b >= 0)) return 1
  if (a === 0) return 0
  return b === 0 ? 1 : -Math.expm1(-a * Math.log1p(1 / b))
}

// ---- sizes

/**
 * log P(X >= x) of a log-normal size.
 * @param x the size (bytes); x <= 0 gives 0
 * @param mu, sigma mean and standard deviation of log(size), sigma >= 0 (0: all sizes are e^mu)
 */
export function logLogNormalUpperTail(x: number, mu: number, sigma: number): number {
  return logNormalTail(logNormalDeviate(x, mu, sigma))
}

/** (log x - mu) / sigma, or -Infinity (tail 1) where there is nothing to judge. */
function logNormalDeviate(x: number, mu: number, sigma: number): number {
  if (!(x > 0 && sigma >= 0) || Number.isNaN(mu)) return -Infinity
  return standardised(Math.log(x), mu, sigma)
}

/** (x - location) / scale; a scale of 0 is a point mass, whose upper tail includes its own value. NaN becomes -Infinity. */
function standardised(x: number, location: number, scale: number): number {
  if (x === location) return scale === 0 ? -Infinity : 0
  const z = (x - location) / scale
  return Number.isNaN(z) ? -Infinity : z
}

/** Above this tail the one large size is not asked for: it answers where a sum is extreme, not in its middle. */
const LOG_EXTREME = Math.log(0.1)
/** A sigma^2 from which a sum is its largest part, and the third moment would leave the range of a double. */
const LARGEST_VARIANCE = 400

/**
 * P(S >= x) of the sum of n independent log-normal sizes (a day's bytes): the larger of two answers, each right in its place.
 * - A shifted log-normal with the first three moments of the sum, for sums that are large in many parts. (With two moments,
 *   Fenton-Wilkinson, the tail is too thin: at n = 31, sigma = 0.9 it calls a 1e-4 day 5e-6.)
 * - One large size on top of n - 1 average ones, for sums that are large in one: all far tails end so.
 *
 * Within a factor of 2 of the truth for n = 1..200, sigma = 0.3..2 and p = 0.1..1e-5 (test/models/baseline/vectors); n = 1 is exact.
 * @param x the sum; x <= 0 gives 1
 * @param n how many, n >= 0 (rounded up); 0 gives a sum of 0
 * @param mu, sigma of the logarithm of one size, sigma >= 0 (0: all sizes are e^mu)
 */
export function logNormalSumUpperTail(x: number, n: number, mu: number, sigma: number): number {
  return Math.exp(logLogNormalSumUpperTail(x, n, mu, sigma))
}

/** log P(S >= x) of the sum of n log-normal sizes. */
export function logLogNormalSumUpperTail(x: number, n: number, mu: number, sigma: number): number {
  if (!(x > 0 && n >= 0 && n < Infinity && sigma >= 0) || Number.isNaN(mu)) return 0
  if (n === 0) return -Infinity
  const parts = Math.ceil(n)
  const v = sigma * sigma
  // In units of e^mu from here on.
  const sum = Math.exp(Math.log(x) - mu)
  const mean = Math.exp(v / 2)
  const one = Math.min(LOG_EXTREME, logSidak(logLogNormalUpperTail(sum - (parts - 1) * mean, 0, sigma), parts))
  return v > LARGEST_VARIANCE ? one : Math.max(one, logShiftedTail(sum, parts, v))
}

/** log P(S >= sum) of n log-normal sizes with mu = 0 and sigma^2 = v, by the shifted log-normal of the same mean, variance and skewness. */
function logShiftedTail(sum: number, n: number, v: number): number {
  const w = Math.expm1(v)
  const d = standardised(sum, n * Math.exp(v / 2), Math.sqrt(n * w * (w + 1)))
  const skewness = (w + 3) * Math.sqrt(w / n)
  // A log-normal of this skewness has e^(s^2) - 1 = c^2: the real root of its cubic, as a hyperbolic sine.
  const c = 2 * Math.sinh(Math.asinh(skewness / 2) / 3)
  if (c === 0 || !Number.isFinite(d)) return logNormalTail(d)
  const root = Math.sqrt(1 + c * c)
  const z = d * c * root + (c * c) / (1 + root)
  return z <= -1 ? 0 : logNormalTail(Math.log1p(z) / Math.sqrt(Math.log1p(c * c)))
}

// ---- several tests

/**
 * 1 - (1-p)^m: the chance that the smallest of m independent p-values is p or less (Sidak), exact for tiny p.
 * @param m number of tests, >= 0, need not be whole (an effective number)
 */
export function sidak(p: number, m: number): number {
  if (!(p >= 0 && p < 1 && m >= 0)) return 1
  return m === 0 || p === 0 ? 0 : -Math.expm1(m * Math.log1p(-p))
}

/** log of `sidak`, from log p: it goes on where p is no longer a double. */
export function logSidak(logP: number, m: number): number {
  if (!(logP < 0 && m >= 0)) return 0
  if (logP === -Infinity || m === 0) return -Infinity
  // Below 1e-300, (1-p)^m is 1 - m p to all digits unless m is astronomic, and then the bound m p is 1 anyway.
  return logP < -690 ? Math.min(0, logP + Math.log(m)) : log1mExp(m * log1mExp(logP))
}

/** P(N = 0), N negative binomial with this mean and size: that nothing comes where so much is expected. */
export const silenceTail = (mean: number, size: number): number => (mean > 0 && size > 0 ? Math.exp(-size * Math.log1p(mean / size)) : 1)
