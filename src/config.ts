/** The configuration file: one schema, with its defaults. `wardwire check FILE` prints what is in force. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { UserError, reason } from './errors.ts'

export const configSchema = z.strictObject({
  sensor: z.string().min(1).max(64).default('wardwire')
    .describe('name of this sensor in alerts'),
  site_key_file: z.string().optional()
    .describe('file with the site key (64 hexadecimal digits) behind every pseudonym; default: kept in the state folder, else in the user\'s own state folder'),
  calendar: z.string().optional()
    .describe('file with declared changes and known public peers'),
  community_id_seed: z.int().min(0).max(65535).default(0)
    .describe('seed of Community IDs; the same as in Zeek and Suricata, or their flows do not join'),
})

export type Config = z.output<typeof configSchema>

/**
 * @param path a YAML or JSON file; undefined gives the defaults
 * @throws {UserError} that names the file and each key that is wrong
 */
export function loadConfig(path: string | undefined): Config {
  if (path === undefined) return configSchema.parse({})
  const result = configSchema.safeParse(readStructured(path, 'configuration') ?? {})
  if (result.success) return result.data
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`)
  throw new UserError(`${path}: ${issues.join('; ')}`, 2)
}

/** Reads YAML, of which JSON is a part. @throws {UserError} */
export function readStructured(path: string, what: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UserError(`cannot read the ${what} ${path}: ${reason(error).split('\n', 1)[0]}`, 2)
  }
}
