/**
 * Addresses as text, and what kind of network they belong to. Inside `protocols/` an address is four 32-bit words of
 * `Packet.addresses`, IPv4 in its mapped form (0, 0, FFFF, a.b.c.d); everywhere else it is text (RFC 5952).
 */

/** @param words four words, from `offset` on */
export function ipText(words: Uint32Array, offset = 0): string {
  return isMapped(words, offset) ? ipv4Text(words[offset + 3]!) : ipv6Text(words, offset)
}

/** Numbers written of late: a network has few addresses, so each is written once, and is one string wherever it is compared. */
function writtenOnce(write: (n: number) => string): (n: number) => string {
  const written = new Map<number, string>()
  return (n) => {
    let text = written.get(n)
    if (text === undefined) {
      if (written.size >= MOST_WRITTEN) written.clear()
      written.set(n, text = write(n))
    }
    return text
  }
}
const MOST_WRITTEN = 4096

function isMapped(words: Uint32Array, offset: number): boolean {
  return words[offset + 2] === 0xFFFF && words[offset] === 0 && words[offset + 1] === 0
}

const ipv4Text = writtenOnce((word) => `${word >>> 24}.${(word >>> 16) & 0xFF}.${(word >>> 8) & 0xFF}.${word & 0xFF}`)

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function ipv6Text(words: Uint32Array, offset: number): string {
  const groups: number[] = []
  for (let i = 0; i < 4; i++) groups.push(words[offset + i]! >>> 16, words[offset + i]! & 0xFFFF)
  let run = 0
  let runLength = 1
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && groups[end] === 0) end++
    if (end - start > runLength) [run, runLength] = [start, end - start]
  }
  const text = (part: number[]): string => part.map(group => group.toString(16)).join(':')
  if (runLength < 2) return text(groups)
  return `${text(groups.slice(0, run))}::${text(groups.slice(run + runLength))}`
}

/**
 * Textual IPv4 or IPv6 (also with an IPv4 tail) to four words.
 * @returns null when the text is no address
 */
export function parseIp(text: string): Uint32Array | null {
  if (!text.includes(':')) {
    const word = parseIpv4(text)
    return word === null ? null : Uint32Array.of(0, 0, 0xFFFF, word)
  }
  let rest = text
  const tail = text.slice(text.lastIndexOf(':') + 1)
  if (tail.includes('.')) {
    const word = parseIpv4(tail)
    if (word === null) return null
    rest = `${text.slice(0, -tail.length)}${(word >>> 16).toString(16)}:${(word & 0xFFFF).toString(16)}`
  }
  const groups = parseGroups(rest)
  return groups && Uint32Array.from({ length: 4 }, (_, i) => groups[2 * i]! * 0x1_0000 + groups[2 * i + 1]!)
}

function parseIpv4(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (parts === null) return null
  const bytes = parts.slice(1).map(Number)
  return bytes.every(byte => byte <= 255) ? bytes.reduce((word, byte) => word * 256 + byte, 0) : null
}

function parseGroups(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map(half => (half === '' ? [] : half.split(':')))
  const written = [...head!, ...tail ?? []]
  if (!written.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return null
  const missing = 8 - written.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  return [...head!, ...new Array<string>(missing).fill('0'), ...tail ?? []].map(group => parseInt(group, 16))
}

/** @param mac 48 bits as a number; negative: none */
export function macText(mac: number): string | null {
  return mac < 0 ? null : octets(mac)
}

const octets = writtenOnce((mac) => mac.toString(16).padStart(12, '0').replace(/..(?!$)/g, '$&:'))

/**
 * What an address is for, by the special-purpose registries of IANA.
 *
 * - public: routed on the Internet. The documentation ranges (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) count
 *   as public: where they are seen, they stand for the outside.
 * - private: RFC 1918 and unique local (RFC 4193), site-local, and the shared space of carriers (100.64.0.0/10).
 * - local: loopback, link-local, unspecified: never beyond one link.
 * - multicast: also the limited broadcast.
 * - reserved: everything else, such as 240.0.0.0/4, benchmarking (198.18.0.0/15), and IPv6 outside 2000::/3.
 */
export type AddressKind = 'public' | 'private' | 'local' | 'multicast' | 'reserved'

/** @param words four words, from `offset` on */
export function kindOf(words: Uint32Array, offset = 0): AddressKind {
  if (isMapped(words, offset)) return ipv4Kind(words[offset + 3]!)
  // NAT64 (RFC 6052) carries the IPv4 address that matters, as 6to4 (RFC 3056) below.
  if (words[offset] === 0x0064FF9B && words[offset + 1] === 0 && words[offset + 2] === 0) return ipv4Kind(words[offset + 3]!)
  return ipv6Kind(words[offset]!, words[offset + 1]!, words[offset + 2]!, words[offset + 3]!)
}

function ipv4Kind(word: number): AddressKind {
  const first = word >>> 24
  const two = word >>> 16
  if (first === 10 || two === 0xC0A8 || (two & 0xFFF0) === 0xAC10 || (two & 0xFFC0) === 0x6440) return 'private'
  if (first === 127 || first === 0 || two === 0xA9FE) return 'local'
  if ((first >= 224 && first < 240) || word === 0xFFFFFFFF) return 'multicast'
  if (first >= 240 || (two & 0xFFFE) === 0xC612 || word >>> 8 === 0xC00000) return 'reserved'
  return 'public'
}

function ipv6Kind(a: number, b: number, c: number, d: number): AddressKind {
  const first = a >>> 16
  if (first === 0x2002) return ipv4Kind(((a & 0xFFFF) << 16 | b >>> 16) >>> 0)
  if (first >>> 13 === 1) return 'public'
  if ((first & 0xFE00) === 0xFC00 || (first & 0xFFC0) === 0xFEC0) return 'private'
  if ((first & 0xFFC0) === 0xFE80 || ((a | b | c) === 0 && d <= 1)) return 'local'
  return first >>> 8 === 0xFF ? 'multicast' : 'reserved'
}

/** Is this the Internet? False for text that is no address. */
export function isPublic(ip: string): boolean {
  const words = parseIp(ip)
  return words !== null && kindOf(words) === 'public'
}

/** `isPublic` without text. */
export function isPublicWords(words: Uint32Array, offset = 0): boolean {
  return kindOf(words, offset) === 'public'
}
