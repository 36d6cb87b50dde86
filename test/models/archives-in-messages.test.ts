/** Documents in HL7 messages that are archives: what is said to be a report, and is none. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { DAY } from './build.ts'
import { documentOf, later } from './happenings.ts'
import { inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector } from './learned.ts'

const told = (day: WireEvent[]): string[] => ofDetector(alertsOf(day), 'executable-content').map((alert) => `${alert.severity} ${alert.title}`)
const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

describe('an archive in an HL7 message', () => {
  test.each([
    ['zip', 'application/pdf'], ['gzip', 'image/jpeg'], ['archive', 'text/plain'], ['zip', 'pdf'],
  ])('is %s declared as %s told?', (content, declared) => {
    expect(told(among(documentOf(content, declared)))).toEqual(['medium LAB sends an archive inside an HL7 message'])
  })

  test.each([['zip', WORD], ['zip', 'application/zip'], ['gzip', null]])('is %s declared as %s no more than low?', (content, declared) => {
    expect(told(among(documentOf(content, declared)))).toEqual(['low LAB sends an archive inside an HL7 message'])
  })

  test('does it pass once the sender is known to send such (it was told on the days before)?', () => {
    const days = Array.from({ length: 5 }, (_, d) => inOrder([...ordinaryDay(TODAY + d), ...later(documentOf('zip'), d * DAY)])).flat()
    expect(ofDetector(alertsOf(days), 'executable-content').map(({ last_seen }) => Math.floor((last_seen - among([])[0]!.at) / DAY))).toEqual([3])
  })
})
