/** Each detector: the case that it has to find, and the benign twin that it has to pass (cases.ts). */
import { readFileSync, existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { FlowEnd, WireEvent } from '../../protocols/events.ts'
import { DETECTORS } from '../../models/detectors/index.ts'
import { DAY, HOUR, MINUTE, association, at, flow, flowEnd, message, operation, store, study, violation, type Host } from './build.ts'
import { CASES } from './cases.ts'
import { floods, moved, orderedPatient, sent, shift, times } from './happenings.ts'
import { ARCHIVE, CT01, HIS, RIS, STRANGER, WS02, WS03, inOrder, ordinaryDay } from './hospital.ts'
import { TODAY, above, alertsOf, among, frozenAlertsOf, ofDetector } from './learned.ts'

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
    const cut = (client: number) => times(6, 11, 3, (when) => flowEnd(flow(CT01, ARCHIVE), when, 'dicom', { bytes: { client, server: 400 } }))
    expect(told(cut(800_000_000))).toHaveLength(1)
    expect(told(cut(500_000))).toEqual([])
  })

  test('do they count where worklists are given out, and nothing was ever stored?', () => {
    expect(told(times(3, 11, 3, (when) => flowEnd(flow(CT01, RIS, 105), when, 'dicom', { bytes: { client: 400_000_000, server: 400 } })))).toEqual([])
  })

  test('does a conversation count whose association was refused?', () => {
    const refusedOnes = times(3, 11, 3, (when) => {
      const on = flow(CT01, ARCHIVE)
      return [
        association(on, when, CT01.name, {}, { result: 'rejected', reject: { result: 1, source: 1, reason: 7 }, ended: 'closed' }),
        flowEnd(on, when + 1, 'dicom', { bytes: { client: 400_000_000, server: 400 } }),
      ]
    })
    expect(told(refusedOnes)).toEqual([])
  })
})

describe('HL7 messages of a new kind', () => {
  const told = (events: WireEvent[]) => ofDetector(alertsOf(events), 'hl7-new-kind')
  /** Two kinds of a family it has always sent, each new on a day of the week before. */
  const cancels = () => [...ordinaryDay(TODAY), ...sent(HIS, RIS, 1, 1, 'ADT^A11', () => 'one'), ...shift(ordinaryDay(TODAY), DAY), ...shift(sent(HIS, RIS, 1, 1, 'ADT^A12', () => 'two'), DAY)]

  test('are six of a family that a system never sent told, although it began rare kinds of a family it always sent?', () => {
    const day = inOrder([...ordinaryDay(TODAY + 3), ...shift(sent(HIS, RIS, 6, 1, 'MFN^M02', (i) => `any-${i}`), 3 * DAY)])
    const [alert, ...more] = told([...inOrder(cancels()), ...ordinaryDay(TODAY + 2), ...day])
    expect(more).toEqual([])
    expect(alert!.title).toBe('HIS sends MFN^M02, a kind of message it never sent')
  })

  test('does a kind that begins today say nothing of how usual new kinds are?', () => {
    const [first, last] = [2, 12].map((n) => told(among(sent(HIS, RIS, n, 1, 'MFN^M02', (i) => `any-${i}`))).flatMap(({ evidence }) => evidence)
      .find(({ detector }) => detector === 'hl7-new-kind')?.arithmetic?.find((factor) => factor.of === 'news'))
    expect(last).toMatchObject({ news: 0 })
    expect(first === undefined || first.news === 0).toBe(true)
  })

  test('do three cancellations in an hour pass?', () => {
    expect(told(among(sent(HIS, RIS, 3, 10, 'ADT^A11', (i) => `any-${i}`)))).toEqual([])
  })
})

describe('floods of presentation contexts', () => {
  const onDay = (day: number, n: number) => inOrder([...ordinaryDay(TODAY + day), ...shift(floods(n), day * DAY)])
  const days = (events: WireEvent[]) => ofDetector(alertsOf(events), 'context-flood').map(({ raised_at }) => Math.floor((raised_at - at(TODAY, 0)) / DAY))

  test('is a second flood told, two days after one as large?', () => {
    expect(days([...onDay(0, 127), ...ordinaryDay(TODAY + 1), ...onDay(2, 127)])).toEqual([0, 2])
  })

  test('is what a program does every other day told three times, and then known of it?', () => {
    expect(days(Array.from({ length: 12 }, (_, day) => (day % 2 === 0 ? onDay(day, 127) : ordinaryDay(TODAY + day))).flat())).toEqual([0, 2, 4])
  })

  test.each([[2, 1], [3, 0]])('is a device that did so on %i days told %i times, when nothing is learned any more?', (learned, told) => {
    const taught = Array.from({ length: 2 * learned }, (_, day) => (day % 2 === 0 ? onDay(day, 127) : ordinaryDay(TODAY + day))).flat()
    expect(ofDetector(frozenAlertsOf(onDay(2 * learned, 127), taught), 'context-flood')).toHaveLength(told)
  })
})

describe('PDUs over the limit that the other side set', () => {
  const oversize = (n: number) => among(times(n, 11, 0.5, (when) => violation(flow(WS02, ARCHIVE), when, 'pdu.over-maximum', { section: 'PS3.8 D.1.1' })))
  const told = (day: WireEvent[]) => ofDetector(alertsOf(day), 'protocol-violations')

  test('are three of them in a minute told, by whom and how many, of a reader that kept to every limit?', () => {
    const [alert, ...more] = told(oversize(3))
    expect(more).toEqual([])
    expect(alert).toMatchObject({ severity: 'medium', device: { ip: [WS02.ip] }, title: 'WS02 sends PDUs that are longer than ARCHIVE takes' })
    expect(alert!.explanation).toMatch(/^3 PDUs of WS02 today were longer .* in the \d+ days before, it kept to such limits/)
  })

  test('is one of them no alert?', () => {
    expect(told(oversize(1))).toEqual([])
  })

  const over = (from: Host, n: number, hour = 11) => times(n, hour, 0.5, (when) => violation(flow(from, ARCHIVE), when, 'pdu.over-maximum', { section: 'PS3.8 D.1.1' }))

  test('are six of them told of a reader that sent thirty a week before?', () => {
    const days = Array.from({ length: 8 }, (_, day) => inOrder([...ordinaryDay(TODAY + day), ...shift(day === 0 ? over(WS02, 30) : day === 7 ? over(WS02, 6) : [], day * DAY)])).flat()
    const alerts = told(days)
    expect(alerts.map(({ raised_at }) => Math.floor((raised_at - at(TODAY, 0)) / DAY))).toEqual([0, 7])
    expect(alerts[1]!.explanation).toMatch(/^6 PDUs of WS02 today .*; it did so on only 1 of the \d+ days before/)
  })

  test('is what a program does every other day known of it after three alerts, one day in ten?', () => {
    const days = Array.from({ length: 10 }, (_, day) => inOrder([...ordinaryDay(TODAY + day), ...shift(day % 2 === 0 ? over(WS02, 6) : [], day * DAY)])).flat()
    expect(told(days).map(({ raised_at }) => Math.floor((raised_at - at(TODAY, 0)) / DAY))).toEqual([0, 2, 4])
  })

  test('are three of them told of a newcomer, at a site where everybody keeps to the limits?', () => {
    const [alert, ...more] = told(among(over(STRANGER, 3)))
    expect(more).toEqual([])
    expect(alert).toMatchObject({ severity: 'medium', device: { ip: [STRANGER.ip] } })
    expect(alert!.explanation).toMatch(/in the \d+ days before, nobody known here did so on more than one day in ten/)
  })

  test('are they nothing new from a newcomer where known devices send them every other day?', () => {
    const days = Array.from({ length: 8 }, (_, day) => [...ordinaryDay(TODAY + day), ...shift(day % 2 === 0 ? over(CT01, 2) : [], day * DAY)]).flat()
    const alerts = told([...inOrder(days), ...inOrder([...ordinaryDay(TODAY + 8), ...shift(over(STRANGER, 3), 8 * DAY)])])
    expect(alerts.filter(({ device }) => device.ip.includes(STRANGER.ip))).toEqual([])
  })
})

test('is TLS at a port that spoke DICOM in the clear told, from the third conversation on more than low?', () => {
  const tls = (n: number) => times(n, 10, 5, (when) => flowEnd(flow(WS02, ARCHIVE), when, 'tls', { bytes: { client: 2000, server: 2000 } }))
  expect([1, 3].map((n) => ofDetector(alertsOf(among(tls(n))), 'foreign-protocol').map(({ severity }) => severity))).toEqual([['low'], ['medium']])
})

describe('a host that nobody knows, at a site that is known', () => {
  const severities = (day: WireEvent[], id: string) => ofDetector(alertsOf(among(day)), id).map((alert) => alert.severity)
  const breaks = (n: number) => times(n, 11, 0.2, (when, i) => violation(flow(STRANGER, ARCHIVE), when, `pdu.rule-${i}`))

  test('is it judged by what nobody does there?', () => {
    expect(severities(breaks(30), 'protocol-violations')).toEqual(['medium'])
  })

  test('may it make mistakes as anybody does?', () => {
    expect(severities(breaks(2), 'protocol-violations')).toEqual([])
  })
})

describe('a retrieval for somebody else', () => {
  test.each([['together', 0], ['hours before the studies go', 3], ['hours after', -3]])('is it one alert that names who asked, also when a request is made %s?', (_when, hours) => {
    const moves = times(60, 11, 1, (when, i) => moved(WS03, STRANGER, when, study(`m${i}`, `nobody-${i}`, TODAY - 300)).map((event) =>
      (event.kind === 'dicom.operation' && event.command === 'C-MOVE' ? { ...event, at: event.at - hours * HOUR } : event)))
    const alerts = alertsOf(among(moves)).filter((alert) => above(alert, 'info'))
    expect(alerts.map((alert) => alert.title)).toHaveLength(1)
    expect(alerts[0]!.hosts).toEqual(expect.arrayContaining([WS03.ip, ARCHIVE.ip, STRANGER.ip]))
    expect(alerts[0]!.explanation).toContain('; WS03 asked for it (C-MOVE)')
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

describe('connections to an HL7 listener that are held open', () => {
  const idle = { bytes: { client: 1, server: 0 }, started: 0 }
  const held = (n: number, from: Host, more: Partial<FlowEnd> = {}) => among(times(n, 10, 0.1, (when) =>
    flowEnd(flow(from, RIS, 2575), when, null, { ...idle, started: when - 10 * MINUTE, ...more })))
  const told = (day: WireEvent[]) => ofDetector(alertsOf(day), 'idle-associations')

  test.each([WS02, STRANGER])('are they told of $name?', (from) => {
    const [alert] = told(held(40, from))
    expect(alert!.title).toMatch(/holds connections for HL7 open without using them/)
    expect(alert!.device.ip).toEqual([from.ip])
  })

  test('are they told also where the beginning of a message was sent?', () => {
    expect(told(held(40, WS02, { protocol: 'hl7', bytes: { client: 19, server: 0 } }))).toHaveLength(1)
  })

  test('do those say nothing that end soon, are answered, or lost bytes?', () => {
    for (const more of [{ bytes: { client: 1, server: 60 } }, { gaps: { client: 10, server: 0 } }]) expect(told(held(40, WS02, more))).toEqual([])
    expect(told(among(times(40, 10, 0.1, (when) => flowEnd(flow(WS02, RIS, 2575), when, null, { ...idle, started: when - 10_000_000 }))))).toEqual([])
  })

  test('does a system that begins anew each time keep its messages apart from that?', () => {
    const sends = times(40, 13, 0.5, (when, i) => {
      const on = flow(HIS, RIS, 2575)
      return [message(on, when, HIS, RIS, 'ADT^A08', `any-${i}`, { acks: [] }), flowEnd(on, when + 5 * MINUTE, 'hl7', { bytes: { client: 600, server: 0 }, started: when })]
    })
    expect(told(among(sends))).toEqual([])
  })
})
