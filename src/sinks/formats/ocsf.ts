/** An alert as an OCSF Detection Finding (class 2004, schema 1.6.0), one line of JSON. A pure function of the alert. Times are milliseconds. */
import type { Alert, AlertDevice, AlertEvidence, Attack, EvidenceGroup, Severity } from '../../../models/alert.ts'
import type { Micros } from '../../../protocols/events.ts'
import { VERSION } from '../../version.ts'
import { isSubtechnique, parentTechnique, tacticId } from './attack.ts'

const CLASS = 2004
const CREATE = 1
const UPDATE = 2
const SEVERITY: Record<Severity, [id: number, name: string]> = {
  info: [1, 'Informational'], low: [2, 'Low'], medium: [3, 'Medium'], high: [4, 'High'], critical: [5, 'Critical'],
}
const PATTERN: Record<EvidenceGroup, string> = {
  identity: 'CHANGED_IDENTITY', novelty: 'UNSEEN', volume: 'SURGE', meaning: 'RARE', protocol: 'INVALID', slow: 'LOW_AND_SLOW',
}
/** `connection_info.direction_id`: who opened the connection is not part of an alert. */
const DIRECTION_UNKNOWN = 0
/** `observables.type_id` of an address. */
const IP_ADDRESS = 2
/** `analytic.type_id`: by rule, or by how rare it is. */
const RULE = 1
const STATISTICAL = 3

const ms = (at: Micros): number => Math.floor(at / 1000)

const endpoint = (device: AlertDevice): object => ({ uid: device.id, name: device.name, ip: device.ip[0], mac: device.mac[0] })

function attack(a: Attack): object {
  const technique = { uid: parentTechnique(a), name: isSubtechnique(a) ? undefined : a.name }
  return {
    version: '16', tactic: { uid: tacticId(a), name: a.tactic }, technique,
    ...(isSubtechnique(a) && { sub_technique: { uid: a.technique, name: a.name } }),
  }
}

function anomaly(e: AlertEvidence): object {
  const observation_parameter = e.unit ?? e.detector
  return {
    anomalies: [{ observation_parameter, observation_type: e.group, observed_pattern: PATTERN[e.group], observations: [{ value: String(e.observed ?? e.text) }] }],
    baselines: [{ observation_parameter, observation_type: e.group, observations: [{ value: String(e.expected ?? 'none') }] }],
  }
}

/** One line, without its end. */
export function ocsfAlert(alert: Alert): string {
  const { device, peers: [peer] } = alert
  const activity = alert.revision === 1 ? CREATE : UPDATE
  const [severity_id, severity] = SEVERITY[alert.severity]
  return JSON.stringify({
    class_uid: CLASS, class_name: 'Detection Finding', category_uid: 2, category_name: 'Findings',
    activity_id: activity, activity_name: activity === CREATE ? 'Create' : 'Update', type_uid: CLASS * 100 + activity,
    time: ms(Math.max(alert.raised_at, alert.last_seen)), start_time: ms(alert.first_seen), end_time: ms(alert.last_seen), count: alert.count,
    severity_id, severity, status_id: 1, status: 'New', is_alert: true, risk_score: Math.round(alert.score),
    message: alert.explanation,
    metadata: {
      version: '1.6.0', uid: `${alert.id}:${alert.revision}`, sequence: alert.revision, log_name: alert.schema,
      product: { name: 'wardwire', vendor_name: 'wardwire', version: VERSION },
    },
    finding_info: {
      uid: alert.id, title: alert.title, desc: alert.explanation, types: [...new Set(alert.evidence.map((e) => e.group))],
      analytic: { uid: alert.detector, name: alert.detector, version: VERSION, type_id: alert.evidence.some((e) => e.p !== null) ? STATISTICAL : RULE },
      attacks: alert.attack.map(attack),
      created_time: ms(alert.raised_at), first_seen_time: ms(alert.first_seen), last_seen_time: ms(alert.last_seen),
    },
    evidences: alert.evidence.map((e) => ({
      src_endpoint: endpoint(device),
      ...(peer && { dst_endpoint: endpoint(peer) }),
      connection_info: { direction_id: DIRECTION_UNKNOWN, community_uid: e.flows[0] },
      data: { text: e.text, detector: e.detector, group: e.group, time: ms(e.at), p: e.p, observed: e.observed, expected: e.expected, unit: e.unit, flows: e.flows },
    })),
    resources: [{ uid: device.id, name: device.name, type: device.role, data: { ip: device.ip, mac: device.mac, ae_titles: device.ae_titles } }],
    observables: alert.hosts.map((value) => ({ name: 'host.ip', type_id: IP_ADDRESS, type: 'IP Address', value })),
    anomaly_analyses: alert.evidence.map((e) => ({ analysis_targets: [{ name: device.name, type: 'Device' }], ...anomaly(e) })),
    unmapped: { baseline: alert.baseline, capture: alert.capture, peers: alert.peers },
  })
}
