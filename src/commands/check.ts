/** `wardwire check [CONFIG]`: validates, and prints the configuration in force, with what each key means; without a file, the defaults. */
import { stringify } from 'yaml'
import { configSchema, loadConfig, type Config } from '../config.ts'

/** @returns the exit code. @throws {UserError} when the file is wrong */
export function check(path: string | undefined): number {
  const config = loadConfig(path)
  for (const key of Object.keys(configSchema.shape) as (keyof Config)[]) {
    process.stdout.write(`# ${configSchema.shape[key].description ?? ''}\n`)
    process.stdout.write(config[key] === undefined ? `# ${key}:\n` : stringify({ [key]: config[key] }))
  }
  return 0
}
