import type { Hl7Message } from '../../protocols/events.ts'
import { rarityOf, valueOf, type AmountFactor, type Factor } from '../arithmetic.ts'
import { FIRST_DAYS, unitsOn, type Habit } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { DAY, HOUR } from '../clock.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, before, counted, evidence, newsFactor, num, othersFactor, rarity, type Detector } from './detector.ts'
import { isMerge } from './hl7-merge.ts'

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
  question: 'Does a system send a kind of HL7 message that it never sent, or an engine one that its receiver never got?',
  wants: ['hl7.message'],
  group: 'novelty',
  objective: 'integrity',
  attack: ['T1565.002', 'T1071'],
  falsePositives: ['an interface that went live', 'a rarely used function (a pre-admission, a cancelled discharge)'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const kind = event.message_type
    if (kind === null || event.acknowledges !== null || !mature(device)) return NONE
    // An engine passes on what others send: they are judged as senders, and of the engine what it gives to whom.
    if (scene.acts) return device.role === 'engine' ? NONE : ofSender(event, kind, device, site, scene)
    return scene.peer.role === 'engine' && !isNewUpstream(scene.peer, kind, scene.day) ? ofReceiver(event, kind, device, site, scene) : NONE
  },
}

function ofSender(event: Hl7Message, kind: string, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const found = weighed(device, 'trigger', kind, site, scene, sentInHour(device, kind, site))
  if (found === undefined) return NONE
  const { p, amount, hour, never, seen, popular: { others, users } } = found
  const who = nameOf(device)
  return [evidence(hl7NewKind, event, {
    actor: device, peer: scene.peer, ...told(found, kind),
    title: `${who} sends ${clean(kind)}, a kind of message it ${never} sent`,
    text: `${amount}${hour === undefined ? '' : ` (${hour} within this hour)`} from ${who}, ${seen}`
      + `${others > 0 ? `; ${users} of ${others} other senders of its role send it` : ''}; a new kind starts with ${num(FIRST_DAY.mean)} a day on average; ${rarity(p)}.`,
  })]
}

function ofReceiver(event: Hl7Message, kind: string, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const { known } = device.memories.taken
  const habit = known.get(kind)
  // To whoever never got any its sender is new; and states of older versions do not know what was got.
  if (habit?.settled === true || ![...known.values()].some(({ settled }) => settled)) return NONE
  const isOfThisHour = habit === undefined || event.at - habit.first < HOUR
  const found = weighed(device, 'taken', kind, site, scene, isOfThisHour ? unitsOn(habit, scene.day) + 1 : undefined)
  if (found === undefined) return NONE
  const { p, amount, never, seen, popular: { others, users } } = found
  const [engine, receiver] = [nameOf(scene.peer), nameOf(device)]
  return [evidence(hl7NewKind, event, {
    actor: scene.peer, peer: device, ...told(found, kind),
    title: `${engine} sends ${receiver} ${clean(kind)}, a kind of message that it ${never} got`,
    text: `${amount} from ${engine} to ${receiver}, which got ${seen}`
      + `${others > 0 ? `; ${users} of ${others} other receivers of its role get it` : ''}; a new kind starts with ${num(FIRST_DAY.mean)} a day on average; ${rarity(p)}.`,
  })]
}

/** Does the engine itself get this kind today, which is new to it? Then whoever sends it was judged. */
function isNewUpstream(engine: Device, kind: string, day: number): boolean {
  const habit = engine.memories.taken.known.get(kind)
  return habit !== undefined && !habit.settled && habit.day === day
}

interface News {
  p: number
  arithmetic: Factor[]
  /** Messages today of the kind, and of others of its family where that is new; in words, too. Those within this hour, where it is known. */
  today: number
  amount: string
  hour: number | undefined
  /** The chance that a new kind starts today. */
  chance: number
  /** In words: whether it was ever seen, and on which days. */
  never: string
  seen: string
  popular: { others: number; users: number }
}

const told = ({ p, arithmetic, today, chance }: News, kind: string): Pick<Evidence, 'p' | 'arithmetic' | 'observed' | 'expected' | 'unit' | 'service'> =>
  ({ p, arithmetic, observed: today, expected: FIRST_DAY.mean * chance, unit: 'messages of the new kind', service: kind })

/** How rare so many messages of a kind are that is new to the memory; undefined: it is not new, or this is nothing. */
function weighed(device: Device, memory: 'trigger' | 'taken', kind: string, site: Site, { day }: Scene, hour: number | undefined): News | undefined {
  const { known } = device.memories[memory]
  const habit = known.get(kind)
  if (habit?.settled === true) return undefined
  const family = familyOf(kind)
  const relatives = [...known].filter(([other]) => other !== kind && familyOf(other) === family)
  const isNewFamily = !relatives.some(([, of]) => of.settled)
  const own = unitsOn(habit, day) + 1
  // Kinds of a family that is new are one piece of news.
  const kin = isNewFamily ? relatives.reduce((sum, [, of]) => sum + unitsOn(of, day), 0) : 0
  const today = own + kin
  const inHour = hour === undefined || memory !== 'trigger' || kin === 0 ? hour : relatives.reduce((sum, [other]) => sum + (sentInHour(device, other, site) ?? 0), hour)
  const kinds = newsFactor(device, memory, kind, isNewFamily ? FAMILY_PRIOR : PRIOR, day)
  const news = isNewFamily ? { ...kinds, news: newFamilies(device, memory, day) } : kinds
  const popular = site.popularity(device, memory, kind)
  const arithmetic: Factor[] = [news, othersFactor(device, memory, kind, popular), ...rarer(today, inHour)]
  const p = rarityOf(arithmetic)
  if (p > 0.01) return undefined
  const seen = `${before(habit, day, device.lived)}${relatives.length === 0 && habit === undefined ? `, nor any other ${family === 'merge' ? 'merge' : `${clean(family)} message`}` : ''}`
  const amount = `${counted(own, `${clean(kind)} messages`)} today${kin === 0 ? '' : ` (${today} with others of its family)`}`
  return { p, arithmetic, today, amount, hour: inHour, chance: valueOf(news), never: daysBefore(habit, day) === 0 ? 'never' : 'hardly', seen, popular }
}

/** Messages of a kind that it sent within this hour, as far as they are counted. */
function sentInHour(device: Device, kind: string, site: Site): number | undefined {
  const stream = device.triggers.get(kind)
  return stream !== undefined && stream.hour === site.hour ? stream.inHour : undefined
}

/** The rarer of the two windows; twice as likely, because both were looked at. */
function rarer(today: number, hour = 0): Factor[] {
  const windows: AmountFactor[] = [{ of: 'amount', n: today, ...FIRST_DAY }, { of: 'amount', n: hour, ...FIRST_HOUR }]
  const [inDay, inHour] = windows.map(valueOf) as [number, number]
  const times = Math.min(2, 1 / Math.min(inDay, inHour))
  const both: Factor = { of: 'weight', why: 'the day and the hour were both looked at', times }
  if (inHour <= inDay) return [windows[1]!, both]
  return [windows[0]!, both, { of: 'cap', why: 'slow and steady use is how an interface goes live', least: STEADY }]
}

/** Families that it began after its first days and before today: rare kinds of a family that it always sent say nothing of new families. */
function newFamilies(device: Device, memory: 'trigger' | 'taken', day: number): number {
  const firsts = new Map<string, Habit>()
  for (const [kind, habit] of device.memories[memory].known) {
    const family = familyOf(kind)
    if (habit.first < (firsts.get(family)?.first ?? Infinity)) firsts.set(family, habit)
  }
  let news = 0
  for (const habit of firsts.values()) if (habit.first - device.first >= FIRST_DAYS * DAY && daysBefore(habit, day) > 0) news++
  return news
}

/** What is done by it: the message type (MSH-9.1); merging patients is another business than telling where they are. */
const familyOf = (kind: string): string => (isMerge(kind) ? 'merge' : kind.split('^', 1)[0]!)
