/**
 * How many attacks are found, how soon, and how often the alerts are wrong.
 *
 *     npm run evaluate -- [FOLDER...]      (--help tells the options)
 *
 * A folder holds `pcap/` (captures of any kind that replay reads, merged by time), `labels.json` (ground truth, docs/evaluation.md),
 * `calendar.json` if there is one, and alerts of other detectors to compare with, if there are, as `baselines/NAME.jsonl`. Without a folder,
 * weeks of the project's own demo hospitals are generated: other seeds, other incidents, two sites.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { PLANS } from '../../fixtures/build/hospital/site.ts'
import { writeRun } from '../../fixtures/build/hospital/runs.ts'
import { count, script } from '../../fixtures/build/script.ts'
import { negativeBinomialUpperTail } from '../../models/baseline/distributions.ts'
import { Calendar, parseCalendar } from '../../models/calendar.ts'
import { SiteClock, dayOf } from '../../models/clock.ts'
import { ABLATIONS, type Ablation } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { UserError } from '../../src/errors.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { nativeAlert } from '../../src/sinks/formats/native.ts'
import { readCaptures } from '../../src/sources/captures.ts'
import { NAIVE, NaiveBaselines } from './naive.ts'
import { scoreRun, type AlertLine, type Labels, type RunScore } from './score.ts'
import { alertTable, attackTable, details } from './table.ts'

/** Bytes a day that the fixed limit allows; a guess, as such limits are. */
const LIMIT = 50_000_000
const LEVELS = [1e-2, 1e-3, 1e-4, 1e-5] as const

/** Device-days of streams without attacks, and how many were as rare as each level. */
interface Calibration {
  days: number
  beyond: number[]
}

interface Judged {
  ours: RunScore
  others: Map<string, RunScore>
  calibration: Calibration
}

/** @throws {UserError} when the folder is no labelled run */
function labelsOf(folder: string): Labels {
  try {
    return JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Labels
  } catch {
    throw new UserError(`${folder} is no labelled run: labels.json cannot be read (docs/evaluation.md tells what belongs into it)`, 1)
  }
}

async function judge(folder: string, without: readonly Ablation[], write: string | undefined): Promise<Judged> {
  const labels = labelsOf(folder)
  const calendarFile = join(folder, 'calendar.json')
  const calendar = existsSync(calendarFile) ? parseCalendar(JSON.parse(readFileSync(calendarFile, 'utf8'))) : new Calendar()
  const lines: string[] = []
  const naive = new NaiveBaselines(LIMIT, labels.train_end * 1e6)
  const calibration: Calibration = { days: 0, beyond: LEVELS.map(() => 0) }
  const clock = new SiteClock(calendar.tz)
  let today = -1
  const pipeline = new Pipeline({
    siteKey: new Uint8Array(32).fill(7), sensor: 'evaluation', source: 'replay', communityIdSeed: 0, calendar, without,
    onAlert: (alert) => lines.push(nativeAlert(alert)),
    onEvent: (event: WireEvent) => {
      const day = dayOf(clock.hour(event.at))
      if (today >= 0 && day > today && event.at / 1e6 > labels.train_end) calibrate(pipeline, labels, event.at / 1e6, calibration)
      today = Math.max(today, day)
      naive.event(event)
    },
  })
  const pcap = join(folder, 'pcap')
  const { problems, truncated } = await readCaptures(readdirSync(pcap).sort().map((name) => join(pcap, name)), { onFrame: (frame) => { pipeline.frame(frame) } })
  for (const { path, text } of problems) process.stderr.write(`${path}: ${text}\n`)
  pipeline.finish(truncated)
  const name = basename(folder)
  if (write !== undefined) {
    mkdirSync(write, { recursive: true })
    writeFileSync(join(write, `${name}.jsonl`), lines.map((line) => `${line}\n`).join(''))
  }
  const others = new Map(NAIVE.map((kind) => [kind as string, scoreRun(name, labels, naive.alerts[kind])]))
  const given = join(folder, 'baselines')
  for (const file of existsSync(given) ? readdirSync(given) : []) others.set(basename(file, '.jsonl'), scoreRun(name, labels, readLines(join(given, file))))
  return { ours: scoreRun(name, labels, lines.map((line) => JSON.parse(line) as AlertLine)), others, calibration }
}

const readLines = (path: string): AlertLine[] => readFileSync(path, 'utf8').split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as AlertLine)

/** The day that ends, as the model expected it, unless an attack or a benign event ran. */
function calibrate(pipeline: Pipeline, labels: Labels, at: number, calibration: Calibration): void {
  if (labels.items.some((item) => item.kind !== 'posture' && item.start < at && item.end + 86_400 > at - 86_400)) return
  for (const [, readings] of pipeline.outlook.readings()) {
    for (const { observed, expected, size, days } of readings) {
      if (days < 14 || expected < 1 || size === undefined) continue
      calibration.days++
      const p = negativeBinomialUpperTail(observed, expected, size)
      LEVELS.forEach((level, i) => { if (p <= level) calibration.beyond[i]!++ })
    }
  }
}

function calibrationText(all: readonly Calibration[]): string {
  const days = all.reduce((sum, one) => sum + one.days, 0)
  const parts = LEVELS.map((level, i) => {
    const beyond = all.reduce((sum, one) => sum + one.beyond[i]!, 0)
    return `${level.toExponential(0)}: ${beyond} (${days === 0 ? '-' : (beyond / days / level).toFixed(2)} of nominal)`
  })
  return `Calibration: daily counts of ${days} quiet stream-days (14 days learned, one or more expected) as rare as ${parts.join('; ')}.`
}

/** The project's own hospitals, two sites in turn. */
function* ownRuns(seeds: number, into: string): Generator<string> {
  const plans = Object.values(PLANS)
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = plans[seed % plans.length]!
    const folder = join(into, `${plan.name}-${seed}`)
    writeRun(folder, { plan, seed, days: 28, trainDays: 18, incidents: 6, oddities: 4 })
    yield folder
    rmSync(folder, { recursive: true })
  }
}

interface EvaluateOptions {
  seeds: number
  without: Ablation[]
  details?: boolean
  write?: string
}

function also(part: string, parts: Ablation[]): Ablation[] {
  const one = ABLATIONS.find((known) => known === part)
  if (one === undefined) throw new InvalidArgumentError(`There are ${ABLATIONS.join(', ')}.`)
  return [...parts, one]
}

async function main(): Promise<number> {
  const command = script('evaluate', 'How many attacks are found, how soon, and how often the alerts are wrong.')
    .argument('[folders...]', "labelled captures (docs/evaluation.md); none: the project's own demo hospitals")
    .option('--without <part>', `a part of the model is left out, and another one where it is said again (${ABLATIONS.join(', ')})`, also, [])
    .option('--seeds <n>', 'how many demo hospitals', count, 4)
    .option('--details', 'each attack, and each alert about none')
    .option('--write <dir>', 'keep the alerts, a file for each folder')
    .parse()
  const { without, seeds, details: inDetail, write } = command.opts<EvaluateOptions>()
  const scratch = mkdtempSync(join(tmpdir(), 'wardwire-evaluate-'))
  const judged: Judged[] = []
  try {
    for (const folder of command.args.length > 0 ? command.args : ownRuns(seeds, scratch)) {
      judged.push(await judge(folder, without, write))
      process.stderr.write(`${folder}\n`)
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
  const ours = judged.map((one) => one.ours)
  const print = (title: string, lines: string[]): void => { process.stdout.write(`\n## ${title}\n\n${lines.join('\n')}\n`) }
  print(`wardwire${without.length === 0 ? '' : ` without ${without.join(' and ')}`}`, [...attackTable(ours), '', ...alertTable(ours), calibrationText(judged.map((one) => one.calibration))])
  for (const name of new Set(judged.flatMap((one) => [...one.others.keys()]))) {
    const runs = judged.flatMap((one) => one.others.get(name) ?? [])
    print(name, [...attackTable(runs).slice(0, 5), '', ...alertTable(runs)])
  }
  if (inDetail) print('in detail', details(ours))
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`evaluate: ${error.message}\n`)
  process.exitCode = error.exitCode
}
