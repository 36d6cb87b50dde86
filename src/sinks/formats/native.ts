/** The native alert, `wardwire.alert/1`, as one line of JSON. A pure function of the alert. */
import type { Alert } from '../../../models/alert.ts'
import { rfc3339 } from '../../../protocols/time.ts'

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
