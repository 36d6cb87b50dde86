/**
 * Each detector, after three weeks of an invented hospital's ordinary days: a case that it has to find, and a benign twin that looks like
 * it and has to pass. Both happen on an ordinary working day, among everything else.
 */
import { readFileSync, existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Flow, Micros, WireEvent } from '../../protocols/events.ts'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { DETECTORS } from '../../models/detectors/index.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import {
  DAY, DOSE_REPORT, MINUTE, SECOND, association, at, failedFlow, find, flow, flowEnd, host, message, move, operation, refused, store, study, violation,
  type Host,
} from './build.ts'
import { ARCHIVE, CT01, CT02, HIS, LAB, LEARNED, READERS, RIS, STRANGER, WS01, WS02, WS03, WS04, inOrder, ordinaryDay, ordinaryDays, read } from './hospital.ts'

const TODAY = LEARNED
/** The learned state, through JSON as a state file has it. */
let learned: string | undefined

function state(): [string, unknown][] {
  if (learned === undefined) {
    const engine = new Engine({ onAlert: () => undefined, learnUntil: at(TODAY, 0) })
    const nightly = Array.from({ length: LEARNED }, (_, day) => [WS01, WS02, WS03, WS04].map((reader, i) => flowEnd(flow(BACKUP, reader, 445), at(day, 2, i), null))).flat()
    for (const event of inOrder([...ordinaryDays(LEARNED), ...nightly])) engine.event(event)
    learned = JSON.stringify([...engine.save()])
  }
  return JSON.parse(learned) as [string, unknown][]
}

/** The day's alerts, each as last revised. */
function alertsOf(day: WireEvent[], options: Partial<EngineOptions> = {}): Alert[] {
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ ...options, onAlert: (alert) => alerts.set(alert.id, alert) })
  engine.load(state())
  for (const event of day) engine.event(event)
  engine.finish(at(TODAY + 1, 1))
  return [...alerts.values()]
}

/** Those above a note in which a detector has a say. */
const ofDetector = (alerts: Alert[], id: string): Alert[] =>
  alerts.filter((alert) => SEVERITIES.indexOf(alert.severity) > SEVERITIES.indexOf('info') && alert.evidence.some((e) => e.detector === id))

const among = (more: WireEvent[]): WireEvent[] => inOrder([...ordinaryDay(TODAY), ...more])
/** n times, from an hour of today on, so many minutes apart. */
const times = (n: number, hour: number, apart: number, make: (when: Micros, i: number) => WireEvent | WireEvent[]): WireEvent[] =>
  Array.from({ length: n }, (_, i) => make(at(TODAY, hour, i * apart), i)).flat()

// ---- what happens in several cases

const rejected = { result: 'rejected', reject: { result: 1, source: 1, reason: 3 }, ended: 'closed' } as const
const guesses = (n: number, title: (i: number) => string): WireEvent[] =>
  times(n, 10, 0.5, (when, i) => association(flow(WS02, ARCHIVE), when, title(i), {}, rejected))

/** Studies sent over one association each. */
const sends = (from: Host, to: Host, n: number, hour: number, apart: number, of: (i: number) => string, made = TODAY, bytes = 500_000): WireEvent[] =>
  times(n, hour, apart, (when, i) => {
    const on = flow(from, to)
    return [
      store(on, when, from.name, study(`s${i}.${hour}`, of(i), made, { bytes })), association(on, when + SECOND, from.name, { 'C-STORE': 1 }),
      flowEnd(on, when + 2 * SECOND, 'dicom'),
    ]
  })

const talks = (from: Host, to: Host, n: number, more: Parameters<typeof flowEnd>[3] = {}): WireEvent[] =>
  times(n, 10, 5, (when) => flowEnd(flow(from, to), when, null, more))

const onPort = (from: Host, to: Host, port: number, n: number): WireEvent[] => times(n, 10, 5, (when) => flowEnd(flow(from, to, port), when, null))
const BACKUP = host('BACKUP', '10.1.9.5')

const contacts = (n: number, to: (i: number) => Flow): WireEvent[] => times(n, 10, 0.1, (when, i) => failedFlow(to(i), when, 'unanswered'))

const sent = (from: Host, to: Host, n: number, apart: number, type: string, of: (i: number) => string, more: Parameters<typeof message>[6] = {}): WireEvent[] => {
  const on = flow(from, to, 2575)
  return times(n, 13, apart, (when, i) => message(on, when, from, to, type, of(i), more))
}

const holds = (n: number, seconds: number): WireEvent[] =>
  times(n, 10, 3, (when) => association(flow(WS03, ARCHIVE), when, WS03.name, {}, { started: when - seconds * SECOND }))

const floods = (n: number): WireEvent[] =>
  times(5, 10, 1, (when) => association(flow(WS02, ARCHIVE), when, WS02.name, {}, {
    ended: 'aborted',
    contexts: Array.from({ length: n }, (_, i) => ({ id: 2 * i + 1, abstract_syntax: `1.2.${i % 15}`, transfer_syntaxes: ['1.2.840.10008.1.2'], result: 0, transfer_syntax: '1.2.840.10008.1.2' })),
  }))

const asks = (n: number, patients: number): WireEvent[] =>
  sent(HIS, RIS, n, 0.2, 'QBP^Q22', () => 'any-1', { acks: [{ code: 'AA', control_id: null, message_type: 'RSP^K22', bytes: 500, patients, latency_ms: 5 }] })

const moves = (destination: string, n: number): WireEvent[] =>
  times(n, 11, 2, (when) => {
    const on = flow(WS01, ARCHIVE)
    return [find(on, when, WS01.name, 2), move(on, when + 5 * SECOND, WS01.name, destination)]
  })

const documentOf = (content: string): WireEvent[] =>
  sent(LAB, HIS, 1, 0, 'ORU^R01', () => 'any-1', {
    documents: [{ value_type: 'ED', declared: 'application/pdf', encoding: 'Base64', bytes: 40_000, content }],
  })

/** No order today or before names these. */
const unknownPatient = (i: number): string => `nobody-${i}`
/** Patients with an order of this morning. */
const orderedPatient = (i: number): string => `${TODAY}-${i % 3}-${Math.floor(i / 3) % 14}`

const reads = (n: number, of: (i: number) => string): WireEvent[] => times(n, 12, 1.5, (when, i) => read(WS03, when, `x${i}`, of(i), TODAY)).flat()

/** Two weeks in which WS03 reads so many studies more a day without an order, spread over the day. */
const fortnight = (n: number): WireEvent[] =>
  Array.from({ length: 14 }, (_, d) => inOrder([
    ...ordinaryDay(TODAY + d),
    ...Array.from({ length: n }, (__, i) => read(WS03, at(TODAY + d, 9 + 2.5 * i, 7), `drip${d}.${i}`, `nobody-${d}-${i}`, TODAY + d)).flat(),
  ])).flat()

const PARTNER = host('PARTNER', '93.184.215.14')
const shift = (events: WireEvent[], by: Micros): WireEvent[] => events.map((event) => ({ ...event, at: event.at + by }))

/** A day on which the archive is gone from ten o'clock on, and everybody tries in vain. */
function archiveGone(): WireEvent[] {
  const ten = at(TODAY, 10)
  return ordinaryDay(TODAY).flatMap((event): WireEvent[] => {
    if (!('flow' in event) || event.at < ten) return [event]
    const { client, server } = event.flow
    if (client.ip === ARCHIVE.ip) return []
    if (server.ip !== ARCHIVE.ip) return [event]
    return event.kind === 'flow' ? [failedFlow(event.flow, event.at, 'refused')] : []
  })
}

interface Case {
  /** What happens, in words. */
  name: string
  day(): WireEvent[]
  options?: Partial<EngineOptions>
}

const CASES: Record<string, { fires: Case; passes: Case }> = {
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
    passes: { name: 'CT02 has a new card', day: () => ordinaryDay(TODAY, (same) => (same === CT02 ? { ...CT02, mac: '02:11:22:33:44:55' } : same)) },
  },
  'service-down': {
    fires: { name: 'the archive refuses everybody from ten o\'clock on', day: archiveGone },
    passes: {
      name: 'each reader is refused once, hours apart, while the archive serves the others',
      day: () => among(READERS.flatMap((reader, i) => [failedFlow(flow(reader, ARCHIVE), at(TODAY, 9 + 2 * i, 30), 'refused')])),
    },
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
}

test('does an ordinary day after the learning raise nothing?', () => {
  expect(alertsOf(ordinaryDay(TODAY)).map((alert) => alert.title)).toEqual([])
})

test('is the ordinary day still nothing when it comes a minute late?', () => {
  expect(alertsOf(shift(ordinaryDay(TODAY), MINUTE)).map((alert) => alert.title)).toEqual([])
})

for (const [id, { fires, passes }] of Object.entries(CASES)) {
  describe(id, () => {
    test(`is it found: ${fires.name}?`, () => {
      const alerts = alertsOf(fires.day(), fires.options)
      const found = ofDetector(alerts, id)
      expect(found.length, `alerts instead: ${alerts.map((alert) => alert.detector).join()}`).toBeGreaterThan(0)
      const said = found[0]!.evidence.find((e) => e.detector === id)!
      expect(said.text.length).toBeGreaterThan(20)
      expect(said.observed).toBeGreaterThan(0)
    })

    test(`does it pass: ${passes.name}?`, () => {
      expect(ofDetector(alertsOf(passes.day(), passes.options), id).map((alert) => `${alert.severity} ${alert.title}`)).toEqual([])
    })
  })
}

describe('bytes that are not read from C-STORE', () => {
  const told = (day: WireEvent[]) => ofDetector(alertsOf(among(day)), 'store-bytes').map((alert) => alert.evidence.find((e) => e.detector === 'store-bytes')!.observed)

  test('do they count when a reader fetches over the web?', () => {
    const fetches = (bytes: number) => times(2, 11, 3, (when, i) => {
      const facts = study(`w${i}`, orderedPatient(i), TODAY, { bytes })
      return operation(flow(WS03, ARCHIVE, 8042), when, '', 'C-GET', { transport: 'dicomweb', calling_ae: null, dataset: facts })
    })
    expect(told(fetches(600_000_000))).toHaveLength(1)
    expect(told(fetches(500_000))).toEqual([])
  })

  test('do they count when packets were cut too short to be read?', () => {
    const cut = (client: number) => times(3, 11, 3, (when) => flowEnd(flow(CT01, ARCHIVE), when, 'dicom', { bytes: { client, server: 400 } }))
    expect(told(cut(400_000_000))).toHaveLength(1)
    expect(told(cut(500_000))).toEqual([])
  })
})

describe('programs in front of images', () => {
  const stored = (preambles: Record<string, number>, transaction: 'STOW-RS' | 'WADO-RS') => ofDetector(alertsOf(among(times(1, 11, 1, (when) =>
    operation(flow(WS03, ARCHIVE, 8042), when, '', transaction === 'STOW-RS' ? 'C-STORE' : 'C-GET', {
      transport: 'dicomweb', calling_ae: null, dataset: study('web', orderedPatient(1), TODAY),
      web: { transaction, resource: 'study', http_status: 200, instances: 3, studies: [], preambles, authorization: null },
    })))), 'executable-content')

  test('is a stored instance with a Windows program as its preamble the work of whoever stored it?', () => {
    const [alert] = stored({ 'windows executable': 1 }, 'STOW-RS')
    expect(alert).toMatchObject({ severity: 'high', device: { ip: [WS03.ip] } })
    expect(alert!.explanation).toContain('1 of 3 instances in a STOW-RS transaction begins like a program (windows executable)')
  })

  test('is a retrieved one the work of the archive that gave it?', () => {
    expect(stored({ 'elf executable': 2 }, 'WADO-RS')[0]).toMatchObject({ device: { ip: [ARCHIVE.ip] } })
  })

  test('does an ordinary or a TIFF preamble pass?', () => {
    expect(stored({ tiff: 3 }, 'STOW-RS')).toEqual([])
  })
})

describe('programs and archives inside images', () => {
  const holding = (element: string, content: string) => times(2, 11, 1, (when, i) => store(flow(CT01, ARCHIVE), when, 'CT01',
    study(`held-${i}`, orderedPatient(i), TODAY, { documents: [{ element, declared: null, bytes: 9000, content }] })))
  const told = (events: WireEvent[]) => ofDetector(alertsOf(among(events)), 'executable-content')

  test.each([['PixelData', 'elf executable'], ['EncapsulatedDocument', 'windows executable'], ['00291010', 'script']])('is a program found in %s (%s)?', (element, content) => {
    const [alert] = told(holding(element, content))
    expect(alert).toMatchObject({ severity: 'high', device: { ip: [CT01.ip] } })
    expect(alert!.explanation).toContain(`begins like a program (${content})`)
  })

  test('is an archive in place of a picture more than one among what only the maker can read?', () => {
    expect(told(holding('PixelData', 'zip'))[0]).toMatchObject({ severity: 'medium' })
    expect(told(holding('00291010', 'zip'))[0]).toMatchObject({ severity: 'low' })
  })

  test('do a PDF as encapsulated document, and a DICOM file in a private element, pass?', () => {
    expect(told([...holding('EncapsulatedDocument', 'pdf'), ...holding('00291010', 'dicom')])).toEqual([])
  })

  test('is an archive that a device packs every day no news any more?', () => {
    const days = Array.from({ length: 8 }, (_, i) => i)
    const [alert, ...others] = ofDetector(alertsOf(inOrder(days.flatMap((day) => [...ordinaryDay(TODAY + day), ...shift(holding('00291010', 'zip'), day * DAY)]))), 'executable-content')
    expect(others).toEqual([])
    expect(alert!.last_seen).toBeLessThan(at(TODAY + 3, 0))
  })
})

describe('the list of detectors', () => {
  test('has each a firing case, a benign twin and no case without a detector?', () => {
    expect(Object.keys(CASES).sort()).toEqual(DETECTORS.map((detector) => detector.id).sort())
  })

  const folder = new URL('../../docs/detectors/', import.meta.url)
  const index = readFileSync(new URL('README.md', folder), 'utf8')
  test.each(DETECTORS.map((detector) => [detector.id, detector] as const))('has %s a page that asks its question, names its techniques, and is listed?', (id, detector) => {
    const page = new URL(`${id}.md`, folder)
    expect(existsSync(page), `docs/detectors/${id}.md`).toBe(true)
    const text = readFileSync(page, 'utf8')
    expect(text).toContain(detector.question)
    for (const technique of detector.attack) expect(text).toContain(technique)
    expect(index).toContain(`| [${id}](${id}.md) | ${detector.question} | ${detector.group} |`)
  })
})
