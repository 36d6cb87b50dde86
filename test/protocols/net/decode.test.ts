import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ACK, authentication, ethernet, extension, hex, ip, ipv4, ipv6, join, PSH, SYN, tcp, tcpFrame, u16, u32, u8, udp, udpFrame, vlan, type EtherPayload,
} from '../../../fixtures/build/frames.ts'
import * as w from '../../../fixtures/build/wrappings.ts'
import { FrameDecoder, PACKET } from '../../../protocols/net/decode.ts'
import { Packet } from '../../../protocols/net/packet.ts'
import { decoded, type Seen } from './decoded.ts'

const v4 = { src: '10.0.0.1', dst: '10.0.0.2' }
const v6 = { src: '2001:db8::1', dst: 'fd00::2' }
const segment = tcp({ sport: 50_000, dport: 104, seq: 0xFEDCBA98, ack: 7, flags: ACK | PSH, window: 512, payload: hex('0102030405060708090a') })
const seenSegment: Seen = {
  outcome: 'packet', transport: 'tcp', from: '10.0.0.1 50000', to: '10.0.0.2 104', ttl: 64, payload: '0102030405060708090a', payloadLength: 10,
  seq: 0xFEDCBA98, ack: 7, flags: ACK | PSH, window: 512, options: '', macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'], vlans: [],
}
const seenSegment6: Seen = { ...seenSegment, from: '2001:db8::1 50000', to: 'fd00::2 104' }
const NO_MACS = { macs: [null, null] as [null, null] }
const SOURCE_MAC = { macs: ['02:00:00:00:00:01', null] as [string, null] }
const MIRRORED = { macs: ['02:00:00:00:aa:01', '02:00:00:00:aa:02'] as [string, string] }

const packet4 = ip(v4, segment)
const packet6 = ip(v6, segment)
const carrier = { src: '192.0.2.1', dst: '192.0.2.2' }
const carrier6 = { src: '2001:db8:ff::1', dst: '2001:db8:ff::2' }
/** In a tunnel over IPv4, from a switch with a VLAN of its own. */
const through = (inner: Parameters<typeof ip>[1]): Uint8Array => ethernet(vlan(99, ip(carrier, inner)))
const mirrored = w.frameOf(packet4)

type Case = [name: string, linkType: number, bytes: Uint8Array, differs?: Partial<Seen>]

const LINKS: Case[] = [
  ['Ethernet', 1, ethernet(packet4)],
  ['Ethernet, padded', 1, join(ethernet(packet4), new Uint8Array(30))],
  ['802.3 with LLC/SNAP', 1, join(ethernet(w.ieee8023(packet4)), new Uint8Array(9))],
  ['jumbo LLC/SNAP', 1, ethernet(w.jumbo(packet4))],
  ['LLC with the IP SAP', 1, ethernet({ etherType: packet4.bytes.length + 3, bytes: join(u8(6, 6, 3), packet4.bytes) })],
  ['802.1Q', 1, ethernet(vlan(5, packet4)), { vlans: [5] }],
  ['802.1Q that only gives a priority', 1, ethernet(vlan(0xE000, packet4)), { vlans: [] }],
  ['QinQ', 1, ethernet(vlan(100, vlan(5, packet4))), { vlans: [100, 5] }],
  ['802.1ad', 1, ethernet(vlan(100, vlan(0x6005, packet4), 0x88A8)), { vlans: [100, 5] }],
  ['five tags', 1, ethernet(vlan(1, vlan(2, vlan(3, vlan(4, vlan(5, packet4), 0x9300), 0x9200), 0x9100), 0x88A8)), { vlans: [1, 2, 3, 4] }],
  ['802.1Q with LLC/SNAP', 1, ethernet(vlan(5, w.ieee8023(packet4))), { vlans: [5] }],
  ['VN-Tag', 1, ethernet(w.vnTag(packet4))],
  ['802.1BR', 1, ethernet(w.eTag(vlan(5, packet4))), { vlans: [5] }],
  ['HSR', 1, ethernet(w.hsr(packet4))],
  ['TrustSec in 802.1Q', 1, ethernet(vlan(5, w.trustSec(packet4))), { vlans: [5] }],
  ['802.1ah', 1, ethernet(vlan(900, w.backbone(w.frameOf(vlan(5, packet4))), 0x88A8)), { ...MIRRORED, vlans: [5] }],
  ['MACsec without encryption', 1, ethernet(w.macSec(vlan(5, packet4))), { vlans: [5] }],
  ['MACsec without SCI', 1, ethernet(w.macSec(packet4, { sci: false }))],
  ['MPLS', 1, ethernet(w.mpls([16, 17, 18], packet4.bytes))],
  ['MPLS with IPv6', 1, ethernet(w.mpls([16], packet6.bytes)), seenSegment6],
  ['MPLS pseudowire with control word', 1, ethernet(w.mpls([16], join(w.CONTROL_WORD, mirrored))), MIRRORED],
  ['MPLS pseudowire', 1, ethernet(w.mpls([16], mirrored)), MIRRORED],
  ['MPLS pseudowire with a MAC that looks like IP', 1, ethernet(w.mpls([16], ethernet(packet4, { dst: '45:00:ff:ff:00:00' }))), { macs: ['02:00:00:00:00:01', '45:00:ff:ff:00:00'] }],
  ['NSH', 1, ethernet(w.serviceHeader(3, mirrored)), MIRRORED],
  ['PPPoE', 1, join(ethernet(w.pppoe(packet4)), new Uint8Array(5))],
  ['PPPoE in QinQ with IPv6', 1, ethernet(vlan(7, vlan(8, w.pppoe(packet6)))), { ...seenSegment6, vlans: [7, 8] }],
  ['Linux cooked', 113, w.linuxCooked(packet4), SOURCE_MAC],
  ['Linux cooked with a tag', 113, w.linuxCooked(vlan(5, packet4)), { ...SOURCE_MAC, vlans: [5] }],
  ['Linux cooked v2', 276, w.linuxCooked2(packet6), { ...seenSegment6, ...SOURCE_MAC }],
  ['raw IP (12)', 12, packet4.bytes, NO_MACS],
  ['raw IP (14)', 14, packet6.bytes, { ...seenSegment6, ...NO_MACS }],
  ['raw IP (101)', 101, packet4.bytes, NO_MACS],
  ['raw IPv4', 228, packet4.bytes, NO_MACS],
  ['raw IPv6', 229, packet6.bytes, { ...seenSegment6, ...NO_MACS }],
  ['null, little-endian', 0, w.nullLoop(packet4), NO_MACS],
  ['null, big-endian', 0, w.nullLoop(packet6, { littleEndian: false }), { ...seenSegment6, ...NO_MACS }],
  ['null, IPv6 of Linux', 0, w.nullLoop(packet6, { family: 10 }), { ...seenSegment6, ...NO_MACS }],
  ['loop', 108, w.nullLoop(packet4, { littleEndian: false }), NO_MACS],
  ['PPP', 9, w.ppp(packet4), NO_MACS],
  ['PPP without address and control', 9, w.ppp(packet6, { framing: false }), { ...seenSegment6, ...NO_MACS }],
  ['PPP with a protocol of one byte', 9, w.ppp(packet4, { compressed: true }), NO_MACS],
  ['PPP in HDLC', 50, w.ppp(packet4), NO_MACS],
  ['Cisco HDLC', 104, w.ciscoHdlc(packet4), NO_MACS],
  ['PPPoE without Ethernet', 51, w.pppoeSession(packet4), NO_MACS],
  ['PPP behind a direction', 204, join(u8(1), w.ppp(packet4)), NO_MACS],
  ['MPLS without Ethernet', 219, w.mpls([16], packet4.bytes).bytes, NO_MACS],
  ['NFLOG', 239, w.nflog(packet4), NO_MACS],
  ['NFLOG, big-endian', 239, w.nflog(packet6, false), { ...seenSegment6, ...NO_MACS }],
  ['IP over InfiniBand', 242, w.ipOverInfiniband(packet4), NO_MACS],
  ['802.11', 105, w.ieee80211(packet4)],
  ['802.11 to the access point', 105, w.ieee80211(packet4, { toDs: true })],
  ['802.11 from the access point, QoS', 105, w.ieee80211(packet4, { fromDs: true, qos: true })],
  ['802.11 between access points, HT control', 105, w.ieee80211(packet6, { toDs: true, fromDs: true, qos: true, htControl: true }), seenSegment6],
  ['radiotap', 127, w.radiotap(w.ieee80211(packet4))],
  ['radiotap with FCS and padding', 127, w.radiotap(w.ieee80211(packet4, { qos: true, padded: true }), 0x30)],
  ['Prism', 119, w.prism(w.ieee80211(packet4))],
  ['AVS', 163, w.avs(w.ieee80211(packet4))],
  ['AVS where Prism should be', 119, w.avs(w.ieee80211(packet4))],
  ['PPI with 802.11', 192, w.perPacketInformation(105, w.ieee80211(packet4))],
  ['PPI with Ethernet', 192, w.perPacketInformation(1, ethernet(packet4))],
]

const TUNNELS: Case[] = [
  ['GRE', 1, through(w.gre(packet4)), NO_MACS],
  ['GRE with checksum, key and sequence', 1, through(w.gre(packet4, { checksum: true, key: 5, sequence: 6 })), NO_MACS],
  ['GRE with routing', 1, through(w.gre(packet4, { routing: true, key: 1 })), NO_MACS],
  ['GRE with IPv6 over IPv6', 1, ethernet(ip(carrier6, w.gre(packet6))), { ...seenSegment6, ...NO_MACS }],
  ['GRE with Ethernet', 1, through(w.gre(w.bridged(w.frameOf(vlan(5, packet4))))), { ...MIRRORED, vlans: [5] }],
  ['GRE with MPLS', 1, through(w.gre(w.mpls([16], packet4.bytes))), NO_MACS],
  ['PPTP', 1, through(w.pptp(packet4)), NO_MACS],
  ['PPTP with acknowledgement', 1, through(w.pptp(packet4, 9)), NO_MACS],
  ['ERSPAN I', 1, through(w.erspan1(mirrored)), MIRRORED],
  ['ERSPAN II', 1, through(w.erspan2(mirrored)), MIRRORED],
  ['ERSPAN III', 1, through(w.erspan3(mirrored)), MIRRORED],
  ['ERSPAN III with subheader', 1, through(w.erspan3(mirrored, { subheader: true })), MIRRORED],
  ['ERSPAN III with IP', 1, through(w.erspan3(packet4.bytes, { frameType: 2 })), NO_MACS],
  ['EtherIP', 1, through(w.etherIp(mirrored)), MIRRORED],
  ['IP in IP', 1, through(packet4), NO_MACS],
  ['6in4', 1, through(packet6), { ...seenSegment6, ...NO_MACS }],
  ['4in6', 1, ethernet(ip(carrier6, packet4)), NO_MACS],
  ['MPLS in IP', 1, through(w.mpls([16], packet4.bytes)), NO_MACS],
  ['VXLAN', 1, through(w.vxlan(mirrored)), MIRRORED],
  ['VXLAN on the port of Linux', 1, through(w.vxlan(mirrored, { port: 8472 })), MIRRORED],
  ['VXLAN over IPv6', 1, ethernet(ip(carrier6, w.vxlan(mirrored))), MIRRORED],
  ['VXLAN-GPE with IPv4', 1, through(w.vxlanGpe(1, packet4.bytes)), NO_MACS],
  ['VXLAN-GPE with NSH', 1, through(w.vxlanGpe(4, w.serviceHeader(2, packet6.bytes).bytes)), { ...seenSegment6, ...NO_MACS }],
  ['Geneve', 1, through(w.geneve(w.bridged(mirrored))), MIRRORED],
  ['Geneve with options', 1, through(w.geneve(packet4, new Uint8Array(24))), NO_MACS],
  ['MPLS in UDP', 1, through(w.mplsInUdp(packet4.bytes)), NO_MACS],
  ['GTP-U', 1, through(w.gtpUser(packet4.bytes)), NO_MACS],
  ['GTP-U with sequence', 1, through(w.gtpUser(packet6.bytes, { sequence: true })), { ...seenSegment6, ...NO_MACS }],
  ['GTP-U with extension headers', 1, through(w.gtpUser(packet4.bytes, { firstExtension: 0x85, extensions: join(u8(1, 0, 9, 0x32), u8(2, 0, 0, 0, 0, 0, 0, 0)) })), NO_MACS],
  ['Teredo', 1, through(w.teredo(packet6.bytes)), { ...seenSegment6, ...NO_MACS }],
  ['Teredo with authentication and origin', 1, through(w.teredo(packet6.bytes, { authentication: true, origin: true })), { ...seenSegment6, ...NO_MACS }],
  ['TZSP', 1, through(w.tzsp(mirrored)), MIRRORED],
  ['L2TP', 1, through(w.l2tp(packet4)), NO_MACS],
  ['L2TP with everything', 1, through(w.l2tp(packet4, { length: true, sequence: true, offset: 3 })), NO_MACS],
  ['GRE in GRE in VXLAN', 1, through(w.vxlan(w.frameOf(ip(carrier, w.gre(ip(carrier6, w.gre(packet4))))))), NO_MACS],
]

const HEADERS: Case[] = [
  ['IPv4 options', 1, ethernet(ipv4({ ...v4, options: hex('94040000 01010100') }, segment))],
  ['TCP options', 1, ethernet(ip(v4, tcp({ sport: 50_000, dport: 104, flags: SYN, options: hex('020405b4 0402') }))), { seq: 0, ack: 0, flags: SYN, window: 65_535, payload: '', payloadLength: 0, options: '020405b404020000' }],
  ['hop-by-hop, routing and destination options', 1, ethernet(ip(v6, extension(0, hex('050200000000'), extension(43, hex('04000000 00000000'), extension(60, hex('01040000 0000'), segment))))), seenSegment6],
  ['mobility, HIP and Shim6', 1, ethernet(ip(v6, extension(135, hex('0000'), extension(139, hex('00'), extension(140, hex('00'), segment))))), seenSegment6],
  ['authentication', 1, ethernet(ip(v6, authentication(segment))), seenSegment6],
  ['authentication over IPv4', 1, ethernet(ip(v4, authentication(segment)))],
  ['an atomic fragment', 1, ethernet(ip(v6, { protocol: 44, bytes: join(u8(6, 0), u16(0), u32(9), segment.bytes) })), seenSegment6],
]

describe.each([['link', LINKS], ['tunnel', TUNNELS], ['header', HEADERS]] as const)('%s', (_kind, cases) => {
  test.each(cases)('is a packet found in %s?', (_name, linkType, bytes, differs) => {
    expect(decoded({ bytes, linkType })).toEqual({ ...seenSegment, ...differs })
  })

  test.each(cases)('does %s, cut at any byte, give the packet itself or none?', (_name, linkType, bytes, differs) => {
    const whole = { ...seenSegment, ...differs }
    for (let cut = 0; cut < bytes.length; cut++) {
      const seen = decoded({ bytes: bytes.subarray(0, cut), linkType, wireLength: bytes.length })
      // A tunnel of UDP whose header is cut is a UDP packet and nothing else.
      if (seen.outcome !== 'packet' || seen.transport === 'udp') continue
      const { payload, options, ...rest } = seen
      const { payload: wholePayload, options: wholeOptions, ...wholeRest } = whole
      expect(rest).toEqual(wholeRest)
      expect(wholePayload!.startsWith(payload!)).toBe(true)
      expect(wholeOptions!.startsWith(options!)).toBe(true)
    }
  })

  test('do changed bytes never throw?', () => {
    const decoder = new FrameDecoder()
    fc.assert(fc.property(fc.constantFrom(...cases), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 6 }), ([, linkType, bytes], changes) => {
      const changed = Uint8Array.from(bytes)
      for (const [at, value] of changes) changed[at % changed.length] = value
      const seen = decoded({ bytes: changed, linkType }, decoder)
      if (seen.outcome === 'packet') expect(seen.payloadLength).toBeGreaterThanOrEqual(seen.payload!.length / 2)
    }), { numRuns: 1500 })
  })
})

test('do random bytes of any link type never throw, and has every frame one outcome?', () => {
  const decoder = new FrameDecoder()
  let frames = 0
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...new Set(LINKS.map(([, linkType]) => linkType)), 147, 65_535), fc.nat(200), (bytes, linkType, more) => {
    decoded({ bytes, linkType, wireLength: bytes.length + more }, decoder)
    frames++
  }), { numRuns: 3000 })
  const { outcomes } = decoder
  const dropped = Object.values(decoder.dropped()).reduce((sum, count) => sum + count, 0)
  expect(outcomes[PACKET]! + outcomes[1]! + dropped).toBe(frames)
})

describe('lengths', () => {
  test('is padding of the link layer no payload?', () => {
    const bytes = join(tcpFrame({ ...v4, sport: 1, dport: 2 }).bytes, new Uint8Array(6).fill(0xEE))
    expect(decoded({ bytes })).toMatchObject({ payload: '', payloadLength: 0 })
  })

  test('does a sliced segment say how long it was?', () => {
    const { bytes } = tcpFrame({ ...v4, sport: 1, dport: 2, payload: new Uint8Array(1000).fill(7) })
    expect(decoded({ bytes: bytes.subarray(0, 64), wireLength: bytes.length })).toMatchObject({ payload: '07'.repeat(10), payloadLength: 1000 })
  })

  test('does a segment sliced inside its options say how long it was?', () => {
    const { bytes } = tcpFrame({ ...v4, sport: 1, dport: 2, options: new Uint8Array(12).fill(1), payload: new Uint8Array(500) })
    expect(decoded({ bytes: bytes.subarray(0, 58), wireLength: bytes.length })).toMatchObject({ payload: '', payloadLength: 500, options: '01010101' })
  })

  test('is a packet with total length 0 (segmentation offload) as long as its frame?', () => {
    const payload = new Uint8Array(70_000)
    for (const version of [v4, v6]) expect(decoded({ bytes: ethernet(ip({ ...version, length: 0 }, tcp({ sport: 1, dport: 2, payload }))) })).toMatchObject({ payloadLength: 70_000 })
  })

  test('is it so in a tunnel too?', () => {
    const inner = w.frameOf(ip({ ...v4, length: 0 }, tcp({ sport: 1, dport: 2, payload: new Uint8Array(70_000) })))
    const { bytes } = w.vxlan(inner)
    bytes.set([0, 0], 4)
    expect(decoded({ bytes: ethernet(ip({ ...carrier, length: 0 }, { protocol: 17, bytes })) })).toMatchObject({ from: '10.0.0.1 1', payloadLength: 70_000 })
  })

  test('is the length of a jumbogram read from its option?', () => {
    const payload = new Uint8Array(66_000)
    const jumbo = ip({ ...v6, length: 0 }, extension(0, join(hex('c204'), u32(66_000 + 28)), tcp({ sport: 1, dport: 2, payload })))
    expect(decoded({ bytes: join(ethernet(jumbo), new Uint8Array(7)) })).toMatchObject({ payloadLength: 66_000 })
  })

  test('is a packet not longer than its frame was?', () => {
    expect(decoded({ bytes: ethernet(ip({ ...v4, length: 1400 }, segment)) })).toMatchObject({ payloadLength: 10 })
  })

  test('does a packet that its mirror cut say how long it was?', () => {
    const inner = w.frameOf(ip(v4, tcp({ sport: 1, dport: 2, payload: new Uint8Array(1000) }))).subarray(0, 100)
    expect(decoded({ bytes: through(w.erspan2(inner)) })).toMatchObject({ payloadLength: 1000, payload: '00'.repeat(46) })
  })

  test('do bytes behind the UDP length not count?', () => {
    expect(decoded({ bytes: ethernet(ip(v4, udp({ sport: 1, dport: 2, payload: hex('01020304'), length: 10 }))) })).toMatchObject({ payload: '0102', payloadLength: 2 })
  })
})

describe('UDP', () => {
  test('is a plain datagram found?', () => {
    expect(decoded({ bytes: udpFrame({ ...v6, sport: 5353, dport: 53, payload: hex('aabb') }).bytes })).toMatchObject({
      transport: 'udp', from: '2001:db8::1 5353', to: 'fd00::2 53', payload: 'aabb', payloadLength: 2,
    })
  })

  test.each([1701, 2152, 3544, 4789, 4790, 6081, 37_008])('is a datagram to port %d that is no tunnel delivered as it is?', (dport) => {
    expect(decoded({ bytes: udpFrame({ ...v4, sport: 9, dport, payload: Buffer.from('MSH|^~\\&|no tunnel at all') }).bytes })).toMatchObject({ transport: 'udp', to: `10.0.0.2 ${dport}` })
  })

  test('is GTP-U on the way back a tunnel, whatever its destination port?', () => {
    const { bytes } = w.gtpUser(packet4.bytes)
    bytes.set(join(u16(2152), u16(40_000)), 0)
    expect(decoded({ bytes: through({ protocol: 17, bytes }) })).toMatchObject({ transport: 'tcp' })
  })
})

describe('routing headers', () => {
  const address = hex('20010db8 00000000 00000000 00000099')
  const other = hex('20010db8 00000000 00000000 00000055')
  const route = (type: number, left: number, ...list: Uint8Array[]): Seen =>
    decoded({ bytes: ethernet(ip(v6, extension(43, join(u8(type, left), new Uint8Array(4), ...list), segment))) })

  test.each([[0, [other, address]], [4, [address, other]], [2, [address]]] as const)('is the last stop of type %d the destination?', (type, list) => {
    expect(route(type, 1, ...list).to).toBe('2001:db8::99 104')
  })

  test('is a packet that has arrived taken as addressed?', () => {
    expect(route(0, 0, other, address).to).toBe('fd00::2 104')
  })
})

describe('what is neither TCP nor UDP', () => {
  test.each<[string, number, Uint8Array, string]>([
    ['ARP', 1, ethernet({ etherType: 0x0806, bytes: new Uint8Array(28) }), 'link.not-ip'],
    ['PPPoE discovery', 1, ethernet({ etherType: 0x8863, bytes: new Uint8Array(28) }), 'link.not-ip'],
    ['spanning tree', 1, ethernet({ etherType: 38, bytes: hex('424203 0000') }), 'link.not-ip'],
    ['ICMP', 1, ethernet(ip(v4, { protocol: 1, bytes: new Uint8Array(8) })), 'ip.neither-tcp-nor-udp'],
    ['ESP', 1, ethernet(ip(v6, { protocol: 50, bytes: new Uint8Array(80) })), 'ip.neither-tcp-nor-udp'],
    ['no next header', 1, ethernet(ip(v6, { protocol: 59, bytes: u8() })), 'ip.neither-tcp-nor-udp'],
    ['IP version 5', 1, ethernet({ etherType: 0x0800, bytes: new Uint8Array(40).fill(0x55) }), 'ip.malformed'],
    ['an IPv4 header of 16 bytes', 1, ethernet({ etherType: 0x0800, bytes: new Uint8Array(40).fill(0x44) }), 'ip.malformed'],
    ['a total length below the header', 1, ethernet(ip({ ...v4, length: 10 }, segment)), 'ip.malformed'],
    ['a TCP header of 16 bytes', 1, ethernet(ip(v4, { protocol: 6, bytes: new Uint8Array(40).fill(0x40) })), 'tcp.malformed'],
    ['a TCP header longer than its packet', 1, ethernet(ip(v4, { protocol: 6, bytes: join(new Uint8Array(12), u8(0xF0), new Uint8Array(9)) })), 'tcp.malformed'],
    ['half a TCP header', 1, ethernet(ip(v4, { protocol: 6, bytes: new Uint8Array(10) })), 'tcp.malformed'],
    ['a UDP length of 4', 1, ethernet(ip(v4, udp({ sport: 1, dport: 2, length: 4 }))), 'udp.malformed'],
    ['encrypted 802.11', 105, w.ieee80211(packet4, { isProtected: true }), 'link.encrypted'],
    ['a fragment of 802.11', 105, w.ieee80211(packet4, { fragment: 1 }), 'link.fragment'],
    ['an A-MSDU', 105, w.ieee80211(packet4, { qos: true, aggregated: true }), 'link.fragment'],
    ['a beacon', 105, join(hex('80000000'), new Uint8Array(60)), 'link.not-ip'],
    ['encrypted MACsec', 1, ethernet(w.macSec(packet4, { encrypted: true })), 'link.encrypted'],
    ['a link type nobody knows', 147, ethernet(packet4), 'link.unsupported'],
    ['a GRE version from the future', 1, through(w.gre(packet4, { version: 5 })), 'tunnel.unsupported'],
    ['a runt', 1, hex('010203'), 'link.short'],
  ])('is %s counted under its name?', (_name, linkType, bytes, reason) => {
    const decoder = new FrameDecoder()
    expect(decoded({ bytes, linkType }, decoder)).toEqual({ outcome: reason })
    expect(decoder.dropped()).toEqual({ [reason]: 1 })
  })

  test('does endless nesting end at the cap?', () => {
    let tags: EtherPayload = packet4
    for (let i = 0; i < 40; i++) tags = vlan(i + 1, tags)
    expect(decoded({ bytes: ethernet(tags) })).toEqual({ outcome: 'net.layers' })
    let nested = packet4
    for (let i = 0; i < 40; i++) nested = ipv4(v4, nested)
    expect(decoded({ bytes: ethernet(nested) })).toEqual({ outcome: 'net.layers' })
    let chain: Parameters<typeof ip>[1] = segment
    for (let i = 0; i < 40; i++) chain = extension(60, hex('00'), chain)
    expect(decoded({ bytes: ethernet(ipv6(v6, chain)) })).toEqual({ outcome: 'net.layers' })
  })
})

test('does one frame leave nothing behind for the next?', () => {
  const decoder = new FrameDecoder()
  const packet = new Packet()
  const plain = { bytes: packet4.bytes, linkType: 101 }
  const fresh = decoded(plain)
  for (const [, linkType, bytes] of [...LINKS, ...TUNNELS, ...HEADERS]) {
    decoded({ bytes, linkType }, decoder, packet)
    expect(decoded(plain, decoder, packet)).toEqual(fresh)
  }
})

test('does decoding allocate nothing for a frame?', () => {
  const decoder = new FrameDecoder()
  const packet = new Packet()
  const frames = [LINKS[0]!, LINKS[5]!, TUNNELS[5]!, HEADERS[1]!].map(([, linkType, bytes], i) =>
    ({ bytes, start: 0, end: bytes.length, wireLength: bytes.length, at: 1.7e15 + i + 0.5, linkType, interfaceId: 0 }))
  const growth = (rounds: number): number => {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < rounds; i++) for (const frame of frames) decoder.decode(frame, packet)
    return process.memoryUsage().heapUsed - before
  }
  growth(20_000)
  // A collection in between hides what was allocated, so the largest of some tries counts.
  const largest = Math.max(...[1, 2, 3].map(() => growth(20_000)))
  // 80,000 frames: the smallest object for each would be 1.2 MB.
  expect(largest).toBeLessThan(600_000)
})
