/** The list of detectors: one line each. */
import { aeConflict } from './ae-conflict.ts'
import { aeGuessing } from './ae-guessing.ts'
import type { Detector } from './detector.ts'
import { hl7NewKind } from './hl7-new-kind.ts'
import { hl7NewSender } from './hl7-new-sender.ts'
import { hl7Volume } from './hl7-volume.ts'
import { moveDestination } from './move-destination.ts'
import { newPeer } from './new-peer.ts'
import { newService } from './new-service.ts'
import { publicAddress } from './public-address.ts'
import { queryEnumeration } from './query-enumeration.ts'
import { staleStudies } from './stale-studies.ts'
import { storeVolume } from './store-volume.ts'
import { unexplainedAccess } from './unexplained-access.ts'

export const DETECTORS: readonly Detector[] = [
  aeConflict,
  aeGuessing,
  hl7NewKind,
  hl7NewSender,
  hl7Volume,
  moveDestination,
  newPeer,
  newService,
  publicAddress,
  queryEnumeration,
  staleStudies,
  storeVolume,
  unexplainedAccess,
] as readonly Detector[]
