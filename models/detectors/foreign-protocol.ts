import type { FlowEnd } from '../../protocols/events.ts'
import { unitsOn } from '../baseline/novelty.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { isForeign } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, days, evidence, num, type Detector } from './detector.ts'

/** So many conversations make it a use rather than a probe. */
const USE = 3

export const foreignProtocol: Detector<'flow'> = {
  id: 'foreign-protocol',
  question: 'Is something else spoken at a port where a server has always spoken DICOM or HL7?',
  wants: ['flow'],
  group: 'protocol',
  objective: 'disruption',
  attack: ['T1572', 'T1571', 'T1001.003'],
  falsePositives: ['a monitoring system that probes the port with HTTP or TLS', 'another service that was moved to this port, or the same one that now speaks TLS'],

  judge(event: FlowEnd, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (scene.side !== 'server' || !isForeign(event) || event.state !== 'established' || event.transport !== 'tcp') return NONE
    if (event.flow.midstream || event.gaps.client > 0 || event.gaps.server > 0 || event.bytes.client === 0 || event.bytes.server === 0) return NONE
    const { port } = event.flow.server
    const known = ['hl7', 'dicom'].find((protocol) => device.memories.port.known.get(`${port}/${protocol}`)?.settled === true)
    if (known === undefined || !mature(device)) return NONE
    const habit = device.memories.port.known.get(`${port}/?${scene.peer.id}`)
    const today = unitsOn(habit, scene.day) + 1
    if (habit?.settled === true) return NONE
    return [evidence(foreignProtocol, event, {
      actor: scene.peer, peer: device, p: null, severity: today >= USE ? 'medium' : 'low',
      observed: today, expected: 0, unit: 'conversations in no known protocol',
      title: `${nameOf(scene.peer)} speaks something other than ${known.toUpperCase()} to ${nameOf(device)}`,
      text: `${counted(today, 'conversations')} today at port ${port} of ${nameOf(device)} ${today === 1 ? 'was' : 'were'} no ${known.toUpperCase()} (this one ${event.protocol === 'tls' ? 'TLS, ' : ''}${num(event.bytes.client)} bytes up, `
        + `${num(event.bytes.server)} down, nothing lost); in ${days(device.lived)} the port spoke ${known.toUpperCase()}.`,
    })]
  },
}
