/** What a detector hands in: one thing that is unusual, who did it, and how rare that is. `standing.ts` says when it is enough. */
import type { Flow, Micros } from '../protocols/events.ts'
import type { EvidenceGroup, Severity } from './alert.ts'
import type { Factor } from './arithmetic.ts'
import type { Device } from './device.ts'

/** What the actor would be after: with the actor, what makes evidence one incident. */
export const OBJECTIVES = ['collection', 'identity', 'discovery', 'integrity', 'disruption', 'movement'] as const
export type Objective = (typeof OBJECTIVES)[number]

export interface Evidence {
  detector: string
  group: EvidenceGroup
  objective: Objective
  at: Micros
  /** Who did it; not always the device whose baseline was asked. */
  actor: Device
  peer: Device | null
  /** Who had the actor do it (C-MOVE), when that is neither of the two. */
  asker?: Device | null
  /** Who did the same. */
  others?: readonly Device[]
  /** Rarity under the baseline, uncorrected; null for rules, which carry their severity. */
  p: number | null
  /** The factors that p is the product of; none for rules. */
  arithmetic: readonly Factor[]
  severity?: Severity
  /** Claimed by a baseline that is not armed yet: no more than a low alert comes of it. */
  learning?: boolean
  observed: number | null
  expected: number | null
  unit: string | null
  /** When it began, where it is told later. */
  since?: Micros
  /** When that began which lasts since: who declared the change need not declare for good what it left behind. */
  began?: Micros | undefined
  /** Where the detector knows when a thing is over: is this the first of another one? */
  anew?: boolean
  /** It sums up what was done in so long a time until now; what was told of that is no news. */
  sums?: Micros
  /** No declared change explains it. */
  inexcusable?: true
  title: string
  text: string
  /** DIMSE command or HL7 message type, for allowed edges. */
  service: string | null
  flow: Flow | null
}
