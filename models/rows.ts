/**
 * Studies that a device receives, in their order: with or without a reason to look at them. Counts ask how many without one an hour or a day has; who takes many at
 * once shows sooner by their following each other. How much they do so anyway (a pile of old ones for teaching) is learned of each device.
 */
import { KEEP, NEW_NORMAL_DAYS } from './baseline/counts.ts'
import { todayOf, type Device, type Row, type Rows } from './device.ts'

/** Before it is known, a device is taken for one of whose studies a tenth have no order, and of those after one of these a fifth. Each weighs as ten studies. */
const PRIOR = { of: 10, bare: 0.1, again: 0.2 } as const

const newRow = (): Row => ({ all: 0, bare: 0, again: 0, last: false, level: 0, hits: 0, tries: 0, odd: false })

/** A study more today. The row of those without an order begins anew when as many had one. */
export function follow(device: Device, unexplained: boolean, day: number): void {
  const row = (todayOf(device, day).row ??= newRow())
  row.all++
  if (unexplained) row.bare++
  if (unexplained && row.last) row.again++
  row.last = unexplained
  row.level = Math.max(0, row.level + (unexplained ? 1 : -1))
  if (row.level === 0) [row.hits, row.tries] = [0, 0]
  else {
    row.tries++
    if (unexplained) row.hits++
  }
}

/** The chance that a study of this device has no order, after one that had none: as a rule the greater one. */
export function bareShare(rows: Rows | undefined): number {
  const { all, bare, again } = rows ?? { all: 0, bare: 0, again: 0 }
  return Math.max((bare + PRIOR.of * PRIOR.bare) / (all + PRIOR.of), (again + PRIOR.of * PRIOR.again) / (bare + PRIOR.of))
}

/** The day is over. One on which a row was told teaches nothing, unless such days go on. */
export function learnRow(device: Device): void {
  const { row } = device.today
  if (row === undefined) return
  const { all, bare, again, odd } = device.rows ?? { all: 0, bare: 0, again: 0, odd: 0 }
  const odder = row.odd ? odd + 1 : 0
  device.rows = odder > 0 && odder < NEW_NORMAL_DAYS ? { all, bare, again, odd: odder }
    : { all: KEEP * all + row.all, bare: KEEP * bare + row.bare, again: KEEP * again + row.again, odd: odder }
}
