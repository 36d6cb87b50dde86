/** Names of hosts in datagrams: DNS answers (RFC 1035 4.1), mDNS (RFC 6762), the NetBIOS name service (RFC 1002 4.2), DHCP (RFC 2131, options of RFC 2132). */
import { latin1, u16be, u32be } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { ipText } from '../net/address.ts'
import { nameClaim, safeName, safeProduct, systemClaim, type Claim } from './claim.ts'
import { SYSTEMS, type System } from './systems.ts'

/** A claim about the host that has this address. */
export interface Named {
  ip: string
  claim: Claim
}

const A = 1
const AAAA = 28
const NB = 0x20

/**
 * DNS message: id u16, flags u16, counts u16 of questions, answers, authorities, additional; names, types and data behind.
 * @param source how the evidence is called
 */
export function dnsNames(b: Uint8Array, start: number, end: number, source: 'dns' | 'mdns' | 'netbios'): Named[] {
  if (end - start < 12) return []
  const flags = u16be(b, start + 2)
  const isAnswer = (flags & 0x8000) !== 0
  const opcode = (flags >> 11) & 15
  // A NetBIOS host registers or refreshes its name by a request with the record it wants.
  const registers = source === 'netbios' && !isAnswer && (opcode === 5 || opcode >= 8)
  if ((!isAnswer || (flags & 15) !== 0) && !registers) return []
  const questions = Math.min(u16be(b, start + 4), 8)
  const records = Math.min(u16be(b, start + 6) + u16be(b, start + 8) + u16be(b, start + 10), LIMITS.host.records)
  let at = start + 12
  let asked: string | null = null
  for (let i = 0; i < questions; i++) {
    const name = nameAt(b, start, at, end)
    if (name === null) return []
    asked ??= name.text
    at = name.next + 4
  }
  const found: Named[] = []
  for (let i = 0; i < records; i++) {
    const name = nameAt(b, start, at, end)
    if (name === null || name.next + 10 > end) break
    const type = u16be(b, name.next)
    const length = u16be(b, name.next + 8)
    const data = name.next + 10
    if (data + length > end) break
    at = data + length
    // What was asked for is the name people know; the owner of the address may be an alias of a farm.
    const text = source === 'dns' ? asked ?? name.text : name.text
    if (source === 'netbios') {
      if (type === NB && length >= 6 && (b[data]! & 0x80) === 0) add(found, ipv4(b, data + 2), netbiosName(text), source)
    } else if (type === A && length === 4) add(found, ipv4(b, data), safeName(text), source)
    else if (type === AAAA && length === 16) add(found, ipText(Uint32Array.of(u32be(b, data), u32be(b, data + 4), u32be(b, data + 8), u32be(b, data + 12))), safeName(text), source)
  }
  return found
}

const EVIDENCE = { dns: 'DNS answer names it', mdns: 'mDNS: it names itself', netbios: 'NetBIOS: it registers the name' } as const

function add(found: Named[], ip: string, name: string | null, source: keyof typeof EVIDENCE): void {
  if (name !== null) found.push({ ip, claim: nameClaim(name, source, EVIDENCE[source]) })
}

const ipv4 = (b: Uint8Array, at: number): string => `${b[at]}.${b[at + 1]}.${b[at + 2]}.${b[at + 3]}`

/** RFC 1035 4.1.4: labels, or a pointer to where they are. @returns null where it is none */
function nameAt(b: Uint8Array, message: number, at: number, end: number): { text: string; next: number } | null {
  let text = ''
  let next = -1
  for (let steps = 0; steps < 64; steps++) {
    if (at >= end) return null
    const length = b[at]!
    if (length === 0) return { text, next: next < 0 ? at + 1 : next }
    if (length >= 0xC0) {
      if (next < 0) next = at + 2
      at = message + ((length & 0x3F) << 8 | b[at + 1]!)
      continue
    }
    if (length > 63 || at + 1 + length > end) return null
    text += `${text === '' ? '' : '.'}${latin1(b, at + 1, at + 1 + length)}`
    if (text.length > 255) return null
    at += 1 + length
  }
  return null
}

/** RFC 1001 14.1: 16 bytes as 32 letters from `A` on; the last is what the name is for: 00 a workstation, 20H a file server. */
function netbiosName(text: string): string | null {
  const letters = text.split('.', 1)[0]!
  if (!/^[A-P]{32}$/.test(letters)) return null
  let name = ''
  for (let i = 0; i < 32; i += 2) name += String.fromCharCode((letters.charCodeAt(i) - 65) << 4 | (letters.charCodeAt(i + 1) - 65))
  const use = name.charCodeAt(15)
  return use === 0 || use === 0x20 ? safeName(name.slice(0, 15)) : null
}

/** Option 55, what clients ask for and in which order, by the first of each family. */
const REQUESTS: readonly (readonly [string, System])[] = [
  ['1,3,6,15,31,33,43,44,46,47,119,121,249,252', SYSTEMS.windows10Or11],
  ['1,15,3,6,44,46,47,31,33,121,249,252,43', SYSTEMS.windows7To81],
  ['1,15,3,6,44,46,47,31,33,121,249,43', SYSTEMS.windows7To81],
  ['1,15,3,6,44,46,47,31,33,121,249,43,252', SYSTEMS.windows7To81],
  ['1,15,3,6,44,46,47,31,33,249,43', SYSTEMS.windowsXpOr2003],
  ['1,15,3,6,44,46,47,31,33,249,43,252', SYSTEMS.windowsXpOr2003],
  ['1,121,3,6,15,119,252,95,44,46', SYSTEMS.macos],
  ['1,3,6,15,26,28,51,58,59,43', SYSTEMS.android],
]

/**
 * DHCP message: op u8, htype u8, hlen u8 ... ciaddr at 12, yiaddr at 16, chaddr at 28, magic at 236, options at 240.
 * @returns claims about the client, with its hardware address; none while it has no address
 */
export function dhcpNames(b: Uint8Array, start: number, end: number): { ip: string; mac: string; claims: Claim[] } | undefined {
  if (end - start < 244 || b[start + 1] !== 1 || b[start + 2] !== 6 || u32be(b, start + 236) !== 0x6382_5363) return undefined
  const options = optionsOf(b, start + 240, end)
  const text = (code: number): string => {
    const found = options.get(code)
    return found === undefined ? '' : latin1(found, 0, found.length)
  }
  const wanted = options.get(50)
  let ip = b[start] === 2 ? ipv4(b, start + 16) : ipv4(b, start + 12)
  if (ip === '0.0.0.0' && wanted?.length === 4) ip = ipv4(wanted, 0)
  if (ip === '0.0.0.0') return undefined
  const mac = Buffer.from(b.buffer, b.byteOffset + start + 28, 6).toString('hex').replace(/..(?!$)/g, '$&:')
  const claims: Claim[] = []
  const name = safeName(text(12))
  if (name !== null) claims.push(nameClaim(name, 'dhcp', 'DHCP host name (option 12)'))
  // Only requests carry the habits of the client.
  if (b[start] === 1) claims.push(...habits([...options.get(55) ?? []].join(','), text(60)))
  return { ip, mac, claims }
}

function habits(request: string, vendor: string): Claim[] {
  const by = vendor === '' ? '' : `, vendor class ${safeProduct(vendor)}`
  const known = REQUESTS.find(([list]) => list === request)
  if (known !== undefined) return [systemClaim(known[1], 'dhcp-request', 'medium', `DHCP request list (option 55) ${request}${by}`)]
  const system = vendor.startsWith('MSFT') ? SYSTEMS.windows : vendor.startsWith('android-dhcp') ? SYSTEMS.android : /^(dhcpcd|udhcp)/.test(vendor) ? SYSTEMS.linux : undefined
  return system === undefined ? [] : [systemClaim(system, 'dhcp-request', 'low', `DHCP${by.slice(1)}`)]
}

/** RFC 2132 2: code u8, length u8, value; 0 is padding, 255 the end. */
function optionsOf(b: Uint8Array, start: number, end: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>()
  for (let at = start; at + 1 < end && found.size < 64;) {
    const code = b[at]!
    if (code === 255) break
    if (code === 0) {
      at++
      continue
    }
    const length = b[at + 1]!
    if (at + 2 + length > end) break
    found.set(code, b.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return found
}
