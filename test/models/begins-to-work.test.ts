/** A scanner that was commissioned some days ago begins to work: it asks for its worklist by the clock. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { MINUTE, WORKLIST_FIND, at, find, flow, host, study } from './build.ts'
import { ARCHIVE, RIS, inOrder, ordered, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, ofDetector, stored } from './learned.ts'

const SCANNER = host('US07', '10.1.2.77')
/** Six days with so many studies each. */
const works = (n: number): WireEvent[] => Array.from({ length: 6 }, (_, d) => inOrder([
  ...ordinaryDay(TODAY + d), ...Array.from({ length: n }, (__, i) => stored(SCANNER, ARCHIVE, at(TODAY + d, 10 + i), study(`test${d}.${i}`, ordered(TODAY + d, 0, i), TODAY + d, { modality: 'US' }))).flat(),
])).flat()
const asks = (server: typeof RIS, port: number, n: number, apart: number, sopClass: object): WireEvent[] =>
  Array.from({ length: n }, (_, i) => find(flow(SCANNER, server, port), at(TODAY + 6, 8) + i * apart * MINUTE, SCANNER.name, 3, sopClass))
const told = (more: WireEvent[], studies = 1): string[] => ofDetector(alertsOf([...works(studies), ...inOrder([...ordinaryDay(TODAY + 6), ...more])]), 'new-service')
  .map(({ evidence }) => evidence.find(({ detector }) => detector === 'new-service')!.unit!)

describe('on its first working day', () => {
  test('do forty looks at the worklist pass?', () => {
    expect(told(asks(RIS, 105, 40, 12, { sop_class_uid: WORKLIST_FIND }))).toEqual([])
  })

  test('and where it has worked for six days without one, as the only one of its kind?', () => {
    expect(told(asks(RIS, 105, 40, 12, { sop_class_uid: WORKLIST_FIND }), 6)).toEqual([])
  })

  test('are forty searches in the archive told?', () => {
    expect(told(asks(ARCHIVE, 104, 40, 12, {}))).toEqual(['C-FIND requests'])
  })
})
