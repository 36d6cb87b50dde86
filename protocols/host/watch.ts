/**
 * What hosts show of themselves without being asked, as `host` events: once, and again when it changes.
 *
 *     const hosts = new HostWatch((event) => ...)
 *     hosts.beginning(packet)     // the first packets of each side of a TCP conversation
 *     hosts.datagram(packet)      // each UDP datagram
 *
 * Reads packets as they come, not the stream in order: what a host shows, it shows in its first packets, and again tomorrow.
 * Of the Internet's hosts only names are kept.
 */
import type { HostFacts } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { mayBeHttp } from '../http/head.ts'
import { ipText, isPublicWords, kindOf, macText, parseIp } from '../net/address.ts'
import type { Packet } from '../net/packet.ts'
import { makeRoom } from '../room.ts'
import { httpClaim, sshClaim } from './banners.ts'
import type { Claim } from './claim.ts'
import { dhcpNames, dnsNames } from './names.ts'
import { isSmb, smbClaims } from './smb.ts'
import { synClaim } from './syn.ts'

const SYN = 2
const DNS = 53
const BOOTP_SERVER = 67
const BOOTP_CLIENT = 68
const NETBIOS_NAMES = 137
const MDNS = 5353

interface Known {
  /** Latest claim by kind of evidence. */
  said: Map<string, string>
  /** The last SYN, so that the same one again costs little. */
  syn: number
  told: number
}

export class HostWatch {
  readonly #emit: (event: HostFacts) => void
  readonly #known = new Map<string, Known>()
  /** Hosts forgotten for others, and claims of hosts that changed too often. */
  evicted = 0
  silenced = 0

  constructor(emit: (event: HostFacts) => void) {
    this.#emit = emit
  }

  /** Hosts known at present. */
  get size(): number {
    return this.#known.size
  }

  /** One of the first packets of a side of a TCP conversation. */
  beginning(packet: Packet): void {
    if (packet.flags & SYN) {
      if (!isPublicWords(packet.addresses)) this.#syn(packet)
      return
    }
    const { bytes, payload, payloadEnd } = packet
    if (payloadEnd - payload < 8 || isPublicWords(packet.addresses)) return
    const first = bytes[payload]!
    if (first === 0) {
      if (isSmb(bytes, payload)) for (const claim of smbClaims(bytes, payload, payloadEnd)) this.#sender(packet, claim)
    } else if (first === 0x53 && bytes[payload + 1] === 0x53 && bytes[payload + 2] === 0x48 && bytes[payload + 3] === 0x2D) this.#sender(packet, sshClaim(bytes, payload, payloadEnd))
    else if (mayBeHttp(first)) this.#sender(packet, httpClaim(bytes, payload, payloadEnd))
  }

  datagram(packet: Packet): void {
    const { bytes, payload, payloadEnd, sourcePort, destinationPort } = packet
    if (sourcePort === DNS) this.#names(packet, 'dns')
    else if (sourcePort === MDNS) this.#names(packet, 'mdns')
    else if (sourcePort === NETBIOS_NAMES || destinationPort === NETBIOS_NAMES) this.#names(packet, 'netbios')
    else if (destinationPort === BOOTP_SERVER || destinationPort === BOOTP_CLIENT) {
      const found = dhcpNames(bytes, payload, payloadEnd)
      if (found !== undefined) for (const claim of found.claims) this.#tell(packet, found.ip, found.mac, claim)
    }
  }

  #syn(packet: Packet): void {
    const ip = ipText(packet.addresses)
    const known = this.#host(ip)
    // Window, time to live, kind of SYN and length of the options: a stack that changes none of them is the same.
    const shape = packet.window + packet.ttl * 0x1_0000 + (packet.flags & 16) * 0x100_0000 + (packet.optionsEnd - packet.options) * 0x2000_0000
    if (known.syn === shape) return
    known.syn = shape
    const claim = synClaim(packet)
    if (claim !== undefined) this.#tell(packet, ip, macText(packet.sourceMac), claim)
  }

  #sender(packet: Packet, claim: Claim | undefined): void {
    if (claim !== undefined) this.#tell(packet, ipText(packet.addresses), macText(packet.sourceMac), claim)
  }

  #names(packet: Packet, source: 'dns' | 'mdns' | 'netbios'): void {
    for (const { ip, claim } of dnsNames(packet.bytes, packet.payload, packet.payloadEnd, source)) {
      // Anybody may say what others are called; a host that names itself is believed, a name server is asked for it.
      const own = ip === ipText(packet.addresses)
      if (source !== 'dns' && !own) continue
      const words = parseIp(ip)
      const kind = words === null ? 'local' : kindOf(words)
      if (kind === 'private' || kind === 'public') this.#tell(packet, ip, own ? macText(packet.sourceMac) : null, claim)
    }
  }

  #tell(packet: Packet, ip: string, mac: string | null, claim: Claim): void {
    const known = this.#host(ip)
    const value = claim.system?.name ?? claim.hostname ?? ''
    if (known.said.get(claim.source) === value) return
    if (known.told >= LIMITS.host.claims) {
      this.silenced++
      return
    }
    // A farm's address has many names; the first is as good as the next.
    if (claim.source === 'dns' && known.said.has('dns')) return
    known.said.set(claim.source, value)
    known.told++
    const { system, confidence, hostname, evidence } = claim
    this.#emit({
      kind: 'host', at: packet.at, complete: true, after_gap: false, ip, mac, vendor: null,
      os: system === null ? null : { name: system.name, eol: system.eol, evidence, family: system.family, source: system.source },
      hostname, evidence, confidence,
    })
  }

  #host(ip: string): Known {
    let known = this.#known.get(ip)
    if (known === undefined) {
      this.evicted += makeRoom(this.#known, LIMITS.host.hosts).length
      this.#known.set(ip, (known = { said: new Map(), syn: -1, told: 0 }))
    }
    return known
  }
}
