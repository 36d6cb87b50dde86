/** Scores as the text that `npm run evaluate` prints. */
import { LEVELS, atBudget, poissonUpper, quantile, type FoundAttack, type RunScore } from './score.ts'

const show = (value: number | null, digits = 0): string => (value === null ? '-' : value.toFixed(digits))
const share = (n: number, of: number): string => (of === 0 ? '-' : `${n}/${of}`)

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function attackRow(name: string, attacks: readonly FoundAttack[]): string {
  const found = attacks.filter((a) => a.found)
  const delays = found.map((a) => a.delay!)
  const lost = attacks.flatMap((a) => (a.lost === null ? [] : [a.lost]))
  return row([
    name, String(attacks.length), share(found.length, attacks.length), share(attacks.filter((a) => a.strict).length, attacks.length),
    share(attacks.filter((a) => a.atMedium).length, attacks.length), show(quantile(delays, 0.5)), show(quantile(delays, 0.9)), show(quantile(lost, 0.5)), show(quantile(lost, 0.9)),
  ])
}

const DIFFICULTIES = { E: 'easy', M: 'medium', L: 'low and slow' } as const

export function attackTable(runs: readonly RunScore[]): string[] {
  const attacks = runs.flatMap((run) => run.attacks)
  const scenarios = [...new Set(attacks.map((a) => a.label.scenario ?? '?'))].sort()
  return [
    row(['attacks', 'n', 'found', 'strictly', 'medium or more', 'delay s, median', '90 %', 'studies lost, median', '90 %']), row(Array.from({ length: 9 }, () => '---')),
    ...Object.entries(DIFFICULTIES).map(([d, name]) => attackRow(name, attacks.filter((a) => a.label.difficulty === d))),
    ...scenarios.map((s) => attackRow(s, attacks.filter((a) => a.label.scenario === s))),
  ]
}

export function alertTable(runs: readonly RunScore[]): string[] {
  const days = runs.reduce((sum, run) => sum + run.days, 0)
  const found = runs.flatMap((run) => run.attacks).filter((a) => a.found)
  const sum = (level: (typeof LEVELS)[number], kind: 'attack' | 'false' | 'benign' | 'declared'): number => runs.reduce((n, run) => n + run.severity[level][kind], 0)
  const budgets = [1, 3, 10].map((b) => {
    const { precision, recall } = atBudget(runs, b)
    return `${b} a day: precision ${show(precision, 2)}, recall ${show(recall, 2)}`
  })
  const violations = runs.flatMap((run) => run.violations)
  return [
    row(['severity', 'about attacks', 'false', 'a site-day', '95 % below', 'benign triggers', 'a site-day', 'declared']), row(Array.from({ length: 8 }, () => '---')),
    ...[...LEVELS].reverse().filter((level) => level !== 'info').map((level) => row([
      level, String(sum(level, 'attack')), String(sum(level, 'false')), show(sum(level, 'false') / days, 3), show(poissonUpper(sum(level, 'false')) / days, 3),
      String(sum(level, 'benign')), show(sum(level, 'benign') / days, 3), String(sum(level, 'declared')),
    ])),
    '', `Judged ${show(days, 1)} site-days in ${runs.length} runs. Reading only the most severe: ${budgets.join('; ')}.`,
    `Alerts per attack that was found: ${found.length === 0 ? '-' : show(found.reduce((n, a) => n + a.alerts, 0) / found.length, 2)}. Benign events above their limit: `
      + `${violations.length === 0 ? 'none' : violations.map((v) => `${v.event} (${v.high} high, ${v.medium} medium)`).join(', ')}.`,
  ]
}

/** What was missed, and what was said for nothing. */
export function details(runs: readonly RunScore[]): string[] {
  return runs.flatMap((run) => [
    ...run.attacks.map((a) => `${run.name} ${a.label.id} ${a.label.scenario ?? '?'} ${a.label.difficulty ?? '?'} ${a.label.variant ?? ''}: `
      + `${a.found ? `found after ${show(a.delay)} s by ${a.detectors.join(', ')}` : 'MISSED'}${a.lost === null ? '' : `, ${a.lost} of ${a.label.loss_times!.length} studies lost`}`),
    ...run.wrong.map((w) => `${run.name} ${w.id} ${w.level} ${w.kind}: ${new Date(w.raised * 1000).toISOString()} ${w.cause}`),
  ])
}
