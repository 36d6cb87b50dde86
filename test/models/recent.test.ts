/** Which alerts are still there to ask about. */
import { expect, test } from 'vitest'
import { DAY, HOUR } from '../../models/clock.ts'
import type { Alert, Severity } from '../../models/alert.ts'
import { Recent } from '../../models/recent.ts'

const NOW = 100 * DAY
const alert = (id: string, severity: Severity, last_seen: number): Alert => ({ id, severity, last_seen, raised_at: last_seen, peers: [], device: { id } }) as unknown as Alert

test('do cheap alerts by the thousand leave one that matters, and of the cheap ones the latest?', () => {
  const recent = new Recent()
  recent.keep(alert('theft', 'high', NOW - 3 * DAY))
  for (let i = 0; i < 2000; i++) recent.keep(alert(`cheap ${i}`, i % 2 === 0 ? 'info' : 'low', NOW + i * 1000))
  expect(recent.alerts.size).toBe(400)
  expect(recent.alerts.has('theft')).toBe(true)
  expect(recent.alerts.has('cheap 1999')).toBe(true)
})

test('do severe alerts that are long over give way to those of today?', () => {
  const recent = new Recent()
  for (let i = 0; i < 400; i++) recent.keep(alert(`old ${i}`, 'critical', NOW - 95 * DAY + i))
  recent.keep(alert('today', 'medium', NOW))
  recent.keep(alert('today, too', 'low', NOW + HOUR))
  expect([...recent.alerts.keys()].slice(-2)).toEqual(['today', 'today, too'])
  expect(recent.alerts.has('old 0')).toBe(false)
})
