/**
 * Of each detector, after three weeks of the invented hospital's ordinary days: a case that it has to find, and a benign twin that looks like
 * it and has to pass. Both happen on an ordinary working day, among everything else.
 */
import type { WireEvent } from '../../protocols/events.ts'
import { Calendar } from '../../models/calendar.ts'
import type { EngineOptions } from '../../models/engine.ts'
import { DOSE_REPORT, MINUTE, WORKLIST_FIND, association, at, failedFlow, find, flow, host, operation, refused, store, study, violation } from './build.ts'
import { COMMAND, copies, dark, elsewhere, again, byChance, byTheClock, calls, later, times, guesses, hoards, sends, talks, onPort, contacts, sent, holds, floods, asks, moves, documentOf, unknownPatient, orderedPatient, reads, fortnight, PARTNER, archiveGone } from './happenings.ts'
import { ARCHIVE, CT01, CT02, HIS, LAB, MR01, READERS, RIS, STRANGER, WS01, WS02, WS03, WS04, inOrder, ordinaryDay, read } from './hospital.ts'
import { BACKUP, TODAY, VENDOR, among } from './learned.ts'

export interface Case {
  /** What happens, in words. */
  name: string
  day(): WireEvent[]
  options?: Partial<EngineOptions>
}

export const CASES: Record<string, { fires: Case; passes: Case }> = {
  'ae-conflict': {
    fires: {
      name: 'a stranger calls itself CT01 while CT01 works',
      day: () => among(sends({ ...STRANGER, name: CT01.name }, ARCHIVE, 2, 10, 5, orderedPatient)),
    },
    passes: {
      name: 'CT01 was given another address over night',
      day: () => ordinaryDay(TODAY, (same) => (same === CT01 ? host(CT01.name, '10.1.2.99') : same)),
    },
  },
  'ae-guessing': {
    fires: { name: 'thirty titles are tried, one after the other', day: () => among(guesses(30, (i) => `GUESS${i}`)) },
    passes: { name: 'one mistyped title is tried thirty times', day: () => among(guesses(30, () => 'WS2')) },
  },
  'beaconing': {
    fires: { name: 'CT01 calls an unknown address on the Internet every five minutes', day: () => among(calls(CT01, COMMAND, 20, 5, byTheClock)) },
    passes: {
      name: 'the vendor is called as ever, clocks are asked, a monitor polls CT01, and WS01 looks at a page now and then',
      day: () => among([
        ...calls(CT01, VENDOR, 20, 10, byTheClock),
        ...calls(CT01, COMMAND, 20, 17, byTheClock, { transport: 'udp', bytes: { client: 48, server: 48 }, packets: { client: 1, server: 1 } }, 123),
        ...calls(STRANGER, CT01, 60, 5, byTheClock, {}, 5666), ...calls(WS01, COMMAND, 20, 20, byChance),
      ]),
    },
  },
  'cleartext-identity': {
    fires: {
      name: 'WS01 logs in with a passcode, as it never did',
      day: () => among([association(flow(WS01, ARCHIVE), at(TODAY, 10), WS01.name, { 'C-FIND': 1 }, { user_identity: { type: 2, has_passcode: true } })]),
    },
    passes: {
      name: 'WS04 logs in with a passcode, as it always did; WS01 with a name alone',
      day: () => among([
        association(flow(WS04, ARCHIVE), at(TODAY, 10), WS04.name, { 'C-FIND': 1 }, { user_identity: { type: 2, has_passcode: true } }),
        association(flow(WS01, ARCHIVE), at(TODAY, 10, 1), WS01.name, { 'C-FIND': 1 }, { user_identity: { type: 1, has_passcode: false } }),
      ]),
    },
  },
  'context-flood': {
    fires: { name: 'WS02 proposes 127 contexts, five times, and uses none', day: () => among(floods(127)) },
    passes: { name: 'WS02 proposes 20 contexts and uses none', day: () => among(floods(20)) },
  },
  'executable-content': {
    fires: { name: 'a result carries a Windows program declared as PDF', day: () => among(documentOf('windows executable')) },
    passes: { name: 'a result carries a PDF', day: () => among(documentOf('pdf')) },
  },
  'fan-out': {
    fires: { name: 'WS02 tries port 445 of sixty addresses', day: () => among(contacts(60, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 445))) },
    passes: {
      name: 'WS02 tries the archive sixty times, and two hosts that are new to it',
      day: () => among([...contacts(60, () => flow(WS02, ARCHIVE)), ...contacts(2, (i) => flow(WS02, host('', `10.1.8.${i + 1}`), 443))]),
    },
  },
  'foreign-protocol': {
    fires: { name: 'a stranger holds five conversations of its own kind at the port of the archive', day: () => among(talks(STRANGER, ARCHIVE, 5)) },
    passes: {
      name: 'a monitor opens the port and says nothing, and one conversation has a gap',
      day: () => among([...talks(STRANGER, ARCHIVE, 5, { bytes: { client: 0, server: 0 } }), ...talks(WS01, ARCHIVE, 1, { gaps: { client: 400, server: 0 } })]),
    },
  },
  'hl7-enumeration': {
    fires: { name: 'the hospital system is shown ten patients by each of forty queries', day: () => among(asks(40, 10)) },
    passes: { name: 'it is shown one by each of six', day: () => among(asks(6, 1)) },
  },
  'hl7-merge': {
    fires: { name: 'eight patients are merged into one', day: () => among(sent(HIS, RIS, 8, 2, 'ADT^A40', () => 'one')) },
    passes: { name: 'eight patients are merged into eight others', day: () => among(sent(HIS, RIS, 8, 2, 'ADT^A40', (i) => `one-${i}`)) },
  },
  'hl7-new-kind': {
    fires: { name: 'the laboratory begins to send merges, sixty in half an hour', day: () => among(sent(LAB, HIS, 60, 0.5, 'ADT^A40', (i) => `one-${i}`)) },
    passes: { name: 'the laboratory sends one order for the first time', day: () => among(sent(LAB, HIS, 1, 1, 'OML^O21', () => 'any-1')) },
  },
  'hl7-new-sender': {
    fires: { name: 'a stranger sends two hundred updates to the RIS', day: () => among(sent(STRANGER, RIS, 200, 0.2, 'ADT^A08', (i) => `any-${i}`)) },
    passes: { name: 'a new interface sends one test message to the RIS', day: () => among(sent(STRANGER, RIS, 1, 0, 'ADT^A08', () => 'test')) },
  },
  'hl7-refusals': {
    fires: { name: 'the RIS refuses sixty messages', day: () => among(sent(HIS, RIS, 60, 0.5, 'ADT^A08', (i) => `any-${i}`, refused)) },
    passes: { name: 'the RIS refuses three messages', day: () => among(sent(HIS, RIS, 3, 5, 'ADT^A08', (i) => `any-${i}`, refused)) },
  },
  'hl7-replay': {
    fires: { name: 'the hospital system sends twenty messages again that were accepted', day: () => among(sent(HIS, RIS, 20, 2, 'ADT^A08', (i) => `any-${i}`, again('AA'))) },
    passes: { name: 'it sends twenty again that were never answered', day: () => among(sent(HIS, RIS, 20, 2, 'ADT^A08', (i) => `any-${i}`, again(null))) },
  },
  'hl7-size': {
    fires: { name: 'the laboratory sends eight results of 300 kB', day: () => among(sent(LAB, HIS, 8, 2, 'ORU^R01', (i) => `any-${i}`, { bytes: 300_000 })) },
    passes: { name: 'it sends eight of 2 kB, and one of 20 kB', day: () => among([...sent(LAB, HIS, 8, 2, 'ORU^R01', (i) => `any-${i}`, { bytes: 2000 }), ...sent(LAB, HIS, 1, 0, 'ORU^R01', () => 'any-9', { bytes: 20_000 })]) },
  },
  'hl7-volume': {
    fires: { name: 'a hundred merges more than usual', day: () => among(sent(HIS, RIS, 100, 0.5, 'ADT^A40', (i) => `one-${i}`)) },
    passes: { name: 'three merges more than usual', day: () => among(sent(HIS, RIS, 3, 5, 'ADT^A40', (i) => `one-${i}`)) },
  },
  'idle-associations': {
    fires: { name: 'forty associations held for five minutes each, unused', day: () => among(holds(40, 300)) },
    passes: { name: 'forty associations that end after five seconds', day: () => among(holds(40, 5)) },
  },
  'lateral-movement': {
    fires: {
      name: 'CT01 begins to write files on two readers',
      day: () => among([...onPort(CT01, WS01, 445, 3), ...onPort(CT01, WS02, 445, 3)]),
    },
    passes: {
      name: 'the vendor visits CT01 twice, the backup that visits every reader visits it too, and an antivirus server knocks in vain',
      day: () => among([...onPort(STRANGER, CT01, 3389, 2), ...onPort(BACKUP, CT01, 445, 6), failedFlow(flow(host('', '10.1.9.67'), CT01, 445), at(TODAY, 10), 'refused')]),
    },
  },
  'move-destination': {
    fires: { name: 'WS01 has twenty-five studies sent to EXPORT9', day: () => among(moves('EXPORT9', 25)) },
    passes: { name: 'WS01 has one study sent to WS02, for a colleague', day: () => among(moves(WS02.name, 1)) },
  },
  'new-peer': {
    fires: { name: 'CT01 sends forty studies to a stranger', day: () => among(sends(CT01, STRANGER, 40, 11, 2, orderedPatient)) },
    passes: { name: 'CT01 sends one study to a reader', day: () => among(sends(CT01, WS01, 1, 11, 2, orderedPatient)) },
  },
  'new-service': {
    fires: {
      name: 'CT01 searches the archive forty times',
      day: () => among(times(40, 11, 1, (when) => find(flow(CT01, ARCHIVE), when, CT01.name, 5))),
    },
    passes: {
      name: 'CT01 sends its first dose report, and verifies the archive',
      day: () => among([
        store(flow(CT01, ARCHIVE), at(TODAY, 11), CT01.name, study('dose', orderedPatient(0), TODAY, { modality: 'SR' }), { sop_class_uid: DOSE_REPORT }),
        operation(flow(CT01, ARCHIVE), at(TODAY, 12), CT01.name, 'C-ECHO'),
      ]),
    },
  },
  'new-worklist': {
    fires: { name: 'a stranger answers the worklist queries of CT01 and CT02', day: () => elsewhere(ordinaryDay(TODAY), [CT01, CT02], STRANGER, 10, 18) },
    passes: {
      name: 'the worklist server was given another address over night, and a stranger who asks for a worklist gets one',
      day: () => inOrder([
        ...elsewhere(ordinaryDay(TODAY), [CT01, CT02, MR01], host(RIS.name, '10.1.1.77', RIS.mac), 0, 24),
        find(flow(STRANGER, RIS, 105), at(TODAY, 10), STRANGER.name, 3, { sop_class_uid: WORKLIST_FIND }),
      ]),
    },
  },
  'peer-to-peer': {
    fires: {
      name: 'a stranger reaches WS01 over SMB, which then reaches CT01 and the RIS over SMB',
      day: () => among([...onPort(STRANGER, WS01, 445, 1), ...later(onPort(WS01, RIS, 445, 1), 20 * MINUTE), ...later(onPort(WS01, CT01, 445, 1), 30 * MINUTE)]),
    },
    passes: {
      name: 'the backup that visits every reader visits CT01, the vendor comes to CT01 by RDP, which fetches files elsewhere, and WS01 is reached and answers',
      day: () => among([
        ...onPort(BACKUP, CT01, 445, 1), ...onPort(STRANGER, CT01, 3389, 1), ...later(onPort(CT01, HIS, 22, 1), 20 * MINUTE),
        ...onPort(HIS, WS01, 445, 1), ...later(onPort(WS01, HIS, 445, 1), 5 * MINUTE),
      ]),
    },
  },
  'private-data': {
    fires: { name: 'six studies of CT01 hold as much in private elements as in their pictures', day: () => among(hoards(6, 1_000_000)) },
    passes: { name: 'two of them do, and six hold a few bytes', day: () => among([...hoards(2, 1_000_000), ...hoards(6, 40)]) },
  },
  'protocol-violations': {
    fires: { name: 'WS02 breaks thirty rules', day: () => among(times(30, 11, 0.2, (when, i) => violation(flow(WS02, ARCHIVE), when, `pdu.rule-${i}`))) },
    passes: { name: 'WS02 breaks one rule', day: () => among([violation(flow(WS02, ARCHIVE), at(TODAY, 11), 'pdu.length')]) },
  },
  'public-address': {
    fires: { name: 'CT01 sends a study to an address on the Internet', day: () => among(sends(CT01, PARTNER, 1, 11, 2, orderedPatient)) },
    passes: {
      name: 'CT01 sends a study to a declared partner on the Internet',
      day: () => among(sends(CT01, PARTNER, 1, 11, 2, orderedPatient)),
      options: { calendar: new Calendar({ publicPeers: [PARTNER.ip] }) },
    },
  },
  'query-enumeration': {
    fires: {
      name: 'WS02 searches three hundred times and reads nothing',
      day: () => among(times(300, 11, 0.2, (when) => find(flow(WS02, ARCHIVE), when, WS02.name, 64))),
    },
    passes: { name: 'WS02 searches five times more than usual and reads each', day: () => among(times(5, 11, 8, (when, i) => read(WS02, when, `q${i}`, orderedPatient(i), TODAY))) },
  },
  'rerouted': {
    fires: { name: 'CT02 speaks from the card of WS03', day: () => ordinaryDay(TODAY, (same) => (same === CT02 ? { ...CT02, mac: WS03.mac } : same)) },
    passes: {
      name: 'CT02 has a new card and address, and CT01 comes twice from a new card',
      day: () => inOrder([
        ...ordinaryDay(TODAY, (same) => (same === CT02 ? host(CT02.name, '10.1.2.88', '02:11:22:33:44:55') : same)),
        ...sends({ ...CT01, mac: '02:11:22:33:44:66' }, ARCHIVE, 2, 22, 5, orderedPatient),
      ]),
    },
  },
  'service-down': {
    fires: { name: 'the archive refuses everybody from ten o\'clock on', day: archiveGone },
    passes: {
      name: 'each reader is refused once, hours apart, while the archive serves the others',
      day: () => among(READERS.flatMap((reader, i) => [failedFlow(flow(reader, ARCHIVE), at(TODAY, 9 + 2 * i, 30), 'refused')])),
    },
  },
  'silence': {
    fires: { name: 'scanners and readers do nothing any more from noon on', day: () => dark(12) },
    passes: { name: 'one of them does nothing any more from noon on', day: () => dark(12, [CT01]) },
  },
  'slow-drip': {
    fires: { name: 'WS03 reads three studies more a day that nobody ordered, for two weeks', day: () => fortnight(3) },
    passes: { name: 'WS03 reads as always for two weeks', day: () => fortnight(0) },
  },
  'stale-studies': {
    fires: { name: 'CT01 sends twenty studies of two years ago to the archive', day: () => among(sends(CT01, ARCHIVE, 20, 11, 3, orderedPatient, TODAY - 700)) },
    passes: { name: 'CT01 sends twenty studies of yesterday again', day: () => among(sends(CT01, ARCHIVE, 20, 11, 3, orderedPatient, TODAY - 1)) },
  },
  'store-bytes': {
    fires: {
      name: 'CT01 sends three studies as large as its month',
      day: () => among(sends(CT01, ARCHIVE, 3, 11, 3, orderedPatient, TODAY, 400_000_000)),
    },
    passes: {
      name: 'CT01 sends a few studies that are three times as large as usual',
      day: () => among(sends(CT01, ARCHIVE, 3, 11, 3, orderedPatient, TODAY, 4_500_000)),
    },
  },
  'store-volume': {
    fires: { name: 'WS03 retrieves a hundred and fifty studies that nobody ordered', day: () => among(reads(150, unknownPatient)) },
    passes: {
      name: 'CT01 has a busy day: fifteen studies more, all ordered',
      day: () => among(sends(CT01, ARCHIVE, 15, 9, 20, orderedPatient)),
    },
  },
  'unexplained-access': {
    fires: { name: 'WS03 reads sixty studies of patients without an order', day: () => among(reads(60, unknownPatient)) },
    passes: { name: 'WS03 reads sixty studies of patients with an order', day: () => among(reads(60, orderedPatient)) },
  },
  'new-receiver': {
    fires: {
      name: 'two scanners give a copy of each new study to a host that nobody knows as well',
      day: () => { const usual = ordinaryDay(TODAY); return inOrder([...usual, ...copies(usual, [CT01, CT02], STRANGER, 10, 11.5)]) },
    },
    passes: {
      name: 'a service engineer has CT01 send two tests to a new station',
      day: () => among(sends(CT01, STRANGER, 2, 10, 5, orderedPatient)),
    },
  },
  'unlike-peers': {
    fires: { name: 'WS03 reads three studies more a day that nobody ordered, for two weeks, as no other reader does', day: () => fortnight(3) },
    passes: { name: 'all readers read as always for two weeks', day: () => fortnight(0) },
  },
}
