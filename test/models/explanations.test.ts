/** Are the numbers that alerts of the demo tell the numbers of the model, and those of the capture? Is what they tell complete? */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Alert, AlertEvidence } from '../../models/alert.ts'
import { ATTACK_VERSION, isTechnique } from '../../models/attack.ts'
import { rarityOf } from '../../models/arithmetic.ts'
import { DETECTORS } from '../../models/detectors/index.ts'
import { Engine } from '../../models/engine.ts'
import { CaptureReader, END, FRAME } from '../../protocols/capture/reader.ts'
import { Decoder } from '../../protocols/decoder.ts'
import type { DicomAssociation, DicomOperation, WireEvent } from '../../protocols/events.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { alertText } from '../../src/sinks/terminal.ts'
import { knownNumbers, numbersIn } from './numbers.ts'

const ROOT = `${import.meta.dirname}/../..`
const events: WireEvent[] = []
const alerts = new Map<string, Alert>()

function runDemo(): void {
  const engine = new Engine({ onAlert: (alert) => alerts.set(alert.id, alert), sensor: 'wardwire', source: 'replay' })
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(32)), emit: (event) => { events.push(event); engine.event(event) } })
  const reader = new CaptureReader()
  const file = gunzipSync(readFileSync(`${ROOT}/fixtures/demo/hospital.pcap.gz`))
  let position = 0
  for (let step = reader.next(); step !== END; step = reader.next()) {
    if (step === FRAME) decoder.frame(reader)
    else {
      const n = file.copy(reader.space(), 0, position)
      position += n
      if (n === 0) reader.finish()
      else reader.filled(n)
    }
  }
  decoder.finish()
}
runDemo()

const all = [...alerts.values()]
const evidence = all.flatMap((alert) => alert.evidence.map((one) => [`${alert.title}: ${one.detector}, ${one.unit ?? ''}`, alert, one] as const))

/** What each text says beyond its fields: counted again from the capture below, or the device's own rate. */
const MORE: Record<string, RegExp> = {
  'query-enumeration': /with (\d+) records or more \(this one (\d+)\)/,
  'service-down': /^\d+ of (\d+) devices .* for ([\d.]+) (?:min|h)/,
  'foreign-protocol': /this one ([\d.e+]+) bytes up, ([\d.e+]+) down/,
  'ae-conflict': /pause is ([\d.]+) (?:min|h|days)/, 'hl7-new-sender': /pause is ([\d.]+) (?:min|h|days)|had (\d+) senders/,
  'hl7-new-kind': /\((\d+) within this hour\)/,
}

describe('the demo\'s alerts', () => {
  test.each(evidence)('are the numbers of %s those of its evidence?', (_name, alert, one) => {
    const known = knownNumbers(one, alert)
    for (const [, ...numbers] of [MORE[one.detector]?.exec(one.text) ?? []]) for (const n of numbers) if (n !== undefined) known.add(n)
    expect(numbersIn(one.text, alert).filter((n) => !known.has(n)), one.text).toEqual([])
    if (one.p !== null) expect(Math.abs(rarityOf(one.arithmetic!) / one.p - 1)).toBeLessThan(1e-9)
  })

  const dayOf = (at: number): number => Math.floor(at / 86_400_000_000)
  const hourOf = (at: number): number => Math.floor(at / 3_600_000_000)
  /** Events of the window up to the evidence; of the same microsecond, those that came before it are not told from those after. */
  let same = true
  const until = (one: AlertEvidence, window: (at: number) => number): WireEvent[] =>
    events.filter((event) => (same ? event.at <= one.at : event.at < one.at) && window(event.at) === window(one.at))
  const operations = (list: WireEvent[], ip: string, command: string): DicomOperation[] => list.filter((event): event is DicomOperation =>
    event.kind === 'dicom.operation' && event.command === command && event.flow.client.ip === ip && event.invoker === 'client')

  /** The same count, made from the events alone. */
  function recount(alert: Alert, one: AlertEvidence): number | undefined {
    const ip = alert.device.ip[0]!
    const day = until(one, dayOf)
    switch (`${one.detector}/${one.unit ?? ''}`) {
      case 'fan-out/hosts and ports contacted for the first time': {
        const contact = (event: WireEvent): string[] =>
          event.kind === 'flow' && event.flow.client.ip === ip && event.transport === 'tcp' && !event.flow.midstream ? [`${event.flow.server.ip}:${event.flow.server.port}`] : []
        const before = new Set(events.filter((event) => dayOf(event.at) < dayOf(one.at)).flatMap(contact))
        return new Set(day.flatMap(contact).filter((to) => !before.has(to))).size
      }
      case 'ae-guessing/AE titles tried': {
        const calls = (among: WireEvent[]) => among.filter((event) => event.kind === 'dicom.association').filter(({ flow }) => flow.client.ip === ip)
        const pair = (event: DicomAssociation): string => `${event.calling_ae}>${event.called_ae}`
        const known = new Set(calls(events.filter((event) => dayOf(event.at) < dayOf(one.at))).map(pair))
        const fresh = calls(day).filter((event, i, all) => !known.has(pair(event)) && all.findIndex((other) => pair(other) === pair(event)) === i)
        return fresh.filter((event, i) => event.reject !== null || fresh.slice(0, i).some(({ flow }) => flow.server.ip === event.flow.server.ip)).length
      }
      case 'query-enumeration/records shown by queries': {
        const window = one.arithmetic!.some((factor) => factor.of === 'count' && factor.window === 'hour') ? until(one, hourOf) : day
        return operations(window, ip, 'C-FIND').filter((event) => event.sop_class_uid !== '1.2.840.10008.5.1.4.31')
          .reduce((sum, event) => sum + (event.query?.matches ?? event.pending), 0)
      }
      case 'new-peer/studies sent': {
        const to = alert.hosts.find((host) => alert.peers.some((peer) => peer.id === one.peer && peer.ip.includes(host)))
        return new Set(operations(day, ip, 'C-STORE').filter((event) => event.flow.server.ip === to).map((event) => event.dataset?.study_uid)).size
      }
      case 'new-service/C-GET requests': return operations(day, ip, 'C-GET').length
      default: return undefined
    }
  }

  test('is what they say they observed what the capture holds?', () => {
    const checked = new Set<string>()
    for (const [name, alert, one] of evidence) {
      same = false
      const least = recount(alert, one)
      same = true
      const most = recount(alert, one)
      if (least === undefined || most === undefined) continue
      expect(one.observed, `${name}: ${one.text}`).toBeGreaterThanOrEqual(Math.min(most, least + 1))
      expect(one.observed, `${name}: ${one.text}`).toBeLessThanOrEqual(most)
      checked.add(one.detector)
    }
    expect([...checked].sort()).toEqual(expect.arrayContaining(['ae-guessing', 'fan-out', 'new-peer', 'query-enumeration']))
  })

  test('does every alert say since when, what would explain it, what would not, and what to do next, in the singular of one?', () => {
    for (const { explanation, attack, attack_version, title } of all) {
      expect(explanation).toMatch(/Since \d{4}-\d\d-\d\d \d\d:\d\d UTC, \d+ events? so far\..*Would explain it: .*\. Would not: .*\. Next: .*\./)
      expect(`${title} ${explanation}`).not.toMatch(/(?<![\d.,])1 (studies|queries|messages|events|devices|uses|hosts|requests|conversations|associations)\b/)
      expect(attack.length).toBeGreaterThan(0)
      expect(attack_version).toBe(ATTACK_VERSION)
    }
  })

  test('is there no more than 1.2 alerts for an incident?', () => {
    const { incidents } = JSON.parse(readFileSync(`${ROOT}/fixtures/demo/truth.json`, 'utf8')) as { incidents: { start: string; end: string; hosts: string[] }[] }
    const hour = 3_600_000_000
    const of = (alert: Alert) => incidents.filter(({ start, end, hosts }) =>
      alert.first_seen <= Date.parse(end) * 1000 + hour && alert.last_seen >= Date.parse(start) * 1000 && alert.hosts.some((host) => hosts.includes(host)))
    const told = all.filter((alert) => alert.severity !== 'info' && of(alert).length > 0)
    expect(told.length / incidents.length).toBeLessThanOrEqual(1.2)
  })

  test('is the alert that the README shows the one that the demo prints?', () => {
    const readme = readFileSync(`${ROOT}/README.md`, 'utf8')
    const shown = /```text\n(HIGH {6}[\s\S]*?)\n```/.exec(readme)![1]!
    const id = /id {6}(a-\w+)/.exec(shown)![1]!
    expect(shown.trimEnd()).toBe(alertText(alerts.get(id)!, { colour: false, width: 120 }).trimEnd())
  })
})

test.each([0.31, 0.72, 0.9137])('is the demo in two runs, cut at %d of its events, the same alerts byte for byte?', (share) => {
  const cut = Math.floor(share * events.length)
  const told: Alert[] = []
  let state: [string, unknown][] | undefined
  for (const part of [events.slice(0, cut), events.slice(cut)]) {
    const engine = new Engine({ onAlert: (alert) => told.push(alert), sensor: 'wardwire', source: 'replay' })
    if (state !== undefined) engine.load(state)
    for (const event of part) engine.event(event)
    state = JSON.parse(JSON.stringify([...engine.save()])) as [string, unknown][]
  }
  expect(JSON.stringify([...new Map(told.map((alert) => [alert.id, alert])).values()])).toBe(JSON.stringify(all))
})

test.each(DETECTORS.map((detector) => [detector.id, detector] as const))('does %s name techniques of the pinned ATT&CK version, and has its page the four parts?', (id, detector) => {
  expect(detector.attack.length).toBeGreaterThan(0)
  for (const technique of detector.attack) expect(isTechnique(technique), technique).toBe(true)
  const page = readFileSync(`${ROOT}/docs/detectors/${id}.md`, 'utf8')
  const parts = ['## What is counted and judged', '## What an alert looks like', '## False positives', '## What to do next', '## ATT&CK']
  for (const part of parts) expect(page).toContain(part)
  for (const one of detector.falsePositives) expect(page, `${id}: ${one}`).toContain(one)
})
