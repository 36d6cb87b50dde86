/** What the decoder makes of one frame, as a value that can be compared. */
import { ipText, macText } from '../../../protocols/net/address.ts'
import { FrameDecoder, OUTCOMES, PACKET } from '../../../protocols/net/decode.ts'
import { Packet, TCP } from '../../../protocols/net/packet.ts'

export interface Seen {
  outcome: string
  transport?: 'tcp' | 'udp'
  from?: string
  to?: string
  ttl?: number
  payload?: string
  payloadLength?: number
  seq?: number
  ack?: number
  flags?: number
  window?: number
  options?: string
  macs?: [string | null, string | null]
  vlans?: number[]
}

export interface RawFrame { bytes: Uint8Array; linkType?: number; wireLength?: number; at?: number }

export function decoded({ bytes, linkType = 1, wireLength = bytes.length, at = 1 }: RawFrame, decoder = new FrameDecoder(), packet = new Packet()): Seen {
  // The frame lies in the middle of other bytes, so that reading beyond its end shows.
  const around = new Uint8Array(bytes.length + 200).fill(0x45)
  around.set(bytes, 100)
  const outcome = decoder.decode({ bytes: around, start: 100, end: 100 + bytes.length, wireLength, at, linkType, interfaceId: 0 }, packet)
  return outcome === PACKET ? facts(packet) : { outcome: OUTCOMES[outcome]! }
}

function facts(packet: Packet): Seen {
  const text = (start: number, end: number): string => Buffer.from(packet.bytes.subarray(start, end)).toString('hex')
  return {
    outcome: 'packet',
    transport: packet.transport === TCP ? 'tcp' : 'udp',
    from: `${ipText(packet.addresses, 0)} ${packet.sourcePort}`,
    to: `${ipText(packet.addresses, 4)} ${packet.destinationPort}`,
    ttl: packet.ttl,
    payload: text(packet.payload, packet.payloadEnd),
    payloadLength: packet.payloadLength,
    ...(packet.transport === TCP ? {
      seq: packet.seq, ack: packet.ack, flags: packet.flags, window: packet.window, options: text(packet.options, packet.optionsEnd),
    } : {}),
    macs: [macText(packet.sourceMac), macText(packet.destinationMac)],
    vlans: [...packet.vlans.subarray(0, packet.vlanCount)],
  }
}
