/**
 * What share of the time is the models': a capture decoded again and again in one process, alone and with the models, in turn.
 *
 *     npx tsx test/bench/model-share.ts [FILE] [--rounds N] [--against DIRECTORY]
 *
 * FILE is the demo hospital, unless another is named. It is read into memory first; what counts is processor time. `--against` names a checkout of another commit
 * that is built; then both take turns, and their alerts are compared. For a profile by function:
 * `node --cpu-prof --import tsx test/bench/model-share.ts`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type * as Reading from '../../protocols/capture/reader.ts'
import type * as Decoding from '../../protocols/decoder.ts'
import type * as Judging from '../../models/engine.ts'
import type * as Hiding from '../../protocols/phi.ts'

const root = resolve(import.meta.dirname, '../..')
const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '8' }, against: { type: 'string' } } })
const file = positionals[0] ?? join(root, 'fixtures/demo/hospital.pcap.gz')
const bytes = file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file)

interface Round { seconds: number; events: number; alerts: string }

/** The built program of a checkout, as something that decodes the capture once. */
async function programOf(checkout: string): Promise<(models: boolean) => Round> {
  const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(checkout, 'dist', `${name}.js`)).href)
  const { CaptureReader, FRAME, END } = await load('protocols/capture/reader') as typeof Reading
  const { Decoder } = await load('protocols/decoder') as typeof Decoding
  const { Engine } = await load('models/engine') as typeof Judging
  const { Pseudonyms } = await load('protocols/phi') as typeof Hiding
  return (models) => {
    let events = 0
    const alerts = createHash('sha256')
    const began = process.cpuUsage()
    const engine = models ? new Engine({ onAlert: (alert) => { alerts.update(JSON.stringify(alert)) } }) : undefined
    const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(32)), emit: (event) => {
      events++
      engine?.event(event)
    } })
    const reader = new CaptureReader()
    let at = 0
    for (let step = reader.next(); step !== END; step = reader.next()) {
      if (step === FRAME) decoder.frame(reader)
      else if (at === bytes.length) reader.finish()
      else {
        const space = reader.space()
        const count = Math.min(space.length, bytes.length - at)
        space.set(bytes.subarray(at, at + count))
        at += count
        reader.filled(count)
      }
    }
    decoder.finish()
    engine?.finish(decoder.now)
    const { user, system } = process.cpuUsage(began)
    return { seconds: (user + system) / 1e6, events, alerts: alerts.digest('hex').slice(0, 12) }
  }
}

const median = (rounds: Round[]): number => rounds.map((round) => round.seconds).sort((a, b) => a - b)[rounds.length >> 1]!

const names = [root, ...(options.against === undefined ? [] : [resolve(options.against)])]
const programs = await Promise.all(names.map(programOf))
const alone = programs.map((): Round[] => [])
const whole = programs.map((): Round[] => [])
// The first round compiles.
for (let i = 0; i <= Number(options.rounds); i++) {
  programs.forEach((program, p) => {
    const without = program(false)
    const withModels = program(true)
    if (i === 0) return
    alone[p]!.push(without)
    whole[p]!.push(withModels)
  })
}
names.forEach((name, p) => {
  const decoding = median(alone[p]!)
  const all = median(whole[p]!)
  const { events, alerts } = whole[p]![0]!
  console.log(`${name}: ${events} events, decoder ${decoding.toFixed(3)} s, with models ${all.toFixed(3)} s, the models' share ${Math.round((1 - decoding / all) * 100)} %, alerts ${alerts}`)
})
