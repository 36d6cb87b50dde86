import { expect, test } from 'vitest'
import { advance, ahead } from '../../../protocols/tcp/sequence.ts'

test.each([
  [5, 3, 2], [3, 5, -2], [0, 0xFFFFFFFF, 1], [0xFFFFFFFF, 0, -1], [0x80000000, 0x7FFFFFFF, 1], [100, 0xFFFFFF00, 356],
])('how far is %i ahead of %i?', (a, b, distance) => {
  expect(ahead(a | 0, b | 0)).toBe(distance)
})

test('does advancing wrap around, also by more than 4 GiB?', () => {
  expect(advance(0xFFFFFFFF | 0, 2)).toBe(1)
  expect(advance(7, 5 * 2 ** 32 + 3)).toBe(10)
})
