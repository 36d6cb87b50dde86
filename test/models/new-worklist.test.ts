/** Scanners that begin to follow the worklist of somebody new: what of it is told, and how severe. */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { parseCalendar } from '../../models/calendar.ts'
import { WORKLIST_FIND, at, find, flow } from './build.ts'
import { elsewhere } from './happenings.ts'
import { ARCHIVE, CT01, CT02, SCANNERS, STRANGER, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, above, alertsOf } from './learned.ts'

const told = (alerts: Alert[]): Alert[] => alerts.filter((alert) => above(alert, 'info'))
const summary = ({ severity, detector, device }: Alert): object => ({ severity, detector, ip: device.ip })

describe('a stranger whose worklist scanners begin to follow', () => {
  test.each([[1, 'low'], [2, 'medium'], [3, 'medium']] as const)('is it one alert from the first query of %i on, of %s severity?', (n, severity) => {
    const alerts = told(alertsOf(elsewhere(ordinaryDay(TODAY), SCANNERS.slice(0, n), STRANGER, 10, 18))).filter(({ detector }) => detector === 'new-worklist')
    expect(alerts.map(summary)).toEqual([{ severity, detector: 'new-worklist', ip: [STRANGER.ip] }])
    expect(alerts[0]!.first_seen).toBeLessThan(at(TODAY, 11))
  })

  test('is it told on a second day no second time?', () => {
    const both = [0, 1].flatMap((d) => elsewhere(ordinaryDay(TODAY + d), [CT01, CT02], STRANGER, 24 * d + 10, 24 * d + 18))
    expect(told(alertsOf(both)).filter(({ detector }) => detector === 'new-worklist')).toHaveLength(1)
  })

  test('is it a note at most when it was declared?', () => {
    const calendar = parseCalendar({ changes: [{ event: 'new archive', start: at(TODAY, 0) / 1e6, end: at(TODAY + 7, 0) / 1e6, hosts: [STRANGER.ip], note: 'planned' }] })
    expect(told(alertsOf(elsewhere(ordinaryDay(TODAY), SCANNERS, STRANGER, 10, 18), { calendar }))).toEqual([])
  })
})

describe('what is no new worklist', () => {
  const asks = (status: string) => inOrder([...ordinaryDay(TODAY),
    ...[CT01, CT02].flatMap((scanner, i) => [find(flow(scanner, STRANGER, 105), at(TODAY, 10, i), scanner.name, 0, { sop_class_uid: WORKLIST_FIND, status })])])

  test('does a query that was refused count?', () => {
    expect(told(alertsOf(asks('A700')))).toEqual([])
    expect(told(alertsOf(asks('0000'))).map(({ detector }) => detector)).toEqual(['new-worklist'])
  })

  test('is the archive, which the scanners know, told when it begins to give worklists?', () => {
    expect(told(alertsOf(elsewhere(ordinaryDay(TODAY), [CT01, CT02], ARCHIVE, 10, 18))).filter(({ detector }) => detector === 'new-worklist')).toEqual([])
  })
})
