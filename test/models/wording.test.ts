/** Does an alert say what is so, in words that can be read? Each of these was found by reading alerts beside the packets. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { Calendar } from '../../models/calendar.ts'
import type { EngineOptions } from '../../models/engine.ts'
import { DAY, find, flow, host, store, study, at } from './build.ts'
import { floods, later, moves, onPort, sends, sent, times, unknownPatient } from './happenings.ts'
import { ARCHIVE, CT01, CT02, HIS, LAB, RIS, STRANGER, WS01, WS02, inOrder, ordinaryDay } from './hospital.ts'
import { TELERADIOLOGY, TODAY, alertsOf, among, stored } from './learned.ts'

const texts = (events: WireEvent[], detector: string, options: Partial<EngineOptions> = {}): string[] =>
  alertsOf(events, options).flatMap(({ evidence }) => evidence.filter((one) => one.detector === detector).map(({ text }) => text))

/** Tomorrow, with more. */
const tomorrow = (more: WireEvent[]): WireEvent[] => inOrder([...ordinaryDay(TODAY + 1), ...more])
const aDayLater = (events: WireEvent[]): WireEvent[] => events.map((event) => ({ ...event, at: event.at + 86_400_000_000 }))

describe('what was done on one day before', () => {
  test('is a peer of yesterday not called one that was never used?', () => {
    const some = (n: number, day: number): WireEvent[] => sends(CT01, STRANGER, n, 11, 1, unknownPatient, day)
    const [text] = texts([...among(some(2, TODAY)), ...tomorrow(aDayLater(some(60, TODAY)))], 'new-peer')
    expect(text).toMatch(/^\d+ studies sent today between CT01 and \S+, a peer it used on only 1 of the \d+ days before/)
  })

  test('is a service of yesterday not said to have been used on no day before?', () => {
    const asks = (n: number): WireEvent[] => times(n, 11, 1, (when) => find(flow(CT01, ARCHIVE), when, CT01.name, 5))
    const [text] = texts([...among(asks(1)), ...tomorrow(aDayLater(asks(40)))], 'new-service')
    expect(text).toMatch(/^\d+ C-FIND requests today by CT01 \(.*\), on only 1 of the \d+ days before/)
  })

  test('is a kind of message of yesterday not said to have been sent on no day before?', () => {
    const masters = (n: number): WireEvent[] => sent(LAB, HIS, n, 0.2, 'MFN^M02', () => 'any-1')
    const [text] = texts([...among(masters(1)), ...tomorrow(aDayLater(masters(40)))], 'hl7-new-kind')
    expect(text).toMatch(/^\d+ MFN\^M02 messages today \(.*\) from LAB, on only 1 of the \d+ days before; /)
  })

  test('are several new kinds of one family told together?', () => {
    const merges = [...sent(LAB, HIS, 6, 1, 'ADT^A40', (i) => `any-${i}`), ...sent(LAB, HIS, 4, 1.3, 'ADT^A18', (i) => `other-${i}`)]
    const alerts = alertsOf(among(merges)).filter(({ evidence }) => evidence.some(({ detector }) => detector === 'hl7-new-kind'))
    expect(alerts.map(({ severity }) => severity)).toEqual(['medium'])
    expect(alerts[0]!.evidence.map(({ text }) => text).join(' ')).toMatch(/\d ADT\^A(40|18) messages today \(\d+ with others of its family\) \(\d+ within this hour\) from LAB, none in the \d+ days before/)
  })

  test('is its title as careful as its text?', () => {
    const masters = (n: number): WireEvent[] => sent(LAB, HIS, n, 0.2, 'MFN^M02', () => 'any-1')
    const titles = (events: WireEvent[]): string[] => alertsOf(events).map(({ title }) => title).filter((title) => title.includes('MFN'))
    expect(titles(among(masters(40)))).toEqual(['LAB sends MFN^M02, a kind of message it never sent'])
    expect(titles([...among(masters(1)), ...tomorrow(aDayLater(masters(40)))])).toEqual(['LAB sends MFN^M02, a kind of message it hardly sent'])
  })

  test('is a destination of yesterday not called one that was never named?', () => {
    const [text] = texts([...among(moves('EXPORT9', 1)), ...tomorrow(aDayLater(moves('EXPORT9', 40)))], 'move-destination')
    expect(text).toMatch(/the destination EXPORT9; it did so on only 1 of the \d+ days before[,;]/)
    const [first] = texts(among(moves('EXPORT9', 40)), 'move-destination')
    expect(first).toMatch(/the destination EXPORT9; it never did in \d+ days[,;]/)
  })

  test('is a host that was reached yesterday not called one that was never reached?', () => {
    const [text] = texts([...among(onPort(CT01, WS01, 445, 1)), ...tomorrow(later(onPort(CT01, WS01, 445, 12), DAY))], 'lateral-movement')
    expect(text).toMatch(/now CT01 to WS01: on only 1 of the \d+ days before; /)
  })

  test('is another scanner that was reached two days ago not called one that never was?', () => {
    const reach = onPort(CT01, CT02, 445, 1)
    expect(texts(among(reach), 'peer-to-peer').join(' ')).toMatch(/with CT02, which it never had in the \d+ days that it is known; both/)
    expect(texts([...among(reach), ...tomorrow([]), ...inOrder([...ordinaryDay(TODAY + 2), ...later(reach, 2 * DAY)])], 'peer-to-peer').join(' ')).toMatch(/with CT02, which it had on only 1 of the \d+ days before; both/)
  })

  test('is a sender of yesterday not called none, nor counted among those that are known?', () => {
    const updates = (n: number): WireEvent[] => sent(STRANGER, RIS, n, 0.2, 'ADT^A08', (i) => `any-${i}`)
    const [first] = texts(among(updates(200)), 'hl7-new-sender')
    expect(first).toMatch(/; RIS had 1 sender in \d+ days and this was none of them/)
    const [text] = texts([...among(updates(1)), ...tomorrow(aDayLater(updates(200)))], 'hl7-new-sender')
    expect(text).toMatch(/; RIS had 1 other sender in \d+ days, and this one on only 1 of them/)
  })
})

describe('words', () => {
  test('does a declared reason end with one full stop, whoever wrote it?', () => {
    const change = (note: string) => new Calendar({ changes: [{ event: 'export', start: at(TODAY, 0), end: at(TODAY, 23), hosts: new Set([CT01.ip, STRANGER.ip]), note }] })
    for (const note of ['A node fetches a cohort.', 'A node fetches a cohort']) {
      expect(texts(among(sends(CT01, STRANGER, 40, 11, 1, unknownPatient)), 'new-peer', { calendar: change(note) }).join(' ')).toMatch(/Declared: A node fetches a cohort\.(?!\.)/)
    }
  })

  test('is a rate of news told as one day in so many?', () => {
    const [text] = texts(among(times(40, 11, 1, (when) => find(flow(CT01, ARCHIVE), when, CT01.name, 5))), 'new-service')
    expect(text).toMatch(/is seen on about 1 day in \d+;/)
  })

  test('is the class of a new object told by its name?', () => {
    const plans = times(30, 11, 1, (when, i) => store(flow(CT01, ARCHIVE), when, CT01.name, study(`p${i}`, unknownPatient(i), TODAY), { sop_class_uid: '1.2.840.10008.5.1.4.1.1.481.5' }))
    expect(texts(among(plans), 'new-service').join(' ')).toContain('objects of class RT Plan (1.2.840.10008.5.1.4.1.1.481.5)')
  })

  test('is a study of many images told as one study sent, not as one request?', () => {
    const fetched = times(20, 11, 1, (when, i) => Array.from({ length: 3 }, (_, image) => store(flow(WS01, ARCHIVE), when + image, WS01.name, study(`w${i}`, unknownPatient(i), TODAY))).flat())
    expect(texts(among(fetched), 'new-service').join(' ')).toMatch(/^\d+ studies sent \(C-STORE\) today by WS01/)
  })

  test('are floods counted in words?', () => {
    expect(texts(among(floods(127)), 'context-flood').join(' ')).toMatch(/It is number \d of such associations today\./)
  })

  test('is a share that anybody may have without an order told as the expectation that it is?', () => {
    const fetched = times(20, 11, 1, (when, i) => stored(ARCHIVE, TELERADIOLOGY, when, study(`t${i}`, unknownPatient(i), TODAY)))
    expect(texts(among(fetched), 'unexplained-access').join(' ')).toContain('but such a device gets piles that may all have none)')
  })

  test('is who sends studies to a scanner said to do so, and not the scanner to fetch them?', () => {
    const alerts = alertsOf(among(times(12, 11, 1, (when, i) => stored(WS02, CT01, when, study(`u${i}`, unknownPatient(i), TODAY))).flat()))
    const said = alerts.filter(({ evidence }) => evidence.some(({ detector }) => detector === 'unexplained-access'))
    expect(said.map(({ device }) => device.name)).toEqual([WS02.name])
    expect(said.flatMap(({ evidence }) => evidence.map(({ text }) => text)).join(' ')).toContain('studies without an order received by CT01 today')
    expect(alerts.filter(({ title }) => /CT01 fetches/.test(title))).toEqual([])
  })

  test('does a newcomer not claim to have learned a rate of its own on its first day?', () => {
    const fetched = times(60, 11, 1, (when, i) => stored(ARCHIVE, host('WS77', '10.1.3.77'), when, study(`n${i}`, unknownPatient(i), TODAY)))
    const said = texts(among(fetched), 'unexplained-access').join(' ')
    expect(said).toContain('such a device usually has')
    expect(said).not.toContain('learned over the first day')
  })
})
