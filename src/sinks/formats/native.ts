/** The native alert, `wardwire.alert/1`, as one line of JSON. A pure function of the alert. */
import type { Alert } from '../../../models/alert.ts'
import type { AlertJson } from '../../schema.ts'
import { fromRfc3339, rfc3339 } from '../../../protocols/time.ts'

/** One line, without its end. */
export function nativeAlert(alert: Alert): string {
  return JSON.stringify({
    ...alert,
    raised_at: rfc3339(alert.raised_at),
    first_seen: rfc3339(alert.first_seen),
    last_seen: rfc3339(alert.last_seen),
    evidence: alert.evidence.map((e) => ({ ...e, at: rfc3339(e.at) })),
  })
}

/** The inverse: an alert with its times as numbers. */
export function fromNative(json: AlertJson): Alert {
  const at = (time: string): number => fromRfc3339(time) ?? 0
  return {
    ...json,
    raised_at: at(json.raised_at),
    first_seen: at(json.first_seen),
    last_seen: at(json.last_seen),
    evidence: json.evidence.map((e) => ({ ...e, at: at(e.at) })),
  }
}
