import { expect, test } from 'vitest'
import { Random } from '../../fixtures/build/random.ts'
import { checkBooks } from './contract/wire.ts'
import { ATTACKS, suffer } from './hostile.ts'

test.each(ATTACKS.map((attack) => [attack.name, attack] as const))('do %s leave memory bounded, and everybody else decoded to the last message?', (name, attack) => {
  const { decoder, honest, expected, grown, allowed } = suffer(attack, attack.steps, new Random(name))
  expect(decoder.application.fault).toBeNull()
  expect(expected.filter((line) => !honest.includes(line))).toEqual([])
  expect(grown).toBeLessThan(allowed)
  for (const counter of attack.told ?? []) expect(decoder.dropped()[counter]).toBeGreaterThan(0)
  expect(decoder.waiting).toBe(0)
  checkBooks(decoder)
})
