/**
 * Alerts against labels, by incident. The rules:
 *
 * - An alert *matches* an attack if it was not raised before the attack's start, its time overlaps [start, end + grace], and it names one of
 *   the attack's key hosts; *strictly* if it also has evidence of an expected group.
 * - Any other alert of the judged days is *false*, or a *benign trigger* if a benign event overlaps (until a day after its end) and shares a
 *   host (or concerns the whole site); those of declared events are counted apart.
 * - Revisions of an alert are one alert: the first `raised_at`, the highest severity, all hosts. `info` is never counted.
 */
import type { Severity } from '../../models/alert.ts'

export const LEVELS: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical']
export type Difficulty = 'E' | 'M' | 'L'
type Kind = 'attack' | 'false' | 'benign' | 'declared' | 'void'

/** An entry of labels.json; times are seconds since 1970. */
export interface LabelItem {
  id: string
  kind: 'attack' | 'benign_event' | 'posture'
  start: number
  end: number
  grace?: number
  scenario?: string
  event?: string
  variant?: string
  difficulty?: Difficulty
  hosts: string[]
  key_hosts?: string[]
  expected_groups?: string[]
  loss_times?: number[]
  declared?: boolean
  void?: boolean
  max_allowed?: Partial<Record<string, number>>
}

export interface Labels {
  seed: number
  site: string
  end: number
  train_end: number
  devices: number
  items: LabelItem[]
}

/** What the scorer reads of an alert line; times are RFC 3339. */
export interface AlertLine {
  id: string
  raised_at: string
  first_seen?: string
  last_seen?: string
  severity: string
  score?: number
  detector?: string
  hosts?: string[]
  evidence?: { group?: string }[]
}

interface Told {
  id: string
  raised: number
  first: number
  last: number
  level: number
  score: number
  hosts: Set<string>
  groups: Set<string>
  detectors: Set<string>
}

export interface FoundAttack {
  label: LabelItem
  found: boolean
  strict: boolean
  atMedium: boolean
  /** Seconds from its start to the first alert; null: none. */
  delay: number | null
  /** Studies lost before the first alert; null where nothing is lost. */
  lost: number | null
  alerts: number
  detectors: string[]
}

export interface RunScore {
  name: string
  days: number
  attacks: FoundAttack[]
  severity: Record<Severity, Record<Kind, number>>
  violations: { event: string; id: string; high: number; medium: number }[]
  /** Alerts of the judged days, for what a person could read of them. */
  ranked: { day: number; level: number; score: number; raised: number; kind: Kind; attacks: string[] }[]
  /** Those about no attack. */
  wrong: { raised: number; level: Severity; kind: Kind; id: string; cause: string }[]
}

const BENIGN_GRACE = 86_400
const DEFAULT_GRACE = 900
/** Alert times may be rounded to a second. */
const ROUNDING = 1

const seconds = (text: string): number => Date.parse(text) / 1000

/** Revisions of one alert made one, in the order they were first raised. */
export function merge(lines: Iterable<AlertLine>): Told[] {
  const all = new Map<string, Told>()
  for (const line of lines) {
    const raised = seconds(line.raised_at)
    let told = all.get(line.id)
    if (told === undefined) {
      told = { id: line.id, raised, first: Infinity, last: -Infinity, level: 0, score: 0, hosts: new Set(), groups: new Set(), detectors: new Set() }
      told.detectors.add(line.detector ?? '')
      all.set(line.id, told)
    }
    told.raised = Math.min(told.raised, raised)
    told.first = Math.min(told.first, seconds(line.first_seen ?? line.raised_at))
    told.last = Math.max(told.last, seconds(line.last_seen ?? line.raised_at))
    told.level = Math.max(told.level, LEVELS.indexOf(line.severity as Severity))
    told.score = Math.max(told.score, line.score ?? 0)
    for (const host of line.hosts ?? []) told.hosts.add(host)
    for (const { group } of line.evidence ?? []) if (group !== undefined) told.groups.add(group)
  }
  return [...all.values()].sort((a, b) => a.raised - b.raised || (a.id < b.id ? -1 : 1))
}

const shares = (told: Told, hosts: readonly string[]): boolean => hosts.some((host) => told.hosts.has(host))

function matches(told: Told, label: LabelItem): boolean {
  if (Math.max(told.last, told.raised) < label.start - ROUNDING || told.raised < label.start - ROUNDING) return false
  if (Math.min(told.first, told.raised) > label.end + (label.grace ?? DEFAULT_GRACE)) return false
  return shares(told, label.key_hosts !== undefined && label.key_hosts.length > 0 ? label.key_hosts : label.hosts)
}

function causes(told: Told, label: LabelItem): boolean {
  if (told.raised < label.start - ROUNDING || Math.min(told.first, told.raised) > label.end + BENIGN_GRACE) return false
  return label.hosts.length === 0 || shares(told, label.hosts)
}

const noCounts = (): Record<Kind, number> => ({ attack: 0, false: 0, benign: 0, declared: 0, void: 0 })

export function scoreRun(name: string, labels: Labels, lines: Iterable<AlertLine>): RunScore {
  const attacks = labels.items.filter((item) => item.kind === 'attack' && item.start < labels.end)
  const benign = labels.items.filter((item) => item.kind === 'benign_event')
  const severity = Object.fromEntries(LEVELS.map((level) => [level, noCounts()])) as RunScore['severity']
  const triggered = new Map<LabelItem, number[]>()
  const hits = new Map<LabelItem, Told[]>(attacks.map((item) => [item, []]))
  const ranked: RunScore['ranked'] = []
  const wrong: RunScore['wrong'] = []
  for (const told of merge(lines)) {
    const about = attacks.filter((item) => matches(told, item))
    const because = about.length > 0 ? [] : benign.filter((item) => causes(told, item))
    const kind: Kind = about.length > 0 ? (about.some((item) => item.void !== true) ? 'attack' : 'void')
      : because.some((item) => item.declared) ? 'declared' : because.length > 0 ? 'benign' : 'false'
    for (const item of because) triggered.set(item, [...(triggered.get(item) ?? []), told.level])
    if (told.level > 0) for (const item of about) hits.get(item)!.push(told)
    if (told.raised < labels.train_end || told.raised > labels.end) continue
    const level = LEVELS[told.level]!
    severity[level][kind]++
    if (told.level === 0) continue
    ranked.push({
      day: Math.floor((told.raised - labels.train_end) / 86_400), level: told.level, score: told.score, raised: told.raised, kind,
      attacks: about.filter((item) => item.void !== true).map((item) => item.id),
    })
    if (about.length === 0) {
      wrong.push({ raised: told.raised, level, kind, id: told.id, cause: [...new Set([...because.map((i) => i.event ?? '?'), ...told.detectors])].join(' ') })
    }
  }
  return {
    name, days: (labels.end - labels.train_end) / 86_400, severity, ranked, wrong,
    attacks: attacks.filter((item) => item.void !== true).map((item) => foundAttack(item, hits.get(item)!)),
    violations: benign.flatMap((item) => violation(item, triggered.get(item) ?? [])),
  }
}

function foundAttack(label: LabelItem, hits: Told[]): FoundAttack {
  const first = hits.length === 0 ? null : Math.min(...hits.map((told) => told.raised))
  const losses = label.loss_times ?? []
  return {
    label, found: first !== null, strict: hits.some((told) => (label.expected_groups ?? []).some((group) => told.groups.has(group))),
    atMedium: hits.some((told) => told.level >= 2), delay: first === null ? null : Math.max(0, first - label.start),
    lost: losses.length === 0 ? null : losses.filter((at) => first === null || at < first - ROUNDING).length,
    alerts: hits.length, detectors: [...new Set(hits.flatMap((told) => [...told.detectors]))].sort(),
  }
}

function violation(item: LabelItem, levels: number[]): RunScore['violations'] {
  const high = levels.filter((level) => level >= 3).length
  const medium = levels.filter((level) => level === 2).length
  const { max_allowed: allowed = {} } = item
  return high > (allowed['high'] ?? 0) || medium > (allowed['medium'] ?? 0) ? [{ event: item.event ?? '?', id: item.id, high, medium }] : []
}

// ---- several runs

/** Linear between ranks; null for none. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const position = q * (sorted.length - 1)
  const low = Math.floor(position)
  return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (position - low)
}

/** One-sided 95 % upper limit of a Poisson mean, given k: 3.0 for none. */
export function poissonUpper(k: number): number {
  const tail = (mean: number): number => {
    let term = Math.exp(-mean)
    let sum = term
    for (let i = 1; i <= k; i++) sum += (term *= mean / i)
    return sum
  }
  let low = 0
  let high = k + 10 * Math.sqrt(k + 1) + 10
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (tail(middle) > 0.05) low = middle
    else high = middle
  }
  return low
}

const worstFirst = (a: RunScore['ranked'][number], b: RunScore['ranked'][number]): number => b.level - a.level || b.score - a.score || a.raised - b.raised

/** Precision and recall when only the so many most severe alerts of each day are read. */
export function atBudget(runs: readonly RunScore[], budget: number): { precision: number | null; recall: number | null } {
  let good = 0
  let read = 0
  let found = 0
  for (const run of runs) {
    const seen = new Set<string>()
    for (const day of new Set(run.ranked.map((one) => one.day))) {
      for (const one of run.ranked.filter((r) => r.day === day).sort(worstFirst).slice(0, budget)) {
        read++
        if (one.kind === 'attack') good++
        for (const id of one.attacks) seen.add(id)
      }
    }
    found += seen.size
  }
  const attacks = runs.reduce((sum, run) => sum + run.attacks.length, 0)
  return { precision: read === 0 ? null : good / read, recall: attacks === 0 ? null : found / attacks }
}
