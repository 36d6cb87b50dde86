/** Of every detector, in the case that it has to find: is each number that its alerts tell one of their fields, and is it the same when it is computed again? */
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../models/alert.ts'
import { ATTACK_VERSION, isTechnique } from '../../models/attack.ts'
import { DETECTORS } from '../../models/detectors/index.ts'
import { explain } from '../../models/explain.ts'
import { CASES } from './cases.ts'
import { above, experienced } from './learned.ts'
import { knownNumbers, numbersIn } from './numbers.ts'

/** What a text tells of the one event or of the device beyond its fields, counted by hand from the case. */
const TOLD: Record<string, readonly string[]> = {
  // CT01's day ends shortly before five and begins at eight.
  'ae-conflict': ['15.2'],
  // 14 calls five minutes apart, of 1000 bytes each way; a fifth is what is called alike, and of 12 intervals 1.67 would be by chance.
  'beaconing': ['13', '20', '5', '2.67', '1000'],
  // 127 contexts for 15 classes; the site has been watched for three weeks.
  'context-flood': ['112', '21'],
  'foreign-protocol': ['1000', '19'],
  // What a new kind starts with, by the detector's page.
  'hl7-new-kind': ['5'],
  'hl7-size': ['262', '300'],
  'idle-associations': ['300'],
  'peer-to-peer': ['30'],
  'private-data': ['524', '1000'],
  // The name of the rule.
  'protocol-violations': ['28'],
  // Three scanners, four readers and the monitor, from ten o'clock to the last try.
  'service-down': ['8', '7.87'],
  // From when the first and the last of them was heard to shortly after two.
  'silence': ['2.26', '2.02'],
  // Of all that WS03 received in two weeks and before, older days counting less.
  'unlike-peers': ['338'],
  // Answers of 64 records or more, of 64.
  'query-enumeration': ['64'],
}

describe.each(DETECTORS.map((detector) => [detector.id, detector] as const))('%s', (id, detector) => {
  const alerts = new Map<string, Alert>()
  const { fires } = CASES[id]!
  const engine = experienced({ ...fires.options, onAlert: (alert) => alerts.set(alert.id, alert) })
  for (const event of fires.day()) engine.event(event)
  const told = [...alerts.values()].filter((alert) => above(alert, 'info'))

  test('are its numbers those of its fields, and those that are computed again?', () => {
    expect(told.flatMap((alert) => alert.evidence.map((one) => one.detector))).toContain(id)
    for (const alert of told) {
      const explained = explain(alert, engine.devices, engine.site)
      alert.evidence.forEach((one, i) => {
        const known = knownNumbers(one, alert)
        expect(numbersIn(one.text, alert).filter((n) => !known.has(n) && !TOLD[one.detector]?.includes(n)), `${one.detector}: ${one.text}`).toEqual([])
        const again = explained.evidence[i]!
        expect(again).toMatchObject({ agrees: true, observed: one.observed, expected: one.expected, p: one.p })
        if (one.p !== null) expect(Math.abs(again.computed! - one.p)).toBeLessThanOrEqual(1e-9 * one.p)
      })
    }
  })

  test('does it name its techniques, of the pinned version, and what would explain it?', () => {
    const alert = told.find(({ evidence }) => evidence.some((one) => one.detector === id))!
    expect(alert.attack_version).toBe(ATTACK_VERSION)
    expect(alert.attack.map(({ technique }) => technique)).toEqual(expect.arrayContaining([...detector.attack]))
    for (const { technique } of alert.attack) expect(isTechnique(technique), technique).toBe(true)
    const leads = told.filter((one) => one.detector === id)
    for (const { explanation } of leads) for (const cause of detector.falsePositives) expect(explanation).toContain(cause)
  })
})
