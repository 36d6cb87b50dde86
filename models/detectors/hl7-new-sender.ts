import type { Hl7Message } from '../../protocols/events.ts'
import { rarityOf, valueOf, type Factor } from '../arithmetic.ts'
import { unitsOn } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { clean, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { legal } from '../role.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, days, evidence, newsFactor, rarity, type Detector } from './detector.ts'
import { claimEvidence } from './identity.ts'

/** New interfaces into one receiver: a few in a decade. */
const PRIOR = { a: 0.05, b: 20 }
const FIRST = { mean: 20, size: 0.5 }
const ILLEGAL = 1e-2

export const hl7NewSender: Detector<'hl7.message'> = {
  id: 'hl7-new-sender',
  question: 'Does a host send HL7 messages to a receiver that it never fed, or in the name of another system?',
  wants: ['hl7.message'],
  group: 'identity',
  objective: 'integrity',
  attack: ['T1565.002', 'T1557'],
  falsePositives: ['a new interface', 'a failover where both systems run side by side'],

  judge(event: Hl7Message, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const claims = scene.claims.length === 0 ? NONE : scene.claims.filter((claim) => claim.name.startsWith('tx:')).map((claim) => claimEvidence(hl7NewSender, event, claim, 'sending application'))
    if (scene.acts || event.acknowledges !== null || !mature(device)) return claims
    const habit = device.memories.sender.known.get(scene.peer.id)
    if (habit?.settled === true) return claims
    const today = unitsOn(habit, scene.day) + 1
    const news = newsFactor(device, 'sender', scene.peer.id, PRIOR, scene.day)
    const allowed = legal('HL7', scene.peer.role, device.role)
    const arithmetic: Factor[] = [news, { of: 'amount', n: today, ...FIRST }]
    if (!allowed) arithmetic.push({ of: 'weight', why: 'the two roles have no business with HL7', times: ILLEGAL })
    const p = rarityOf(arithmetic)
    if (p > 0.01) return claims
    const who = nameOf(scene.peer)
    return [...claims, evidence(hl7NewSender, event, {
      actor: scene.peer, peer: device, p, arithmetic, observed: today, expected: FIRST.mean * valueOf(news), unit: 'messages', service: event.message_type,
      title: `${who} sends HL7 messages to ${nameOf(device)}, which it never fed`,
      text: `${counted(today, 'messages')} today from ${who} as ${clean(event.sending_app ?? 'no application')}; ${nameOf(device)} had ${sendersOf(device, scene)}${allowed ? '' : `; a device in the role ${scene.peer.role} usually sends no HL7`}; ${rarity(p)}.`,
    })]
  },
}

/** Who sent to it before today, in words. */
function sendersOf(device: Device, { peer, day }: Scene): string {
  const { known } = device.memories.sender
  let others = 0
  for (const [id, habit] of known) if (id !== peer.id && daysBefore(habit, day) > 0) others++
  const earlier = daysBefore(known.get(peer.id), day)
  return earlier === 0 ? `${counted(others, 'senders')} in ${days(device.lived)} and this was none of them`
    : `${counted(others, 'other senders')} in ${days(device.lived)}, and this one on only ${earlier} of them`
}
