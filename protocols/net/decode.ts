/**
 * Frames to TCP and UDP packets: link layer, tags, tunnels, IP, fragments.
 *
 *     const decoder = new FrameDecoder()
 *     const packet = new Packet()
 *     const outcome = decoder.decode(frame, packet)
 *     if (outcome === PACKET) ...            // packet is filled, and valid until the next call
 *     decoder.dropped()                      // names and numbers of everything else
 *
 * Every frame has exactly one outcome, so `frames = packets + fragments + the sum of dropped()`. Nothing is allocated for a
 * frame (a datagram in fragments takes some space of its own).
 */
import type { Frame } from '../capture/frame.ts'
import { LIMITS } from '../limits.ts'
import { Fragments } from './fragments.ts'
import { authentication, hopByHop, ipv4, ipv4Tunnel, ipv6, ipv6Fragment, ipv6Tunnel, mplsTunnel, options, routing } from './ip.ts'
import * as L from './layers.ts'
import {
  backbone, ethernet, hdlc, ipoib, linkLayer, llc, macsec, mpls, nflog, nsh, nullLoop, ppp, pppDirection, pppoe, rawIp, sll, sll2, tag6, tag8, vlan,
} from './link.ts'
import type { Packet } from './packet.ts'
import { tcp, udp } from './transport.ts'
import { erspan2, erspan3, etherIp, gre } from './tunnels.ts'
import { avs, ieee80211, ppi, prism, radiotap } from './wireless.ts'

export { FRAGMENT, OUTCOMES, PACKET } from './layers.ts'

export class FrameDecoder {
  /** Frames by outcome; index into OUTCOMES. */
  readonly outcomes: Float64Array = new Float64Array(L.OUTCOMES.length)
  readonly #cursor = new L.Cursor()
  readonly #fragments = new Fragments(this.outcomes)

  /** @returns PACKET when `packet` holds a TCP or UDP packet, else why it does not: an index into OUTCOMES */
  decode(frame: Frame, packet: Packet): number {
    const cursor = this.#cursor
    const { start } = frame
    cursor.bytes = frame.bytes
    cursor.at = start
    cursor.end = frame.end
    cursor.wireEnd = start + frame.wireLength
    cursor.inTunnel = false
    cursor.scope = 0
    packet.at = frame.at
    packet.sourceMac = -1
    packet.destinationMac = -1
    packet.vlanCount = 0
    if (this.#fragments.isLent) this.#fragments.reclaim()

    let layer = linkLayer(frame.linkType)
    for (let depth = 0; layer >= L.FIRST_LAYER; depth++) layer = depth < LIMITS.net.layers ? this.#step(layer, packet) : L.LAYERS
    this.outcomes[layer]!++
    return layer
  }

  /** The capture is over: fragments that still wait for the rest of their datagram count as dropped. */
  finish(): void {
    this.#fragments.finish()
  }

  /** Frames dropped, by name of the reason; fragments that wait or found the rest are not dropped. */
  dropped(): Record<string, number> {
    const found: Record<string, number> = {}
    for (let outcome = L.FRAGMENT + 1; outcome < L.OUTCOMES.length; outcome++) {
      if (this.outcomes[outcome] !== 0) found[L.OUTCOMES[outcome]!] = this.outcomes[outcome]!
    }
    return found
  }

  /** Frames whose fragments wait for the rest of their datagram. */
  get held(): number {
    return this.#fragments.held
  }

  #step(layer: number, packet: Packet): number {
    const cursor = this.#cursor
    switch (layer) {
      case L.ETHERNET: return ethernet(cursor, packet)
      case L.IPV4: return ipv4(cursor, packet, this.#fragments)
      case L.TCP_SEGMENT: return tcp(cursor, packet)
      case L.UDP_DATAGRAM: return udp(cursor, packet)
      case L.IPV6: return ipv6(cursor, packet)
      case L.VLAN: return vlan(cursor, packet)
      case L.LLC: return llc(cursor)
      case L.MPLS: return mpls(cursor)
      case L.PPPOE: return pppoe(cursor)
      case L.PPP: return ppp(cursor)
      case L.HDLC: return hdlc(cursor)
      case L.SLL: return sll(cursor, packet)
      case L.SLL2: return sll2(cursor, packet)
      case L.RAW_IP: return rawIp(cursor)
      case L.NULL_LOOP: return nullLoop(cursor)
      case L.NFLOG: return nflog(cursor)
      case L.IPOIB: return ipoib(cursor)
      case L.TAG6: return tag6(cursor)
      case L.TAG8: return tag8(cursor)
      case L.BACKBONE: return backbone(cursor, packet)
      case L.MACSEC: return macsec(cursor)
      case L.NSH: return nsh(cursor)
      case L.PPP_DIRECTION: return pppDirection(cursor)
      case L.IEEE80211: return ieee80211(cursor, packet)
      case L.RADIOTAP: return radiotap(cursor, packet)
      case L.PRISM: return prism(cursor)
      case L.AVS: return avs(cursor)
      case L.PPI: return ppi(cursor)
      case L.HOP_BY_HOP: return hopByHop(cursor)
      case L.ROUTING: return routing(cursor, packet)
      case L.IPV6_FRAGMENT: return ipv6Fragment(cursor, packet, this.#fragments)
      case L.OPTIONS: return options(cursor)
      case L.AUTHENTICATION: return authentication(cursor)
      case L.GRE: return gre(cursor, packet)
      case L.ERSPAN2: return erspan2(cursor)
      case L.ERSPAN3: return erspan3(cursor)
      case L.ETHERIP: return etherIp(cursor, packet)
      case L.IPV4_TUNNEL: return ipv4Tunnel(cursor, packet)
      case L.IPV6_TUNNEL: return ipv6Tunnel(cursor, packet)
      case L.MPLS_TUNNEL: return mplsTunnel(cursor, packet)
      default: return L.LINK_UNSUPPORTED
    }
  }
}
