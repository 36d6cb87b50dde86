import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConversationTable, ESTABLISHED, HALF_OPEN } from '../../../protocols/tcp/table.ts'
import { datagram, packet } from './talk.ts'

describe('finding', () => {
  test('is a packet of either direction the same conversation, and one of another transport not?', () => {
    const table = new ConversationTable(10)
    expect(table.find(packet({ src: 5, dst: 9, sport: 1, dport: 2 }))).toBe(-1)
    const slot = table.add(packet({ src: 5, dst: 9, sport: 1, dport: 2 }), HALF_OPEN)
    expect(table.find(packet({ src: 9, dst: 5, sport: 2, dport: 1 }))).toBe(slot)
    expect(table.fromLower).toBe(false)
    expect(table.find(packet({ src: 5, dst: 9, sport: 2, dport: 1 }))).toBe(-1)
    expect(table.find(datagram({ src: 5, dst: 9, sport: 1, dport: 2 }))).toBe(-1)
  })

  test('are both ends on one host told apart by port?', () => {
    const table = new ConversationTable(10)
    table.find(packet({ src: 5, dst: 5, sport: 9, dport: 2 }))
    const slot = table.add(packet({ src: 5, dst: 5, sport: 9, dport: 2 }), HALF_OPEN)
    expect(table.find(packet({ src: 5, dst: 5, sport: 2, dport: 9 }))).toBe(slot)
    expect([table.endpoint(slot, true).port, table.endpoint(slot, false).port]).toEqual([2, 9])
  })

  test('does it agree with a map, whatever is added and removed?', () => {
    const key = fc.record({ src: fc.nat(3), dst: fc.nat(3), sport: fc.nat(3), dport: fc.nat(3) })
    fc.assert(fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 4000, minLength: 1 }), (steps) => {
      const table = new ConversationTable(1 << 20)
      const model = new Map<string, number>()
      for (const [fields, isRemoval] of steps) {
        const made = packet(fields)
        const ends = [`${fields.src}.${fields.sport}`, `${fields.dst}.${fields.dport}`].sort().join()
        const found = table.find(made)
        expect(found).toBe(model.get(ends) ?? -1)
        if (found < 0) model.set(ends, table.add(made, HALF_OPEN))
        else if (isRemoval) {
          table.remove(found)
          model.delete(ends)
        }
        expect(table.size).toBe(model.size)
      }
    }), { numRuns: 30 })
  })
})

describe('order', () => {
  const filled = (count: number): ConversationTable => {
    const table = new ConversationTable(5000)
    for (let i = 0; i < count; i++) {
      table.find(packet({ src: i }))
      table.add(packet({ src: i }), HALF_OPEN)
    }
    return table
  }

  test('is the victim of the lowest class, and of that the one unused for longest?', () => {
    const table = filled(3000)
    table.move(0, ESTABLISHED)
    table.touch(1)
    expect(table.victim()).toBe(2)
    for (let slot = 2999; slot > 0; slot--) table.remove(slot)
    expect(table.victim()).toBe(0)
    table.remove(0)
    expect(table.victim()).toBe(-1)
  })
})

describe('hash flooding (R8)', () => {
  const cost = (keys: readonly { src: number; sport: number }[]): number => {
    const packets = keys.map((k) => packet(k))
    let best = Infinity
    for (let round = 0; round < 3; round++) {
      const table = new ConversationTable(1 << 18)
      const before = process.cpuUsage().user
      for (const made of packets) if (table.find(made) < 0) table.add(made, HALF_OPEN)
      best = Math.min(best, process.cpuUsage().user - before)
    }
    return best
  }

  test('do chosen addresses and ports cost no more than random ones?', () => {
    const count = 1 << 15
    let state = 1
    const random = (): number => (state = Math.imul(state, 1664525) + 1013904223) >>> 0
    const usual = cost(Array.from({ length: count }, () => ({ src: random(), sport: random() & 0xFFFF })))
    // Bits that simple hashes lose: only high ones differ; two fields whose sum, difference or exclusive or is constant.
    const chosen = {
      high: Array.from({ length: count }, (_, i) => ({ src: i << 17, sport: 1 })),
      sum: Array.from({ length: count }, (_, i) => ({ src: 0x0A000000 - i, sport: i })),
      xor: Array.from({ length: count }, (_, i) => ({ src: i, sport: i ^ 0x5555 })),
      multiple: Array.from({ length: count }, (_, i) => ({ src: Math.imul(i, 0x9E3779B1) >>> 0, sport: 1 })),
    }
    for (const [name, keys] of Object.entries(chosen)) expect(cost(keys), name).toBeLessThan(usual * 4 + 20_000)
  })
})
