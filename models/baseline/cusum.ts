/**
 * One-sided CUSUM: finds a small lasting rise that no single day shows (a drip). It adds up how far each day's deviate lies above an
 * allowance, forgets everything whenever that falls to zero, and crosses when the sum reaches a threshold.
 *
 * Deviates are standard normal under the baseline: the probit of the day's mid-p value (`negativeBinomialScore`). They are clipped, so
 * that one wild day alone (which the volume detectors see) never makes a crossing.
 */

export interface CusumOptions {
  /** The allowance, in standard deviations: half of the lasting rise one wants to find. */
  k: number
  /** The threshold, in standard deviations. */
  h: number
  /** A deviate counts as at most this, up or down. */
  clip: number
}

/** A rise of half a standard deviation, one false crossing in about 740 quiet days of a stream (`averageRunLength`). */
export const DRIP: Readonly<CusumOptions> = { k: 0.25, h: 8, clip: 3 }

/** What is kept of one stream: plain numbers, as saved. */
export interface CusumState {
  level: number
  /** Steps since the sum last was zero: how long the rise has lasted, and so since when. */
  run: number
}

export class Cusum {
  readonly #options: Readonly<CusumOptions>
  #level: number
  #run: number

  /** @param state its `level` and `run` before; absent, or not numbers of at least 0: starts at zero. */
  constructor(options: Readonly<CusumOptions> = DRIP, state?: Readonly<CusumState>) {
    this.#options = options
    const valid = state !== undefined && state.level >= 0 && state.run >= 0
    this.#level = valid ? state.level : 0
    this.#run = valid ? state.run : 0
  }

  /**
   * Takes the next deviate (NaN: a day that can't be judged, left out) and answers whether the sum has now reached the threshold. After
   * a crossing `level` and `run` tell about it until the next `add`, which starts from zero.
   */
  add(deviate: number): boolean {
    const { k, h, clip } = this.#options
    if (Number.isNaN(deviate)) return false
    if (this.#level >= h) this.reset()
    this.#level = Math.max(0, this.#level + Math.min(clip, Math.max(-clip, deviate)) - k)
    this.#run = this.#level === 0 ? 0 : this.#run + 1
    return this.#level >= h
  }

  /** The sum, in standard deviations. */
  get level(): number {
    return this.#level
  }

  /** Days that the present rise has lasted; 0 while there is none. */
  get run(): number {
    return this.#run
  }

  reset(): void {
    this.#level = 0
    this.#run = 0
  }
}

/**
 * Days until a CUSUM crosses, on average, when the deviates are normal with mean `shift` (Siegmund's approximation, "Sequential
 * Analysis", 1985, 2.6; within a few percent). At shift 0 its reciprocal is the chance of a false crossing a day, and so the p-value of
 * a crossing at level h.
 */
export function averageRunLength(k: number, h: number, shift = 0): number {
  const drift = shift - k
  const b = h + 1.166
  return Math.abs(drift) < 1e-6 ? b * b : (Math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift)
}

/** A lasting rise of a stream, as the device remembers it. */
export interface Drip extends CusumState {
  /** Counted and expected since the rise began. */
  observed: number
  expected: number
  /** It was looked at and waits to be told with the device's next event. */
  open: boolean
}

/** Chance that a quiet stream reaches this level on a day. */
export const dripTail = (level: number): number => Math.min(1, 1 / averageRunLength(DRIP.k, level))
