/** An event as one line of JSON: the event itself, with times as RFC 3339 text and the flow in short. */
import type { Endpoint, Flow, WireEvent } from '../../protocols/events.ts'
import { rfc3339 } from '../../protocols/time.ts'

/** Most flows have several events; their part of the line is made once. */
const flowText = new WeakMap<Flow, string>()

const endpoint = (e: Endpoint): object => ({ ip: e.ip, port: e.port, mac: e.mac })

function flowJson(flow: Flow): string {
  let text = flowText.get(flow)
  if (text === undefined) {
    const { id, client, server, vlan, community_id, midstream } = flow
    text = JSON.stringify({ id, client: endpoint(client), server: endpoint(server), vlan, community_id, midstream })
    flowText.set(flow, text)
  }
  return text
}

/** The fields that are times. `message_time` (MSH-7) is the sender's text and stays as sent. */
const TIMES = new Set(['at', 'started', 'ended_at'])
const FIRST = new Set(['kind', 'at', 'flow'])

/** One line, without its end. */
export function eventJson(event: WireEvent): string {
  let line = `{"v":1,"kind":"${event.kind}","at":"${rfc3339(event.at)}"`
  if ('flow' in event) line += `,"flow":${flowJson(event.flow)}`
  for (const [name, value] of Object.entries(event) as [string, unknown][]) {
    if (FIRST.has(name) || value === undefined) continue
    line += `,"${name}":${TIMES.has(name) ? `"${rfc3339(value as number)}"` : JSON.stringify(value)}`
  }
  return `${line}}`
}
