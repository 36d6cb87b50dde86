/**
 * What `import ... from 'wardwire'` gives: alerts as they come from Kafka, and events out of captures.
 *
 *     import { consumeAlerts } from 'wardwire'
 *     for await (const alert of consumeAlerts({ brokers: ['kafka:9092'], severity: 'high' })) console.log(alert.title, alert.explanation)
 */
export { consumeAlerts, type ConsumeOptions } from './sources/kafka.ts'
export { readEvents, type ReadEventsOptions } from './sources/events.ts'
export { eventJson } from './sinks/event-json.ts'
export type { EventKind, EventOf, WireEvent } from '../protocols/events.ts'
export { alertSchema, eventSchema, type AlertJson, type EventJson } from './schema.ts'
export { FORMATS, type Format } from './sinks/formats/index.ts'
export { fromNative } from './sinks/formats/native.ts'
export { cloudEvent } from './sinks/cloudevents.ts'
export { SEVERITIES, type Alert, type Severity } from '../models/alert.ts'
