/** Alerts as people read them. Every text from the wire is stripped of what a terminal would obey. */
import { stripVTControlCharacters } from 'node:util'
import type { Alert, AlertEvidence, Severity } from '../../models/alert.ts'
import { explanationOf } from '../../models/explanation.ts'
import { withoutInvisible } from '../../protocols/invisible.ts'
import { rfc3339 } from '../../protocols/time.ts'

const COLOUR: Record<Severity, string> = { critical: '\x1b[1;35m', high: '\x1b[1;31m', medium: '\x1b[1;33m', low: '\x1b[36m', info: '\x1b[2m' }
const RESET = '\x1b[0m'
const INDENT = '          '

/** Printable text: no terminal sequence, and what is not seen becomes `?`. */
export function printable(text: string): string {
  return withoutInvisible(stripVTControlCharacters(text))
}

/** Lines of at most `width` columns, where words allow it. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** How rare, in words a reader can weigh: a rule has no probability. */
function rarity(evidence: AlertEvidence): string {
  return evidence.p === null ? 'rule' : `p ${evidence.p.toExponential(0)}`
}

/** What suits the terminal, if it is one. */
export function terminalStyle(out: NodeJS.WriteStream): { colour: boolean; width: number } {
  return { colour: out.isTTY && process.env['NO_COLOR'] === undefined, width: Math.min(out.columns ?? 120, 140) }
}

/** Observations shown; the rest is in the alert. */
const MOST_SEEN = 6

/** Hosts and detectors named: what is longer is in the alert. */
const MOST_NAMED = { hosts: 20, detectors: 6, techniques: 3 }

/** The first few in words, of the others the number only. */
function techniques(attack: Alert['attack']): string {
  const most = MOST_NAMED.techniques
  const named = attack.slice(0, most).map(({ technique, name }) => `${technique} ${name}`).join('; ')
  return attack.length > most ? `${named}; ${attack.slice(most).map(({ technique }) => technique).join(', ')}` : named
}

/** The first few, and how many more. */
function listed(items: string[], most: number): string {
  const rest = items.length - most
  return items.slice(0, most).join(', ') + (rest > 0 ? `, and ${rest} more` : '')
}

/** One alert in its present form, several lines, the last one blank. */
export function alertText(alert: Alert, options: { colour: boolean; width: number }): string {
  const colour = options.colour ? COLOUR[alert.severity] : ''
  const head = `${colour}${alert.severity.toUpperCase().padEnd(8)}${options.colour ? RESET : ''}`
  const time = rfc3339(alert.raised_at).slice(0, 19).replace('T', ' ')
  const width = Math.max(40, options.width - INDENT.length)
  const field = (name: string, text: string): string =>
    wrap(text, width).map((line, i) => `${i === 0 ? name.padEnd(INDENT.length) : INDENT}${line}`).join('\n')
  const { seen, context, wouldExplain, wouldNot, next } = explanationOf(alert)
  const some = (name: string, text: string | null): string[] => (text === null ? [] : [field(name, text)])
  return [
    `${head}  ${time}Z  ${printable(alert.title)}`,
    ...(alert.advice === undefined ? [alert.explanation] : seen.slice(0, MOST_SEEN)).map((text, i) => field(i === 0 ? '  why' : '', text)),
    field('  when', context.join(' ')),
    ...some('  unless', wouldExplain),
    ...some('  not', wouldNot),
    ...some('  next', next),
    field('  by', listed(alert.evidence.map((e) => `${e.detector} (${e.group}, ${rarity(e)})`), MOST_NAMED.detectors)),
    field('  hosts', listed(alert.hosts, MOST_NAMED.hosts)),
    ...(alert.attack.length > 0 ? [field('  ATT&CK', techniques(alert.attack))] : []),
    field('  id', `${alert.id}, revision ${alert.revision}, score ${alert.score.toFixed(1)}, ${alert.count} event${alert.count === 1 ? '' : 's'}`),
    '',
  ].join('\n')
}

/** `3 alerts: 1 high, 2 low`. */
export function countBySeverity(alerts: Iterable<Alert>): string {
  const counts = new Map<Severity, number>()
  let total = 0
  for (const { severity } of alerts) {
    counts.set(severity, (counts.get(severity) ?? 0) + 1)
    total += 1
  }
  const parts = (Object.keys(COLOUR) as Severity[]).filter((s) => counts.has(s)).map((s) => `${counts.get(s)} ${s}`)
  return `${total} alert${total === 1 ? '' : 's'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
