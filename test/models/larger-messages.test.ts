/** HL7 messages that are far larger than a sender's own: a few in a day are told, however little they weigh together. */
import { describe, expect, test } from 'vitest'
import { sent } from './happenings.ts'
import { HIS, LAB } from './hospital.ts'
import { alertsOf, among, ofDetector } from './learned.ts'

const told = (n: number, bytes: number): string[] =>
  ofDetector(alertsOf(among(sent(LAB, HIS, n, 90, 'ORU^R01', (i) => `any-${i}`, { bytes }))), 'hl7-size').map(({ device }) => device.name)

describe('results eight times as large as any before, which together weigh less than an ordinary day', () => {
  test('are three in a day told?', () => {
    expect(told(3, 5000)).toEqual([LAB.name])
  })

  test('do two pass, and five that are only twice as large?', () => {
    expect(told(2, 5000)).toEqual([])
    expect(told(5, 1300)).toEqual([])
  })
})
