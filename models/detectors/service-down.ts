import type { DicomAssociation, FlowEnd } from '../../protocols/events.ts'
import { DAY, HOUR, MINUTE } from '../clock.ts'
import { nameOf, type Device, type Outage } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { failed } from '../observe.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, evidence, num, type Detector } from './detector.ts'

/** Usual callers that are turned away before anybody is told (all, where there are two: an interface engine may have no more), and how long an outage lasts before it is more than a note. */
const CALLERS = 3
const LONG = 4 * HOUR
/** Servers take few associations at once, and one lasts minutes: for so long a busy one may reject everybody (DETECTION 1.3); and two callers may fail together. */
const BUSY = 10 * MINUTE

export const serviceDown: Detector<'flow' | 'dicom.association' | 'dicom.operation' | 'hl7.message'> = {
  id: 'service-down',
  question: 'Has a server stopped answering the devices that use it every day, or does it turn them all away?',
  wants: ['flow', 'dicom.association', 'dicom.operation', 'hl7.message'],
  group: 'slow',
  objective: 'disruption',
  attack: ['T1489', 'T1486'],
  falsePositives: ['maintenance or a crash of the server', 'a network fault between the server and the sensor', 'a server that has more to do than it takes'],

  judge(event, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (scene.side !== 'server') return NONE
    if (event.kind === 'dicom.operation' || event.kind === 'hl7.message') {
      // It answers: whoever was turned away was so for another reason. That it takes messages says nothing of associations.
      device.outage = null
      if (event.kind === 'dicom.operation') device.rejecting = undefined
      return NONE
    }
    if (!turnsAway(event) || device.memories.caller.known.get(scene.peer.id)?.settled !== true) return NONE
    return turnedAwayBy(event, device, scene)
  },
}

/** It may also take the connection, and reject the association (PS3.8 9.3.4): of whoever uses it every day, for no fault of theirs. */
const turnsAway = (event: FlowEnd | DicomAssociation): boolean => (event.kind === 'flow' ? failed(event) : event.result === 'rejected')

function found(event: FlowEnd | DicomAssociation): string {
  if (event.kind === 'dicom.association') return 'rejecting associations'
  return event.state === 'refused' ? 'refusing connections' : 'silent'
}

const newOutage = (): Outage => ({ callers: new Map(), told: false })

function turnedAwayBy(event: FlowEnd | DicomAssociation, device: Device, scene: Scene): readonly Evidence[] {
  const outage: Outage = event.kind === 'flow' ? device.outage ??= newOutage() : device.rejecting ??= newOutage()
  const turnedAway = outage.callers
  for (const [caller, since] of turnedAway) if (turnedAway.size > 64 || event.at - since > DAY) turnedAway.delete(caller)
  if (!turnedAway.has(scene.peer.id)) turnedAway.set(scene.peer.id, event.at)
  const usual = [...device.memories.caller.known.values()].filter((habit) => habit.settled).length
  const hasFew = usual < CALLERS
  if (turnedAway.size < (hasFew ? 2 : CALLERS) || turnedAway.size < 0.1 * usual) return NONE
  let first = event.at
  for (const since of turnedAway.values()) first = Math.min(first, since)
  if ((hasFew || event.kind !== 'flow') && event.at - first < BUSY) return NONE
  const hours = (event.at - first) / HOUR
  const anew = !outage.told
  outage.told = true
  return [evidence(serviceDown, event, {
    actor: device, peer: scene.peer, p: null, anew, severity: event.at - first >= LONG ? 'medium' : 'low',
    observed: turnedAway.size, expected: 0, unit: 'usual callers turned away',
    title: event.kind === 'flow' ? `${nameOf(device)} no longer answers` : `${nameOf(device)} turns everybody away`,
    text: `${turnedAway.size} of ${usual} devices that use ${nameOf(device)} regularly found it ${found(event)} `
      + `for ${hours < 1 ? `${num(Math.round(hours * 60))} min` : `${num(hours)} h`}, and nobody was served since.`,
  })]
}
