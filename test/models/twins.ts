/**
 * Benign changes that look like attacks, B01-B20: what each looks like on the wire, how severe an alert about it may be, and an attack of the
 * same shape that has to be more. Each begins on the Monday after three weeks of the invented hospital's ordinary days.
 */
import type { WireEvent } from '../../protocols/events.ts'
import type { Severity } from '../../models/alert.ts'
import {
  DOSE_REPORT, HOUR, SECOND, WORKLIST_FIND, at, date, find, flow, flowEnd, host, message, operation, store, study, violation, type Host,
} from './build.ts'
import { archiveGone, contacts, days, moved, orderedPatient, outage, reads, sends, sent, shift, switched, times, unknownPatient, without } from './happenings.ts'
import { ARCHIVE, CT01, CT02, HIS, LAB, RIS, SCANNERS, STRANGER, WS01, WS02, WS03, inOrder, ordered, ordinaryDay, read } from './hospital.ts'
import { MONITOR, TELERADIOLOGY, TODAY, among, night, stored, sweep } from './learned.ts'

export interface Happening {
  /** In words. */
  what: string
  events: () => WireEvent[]
}

export interface Twin extends Happening {
  /** No alert about it is more severe, and no more than one is above a note. */
  allowed: Severity
  /** It is told: exactly one alert above a note. */
  told?: boolean
  /** Who would be named if it was declared. */
  hosts: readonly Host[]
  /** By its number in the threat catalogue. */
  attack: Happening & { threat: string }
}

const NEW_CT = host('CT09', '10.1.2.19')
const NEW_ARCHIVE = host('NEWARCH', '10.1.1.9')
const RESEARCH = host('RESEARCH', '10.1.3.99')
const LAPTOP = host('', '10.1.9.77')
/** A document instead of an image. */
const ENCAPSULATED_PDF = '1.2.840.10008.5.1.4.1.1.104.1'

/** A patient who was here long ago. */
const formerPatient = (i: number): string => `former-${i}`
const oldStudy = (of: string, i: number) => study(`${of}${i}`, formerPatient(i), TODAY - 200 - i)

/** Other software on a scanner: another version, larger PDUs, more proposed, and a report with every study. */
function upgraded(day: number, scanner: Host): WireEvent[] {
  const contexts = [DOSE_REPORT, '1.2.840.10008.5.1.4.1.1.7'].map((abstract_syntax, i) =>
    ({ id: 2 * i + 1, abstract_syntax, transfer_syntaxes: ['1.2.840.10008.1.2.1'], result: 0, transfer_syntax: '1.2.840.10008.1.2.1' }))
  return ordinaryDay(day).flatMap((event): WireEvent[] => {
    if (event.kind !== 'dicom.association' || event.calling_ae !== scanner.name || event.flow.server.ip !== ARCHIVE.ip) return [event]
    const report = store(event.flow, event.at - SECOND, scanner.name, study(`report${event.at}`, orderedPatient(0), day, { modality: 'SR' }), { sop_class_uid: DOSE_REPORT })
    return [report, { ...event, contexts, max_pdu: { client: 131_072, server: 16_384 }, implementation: { client: { class_uid: '1.3.99.1', version_name: 'CT_REL_6' }, server: null } }]
  })
}

/** One holiday: nobody but the emergencies, then a day on which everybody catches up. */
const holiday = (): WireEvent[] => [...ordinaryDay(TODAY, undefined, 0.3), ...ordinaryDay(TODAY + 1, undefined, 1.3)]

/** Everything that a server of the same name does at another address from ten o'clock on. */
const failover = (): WireEvent[] => days(2, (day) => {
  const spare = (same: Host): Host => (same === HIS ? host(HIS.name, '10.1.4.55') : same)
  return day === TODAY ? switched(day, 10, spare) : ordinaryDay(day, spare)
})

/** Three hosts behind one address, and one hardware address. */
const TRANSLATED = (same: Host): Host => (SCANNERS.includes(same) ? { ...same, ip: '10.1.2.200', mac: '02:00:00:00:00:c8' } : same)

/** What a sensor sees that was blind for three quarters of an hour and then dropped one packet in a hundred. */
function troubledSensor(): WireEvent[] {
  const [from, to] = [at(TODAY, 10), at(TODAY, 10, 45)]
  const seen = ordinaryDay(TODAY).flatMap((event, i): WireEvent[] => {
    if (event.at >= from && event.at < to) return []
    if (event.at < to || !('flow' in event) || i % 5 > 0) return [event]
    if (event.kind === 'flow') return [{ ...event, gaps: { client: 1400, server: 0 }, complete: false }]
    return [violation(event.flow, event.at, 'pdu.type', { after_gap: true, complete: false }), { ...event, after_gap: true, complete: false }]
  })
  return inOrder([...seen, ...SCANNERS.flatMap((scanner, i) => times(4, 11, 5, (when) =>
    flowEnd(flow(scanner, ARCHIVE, 104, { midstream: true }), when + i * SECOND, null, { gaps: { client: 0, server: 2800 }, complete: false })))])
}

export const TWINS: Record<string, Twin> = {
  B01: {
    what: 'a new CT is commissioned: echoes, its worklist, a technician\'s laptop, test studies, then work',
    hosts: [NEW_CT, LAPTOP], allowed: 'low',
    events: () => days(3, (day) => [
      ...ordinaryDay(day),
      ...[ARCHIVE, RIS].flatMap((target, i) => times(3, 8, 10, (when) => operation(flow(NEW_CT, target), when + (day - TODAY) * 24 * HOUR + i * SECOND, NEW_CT.name, 'C-ECHO'))),
      ...Array.from({ length: 8 }, (_, i) => [
        find(flow(NEW_CT, RIS, 105), at(day, 9 + i, 10), NEW_CT.name, 2, { sop_class_uid: WORKLIST_FIND }),
        ...stored(NEW_CT, ARCHIVE, at(day, 9 + i, 20), study(`new${day}.${i}`, day === TODAY ? `test-${i}` : ordered(day, 0, i), day)),
      ]).flat(),
      ...times(2, 10, 30, (when) => flowEnd(flow(LAPTOP, NEW_CT, 3389), when + (day - TODAY) * 24 * HOUR, null)),
    ]),
    attack: {
      threat: 'S01', what: 'CT01 sends sixty studies to a host that nobody knows',
      events: () => among(sends(CT01, STRANGER, 60, 11, 2, orderedPatient)),
    },
  },
  B02: {
    what: 'the archive copies its old studies to a new one, day and night, for two days',
    hosts: [ARCHIVE, NEW_ARCHIVE], allowed: 'high', told: true,
    events: () => days(3, (day) => [
      ...ordinaryDay(day),
      ...(day === TODAY ? [operation(flow(ARCHIVE, NEW_ARCHIVE), at(TODAY, 18), ARCHIVE.name, 'C-ECHO')] : []),
      ...Array.from({ length: day === TODAY ? 60 : 240 }, (_, i) => stored(ARCHIVE, NEW_ARCHIVE, at(day, day === TODAY ? 19 : 0, 5 * i), oldStudy(`m${day}`, i))).flat(),
    ]),
    attack: {
      threat: 'S01', what: 'a reader sends as many to a stranger, while the archive\'s migration is declared',
      events: () => among(sends(WS02, STRANGER, 60, 11, 5, formerPatient, TODAY - 300)),
    },
  },
  B03: {
    what: 'CT01 falls silent, and five hours later another make at another address has its name',
    hosts: [CT01], allowed: 'low',
    events: () => days(2, (day) => {
      const replaced = (same: Host): Host => (same === CT01 ? host(CT01.name, '10.1.2.99') : same)
      return day === TODAY ? without(switched(day, 14, replaced), CT01, at(day, 9), at(day, 24)) : ordinaryDay(day, replaced)
    }),
    attack: {
      threat: 'S08', what: 'a stranger has its name while it works',
      events: () => among(sends({ ...STRANGER, name: CT01.name }, ARCHIVE, 3, 10, 5, orderedPatient)),
    },
  },
  B04: {
    what: 'all scanners and readers have other addresses on Monday, and the cards they had',
    hosts: SCANNERS, allowed: 'low',
    events: () => days(2, (day) => ordinaryDay(day, (same) => (/^10\.1\.[23]\./.test(same.ip) ? { ...same, ip: same.ip.replace('10.1.', '10.7.') } : same))),
    attack: {
      threat: 'S08', what: 'a new address has the names of two scanners that work elsewhere',
      events: () => among([CT01, CT02].flatMap((scanner, i) => sends({ ...STRANGER, name: scanner.name }, ARCHIVE, 3, 10 + i, 5, orderedPatient))),
    },
  },
  B05: {
    what: 'one scanner a day has new software: another version, larger PDUs, a dose report with every study',
    hosts: SCANNERS, allowed: 'low',
    events: () => days(3, (day) => upgraded(day, SCANNERS[day - TODAY]!)),
    attack: {
      threat: 'S19', what: 'CT01 sends forty documents to the archive, which nobody here does',
      events: () => among(times(40, 11, 2, (when, i) => store(flow(CT01, ARCHIVE), when, CT01.name, study(`doc${i}`, orderedPatient(i), TODAY, { modality: 'DOC' }), { sop_class_uid: ENCAPSULATED_PDF }))),
    },
  },
  B06: {
    what: 'the clocks are changed, and CT01 is half a day wrong',
    hosts: [CT01], allowed: 'low',
    events: () => days(2, (day) => shift(ordinaryDay(day), -HOUR).map((event) =>
      event.kind === 'dicom.operation' && event.dataset !== null && event.calling_ae === CT01.name ? { ...event, dataset: { ...event.dataset, study_date: date(day - 1) } } : event)),
    attack: {
      threat: 'S33', what: 'a reader looks at thirty patients without an order at night',
      events: () => among(times(30, 2, 1.5, (when, i) => read(WS03, when, `n${i}`, unknownPatient(i), TODAY)).flat()),
    },
  },
  B07: {
    what: 'a holiday, and the day after it',
    hosts: SCANNERS, allowed: 'low',
    events: holiday,
    attack: {
      threat: 'S33', what: 'on the holiday a reader looks at forty patients without an order',
      events: () => inOrder([...holiday(), ...reads(40, unknownPatient)]),
    },
  },
  B08: {
    what: 'everybody has nearly twice as much to do, for a day; then a week of a quarter more',
    hosts: SCANNERS, allowed: 'low',
    events: () => days(8, (day) => ordinaryDay(day, undefined, day === TODAY ? 1.9 : 1.25)),
    attack: {
      threat: 'S02', what: 'on such a day one scanner sends a hundred studies that nobody ordered',
      events: () => inOrder([...ordinaryDay(TODAY, undefined, 1.9), ...sends(CT01, ARCHIVE, 100, 9, 4, unknownPatient)]),
    },
  },
  B09: {
    what: 'a research station fetches a hundred and twenty old studies',
    hosts: [ARCHIVE, RESEARCH], allowed: 'high', told: true,
    events: () => among(times(120, 9, 1, (when, i) => read(RESEARCH, when, `research${i}`, formerPatient(i), TODAY - 300)).flat()),
    attack: {
      threat: 'S04', what: 'a reader has as many sent to a stranger, while the research is declared',
      events: () => among(times(120, 9, 1, (when, i) => moved(WS02, STRANGER, when, oldStudy('x', i)))),
    },
  },
  B10: {
    what: 'the readers elsewhere have a busy night: three times the studies',
    hosts: [TELERADIOLOGY], allowed: 'low',
    events: () => among(night(TODAY, 9)),
    attack: {
      threat: 'S32', what: 'at night as many go to another address on the Internet',
      events: () => among(times(9, 23, 6, (when, i) => stored(ARCHIVE, host('BACKUP2', '203.0.113.80'), when, oldStudy('p', i)))),
    },
  },
  B11: {
    what: 'the scanners move behind one translated address, and the archive fails over to another card',
    hosts: [...SCANNERS, ARCHIVE], allowed: 'low',
    events: () => days(2, (day) => ordinaryDay(day, (same) => (same === ARCHIVE ? { ...ARCHIVE, mac: '02:00:00:00:00:a9' } : TRANSLATED(same)))),
    attack: {
      threat: 'S08', what: 'one of them works behind that address and where it always was',
      events: () => among(sends({ ...CT01, ip: '10.1.2.200', mac: '02:00:00:00:00:c8' }, ARCHIVE, 3, 10, 5, orderedPatient)),
    },
  },
  B12: {
    what: 'the RIS is down for two hours, and its messages come five a second afterwards',
    hosts: [RIS, HIS], allowed: 'low',
    events: () => outage(ordinaryDay(TODAY), RIS, at(TODAY, 10), at(TODAY, 12), SECOND / 5),
    attack: {
      threat: 'S24', what: 'as many messages, of merges, without an outage',
      events: () => among(sent(HIS, RIS, 60, 0.1, 'ADT^A40', (i) => `merged-${i}`)),
    },
  },
  B13: {
    what: 'the archive is down for three hours; everybody tries, and sends everything afterwards',
    hosts: [ARCHIVE], allowed: 'low',
    events: () => outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 10), at(TODAY, 13)),
    attack: { threat: 'S34', what: 'it does not come back', events: archiveGone },
  },
  B14: {
    what: 'the hospital system runs on its standby address from ten o\'clock on',
    hosts: [HIS], allowed: 'low',
    events: failover,
    attack: {
      threat: 'S22', what: 'a stranger sends in its name while it works',
      events: () => among(sent(host(HIS.name, '10.1.4.77'), RIS, 20, 3, 'ADT^A08', (i) => `any-${i}`)),
    },
  },
  B15: {
    what: 'an evening of two hundred merges, each into another patient',
    hosts: [HIS], allowed: 'medium',
    events: () => among(sent(HIS, RIS, 200, 0.5, 'ADT^A40', (i) => `merged-${i}`)),
    attack: {
      threat: 'S24', what: 'two hundred merges into one patient',
      events: () => among(sent(HIS, RIS, 200, 0.5, 'ADT^A40', () => 'one')),
    },
  },
  B16: {
    what: 'the laboratory begins to send a document an hour, and goes on',
    hosts: [LAB], allowed: 'low',
    events: () => days(3, (day) => [
      ...ordinaryDay(day), ...Array.from({ length: 11 }, (_, i) => message(flow(LAB, HIS, 2575), at(day, 8 + i, 17), LAB, HIS, 'MDM^T02', `any-${i}`)),
    ]),
    attack: {
      threat: 'S28', what: 'it sends sixty merges in half an hour, as it never did',
      events: () => among(sent(LAB, HIS, 60, 0.5, 'ADT^A40', (i) => `one-${i}`)),
    },
  },
  B17: {
    what: 'the monitor looks at everybody, as on every Monday',
    hosts: [MONITOR], allowed: 'low',
    events: () => among([...night(TODAY), ...contacts(3, (i) => flow(MONITOR, host('', `10.1.2.${40 + i}`), 445))]),
    attack: { threat: 'S11', what: 'a reader does the same', events: () => among([...sweep(WS02, at(TODAY, 10)), ...contacts(20, (i) => flow(WS02, host('', `10.1.2.${40 + i}`)))]) },
  },
  B18: {
    what: 'CT01 is out of service for two days',
    hosts: [CT01], allowed: 'low',
    events: () => days(3, (day) => (day < TODAY + 2 ? without(ordinaryDay(day), CT01, at(day, 0), at(day, 24)) : ordinaryDay(day))),
    attack: { threat: 'S34', what: 'the archive is out of service', events: archiveGone },
  },
  B19: {
    what: 'somebody reads forty of the day\'s studies in the evening',
    hosts: [WS03], allowed: 'low',
    events: () => among(times(40, 19, 4, (when, i) => read(WS03, when, `e${i}`, orderedPatient(i), TODAY)).flat()),
    attack: {
      threat: 'S33', what: 'somebody looks at forty patients without an order in the evening',
      events: () => among(times(40, 19, 4, (when, i) => read(WS03, when, `e${i}`, unknownPatient(i), TODAY)).flat()),
    },
  },
  B20: {
    what: 'the sensor is blind for a while, starts in the middle of conversations, and loses packets',
    hosts: [], allowed: 'low',
    events: troubledSensor,
    attack: {
      threat: 'S15', what: 'as many rules are broken on bytes that were not lost',
      events: () => among(times(60, 11, 2, (when, i) => violation(flow(WS01, ARCHIVE), when, `pdu.rule-${i % 7}`))),
    },
  },
}
