/** Scanners that begin to give studies to somebody new: what of it is told, and how severe. */
import { describe, expect, test } from 'vitest'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { parseCalendar } from '../../models/calendar.ts'
import { at, flow, host, operation, study, type Host } from './build.ts'
import { copies } from './happenings.ts'
import { ARCHIVE, CT01, CT02, SCANNERS, STRANGER, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, above, alertsOf, experienced, stored } from './learned.ts'

const usual = ordinaryDay(TODAY)
const copied = (scanners: Host[], until: number) => inOrder([...usual, ...copies(usual, scanners, STRANGER, 10, until)])
const told = (alerts: Alert[]): Alert[] => alerts.filter((alert) => above(alert, 'info'))
const atLeast = (alert: Alert | undefined, severity: Alert['severity']): boolean => alert !== undefined && SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(severity)

describe('a stranger that scanners give a copy of each new, ordered study', () => {
  test('is it told within two hours at medium, and in one alert, when there are two scanners?', () => {
    const [alert, ...others] = told(alertsOf(copied([CT01, CT02], 12)))
    expect(atLeast(alert, 'medium'), alert?.title).toBe(true)
    expect(alert).toMatchObject({ detector: 'new-receiver', device: { ip: [STRANGER.ip] } })
    expect(alert!.first_seen).toBeLessThan(at(TODAY, 12))
    expect(others).toEqual([])
  })

  test('is it told, and not as severe, when there is one?', () => {
    const [alert, ...others] = told(alertsOf(copied([CT01], 18)))
    expect(alert).toMatchObject({ severity: 'low', detector: 'new-receiver' })
    expect(others).toEqual([])
  })
})

describe('a new archive', () => {
  const goLive = (): Parameters<typeof alertsOf>[0] => copied(SCANNERS, 18)

  test('is it one alert, and not of high severity, when nobody declared it?', () => {
    expect(told(alertsOf(goLive())).map(({ severity }) => severity)).toEqual(['medium'])
  })

  test('is it a note at most when it was declared?', () => {
    const calendar = parseCalendar({ changes: [{ event: 'new archive', start: at(TODAY, 0) / 1e6, end: at(TODAY + 7, 0) / 1e6, hosts: [STRANGER.ip], note: 'planned' }] })
    expect(told(alertsOf(goLive(), { calendar }))).toEqual([])
  })

  test('is it the archive itself, and no news, that has another address over night?', () => {
    expect(told(alertsOf(ordinaryDay(TODAY, (same) => (same === ARCHIVE ? host(ARCHIVE.name, '10.1.1.77', ARCHIVE.mac) : same))))).toEqual([])
  })
})

describe('a scanner that was switched on long before it works', () => {
  const NEW = host('DX09', '10.1.2.29')

  test('is it no known device for having answered a verification?', () => {
    const engine = experienced({ onAlert: () => undefined })
    const echo = operation(flow(STRANGER, NEW), at(TODAY, 9), STRANGER.name, 'C-ECHO')
    for (const event of inOrder([echo, ...Array.from({ length: 10 }, (_, day) => ordinaryDay(TODAY + day)).flat()])) engine.event(event)
    const device = [...engine.devices.values()].find(({ ips }) => ips.has(NEW.ip))!
    expect(device.lived).toBe(0)
  })

  test('is a first full day after a day of tests low at most?', () => {
    const day = (n: number, studies: number) => Array.from({ length: studies }, (_, i) =>
      Array.from({ length: 8 }, (_, image) => stored(NEW, ARCHIVE, at(n, 9, 12 * i + image / 10), study(`first${n}.${i}`, `new-${n}-${i}`, n, { modality: 'DX' }))).flat()).flat()
    const alerts = alertsOf(inOrder([...usual, ...day(TODAY, 5), ...ordinaryDay(TODAY + 1), ...day(TODAY + 1, 45)]))
    expect(alerts.filter((alert) => above(alert, 'low') && alert.detector === 'store-volume')).toEqual([])
  })
})
