/**
 * The vocabulary of this folder. Each layer is a function `(cursor, packet) -> number`: it moves the cursor behind its header and
 * answers which layer follows (`FIRST_LAYER` and up), or how it ended (below that). `decode.ts` is the loop.
 */
import type { Packet } from './packet.ts'

// ------------------------------------------------------------------------------------------------ outcomes

/** A TCP or UDP packet is in `Packet`. */
export const PACKET = 0
/** A fragment that waits for the rest, or was part of a datagram that is complete by now. */
export const FRAGMENT = 1
// Everything else is a reason why the frame holds nothing for TCP or UDP.
export const LINK_UNSUPPORTED = 2
export const LINK_SHORT = 3
export const LINK_MALFORMED = 4
export const LINK_NOT_IP = 5
export const LINK_ENCRYPTED = 6
export const LINK_FRAGMENT = 7
export const IP_SHORT = 8
export const IP_MALFORMED = 9
export const IP_OTHER = 10
export const FRAGMENT_MALFORMED = 11
export const FRAGMENT_AGE = 12
export const FRAGMENT_DATAGRAMS = 13
export const FRAGMENT_BYTES = 14
export const TUNNEL_MALFORMED = 15
export const TUNNEL_OTHER = 16
export const LAYERS = 17
export const TCP_SHORT = 18
export const TCP_MALFORMED = 19
export const UDP_SHORT = 20
export const UDP_MALFORMED = 21

/** Names of the outcomes, as `dropped` of the `capture` event shows them. "short": the capture holds too little of a header. */
export const OUTCOMES: readonly string[] = [
  'packet', 'fragment',
  'link.unsupported', 'link.short', 'link.malformed', 'link.not-ip', 'link.encrypted', 'link.fragment',
  'ip.short', 'ip.malformed', 'ip.neither-tcp-nor-udp',
  'ip.fragment-malformed', 'ip.fragment-age', 'ip.fragmented-datagrams', 'ip.fragment-bytes',
  'tunnel.malformed', 'tunnel.unsupported', 'net.layers',
  'tcp.short', 'tcp.malformed', 'udp.short', 'udp.malformed',
]

// -------------------------------------------------------------------------------------------------- layers

export const FIRST_LAYER = 64
export const ETHERNET = 64
export const VLAN = 65
export const LLC = 66
export const MPLS = 67
export const PPPOE = 68
export const PPP = 69
export const HDLC = 70
export const SLL = 71
export const SLL2 = 72
export const RAW_IP = 73
export const NULL_LOOP = 74
export const NFLOG = 75
export const IPOIB = 76
export const TAG6 = 77
export const TAG8 = 78
export const MACSEC = 79
export const NSH = 80
export const PPP_DIRECTION = 81
export const IEEE80211 = 82
export const RADIOTAP = 83
export const PRISM = 84
export const AVS = 85
export const PPI = 86
export const IPV4 = 87
export const IPV6 = 88
export const HOP_BY_HOP = 89
export const ROUTING = 90
export const IPV6_FRAGMENT = 91
export const OPTIONS = 92
export const AUTHENTICATION = 93
export const TCP_SEGMENT = 94
export const UDP_DATAGRAM = 95
export const GRE = 96
export const ERSPAN2 = 97
export const ERSPAN3 = 98
export const ETHERIP = 99
export const IPV4_TUNNEL = 100
export const IPV6_TUNNEL = 101
export const MPLS_TUNNEL = 102
export const BACKBONE = 103

// -------------------------------------------------------------------------------------------------- cursor

/** Where the decoder is in a frame. */
export class Cursor {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  /** Captured bytes end here. */
  end = 0
  /** Bytes on the wire end here: beyond `end` in a sliced capture. */
  wireEnd = 0
  /** In a tunnel. What carries a mirrored packet may have cut it, so the packet's own lengths count, not those around it. */
  inTunnel = false
  /** Tells apart equal addresses in different VLANs and tunnels. */
  scope = 0

  /** Bytes captured from here on. */
  has(count: number): boolean {
    return this.at + count <= this.end
  }
}

export function enterScope(cursor: Cursor, id: number): void {
  cursor.scope = (Math.imul(cursor.scope, 31) + id + 1) | 0
}

/** Behind here is a packet of another network: MAC addresses and VLANs met so far belong to its carrier. */
export function enterTunnel(cursor: Cursor, packet: Packet, id: number): void {
  cursor.inTunnel = true
  enterScope(cursor, id)
  packet.sourceMac = -1
  packet.destinationMac = -1
  packet.vlanCount = 0
}
