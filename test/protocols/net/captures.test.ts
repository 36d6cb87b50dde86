/**
 * Real captures, where there are any: the folder of WARDWIRE_CAPTURES, or `../shared/captures` beside the repository. What each must
 * give is told by `truth/*.json` (frames) and by the table below (packets, as an independent dissector counts the innermost layer).
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ipText } from '../../../protocols/net/address.ts'
import { FRAGMENT, FrameDecoder, PACKET } from '../../../protocols/net/decode.ts'
import { Packet, TCP } from '../../../protocols/net/packet.ts'
import { readCaptures } from '../../../src/sources/captures.ts'

const folder = process.env['WARDWIRE_CAPTURES'] ?? resolve(import.meta.dirname, '../../../../shared/captures')
const isThere = existsSync(join(folder, 'truth'))
if (!isThere) console.warn(`no captures in ${folder}: their tests are skipped (set WARDWIRE_CAPTURES)`)

interface Found { frames: number; tcp: number; udp: number; fragments: number; held: number; dropped: number; problems: string[]; segments: string[] }

async function decode(path: string): Promise<Found> {
  const decoder = new FrameDecoder()
  const packet = new Packet()
  const found: Found = { frames: 0, tcp: 0, udp: 0, fragments: 0, held: 0, dropped: 0, problems: [], segments: [] }
  const { frames, problems } = await readCaptures([path], {
    onFrame: (frame) => {
      if (decoder.decode(frame, packet) !== PACKET) return
      if (packet.transport !== TCP) found.udp++
      else {
        found.tcp++
        const ends = `${ipText(packet.addresses)}:${packet.sourcePort} ${ipText(packet.addresses, 4)}:${packet.destinationPort}`
        const payload = Buffer.from(packet.bytes.subarray(packet.payload, packet.payloadEnd)).toString('base64')
        found.segments.push(`${packet.at} ${ends} ${packet.seq} ${packet.ack} ${packet.flags} ${packet.payloadLength} ${payload}`)
      }
    },
  })
  const dropped = Object.values(decoder.dropped()).reduce((sum, count) => sum + count, 0)
  return { ...found, frames, fragments: decoder.outcomes[FRAGMENT]!, held: decoder.held, dropped, problems: problems.map(({ kind }) => kind) }
}

interface Truth { file: string; frames: number }

const truths = isThere
  ? readdirSync(join(folder, 'truth')).sort().map(name => JSON.parse(readFileSync(join(folder, 'truth', name), 'utf8')) as Truth).filter(({ file }) => existsSync(join(folder, file)))
  : []

/** The reference counts blocks that are no packets (custom blocks and the like) as frames of their own. */
const BLOCKS_COUNTED: Record<string, number> = { 'format-gopacket-be-test202.pcapng': 3, 'v07-pcapng-noise.pcapng': 18 }
const PROBLEMS: Record<string, string[]> = { 'format-ndpi-fuzz-2021-10-13.pcap': ['cut'], 'n15-ring-files-cut.pcapng': ['cut'] }

describe.skipIf(!isThere)('real captures', () => {
  test('are as many frames read as there are, and has each one outcome?', async () => {
    for (const { file, frames } of truths) {
      const name = file.split('/').at(-1)!
      const found = await decode(join(folder, file))
      expect({ file, frames: found.frames, problems: found.problems }).toEqual({ file, frames: frames - (BLOCKS_COUNTED[name] ?? 0), problems: PROBLEMS[name] ?? [] })
      expect(found.tcp + found.udp + found.fragments + found.dropped).toBe(found.frames)
    }
  })

  // Frames whose innermost packet is TCP, is UDP, frames that were a part of one that came before its last part, and parts still alone.
  // Where tshark 4.0 counts otherwise: it shows TCP headers shorter than 20 bytes (ip_fragmented_garbage), the outside of Teredo
  // packets that hold nothing (teredo) and of a VXLAN packet whose UDP length is 0 (bigtcp).
  test.each<[file: string, tcp: number, udp: number, fragments: number, held: number]>([
    ['public/decode-arkime-80211http.pcap', 26, 0, 0, 0],
    ['public/decode-arkime-gre-erspan-vxlan.pcap', 7, 0, 0, 0],
    ['public/decode-arkime-gtp-u.pcap', 0, 0, 0, 0],
    ['public/decode-arkime-ipv6-in-ipv4.pcap', 0, 0, 0, 0],
    ['public/decode-arkime-twovlan.pcap', 6, 0, 0, 0],
    ['public/decode-gopacket-test_loopback.pcap', 24, 0, 0, 0],
    ['public/decode-ndpi-dlt_ppp.pcap', 0, 1, 0, 0],
    ['public/decode-ndpi-ip_fragmented_garbage.pcap', 2, 0, 1248, 0],
    ['public/decode-ndpi-rdp.pcap', 20, 0, 0, 0],
    ['public/decode-ndpi-teredo.pcap', 0, 0, 0, 0],
    ['public/decode-tcpdump-802.1ad_QinQ.pcap', 0, 0, 0, 0],
    ['public/decode-tcpdump-LINKTYPE_IPV6.pcap', 0, 1, 0, 0],
    ['public/decode-tcpdump-LINKTYPE_RAW_ipv4.pcap', 0, 1, 0, 0],
    ['public/decode-tcpdump-bigtcp-ipv4-vxlan-ipv4.pcap', 1, 0, 0, 0],
    ['public/decode-tcpdump-erspan-type-iii-ft-0.pcap', 0, 0, 0, 0],
    ['public/decode-tcpdump-gso-ipv4-geneve-ipv4.pcap', 1, 0, 0, 0],
    ['public/decode-tcpdump-ipoib.pcap', 20, 0, 0, 0],
    ['public/decode-tcpdump-ipv6-srh-ext-header.pcap', 0, 0, 0, 0],
    ['public/decode-tcpdump-ipv6_39_byte_header.pcap', 0, 0, 0, 0],
    ['public/decode-tcpdump-ipv6_jumbogram_1.pcap', 0, 0, 0, 0],
    ['public/decode-zeek-erspan.pcap', 106, 48, 39, 0],
    ['public/decode-zeek-fragmented-3.pcap', 0, 0, 5, 5],
    ['public/decode-zeek-fragmented-syn.pcap', 1, 0, 1, 0],
    ['public/decode-zeek-gre-within-gre.pcap', 0, 4, 0, 0],
    ['public/decode-zeek-http-qinq-0.pcap', 14, 0, 0, 0],
    ['public/decode-zeek-http-vlan-0.pcap', 14, 0, 0, 0],
    ['public/decode-zeek-ipv6-fragmented-dns.pcap', 0, 5, 3, 1],
    ['public/decode-zeek-ipv6-hbh-routing0.pcap', 0, 1, 0, 0],
    ['public/decode-zeek-ipv6-http-atomic-frag.pcap', 36, 0, 0, 0],
    ['public/decode-zeek-linux_dlt_sll2.pcap', 0, 0, 0, 0],
    ['public/decode-zeek-linuxsll-arp.pcap', 0, 0, 0, 0],
    ['public/decode-zeek-localhost-bad-chksum.pcap', 10, 0, 0, 0],
    ['public/decode-zeek-mixed-vlan-mpls.pcap', 47, 0, 0, 0],
    ['public/decode-zeek-nflog-http.pcap', 13, 0, 0, 0],
    ['public/decode-zeek-pppoe-over-qinq.pcap', 86, 0, 0, 0],
    ['public/decode-zeek-radiotap.pcap', 0, 3, 0, 0],
    ['public/decode-zeek-snap-tcp.pcap', 8, 0, 0, 0],
    ['public/decode-zeek-vntag.pcap', 0, 0, 0, 0],
    ['public/decode-zeek-vxlan-encapsulated-http.pcap', 12, 0, 0, 0],
    ['made/n11-vxlan-mirror.pcap', 254, 0, 177, 0],
    ['made/n12-erspan2.pcap', 95, 0, 46, 0],
    ['made/n12-greip.pcap', 97, 0, 45, 0],
  ])('are the packets of %s found?', async (file, tcp, udp, fragments, held) => {
    expect(await decode(join(folder, file))).toMatchObject({ tcp, udp, fragments, held })
  })

  const variants = truths.map(({ file }) => file).filter(file => /\/v\d\d-/.test(file))
  test.each(variants.filter(file => !file.includes('all-twice')))('does %s hold the very segments it was made of?', async (file) => {
    const original = await decode(join(folder, 'made/n16-snaplen-slices-full.pcap'))
    expect((await decode(join(folder, file))).segments).toEqual(original.segments)
  })
})
