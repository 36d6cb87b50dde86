/** The invented hospital as an engine knows it after three weeks, and what it says about a day that follows. */
import type { WireEvent } from '../../protocols/events.ts'
import { SEVERITIES, type Alert } from '../../models/alert.ts'
import { Engine, type EngineOptions } from '../../models/engine.ts'
import { at, flow, flowEnd, host } from './build.ts'
import { CT01, LEARNED, READERS, inOrder, ordinaryDay, ordinaryDays } from './hospital.ts'

/** The day that is judged: a Monday. */
export const TODAY = LEARNED
/** Visits every reader in the night. */
export const BACKUP = host('BACKUP', '10.1.9.5')

/** Called by CT01 every working hour since the first day. */
export const VENDOR = host('VENDOR', '198.51.100.20')

/** Through JSON, as a state file has it. */
let learned: string | undefined

export function state(): [string, unknown][] {
  if (learned === undefined) {
    const engine = new Engine({ onAlert: () => undefined, learnUntil: at(TODAY, 0) })
    const nightly = Array.from({ length: LEARNED }, (_, day) => READERS.map((reader, i) => flowEnd(flow(BACKUP, reader, 445), at(day, 2, i), null))).flat()
    const heartbeat = Array.from({ length: LEARNED * 10 }, (_, i) => flowEnd(flow(CT01, VENDOR, 443), at(Math.floor(i / 10), 8 + (i % 10), 20), 'tls'))
    for (const event of inOrder([...ordinaryDays(LEARNED), ...nightly, ...heartbeat])) engine.event(event)
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

export const above = (alert: Alert, severity: Alert['severity']): boolean => SEVERITIES.indexOf(alert.severity) > SEVERITIES.indexOf(severity)

/** Those above a note in which a detector has a say. */
export const ofDetector = (alerts: Alert[], id: string): Alert[] => alerts.filter((alert) => above(alert, 'info') && alert.evidence.some((e) => e.detector === id))

/** Today with something more. */
export const among = (more: WireEvent[]): WireEvent[] => inOrder([...ordinaryDay(TODAY), ...more])
