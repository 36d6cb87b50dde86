/** `wardwire check CONFIG`: validates, and prints the configuration in force, with what each key means. */
import { stringify } from 'yaml'
import { configSchema, loadConfig, type Config } from '../config.ts'

/** @returns the exit code. @throws {UserError} when the file is wrong */
export function check(path: string): number {
  const config = shown(loadConfig(path))
  for (const key of Object.keys(configSchema.shape) as (keyof Config)[]) {
    process.stdout.write(`# ${configSchema.shape[key].description ?? ''}\n`)
    process.stdout.write(config[key] === undefined ? `# ${key}:\n` : stringify({ [key]: config[key] }))
  }
  return 0
}

/** Many webhooks have their secret in the address: of that only where it leads is shown. */
function shown(config: Config): Config {
  return { ...config, sinks: config.sinks.map((sink) => ('url' in sink ? { ...sink, url: addressOf(sink.url) } : sink)) }
}

function addressOf(url: string): string {
  const { origin, href } = new URL(url)
  return href === `${origin}/` ? origin : `${origin}/[not shown]`
}
