/** Counts over capture time in a bounded number of buckets: when they run out, two become one. */
import type { Micros } from '../../protocols/events.ts'
import type { Timeline } from './data.ts'

/** Buckets of the whole span: more than a screen has pixels for is of no use. */
const BUCKETS = 1440
const FIRST_STEP: Micros = 60_000_000
const LANES = ['dicom', 'hl7', 'other', 'bytes'] as const
type Lane = (typeof LANES)[number]

export class TimelineBuilder {
  #start: Micros = -1
  #step = FIRST_STEP
  readonly #counts: Record<Lane, number[]> = { dicom: [], hl7: [], other: [], bytes: [] }

  /** One event of a lane, and the bytes it brought. A time before the first counts in the first bucket. */
  add(lane: Exclude<Lane, 'bytes'>, at: Micros, bytes: number): void {
    if (this.#start < 0) this.#start = Math.floor(at / FIRST_STEP) * FIRST_STEP
    let i = Math.max(0, Math.floor((at - this.#start) / this.#step))
    while (i >= BUCKETS) {
      this.#halve()
      i = Math.floor((at - this.#start) / this.#step)
    }
    this.#count(lane, i, 1)
    this.#count('bytes', i, bytes)
  }

  timeline(): Timeline {
    const length = Math.max(...LANES.map((lane) => this.#counts[lane].length))
    const full = (lane: Lane): number[] => Array.from({ length }, (_, i) => this.#counts[lane][i] ?? 0)
    return { start: Math.max(0, this.#start), step: this.#step, dicom: full('dicom'), hl7: full('hl7'), other: full('other'), bytes: full('bytes') }
  }

  #count(lane: Lane, i: number, n: number): void {
    const counts = this.#counts[lane]
    while (counts.length <= i) counts.push(0)
    counts[i]! += n
  }

  #halve(): void {
    this.#step *= 2
    for (const lane of LANES) {
      const counts = this.#counts[lane]
      this.#counts[lane] = Array.from({ length: Math.ceil(counts.length / 2) }, (_, i) => counts[2 * i]! + (counts[2 * i + 1] ?? 0))
    }
  }
}
