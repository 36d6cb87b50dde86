/** What a message says about its alert outside the alert: CloudEvents 1.0 attributes, for Kafka and HTTP in binary mode. */
import type { Alert } from '../../models/alert.ts'
import { rfc3339 } from '../../protocols/time.ts'

export const CONTENT_TYPE = 'application/json'

/** Half a surrogate pair has no UTF-8. */
const wellFormed = (text: string): string => Buffer.from(text).toString()

/** The `source` attribute. */
export const sourceOf = (sensor: string): string => `/sensor/${encodeURIComponent(wellFormed(sensor))}`

/** Attribute -> value. `revision` is an extension: the id stays the same while an alert grows. */
export function cloudEvent(alert: Alert): Record<string, string> {
  return {
    specversion: '1.0',
    id: alert.id,
    source: sourceOf(alert.capture.sensor),
    type: 'wardwire.alert.v1',
    time: rfc3339(alert.raised_at),
    subject: alert.device.id,
    revision: String(alert.revision),
  }
}

/** @param prefix `ce_` on Kafka, `ce-` on HTTP, where what is not printable ASCII is percent-encoded as well (binding, section 3.1.3.2) */
export function cloudEventHeaders(alert: Alert, prefix: 'ce_' | 'ce-'): Record<string, string> {
  const encode = prefix === 'ce-' ? (text: string): string => text.replace(/[^\x21-\x7e]|["%]/gu, encodeURIComponent) : (text: string): string => text
  return {
    ...Object.fromEntries(Object.entries(cloudEvent(alert)).map(([name, value]) => [prefix + name, encode(wellFormed(value))])),
    'content-type': CONTENT_TYPE,
  }
}
