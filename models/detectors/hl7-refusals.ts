import type { Hl7Message } from '../../protocols/events.ts'
import { WINDOWS, lateFrom, type Answers, type Refusal } from '../answers.ts'
import { rarityOf, type Factor, type ShareFactor } from '../arithmetic.ts'
import { LOOK, dailyOf } from '../baseline/counts.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { LOW_ALONE, NONE, evidence, num, rarity, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Messages, and days, after which it is known how a receiver answers a sender. */
const KNOWN = { sent: 50, days: 3 } as const
/** Faults come in heaps: so large a share is nothing unusual for an hour anywhere, nor is twice the usual one. */
const ORDINARY = 0.05
const RATIO = 2
/** Fewer are no pattern. */
const LEAST = 6

export const hl7Refusals: Detector<'hl7.message'> = {
  id: 'hl7-refusals',
  question: 'Does a receiver refuse, leave unanswered, or acknowledge late, far more HL7 messages than usual?',
  wants: ['hl7.message'],
  group: 'volume',
  objective: 'integrity',
  attack: ['T1565.002', 'T1499.002'],
  falsePositives: ['a receiver with a fault after an upgrade', 'a receiver that is slow under load'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const found = scene.refusal === undefined ? NONE : judgeShare(event, device, site, scene, scene.refusal)
    if (scene.crossed.length === 0) return found
    const options = (refusal: Refusal) => ({ detector: hl7Refusals, title: titleOf(refusal, device), least: 8, peer: scene.peer, service: event.message_type })
    return [...found, ...judgeCrossings({
      nak: options('refused'), unanswered: options('unanswered'),
    }, event, device, site, scene)]
  },
}

const DOES: Readonly<Record<Refusal, string>> = { refused: 'refuses', unanswered: 'gets no acknowledgement for', late: 'acknowledges late' }

/** @param actor who refuses or is late, or whose messages are not acknowledged */
const titleOf = (refusal: Refusal, actor: Device): string => `${nameOf(actor)} ${DOES[refusal]} far more HL7 messages than usual`

/** Few messages of a quiet night are no large number, and may be half of them. */
function judgeShare(event: Hl7Message, device: Device, site: Site, scene: Scene, refusal: Refusal): readonly Evidence[] {
  const answers = device.answers!.get(scene.peer.id)!
  const { usual, days: known } = answers
  if (usual.sent < KNOWN.sent || known < KNOWN.days) return NONE
  const usually = (usual[refusal] ?? 0) / usual.sent
  // An acknowledgement that the capture lost was none that was withheld.
  const share = Math.min(1, Math.max(ORDINARY, RATIO * usually) + RATIO * site.loss)
  const arithmetic = rarest(answers, refusal, share)
  if (arithmetic.length === 0) return NONE
  if (refusal === 'late') arithmetic.push({ of: 'cap', why: 'a receiver under load is late, too', least: LOW_ALONE })
  const p = rarityOf(arithmetic)
  const actor = refusal === 'unanswered' ? device : scene.peer
  const { hits, tries } = arithmetic[0] as ShareFactor
  const expected = usually * tries
  return [evidence(hl7Refusals, event, {
    actor, peer: actor === device ? scene.peer : device, p, arithmetic, observed: hits, expected, unit: UNITS[refusal], service: event.message_type,
    title: titleOf(refusal, actor),
    text: `${nameOf(scene.peer)} ${did(refusal, answers)} ${hits} of the last ${tries} messages by ${nameOf(device)} (of one patient after the other only the first counts); `
      + `usually ${num(expected)} of so many, and up to ${num(100 * share)} % is allowed for; ${rarity(p)}.`,
  })]
}

/** What makes the latest answers, in one of the windows, rarest; empty where nothing is unusual. */
function rarest({ usual, days, latest }: Answers, refusal: Refusal, share: number): Factor[] {
  let [p, arithmetic]: [number, Factor[]] = [LOOK, []]
  for (const tries of WINDOWS) {
    const hits = latest.slice(-tries).split(refusal[0]!).length - 1
    if (hits < LEAST) continue
    const windows = Math.max(1, dailyOf(usual.sent, days) / tries)
    const factors: Factor[] = [
      { of: 'share', hits, tries, share },
      { of: 'weight', why: `of such windows a day has ${num(windows)}, and ${WINDOWS.length} kinds of them were looked at`, times: WINDOWS.length * windows },
    ]
    const rarer = rarityOf(factors)
    if (rarer <= p) [p, arithmetic] = [rarer, factors]
  }
  return arithmetic
}

const UNITS: Readonly<Record<Refusal, string>> = { refused: 'messages refused', unanswered: 'messages unanswered', late: 'messages acknowledged late' }

function did(refusal: Refusal, answers: Answers): string {
  switch (refusal) {
    case 'refused': return 'refused'
    case 'unanswered': return 'did not acknowledge'
    case 'late': return `needed more than ${num(lateFrom(answers) / 1000)} s to acknowledge`
  }
}
