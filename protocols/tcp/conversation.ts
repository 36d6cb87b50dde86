/** What is known of one TCP or UDP conversation. `tracker.ts` keeps one per slot of its table. */
import type { Flow, FlowEnd, Micros } from '../events.ts'
import { CLIENT, SERVER } from '../protocol.ts'
import type { Consumer } from './consumer.ts'
import { Half } from './half.ts'

export class Conversation {
  readonly slot: number
  /** Order of beginning. */
  readonly serial: number
  readonly isTcp: boolean
  /** The lower endpoint of the table's key is the client. */
  clientIsLower: boolean
  /** The start was not seen. */
  isMidstream: boolean
  /** What each side sent; null while it was silent. */
  client: Half | null = null
  server: Half | null = null
  readonly started: Micros
  /** Capture time of its last packet, and the clock of timers then. */
  last: Micros = 0
  seen: Micros = 0
  clientMac = -1
  serverMac = -1
  vlan: readonly number[]
  /** The server agreed. */
  isEstablished = false
  isRefused = false
  /** The consumer has heard the end. */
  isOver = false
  consumer: Consumer | null = null
  hasConflict = false
  protocol: FlowEnd['protocol'] = null
  /** Made when first asked for. */
  flow: Flow | null = null

  constructor(slot: number, serial: number, isTcp: boolean, clientIsLower: boolean, isMidstream: boolean, at: Micros, vlan: readonly number[]) {
    this.slot = slot
    this.serial = serial
    this.isTcp = isTcp
    this.clientIsLower = clientIsLower
    this.isMidstream = isMidstream
    this.started = at
    this.vlan = vlan
  }

  /** The half of the packet's sender, made when it is its first. */
  sender(isClient: boolean): Half {
    if (isClient) return (this.client ??= new Half())
    if (this.server === null) {
      this.server = new Half()
      this.server.direction = SERVER
    }
    return this.server
  }

  /** What was taken for the client is the server. */
  turn(): void {
    const { client, server, clientMac, serverMac } = this
    this.client = server
    this.server = client
    if (this.client !== null) this.client.direction = CLIENT
    if (this.server !== null) this.server.direction = SERVER
    this.clientMac = serverMac
    this.serverMac = clientMac
    this.clientIsLower = !this.clientIsLower
    this.flow = null
  }

  get state(): FlowEnd['state'] {
    if (this.isMidstream) return 'midstream'
    if (this.isEstablished) return 'established'
    return this.isRefused ? 'refused' : 'unanswered'
  }
}
