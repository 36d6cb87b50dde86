/** `Flow` of the vocabulary, made for a conversation when its first event needs it. */
import { createHash } from 'node:crypto'
import type { Endpoint, Flow, Micros } from './events.ts'
import { ipText, macText } from './net/address.ts'
import { communityId } from './net/community-id.ts'
import { TCP, UDP } from './net/packet.ts'

export interface FlowSource {
  isTcp: boolean
  /** Eight words, the client's address first. */
  addresses: Uint32Array
  clientPort: number
  serverPort: number
  clientMac: number
  serverMac: number
  vlan: readonly number[]
  isMidstream: boolean
  started: Micros
  /** The client's SYN sequence number (0: unseen); tells conversations of the same ports and the same microsecond apart. */
  initial: number
  communityIdSeed: number
}

export class ConversationFlow implements Flow {
  readonly transport: 'tcp' | 'udp'
  readonly client: Endpoint
  readonly server: Endpoint
  readonly vlan: readonly number[]
  readonly midstream: boolean
  readonly #source: FlowSource
  #id: string | null = null
  #communityId: string | null = null

  constructor(source: FlowSource) {
    const { addresses } = source
    this.#source = source
    this.transport = source.isTcp ? 'tcp' : 'udp'
    this.client = { ip: ipText(addresses, 0), port: source.clientPort, mac: macText(source.clientMac) }
    this.server = { ip: ipText(addresses, 4), port: source.serverPort, mac: macText(source.serverMac) }
    this.vlan = source.vlan
    this.midstream = source.isMidstream
  }

  /** 16 hexadecimal digits out of endpoints and start. */
  get id(): string {
    const { transport, client, server } = this
    const { started, initial } = this.#source
    return (this.#id ??= createHash('sha256')
      .update(`${transport} ${client.ip} ${client.port} ${server.ip} ${server.port} ${started} ${initial}`).digest('hex').slice(0, 16))
  }

  get community_id(): string {
    const { isTcp, addresses, clientPort, serverPort, communityIdSeed } = this.#source
    return (this.#communityId ??= communityId(addresses, isTcp ? TCP : UDP, clientPort, serverPort, communityIdSeed))
  }

  toJSON(): Flow {
    const { id, transport, client, server, vlan, community_id, midstream } = this
    return { id, transport, client, server, vlan, community_id, midstream }
  }
}
