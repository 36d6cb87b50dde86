/** `Flow` of the vocabulary, made for a conversation when its first event needs it. */
import { createHash } from 'node:crypto'
import type { Endpoint, Flow, Micros } from './events.ts'
import { macText, parseIp } from './net/address.ts'
import { communityId } from './net/community-id.ts'
import { TCP, UDP } from './net/packet.ts'
import type { Conversation } from './tcp/conversation.ts'

export class ConversationFlow implements Flow {
  readonly transport: 'tcp' | 'udp'
  readonly client: Endpoint
  readonly server: Endpoint
  readonly vlan: readonly number[]
  readonly midstream: boolean
  readonly #started: Micros
  /** The client's SYN sequence number (0: unseen); tells conversations of the same ports and the same microsecond apart. */
  readonly #initial: number
  readonly #communityIdSeed: number
  #id: string | null = null
  #communityId: string | null = null

  /** @param client, server its endpoints, as the conversation stands now */
  constructor(conversation: Conversation, client: { ip: string; port: number }, server: { ip: string; port: number }, communityIdSeed: number) {
    this.transport = conversation.isTcp ? 'tcp' : 'udp'
    this.client = { ip: client.ip, port: client.port, mac: macText(conversation.clientMac) }
    this.server = { ip: server.ip, port: server.port, mac: macText(conversation.serverMac) }
    this.vlan = conversation.vlan
    this.midstream = conversation.isMidstream
    this.#started = conversation.started
    this.#initial = conversation.client?.initial ?? 0
    this.#communityIdSeed = communityIdSeed
  }

  /** 16 hexadecimal digits out of endpoints and start. */
  get id(): string {
    const { transport, client, server } = this
    return (this.#id ??= createHash('sha256')
      .update(`${transport} ${client.ip} ${client.port} ${server.ip} ${server.port} ${this.#started} ${this.#initial}`).digest('hex').slice(0, 16))
  }

  get community_id(): string {
    const { client, server, transport } = this
    return (this.#communityId ??= communityId(
      Uint32Array.of(...parseIp(client.ip)!, ...parseIp(server.ip)!), transport === 'tcp' ? TCP : UDP, client.port, server.port, this.#communityIdSeed))
  }

  toJSON(): Flow {
    const { id, transport, client, server, vlan, community_id, midstream } = this
    return { id, transport, client, server, vlan, community_id, midstream }
  }
}
