/** Which names an event uses for its two ends (AE titles, HL7 applications), told to the directory once in a step of time, not with every event. */
import type { DicomAssociation, DicomOperation, Flow, Hl7Message, WireEvent } from '../protocols/events.ts'
import type { Directory, Ends } from './directory.ts'
import { NO_CLAIMS, heardIn, type Claim } from './names.ts'

/** @returns two hosts with one name, where this event shows them. After it the ends of the conversation may be out of date. */
export function hearNames(event: WireEvent, flow: Flow, ends: Ends, directory: Directory): Claim[] {
  switch (event.kind) {
    case 'dicom.operation': return hearAe(event, flow, ends, directory)
    // A title that was refused proves nothing; an accepted one does.
    case 'dicom.association': return event.result === 'accepted' ? hearAe(event, flow, ends, directory) : NO_CLAIMS
    case 'hl7.message': return hearApplications(event, flow, ends, directory)
    default: return NO_CLAIMS
  }
}

function hearAe(event: DicomOperation | DicomAssociation, flow: Flow, ends: Ends, directory: Directory): Claim[] {
  const ae = event.calling_ae
  if (ae === null || ae === '' || (ae === ends.callingAe && heardIn(event.at) === ends.heard)) return NO_CLAIMS
  ends.heard = heardIn(event.at)
  const claim = directory.calling(ends, flow, ae, event.at)
  return claim === undefined ? NO_CLAIMS : [claim]
}

function hearApplications(event: Hl7Message, flow: Flow, ends: Ends, directory: Directory): Claim[] {
  const { sending_app: from, receiving_app: to } = event
  if (event.acknowledges !== null) return NO_CLAIMS
  if (from === ends.sendingApp && to === ends.receivingApp && heardIn(event.at) === ends.heard) return NO_CLAIMS
  ends.heard = heardIn(event.at)
  ends.sendingApp = from
  ends.receivingApp = to
  const sender = event.direction
  const receiver = sender === 'client' ? 'server' : 'client'
  // Who receives under a name may have moved; nobody is accused of receiving.
  if (to !== null && to !== '') {
    directory.application(ends, `rx:${to}|${event.receiving_facility ?? ''}`, flow[receiver].ip, ends[receiver], to, event.at)
  }
  if (from === null || from === '') return NO_CLAIMS
  const now = ends.version < 0 ? directory.ends(flow, event.at) : ends
  const name = `tx:${from}|${event.sending_facility ?? ''}>${now[receiver].id}`
  const claim = directory.application(now, name, flow[sender].ip, now[sender], from, event.at)
  if (now !== ends && now.version < 0) ends.version = -1
  return claim === undefined ? NO_CLAIMS : [claim]
}
