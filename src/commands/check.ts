/** `wardwire check [CONFIG]`: validates, and prints the configuration in force, with what each key means; without a file, the defaults. */
import { stringify } from 'yaml'
import { configSchema, loadConfig, type Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { secretFile } from '../sinks/tls-options.ts'
import { readKeyFile } from '../store/site-key.ts'

/** @returns the exit code. @throws {UserError} when the file is wrong, or names files that can't be read */
export function check(path: string | undefined): number {
  const inForce = loadConfig(path)
  const problems = [...namedFiles(inForce, '')].flatMap(([key, file]) => {
    try {
      secretFile(file)
      return []
    } catch (error) {
      return [`${key}: ${(error as UserError).message}`]
    }
  })
  if (problems.length > 0) throw new UserError(`${path}: ${problems.join('; ')}`, 2)
  if (inForce.site_key_file !== undefined) readKeyFile(inForce.site_key_file, (line) => { process.stderr.write(`wardwire: ${line}\n`) })
  const config = shown(inForce)
  for (const key of Object.keys(configSchema.shape) as (keyof Config)[]) {
    process.stdout.write(`# ${configSchema.shape[key].description ?? ''}\n`)
    process.stdout.write(config[key] === undefined ? `# ${key}:\n` : stringify({ [key]: config[key] }))
  }
  return 0
}

/** Certificates, keys and passwords: each key of the configuration that ends in `_file`, however deep. */
function * namedFiles(value: unknown, at: string): Iterable<[key: string, file: string]> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    const key = at === '' ? name : `${at}.${name}`
    if (name.endsWith('_file') && typeof inner === 'string') yield [key, inner]
    else yield * namedFiles(inner, key)
  }
}

/** Many webhooks have their secret in the address: of that only where it leads is shown. */
function shown(config: Config): Config {
  return { ...config, sinks: config.sinks.map((sink) => ('url' in sink ? { ...sink, url: addressOf(sink.url) } : sink)) }
}

function addressOf(url: string): string {
  const { origin, href } = new URL(url)
  return href === `${origin}/` ? origin : `${origin}/[not shown]`
}
