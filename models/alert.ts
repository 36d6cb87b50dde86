/** What leaves the models: the native alert, `wardwire.alert/1`. Field names are the published JSON; times are capture time. */
import type { Micros } from '../protocols/events.ts'
import type { Factor } from './arithmetic.ts'

/** From the least to the most severe. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]
export type EvidenceGroup = 'identity' | 'novelty' | 'volume' | 'meaning' | 'protocol' | 'slow'

/** One observation that speaks for an alert, with the numbers it rests on. */
export interface AlertEvidence {
  detector: string
  group: EvidenceGroup
  at: Micros
  /** Probability of this or something rarer under the device's own baseline; null for rules. */
  p: number | null
  observed: number | null
  /** The most that was observed of it in this alert, where that is more. */
  most?: number | undefined
  expected: number | null
  unit: string | null
  /** One plain sentence. */
  text: string
  /** Community ids. */
  flows: string[]
  /** The factors that p is the product of; absent for rules. */
  arithmetic?: Factor[] | undefined
  /** Whose deed it was and with whom (device ids), and the DIMSE command or HL7 message type. */
  actor?: string | undefined
  peer?: string | null | undefined
  service?: string | null | undefined
  /** Other services that the same was done by (the empty text: by none that has a name). */
  services?: string[] | undefined
}

export interface AlertDevice {
  id: string
  role: string
  name: string
  ip: string[]
  mac: string[]
  ae_titles: string[]
}

/** For whoever reads it: sentences without their full stop. */
export interface Advice {
  /** Harmless things that look the same. */
  would_explain: string[]
  /** What may seem to explain it and does not. */
  would_not: string
  next: string
}

export interface Attack {
  /** MITRE ATT&CK technique id, such as T1048.003. */
  technique: string
  name: string
  tactic: string
}

export interface Alert {
  schema: 'wardwire.alert/1'
  /** A function of the evidence: a replay gives the same. */
  id: string
  /** Grows each time the alert does; `raised_at` never changes. */
  revision: number
  raised_at: Micros
  first_seen: Micros
  last_seen: Micros
  severity: Severity
  score: number
  /** The leading detector. */
  detector: string
  title: string
  /** Observations, context and advice as one text. */
  explanation: string
  /** Absent where the sensor speaks about itself. */
  advice?: Advice | undefined
  device: AlertDevice
  peers: AlertDevice[]
  /** Every address involved. */
  hosts: string[]
  evidence: AlertEvidence[]
  attack: Attack[]
  /** Version of MITRE ATT&CK Enterprise that the techniques are named by. */
  attack_version?: string | undefined
  /** Id of the alert that a campaign began with: incidents within 72 h that share an actor or a target. */
  campaign?: string | undefined
  flows: string[]
  /** Events behind it. */
  count: number
  /** Of the device; `others` of its role and at how many percent of their usual they are today, where that was part of the judgement. */
  baseline: { days: number; events: number; state: string; others?: number | undefined; pace?: number | undefined }
  capture: { sensor: string; source: string; loss: number }
}
