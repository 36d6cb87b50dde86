/**
 * Which networks medical devices share, and with whom: segments by VLAN and subnet, what lives in each, who reaches into them, and the
 * least rules that the traffic seen needs. Subnets that nobody declared are taken to be /24 and /64: the true borders are the routers'.
 */
import type { Micros } from '../../protocols/events.ts'
import { isPublic } from '../../protocols/net/address.ts'
import { DAY } from '../clock.ts'
import { family } from '../role.ts'
import type { Pair } from './conversations.ts'
import type { InventoryItem } from './inventory.ts'

/** A network that the site declares: a name, and addresses in CIDR notation. */
export interface DeclaredSegment {
  name: string
  cidr: string
}

export interface Segment {
  name: string
  /** CIDR. */
  subnet: string
  vlan: string | null
  /** `medical`: every device speaks DICOM or HL7; `mixed`: some do; `other`: none does; `internet`: public addresses. */
  kind: 'medical' | 'mixed' | 'other' | 'internet'
  devices: number
  medical: number
  /** Devices by role family; `other` for those that speak neither DICOM nor HL7. */
  kinds: Record<string, number>
}

/** A host that speaks neither DICOM nor HL7 of its own, or a public address, in conversation with a medical device. */
export interface Contact {
  client: string
  server: string
  client_segment: string
  server_segment: string
  services: string[]
  conversations: number
  bytes: number
  first: Micros
  last: Micros
}

/** One conversation that has to be allowed: from these hosts to this service. */
export interface Rule {
  from: string[]
  to: string
  transport: 'tcp' | 'udp'
  port: number
  protocol: string | null
  conversations: number
  first: Micros
  last: Micros
}

export interface SegmentAudit {
  segments: Segment[]
  /** Shares of the segments that are not the Internet's, 0 to 1; beside them the field's published 0.03, 0.25 and 0.72. */
  shares: { medical: number; other: number; mixed: number }
  field: { medical: number; other: number; mixed: number }
  /** IT hosts that were seen in conversation with medical devices. */
  it_to_medical: Contact[]
  /** Medical devices in conversation with public addresses. */
  exposed: Contact[]
  /** What the traffic to medical devices needs that has settled; everything else may be closed. */
  rules: Rule[]
  /** Conversations with medical devices that the rules would have stopped: look at each before the rules are put in force. */
  blocked: Contact[]
  /** Attempts that nobody answered or accepted, by who tried. */
  failed: { client: string; attempts: number }[]
}

const MOST_CONTACTS = 2000
/** What is used over so long is a need; on captures that are shorter, over a part of them. */
const SETTLED = 2 * DAY
const SETTLED_PART = 1 / 4

export interface Audited {
  items: readonly InventoryItem[]
  pairs: Iterable<Pair>
  failed: ReadonlyMap<string, number>
  /** Device id of an address. */
  owner: ReadonlyMap<string, string>
  declared?: readonly DeclaredSegment[]
}

export function auditSegments({ items, pairs, failed, owner, declared = [] }: Audited): SegmentAudit {
  const nets = declared.map((d) => ({ ...d, range: rangeOf(d.cidr) }))
  const segments = new Map<string, Segment>()
  const byId = new Map<string, { item: InventoryItem; segment: Segment }>()
  for (const item of items) byId.set(item.id, { item, segment: join(segments, item, nets) })
  for (const segment of segments.values()) segment.kind = kindOf(segment)

  const audit: SegmentAudit = {
    segments: [...segments.values()].sort((a, b) => b.medical - a.medical || (a.name < b.name ? -1 : 1)),
    shares: sharesOf([...segments.values()]), field: { medical: 0.03, other: 0.25, mixed: 0.72 },
    it_to_medical: [], exposed: [], rules: [], blocked: [],
    failed: [...failed].map(([client, attempts]) => ({ client, attempts })).sort((a, b) => b.attempts - a.attempts).slice(0, MOST_CONTACTS),
  }
  const rules = new Map<string, Rule>()
  const all = [...pairs]
  const settled = settledAfter(all)
  for (const pair of all) {
    const client = byId.get(owner.get(pair.client) ?? '')
    const server = byId.get(owner.get(pair.server) ?? '')
    if (client === undefined || server === undefined || (!client.item.medical && !server.item.medical)) continue
    const contact = contactOf(pair, client.segment, server.segment)
    if (isPublic(pair.client) || isPublic(pair.server)) add(audit.exposed, contact)
    else if (client.item.medical !== server.item.medical) add(audit.it_to_medical, contact)
    if (!server.item.medical || isPublic(pair.server)) continue
    if (pair.last - pair.first >= settled) allow(rules, pair)
    else add(audit.blocked, contact)
  }
  audit.rules = [...rules.values()].sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : a.port - b.port))
  return audit
}

function join(segments: Map<string, Segment>, item: InventoryItem, nets: readonly (DeclaredSegment & { range: Range | undefined })[]): Segment {
  const vlan = item.addresses.find((a) => a.ip === item.ip)?.vlan ?? null
  const { name, subnet } = networkOf(item.ip, vlan, nets)
  let segment = segments.get(name)
  if (segment === undefined) segments.set(name, (segment = { name, subnet, vlan, kind: 'other', devices: 0, medical: 0, kinds: {} }))
  segment.devices += 1
  if (item.medical) segment.medical += 1
  const kind = item.medical ? family(item.role) : 'other'
  segment.kinds[kind] = (segment.kinds[kind] ?? 0) + 1
  return segment
}

function networkOf(ip: string, vlan: string | null, nets: readonly (DeclaredSegment & { range: Range | undefined })[]): { name: string; subnet: string } {
  for (const { name, cidr, range } of nets) if (range !== undefined && contains(range, ip)) return { name, subnet: cidr }
  if (isPublic(ip)) return { name: 'the Internet', subnet: '0.0.0.0/0' }
  const subnet = ip.includes(':') ? `${groupsOf(ip).slice(0, 4).map((g) => g.toString(16)).join(':')}::/64` : `${ip.split('.').slice(0, 3).join('.')}.0/24`
  return { name: vlan === null ? subnet : `VLAN ${vlan}, ${subnet}`, subnet }
}

function kindOf(segment: Segment): Segment['kind'] {
  if (segment.name === 'the Internet') return 'internet'
  return segment.medical === 0 ? 'other' : segment.medical === segment.devices ? 'medical' : 'mixed'
}

function sharesOf(segments: readonly Segment[]): SegmentAudit['shares'] {
  const inside = segments.filter((s) => s.kind !== 'internet')
  const share = (kind: Segment['kind']): number => (inside.length === 0 ? 0 : inside.filter((s) => s.kind === kind).length / inside.length)
  return { medical: share('medical'), other: share('other'), mixed: share('mixed') }
}

const contactOf = (pair: Pair, from: Segment, to: Segment): Contact => ({
  client: pair.client, server: pair.server, client_segment: from.name, server_segment: to.name,
  services: pair.ports.map((p) => `${p.transport}/${p.port}${p.protocol === null ? '' : ` ${p.protocol}`}`), conversations: pair.flows, bytes: pair.bytes, first: pair.first, last: pair.last,
})

function add(list: Contact[], contact: Contact): void {
  if (list.length < MOST_CONTACTS) list.push(contact)
}

/** How long a pair must have talked before that is a need, in microseconds. */
function settledAfter(pairs: readonly Pair[]): Micros {
  let first = Infinity
  let last = -Infinity
  for (const pair of pairs) {
    first = Math.min(first, pair.first)
    last = Math.max(last, pair.last)
  }
  return Math.min(SETTLED, SETTLED_PART * Math.max(0, last - first))
}

function allow(rules: Map<string, Rule>, pair: Pair): void {
  for (const { transport, port, protocol, flows } of pair.ports) {
    const key = `${pair.server}/${transport}/${port}`
    const rule = rules.get(key)
    if (rule === undefined) {
      rules.set(key, { from: [pair.client], to: pair.server, transport, port, protocol, conversations: flows, first: pair.first, last: pair.last })
      continue
    }
    if (!rule.from.includes(pair.client)) rule.from.push(pair.client)
    rule.protocol ??= protocol
    rule.conversations += flows
    rule.first = Math.min(rule.first, pair.first)
    rule.last = Math.max(rule.last, pair.last)
  }
}

// ---- addresses

interface Range {
  groups: number[]
  bits: number
  /** Bits of one group. */
  width: number
}

/** @returns undefined where it is no CIDR notation */
export function rangeOf(cidr: string): Range | undefined {
  const [ip = '', length = ''] = cidr.split('/')
  const width = ip.includes(':') ? 16 : 8
  const groups = groupsOf(ip)
  const bits = Number(length)
  const whole = groups.length === (width === 16 ? 8 : 4) && groups.every((g) => Number.isInteger(g) && g >= 0 && g < 2 ** width)
  if (!whole || !/^\d{1,3}$/.test(length) || bits > groups.length * width) return undefined
  return { groups, bits, width }
}

function contains({ groups, bits, width }: Range, ip: string): boolean {
  const own = groupsOf(ip)
  if (own.length !== groups.length) return false
  let left = bits
  for (let i = 0; left > 0; i++, left -= width) {
    const shift = Math.max(0, width - left)
    if ((own[i]! >> shift) !== (groups[i]! >> shift)) return false
  }
  return true
}

/** Bytes of an IPv4, 16-bit groups of an IPv6 address. */
function groupsOf(ip: string): number[] {
  if (!ip.includes(':')) return ip.split('.').map(Number)
  const [head = '', tail] = ip.split('::')
  const parse = (text: string): number[] => (text === '' ? [] : text.split(':').map((g) => parseInt(g, 16)))
  const front = parse(head)
  if (tail === undefined) return front
  const back = parse(tail)
  return [...front, ...new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back]
}
