import fc from 'fast-check'
import { isIPv4, isIPv6 } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ipBytes } from '../../../fixtures/build/frames.ts'
import { ipText, isPublic, isPublicWords, kindOf, macText, parseIp } from '../../../protocols/net/address.ts'

const words = (...values: number[]): Uint32Array => Uint32Array.from(values)

// RFC 5952 section 4 and 5.
test.each([
  ['10.0.0.1', words(0, 0, 0xFFFF, 0x0A000001)],
  ['255.255.255.255', words(0, 0, 0xFFFF, 0xFFFFFFFF)],
  ['::', words(0, 0, 0, 0)],
  ['::1', words(0, 0, 0, 1)],
  ['2001:db8::1', words(0x20010DB8, 0, 0, 1)],
  ['2001:db8::1:0:0:1', words(0x20010DB8, 0, 0x00010000, 1)],
  ['2001:db8:0:1:1:1:1:1', words(0x20010DB8, 1, 0x00010001, 0x00010001)],
  ['2001:0:0:1::1', words(0x20010000, 1, 0, 1)],
  ['fe80::', words(0xFE800000, 0, 0, 0)],
  ['1:2:3:4:5:6:7:8', words(0x00010002, 0x00030004, 0x00050006, 0x00070008)],
  ['abcd:ef01:2345:6789:abcd:ef01:2345:6789', words(0xABCDEF01, 0x23456789, 0xABCDEF01, 0x23456789)],
])('is %s written as RFC 5952 says?', (text, address) => {
  expect(ipText(address)).toBe(text)
  expect(parseIp(text)).toEqual(address)
})

test('does text name the same address as the words it was made of?', () => {
  fc.assert(fc.property(fc.uint32Array({ minLength: 4, maxLength: 4 }), fc.nat(255), (address, zeros) => {
    // Zero groups are what the short form is about, so there shall be many.
    for (let i = 0; i < 8; i++) if (zeros >> i & 1) address[i >> 1]! &= i & 1 ? 0xFFFF0000 : 0x0000FFFF
    const text = ipText(address)
    expect(isIPv4(text) || isIPv6(text)).toBe(true)
    expect(parseIp(text)).toEqual(address)
    if (isIPv6(text)) expect(ipBytes(text)).toEqual(Uint8Array.from(Array.from(address).flatMap(word => [word >>> 24, word >>> 16 & 255, word >>> 8 & 255, word & 255])))
  }), { numRuns: 500 })
})

test('is text parsed exactly when it is an address?', () => {
  const pieces = fc.constantFrom('1', '0', 'ffff', '12345', '::', ':', '.', '255', '256', '10.0.0.1', 'g', '')
  fc.assert(fc.property(fc.array(pieces, { maxLength: 10 }).map(parts => parts.join('')), fc.array(pieces, { maxLength: 9 }).map(parts => parts.join(':')), (a, b) => {
    for (const text of [a, b]) {
      // Leading zeros in IPv4 are octal to some and decimal to others; Node refuses them.
      if (/(^|[.:])0\d+\./.test(text) || /\.0\d/.test(text)) continue
      expect(parseIp(text) !== null, text).toBe(isIPv4(text) || isIPv6(text))
    }
  }), { numRuns: 3000 })
})

test.each([
  ['public', ['8.8.8.8', '192.0.2.7', '198.51.100.1', '203.0.113.255', '100.63.255.255', '100.128.0.0', '172.32.0.1', '11.0.0.1', '223.255.255.255', '198.20.0.0',
    '2001:db8::1', '2607:f8b0::1', '3fff::1', '2002:0808:0808::1', '64:ff9b::8.8.8.8', '::ffff:8.8.8.8']],
  ['private', ['10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.1', '100.64.0.0', '100.127.255.255', 'fd00::1', 'fc00::', 'fec0::1', '2002:0a00:0001::1', '64:ff9b::10.0.0.1', '::ffff:10.0.0.1']],
  ['local', ['127.0.0.1', '169.254.1.1', '0.0.0.0', '::', '::1', 'fe80::1', 'febf::1']],
  ['multicast', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
  ['reserved', ['240.0.0.1', '198.18.0.1', '198.19.255.255', '192.0.0.8', '4000::1', '::2', '100::1', 'fe00::1']],
] as const)('are %s addresses told as such?', (kind, addresses) => {
  for (const address of addresses) {
    expect(kindOf(parseIp(address)!), address).toBe(kind)
    expect(isPublic(address)).toBe(kind === 'public')
    const pair = new Uint32Array(8)
    pair.set(parseIp(address)!, 4)
    expect(isPublicWords(pair, 4)).toBe(kind === 'public')
  }
})

test('is what is no address not public?', () => {
  for (const text of ['', 'pacs', '1.2.3', '1.2.3.4.5', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '::1.2.3.400', '8.8.8.8 ']) {
    expect(parseIp(text)).toBeNull()
    expect(isPublic(text)).toBe(false)
  }
})

describe('MAC addresses', () => {
  test.each([[0x0200_0000_0001, '02:00:00:00:00:01'], [0, '00:00:00:00:00:00'], [0xFFFF_FFFF_FFFF, 'ff:ff:ff:ff:ff:ff']])('is %d written as text?', (mac, text) => {
    expect(macText(mac)).toBe(text)
  })

  test('is none null?', () => {
    expect(macText(-1)).toBeNull()
  })
})
