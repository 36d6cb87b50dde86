/** The forms an alert can leave in. Each is a pure function of the alert and one line of text. */
import type { Alert } from '../../../models/alert.ts'
import { cefAlert } from './cef.ts'
import { ecsAlert } from './ecs.ts'
import { nativeAlert } from './native.ts'
import { ocsfAlert } from './ocsf.ts'

export type Format = 'native' | 'ecs' | 'ocsf' | 'cef'

export const FORMATS: Record<Format, (alert: Alert) => string> = { native: nativeAlert, ecs: ecsAlert, ocsf: ocsfAlert, cef: cefAlert }

export const isFormat = (text: string): text is Format => Object.hasOwn(FORMATS, text)

/**
 * The alert in a form of at most so many bytes of UTF-8: what explains it is shortened step by step; its id, times, severity and device never.
 * @returns the smallest form where even that is longer
 */
export function fitted(alert: Alert, format: Format, maxBytes: number): string {
  const write = FORMATS[format]
  let line = write(alert)
  for (const step of STEPS) {
    if (Buffer.byteLength(line) <= maxBytes) break
    line = write(step(alert))
  }
  return line
}

const cut = (text: string, length: number): string => text.length <= length ? text : `${text.slice(0, length - 1)}…`

const keep = (evidence: number, length: number, list: number) => (alert: Alert): Alert => ({
  ...alert,
  title: cut(alert.title, length),
  explanation: cut(alert.explanation, length * 2),
  // The explanation has it too.
  advice: undefined,
  evidence: alert.evidence.slice(0, evidence).map((e) => ({ ...e, text: cut(e.text, length), flows: e.flows.slice(0, list) })),
  hosts: alert.hosts.slice(0, list * 2),
  flows: alert.flows.slice(0, list),
  peers: alert.peers.slice(0, list).map((p) => ({ ...p, ip: p.ip.slice(0, 1), mac: p.mac.slice(0, 1), ae_titles: p.ae_titles.slice(0, list) })),
})

const STEPS = [keep(10, 500, 20), keep(5, 300, 8), keep(3, 200, 4), keep(1, 120, 2), keep(1, 60, 1), keep(0, 60, 0)]
