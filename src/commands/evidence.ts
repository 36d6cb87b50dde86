/** `wardwire evidence FILE:ID... --capture FILE... -o OUT.tar.gz`: alerts with their events, packets and baseline, for hand-over. */
import { loadConfig } from '../config.ts'
import { UserError } from '../errors.ts'
import { findAlert } from '../evidence/alerts.ts'
import { bundle } from '../evidence/bundle.ts'
import { amount } from '../inspect/text.ts'
import { siteKeyOf } from '../store/site-key.ts'

export interface EvidenceOptions {
  capture: string[]
  output?: string
  state?: string
  config?: string
}

const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** @returns the exit code. @throws {UserError} when something is missing, or on bad usage */
export async function evidence(names: string[], options: EvidenceOptions): Promise<number> {
  const config = loadConfig(options.config)
  const alerts = []
  for (const name of names) alerts.push(await findAlert(name))
  if (new Set(alerts.map((a) => a.id)).size < alerts.length) throw new UserError('the same alert is named twice', 2)
  const out = options.output ?? `${alerts[0]!.id.replace(/[^\w-]/g, '_')}-evidence-raw-patient-data.tar.gz`
  const state = options.state === undefined ? undefined : new (await import('../store/state.ts')).State(options.state)
  try {
    const siteKey = siteKeyOf(state, config.site_key_file, say)
    const result = await bundle(alerts, { captures: options.capture, out, communityIdSeed: config.community_id_seed, siteKey, learned: state?.model() })
    for (const { path, text } of result.problems) say(`${path}: ${text}`)
    say(`${out}: ${result.files} files, ${amount(Math.ceil(result.bytes / 1000), 'kilobyte')}`)
    say('it holds PATIENT DATA in clear (the packets): handle it as a patient record')
    process.stdout.write(`${result.sha256}  ${out}\n`)
    return result.problems.length > 0 ? 1 : 0
  } finally {
    await state?.close()
  }
}
