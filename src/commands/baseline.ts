/** `wardwire baseline`: what was learned, why an alert says what it says, and what an analyst answers to it. Reads the state that any run left. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Alert } from '../../models/alert.ts'
import { Calendar } from '../../models/calendar.ts'
import { DAY } from '../../models/clock.ts'
import { describeDevice, type DeviceBaseline } from '../../models/describe.ts'
import { Engine } from '../../models/engine.ts'
import { explain, type ExplainedAlert, type ExplainedEvidence } from '../../models/explain.ts'
import { allow, malicious, type Feedback } from '../../models/feedback.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { UserError } from '../errors.ts'
import { nativeAlert } from '../sinks/formats/native.ts'
import { terminalStyle, wrap } from '../sinks/terminal.ts'
import { STATE_FILE, State } from '../store/state.ts'

export interface BaselineOptions {
  state: string
  json?: boolean
  device?: string
}

/** A line, or as many as a terminal needs; what goes on stands further in than its beginning. */
function out(line: string): void {
  const { width } = terminalStyle(process.stdout)
  const indent = ' '.repeat(/^ */.exec(line)![0].length)
  const [first = '', ...rest] = wrap(line.trimStart(), width - indent.length - HANGING.length)
  process.stdout.write([`${indent}${first}`, ...rest.map((text) => `${indent}${HANGING}${text}`), ''].join('\n'))
}
const HANGING = '    '
const date = (at: number): string => rfc3339(at).slice(0, 16).replace('T', ' ')
const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
/** A probability or a rate, short. */
const short = (x: number): string => (x === 0 ? '0' : x >= 100 ? x.toFixed(0) : x >= 0.01 ? Number(x.toPrecision(3)).toString() : x.toExponential(1))

/** Runs with the state open, and closes it. */
async function withState(folder: string, use: (state: State) => number): Promise<number> {
  if (!existsSync(join(folder, STATE_FILE))) throw new UserError(`${folder} holds no state: give the folder that --state of replay or watch has written`, 2)
  const state = new State(folder)
  try {
    return use(state)
  } finally {
    await state.close()
  }
}

interface Loaded {
  engine: Engine
  /** Size of the saved entry of each device, bytes. */
  sizes: Map<string, number>
}

function load(state: State): Loaded {
  const entries = [...state.model()]
  const tz = (entries.find(([key]) => key === 'engine')?.[1] as { tz?: string | null } | undefined)?.tz
  const engine = new Engine({ onAlert: () => undefined, calendar: new Calendar({ tz: tz ?? undefined }), freeze: true })
  engine.load(entries)
  const sizes = new Map(entries.filter(([key]) => key.startsWith('device/')).map(([key, value]) => [key.slice('device/'.length), JSON.stringify(value).length]))
  return { engine, sizes }
}

/** @throws {UserError} when the state keeps no such alert */
function find(engine: Engine, id: string): Alert {
  const { kept } = engine.incidents
  const alert = kept.get(id)
  if (alert !== undefined) return alert
  throw new UserError(kept.size === 0 ? 'this state keeps no alerts' : `this state keeps no alert ${id}; it keeps ${kept.size}, the severe ones longest (wardwire baseline --state lists them)`, 2)
}

// ---- what is known

/** @returns the exit code. @throws {UserError} */
export function show(options: BaselineOptions): Promise<number> {
  return withState(options.state, (state) => {
    const { engine, sizes } = load(state)
    const devices = [...engine.devices.values()].map((device) => describeDevice(device, engine, sizes.get(device.id) ?? 0))
      .filter((device) => options.device === undefined || [device.id, device.name, device.ip, ...device.ae_titles, ...device.applications].includes(options.device))
      .sort((a, b) => (a.role === b.role ? (a.name < b.name ? -1 : 1) : a.role < b.role ? -1 : 1))
    if (options.device !== undefined && devices.length === 0) throw new UserError(`no device ${options.device} is known: give its id, name, address, AE title or application`, 2)
    const budget = engine.incidents.thresholds.map(([score, severity, perDay]) => ({ severity, score, false_incidents_per_day: perDay }))
    const alerts = [...engine.incidents.kept.values()].sort((a, b) => a.raised_at - b.raised_at)
    const feedback = state.feedback()
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify({
        saved_through: rfc3339(state.savedThrough),
        thresholds: { derived: engine.incidents.budget.derived, days: engine.incidents.budget.state.days, severities: budget },
        devices: devices.map((device) => ({ ...device, first: rfc3339(device.first), last: rfc3339(device.last) })),
        alerts: alerts.map((alert) => JSON.parse(nativeAlert(alert)) as unknown),
        feedback: feedback.map(feedbackJson),
      })}\n`)
      return 0
    }
    out(`learned until ${date(state.savedThrough)} UTC: ${plural(devices.length, 'device')}`)
    showThresholds(engine)
    for (const device of devices) showDevice(device)
    if (alerts.length > 0) out('')
    if (alerts.length > 0) out(`alerts kept (wardwire baseline explain --state ${options.state} ID)`)
    for (const alert of alerts) out(`  ${alert.id}  ${date(alert.raised_at)}  ${alert.severity.padEnd(8)}  ${alert.title}`)
    if (feedback.length > 0) out('')
    if (feedback.length > 0) out('answers of analysts')
    for (const one of feedback) out(`  ${answerLine(one)}`)
    return 0
  })
}

function feedbackJson(one: Feedback): unknown {
  return one.kind === 'allow' ? { ...one, since: rfc3339(one.since), until: rfc3339(one.until) } : { ...one, from: rfc3339(one.from), to: rfc3339(one.to) }
}

const answerLine = (one: Feedback): string =>
  one.kind === 'allow' ? `${one.alert}  allowed until ${date(one.until)}${one.why === '' ? '' : ` (${one.why})`}: ${one.title}`
    : `${one.alert}  malicious, ${date(one.from)} to ${date(one.to)} is no part of the baseline: ${one.title}`

function showThresholds(engine: Engine): void {
  const { budget, thresholds } = engine.incidents
  const { days } = budget.state
  out(`scores for a severity, so that false incidents a day stay within the budget: ${thresholds.map(([score, severity, perDay]) => `${severity} from ${short(score)} (${perDay} a day)`).join(', ')}`)
  out(budget.derived
    ? `  derived from ${plural(days, 'day')} of this site: a tail of mean ${short(budget.meanExcess ?? 0)} over ${short(budget.state.above / budget.state.weight)} device-days a day with a score of 1 or more`
    : `  the starting values: ${plural(days, 'day')} learned here, of the 14 (with 30 device-days of a score of 1 or more) before the site's own scores are used`)
}

function showDevice(device: DeviceBaseline): void {
  out('')
  out(`${device.name}  ${device.role}  ${device.ip}  ${device.id}`)
  out(`  known for ${plural(device.days, 'day')} (${device.state}), ${plural(device.events, 'event')}, last ${date(device.last)}; ${short(device.bytes / 1000)} kB of state`)
  for (const { unit, per_day, busiest_hour } of device.counts) {
    if (per_day >= 0.05) out(`  ${short(per_day).padStart(8)} ${unit} a day${busiest_hour === null ? '' : `, most between ${busiest_hour} and ${busiest_hour + 1} o'clock`}`)
  }
  for (const { kind, values, on_probation } of device.habits) {
    const some = values.length > 8 ? `${values.slice(0, 8).join(', ')} and ${values.length - 8} more` : values.join(', ')
    out(`  ${kind}: ${values.length === 0 ? 'none settled' : some}${on_probation.length === 0 ? '' : `; not yet settled: ${plural(on_probation.length, 'value')}`}`)
  }
}

// ---- an alert's arithmetic

/** @returns the exit code. @throws {UserError} */
export function explainAlert(id: string, options: BaselineOptions): Promise<number> {
  return withState(options.state, (state) => {
    const { engine } = load(state)
    const explained = explain(find(engine, id), engine.devices, engine.site)
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...explained, alert: JSON.parse(nativeAlert(explained.alert)) as unknown })}\n`)
    else showExplained(explained, engine.incidents.untold(id))
    return 0
  })
}

function showExplained({ alert, evidence, surprise }: ExplainedAlert, untold: number): void {
  out(`${alert.id}  ${alert.severity}  ${alert.title}`)
  out(`  raised ${date(alert.raised_at)} UTC, last event ${date(alert.last_seen)}; the baseline had ${plural(alert.baseline.days, 'day')} (${alert.baseline.state})`)
  if (untold > 0) out(`  ${plural(alert.count, 'event')}, ${untold} of them since revision ${alert.revision} was told: counts below may be higher than in that one; it is told again when they have doubled, or something joins`)
  evidence.forEach((one, i) => showEvidence(one, i + 1))
  out('')
  out(`score ${alert.score}: the groups' surprises add up to ${short(surprise)} (they fade with a half-life of a day; a rule counts as its severity)`)
  const wrong = evidence.filter((one) => !one.agrees).length
  const gone = evidence.filter((one) => !one.holds).length
  out(`${wrong === 0 ? 'every rarity computed again is the one in the alert' : `${plural(wrong, 'rarity', 'rarities')} do not agree with the alert`}; `
    + `${gone === 0 ? 'all of it would be evidence today' : `${gone} of ${plural(evidence.length, 'piece')} of evidence would be none today: the baseline has learned it`}`)
}

function showEvidence(one: ExplainedEvidence, n: number): void {
  out('')
  out(`${n}. ${one.detector} (${one.group}): ${one.text}`)
  if (one.observed !== null) out(`   observed ${short(one.observed)}${one.expected === null ? '' : `, expected ${short(one.expected)}`} ${one.unit ?? ''}`)
  if (one.p === null || one.computed === null) {
    out('   a rule: it has no probability, and holds whatever was learned')
    return
  }
  for (const { text, value, now } of one.factors) out(`   ${short(value).padStart(9)}  ${text}${now === null ? '' : `; by the baseline of now ${short(now)}`}`)
  out(`   p = ${short(one.computed)}, ${one.agrees ? 'as the alert says' : `but the alert says ${short(one.p)}`}; for its group ${short(one.group_p ?? 1)}, which adds ${short(one.surprise ?? 0)} to the score`)
  out(`   now ${short(one.p_now ?? 1)}: ${one.holds ? 'still holds' : 'no evidence any more'}`)
}

// ---- answers

/** @returns the exit code. @throws {UserError} */
export function allowAlert(id: string, options: BaselineOptions & { days: string; why?: string }): Promise<number> {
  const days = Number(options.days)
  if (!Number.isFinite(days) || days <= 0 || days > 366) throw new UserError(`--days ${options.days}: give a number of days from 1 to 366`, 2)
  return withState(options.state, (state) => {
    const { engine } = load(state)
    const answer = allow(find(engine, id), days, options.why ?? '')
    state.answer(answer)
    const named = (device: string): string => engine.incidents.kept.get(id)?.peers.find((peer) => peer.id === device)?.name ?? device
    out(`allowed until ${date(answer.until)} UTC, capture time: ${find(engine, id).device.name} with ${answer.peers.map(named).join(', ') || 'nobody else'}`)
    for (const { detector, unit, service, ceiling } of answer.claims) {
      out(`  ${detector}${service === null ? '' : `, ${service}`}: ${ceiling === null ? 'as before' : `up to ${ceiling} ${unit ?? ''}`}; what goes beyond is told as ever`)
    }
    out('the next run that starts from this state heeds it')
    return 0
  })
}

/** @returns the exit code. @throws {UserError} */
export function maliciousAlert(id: string, options: BaselineOptions): Promise<number> {
  return withState(options.state, (state) => {
    const { engine } = load(state)
    const alert = find(engine, id)
    const answer = malicious(alert)
    state.answer(answer)
    out(`what ${alert.device.name} taught from ${date(answer.from)} to ${date(answer.to)} UTC is taken out of the baseline by the next run that starts from this state`)
    if (answer.to - answer.from > 10 * DAY) out('of counts, the last 10 days can be taken back; habits that began in this time go in any case')
    return 0
  })
}

/** @returns the exit code: 1 when there was nothing to take back. @throws {UserError} */
export function takeBack(id: string, options: BaselineOptions): Promise<number> {
  return withState(options.state, (state) => {
    const found = state.takeBack(id)
    out(found ? `the answers to ${id} are taken back (a period that was purged stays purged)` : `nobody has answered to ${id}`)
    return found ? 0 : 1
  })
}
