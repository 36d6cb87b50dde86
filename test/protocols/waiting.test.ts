/** Many conversations that each begin something and end nothing: what waits of them is bounded together, and given back. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DicomOperation } from '../../protocols/events.ts'
import { bodyOf, type WebOperation } from '../../protocols/dicom/web/body.ts'
import { KeptBytes, type Keeper } from '../../protocols/kept-bytes.ts'
import { HeldBytes } from '../../protocols/hl7/held.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { Waiting, type Holder } from '../../protocols/waiting.ts'

describe('pieces that never end', () => {
  const ofDissectors = new KeptBytes(LIMITS.tcp.keptTotalBytes)
  const ofSegments = new HeldBytes()
  const somebody: Keeper = { drop: () => { throw new Error('nobody else wants it') } }
  test.each([['dissectors', (size: number) => ofDissectors.take(size, somebody)], ['HL7 segments', (size: number) => ofSegments.take(size)]])('does who fills what %s may keep leave room for the headers and segments of all others?', (_what, take) => {
    while (take(8192) !== null);
    expect(take(1025)).toBeNull()
    for (let i = 0; i < 1000; i++) expect(take(1024)?.length).toBeGreaterThanOrEqual(1024)
  })

  test('does what dissectors have kept for longest give way to what others need now?', () => {
    const memory = new KeptBytes(10 * 4096)
    const dropped: number[] = []
    const keepers = Array.from({ length: 12 }, (_, i): Keeper => ({ drop: (bytes) => { dropped.push(i); memory.giveBack(bytes) } }))
    for (const keeper of keepers) expect(memory.take(4096, keeper)?.length).toBe(4096)
    expect(dropped).toEqual([0, 1])
    expect(memory.used).toBe(10 * 4096)
  })
})

describe('what waits for its end', () => {
  const MIB = 2 ** 20
  const holder = (log: string[], name: string): Holder => ({ forget: () => { log.push(name) } })

  test('does whoever has not moved for longest forget, and no more of them than it takes?', () => {
    const waiting = new Waiting()
    const log: string[] = []
    const holders = Array.from({ length: 65 }, (_, i) => holder(log, `${i}`))
    for (const one of holders.slice(0, 64)) waiting.hold(one, 0, MIB, 0)
    waiting.hold(holders[0]!, MIB, MIB, 1)
    expect(log).toEqual([])
    waiting.hold(holders[64]!, 0, MIB, 2)
    expect(log).toEqual(['1'])
    expect(waiting).toMatchObject({ used: LIMITS.waitingBytes, forgotten: 1 })
  })

  test('is one that holds little left alone by a flood of those that hold much, however long it is silent?', () => {
    const waiting = new Waiting()
    const log: string[] = []
    waiting.hold(holder(log, 'honest'), 0, 6000, 0)
    for (let i = 0; i < 500; i++) waiting.hold(holder(log, 'flood'), 0, MIB / 4, i)
    expect(log).toEqual(Array.from({ length: 245 }, () => 'flood'))
  })

  test('is what ended given back?', () => {
    const waiting = new Waiting()
    const one = holder([], 'one')
    waiting.hold(one, 0, MIB, 0)
    waiting.hold(one, MIB, 3 * MIB, 0)
    waiting.hold(one, 3 * MIB, 0, 0)
    expect(waiting.used).toBe(0)
  })

  test('is a compressed body read once it is whole, however it is cut?', () => {
    const operation = { command: 'C-FIND', query: { matches: 0 }, dataset: null, web: { studies: [] } } as unknown as DicomOperation as WebOperation
    const whole = bodyOf('application/dicom+json', 'gzip', operation, new Pseudonyms(new Uint8Array(32)))!
    const packed = gzipSync('[]')
    for (let i = 0; i < packed.length; i++) whole.feed(packed, i, i + 1)
    expect(whole.holds).toBeGreaterThan(0)
    whole.end()
    expect(whole).toMatchObject({ isCut: false, holds: 0 })
  })
})
