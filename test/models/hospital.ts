/** An invented hospital on ordinary days: scanners, an archive, readers, and the systems that order. The same days every time. */
import type { WireEvent } from '../../protocols/events.ts'
import {
  DAY, MINUTE, SECOND, START, WORKLIST_FIND, association, at, failedFlow, find, flow, flowEnd, host, message, move, operation, refused, store, study, violation, type Host,
} from './build.ts'

export const ARCHIVE = host('ARCHIVE', '10.1.1.5')
export const RIS = host('RIS', '10.1.1.6')
export const HIS = host('HIS', '10.1.4.5')
export const LAB = host('LAB', '10.1.4.6')
export const CT01 = host('CT01', '10.1.2.11')
export const CT02 = host('CT02', '10.1.2.12')
export const MR01 = host('MR01', '10.1.2.13')
export const WS01 = host('WS01', '10.1.3.21')
export const WS02 = host('WS02', '10.1.3.22')
export const WS03 = host('WS03', '10.1.3.23')
/** Has always logged in with a user name and passcode. */
export const WS04 = host('WS04', '10.1.3.24')
/** Nobody knows it. */
export const STRANGER = host('STRANGER', '10.1.9.66')
export const SCANNERS = [CT01, CT02, MR01]
export const READERS = [WS01, WS02, WS03, WS04]
/** Learned before the day that is judged: three weeks, which end on a Sunday. */
export const LEARNED = 21

const STUDIES = 14
const READS = 14
const PASSCODE = { user_identity: { type: 2, has_passcode: true } }

/** 0 to 1, the same for the same numbers: days differ a little. */
function noise(...numbers: number[]): number {
  let x = 2166136261
  for (const n of numbers) x = Math.imul(x ^ (n + 1), 16777619) ^ (x >>> 13)
  return ((Math.imul(x, 2654435761) >>> 8) & 0xffff) / 65536
}

export const inOrder = (events: WireEvent[]): WireEvent[] => events.sort((a, b) => a.at - b.at)

/**
 * Everything of one day.
 * @param as lets a host appear as another (moved, with a new card)
 * @param pace how busy everybody is; 1 is as ever
 */
export function ordinaryDay(day: number, as: (host: Host) => Host = (same) => same, pace = 1): WireEvent[] {
  const events: WireEvent[] = []
  SCANNERS.forEach((scanner, s) => scans(events, day, s, as(scanner), pace))
  READERS.forEach((reader, r) => reads(events, day, r, as(reader), pace))
  interfaces(events, day, as, pace)
  return inOrder(events)
}

export const some = (mean: number, ...numbers: number[]): number => Math.round(mean * (0.85 + 0.3 * noise(...numbers)))
/** The patient of a scanner's nth order of a day. */
export const ordered = (day: number, scanner: number, n: number): string => `${day}-${scanner}-${n}`

function scans(events: WireEvent[], day: number, s: number, scanner: Host, pace: number): void {
  for (let n = 0; n < some(STUDIES * pace, day, s); n++) {
    const when = at(day, 8 + (9 * n) / (STUDIES * pace), 20 * noise(day, s, n))
    const worklist = flow(scanner, RIS, 105)
    events.push(find(worklist, when - 15 * MINUTE, scanner.name, 3, { sop_class_uid: WORKLIST_FIND }))
    events.push(association(worklist, when - 15 * MINUTE + SECOND, scanner.name, { 'C-FIND': 1 }), flowEnd(worklist, when - 15 * MINUTE + 2 * SECOND, 'dicom'))
    const images = flow(scanner, ARCHIVE)
    const facts = study(`${day}.${s}.${n}`, ordered(day, s, n), day, { modality: scanner.name.slice(0, 2) })
    for (let i = 0; i < 3; i++) events.push(store(images, when + i * SECOND, scanner.name, facts))
    events.push(association(images, when + 4 * SECOND, scanner.name, { 'C-STORE': 3 }), flowEnd(images, when + 5 * SECOND, 'dicom'))
  }
}

function reads(events: WireEvent[], day: number, r: number, reader: Host, pace: number): void {
  for (let n = 0; n < some(READS * pace, day, 9 + r); n++) {
    const when = at(day, 9 + (8 * n) / (READS * pace), 25 * noise(day, 9 + r, n))
    // One in a day is looked up without an order.
    const of = n === 5 ? `old-${day}-${r}` : ordered(day, n % SCANNERS.length, Math.floor(n / 2))
    events.push(...read(reader, when, `${day}.${r}.${n}`, of, day))
  }
}

/** Searched, requested and received: what a reader does with one study. */
export function read(reader: Host, when: number, uid: string, of: string, day: number): WireEvent[] {
  const asked = flow(reader, ARCHIVE)
  const sent = flow(ARCHIVE, reader, 11112)
  const login = reader.name === WS04.name ? PASSCODE : {}
  const facts = study(`r${uid}`, of, day)
  return [
    find(asked, when, reader.name, 2), move(asked, when + 6 * SECOND, reader.name, reader.name),
    store(sent, when + 4 * SECOND, ARCHIVE.name, facts), store(sent, when + 5 * SECOND, ARCHIVE.name, facts),
    association(sent, when + 7 * SECOND, ARCHIVE.name, { 'C-STORE': 2 }), flowEnd(sent, when + 8 * SECOND, 'dicom'),
    association(asked, when + 9 * SECOND, reader.name, { 'C-FIND': 1, 'C-MOVE': 1 }, login), flowEnd(asked, when + 10 * SECOND, 'dicom'),
  ]
}

function interfaces(events: WireEvent[], day: number, as: (host: Host) => Host, pace: number): void {
  const [his, ris, lab] = [as(HIS), as(RIS), as(LAB)]
  const orders = flow(his, ris, 2575)
  const results = flow(lab, his, 2575)
  for (let s = 0; s < SCANNERS.length; s++) {
    for (let n = 0; n <= (STUDIES + 4) * pace; n++) events.push(message(orders, at(day, 6 + n / 2 / pace, s * 7 + 5 * noise(day, s, n)), his, ris, 'ORM^O01', ordered(day, s, n)))
  }
  for (let n = 0; n < some(30 * pace, day, 20); n++) events.push(message(orders, at(day, 6 + n / 2.2 / pace, 12 * noise(day, n)), his, ris, 'ADT^A08', `any-${n}`))
  for (let n = 0; n < some(4, day, 21); n++) events.push(message(orders, at(day, 9 + n * 1.5, 31), his, ris, 'ADT^A40', `merged-${day}-${n}`))
  for (let n = 0; n < some(60 * pace, day, 22); n++) {
    const when = at(day, 6 + n / 4.3 / pace, 10 * noise(day, n, 5))
    events.push(message(results, when, lab, his, 'ORU^R01', `any-${n}`, n === 20 ? refused : {}))
  }
  for (const end of [orders, results]) events.push(flowEnd(end, START + day * DAY + 23.9 * 60 * MINUTE, 'hl7'))
}

export const ordinaryDays = (days: number): WireEvent[] => Array.from({ length: days }, (_, day) => ordinaryDay(day)).flat()

/**
 * Two days on which several things go wrong at once, and on over midnight.
 * @param day the first of them
 * @param times how often each thing happens, so many `minutes` apart
 */
export function troubles(day: number, times: number, minutes: number): WireEvent[] {
  const events = [...ordinaryDay(day), ...ordinaryDay(day + 1)]
  const partner = flow(CT01, host('PARTNER', '93.184.215.14'))
  const orders = flow(STRANGER, RIS, 2575)
  const borrowed = flow(STRANGER, ARCHIVE)
  for (let i = 0; i < times; i++) {
    const when = at(day, 10, i * minutes)
    events.push(store(partner, when, CT01.name, study(`bad${i}`, `bad-${i}`, day - 300)))
    events.push(failedFlow(flow(WS02, host('', `10.1.8.${i + 1}`), 445), when + SECOND, 'unanswered'))
    events.push(message(orders, when + 2 * SECOND, STRANGER, RIS, 'ADT^A40', 'one'))
    events.push(move(flow(WS01, ARCHIVE), when + 3 * SECOND, WS01.name, 'EXPORT9'))
    events.push(violation(flow(WS02, ARCHIVE), when + 4 * SECOND, `pdu.rule-${i}`))
    if (i % 10 === 0) events.push(operation(borrowed, when + 5 * SECOND, CT01.name, 'C-FIND'))
  }
  return inOrder(events)
}
