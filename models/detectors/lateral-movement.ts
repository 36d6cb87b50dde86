import type { FlowEnd } from '../../protocols/events.ts'
import { rarityOf, valueOf, type Factor } from '../arithmetic.ts'
import type { Memory, MemoryName } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { administers, administrationOf, talked } from './administration.ts'
import { NONE, before, counted, evidence, newsFactor, oneDayIn, rarity, type Detector } from './detector.ts'

/** A scanner hardly ever meets a new host of this kind: once in some years. */
const PRIOR = { a: 0.2, b: 30 }
/** Conversations of such a kind on their first day: a visit of a technician has a few. */
const FIRST = { mean: 1, size: 0.5 }
/** Scanners are visited; that one itself goes to others to administer them is rarer. */
const OUTWARD = 0.05

export const lateralMovement: Detector<'flow'> = {
  id: 'lateral-movement',
  question: 'Does a scanner begin to talk to a host over remote administration, file sharing or a database, as it never did?',
  wants: ['flow'],
  group: 'novelty',
  objective: 'movement',
  attack: ['T1021.001', 'T1021.002', 'T1210'],
  falsePositives: ['a visit of the vendor’s remote service from a host that was not used before', 'a new backup, patch or antivirus server on its first days'],

  judge(event: FlowEnd, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const service = administrationOf(event.flow.server.port)
    if (service === undefined || !imaging(device) || !mature(device) || !talked(event)) return NONE
    const outward = scene.side === 'client'
    const memory: MemoryName = outward ? 'contact' : 'port'
    const value = outward ? `${event.flow.server.ip}:${event.flow.server.port}` : `${event.flow.server.port}/?${scene.peer.id}`
    const habit = device.memories[memory].known.get(value)
    if (habit?.settled === true || (!outward && administers(scene.peer, event.flow.server.port))) return NONE
    const today = usesOfNews(device.memories[memory], scene.day, outward) + 1
    const arithmetic: Factor[] = [newsFactor(device, memory, value, PRIOR, scene.day), { of: 'amount', n: today, ...FIRST }]
    if (outward) arithmetic.push({ of: 'weight', why: 'the scanner itself goes to another host', times: OUTWARD })
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const [from, to] = outward ? [device, scene.peer] : [scene.peer, device]
    const chance = valueOf(arithmetic[0]!)
    return [evidence(lateralMovement, event, {
      actor: from, peer: to, p, arithmetic, observed: today, expected: FIRST.mean * chance, unit: 'conversations today', service,
      title: `${nameOf(from)} talks to ${nameOf(to)} over ${service}${daysBefore(habit, scene.day) === 0 ? ' for the first time' : ', as it hardly ever did'}`,
      text: `${counted(today, 'conversations')} of remote administration, file sharing or databases (${service}, port ${event.flow.server.port}) today with ${outward ? 'hosts that it goes to' : 'hosts that come to it'} for the first time, now ${nameOf(from)} to ${nameOf(to)}: ${before(habit, scene.day, device.lived)}; `
        + `a scanner has such a new partner on ${oneDayIn(chance)}; ${rarity(p)}.`,
    })]
  },
}

/**
 * Uses of what is new, today and over such services: it may be many hosts in an hour.
 * @param outward of contacts (`ip:port`), else of callers (`port/?device`)
 */
function usesOfNews(memory: Memory, day: number, outward: boolean): number {
  let uses = 0
  for (const [value, habit] of memory.known) {
    if (habit.settled || habit.day !== day) continue
    const port = outward ? value.slice(value.lastIndexOf(':') + 1) : value.split('/', 1)[0]!
    if (administrationOf(Number(port)) !== undefined) uses += habit.today
  }
  return uses
}
