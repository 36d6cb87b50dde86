/** The list of detectors: one line each. */
import type { Detector } from './detector.ts'
import { aeConflict } from './ae-conflict.ts'
import { aeGuessing } from './ae-guessing.ts'
import { beaconing } from './beaconing.ts'
import { cleartextIdentity } from './cleartext-identity.ts'
import { contextFlood } from './context-flood.ts'
import { executableContent } from './executable-content.ts'
import { fanOut } from './fan-out.ts'
import { foreignProtocol } from './foreign-protocol.ts'
import { hl7Enumeration } from './hl7-enumeration.ts'
import { hl7Merge } from './hl7-merge.ts'
import { hl7NewKind } from './hl7-new-kind.ts'
import { hl7NewSender } from './hl7-new-sender.ts'
import { hl7Refusals } from './hl7-refusals.ts'
import { hl7Replay } from './hl7-replay.ts'
import { hl7Size } from './hl7-size.ts'
import { hl7Volume } from './hl7-volume.ts'
import { idleAssociations } from './idle-associations.ts'
import { lateralMovement } from './lateral-movement.ts'
import { moveDestination } from './move-destination.ts'
import { newPeer } from './new-peer.ts'
import { newReceiver } from './new-receiver.ts'
import { newService } from './new-service.ts'
import { newWorklist } from './new-worklist.ts'
import { peerToPeer } from './peer-to-peer.ts'
import { privateData } from './private-data.ts'
import { protocolViolations } from './protocol-violations.ts'
import { publicAddress } from './public-address.ts'
import { queryEnumeration } from './query-enumeration.ts'
import { rerouted } from './rerouted.ts'
import { serviceDown } from './service-down.ts'
import { silence } from './silence.ts'
import { slowDrip } from './slow-drip.ts'
import { staleStudies } from './stale-studies.ts'
import { storeBytes } from './store-bytes.ts'
import { storeVolume } from './store-volume.ts'
import { unexplainedAccess } from './unexplained-access.ts'
import { unlikePeers } from './unlike-peers.ts'

export const DETECTORS: readonly Detector[] = [
  aeConflict,
  aeGuessing,
  beaconing,
  cleartextIdentity,
  contextFlood,
  executableContent,
  fanOut,
  foreignProtocol,
  hl7Enumeration,
  hl7Merge,
  hl7NewKind,
  hl7NewSender,
  hl7Refusals,
  hl7Replay,
  hl7Size,
  hl7Volume,
  idleAssociations,
  lateralMovement,
  moveDestination,
  newPeer,
  newReceiver,
  newService,
  newWorklist,
  peerToPeer,
  privateData,
  protocolViolations,
  publicAddress,
  queryEnumeration,
  rerouted,
  serviceDown,
  silence,
  slowDrip,
  staleStudies,
  storeBytes,
  storeVolume,
  unexplainedAccess,
  unlikePeers,
] as readonly Detector[]

/** Those that judge an event, by its kind. */
export const WANTED: ReadonlyMap<string, readonly Detector[]> = byKind()

function byKind(): Map<string, Detector[]> {
  const wanted = new Map<string, Detector[]>()
  for (const detector of DETECTORS) {
    for (const kind of detector.wants) wanted.set(kind, [...wanted.get(kind) ?? [], detector])
  }
  return wanted
}
