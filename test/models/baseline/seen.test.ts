import { describe, expect, test } from 'vitest'
import { glimpse, newMemory, newsBefore, touch, use } from '../../../models/baseline/novelty.ts'
import { daysBefore, isFirstLearned, see, seen, type DaysSeen } from '../../../models/baseline/seen.ts'

/** Seen on these days, of which the last ones were not learned. */
function after(learned: number[], frozen: number[] = []): DaysSeen {
  let all: DaysSeen | undefined
  for (const day of learned) all = seen(all, day, true)
  for (const day of frozen) all = seen(all, day, false)
  return all!
}

describe('the days before this one', () => {
  test.each<[string, DaysSeen | undefined, number, number]>([
    ['of what was never seen', undefined, 5, 0],
    ['on the first day', after([5]), 5, 0],
    ['when it was not seen today', after([3, 4]), 5, 2],
    ['when it was', after([3, 4, 5]), 5, 2],
    ['when it was, often', after([3, 4, 5, 5, 5]), 5, 2],
    ['when nothing is learned, and it was not seen today', after([3, 4]), 5, 2],
    ['when nothing is learned, and it was', after([3, 4], [5, 5]), 5, 2],
    ['when learning ended in the middle of today', after([3, 4, 5], [5]), 5, 2],
    ['when learning ended in the middle of yesterday', after([3, 4], [4, 5]), 5, 2],
    ['when it was only ever seen while nothing was learned', after([], [3, 4, 5]), 5, 0],
  ])('are they counted %s?', (_when, of, day, days) => {
    expect(daysBefore(of, day)).toBe(days)
  })

  test('are those that were learned counted when learning goes on?', () => {
    const of = after([3], [5])
    see(of, 5, true)
    see(of, 6, true)
    expect(of).toEqual({ days: 3, day: 6 })
  })

  test('is the first day the first that was learned?', () => {
    expect([after([5]), after([4, 5]), after([4], [5]), after([], [5])].map((of) => isFirstLearned(of, 5))).toEqual([true, false, false, false])
  })
})

describe('a memory that only looks', () => {
  test('are its news before today those that were learned, whatever is new today?', () => {
    const memory = newMemory()
    use(memory, 'early', 1, 0, 0, 0)
    use(memory, 'late', 1, 0, 8, 8)
    expect(newsBefore(memory, 9)).toBe(1)
    for (const value of ['early', 'late', 'new', 'newer']) glimpse(memory, value, 1, 0, 9)
    expect(newsBefore(memory, 9)).toBe(1)
  })

  test('does it say on how many days a value was known, after its first use today as before?', () => {
    const memory = newMemory()
    const habit = use(memory, 'late', 1, 0, 8, 8)
    expect([daysBefore(habit, 9), daysBefore(glimpse(memory, 'late', 1, 0, 9), 9)]).toEqual([1, 1])
  })

  test('is what is learned as before?', () => {
    const memory = newMemory()
    const habit = use(memory, 'late', 2, 0, 8, 8)
    touch(habit, 3, 1, 9)
    expect(habit).toEqual({ first: 0, last: 1, days: 2, day: 9, today: 3, total: 5, settled: false })
  })
})
