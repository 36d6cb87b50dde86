/** The engine as a whole: the same in, the same out; state that survives; and what the wire may do to it. */
import { describe, expect, test } from 'vitest'
import type { WireEvent } from '../../protocols/events.ts'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { daysBefore } from '../../models/baseline/seen.ts'
import { DEVICE_LIMITS, loadDevice, type Device } from '../../models/device.ts'
import { Directory } from '../../models/directory.ts'
import { RESIDENT_LIMITS } from '../../models/residents.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import { SECOND, association, at, failedFlow, flow, flowEnd, host, message, move, store, study, violation } from './build.ts'
import { ARCHIVE, CT01, HIS, LAB, RIS, STRANGER, WS01, WS02, WS03, inOrder, ordinaryDay, ordinaryDays, troubles } from './hospital.ts'

const LEARNED = 6

const badDays = (): WireEvent[] => troubles(LEARNED, 60, 20)
const ALL = [...ordinaryDays(LEARNED), ...badDays()]

function run(events: WireEvent[], options: Partial<EngineOptions> = {}, state?: [string, unknown][]): { alerts: Alert[]; engine: Engine } {
  const alerts: Alert[] = []
  const engine = new Engine({ ...options, onAlert: (alert) => alerts.push(alert) })
  if (state !== undefined) engine.load(state)
  for (const event of events) engine.event(event)
  return { alerts, engine }
}

/** As a state file keeps it: JSON, in any order. */
const saved = (engine: Engine): [string, unknown][] => JSON.parse(JSON.stringify([...engine.save()])) as [string, unknown][]
const byKey = (state: [string, unknown][]): [string, unknown][] => [...state].sort(([a], [b]) => (a < b ? -1 : 1))
const whole = run(ALL)

const devicesOf = (engine: Engine): Device[] =>
  saved(engine).filter(([key]) => key.startsWith('device/')).map(([, value]) => loadDevice(value))

test('do two runs over the same events give identical alerts and state?', () => {
  expect(whole.alerts.length).toBeGreaterThan(5)
  const again = run(ALL)
  expect(JSON.stringify(again.alerts)).toBe(JSON.stringify(whole.alerts))
  expect(saved(again.engine)).toEqual(saved(whole.engine))
})

describe('state that is saved in the middle', () => {
  const noon = (day: number): number => ALL.findIndex((event) => event.at >= at(day, 12))
  test.each([
    ['while learning', noon(2), (state: [string, unknown][]) => state],
    ['while incidents grow', noon(LEARNED), (state: [string, unknown][]) => state],
    ['while incidents grow, its entries ordered by key', noon(LEARNED), byKey],
    ['at the first event of a day', ALL.findIndex((event) => event.at >= at(LEARNED + 1, 0)), (state: [string, unknown][]) => state],
  ])('does it continue as if nothing had happened, saved %s?', (_when, cut, arrange) => {
    const first = run(ALL.slice(0, cut))
    const second = run(ALL.slice(cut), {}, arrange(saved(first.engine)))
    expect(JSON.stringify([...first.alerts, ...second.alerts])).toBe(JSON.stringify(whole.alerts))
  })

  test('is the empty state no state?', () => {
    expect(() => run(ALL.slice(0, 100), {}, [])).not.toThrow()
  })
})

describe('a state from before it was noted which day was the last', () => {
  const loaded = (day: number, floodDays: unknown, floods: number) => {
    const [, value] = saved(run(ALL.slice(0, 100)).engine).find(([key]) => key.startsWith('device/'))!
    return loadDevice({ ...value as object, floodDays, today: { ...(value as { today: object }).today, day, floods } }).floodDays
  }

  test('are its days before the same, whether today was one of them or not?', () => {
    expect([daysBefore(loaded(7, 3, 2), 7), daysBefore(loaded(7, 3, 0), 7), daysBefore(loaded(6, 3, 2), 7), loaded(7, undefined, 0)]).toEqual([2, 3, 3, undefined])
  })
})

test('is nothing raised before learnUntil, and something after?', () => {
  const learnUntil = at(LEARNED, 14)
  const { alerts } = run(ALL, { learnUntil })
  expect(whole.alerts.some((alert) => alert.raised_at < learnUntil)).toBe(true)
  expect(alerts.length).toBeGreaterThan(0)
  for (const alert of alerts) expect(alert.last_seen).toBeGreaterThanOrEqual(learnUntil)
})

describe('a frozen engine', () => {
  const before = saved(run(ALL.slice(0, ALL.findIndex((event) => event.at >= at(LEARNED, 0)))).engine)
  const { alerts, engine } = run(badDays(), { freeze: true }, before)

  test('does it still judge?', () => {
    expect(new Set(alerts.map((alert) => alert.detector)).size).toBeGreaterThan(2)
  })

  const known = new Map(before.filter(([key]) => key.startsWith('device/')).map(([key, value]) => [key, loadDevice(value)]))
  const after = devicesOf(engine).filter((device) => known.has(`device/${device.id}`))
  /** What was known before; a frozen run only sees what is new. */
  const habits = (device: Device): unknown => Object.entries(device.memories).map(([name, { news, known: values }]) =>
    [name, news, [...values].filter(([, habit]) => habit.settled)])
  const rates = (device: Device): [string, unknown][] =>
    [...device.streams, ...device.triggers].map(([name, { a, b, days, hours, weekdays, devDay, devHour }]) => [name, { a, b, days, hours, weekdays, devDay, devHour }])

  test('does it leave what devices are known to do as it was?', () => {
    expect(after).toHaveLength(known.size)
    for (const device of after) {
      const was = known.get(`device/${device.id}`)!
      expect([habits(device), device.role, device.lived]).toEqual([habits(was), was.role, was.lived])
    }
  })

  test('does it leave the rates of its counts as they were, over the end of a day too?', () => {
    expect(after.flatMap(rates).length).toBeGreaterThan(20)
    for (const device of after) {
      const now = new Map(rates(device))
      const was = rates(known.get(`device/${device.id}`)!)
      for (const [name, values] of was) expect(now.get(name), `${device.id} ${name}`).toEqual(values)
    }
  })

  const copies = (day: number, n: number): WireEvent[] => Array.from({ length: n }, (_, i) =>
    store(flow(CT01, STRANGER), at(day, 11, i * 2), CT01.name, study(`c${day}.${i}`, `c${i}`, day)))
  const sentTo = (day: number): number =>
    run(inOrder([...ordinaryDay(day), ...copies(day, 40)]), { freeze: true }, structuredClone(before)).alerts
      .flatMap((alert) => alert.evidence).filter((e) => e.detector === 'new-peer').reduce((most, e) => Math.max(most, e.observed ?? 0), 0)

  test('does it count what is new within a day, and is that news again on every later day?', () => {
    expect(sentTo(LEARNED)).toBeGreaterThan(25)
    const found = (days: number): number => run(Array.from({ length: days }, (_, day) =>
      inOrder([...ordinaryDay(LEARNED + day), ...copies(LEARNED + day, 40)])).flat(), { freeze: true }, structuredClone(before)).engine.findings.get('new-peer') ?? 0
    expect(found(5)).toBeGreaterThan(found(4) + 25)
  })

  test('does it say on how many days before it was, also after the first time today?', () => {
    const first = run(inOrder([...ordinaryDay(LEARNED), ...copies(LEARNED, 1)]), {}, structuredClone(before))
    const found = run(inOrder([...ordinaryDay(LEARNED + 1), ...copies(LEARNED + 1, 40)]), { freeze: true }, saved(first.engine)).alerts
    const texts = found.flatMap((alert) => alert.evidence).filter((e) => e.detector === 'new-peer').map((e) => e.text)
    expect(texts.length).toBeGreaterThan(0)
    for (const text of texts) expect(text).toMatch(/a peer it used on only 1 of the \d+ days before/)
  })

  test('does a contact that is tried again and again stay one contact?', () => {
    const tries = Array.from({ length: 200 }, (_, i) => failedFlow(flow(WS02, host('', '10.1.8.1'), 445), at(LEARNED, 10, i / 10), 'unanswered'))
    const { alerts: found } = run(inOrder([...ordinaryDay(LEARNED), ...tries]), { freeze: true }, structuredClone(before))
    expect(found.filter((alert) => alert.detector === 'fan-out')).toEqual([])
  })
})

describe('names that somebody chose to do harm', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'a\u0000b\u001b[31m', '\u202egnp.exe', '', ' ', 'x'.repeat(5000), '<script>', 'dev-|/>', '{"a":1}']
  const partner = '93.184.215.14'

  const hostile = (): WireEvent[] => NAMES.flatMap((name, i) => {
    const evil = host(name, `10.1.9.${i + 1}`)
    const when = at(LEARNED, 10, i)
    const out = flow(evil, host('', partner))
    return [
      association(out, when, name, { [name]: 1 }, { called_ae: name, implementation: { client: { class_uid: name, version_name: name }, server: null } }),
      store(out, when, name, study(name, name, LEARNED, { modality: name, study_date: name, patient: null }), { sop_class_uid: name }),
      move(flow(evil, ARCHIVE), when, name, name), move(flow(WS01, ARCHIVE), when, WS01.name, name),
      message(flow(evil, host(name, partner), 2575), when, evil, host(name, partner), name, name, { sending_facility: name }),
      ...Array.from({ length: 30 }, (_, n) => message(flow(LAB, HIS, 2575), when + n, LAB, HIS, name, name)),
      ...Array.from({ length: 30 }, (_, n) => violation(flow(evil, ARCHIVE), when + n, name, { section: name, detail: name })),
      { kind: 'host', at: when, complete: true, after_gap: false, ip: evil.ip, mac: name, vendor: name, os: null, hostname: name, evidence: name },
    ]
  })

  test('do they pass without a throw, a control character in a text, or a changed prototype?', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join()
    const { alerts } = run([...ordinaryDays(LEARNED), ...hostile()])
    expect(alerts.length).toBeGreaterThan(5)
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
    for (const { title, explanation, device, evidence } of alerts) {
      for (const text of [title, explanation, device.name, ...device.ae_titles, ...evidence.flatMap((e) => [e.text, e.unit ?? ''])]) {
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
        expect(text.length).toBeLessThan(4000)
      }
    }
  })

  test('do they survive save and load?', () => {
    const start = [...ordinaryDays(3), ...hostile()]
    const later = ordinaryDay(LEARNED + 1)
    const first = run(start)
    const one = run([...start, ...later])
    const two = run(later, {}, saved(first.engine))
    expect(JSON.stringify([...first.alerts, ...two.alerts])).toBe(JSON.stringify(one.alerts))
  })

  test('does one device with 10,000 titles and 2,000 destinations and message kinds stay within its caps?', () => {
    const dicom = flow(WS03, ARCHIVE)
    const hl7 = flow(WS03, RIS, 2575)
    const { engine } = run(Array.from({ length: 10_000 }, (_, i) => [
      association(dicom, at(0, 8) + i * 11 * SECOND, `T${i}`, {}, { called_ae: `C${i}` }),
      ...(i % 5 > 0 ? [] : [
        move(dicom, at(0, 8) + i * 11 * SECOND, `T${i}`, `D${i}`),
        message(hl7, at(0, 8) + i * 11 * SECOND, host(`A${i}`, WS03.ip), host(`R${i}`, RIS.ip), `K${i}`, `p${i}`),
      ]),
    ]).flat())
    for (const device of devicesOf(engine)) {
      expect(device.aes.size).toBeLessThanOrEqual(DEVICE_LIMITS.names)
      expect(device.apps.size).toBeLessThanOrEqual(DEVICE_LIMITS.names)
      expect(device.triggers.size).toBeLessThanOrEqual(DEVICE_LIMITS.triggers + 1)
      expect(device.today.bytes.out.studies.size).toBeLessThanOrEqual(DEVICE_LIMITS.studies)
      for (const memory of Object.values(device.memories)) expect(memory.known.size).toBeLessThanOrEqual(512)
    }
    // 50,000 names at most of about 300 bytes, and everything else is small.
    expect(JSON.stringify([...engine.save()]).length).toBeLessThan(20_000_000)
  })

  test('do more addresses than there is room for push out the oldest, and those who never answer take none?', () => {
    const address = (i: number): string => `10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`
    const swept = Array.from({ length: 10_000 }, (_, i) => failedFlow(flow(STRANGER, host('', address(i)), 104), at(0, 8) + i, 'unanswered'))
    expect(devicesOf(run(swept).engine)).toHaveLength(1)
    const directory = new Directory()
    const more = RESIDENT_LIMITS.devices + 200
    const met = Array.from({ length: more }, (_, i) => {
      const { client } = directory.ends(flow(host('', address(i)), ARCHIVE), at(0, 8) + i)
      client.last = at(0, 8) + i
      return client.id
    })
    expect(directory.devices.size).toBeLessThanOrEqual(RESIDENT_LIMITS.devices)
    expect(directory.devices.size).toBeGreaterThan(0.9 * RESIDENT_LIMITS.devices)
    expect(directory.state.byIp.size).toBe(directory.devices.size)
    expect(directory.devices.has(met.at(-1)!)).toBe(true)
    expect(directory.devices.has(met[1]!)).toBe(false)
  })
})

describe('what was cut by a loss', () => {
  const learned = saved(run(ordinaryDays(LEARNED)).engine)
  const many = (make: (i: number) => WireEvent): WireEvent[] => Array.from({ length: 100 }, (_, i) => make(i))
  const when = (i: number): number => at(LEARNED, 10, i / 4)
  const titles = (events: WireEvent[]): string[] =>
    run(inOrder([...ordinaryDay(LEARNED), ...events]), {}, structuredClone(learned)).alerts
      .filter((alert) => SEVERITIES.indexOf(alert.severity) > 0).map((alert) => alert.title)

  test.each<[string, (more: { complete: boolean; after_gap: boolean }) => WireEvent[]]>([
    ['violations', (more) => many((i) => violation(flow(WS02, ARCHIVE), when(i), `pdu.rule-${i}`, more))],
    ['associations that seem unused', (more) => many((i) => association(flow(WS02, ARCHIVE), when(i), WS02.name, {}, { started: when(i) - 300 * SECOND, ...more }))],
    ['conversations in no known protocol', (more) => many((i) => flowEnd(flow(WS02, ARCHIVE), when(i), null,
      more.after_gap ? { ...more, gaps: { client: 100, server: 0 } } : more))],
  ])('do %s after a gap raise nothing, that would otherwise?', (_what, make) => {
    expect(titles(make({ complete: true, after_gap: false })).length).toBeGreaterThan(0)
    expect(titles(make({ complete: false, after_gap: true }))).toEqual([])
  })
})
