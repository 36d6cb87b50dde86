import type { Hl7Message } from '../../protocols/events.ts'
import { daysBefore } from '../baseline/seen.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { countReused } from '../reused.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, before, counted, evidence, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** So many in a day are no accident, and so many are no handful. */
const REUSED = 3
const MANY = 10
/** Who does so on more than this share of its days, and on more than one, numbers its messages like that. */
const USUAL = 0.1

export const hl7Replay: Detector<'hl7.message'> = {
  id: 'hl7-replay',
  question: 'Are HL7 messages sent again that were already accepted, as they were or changed?',
  wants: ['hl7.message'],
  group: 'meaning',
  objective: 'integrity',
  attack: ['T1565.002'],
  falsePositives: ['a sender that repeats its queue after a restart', 'a monitor that sends the same test message again and again', 'messages that somebody had sent again by hand, after a correction'],

  judge(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const found = judgeReused(event, device, site, scene)
    if (scene.crossed.length === 0) return found
    return [...found, ...judgeCrossings({
      replay: {
        detector: hl7Replay, title: `${nameOf(device)} sends messages again that were already accepted`, least: 5, peer: scene.peer, service: event.message_type,
        note: 'with the same control id and the same content, though the receiver had said yes to each',
      },
    }, event, device, site, scene)]
  },
}

/** A control id names one message (HL7 v2.5.1 2.15.9.10): what comes under the id of another one, among messages with ids of their own, is that one, changed. */
function judgeReused(event: Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  // An engine passes on the ids that several senders gave, and may put more into a message the second time; they are judged.
  if (!scene.acts || event.acknowledges !== null || device.role === 'engine') return NONE
  const n = countReused(event, device, scene.day, !site.frozen)
  if (n < REUSED || !mature(device)) return NONE
  const { reusedDays, lived } = device
  if (daysBefore(reusedDays, scene.day) > Math.max(1, USUAL * lived)) return NONE
  return [evidence(hl7Replay, event, {
    actor: device, peer: scene.peer, p: null, severity: n < MANY ? 'low' : 'medium', observed: n, expected: 0, unit: 'messages with the control id of another one',
    service: event.message_type,
    title: `${nameOf(device)} sends accepted messages again, with another content`,
    text: `${counted(n, 'messages')} today from ${nameOf(device)} to ${nameOf(scene.peer)} had the control id of an earlier message that was accepted, and another content, `
      + `while other messages went on with new ids; ${before(reusedDays, scene.day, lived)}.`,
  })]
}
