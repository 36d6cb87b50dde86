import { expect, test } from 'vitest'
import { LIMITS } from '../../../protocols/limits.ts'
import { CaptureClock } from '../../../protocols/tcp/clock.ts'

const HOUR = 3_600_000_000
const YEAR = 365 * 24 * HOUR
const NOW = 56 * YEAR
const clockAt = (...times: number[]): number => {
  const clock = new CaptureClock(LIMITS.tcp)
  for (const at of times) clock.advance(at)
  return clock.now
}
const times = (count: number, at: number): number[] => Array.from({ length: count }, (_, i) => at + i)

test('does it begin with the first packet?', () => expect(clockAt(NOW)).toBe(NOW))
test('does it stand while time goes back a little?', () => expect(clockAt(NOW, NOW - 5_000_000)).toBe(NOW))
test('does it ignore one timestamp a year ahead?', () => expect(clockAt(NOW, NOW + YEAR, NOW + 1)).toBe(NOW + 1))
test('does it ignore one timestamp at the epoch?', () => expect(clockAt(NOW, 0, NOW + 1)).toBe(NOW + 1))
test('does it ignore what is no number?', () => expect(clockAt(NaN, NOW, NaN, Infinity, NOW + 1)).toBe(NOW + 1))
test('does it follow a night without packets, once enough agree?', () => {
  expect(clockAt(NOW, ...times(15, NOW + 9 * HOUR))).toBe(NOW)
  expect(clockAt(NOW, ...times(16, NOW + 9 * HOUR))).toBe(NOW + 9 * HOUR + 15)
})
test('does it follow a clock that was set back, once enough agree?', () => expect(clockAt(NOW + YEAR, ...times(16, NOW))).toBe(NOW + 15))
test('is it not moved by wrong timestamps that disagree with each other?', () =>
  expect(clockAt(NOW, ...times(100, 1).map((n) => NOW + n * YEAR))).toBe(NOW))
