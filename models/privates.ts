/** What a device's studies hold in private elements (PS3.5 7.8): today's, those of the days of late, and those that are known. What came of late is judged together before it teaches. */
import { classOf } from './baseline/classes.ts'
import { KEEP } from './baseline/counts.ts'
import { PRIVATE_CLASSES, type Device, type Privates } from './device.ts'

/** A week is looked at together: its other days wait before they teach. */
const WAITING = 6

export const lateDays = ({ late }: Privates, day: number): Privates['late'] => late.filter((one) => one.day >= day - WAITING && one.day < day)

/** The day is over: each study counts once, by the largest of its objects; most of them often with nothing. */
export function learnPrivates(device: Device): void {
  const { day, privates, bytes: { out: { studies } } } = device.today
  if (studies.size === 0 || device.role === 'archive') return
  const sizes = new Array<number>(PRIVATE_CLASSES).fill(0)
  sizes[0] = Math.max(0, studies.size - (privates?.size ?? 0))
  if (privates !== undefined) for (const most of privates.values()) sizes[classOf(most, PRIVATE_CLASSES)]!++
  const of = device.privates ??= { known: new Array<number>(PRIVATE_CLASSES).fill(0), late: [] }
  of.late.push({ day, sizes })
  while (of.late[0]!.day <= day - WAITING) {
    const taught = of.late.shift()!.sizes
    of.known = of.known.map((n, i) => KEEP * n + taught[i]!)
  }
}
