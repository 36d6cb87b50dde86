/** The memory of a process that runs for months. */
import { setFlagsFromString } from 'node:v8'

/** Left alone, V8 lets a heap grow up to fourfold before it collects all of it. */
const GROWTH_PERCENT = 30

/** For services, early: memory is worth more than the few percent of time that collecting earlier takes (docs/benchmarks.md). */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
