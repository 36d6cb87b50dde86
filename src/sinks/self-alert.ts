/** An alert about ourselves: not what a device does, but what the sensor can't see, or can't tell. It goes the way of every alert. */
import { createHash } from 'node:crypto'
import type { Alert, Severity } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'

export interface SelfObservation {
  /** `ops.` and what it is about. */
  detector: string
  sensor: string
  severity: Severity
  title: string
  /** One plain sentence. */
  text: string
  raisedAt: Micros
  /** Of what is told now; default: `raisedAt`. */
  firstSeen?: Micros
  lastSeen?: Micros
  revision?: number
  observed: number | null
  expected: number | null
  unit: string | null
  /** Part of bytes or frames that the sensor missed meanwhile. */
  loss?: number
  count?: number
  /** What tells this one from others of its kind: the id is a function of it. */
  identity: string
}

export function selfAlert({ detector, sensor, severity, title, text, raisedAt, firstSeen = raisedAt, lastSeen = raisedAt, revision = 1, observed, expected, unit, loss = 0, count = 1, identity }: SelfObservation): Alert {
  const kind = detector.replace(/^ops\./, '').replaceAll('_', '-')
  return {
    schema: 'wardwire.alert/1',
    id: `${kind}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`,
    revision, raised_at: raisedAt, first_seen: firstSeen, last_seen: lastSeen,
    severity, score: 0, detector, title, explanation: text,
    device: { id: `sensor:${sensor}`, role: 'sensor', name: sensor, ip: [], mac: [], ae_titles: [] },
    peers: [], hosts: [],
    evidence: [{ detector, group: 'protocol', at: lastSeen, p: null, observed, expected, unit, text, flows: [] }],
    attack: [], flows: [], count,
    baseline: { days: 0, events: 0, state: 'none' },
    capture: { sensor, source: 'self', loss },
  }
}

export const isSelfAlert = ({ detector }: Alert): boolean => detector.startsWith('ops.')
