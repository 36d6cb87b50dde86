/**
 * What a device has done before, and how often it does something new: a bounded memory of values (peers, services, destinations,
 * message kinds) and a Gamma-Poisson rate of news. Values of the first days teach nothing about that rate: everything is new then.
 */
import { makeRoom, provenWorth } from '../../protocols/room.ts'
import { gammaPoissonNovelty } from './distributions.ts'
import type { Rhythm } from './rhythm.ts'
import { isFirstLearned, see, type DaysSeen } from './seen.ts'

/** Kinds of things a device may newly do. */
export const MEMORIES = ['peer', 'sender', 'caller', 'contact', 'port', 'service', 'destination', 'trigger', 'taken', 'called'] as const
export type MemoryName = (typeof MEMORIES)[number]

/** Days on which everything is new. */
export const FIRST_DAYS = 3
/** A later value belongs to the baseline after so many active days. */
const PROBATION_DAYS = 3
/** A value seen on few days and not for so many is news again: once in the first days is no habit. */
const STALE_DAYS = 14
/** Values remembered per memory (`recall.ts` bounds those of all devices); those of least worth are forgotten (and would be news again). */
export const MOST_VALUES = 512
/** What was done on one day only goes first: a flood of new values pushes out no habit. Then what was unused for longest. */
export const worthOf = ({ days, last }: Habit): number => provenWorth(days > 1 ? 0 : 1, last)

export interface Habit extends DaysSeen {
  first: number
  last: number
  /** Units (studies, messages ...) of the last day it was seen on, and of all. */
  today: number
  total: number
  /** Part of the baseline: known from the first days, or through its probation. */
  settled: boolean
  /** Of contacts that are not settled: how regularly they are made. */
  rhythm?: Rhythm
}

export interface Memory {
  /** News since the first days, prior not included. */
  news: number
  known: Map<string, Habit>
}

/** A memory as it is saved: a habit is a row, because an archive has hundreds; behind it its rhythm, where it has one: the last beat and the gaps. */
export interface SavedMemory {
  news: number
  known: [value: string, first: number, last: number, days: number, day: number, today: number, total: number, settled: 0 | 1, ...rhythm: number[]][]
}

export function saveMemory({ news, known }: Memory): SavedMemory {
  return { news, known: [...known].map(([value, h]) => [value, h.first, h.last, h.days, h.day, h.today, h.total, h.settled ? 1 : 0, ...(h.rhythm === undefined ? [] : [h.rhythm.last, ...h.rhythm.gaps])]) }
}

export function loadMemory({ news, known }: SavedMemory): Memory {
  return {
    news,
    known: new Map(known.map(([value, first, last, days, day, today, total, settled, beat, ...gaps]) => [value, {
      first, last, days, day, today, total, settled: settled === 1, ...(beat !== undefined && { rhythm: { last: beat, gaps } }),
    }])),
  }
}

/** A prior of news per day: Gamma(a, b). */
export interface NewsPrior {
  a: number
  b: number
}

export const newMemory = (): Memory => ({ news: 0, known: new Map() })

/** Units of a value on this day so far. */
export const unitsOn = (habit: Habit | undefined, day: number): number => (habit !== undefined && habit.day === day ? habit.today : 0)

/** Chance that something new of this kind appears on a day of a device that had so much news in so many days. */
export function newsChance(news: number, prior: NewsPrior, lived: number): number {
  return gammaPoissonNovelty(prior.a + news, prior.b + lived)
}

/** News before a day: what is new all at once must not become usual by that. */
export function newsBefore(memory: Memory, day: number): number {
  let today = 0
  for (const habit of memory.known.values()) if (!habit.settled && isFirstLearned(habit, day)) today++
  return Math.max(0, memory.news - today)
}

/**
 * Notes a use (n units) of a value on a local day and returns its habit. A value first seen within the device's first days is settled
 * at once; others after their probation.
 */
export function use(memory: Memory, value: string, n: number, at: number, day: number, lived: number): Habit {
  let habit = memory.known.get(value)
  if (habit === undefined) {
    makeRoom(memory.known, MOST_VALUES, worthOf)
    const early = lived < FIRST_DAYS
    habit = { first: at, last: at, days: 1, day, today: 0, total: 0, settled: early }
    memory.known.set(value, habit)
    if (!early) memory.news++
  }
  touch(habit, n, at, day)
  return habit
}

/**
 * As `use`, when nothing may be learned: what is known stays as it is, and what is new is counted within its day, so that it can be
 * judged, but never becomes known.
 */
export function glimpse(memory: Memory, value: string, n: number, at: number, day: number): Habit {
  let habit = memory.known.get(value)
  if (habit === undefined) {
    makeRoom(memory.known, MOST_VALUES, worthOf)
    habit = { first: at, last: at, days: 0, day, today: 0, total: 0, settled: false, unlearned: true }
    memory.known.set(value, habit)
  }
  glance(habit, n, at, day)
  return habit
}

/** As `glimpse`, for a habit at hand. */
export function glance(habit: Habit, n: number, at: number, day: number): void {
  if (habit.settled) return
  if (day !== habit.day) habit.today = 0
  see(habit, day, false)
  habit.last = at
  habit.today += n
  habit.total += n
}

/** As `use`, for a habit at hand. */
export function touch(habit: Habit, n: number, at: number, day: number): void {
  if (day !== habit.day) {
    if (habit.days <= PROBATION_DAYS && day - habit.day > STALE_DAYS) habit.settled = false
    habit.today = 0
    see(habit, day, true)
    if (habit.days > PROBATION_DAYS) habit.settled = true
  }
  habit.last = at
  habit.today += n
  habit.total += n
}
