import type { Hl7Message } from '../../protocols/events.ts'
import { rarityOf, valueOf, type AmountFactor, type Factor } from '../arithmetic.ts'
import { FIRST_DAYS, unitsOn, type Habit } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { DAY } from '../clock.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, before, counted, evidence, newsFactor, num, othersFactor, rarity, type Detector } from './detector.ts'

const PRIOR = { a: 0.3, b: 20 }
/** A new family (ORM, MFN ...) on an old interface is a new interface: one in some years. */
const FAMILY_PRIOR = { a: 0.02, b: 20 }
/** Slow and steady use is what a go-live looks like: rare as it is, no more than a low alert. */
const STEADY = 5e-6
/** Messages of a new kind on its first day, and in one hour of it. */
const FIRST_DAY = { mean: 5, size: 0.5 }
const FIRST_HOUR = { mean: 1, size: 0.7 }

export const hl7NewKind: Detector<'hl7.message'> = {
  id: 'hl7-new-kind',
  question: 'Does a system send a kind of HL7 message that it never sent?',
  wants: ['hl7.message'],
  group: 'novelty',
  objective: 'integrity',
  attack: ['T1565.002', 'T1071'],
  falsePositives: ['an interface that went live', 'a rarely used function (a pre-admission, a cancelled discharge)'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const kind = event.message_type
    // An engine passes on what others send; they are judged.
    if (!scene.acts || kind === null || event.acknowledges !== null || device.role === 'engine' || !mature(device)) return NONE
    const habit = device.memories.trigger.known.get(kind)
    if (habit?.settled === true) return NONE
    const today = unitsOn(habit, scene.day) + 1
    const stream = device.triggers.get(kind)
    const hour = stream !== undefined && stream.hour === site.hour ? stream.inHour : today
    const family = familyOf(kind)
    const relatives = [...device.memories.trigger.known].filter(([known]) => known !== kind && familyOf(known) === family)
    const newFamily = !relatives.some(([, of]) => of.settled)
    const prior = newFamily ? FAMILY_PRIOR : PRIOR
    const kinds = newsFactor(device, 'trigger', kind, prior, scene.day)
    const news = newFamily ? { ...kinds, news: newFamilies(device, scene.day) } : kinds
    const popular = site.popularity(device, 'trigger', kind)
    const { others, users } = popular
    const arithmetic: Factor[] = [news, othersFactor(device, 'trigger', kind, popular), ...rarer(today, hour)]
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const who = nameOf(device)
    const never = daysBefore(habit, scene.day) === 0 ? 'never' : 'hardly'
    return [evidence(hl7NewKind, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: today, expected: FIRST_DAY.mean * valueOf(news), unit: 'messages of the new kind', service: kind,
      title: `${who} sends ${clean(kind)}, a kind of message it ${never} sent`,
      text: `${counted(today, `${clean(kind)} messages`)} today (${hour} within this hour) from ${who}, ${before(habit, scene.day, device.lived)}${relatives.length === 0 && habit === undefined ? `, nor any other ${clean(family)} message` : ''}`
        + `${others > 0 ? `; ${users} of ${others} other senders of its role send it` : ''}; a new kind starts with ${num(FIRST_DAY.mean)} a day on average; ${rarity(p)}.`,
    })]
  },
}

/** The rarer of the two windows; twice as likely, because both were looked at. */
function rarer(today: number, hour: number): Factor[] {
  const windows: AmountFactor[] = [{ of: 'amount', n: today, ...FIRST_DAY }, { of: 'amount', n: hour, ...FIRST_HOUR }]
  const [inDay, inHour] = windows.map(valueOf) as [number, number]
  const times = Math.min(2, 1 / Math.min(inDay, inHour))
  const both: Factor = { of: 'weight', why: 'the day and the hour were both looked at', times }
  if (inHour <= inDay) return [windows[1]!, both]
  return [windows[0]!, both, { of: 'cap', why: 'slow and steady use is how an interface goes live', least: STEADY }]
}

/** Families that it began after its first days and before today: rare kinds of a family that it always sent say nothing of new families. */
function newFamilies(device: Device, day: number): number {
  const firsts = new Map<string, Habit>()
  for (const [kind, habit] of device.memories.trigger.known) {
    const family = familyOf(kind)
    if (habit.first < (firsts.get(family)?.first ?? Infinity)) firsts.set(family, habit)
  }
  let news = 0
  for (const habit of firsts.values()) if (habit.first - device.first >= FIRST_DAYS * DAY && daysBefore(habit, day) > 0) news++
  return news
}

const familyOf = (kind: string): string => kind.split('^', 1)[0]!
