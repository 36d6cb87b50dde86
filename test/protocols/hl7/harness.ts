/** Feeds one connection to the dissector as the decoder would, and gathers what it tells. */
import type { EventOf, Flow, Hl7Message, Micros, Violation, WireEvent } from '../../../protocols/events.ts'
import { hl7 } from '../../../protocols/hl7/index.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import type { Connection, Direction, Dissector, End } from '../../../protocols/protocol.ts'

export const SITE = new Pseudonyms(new Uint8Array(32).fill(7))

export const NOON: Micros = Date.UTC(2024, 2, 5, 12) * 1000
export const MILLI = 1000
export const SECOND = 1_000_000

export function flowOf(over: Partial<Flow> = {}): Flow {
  return {
    id: 'f1',
    transport: 'tcp',
    client: { ip: '10.0.0.1', port: 40000, mac: null },
    server: { ip: '10.0.0.2', port: 2575, mac: null },
    vlan: [],
    community_id: '1:x',
    midstream: false,
    ...over,
  }
}

export interface WireOptions {
  midstream?: boolean
  pseudonyms?: Pseudonyms
  capture?: object
  client?: string
  isTurned?: boolean
  at?: Micros
}

export class Wire {
  readonly events: WireEvent[] = []
  readonly dissector: Dissector
  at: Micros
  #afterGap = false

  /** @param options capture: what is shared with other connections; isTurned: the other host opened it */
  constructor({ midstream = false, pseudonyms = SITE, capture, client = '10.0.0.1', isTurned = false, at = NOON }: WireOptions = {}) {
    this.at = at
    const flow = flowOf({ midstream, client: { ip: client, port: 40000, mac: null } })
    const connection: Connection = {
      flow: isTurned ? { ...flow, client: flow.server, server: flow.client } : flow,
      pseudonyms,
      ...(capture === undefined ? {} : { capture }),
      emit: event => { this.events.push(event) },
      afterGap: false,
      lost: () => 0,
    }
    Object.defineProperty(connection, 'afterGap', { get: () => this.#afterGap })
    this.dissector = hl7.open(connection)
  }

  /** Bytes of the client; `cuts` are where segments end. */
  client(bytes: Uint8Array, cuts: readonly number[] = []): this {
    return this.#send(0, bytes, cuts)
  }

  server(bytes: Uint8Array, cuts: readonly number[] = []): this {
    return this.#send(1, bytes, cuts)
  }

  wait(micros: Micros): this {
    this.at += micros
    return this
  }

  lose(direction: Direction, bytes: number): this {
    this.#afterGap = true
    this.dissector.gap(direction, bytes, this.at)
    return this
  }

  end(how: End = 'fin'): this {
    this.dissector.end(how, this.at)
    return this
  }

  get messages(): Hl7Message[] {
    return this.events.filter((event): event is EventOf<'hl7.message'> => event.kind === 'hl7.message')
  }

  get violations(): Violation[] {
    return this.events.filter((event): event is Violation => event.kind === 'violation')
  }

  get codes(): string[] {
    return this.violations.map(violation => violation.code)
  }

  #send(direction: Direction, bytes: Uint8Array, cuts: readonly number[]): this {
    let from = 0
    for (const cut of [...cuts, bytes.length]) {
      // Views into a larger buffer that is overwritten afterwards: nobody may keep them.
      const buffer = new Uint8Array(cut - from + 16).fill(0x41)
      buffer.set(bytes.subarray(from, cut), 8)
      const taken = this.dissector.data(direction, buffer, 8, 8 + cut - from, this.at)
      if (taken !== cut - from) throw new Error(`the dissector took ${taken} of ${cut - from} bytes`)
      buffer.fill(0x5A)
      from = cut
    }
    return this
  }
}
