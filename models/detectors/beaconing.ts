import type { FlowEnd } from '../../protocols/events.ts'
import { isPublic } from '../../protocols/net/address.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { binomialUpperTail } from '../baseline/distributions.ts'
import type { Habit, NewsPrior } from '../baseline/novelty.ts'
import { ALIKE_BY_CHANCE, alike, beat, type Rhythm } from '../baseline/rhythm.ts'
import { HOUR, MINUTE, SECOND } from '../clock.ts'
import { imaging, mature, nameOf, type Device } from '../device.ts'
import { NOBODY } from '../directory.ts'
import type { Evidence } from '../evidence.ts'
import { contactOf } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, evidence, newsFactor, num, rarity, type Detector } from './detector.ts'

/** A conversation that asks whether there is something to do is small: a TLS handshake with its certificates, and a few kilobytes. */
const SMALL = 32 * 1024
/** Intervals before a rhythm is one, and how seldom chance makes as many of them alike. */
const LEAST = 6
const BY_CHANCE = 1e-4
/** New hosts outside, or inside, a day. A scanner meets one in some months; who reads the web meets many, and its own history says so. */
const PRIORS: Record<'scanner' | 'other', NewsPrior> = { scanner: { a: 0.2, b: 30 }, other: { a: 1, b: 20 } }
/** Of new contacts that turn out to be called by the clock, small ones, those are few; inside the house monitoring and updates are such, outside few but vendors. */
const REGULAR = { outside: 1e-4, inside: 1e-3 } as const

export const beaconing: Detector<'flow'> = {
  id: 'beaconing',
  question: 'Does a medical device call a host by the clock, in small conversations, that it never used before?',
  wants: ['flow'],
  group: 'novelty',
  objective: 'movement',
  attack: ['T1071'],
  falsePositives: ['a remote service of the vendor, an update service or a licence check that was set up of late', 'a new monitoring or log server that the device reports to'],

  judge(event: FlowEnd, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.side !== 'client' || !medical(device) || !mature(device) || !small(event)) return NONE
    const { server } = event.flow
    const isOutside = scene.ends.outside === server.ip || (scene.peer === NOBODY && isPublic(server.ip))
    // A host inside that does not answer is a wrong setting, and of new hosts inside only a scanner's say something; outside a firewall may be what keeps it silent.
    if (isOutside ? site.calendar.publicPeers.has(server.ip) : !imaging(device) || !answered(event)) return NONE
    const value = contactOf(event)
    const habit = device.memories.contact.known.get(value)
    if (habit?.rhythm === undefined || habit.settled || habit.rhythm.gaps.length + 1 < LEAST) return NONE
    const gaps = withThis(habit.rhythm, event)
    const { middle, hits, tries } = alike(gaps)
    if (tries + 1 < LEAST || binomialUpperTail(hits, tries, ALIKE_BY_CHANCE) > BY_CHANCE) return NONE
    const where = isOutside ? 'outside' : 'inside'
    const arithmetic: Factor[] = [
      newsFactor(device, 'contact', value, PRIORS[imaging(device) ? 'scanner' : 'other'], scene.day),
      { of: 'weight', why: `a new contact ${where} the house that is called by the clock, in small conversations`, times: REGULAR[where] },
    ]
    const p = rarityOf(arithmetic)
    if (p > 0.01) return NONE
    const calls = habit.total + 1
    return [evidence(beaconing, event, {
      actor: device, peer: scene.peer === NOBODY ? null : scene.peer, p, arithmetic, observed: calls, expected: 0, unit: 'conversations by the clock',
      title: `${nameOf(device)} calls ${isOutside ? `the public address ${server.ip}` : scene.peer === NOBODY ? server.ip : nameOf(scene.peer)} every ${interval(middle)}`,
      text: `${counted(calls, 'small conversations')} with port ${server.port} (${event.transport.toUpperCase()}) of ${server.ip}${isOutside ? ', an address on the Internet,' : ''} since ${dayText(habit)}, `
        + `which ${nameOf(device)} never used before; ${hits + 1} of the latest ${tries + 1} intervals are within 20 % of ${interval(middle)} (by chance about ${num(1 + tries * ALIKE_BY_CHANCE)} would be); `
        + `this one ${num(event.bytes.client)} bytes up, ${num(event.bytes.server)} down${answered(event) ? '' : `, ${event.state}`}; ${rarity(p)}.`,
    })]
  },
}

const medical = (device: Device): boolean => device.role !== 'unknown' && device.role !== 'monitor'

/** DICOM and HL7 are judged by what they carry. */
const small = ({ protocol, flow, bytes }: FlowEnd): boolean => protocol !== 'dicom' && protocol !== 'hl7' && !flow.midstream && bytes.client + bytes.server <= SMALL

/** Datagrams inside the house are not looked at (learn.ts). */
const answered = ({ transport, state, bytes }: FlowEnd): boolean => state === 'established' && bytes.server > 0 && (transport === 'tcp' || bytes.client > 0)

/** The intervals with the one that this conversation ends; what is known is learned only later. */
function withThis({ last, gaps }: Rhythm, event: FlowEnd): readonly number[] {
  const now: Rhythm = { last, gaps: [...gaps] }
  beat(now, event.started)
  return now.gaps
}

function interval(micros: number): string {
  const [unit, name] = micros < 2 * MINUTE ? [SECOND, 's'] : micros < 2 * HOUR ? [MINUTE, 'min'] : [HOUR, 'h']
  return `${num(Math.round((10 * micros) / unit) / 10)} ${name}`
}

const dayText = ({ first }: Habit): string => new Date(first / 1000).toISOString().slice(0, 10)
