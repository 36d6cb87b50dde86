/** The published JSON of an event, read back: the inverse of `eventJson`, for whoever judges events that another process decoded. */
import type { Flow, WireEvent } from '../../protocols/events.ts'
import { fromRfc3339 } from '../../protocols/time.ts'
import { eventSchema, type EventJson } from '../schema.ts'

/** A conversation as it stands in an event. */
export type FlowJson = Extract<EventJson, { flow: unknown }>['flow']

/** The fields that are times (`src/sinks/event-json.ts`). */
const TIMES = ['at', 'started', 'ended_at'] as const

/**
 * @param text one event of `--events` or of the events topic
 * @param flowOf gives the conversation's one object: all its events share it (`Flow`)
 * @returns the event as the decoder made it; undefined when the text is none
 */
export function parseEvent(text: string, flowOf: (json: FlowJson, transport: Flow['transport']) => Flow): WireEvent | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!eventSchema.safeParse(json).success) return undefined
  // What was sent, not what the schema keeps of it: newer sensors say more.
  const { v: _, ...event } = json as Record<string, unknown>
  for (const name of TIMES) {
    if (!(name in event)) continue
    const at = typeof event[name] === 'string' ? fromRfc3339(event[name]) : undefined
    if (at === undefined) return undefined
    event[name] = at
  }
  // Other transports than TCP have no events but their end, which names it.
  if ('flow' in event) event['flow'] = flowOf(event['flow'] as FlowJson, event['kind'] === 'flow' ? event['transport'] as Flow['transport'] : 'tcp')
  return event as unknown as WireEvent
}
