/** What people at the console decide about alerts, kept in the state where runs heed it (`models/feedback.ts`). */
import type { Alert } from '../../models/alert.ts'
import { allow, malicious } from '../../models/feedback.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { UserError } from '../errors.ts'
import type { State } from '../store/state.ts'
import type { Decision } from './console.ts'
import type { ReportData } from './data.ts'

const date = (at: number): string => rfc3339(at).slice(0, 16).replace('T', ' ')

/** @throws {UserError} when there is no such alert */
export function findIn(data: ReportData, id: string): Alert {
  const alert = data.alerts.find((a) => a.id === id)
  if (alert === undefined) throw new UserError(`there is no alert ${id}`, 2)
  return alert
}

export function decisionsOf(state: State): Record<string, Decision> {
  const found = new Map<string, Decision>()
  for (const id of state.desk.acknowledged().keys()) found.set(id, { acknowledged: true })
  for (const one of state.feedback()) {
    const answer = one.kind === 'allow' ? `Allowed until ${date(one.until)} UTC${one.why === '' ? '' : ` (${one.why})`}.` : `Malicious: ${date(one.from)} to ${date(one.to)} UTC is no part of the baseline.`
    found.set(one.alert, { ...found.get(one.alert), answer })
  }
  return Object.fromEntries(found)
}

/** @param heeded by whom and when, in words. @throws {UserError} when the disk refuses */
export function answerAllow(state: State, alert: Alert, days: number, why: string, heeded: string): string {
  const answer = allow(alert, days, why)
  state.answer(answer)
  return `Allowed until ${date(answer.until)} UTC of capture time, heeded ${heeded}.`
}

/** @param heeded as above. @throws {UserError} when the disk refuses */
export function answerMalicious(state: State, alert: Alert, heeded: string): string {
  const answer = malicious(alert)
  state.answer(answer)
  return `What was learned from ${date(answer.from)} to ${date(answer.to)} UTC is taken out ${heeded}.`
}

export const takeBack = (state: State, id: string): string =>
  state.takeBack(id) ? 'The answers are taken back. A period that was purged stays purged.' : 'Nobody has answered to this alert.'
