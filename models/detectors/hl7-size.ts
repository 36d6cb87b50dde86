import type { Hl7Message } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { QUARTER, classOf, countFrom, shareFrom, sumFrom } from '../baseline/classes.ts'
import { LOOK, rate } from '../baseline/counts.ts'
import { MESSAGE_CLASSES, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, evidence, num, rarity, type Detector } from './detector.ts'

/** Messages of a sender that have to be known before one is called large. */
const ENOUGH = 100
/** Large: a quarter of it is still rarer than this among the sender's messages. */
const UNUSUAL = 2e-3
/** One or two may be anything; so many in a day are more than that, however little a day of them weighs. */
const SEVERAL = 3
/** Where a quarter of it is not as rare as that, but no ordinary message either: of documents one may be large, too. */
const DOCUMENTS = 0.05
/** Documents come in batches. */
const BATCHES = 0.5
/** A claim that stays low: others here send as large, or all have grown. */
const ORDINARY = 5e-6

export const hl7Size: Detector<'hl7.message'> = {
  id: 'hl7-size',
  question: 'Does a system send HL7 messages far larger than it ever sent, several of them or as much as a usual day in all?',
  wants: ['hl7.message'],
  group: 'volume',
  objective: 'collection',
  attack: ['T1048.003'],
  falsePositives: ['reports that are now sent as documents inside the message', 'an upgrade that makes every message larger'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const { messages: today } = device.today
    const known = device.messageSizes
    // An engine passes on what others send; they are judged.
    if (!scene.acts || event.acknowledges !== null || today === undefined || known === undefined || device.role === 'engine' || !mature(device)) return NONE
    const class_ = classOf(event.bytes, MESSAGE_CLASSES)
    const all = countFrom(known, 0)
    if (all < ENOUGH || shareFrom(known, class_) > UNUSUAL) return NONE
    const quarter = shareFrom(known, class_ - QUARTER)
    if (quarter > DOCUMENTS) return NONE
    if (quarter > UNUSUAL) return countFrom(today, class_) < SEVERAL ? NONE : judgeShare(event, device, site, scene, class_, known, today, BATCHES)
    const stream = device.streams.get('hl7.out')
    const usual = stream === undefined ? 0 : (rate(stream) * sumFrom(known, 0)) / all
    if (countFrom(today, class_) < SEVERAL && sumFrom(today, class_) < usual) return NONE
    return judgeShare(event, device, site, scene, class_, known, today)
  },
}

function judgeShare(event: Hl7Message, device: Device, site: Site, scene: Scene, class_: number, known: readonly number[], today: readonly number[], size?: number): readonly Evidence[] {
  const hits = countFrom(today, class_)
  const tries = countFrom(today, 0)
  const share = shareFrom(known, class_)
  const arithmetic: Factor[] = [{ of: 'share', hits, tries, share, ...(size !== undefined && { size }) }]
  if (countFrom(site.state.messageSizes, class_) >= 1) arithmetic.push({ of: 'cap', why: 'other systems here send messages as large', least: ORDINARY })
  else if (hits > tries / 2) arithmetic.push({ of: 'cap', why: 'most of its messages have grown, as with an upgrade', least: ORDINARY })
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(hl7Size, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: hits, expected: share * tries, unit: 'large messages', service: event.message_type,
    title: `${who} sends HL7 messages far larger than usual`,
    text: `${hits} of ${counted(tries, 'messages')} by ${who} today ${hits === 1 ? 'was' : 'were'} of ${num(2 ** class_ / 1000)} kB or more (this one ${num(event.bytes / 1000)} kB); `
      + `of those before, ${num(100 * share)} % at most; ${rarity(p)}.`,
  })]
}
