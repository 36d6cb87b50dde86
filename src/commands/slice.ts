/** `wardwire slice FILE... --alert FILE:ID -o OUT.pcap`: the packets behind an alert. */
import { loadConfig } from '../config.ts'
import { findAlert } from '../evidence/alerts.ts'
import { slice } from '../evidence/slice.ts'
import { amount } from '../inspect/text.ts'

export interface SliceCommandOptions {
  alert: string
  output?: string
  config?: string
}

/** @returns the exit code. @throws {UserError} when there is nothing to cut, or on bad usage */
export async function sliceCommand(files: string[], options: SliceCommandOptions): Promise<number> {
  const config = loadConfig(options.config)
  const alert = await findAlert(options.alert)
  const out = options.output ?? `${alert.id.replace(/[^\w-]/g, '_')}-raw-patient-data.pcap`
  const { conversations, frames, bytes, format, problems } = await slice(files, alert, out, { communityIdSeed: config.community_id_seed })
  for (const { path, text } of problems) process.stderr.write(`wardwire: ${path}: ${text}\n`)
  process.stderr.write(`wardwire: ${out}: ${amount(frames, 'frame')} (${amount(Math.ceil(bytes / 1000), 'kilobyte')}) of ${amount(conversations, 'conversation')}, ${format}\n`)
  process.stderr.write('wardwire: it holds PATIENT DATA in clear, as it went over the wire: handle it as a patient record\n')
  return problems.length > 0 ? 1 : 0
}
