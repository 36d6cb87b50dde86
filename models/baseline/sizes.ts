/** How large something is: log-normal sizes with forgetting, judged by Student's predictive so that few observations stay cautious. */
import { logStudentUpperTail } from './distributions.ts'

/** Pseudo-observations of the prior, and the weight given to its spread. */
const PRIOR_MEAN = 5
const PRIOR_SPREAD = 30
/** The memory in observations: old ones fade beyond it. */
const MEMORY = 2000

export interface Sizes {
  n: number
  /** Mean and summed squares of log(size). */
  mean: number
  squares: number
}

export const newSizes = (): Sizes => ({ n: 0, mean: 0, squares: 0 })

export function learnSize(sizes: Sizes, bytes: number): void {
  if (!(bytes > 0)) return
  if (sizes.n >= MEMORY) {
    sizes.squares *= (MEMORY - 1) / sizes.n
    sizes.n = MEMORY - 1
  }
  const x = Math.log(bytes)
  sizes.n++
  const step = x - sizes.mean
  sizes.mean += step / sizes.n
  sizes.squares += step * (x - sizes.mean)
}

/** Median in bytes. */
export const medianSize = (sizes: Sizes): number => Math.exp(sizes.mean)

/** P(size >= bytes); sigma0: the prior's standard deviation of log(size). Before five observations nothing is judged. */
export function sizeTail(sizes: Sizes, bytes: number, sigma0: number): number {
  if (sizes.n < PRIOR_MEAN || !(bytes > 0)) return 1
  const variance = (sizes.squares + PRIOR_SPREAD * sigma0 * sigma0) / (sizes.n + PRIOR_SPREAD)
  return Math.exp(logStudentUpperTail(Math.log(bytes), sizes.mean, Math.sqrt(variance * (1 + 1 / sizes.n)), sizes.n + PRIOR_SPREAD))
}
