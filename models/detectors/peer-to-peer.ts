import type { FlowEnd } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import type { NewsPrior } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { DAY, MINUTE } from '../clock.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { administers, administrationOf, talked } from './administration.ts'
import { NONE, days, evidence, newsFactor, rarity, type Detector } from './detector.ts'

/** New hosts that a device goes to, and callers that come to it, over such a service: by day. */
const PRIORS: Record<'scanner' | 'other', NewsPrior> = { scanner: { a: 0.2, b: 30 }, other: { a: 0.4, b: 20 } }
/** New hosts on such a day. */
const FIRST = { mean: 1, size: 0.5 }
/** Two such firsts on one day may be chance; over the same service, and the one after the other, seldom. */
const SAME_WAY = 0.1
/** Scanners have their work with archives and worklists, none with each other's files and desktops. */
const BETWEEN_SCANNERS = 0.01
/** Who is reached and goes on within this time passes it on. */
const PASSED_ON = DAY

export const peerToPeer: Detector<'flow'> = {
  id: 'peer-to-peer',
  question: 'Does a host that was reached over remote administration or file sharing reach out to others by the same way, or a scanner to another scanner?',
  wants: ['flow'],
  group: 'meaning',
  objective: 'movement',
  attack: ['T1210', 'T1021.001', 'T1021.002'],
  falsePositives: ['a technician who works on one host from the desktop of another', 'a new jump host on its first days'],

  judge(event: FlowEnd, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const { port } = event.flow.server
    const service = administrationOf(port)
    if (service === undefined || scene.side !== 'client' || !mature(device) || !talked(event) || device === scene.peer) return NONE
    const value = `${event.flow.server.ip}:${port}`
    if (device.memories.contact.known.get(value)?.settled === true || administers(device, port)) return NONE
    const reached = reachedOver(service, device, scene, event.started)
    const between = imaging(device) && imaging(scene.peer)
    if (reached === undefined && !between) return NONE
    const prior = PRIORS[imaging(device) ? 'scanner' : 'other']
    const factor = (memory: 'contact' | 'port', of: string): Factor => newsFactor(device, memory, of, prior, scene.day)
    const hosts = hostsToday(service, device, scene.day, value)
    const arithmetic: Factor[] = [factor('contact', value), { of: 'amount', n: hosts, ...FIRST }]
    if (reached !== undefined) arithmetic.push(factor('port', reached.value), { of: 'weight', why: 'it was reached by the same service before', times: SAME_WAY })
    if (between) arithmetic.push({ of: 'weight', why: 'both are scanners, which have no such business with each other', times: BETWEEN_SCANNERS })
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const from = nameOf(device)
    const to = nameOf(scene.peer)
    const earlier = daysBefore(device.memories.contact.known.get(value), scene.day)
    return [evidence(peerToPeer, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: hosts, expected: 0, unit: 'hosts reached for the first time', service,
      title: reached === undefined ? `${from} reaches another scanner, ${to}, over ${service}` : `${from} was reached over ${service}, and now reaches ${to} by the same way`,
      text: `${from} opened a conversation over ${service} (port ${port}) with ${to}, which it ${earlier === 0 ? `never had in the ${days(device.lived)} that it is known` : `had on only ${earlier} of the ${days(device.lived)} before`}${hosts > 1 ? `; it is the ${hosts}${ordinal(hosts)} such host today` : ''}`
        + `${reached === undefined ? '' : `; ${Math.max(1, Math.round((event.started - reached.at) / MINUTE))} min before, a host that had never come to it reached it over ${service}, as a worm would`}`
        + `${between ? '; both are scanners' : ''}; ${rarity(p)}.`,
    })]
  },
}

const ordinal = (n: number): string => (n % 100 >= 11 && n % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')

/** Hosts that it reaches today over a service for the first time, this one among them. */
function hostsToday(service: string, device: Device, day: number, now: string): number {
  const hosts = new Set([now.slice(0, now.lastIndexOf(':'))])
  for (const [value, habit] of device.memories.contact.known) {
    const colon = value.lastIndexOf(':')
    if (!habit.settled && habit.day === day && daysBefore(habit, day) === 0 && administrationOf(Number(value.slice(colon + 1))) === service) hosts.add(value.slice(0, colon))
  }
  return hosts.size
}

/** The latest new caller over a service before this conversation began, but for the host that is now gone to: that would be an answer. */
function reachedOver(service: string, device: Device, { peer }: Scene, before: number): { value: string; at: number } | undefined {
  let latest: { value: string; at: number } | undefined
  for (const [value, { settled, first }] of device.memories.port.known) {
    if (settled || first > before || before - first > PASSED_ON || (latest !== undefined && first <= latest.at)) continue
    const slash = value.indexOf('/?')
    if (slash > 0 && value.slice(slash + 2) !== peer.id && administrationOf(Number(value.slice(0, slash))) === service) latest = { value, at: first }
  }
  return latest
}
