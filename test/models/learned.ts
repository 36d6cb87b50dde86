/** The invented hospital as an engine knows it after three weeks, and what it says about a day that follows. */
import { vi } from 'vitest'
import type { DataSetFacts, Micros, WireEvent } from '../../protocols/events.ts'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import type { Evidence } from '../../models/evidence.ts'
import { Incidents } from '../../models/incidents.ts'
import { SECOND, association, at, failedFlow, flow, flowEnd, host, operation, store, study, type Host } from './build.ts'
import { ARCHIVE, CT01, HIS, LAB, LEARNED, READERS, RIS, SCANNERS, inOrder, ordered, ordinaryDay, ordinaryDays } from './hospital.ts'

/** The day that is judged: a Monday. */
export const TODAY = LEARNED
/** Visits every reader in the night. */
export const BACKUP = host('BACKUP', '10.1.9.5')
/** Reads for this hospital at night, from somewhere on the Internet; the calendar does not know. */
export const TELERADIOLOGY = host('NIGHTREAD', '198.51.100.66')
/** Looks every Monday whether everybody answers. */
export const MONITOR = host('MONITOR', '10.1.9.9')

/** What the night brings: the backup, some studies for the readers elsewhere, and on Mondays the monitor. */
export function night(day: number, studies = 3): WireEvent[] {
  return [
    ...READERS.map((reader, i) => flowEnd(flow(BACKUP, reader, 445), at(day, 2, i), null)),
    ...Array.from({ length: studies }, (_, i) => stored(ARCHIVE, TELERADIOLOGY, at(day, 23, 6 * i), study(`night${day}.${i}`, ordered(day, i % 3, 12 - i % 9), day))).flat(),
    ...(day % 7 === 0 ? sweep(MONITOR, at(day, 2, 30)) : []),
  ]
}

/** Verifies every DICOM host, and tries two more ports of each. */
export function sweep(by: Host, when: Micros): WireEvent[] {
  return [ARCHIVE, RIS, HIS, LAB, ...SCANNERS, ...READERS].filter((target) => target !== by).flatMap((target, i) => {
    const begin = when + 4 * i * SECOND
    const echo = flow(by, target)
    return [
      operation(echo, begin, by.name, 'C-ECHO'), association(echo, begin + SECOND, by.name, { 'C-ECHO': 1 }), flowEnd(echo, begin + SECOND, 'dicom'),
      ...[445, 2575].map((port, n) => failedFlow(flow(by, target, port), begin + (2 + n) * SECOND, 'refused')),
    ]
  })
}

/** One study over an association of its own. */
export function stored(from: Host, to: Host, when: Micros, facts: DataSetFacts): WireEvent[] {
  const on = flow(from, to)
  return [store(on, when, from.name, facts), association(on, when + SECOND, from.name, { 'C-STORE': 1 }), flowEnd(on, when + 2 * SECOND, 'dicom')]
}

/** Called by CT01 every working hour since the first day. */
export const VENDOR = host('VENDOR', '198.51.100.20')

/** Through JSON, as a state file has it. */
let learned: string | undefined

export function state(): [string, unknown][] {
  if (learned === undefined) {
    const engine = new Engine({ onAlert: () => undefined, learnUntil: at(TODAY, 0) })
    const nights = Array.from({ length: LEARNED }, (_, day) => night(day)).flat()
    const heartbeat = Array.from({ length: LEARNED * 10 }, (_, i) => flowEnd(flow(CT01, VENDOR, 443), at(Math.floor(i / 10), 8 + (i % 10), 20), 'tls'))
    for (const event of inOrder([...ordinaryDays(LEARNED), ...nights, ...heartbeat])) engine.event(event)
    learned = JSON.stringify([...engine.save()])
  }
  return JSON.parse(learned) as [string, unknown][]
}

/** An engine that has learned. */
export function experienced(options: EngineOptions): Engine {
  const engine = new Engine(options)
  engine.load(state())
  return engine
}

/** The alerts of what follows, each as last revised. */
export function alertsOf(events: WireEvent[], options: Partial<EngineOptions> = {}): Alert[] {
  const alerts = new Map<string, Alert>()
  const engine = experienced({ ...options, onAlert: (alert) => alerts.set(alert.id, alert) })
  for (const event of events) engine.event(event)
  engine.finish(at(TODAY + 1, 1))
  return [...alerts.values()]
}

/** The alerts of what follows, judged by what the hospital and some more days taught, while nothing is learned any more. */
export function frozenAlertsOf(events: WireEvent[], taught: WireEvent[]): Alert[] {
  const before = experienced({ onAlert: () => undefined })
  for (const event of taught) before.event(event)
  const alerts = new Map<string, Alert>()
  const engine = new Engine({ freeze: true, onAlert: (alert) => alerts.set(alert.id, alert) })
  engine.load(JSON.parse(JSON.stringify([...before.save()])) as [string, unknown][])
  for (const event of events) engine.event(event)
  return [...alerts.values()]
}

export const above = (alert: Alert, severity: Alert['severity']): boolean => SEVERITIES.indexOf(alert.severity) > SEVERITIES.indexOf(severity)

/** All evidence of a detector about what follows, whether it raised an alert or not. */
export function judged(events: WireEvent[], id: string): Evidence[] {
  const add = vi.spyOn(Incidents.prototype, 'add')
  try {
    alertsOf(events)
    return add.mock.calls.map(([evidence]) => evidence).filter(({ detector }) => detector === id)
  } finally {
    add.mockRestore()
  }
}

/** Those above a note in which a detector has a say. */
export const ofDetector = (alerts: Alert[], id: string): Alert[] => alerts.filter((alert) => above(alert, 'info') && alert.evidence.some((e) => e.detector === id))

/** Today with something more. */
export const among = (more: WireEvent[]): WireEvent[] => inOrder([...ordinaryDay(TODAY), ...more])
