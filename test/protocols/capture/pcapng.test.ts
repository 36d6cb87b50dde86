import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hex, join, u16, u32, u8, type WireFrame } from '../../../fixtures/build/frames.ts'
import {
  block, enhancedPacket, fcslen, interfaceDescription, obsoletePacket, pcapFile, pcapngFile, sectionHeader, simplePacket, tsoffset, tsresol, tsresolBinary,
} from '../../../fixtures/build/pcap-writer.ts'
import { microsOf } from '../../../protocols/capture/pcapng.ts'
import { readAll } from './read-all.ts'

const AT = Date.UTC(2026, 2, 1, 8) * 1000 + 123_456
const frame = (text: string, at = AT, more: Partial<WireFrame> = {}): WireFrame => ({ bytes: hex(text), at, ...more })
const LINUX_NAME = { code: 2, value: Buffer.from('eth0') }

const ORDERS = [['little-endian', { bigEndian: false }], ['big-endian', { bigEndian: true }]] as const

describe.each(ORDERS)('%s', (_name, order) => {
  const head = join(sectionHeader({ ...order, options: [{ code: 4, value: Buffer.from('a sensor') }] }), interfaceDescription({ ...order, options: [LINUX_NAME] }))

  test('are enhanced packets read, also sliced ones and ones with options?', () => {
    const file = join(head, enhancedPacket(frame('010203'), { ...order, options: [{ code: 1, value: Buffer.from('a comment') }] }), enhancedPacket(frame('aabb', AT + 1, { wireLength: 99 }), order))
    expect(readAll(file)).toEqual({
      frames: [{ hex: '010203', wireLength: 3, at: AT, linkType: 1, interfaceId: 0 }, { hex: 'aabb', wireLength: 99, at: AT + 1, linkType: 1, interfaceId: 0 }],
      problem: null,
    })
  })

  test('are obsolete packets read?', () => {
    expect(readAll(join(head, obsoletePacket(frame('0102030405', AT, { wireLength: 60 }), { ...order, drops: 3 })))).toEqual({
      frames: [{ hex: '0102030405', wireLength: 60, at: AT, linkType: 1, interfaceId: 0 }], problem: null,
    })
  })

  test('does a simple packet take the time known last?', () => {
    const file = join(head, simplePacket(frame('01'), order), enhancedPacket(frame('02'), order), simplePacket(frame('030303', 0, { wireLength: 3 }), order))
    expect(readAll(file).frames.map(({ hex: bytes, at }) => [bytes, at])).toEqual([['01', 0], ['02', AT], ['030303', AT]])
  })

  test('is a simple packet cut by the snap length of its interface told from its padding?', () => {
    const file = join(sectionHeader(order), interfaceDescription({ ...order, snapLength: 5 }), simplePacket(frame('0102030405', 0, { wireLength: 1500 }), order))
    expect(readAll(file).frames).toMatchObject([{ hex: '0102030405', wireLength: 1500 }])
  })

  test('are blocks that carry no packets skipped, however large?', () => {
    const noise = [block(4, new Uint8Array(20), order), block(5, new Uint8Array(64), order), block(0xBAD, join(u32(1), new Uint8Array(9)), order), block(0x40000BAD, new Uint8Array(900_000), order)]
    const file = join(head, ...noise, enhancedPacket(frame('0102'), order), ...noise)
    for (const chunk of [100, 4096, file.length]) expect(readAll(file, [chunk])).toMatchObject({ frames: [{ hex: '0102' }], problem: null })
  })

  test('is an FCS taken off, as the interface or the packet says?', () => {
    const byInterface = join(sectionHeader(order), interfaceDescription({ ...order, options: [fcslen(4)] }), enhancedPacket(frame('0102 ffffffff'), order))
    const flags = order.bigEndian ? u32(4 << 5) : u32(4 << 5).reverse()
    const byPacket = join(head, enhancedPacket(frame('0102 ffffffff'), { ...order, options: [{ code: 1, value: u8(65) }, { code: 2, value: flags }] }))
    for (const file of [byInterface, byPacket]) expect(readAll(file).frames).toMatchObject([{ hex: '0102', wireLength: 2 }])
  })

  test.each([
    ['milliseconds', tsresol(3), 1e3], ['microseconds', tsresol(6), 1e6], ['nanoseconds', tsresol(9), 1e9], ['picoseconds', tsresol(12), 1e12],
    ['2^-10 s', tsresolBinary(10), 2 ** 10], ['2^-20 s', tsresolBinary(20), 2 ** 20], ['2^-32 s', tsresolBinary(32), 2 ** 32], ['seconds', tsresol(0), 1],
  ])('are times in %s told in microseconds?', (_unit, option, ticks) => {
    const at = Date.UTC(2026, 2, 1, 8) * 1000 + 500_000 * Number(ticks > 1)
    // 64 bits of picoseconds end in 1970, so fine clocks count from an offset.
    const offset = ticks > 1e9 ? 1_772_000_000 : 0
    const file = join(sectionHeader(order), interfaceDescription({ ...order, options: [option, tsoffset(offset, order)] }), enhancedPacket(frame('01', at), { ...order, ticks, offset }))
    expect(readAll(file).frames[0]!.at).toBe(at)
  })

  test.each([-3600, 0, 1_700_000_000])('is the offset of %d seconds added?', (offset) => {
    const file = join(sectionHeader(order), interfaceDescription({ ...order, options: [tsresol(9), tsoffset(offset, order)] }), enhancedPacket(frame('01'), { ...order, ticks: 1e9, offset }))
    expect(readAll(file).frames[0]!.at).toBe(AT)
  })
})

test('does each section have its own byte order and interfaces?', () => {
  const file = join(
    sectionHeader(), interfaceDescription({ linkType: 1 }), interfaceDescription({ linkType: 113, options: [tsresol(9)] }),
    enhancedPacket(frame('01', AT, { interfaceId: 1 }), { ticks: 1e9 }), enhancedPacket(frame('02', AT + 1)),
    sectionHeader({ bigEndian: true }), interfaceDescription({ linkType: 101, bigEndian: true }), enhancedPacket(frame('03', AT + 2), { bigEndian: true }),
    pcapngFile([frame('04', AT + 3)], { linkType: 276 }),
  )
  expect(readAll(file)).toEqual({
    frames: [[`01`, 113, 1], ['02', 1, 0], ['03', 101, 0], ['04', 276, 0]].map(([bytes, linkType, interfaceId], i) => ({ hex: bytes, wireLength: 1, at: AT + i, linkType, interfaceId })),
    problem: null,
  })
})

test('does a time no calendar can write keep the last good one?', () => {
  const file = join(sectionHeader(), interfaceDescription({}), enhancedPacket(frame('01')), enhancedPacket(frame('02', 4e17)), interfaceDescription({ options: [tsoffset(-4e9)] }), enhancedPacket(frame('03', 1, { interfaceId: 1 })))
  expect(readAll(file).frames.map(({ at }) => at)).toEqual([AT, AT, AT])
})

test('is the same instant the same number in every format?', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 3_999_999 }), (seconds, quarters) => {
    const at = seconds * 1e6 + quarters / 4
    const nanos = pcapFile([frame('01', at)], { nanos: true })
    const ng = join(sectionHeader(), interfaceDescription({ options: [tsresol(9)] }), enhancedPacket(frame('01', at), { ticks: 1e9 }))
    const [a, b] = [readAll(nanos).frames[0]!.at, readAll(ng).frames[0]!.at]
    expect(a).toBe(b)
    expect(Math.abs(a - at)).toBeLessThan(0.26)
  }))
})

test('are 64-bit ticks divided without error?', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(1, 1e3, 1e6, 1e9, 2 ** 10, 2 ** 20, 2 ** 30), (ticks, perSecond) => {
    const exact = Number(ticks / BigInt(perSecond)) * 1e6 + Number(ticks % BigInt(perSecond)) * 1e6 / perSecond
    const got = microsOf(Number(ticks >> 32n), Number(ticks & 0xFFFFFFFFn), perSecond)
    expect(Math.abs(got - exact)).toBeLessThanOrEqual(exact * 2 ** -52)
  }))
})

describe('what is broken', () => {
  const head = join(sectionHeader(), interfaceDescription({}), enhancedPacket(frame('01')))
  test.each([
    ['a block length of 0', join(u32(6).reverse(), u32(0)), 'claims 0 bytes'],
    ['a block length below its own frame', join(u32(0xBAD).reverse(), u32(8).reverse()), 'claims 8 bytes'],
    ['a block length that is no multiple of 4', block(6, new Uint8Array(40), { total: 53 }), 'claims 53 bytes'],
    ['a packet block of 4 GB', join(u32(6).reverse(), u32(0xFFFFFFFC).reverse()), 'claims 4294967292 bytes'],
    ['two lengths that differ', join(block(6, new Uint8Array(40)).subarray(0, 48), u32(56).reverse()), 'lengths of a block differ'],
    ['a packet longer than its block', block(6, join(new Uint8Array(12), u32(1000).reverse(), u32(1000).reverse(), new Uint8Array(8))), 'more than its block has'],
    ['a packet of 4 GB in a small block', block(6, join(new Uint8Array(12), u32(0xFFFFFFFF), u32(0xFFFFFFFF))), 'more than its block has'],
    ['an obsolete packet longer than its block', block(2, join(new Uint8Array(12), u32(1000).reverse(), u32(1000).reverse(), new Uint8Array(8))), 'more than its block has'],
    ['a packet block too short', block(6, new Uint8Array(16)), 'too short'],
    ['a packet of an unknown interface', enhancedPacket(frame('02', AT, { interfaceId: 7 })), 'interface 7'],
    ['a section without byte-order magic', block(0x0A0D0D0A, new Uint8Array(16)), 'byte-order magic'],
    ['an interface description too short', block(1, new Uint8Array(4)), 'too short'],
  ])('does %s stop the file, and the frames before it count?', (_name, broken, reason) => {
    const { frames, problem } = readAll(join(head, broken, new Uint8Array(64)))
    expect(frames.length).toBe(1)
    expect(problem).toMatchObject({ kind: 'corrupt', text: expect.stringContaining(`at byte ${head.length}`) as string })
    expect(problem!.text).toContain(reason)
  })

  test('is another major version refused?', () => {
    expect(readAll(join(sectionHeader({ version: [2, 0] }), new Uint8Array(20))).problem).toEqual({ kind: 'unsupported', text: 'pcapng version 2.0 is not supported' })
  })

  test('does a skipped block that is cut off say so?', () => {
    expect(readAll(join(head, block(0xBAD, new Uint8Array(1000)).subarray(0, 500)))).toMatchObject({ frames: [{}], problem: { kind: 'cut' } })
  })

  test('are interfaces beyond the cap not kept?', () => {
    const many = join(sectionHeader(), ...new Array<Uint8Array>(5000).fill(interfaceDescription({})), enhancedPacket(frame('01', AT, { interfaceId: 4999 })))
    expect(readAll(many).problem!.text).toContain('interface 4999')
  })
})

const good = join(
  sectionHeader(), interfaceDescription({ options: [tsresol(9), LINUX_NAME] }), block(5, new Uint8Array(33)), enhancedPacket(frame('0102030405060708'), { ticks: 1e9 }),
  block(0xBAD, new Uint8Array(100)), simplePacket(frame('0a0b0c')), sectionHeader({ bigEndian: true }), interfaceDescription({ bigEndian: true }),
  obsoletePacket(frame('0d0e'), { bigEndian: true }), enhancedPacket(frame('0f', AT, { wireLength: 70 }), { bigEndian: true, options: [{ code: 2, value: u32(1) }] }),
)

test('does a file cut at any byte give the frames before the cut and no others?', () => {
  const whole = readAll(good).frames
  expect(whole.length).toBe(4)
  let most = 0
  for (let cut = 4; cut < good.length; cut++) {
    const { frames } = readAll(good.subarray(0, cut))
    expect(frames).toEqual(whole.slice(0, frames.length))
    expect(frames.length).toBeGreaterThanOrEqual(most)
    most = frames.length
  }
})

test('do chunks of any size give the same frames?', () => {
  const whole = readAll(good)
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 }), cuts => { expect(readAll(good, cuts)).toEqual(whole) }), { numRuns: 150 })
})

test('do changed bytes neither throw nor hang?', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 300 }), (changes, chunk) => {
    const bytes = Uint8Array.from(good)
    for (const [at, value] of changes) bytes[at] = value
    const { frames } = readAll(bytes, [chunk])
    expect(frames.every(({ at }) => at >= 0 && at < 2.6e17)).toBe(true)
    expect(frames.length).toBeLessThanOrEqual(good.length / 16)
  }), { numRuns: 500 })
})

test('do options that overrun their block end them, and nothing else?', () => {
  const body = join(u16(1).reverse(), u16(0), u32(0), u16(9).reverse(), u16(60_000).reverse())
  expect(readAll(join(sectionHeader(), block(1, body), enhancedPacket(frame('01')))).frames.length).toBe(1)
})
