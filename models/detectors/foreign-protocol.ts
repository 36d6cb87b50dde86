import type { FlowEnd } from '../../protocols/events.ts'
import { unitsOn, type Habit } from '../baseline/novelty.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { isForeign, speaks } from '../observe.ts'
import { family } from '../role.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, SITE_KNOWN, counted, days, evidence, num, type Detector } from './detector.ts'

/** So many conversations make it a use rather than a probe. */
const USE = 3
/** On more days than that it is what these two do. */
const USUAL_DAYS = 3

export const foreignProtocol: Detector<'flow'> = {
  id: 'foreign-protocol',
  question: 'Is something else spoken at a port where a server, or this site, has always spoken DICOM or HL7?',
  wants: ['flow'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1572', 'T1571', 'T1001.003'],
  falsePositives: ['a monitoring system that probes the port with HTTP or TLS', 'another service that was moved to this port, or the same one that now speaks TLS'],

  judge(event: FlowEnd, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.side !== 'server' || !isForeign(event) || event.state !== 'established' || event.transport !== 'tcp') return NONE
    if (event.flow.midstream || event.gaps.client > 0 || event.gaps.server > 0 || event.bytes.client === 0 || event.bytes.server === 0) return NONE
    const { port } = event.flow.server
    const habit = device.memories.port.known.get(`${port}/?${scene.peer.id}`)
    const own = PROTOCOLS.find((protocol) => speaks(device, port, protocol))
    if (own !== undefined) {
      return !mature(device) || habit?.settled === true ? NONE : told(event, device, scene, habit, own, `in ${days(device.lived)} the port spoke ${own.toUpperCase()}`)
    }
    // A port of others means nothing where anything is served; but whoever waits for what a scanner or reader sends out there is easily overlooked.
    const usual = device.role === 'unknown' && MEDICAL.has(family(scene.peer.role)) && (habit?.days ?? 0) <= USUAL_DAYS && site.age >= SITE_KNOWN ? site.spokenAt(port) : undefined
    return usual === undefined ? NONE : told(event, device, scene, habit, usual, `at this site the port speaks ${usual.toUpperCase()}, and ${nameOf(device)} never did`)
  },
}

const PROTOCOLS = ['hl7', 'dicom'] as const
const MEDICAL: ReadonlySet<string> = new Set(['modality', 'workstation', 'archive', 'ris', 'engine', 'gateway'])

function told(event: FlowEnd, device: Device, scene: Scene, habit: Habit | undefined, protocol: string, why: string): readonly Evidence[] {
  const { port } = event.flow.server
  const today = unitsOn(habit, scene.day) + 1
  return [evidence(foreignProtocol, event, {
    actor: scene.peer, peer: device, p: null, severity: today >= USE ? 'medium' : 'low',
    observed: today, expected: 0, unit: 'conversations in no known protocol',
    title: `${nameOf(scene.peer)} speaks something other than ${protocol.toUpperCase()} to ${nameOf(device)}`,
    text: `${counted(today, 'conversations')} today at port ${port} of ${nameOf(device)} ${today === 1 ? 'was' : 'were'} no ${protocol.toUpperCase()} (this one ${event.protocol === 'tls' ? 'TLS, ' : ''}${num(event.bytes.client)} bytes up, `
      + `${num(event.bytes.server)} down, nothing lost); ${why}.`,
  })]
}
