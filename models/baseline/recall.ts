/**
 * What a device remembers in all, and all devices together. Each memory has a cap of its own, but who invents devices by the thousand would fill as many
 * memories; so the sums have one, too. Beyond it those values are forgotten first that were seen on one day only, from the fullest memories: habits of real devices outlive a flood.
 */
import { forgetLeast, makeRoom, shareOf } from '../../protocols/room.ts'
import { MEMORIES, type Habit, type Memory, type MemoryName, worthOf } from './novelty.ts'

/** About 100 MB. A site of 5,000 devices has less than half of that. */
const MOST_HABITS = 500_000
/** Values that one device remembers in all its memories together: about 65 kB of saved state. An archive with 250 callers has less than 600. */
export const MOST_OF_DEVICE = 768

/**
 * Keeps what one device remembers within its cap; asked when one of its memories has grown. Those go first that go first within a memory, whichever they
 * are in; a sixteenth at once, because it looks at all of them.
 */
export function boundDevice(memories: Record<MemoryName, Memory>): void {
  let size = 0
  for (const name of MEMORIES) size += memories[name].known.size
  if (size <= MOST_OF_DEVICE) return
  const all = new Map<Habit, () => void>()
  for (const name of MEMORIES) {
    const { known } = memories[name]
    for (const [value, habit] of known) all.set(habit, () => known.delete(value))
  }
  for (const [, forget] of makeRoom(all, MOST_OF_DEVICE, (_, habit) => worthOf(habit))) forget()
}

/** Forgets what is too much; asked now and then. @returns how many values were forgotten */
export function boundRecall(devices: Iterable<{ memories: Record<MemoryName, Memory> }>, most = MOST_HABITS): number {
  const all: Memory[] = []
  let total = 0
  for (const { memories } of devices) {
    for (const name of MEMORIES) {
      const memory = memories[name]
      if (memory.known.size === 0) continue
      all.push(memory)
      total += memory.known.size
    }
  }
  if (total <= most) return 0
  // Forgetting looks at all of them, so it makes room for a while.
  const excess = total - (most - shareOf(most))
  const unproven = level(all, excess, (memory) => [...memory.known.values()].filter(({ days }) => days <= 1).length)
  return unproven + level(all, excess - unproven, (memory) => memory.known.size)
}

/** Forgets `excess` values, as far as there are so many of the kind that `count` counts: of each memory those above the level that leaves the rest. */
function level(memories: readonly Memory[], excess: number, count: (memory: Memory) => number): number {
  if (excess <= 0) return 0
  const counts = memories.map(count)
  let left = counts.reduce((sum, n) => sum + n, 0)
  const goal = left - excess
  const sorted = [...counts].sort((a, b) => b - a)
  let most = sorted[0] ?? 0
  // Lowering the level by one takes one value of each memory above it.
  for (let above = 0; most > 0 && left > goal; most--) {
    while (above < sorted.length && sorted[above]! >= most) above++
    left -= above
  }
  let gone = 0
  memories.forEach((memory, i) => { gone += forgetLeast(memory.known, counts[i]! - most, worthOf).length })
  return gone
}
