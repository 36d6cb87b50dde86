/** Who talks to whom, and how: pairs of hosts with what was spoken between them. Bounded; what finds no room is counted. */
import type { DicomOperation, Flow, FlowEnd, Hl7Message, Micros } from '../../protocols/events.ts'
import { makeRoom, provenWorth } from '../../protocols/room.ts'
import { DAY } from '../clock.ts'
import { clean } from '../device.ts'

/** Caps of what is held. */
export const CONVERSATION_LIMITS = {
  /** Pairs of hosts. A hospital of 10,000 devices has some 30,000. */
  pairs: 40_000,
  /** Different services named of one pair; further ones are counted as `other`. */
  services: 24,
  /** Ports of the server that conversations of one pair went to. */
  ports: 12,
  /** Hosts whose failed attempts are counted. */
  failing: 20_000,
} as const

export interface Port {
  transport: 'tcp' | 'udp'
  port: number
  /** As recognised by content; null: not recognised. */
  protocol: FlowEnd['protocol']
  flows: number
}

/** All conversations that one host opened to another. */
export interface Pair {
  /** Addresses; `client` opened the conversations. */
  client: string
  server: string
  flows: number
  bytes: number
  /** Uses by DIMSE command or HL7 message type; of other protocols conversations, by `protocol/port`. */
  services: Map<string, number>
  ports: Port[]
  /** Conversations inside TLS. */
  encrypted: number
  first: Micros
  last: Micros
}

export class Conversations {
  readonly pairs = new Map<string, Pair>()
  /** Attempts that nobody answered or accepted, by who tried. */
  readonly failed = new Map<string, number>()
  /** Conversations of pairs that gave way to others. */
  beyond = 0

  /** An operation or message: counted by its DIMSE command or HL7 message type. */
  use(event: DicomOperation | Hl7Message): void {
    const service = event.kind === 'dicom.operation' ? event.command : clean(event.message_type ?? 'HL7 acknowledgement')
    const pair = this.#pair(event.flow.client.ip, event.flow.server.ip, event.at)
    bump(pair.services, service, CONVERSATION_LIMITS.services)
    // A conversation may stay open for weeks; its port is known already.
    notePort(pair, event.flow, event.kind === 'hl7.message' ? 'hl7' : 'dicom', 0)
    pair.last = Math.max(pair.last, event.at)
  }

  /** A conversation ended. One that failed counts for whoever tried, and makes no pair: a scan knocks at thousands of doors. */
  ended(event: FlowEnd): void {
    const { client, server } = event.flow
    const bytes = event.bytes.client + event.bytes.server
    if ((event.state === 'unanswered' || event.state === 'refused') && bytes === 0) return this.#failedTo(client.ip)
    const pair = this.#pair(client.ip, server.ip, event.started)
    pair.flows += 1
    pair.bytes += bytes
    pair.last = Math.max(pair.last, event.ended_at)
    if (event.protocol === 'tls') pair.encrypted += 1
    notePort(pair, event.flow, event.protocol, 1)
    if (event.protocol !== 'dicom' && event.protocol !== 'hl7') bump(pair.services, `${event.protocol ?? event.transport}/${server.port}`, CONVERSATION_LIMITS.services)
  }

  /** Who tries once, under an invented address, gives way to who tries all the time. */
  #failedTo(ip: string): void {
    if (!this.failed.has(ip)) makeRoom(this.failed, CONVERSATION_LIMITS.failing, (times) => times)
    this.failed.set(ip, (this.failed.get(ip) ?? 0) + 1)
  }

  #pair(client: string, server: string, at: Micros): Pair {
    const key = `${client}>${server}`
    let pair = this.pairs.get(key)
    if (pair === undefined) {
      for (const [, gone] of makeRoom(this.pairs, CONVERSATION_LIMITS.pairs, provenAs)) this.beyond += Math.max(1, gone.flows)
      pair = { client, server, flows: 0, bytes: 0, services: new Map(), ports: [], encrypted: 0, first: at, last: at }
      this.pairs.set(key, pair)
    }
    pair.first = Math.min(pair.first, at)
    return pair
  }
}

/** Pairs that lasted a day stay longest: those of one packet under an invented address must neither fill the table nor push them out. */
const provenAs = ({ first, last }: Pair): number => provenWorth(last - first >= DAY ? 0 : 1, last)

function notePort(pair: Pair, { server: { port }, transport }: Flow, protocol: Port['protocol'], flows: number): void {
  const known = pair.ports.find((p) => p.port === port && p.transport === transport)
  if (known !== undefined) {
    known.flows += flows
    known.protocol ??= protocol
  } else if (pair.ports.length < CONVERSATION_LIMITS.ports) pair.ports.push({ transport, port, protocol, flows })
}

/** Counts a name; names beyond `most` count as `other`. */
export function bump(counts: Map<string, number>, key: string, most: number): void {
  const name = counts.has(key) || counts.size < most ? key : 'other'
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
