/**
 * Robust summaries of a handful of values (the days of a window, the devices of a role): the home of `simple-statistics`, which is right
 * for medians and quantiles. Its distributions are not used anywhere: they end at 1e-3 or 1e-4 (the tests show it); tails come from
 * `distributions.ts`. Its functions throw on nothing, and on NaN they depend on the order of the values; these do neither: values that
 * are not finite are left out, and of no values the answer is undefined. Values are meant to be below 1e150.
 *
 * All of them sort or copy: for windows and reports, not for each event.
 */
import { median as medianOf, medianAbsoluteDeviation, quantile as quantileOf } from 'simple-statistics'

/** Makes the median absolute deviation of normal values their standard deviation: 1 / normalQuantile(3/4). */
const MAD_TO_SIGMA = 1.482602218505602
/** The same for the mean absolute deviation: sqrt(pi / 2). */
const MEAN_DEVIATION_TO_SIGMA = 1.2533141373155003

/** The median, or undefined of no values. */
export function median(values: readonly number[]): number | undefined {
  const known = finite(values)
  return known.length === 0 ? undefined : medianOf(known)
}

/**
 * A quantile, interpolated between neighbours where it falls between two; undefined of no values.
 * @param p 0 (the least) to 1 (the greatest); outside it is the nearer end
 */
export function quantile(values: readonly number[], p: number): number | undefined {
  const known = finite(values)
  return known.length === 0 || Number.isNaN(p) ? undefined : quantileOf(known, Math.min(1, Math.max(0, p)))
}

/**
 * The share of values below `x`, those equal to it counted half (0.5 of a list of equals); undefined of no values. Our own: the library's
 * rank of a value depends on how often it occurs (2 in [1, 2, 3] is 0.67, in [1, 2, 2, 2, 3] 0.6).
 */
export function rank(values: readonly number[], x: number): number | undefined {
  const known = finite(values)
  if (known.length === 0 || Number.isNaN(x)) return undefined
  let below = 0
  for (const value of known) below += value < x ? 1 : value === x ? 0.5 : 0
  return below / known.length
}

/**
 * The standard deviation that the middle of the values suggests, whatever their outliers. From the median absolute deviation; that is 0
 * as soon as more than half of the values are equal, which sparse streams always are, and then from the mean absolute deviation.
 * @param floor the least to answer, > 0: the unit in which a difference begins to matter. Equal values, and none, give it
 */
export function robustSigma(values: readonly number[], floor: number): number {
  const known = finite(values)
  if (known.length === 0) return floor
  const mad = medianAbsoluteDeviation(known)
  if (mad > 0) return Math.max(floor, MAD_TO_SIGMA * mad)
  const centre = medianOf(known)
  let sum = 0
  for (const value of known) sum += Math.abs(value - centre)
  return Math.max(floor, (MEAN_DEVIATION_TO_SIGMA * sum) / known.length)
}

/** How many robust standard deviations `x` lies above the median; 0 when there are no values. Never divides by zero while floor > 0. */
export function robustDeviate(x: number, values: readonly number[], floor: number): number {
  const centre = median(values)
  return centre === undefined || Number.isNaN(x) ? 0 : (x - centre) / robustSigma(values, floor)
}

function finite(values: readonly number[]): number[] {
  return values.filter(Number.isFinite)
}
