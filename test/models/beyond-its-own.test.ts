/** What goes beyond a system's own, little by little: documents larger than its documents, worklists longer than its own, merges over days, pictures that other machines take. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { DAY, SECOND, WORKLIST_FIND, at, find, flow, patient, store, study } from './build.ts'
import { days, later, orderedPatient, sent, times } from './happenings.ts'
import { ARCHIVE, CT01, HIS, LAB, RIS, STRANGER, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, alertsOf, among, judged, ofDetector } from './learned.ts'

const told = (events: WireEvent[], detector: string, from = TODAY): string[] =>
  ofDetector(alertsOf(events), detector).filter(({ raised_at }) => raised_at >= at(from, 0)).map(({ severity, device }) => `${severity} ${device.name}`)
const results = (n: number, bytes: number, who = LAB): WireEvent[] => sent(who, HIS, n, 2, 'ORU^R01', (i) => `any-${i}`, { bytes })

describe('a laboratory that sends two documents a day', () => {
  const weeks = days(14, (day) => [...ordinaryDay(day), ...later(results(2, 20_000), (day - TODAY) * DAY)])
  const then = (events: WireEvent[]): string[] =>
    told([...weeks, ...inOrder([...ordinaryDay(TODAY + 14), ...later(events, 14 * DAY)])], 'hl7-size', TODAY + 14)

  test('are eight documents told that are four times as large?', () => {
    expect(then(results(8, 80_000))).toEqual([expect.stringContaining(LAB.name)])
  })

  test('do six times as many documents pass, and two that are four times as large?', () => {
    expect(then(results(12, 20_000))).toEqual([])
    expect(then(results(2, 80_000))).toEqual([])
  })
})

describe('a scanner that asks for worklists of patients', () => {
  const asks = (n: number, matches: number): WireEvent[] =>
    times(n, 17, 0.3, (when) => find(flow(CT01, RIS, 105), when, CT01.name, matches, { sop_class_uid: WORKLIST_FIND }))

  test('are ten told that are ten times as long as its own?', () => {
    expect(told(among(asks(10, 30)), 'query-enumeration')).toEqual([expect.stringContaining(CT01.name)])
  })

  test('do two as long pass, and thirty of its own?', () => {
    expect(told(among(asks(2, 30)), 'query-enumeration')).toEqual([])
    expect(told(among(asks(30, 3)), 'query-enumeration')).toEqual([])
  })
})

describe('a newcomer that asks for worklists of everybody', () => {
  const asks = (n: number, matches: number): WireEvent[] => times(n, 11, 4, (when) => find(flow(STRANGER, RIS, 105), when, STRANGER.name, matches, { sop_class_uid: WORKLIST_FIND }))

  test('are five told that are ten times as long as those of the scanners here, and no more than low?', () => {
    expect(told(among(asks(5, 40)), 'query-enumeration')).toEqual([`low ${STRANGER.name}`])
  })

  test('do thirty pass that are as long as theirs?', () => {
    expect(told(among(asks(30, 3)), 'query-enumeration')).toEqual([])
  })
})

describe('merges into one patient', () => {
  const twoADay = (n: number, of: (day: number, i: number) => string): WireEvent[] =>
    days(n, (day) => [...ordinaryDay(day), ...later(sent(HIS, RIS, 2, 90, 'ADT^A40', (i) => of(day, i)), (day - TODAY) * DAY)])

  test('are two a day told within the week, and once?', () => {
    expect(told(twoADay(6, () => 'one'), 'hl7-merge')).toEqual([expect.stringContaining(HIS.name)])
  })

  test('are they told once, of who began, where the receiver sends them on?', () => {
    const on = twoADay(6, () => 'one').flatMap((event) => (event.kind === 'hl7.message' && event.message_type === 'ADT^A40' && event.patient === patient('one')
      ? [event, ...sent(LAB, HIS, 1, 0, 'ADT^A40', () => 'one').map((copy) => ({ ...copy, at: event.at + SECOND / 5 }))] : [event]))
    expect(told(inOrder(on), 'hl7-merge')).toEqual([expect.stringContaining(HIS.name)])
  })

  test('do two a day into others pass, and two into one on two days?', () => {
    expect(told(twoADay(6, (day, i) => `${day}-${i}`), 'hl7-merge')).toEqual([])
    expect(told(twoADay(2, () => 'one'), 'hl7-merge')).toEqual([])
  })
})

describe('a CT that sends fifteen images of a class it never sent', () => {
  const images = (class_: string): WireEvent[] =>
    times(15, 13, 1, (when, i) => store(flow(CT01, ARCHIVE), when, CT01.name, study(`new${i}`, orderedPatient(i), TODAY), { sop_class_uid: `1.2.840.10008.5.1.4.1.1.${class_}` }))

  test('are those told that machines of another kind take, and do those pass that its own kind takes?', () => {
    expect(told(among(images('13.1.3')), 'new-service')).toEqual([expect.stringContaining(CT01.name)])
    expect(told(among(images('128')), 'new-service')).toEqual([])
  })
})

describe('a CT that sends five images each of what machines of other kinds take', () => {
  const images = (...classes: string[]): WireEvent[] => classes.flatMap((class_, n) =>
    times(5, 13 + n, 1, (when, i) => store(flow(CT01, ARCHIVE), when, CT01.name, study(`new${n}${i}`, orderedPatient(i), TODAY), { sop_class_uid: `1.2.840.10008.5.1.4.1.1.${class_}` })))
  const rarest = (...classes: string[]): number => Math.min(...judged(among(images(...classes)), 'new-service').map(({ p }) => p!))

  test('is it ten times as odd of two other kinds as of one?', () => {
    const one = rarest('13.1.3')
    expect(rarest('13.1.3', '6.1') / one).toBeCloseTo(0.1, 6)
    // Of its own kind it is no odder.
    expect(rarest('13.1.3', '128') / one).toBeCloseTo(1, 6)
  })
})

describe('messages to an archive that the laboratory never fed', () => {
  const messages = (n: number): number[] => judged(among(sent(LAB, ARCHIVE, n, 1, 'ORU^R01', (i) => `any-${i}`)), 'hl7-new-sender').map(({ p }) => p!)

  test('is each further one odder, not usual by the one before?', () => {
    const all = messages(8)
    expect(all).toHaveLength(8)
    expect(all).toEqual([...all].sort((a, b) => b - a))
  })
})
