/** An alert about ourselves: alerts were lost on the way to a sink, and how many. A pure function of the tally. */
import { createHash } from 'node:crypto'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { lossCount, type Losses } from '../store/losses.ts'

/** @param sink whose receiver did not get them */
export function lossAlert(losses: Losses, sink: string, sensor: string): Alert {
  const count = lossCount(losses)
  const bySeverity = SEVERITIES.filter((s) => losses.bySeverity[s] !== undefined).map((s) => `${losses.bySeverity[s]} ${s}`)
  const parts = [
    ...(bySeverity.length > 0 ? [`${bySeverity.join(', ')} made room for more severe or newer ones, because more waited than may be kept`] : []),
    ...(losses.refused > 0 ? [`${losses.refused} were refused by the receiver`] : []),
    ...(losses.corrupt > 0 ? [`${losses.corrupt} could not be read back from the disk`] : []),
  ]
  const worst = SEVERITIES.filter((s) => losses.bySeverity[s] !== undefined).at(-1)
  const severity = losses.refused + losses.corrupt > 0 || worst === 'high' || worst === 'critical' ? 'high' : 'medium'
  const at = losses.to ?? 0
  const text = `${count} alerts did not reach ${sink}: ${parts.join('; ')}.`
  return {
    schema: 'wardwire.alert/1',
    id: `loss-${createHash('sha256').update(JSON.stringify([sensor, sink, losses])).digest('hex').slice(0, 16)}`,
    revision: 1,
    raised_at: at, first_seen: losses.from ?? at, last_seen: at,
    severity, score: 0, detector: 'ops.alerts-lost',
    title: `${count} alerts did not reach ${sink}`,
    explanation: text,
    device: { id: `sensor:${sensor}`, role: 'sensor', name: sensor, ip: [], mac: [], ae_titles: [] },
    peers: [], hosts: [],
    evidence: [{ detector: 'ops.alerts-lost', group: 'protocol', at, p: null, observed: count, expected: 0, unit: 'alerts', text, flows: [] }],
    attack: [], flows: [], count,
    baseline: { days: 0, events: 0, state: 'none' },
    capture: { sensor, source: 'self', loss: 0 },
  }
}
