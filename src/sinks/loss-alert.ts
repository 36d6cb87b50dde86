/** An alert about ourselves: alerts were lost on the way to a sink, and how many. A pure function of the tally. */
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { lossCount, type Losses } from '../store/losses.ts'
import { selfAlert } from './self-alert.ts'

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
  return selfAlert({
    detector: 'ops.alerts-lost', sensor, severity, text, raisedAt: at, firstSeen: losses.from ?? at,
    title: `${count} alerts did not reach ${sink}`, observed: count, expected: 0, unit: 'alerts', count,
    identity: JSON.stringify([sensor, sink, losses]),
  })
}
