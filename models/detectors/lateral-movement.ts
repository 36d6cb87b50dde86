import type { FlowEnd } from '../../protocols/events.ts'
import { rarityOf, valueOf, type Factor } from '../arithmetic.ts'
import type { Habit, Memory } from '../baseline/novelty.ts'
import { imaging, mature, nameOf, type Device, type MemoryName } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, days, evidence, newsFactor, num, rarity, type Detector } from './detector.ts'

/** Services by which hosts are administered, share files or keep data: what spreads from host to host uses them. */
const SERVICES: Record<number, string> = {
  21: 'FTP', 22: 'SSH', 23: 'Telnet', 135: 'RPC', 139: 'SMB', 445: 'SMB', 512: 'rexec', 513: 'rlogin', 514: 'rsh', 1433: 'SQL Server', 1521: 'Oracle', 3306: 'MySQL',
  3389: 'RDP', 5432: 'PostgreSQL', 5800: 'VNC', 5900: 'VNC', 5985: 'WinRM', 5986: 'WinRM',
}
/** A scanner hardly ever meets a new host of this kind: once in some years. */
const PRIOR = { a: 0.2, b: 30 }
/** Conversations of such a kind on their first day: a visit of a technician has a few. */
const FIRST = { mean: 1, size: 0.5 }
/** Scanners are visited; that one itself goes to others to administer them is rarer. */
const OUTWARD = 0.05
/** What nobody mends any more is what worms look for. Half as likely to be harmless, no more: it is no sign by itself. */
const PAST_END_OF_LIFE = 0.5
/** Who has such conversations with so many hosts by habit is an administrator, a backup or a patch server: a further host is its work. */
const ADMINISTRATOR = 3

export const lateralMovement: Detector<'flow'> = {
  id: 'lateral-movement',
  question: 'Does a scanner begin to talk to a host over remote administration, file sharing or a database, as it never did?',
  wants: ['flow'],
  group: 'novelty',
  objective: 'movement',
  attack: ['T1021.001', 'T1021.002', 'T1210'],
  falsePositives: ['a visit of the vendor’s remote service from a host that was not used before', 'a new backup, patch or antivirus server on its first days'],

  judge(event: FlowEnd, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const service = SERVICES[event.flow.server.port]
    if (service === undefined || !imaging(device) || !mature(device) || !talked(event)) return NONE
    const outward = scene.side === 'client'
    const memory: MemoryName = outward ? 'contact' : 'port'
    const value = outward ? `${event.flow.server.ip}:${event.flow.server.port}` : `${event.flow.server.port}/?${scene.peer.id}`
    const habit = device.memories[memory].known.get(value)
    if (habit?.settled === true || (!outward && administers(scene.peer, event.flow.server.port))) return NONE
    const { earlier, uses } = openedToday(device.memories[memory], scene.day, outward)
    const today = uses + 1
    const arithmetic: Factor[] = [{ ...newsFactor(device, memory, value, PRIOR), news: earlier }, { of: 'amount', n: today, ...FIRST }]
    if (outward) arithmetic.push({ of: 'weight', why: 'the scanner itself goes to another host', times: OUTWARD })
    const eol = device.eol ?? null
    if (eol !== null && Date.parse(eol) * 1000 < event.at) arithmetic.push({ of: 'weight', why: `its operating system has had no updates since ${eol}`, times: PAST_END_OF_LIFE })
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const [from, to] = outward ? [device, scene.peer] : [scene.peer, device]
    const chance = valueOf(arithmetic[0]!)
    return [evidence(lateralMovement, event, {
      actor: from, peer: to, p, arithmetic, observed: today, expected: FIRST.mean * chance, unit: 'conversations today', service,
      title: `${nameOf(from)} talks to ${nameOf(to)} over ${service} for the first time`,
      text: `${counted(today, 'conversations')} of remote administration, file sharing or databases (${service}, port ${event.flow.server.port}) today with ${outward ? 'hosts that it goes to' : 'hosts that come to it'} for the first time, now ${nameOf(from)} to ${nameOf(to)}: none in the ${days(device.lived)} before; `
        + `a scanner has such a new partner on a day in ${num(1 / chance)}; ${rarity(p)}.`
        + (eol !== null && Date.parse(eol) * 1000 < event.at ? ` Its operating system has had no updates since ${eol}.` : ''),
    })]
  },
}

/** Both sides said something: a refusal or a look at an open port is a matter of fan-out. */
const talked = ({ transport, state, flow, bytes }: FlowEnd): boolean => transport === 'tcp' && state === 'established' && !flow.midstream && bytes.client > 0 && bytes.server > 0

/**
 * News of before today, and uses of today's: what spreads to many hosts in an hour must not become usual by that.
 * @param outward of contacts (`ip:port`), else of callers (`port/?device`)
 */
function openedToday(memory: Memory, day: number, outward: boolean): { earlier: number; uses: number } {
  let fresh = 0
  let uses = 0
  for (const [value, habit] of memory.known) {
    if (habit.settled || habit.day !== day) continue
    if (habit.days === 1) fresh++
    const port = outward ? value.slice(value.lastIndexOf(':') + 1) : value.split('/', 1)[0]!
    if (SERVICES[Number(port)] !== undefined) uses += habit.today
  }
  return { earlier: Math.max(0, memory.news - fresh), uses }
}

function administers(device: Device, port: number): boolean {
  const suffix = `:${port}`
  let hosts = 0
  for (const [value, habit] of device.memories.contact.known as ReadonlyMap<string, Habit>) {
    if (habit.settled && value.endsWith(suffix) && ++hosts >= ADMINISTRATOR) return true
  }
  return false
}
