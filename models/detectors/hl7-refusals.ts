import type { Hl7Message } from '../../protocols/events.ts'
import { WINDOWS, type Refusal } from '../answers.ts'
import { rarityOf, type Factor, type ShareFactor } from '../arithmetic.ts'
import { dailyOf } from '../baseline/counts.ts'
import { nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, rarity, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Messages, and days, after which it is known how a receiver answers a sender. */
const KNOWN = { sent: 50, days: 3 } as const
/** Faults come in heaps: so large a share is nothing unusual for an hour anywhere, nor is twice the usual one. */
const ORDINARY = 0.05
const RATIO = 2
/** Fewer are no pattern. */
const LEAST = 6
/** What is more usual is no evidence. */
const LOOK = 1e-3

export const hl7Refusals: Detector<'hl7.message'> = {
  id: 'hl7-refusals',
  question: 'Does a receiver refuse, or leave unanswered, far more HL7 messages than usual?',
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

/** @param actor who refuses, or whose messages are not acknowledged */
const titleOf = (refusal: Refusal, actor: Device): string =>
  `${nameOf(actor)} ${refusal === 'refused' ? 'refuses' : 'gets no acknowledgement for'} far more HL7 messages than usual`

/** Few messages of a quiet night are no large number, and may be half of them. */
function judgeShare(event: Hl7Message, device: Device, site: Site, scene: Scene, refusal: Refusal): readonly Evidence[] {
  const { usual, days: known, latest } = device.answers!.get(scene.peer.id)!
  if (usual.sent < KNOWN.sent || known < KNOWN.days) return NONE
  // An acknowledgement that the capture lost was none that was withheld.
  const share = Math.min(1, Math.max(ORDINARY, RATIO * usual[refusal] / usual.sent) + RATIO * site.loss)
  const sent = dailyOf(usual.sent, known)
  let [p, hits, arithmetic]: [number, number, Factor[]] = [1, 0, []]
  for (const tries of WINDOWS) {
    const n = latest.slice(-tries).split(refusal[0]!).length - 1
    if (n < LEAST) continue
    const windows = Math.max(1, sent / tries)
    const factors: Factor[] = [
      { of: 'share', hits: n, tries, share },
      { of: 'weight', why: `of such windows a day has ${num(windows)}, and ${WINDOWS.length} kinds of them were looked at`, times: WINDOWS.length * windows },
    ]
    const rarer = rarityOf(factors)
    if (rarer < p) [p, hits, arithmetic] = [rarer, n, factors]
  }
  if (p > LOOK) return NONE
  const [sender, receiver] = [nameOf(device), nameOf(scene.peer)]
  const actor = refusal === 'refused' ? scene.peer : device
  const { tries } = arithmetic[0] as ShareFactor
  const expected = usual[refusal] / usual.sent * tries
  return [evidence(hl7Refusals, event, {
    actor, peer: actor === device ? scene.peer : device, p, arithmetic, observed: hits, expected, unit: `messages ${refusal}`, service: event.message_type,
    title: titleOf(refusal, actor),
    text: `${receiver} ${refusal === 'refused' ? 'refused' : 'did not acknowledge'} ${hits} of the last ${tries} messages by ${sender} (of one patient after the other only the first counts); `
      + `usually ${num(expected)} of so many, and up to ${num(100 * share)} % is allowed for; ${rarity(p)}.`,
  })]
}
