/**
 * Bounded summaries of streams that have no bound: `LogHistogram` answers quantiles of sizes, `DistinctCounter` how many different
 * values there were. Both are saved as JSON and come back the same to the last bit, so a run in two parts sees what one run sees.
 */

// ---- sizes

export interface LogHistogramOptions {
  /** Relative error of a quantile, 0 < accuracy < 1. */
  accuracy: number
  /** Bins kept, 8 bytes each. At 1 % error 512 bins span a factor of 28,000 between the least and the greatest. */
  bins: number
}

const SIZES: Readonly<LogHistogramOptions> = { accuracy: 0.01, bins: 512 }

/** Decayed weights are kept in whole millionths of an observation, rounded down: short when saved, and gone in the end. */
const PARTS = 1e6

export interface LogHistogramState {
  accuracy: number
  /** Weight of the values 0. */
  zeros: number
  /** Index and weight of each bin in use, by rising index, one after the other: i0, w0, i1, w1, ... */
  bins: number[]
}

/**
 * A histogram with bins of equal ratio: each quantile is within `accuracy` of a true one (as DDSketch: Masson, Rim, Lee, VLDB 2019).
 * It forgets by `decay`, which multiplies all weights. When values span more than its bins, the smallest share the lowest bin: the upper
 * quantiles, which judge, stay right.
 */
export class LogHistogram {
  readonly #accuracy: number
  readonly #capacity: number
  /** ln of the ratio of neighbouring bins; bin i holds (ratio^(i-1), ratio^i]. */
  readonly #step: number
  /** Weights of the bins #first ... */
  #weights = new Float64Array(0)
  #first = 0
  #zeros = 0

  constructor(options: Readonly<LogHistogramOptions> = SIZES) {
    this.#accuracy = options.accuracy
    this.#capacity = Math.max(1, Math.floor(options.bins))
    this.#step = Math.log1p((2 * options.accuracy) / (1 - options.accuracy))
  }

  /**
   * Counts a value >= 0 (bytes). Negative, infinite or NaN values, and weights that are not positive and finite, are left out.
   * @returns whether it was counted
   */
  add(value: number, weight = 1): boolean {
    if (!(value >= 0 && value < Infinity && weight > 0 && weight < Infinity)) return false
    if (value === 0) this.#zeros += weight
    else this.#addTo(Math.ceil(Math.log(value) / this.#step), weight)
    return true
  }

  /** Weight of all that is remembered. Added up anew, so that it depends on the bins alone and not on their history. */
  get total(): number {
    let sum = this.#zeros
    for (const weight of this.#weights) sum += weight
    return sum
  }

  /** Multiplies all weights: decay(0.97) each day has a half-life of 23 days. Factors outside [0, 1) are left out. */
  decay(factor: number): void {
    if (!(factor >= 0 && factor < 1)) return
    this.#zeros = kept(this.#zeros * factor)
    let low = this.#weights.length
    let high = 0
    for (let i = 0; i < this.#weights.length; i++) {
      const weight = kept(this.#weights[i]! * factor)
      this.#weights[i] = weight
      if (weight === 0) continue
      low = Math.min(low, i)
      high = i + 1
    }
    this.#weights = this.#weights.slice(Math.min(low, high), high)
    this.#first += low < high ? low : 0
  }

  /**
   * The value below which a share p of the weight lies; undefined while empty or for p outside 0..1.
   * p = 0 is the least value remembered, p = 1 the greatest.
   */
  quantile(p: number): number | undefined {
    const total = this.total
    if (!(p >= 0 && p <= 1 && total > 0)) return undefined
    const goal = p * total
    let below = this.#zeros
    if (below > 0 && below >= goal) return 0
    let last = 0
    for (let i = 0; i < this.#weights.length; i++) {
      const weight = this.#weights[i]!
      if (weight === 0) continue
      last = i
      below += weight
      if (below >= goal) break
    }
    return this.#weights.length === 0 ? 0 : this.#middle(this.#first + last)
  }

  /** The share of the weight in bins at or above that of `value`, its own half counted; undefined while empty. */
  shareAbove(value: number): number | undefined {
    const total = this.total
    if (total === 0 || Number.isNaN(value)) return undefined
    if (value <= 0) return value < 0 ? 1 : 1 - this.#zeros / 2 / total
    const own = Math.ceil(Math.log(value) / this.#step) - this.#first
    let above = 0
    for (let i = this.#weights.length - 1; i >= Math.max(0, own); i--) above += this.#weights[i]! * (i === own ? 0.5 : 1)
    return above / total
  }

  /** Adds all that another histogram of the same accuracy remembers (a role from its devices); one of another accuracy throws. */
  merge(other: LogHistogram): void {
    if (other.#step !== this.#step) throw new RangeError('histograms of different accuracy do not merge')
    this.#zeros += other.#zeros
    if (other.#weights.length > 0) this.#place(other.#first + other.#weights.length - 1)
    for (const [i, weight] of other.#weights.entries()) if (weight > 0) this.#addTo(other.#first + i, weight)
  }

  toJSON(): LogHistogramState {
    const bins: number[] = []
    for (const [i, weight] of this.#weights.entries()) if (weight > 0) bins.push(this.#first + i, weight)
    return { accuracy: this.#accuracy, zeros: this.#zeros, bins }
  }

  /** What `toJSON` gave. A state of another accuracy, or with numbers that cannot be, gives an empty histogram. */
  static from(state: Readonly<LogHistogramState>, options: Readonly<LogHistogramOptions> = SIZES): LogHistogram {
    const made = new LogHistogram(options)
    const { zeros, bins } = state
    const valid = state.accuracy === options.accuracy && zeros >= 0 && zeros < Infinity && Array.isArray(bins) && bins.length % 2 === 0 &&
      bins.every((n, i) => Number.isFinite(n) && (i % 2 === 1 ? n > 0 : Number.isSafeInteger(n) && (i === 0 || n > bins[i - 2]!)))
    if (!valid) return made
    made.#zeros = zeros
    if (bins.length > 0) made.#place(bins.at(-2)!)
    for (let i = 0; i < bins.length; i += 2) made.#addTo(bins[i]!, bins[i + 1]!)
    return made
  }

  #addTo(index: number, weight: number): void {
    const at = this.#place(index)
    this.#weights[at]! += weight
  }

  /** Where bin `index` is kept: makes room for one that lies outside, and below the capacity answers the lowest. */
  #place(index: number): number {
    const old = this.#weights
    const at = index - this.#first
    if (at >= 0 && at < old.length) return at
    const last = old.length === 0 ? index : Math.max(this.#first + old.length - 1, index)
    const first = Math.max(last - this.#capacity + 1, old.length === 0 ? index : Math.min(this.#first, index))
    if (first !== this.#first || last - first + 1 !== old.length) {
      this.#weights = new Float64Array(last - first + 1)
      for (let i = 0; i < old.length; i++) this.#weights[Math.max(0, this.#first + i - first)]! += old[i]!
      this.#first = first
    }
    return Math.max(0, index - first)
  }

  /** The value with the least relative error to both ends of a bin. */
  #middle(index: number): number {
    return Math.min(Number.MAX_VALUE, Math.exp(index * this.#step) * (1 - this.#accuracy))
  }
}

function kept(weight: number): number {
  return Math.floor(weight * PARTS) / PARTS
}

// ---- distinct values

/** Values counted exactly; above it a set would cost more than the 1 KB that replaces it. */
const EXACT = 64
/** log2 of the registers of HyperLogLog: 1,024 bytes, standard error 1.04 / sqrt(1024) = 3.3 %. */
const PRECISION = 10
const REGISTERS = 1 << PRECISION
/** Ranks end here, so an estimate does at some 10^12 different values: Ertl's correction for full registers is not needed. */
const HIGHEST_RANK = 32

export interface DistinctState {
  /** Hashes of the values, while they are few. */
  exact?: number[]
  /** One character a register from '0' on, when they are many. */
  registers?: string
}

/**
 * How many different values (patients, peers, AE titles) were seen: exact up to 64, then HyperLogLog with 1 KB, 3.3 % standard error.
 * Keeps hashes, never the values.
 *
 * On determinism: the count is a function of the set of values and the seed, not of their order or number. Pseudonyms change with the
 * site's key, so under another key the exact counts are the same but the estimates differ by their error; with the same key a replay
 * gives the same numbers. Counters with different seeds do not merge.
 */
export class DistinctCounter {
  readonly #seed: number
  #exact: Set<number> | undefined = new Set()
  #registers: Uint8Array | undefined
  /** How many registers hold each rank: all that the estimate needs, so it costs no walk over the registers. */
  #ranks = new Uint16Array(0)
  #count = 0

  /** @param seed any 32-bit number, the same for all counters that shall merge. */
  constructor(seed = 0) {
    this.#seed = seed | 0
  }

  /** Counts a value, and answers whether it is seen to be new (an estimate may not notice each new one; it never counts one twice). */
  add(value: string): boolean {
    return this.#addHash(hash53(value, this.#seed))
  }

  /** How many different values; a whole number while exact. */
  get count(): number {
    return this.#exact === undefined ? this.#count : this.#exact.size
  }

  /** Whether `count` is exact. */
  get exact(): boolean {
    return this.#exact !== undefined
  }

  clear(): void {
    this.#exact = new Set()
    this.#registers = undefined
    this.#count = 0
  }

  /** Adds all that another counter saw; one with another seed throws. */
  merge(other: DistinctCounter): void {
    if (other.#seed !== this.#seed) throw new RangeError('counters with different seeds do not merge')
    if (other.#exact !== undefined) {
      for (const hash of other.#exact) this.#addHash(hash)
      return
    }
    this.#estimate()
    for (const [at, rank] of other.#registers!.entries()) this.#raise(at, rank)
    this.#recount()
  }

  toJSON(): DistinctState {
    if (this.#registers === undefined) return { exact: [...this.#exact!].sort((a, b) => a - b) }
    return { registers: String.fromCharCode(...this.#registers.map((rank) => rank + 48)) }
  }

  /** What `toJSON` gave, with the seed it was made with; a state that cannot be gives an empty counter. */
  static from(state: Readonly<DistinctState>, seed = 0): DistinctCounter {
    const made = new DistinctCounter(seed)
    const { exact, registers } = state
    if (Array.isArray(exact) && exact.length <= EXACT && exact.every((hash) => Number.isSafeInteger(hash) && hash >= 0)) {
      made.#exact = new Set(exact)
    } else if (typeof registers === 'string' && registers.length === REGISTERS) {
      const ranks = Uint8Array.from(registers, (character) => character.charCodeAt(0) - 48)
      if (!ranks.every((rank) => rank <= HIGHEST_RANK)) return made
      made.#estimate()
      for (const [at, rank] of ranks.entries()) made.#raise(at, rank)
      made.#recount()
    }
    return made
  }

  #addHash(hash: number): boolean {
    if (this.#exact === undefined) {
      const grew = this.#enter(hash)
      if (grew) this.#recount()
      return grew
    }
    const before = this.#exact.size
    this.#exact.add(hash)
    const grew = this.#exact.size > before
    if (this.#exact.size > EXACT) {
      this.#estimate()
      this.#recount()
    }
    return grew
  }

  /** From exact counting to registers, once and for good. */
  #estimate(): void {
    if (this.#exact === undefined) return
    this.#registers = new Uint8Array(REGISTERS)
    this.#ranks = new Uint16Array(HIGHEST_RANK + 1)
    this.#ranks[0] = REGISTERS
    for (const hash of this.#exact) this.#enter(hash)
    this.#exact = undefined
  }

  /** Enters a 53-bit hash: its upper bits choose the register, the leading zeros of the lower 32, plus 1, are its rank. True when that grew. */
  #enter(hash: number): boolean {
    return this.#raise(Math.floor(hash / 0x1_0000_0000) & (REGISTERS - 1), Math.min(HIGHEST_RANK, Math.clz32(hash >>> 0) + 1))
  }

  #raise(at: number, rank: number): boolean {
    const old = this.#registers![at]!
    if (rank <= old) return false
    this.#registers![at] = rank
    this.#ranks[old]!--
    this.#ranks[rank]!++
    return true
  }

  /** The estimate is never below what was counted exactly, so that a count never falls. */
  #recount(): void {
    this.#count = Math.max(EXACT + 1, estimate(this.#ranks))
  }
}

/**
 * The estimate of O. Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6), which needs no bias
 * tables and no switching between formulas.
 * @param ranks how many registers hold each rank
 */
function estimate(ranks: Uint16Array): number {
  let z = 0
  for (let rank = HIGHEST_RANK; rank >= 1; rank--) z = 0.5 * (z + ranks[rank]!)
  z += REGISTERS * sigma(ranks[0]! / REGISTERS)
  return ((REGISTERS / (2 * Math.LN2)) * REGISTERS) / z
}

/** The share of the empty registers in z: x + sum x^(2^k) 2^(k-1). */
function sigma(x: number): number {
  if (x === 1) return Infinity
  let sum = x
  for (let y = 1, power = x * x; ; power *= power, y += y) {
    const next = sum + power * y
    if (next === sum) return sum
    sum = next
  }
}

/** A 53-bit hash of a text, the same on every machine. Not for secrets: what must not be guessed is a pseudonym before it comes here. */
function hash53(text: string, seed: number): number {
  let a = seed ^ 0x2545f491
  let b = seed ^ 0x6c8e9cf5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x9e3779b1)
    a ^= a >>> 15
    b = Math.imul(b ^ unit, 0x85ebca6b)
    b ^= b >>> 13
  }
  return (mixed(a ^ text.length) >>> 11) * 0x1_0000_0000 + (mixed(b ^ a) >>> 0)
}

/** Every bit of the input moves half of the output's (the last step of MurmurHash3). */
function mixed(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
