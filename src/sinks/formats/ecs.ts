/**
 * An alert as an Elastic Common Schema document (ECS 8.17), one line of JSON. A pure function of the alert.
 *
 * `source` is the device the alert is about and `destination` its first peer, whoever opened the connection; every address
 * is in `related.ip`. What ECS has no field for is under `wardwire`.
 */
import type { Alert, Attack, Severity } from '../../../models/alert.ts'
import { rfc3339 } from '../../../protocols/time.ts'
import { VERSION } from '../../version.ts'
import { isSubtechnique, parentTechnique, tacticId, tacticUrl, techniqueUrl } from './attack.ts'

/** The scale of Kibana's own rules. */
const SEVERITY: Record<Severity, number> = { info: 5, low: 21, medium: 47, high: 73, critical: 99 }

const end = (ip: string | undefined, mac: string | undefined, name: string | undefined): object | undefined =>
  ip === undefined && mac === undefined ? undefined : { ip, mac: mac?.toUpperCase().replaceAll(':', '-'), address: name }

const only = <T>(values: (T | undefined)[]): T[] => values.filter((v) => v !== undefined)

function threat(attack: Attack[]): object | undefined {
  if (attack.length === 0) return undefined
  const tactics = new Map(attack.map((a) => [a.tactic, tacticId(a)]))
  const ids = only([...tactics.values()])
  const sub = attack.filter(isSubtechnique)
  const techniques = new Map(attack.map((a) => [parentTechnique(a), isSubtechnique(a) ? undefined : a.name]))
  return {
    framework: 'MITRE ATT&CK',
    tactic: { id: ids, name: [...tactics.keys()], reference: ids.map(tacticUrl) },
    technique: {
      id: [...techniques.keys()],
      name: only([...techniques.values()]),
      reference: [...techniques.keys()].map(techniqueUrl),
      ...(sub.length > 0 && { subtechnique: { id: sub.map((a) => a.technique), name: sub.map((a) => a.name), reference: sub.map((a) => techniqueUrl(a.technique)) } }),
    },
  }
}

/** One line, without its end. */
export function ecsAlert(alert: Alert): string {
  const { device, peers: [peer] } = alert
  return JSON.stringify({
    '@timestamp': rfc3339(alert.last_seen),
    ecs: { version: '8.17.0' },
    message: alert.title,
    tags: ['wardwire'],
    event: {
      kind: 'alert', category: ['network', 'intrusion_detection'], type: ['info'],
      module: 'wardwire', dataset: 'wardwire.alert', provider: 'wardwire', action: alert.detector,
      id: alert.id, sequence: alert.revision,
      start: rfc3339(alert.first_seen), end: rfc3339(alert.last_seen), created: rfc3339(alert.raised_at),
      severity: SEVERITY[alert.severity], risk_score: alert.score, reason: alert.explanation,
    },
    rule: { id: alert.detector, name: alert.detector, category: alert.evidence[0]?.group, ruleset: 'wardwire', version: VERSION, description: alert.title },
    threat: threat(alert.attack),
    source: end(device.ip[0], device.mac[0], device.name),
    destination: peer && end(peer.ip[0], peer.mac[0], peer.name),
    related: { ip: alert.hosts, hosts: [...new Set([device.name, ...alert.peers.map((p) => p.name)])] },
    network: { community_id: alert.flows, type: device.ip[0] === undefined ? undefined : device.ip[0].includes(':') ? 'ipv6' : 'ipv4' },
    observer: { vendor: 'wardwire', product: 'wardwire', type: 'ids', version: VERSION, name: alert.capture.sensor },
    device: { id: device.id, type: device.role },
    wardwire: {
      schema: alert.schema, severity: alert.severity, count: alert.count,
      device, peers: alert.peers,
      evidence: alert.evidence.map((e) => ({ ...e, at: rfc3339(e.at) })),
      baseline: alert.baseline, capture: alert.capture,
    },
  })
}
