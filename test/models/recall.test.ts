/** Who invents names must not fill the memory of the process, nor push out what real devices are used to. */
import { describe, expect, test } from 'vitest'
import { boundRecall } from '../../models/baseline/recall.ts'
import { MEMORIES, MOST_VALUES, newMemory, use, type Memory, type MemoryName } from '../../models/baseline/novelty.ts'
import { DAY } from './build.ts'

const memories = (): Record<MemoryName, Memory> => Object.fromEntries(MEMORIES.map((name) => [name, newMemory()])) as Record<MemoryName, Memory>
const learned = (memory: Memory, values: number, days: number, name = 'v'): void => {
  for (let day = 0; day < days; day++) for (let i = 0; i < values; i++) use(memory, `${name}${i}`, 1, day * DAY + i, day, 10)
}
const sizeOf = (devices: { memories: Record<MemoryName, Memory> }[]): number => devices.reduce((sum, { memories: m }) => sum + MEMORIES.reduce((n, name) => n + m[name].known.size, 0), 0)

describe('the memory of one device', () => {
  test('does a flood of new values leave what was done on several days?', () => {
    const memory = newMemory()
    learned(memory, 100, 3, 'habit')
    learned(memory, 100_000, 1, 'flood')
    expect(memory.known.size).toBeLessThanOrEqual(MOST_VALUES)
    expect([...memory.known.keys()].filter((value) => value.startsWith('habit'))).toHaveLength(100)
  })
})

describe('the memories of all devices', () => {
  test('is nothing forgotten below the cap?', () => {
    const device = { memories: memories() }
    learned(device.memories.peer, 100, 1)
    expect(boundRecall([device], 100)).toBe(0)
    expect(sizeOf([device])).toBe(100)
  })

  test('do those lose that have the most of what was seen once, and keep their habits?', () => {
    const real = { memories: memories() }
    learned(real.memories.caller, 200, 5)
    learned(real.memories.peer, 10, 1)
    const invented = Array.from({ length: 50 }, () => ({ memories: memories() }))
    for (const { memories: m } of invented) learned(m.contact, 100, 1)
    const gone = boundRecall([real, ...invented], 1600)
    expect(sizeOf([real, ...invented])).toBe(5210 - gone)
    expect(sizeOf([real, ...invented])).toBeLessThanOrEqual(1500)
    expect(sizeOf([real, ...invented])).toBeGreaterThan(1400)
    expect(real.memories.caller.known.size).toBe(200)
    expect(real.memories.peer.known.size).toBe(10)
  })

  test('where habits alone are too many, do the largest memories lose those unused for longest?', () => {
    const [large, small] = [{ memories: memories() }, { memories: memories() }]
    learned(large.memories.caller, 400, 4)
    learned(small.memories.caller, 20, 4)
    boundRecall([large, small], 160)
    expect(small.memories.caller.known.size).toBe(20)
    expect(large.memories.caller.known.size).toBeLessThanOrEqual(130)
    expect(large.memories.caller.known.has('v399')).toBe(true)
    expect(large.memories.caller.known.has('v0')).toBe(false)
  })
})
