import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventSpool, type EventBatch } from '../../../src/store/event-spool.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'wardwire-spool-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const batch = (from: number, count = 3, text = (n: number): string => `{"kind":"flow","n":${n},"say":"one line, and spaces"}`): EventBatch => ({
  site: 'St. Mary', mark: { sensor: 'ward 3', source: 'eth1', stream: 'abc' },
  events: Array.from({ length: count }, (_, i) => ({ n: from + i, text: text(from + i) })),
})
/** As many bytes on disk as in memory. */
const noise = (): string => randomBytes(50_000).toString('base64')

/** Takes all there is. @returns the numbers of the events, in order */
function drained(spool: EventSpool): number[] {
  const numbers: number[] = []
  for (let one = spool.next(); one !== undefined; one = spool.next()) {
    numbers.push(...one.events.map(({ n }) => n))
    spool.forget()
  }
  return numbers
}

describe('events that wait on disk', () => {
  test('do they come back as they were, in order, what was put in front first, also after the program was started again?', async () => {
    const first = new EventSpool(folder, 10_000_000)
    first.put(batch(10))
    first.put(batch(20))
    expect(first.next()).toEqual(batch(10))
    // It was not forgotten, so it is the next again.
    expect(first.next()).toEqual(batch(10))
    first.forget()
    first.put(batch(5), true)
    first.put(batch(2), true)
    await first.close()
    const second = new EventSpool(folder, 10_000_000)
    expect(second.events).toBe(9)
    second.put(batch(30))
    expect(drained(second)).toEqual([2, 3, 4, 5, 6, 7, 20, 21, 22, 30, 31, 32])
    expect({ events: second.events, bytes: second.bytes }).toEqual({ events: 0, bytes: 0 })
    await second.close()
  })

  test('do the oldest make room beyond the bound, counted, but not the one being sent, and does the file stay near the bound?', async () => {
    const spool = new EventSpool(folder, 1_000_000)
    for (let n = 0; n < 10; n++) spool.put(batch(n, 1, noise))
    expect(spool.next()!.events[0]!.n).toBe(0)
    for (let n = 10; n < 200; n++) spool.put(batch(n, 1, noise))
    expect(spool.bytes).toBeLessThanOrEqual(1_000_000)
    const held = spool.events
    expect(spool.lost).toEqual({ shed: 200 - held, corrupt: 0 })
    spool.forget()
    expect(drained(spool)).toEqual(Array.from({ length: held - 1 }, (_, i) => 200 - held + 1 + i))
    expect(statSync(join(folder, 'events.mdb')).size).toBeLessThan(2_000_000)
    await spool.close()
  })

  test('R18: is a damaged batch counted, and passed over?', async () => {
    const spool = new EventSpool(folder, 10_000_000)
    for (let n = 0; n < 5; n++) spool.put(batch(n, 1, noise))
    await spool.close()
    const file = join(folder, 'events.mdb')
    const bytes = readFileSync(file)
    // Every value takes pages of its own and begins as gzip does: a bit in the middle of the third.
    let at = 0
    for (let found = 0; found < 3; found++) at = bytes.indexOf(Buffer.from([0x1f, 0x8b, 0x08]), at + 1)
    bytes[at + 20_000]! ^= 1
    writeFileSync(file, bytes)
    const again = new EventSpool(folder, 10_000_000)
    expect(drained(again)).toHaveLength(4)
    expect(again.lost.corrupt).toBe(1)
    expect(again.events).toBe(0)
    await again.close()
  })

  test('is a folder that is none refused with a clear line?', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => new EventSpool(join(folder, 'file'), 1_000_000)).toThrow(/cannot keep events in/)
  })
})
