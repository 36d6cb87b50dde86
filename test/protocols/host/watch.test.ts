/** Does a host's own traffic tell what it is, once, and is hostile text in it harmless? */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LINUX, WINDOWS_10, WINDOWS_7, WINDOWS_XP, Conversation, type Stack } from '../../../fixtures/build/conversation.ts'
import { be16, bytes, le16, le32 } from '../../../fixtures/build/bytes.ts'
import { ACK, SYN, tcpFrame, u8, udpFrame, type WireFrame } from '../../../fixtures/build/frames.ts'
import { Random } from '../../../fixtures/build/random.ts'
import { Timeline } from '../../../fixtures/build/timeline.ts'
import type { EventOf } from '../../../protocols/events.ts'
import { SYSTEMS } from '../../../protocols/host/systems.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { START, decode } from '../contract/wire.ts'

type Told = EventOf<'host'>

const hosts = (wire: Iterable<WireFrame>): Told[] => decode(wire).events.filter((event) => event.kind === 'host')
const A = '10.0.0.5'
const B = '10.0.0.9'
let clock = START
const tcp = (payload: Uint8Array, from = A, to = B, sport = 50_000, dport = 445): WireFrame =>
  tcpFrame({ src: from, dst: to, sport, dport, at: (clock += 1000), seq: 1, ack: 1, flags: ACK, payload })
const udp = (payload: Uint8Array, from: string, to: string, sport: number, dport: number): WireFrame => udpFrame({ src: from, dst: to, sport, dport, at: (clock += 1000), payload })
const families = (told: readonly Told[], ip = A): (string | undefined)[] => told.filter((t) => t.ip === ip && t.os !== null).map((t) => t.os!.family)
const names = (told: readonly Told[]): [string, string | null][] => told.filter((t) => t.hostname !== null).map((t) => [t.ip, t.hostname])

/** Connections opened by a host of this system. */
function opened(stack: Stack, times = 1): WireFrame[] {
  const timeline = new Timeline()
  for (let i = 0; i < times; i++) {
    const talk = new Conversation(timeline, {
      client: { ip: A, mac: '02:00:00:00:00:05', stack, hops: 1 }, server: { ip: B, mac: '02:00:00:00:00:09', stack: LINUX }, clientPort: 50_000 + i, serverPort: 104,
      at: START + i * 1_000_000, random: new Random(`host ${i}`),
    })
    talk.open()
    talk.close('client')
  }
  return timeline.drain()
}

const syn = (options: Uint8Array, window: number, ttl: number, more: { flags?: number; port?: number } = {}): WireFrame =>
  tcpFrame({ src: A, dst: B, sport: more.port ?? 50_000, dport: 104, at: (clock += 1000), seq: 1, flags: more.flags ?? SYN, window, options, ttl })

describe('the handshake', () => {
  test.each([
    ['Windows XP', WINDOWS_XP, 'windows-xp', '2015-07-14'], ['Windows 7', WINDOWS_7, 'windows-7', '2023-10-10'],
    ['Windows 10', WINDOWS_10, 'windows-10', null], ['Linux', LINUX, 'linux-5', null],
  ] as const)('does a SYN of %s tell its system and end of life?', (_, stack, family, eol) => {
    const told = hosts(opened(stack)).filter((t) => t.ip === A)
    expect(told).toMatchObject([{ os: { family, eol }, hostname: null, confidence: 'medium' }])
    expect(told[0]!.os!.evidence).toContain(`window ${stack.synWindow}`)
  })

  test('is it told once, however many connections are opened?', () => {
    expect(hosts(opened(WINDOWS_7, 50)).filter((t) => t.ip === A)).toHaveLength(1)
  })

  test('is an old Linux told by its window, and an embedded stack by its lack of options?', () => {
    const linux = u8(2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 6)
    expect(families(hosts([syn(linux, 5840, 64)]))).toEqual(['linux-2.6'])
    expect(families(hosts([syn(u8(2, 4, 5, 0xB4), 8192, 64)]))).toEqual(['embedded'])
  })

  test('is nothing claimed of a handshake that nothing known makes?', () => {
    expect(hosts([syn(u8(254, 4, 1, 2), 777, 64)])).toEqual([])
    expect(hosts([syn(u8(2, 0, 2, 255), 8192, 128)])).toEqual([])
  })

  test('is a host told of again when its system changes, and not without end?', () => {
    const xp = u8(2, 4, 5, 0xB4, 1, 1, 4, 2)
    const ten = u8(2, 4, 5, 0xB4, 1, 3, 3, 8, 1, 1, 4, 2)
    const changing = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? syn(xp, 65_535, 128, { port: 2000 + i }) : syn(ten, 64_240, 128, { port: 2000 + i })))
    const told = hosts(changing)
    expect(families(told).slice(0, 3)).toEqual(['windows-xp', 'windows-10', 'windows-xp'])
    expect(told).toHaveLength(LIMITS.host.claims)
  })

  test('is the system of a host on the Internet nobody’s business?', () => {
    expect(hosts([tcpFrame({ src: '93.184.215.14', dst: B, sport: 1, dport: 2, at: START, flags: SYN, window: 64_240, options: u8(2, 4, 5, 0xB4, 1, 3, 3, 8, 1, 1, 4, 2), ttl: 118 })])).toEqual([])
  })
})

const smb1 = (dialects: string, flags = 0x18): Uint8Array => bytes('\0\0\0\x60', '\xFFSMB\x72', new Uint8Array(4), flags, new Uint8Array(22), 0, le16(dialects.length), dialects)
/** SMB 1 session setup: words, then bytes with the strings from an even place on where they are wide. */
const session = (words: Uint8Array, before: Uint8Array, strings: string[], { reply = false, wide = true } = {}): Uint8Array => {
  const pad = wide && (33 + words.length + 2 + before.length) % 2 === 1 ? 1 : 0
  const data = bytes(before, new Uint8Array(pad), ...strings.map((text) => Buffer.from(`${text}\0`, wide ? 'utf16le' : 'latin1')))
  return bytes('\0\0\0\xC0', '\xFFSMB\x73', new Uint8Array(4), reply ? 0x98 : 0x18, le16(wide ? 0x8000 : 0), new Uint8Array(20), words.length / 2, words, le16(data.length), data)
}
const withBlob = (blob: number): Uint8Array => bytes(new Uint8Array(14), le16(blob), new Uint8Array(8))
const withPasswords = (oem: number, unicode: number): Uint8Array => bytes(new Uint8Array(14), le16(oem), le16(unicode), new Uint8Array(8))
const smb2 = (...dialects: number[]): Uint8Array => bytes(
  '\0\0\0\x90', '\xFESMB', le16(64), new Uint8Array(6), le16(0), le16(1), le32(0), new Uint8Array(44),
  le16(36), le16(dialects.length), new Uint8Array(32), ...dialects.map(le16))
const ntlm = (major: number, minor: number, build: number): Uint8Array => bytes(
  '\0\0\0\x90', '\xFESMB', new Uint8Array(80), 'NTLMSSP\0', le32(1), le32(0x0200_0000), new Uint8Array(16), major, minor, le16(build), new Uint8Array(16))
const challenge = (name: string): Uint8Array => {
  const wide = Buffer.from(name, 'utf16le')
  return bytes('\0\0\0\xFF', '\xFESMB', new Uint8Array(60), 'NTLMSSP\0', le32(2), new Uint8Array(8), le32(0), new Uint8Array(16), le16(wide.length + 8), le16(wide.length + 8), le32(56), new Uint8Array(8),
    le16(1), le16(wide.length), wide, le16(0), le16(0))
}

describe('SMB', () => {
  test.each([
    ['SMB 1 only', smb1('\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0'), ['windows-xp']],
    ['SMB 1 with 2 beside it', smb1('\x02NT LM 0.12\0\x02SMB 2.002\0'), []],
    ['dialects of Windows 7', smb2(0x0202, 0x0210), ['windows-7']],
    ['dialects of Windows 10', smb2(0x0202, 0x0210, 0x0300, 0x0302, 0x0311), ['windows-10']],
    ['NTLM of Windows 7', ntlm(6, 1, 7601), ['windows-7']],
    ['a session of Windows XP, which names 2002', session(withBlob(5), new Uint8Array(5), ['Windows 2002 Service Pack 3 2600', 'Windows 2002 5.1']), ['windows-xp']],
    ['a session of Windows 7 with names of an account', session(withPasswords(24, 24), new Uint8Array(48), ['someone', 'DOMAIN', 'Windows 7 Professional 7601 Service Pack 1', 'LAN']), ['windows-7']],
    ['an answer of Server 2003 in single bytes', session(new Uint8Array(6), new Uint8Array(0), ['Windows Server 2003 3790 Service Pack 2', 'x'], { reply: true, wide: false }), ['windows-xp']],
    ['an answer of Server 2012 R2 behind a security blob', session(bytes(new Uint8Array(6), le16(9)), new Uint8Array(9), ['Windows Server 2012 R2 Standard 9600', 'x'], { reply: true }), ['windows-8']],
    ['an answer of Samba', session(new Uint8Array(6), new Uint8Array(0), ['Unix', 'Samba 4.17'], { reply: true }), ['linux']],
    ['a session whose string is cut off before it begins', session(withBlob(400), new Uint8Array(5), ['Windows 7']), []],
    ['NTLM of Samba', ntlm(6, 1, 0), []],
    ['NTLM of Server 2019', ntlm(10, 0, 17763), ['windows-10']],
  ])('does %s say what it should?', (_, payload, expected) => {
    expect(families(hosts([tcp(payload)]))).toEqual(expected)
  })

  test('does a session tell nothing of who logs in, and nothing odd?', () => {
    const told = hosts([tcp(session(withPasswords(1, 0), new Uint8Array(1), ['DOE^JANE', 'WARD7', 'Windows 7 \u202e<script>=1+1', 'x']))])
    expect(JSON.stringify(told)).not.toMatch(/DOE|WARD7|[<=\u202e]/)
    expect(told[0]!.os!.evidence).toContain('Windows 7 ??script')
  })

  // A release that was an enablement package says the build of the one it enables; scanners run the long-term editions.
  test.each([
    [19041, '2032-01-13'], [19045, '2025-10-14'], [18363, '2022-05-10'], [14393, '2027-01-12'], [22000, '2024-10-08'], [22621, '2026-11-10'], [26100, '2034-11-14'], [65_000, null], [11_000, null],
  ])('is the end of life of build %i that of the longest-lived system that says it?', (build, eol) => {
    expect(hosts([tcp(ntlm(10, 0, build))])).toMatchObject([{ os: { eol } }])
  })

  test('does a challenge name its computer?', () => {
    expect(names(hosts([tcp(challenge('CT-ROOM-2'))]))).toEqual([[A, 'CT-ROOM-2']])
  })
})

test('has each end of life a date and a page where it is published?', () => {
  for (const { name, eol, source } of Object.values(SYSTEMS)) {
    if (eol === null) continue
    expect(new Date(eol).toISOString().slice(0, 10), name).toBe(eol)
    expect(source, name).toMatch(/^https:\/\//)
  }
})

describe('banners', () => {
  test.each([
    ['SSH-2.0-OpenSSH_7.4p1 Debian-10+deb9u7\r\n', ['Debian 9']],
    ['HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/7.5\r\n\r\n', ['Windows 7 or Server 2008 R2']],
    ['GET / HTTP/1.1\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)\r\n\r\n', ['Windows XP']],
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\nUser-Agent: Windows NT 5.1\r\n', []],
    ['POST nothing at all', []],
  ])('what does %j say?', (text, expected) => {
    const told = hosts([tcp(Buffer.from(text, 'latin1'))])
    expect(told.map((t) => t.os?.name)).toEqual(expected)
  })

  test('does the name of a patient in a User-Agent stay where it is?', () => {
    const told = hosts([tcp(Buffer.from('GET / HTTP/1.1\r\nUser-Agent: Viewer (Windows NT 6.1; DOE^JANE)\r\n\r\n', 'latin1'))])
    expect(JSON.stringify(told)).not.toContain('DOE')
  })
})

const label = (...parts: string[]): Uint8Array => bytes(...parts.flatMap((part) => [part.length, part]), 0)
const answer = (asked: Uint8Array, ip: number[], type = 1): Uint8Array =>
  bytes(be16(7), be16(0x8180), be16(1), be16(1), be16(0), be16(0), asked, be16(type), be16(1), be16(0xC00C), be16(type), be16(1), new Uint8Array(4), be16(ip.length), Uint8Array.from(ip))
const encoded = (name: string, use: number): string =>
  [...Buffer.from(name.padEnd(15) + String.fromCharCode(use), 'latin1')].map((c) => String.fromCharCode(65 + (c >> 4), 65 + (c & 15))).join('')
const dhcp = (op: number, options: Uint8Array): Uint8Array =>
  bytes(op, 1, 6, 0, new Uint8Array(24), Uint8Array.of(2, 0, 0, 0, 0, 0x2A), new Uint8Array(202), '\x63\x82\x53\x63', options, 255)

describe('names', () => {
  test('does a DNS answer name the host of the address, and the first name stay?', () => {
    const told = hosts([udp(answer(label('pacs', 'hospital', 'example'), [10, 0, 0, 9]), '10.0.0.53', A, 53, 40_000), udp(answer(label('other', 'example'), [10, 0, 0, 9]), '10.0.0.53', A, 53, 40_001)])
    expect(names(told)).toEqual([[B, 'pacs.hospital.example']])
  })

  test('is mDNS believed of the sender alone?', () => {
    const own = bytes(be16(0), be16(0x8400), be16(0), be16(1), be16(0), be16(0), label('ct1', 'local'), be16(1), be16(0x8001), new Uint8Array(4), be16(4), Uint8Array.of(10, 0, 0, 5))
    expect(names(hosts([udp(own, A, '224.0.0.251', 5353, 5353)]))).toEqual([[A, 'ct1.local']])
    expect(names(hosts([udp(own, B, '224.0.0.251', 5353, 5353)]))).toEqual([])
  })

  test('does a NetBIOS registration name its host?', () => {
    const question = label(encoded('WS-READ-07', 0x20))
    const request = bytes(be16(9), be16(0x2910), be16(1), be16(0), be16(0), be16(1), question, be16(0x20), be16(1), be16(0xC00C), be16(0x20), be16(1), new Uint8Array(4), be16(6), be16(0), Uint8Array.of(10, 0, 0, 5))
    expect(names(hosts([udp(request, A, '10.0.0.255', 137, 137)]))).toEqual([[A, 'WS-READ-07']])
  })

  test('does a DHCP request tell name, hardware address and system?', () => {
    const list = [1, 15, 3, 6, 44, 46, 47, 31, 33, 249, 43]
    const request = dhcp(1, bytes(53, 1, 3, 50, 4, Uint8Array.of(10, 0, 0, 5), 12, 3, 'US2', 60, 8, 'MSFT 5.0', 55, list.length, Uint8Array.from(list)))
    const told = hosts([udp(request, '0.0.0.0', '255.255.255.255', 68, 67)])
    expect(names(told)).toEqual([[A, 'US2']])
    expect(families(told)).toEqual(['windows-xp'])
    expect(told.map((t) => t.mac)).toEqual(['02:00:00:00:00:2a', '02:00:00:00:00:2a'])
  })

  test('do control characters, markup and formulas of a name become question marks?', () => {
    const request = (name: string): WireFrame => udp(dhcp(1, bytes(50, 4, Uint8Array.of(10, 0, 0, 5), 12, name.length, name)), '0.0.0.0', '255.255.255.255', 68, 67)
    expect(names(hosts([request('<b>\x1b[31m"x"\r\n=1')]))).toEqual([[A, '?b???31m?x????1']])
  })
})

describe('anything at all', () => {
  test('do random bytes at every door raise nothing and stay within the cap?', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(53, 5353, 137, 67, 445), fc.constantFrom('', '\0\0\0\x60\xFFSMB', '\0\0\0\x60\xFESMB', 'SSH-2.0-', 'GET / HTTP/1.1\r\nUser-Agent: '), (payload, port, head) => {
      const { decoder, events } = decode([udp(payload, A, B, port, port), tcp(bytes(head, payload))])
      expect(decoder.application.failed).toBe(0)
      for (const event of events) if (event.kind === 'host') expect(event.hostname ?? '').toMatch(/^[\w.?-]{0,64}$/)
    }), { numRuns: 300 })
  })
})
