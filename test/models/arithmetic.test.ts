/** Can every rarity be computed again from what an alert carries? */
import { describe, expect, test } from 'vitest'
import { rarityOf, valueOf, type Factor } from '../../models/arithmetic.ts'
import { counted } from '../../models/detectors/detector.ts'

describe('the arithmetic of a rarity', () => {
  // Independent of the code: by hand, and for the tails from their definition (a geometric distribution is a negative binomial of size 1).
  test.each<[string, Factor, number]>([
    ['news: prior 1 in 20 days, once in 10 days', { of: 'news', memory: 'peer', value: 'x', prior: { a: 1, b: 20 }, news: 1, days: 10 }, 1 - (30 / 31) ** 2],
    ['others: 1 of 4', { of: 'others', memory: 'peer', value: 'x', users: 1, others: 4, known: true }, 1 - 1.2 / 5],
    ['others of a device without a role', { of: 'others', memory: 'peer', value: 'x', users: 1, others: 4, known: false }, 1 - 0.2 / 5],
    ['an amount: P(N >= 3), geometric of mean 2', { of: 'amount', n: 3, mean: 2, size: 1 }, (2 / 3) ** 3],
    ['a count: P(N >= 4), geometric of mean 1', { of: 'count', stream: 's', window: 'day', observed: 5, n: 4, mean: 1, size: 1, rate: 1, days: 9 }, 1 / 16],
    ['a share: 2 of 2', { of: 'share', hits: 2, tries: 2, share: 0.1 }, 0.01],
    ['a weight', { of: 'weight', why: '', times: 0.1 }, 0.1],
  ])('is %s what it should be?', (_name, factor, value) => {
    expect(valueOf(factor)).toBeCloseTo(value, 12)
  })

  test('is the product never below a cap?', () => {
    const tiny: Factor = { of: 'weight', why: '', times: 1e-9 }
    expect(rarityOf([tiny])).toBe(1e-9)
    expect(rarityOf([tiny, { of: 'cap', why: '', least: 7e-6 }])).toBe(7e-6)
  })

  test('is nothing impossible, however rare?', () => {
    const p = rarityOf([{ of: 'share', hits: 500, tries: 500, share: 1e-5 }])
    expect(p).toBe(1e-300)
    expect(JSON.parse(JSON.stringify(p))).toBe(p)
  })
})

test.each([
  [1, 'studies sent', '1 study sent'], [2, 'studies sent', '2 studies sent'], [0, 'queries', '0 queries'], [1, 'queries without a retrieval', '1 query without a retrieval'],
  [1, 'DICOM studies or requests', '1 DICOM study or request'], [1.5, 'uses today', '1.50 uses today'], [1, 'HL7 messages', '1 HL7 message'],
  [1, 'hosts and ports contacted for the first time', '1 host and port contacted for the first time'], [1, 'protocol violations', '1 protocol violation'],
])('is %d of "%s" written "%s"?', (n, unit, text) => {
  expect(counted(n, unit)).toBe(text)
})
