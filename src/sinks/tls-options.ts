/** What the configuration says of TLS, as Node takes it. */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { TlsConfig } from '../config.ts'
import { UserError, reason } from '../errors.ts'

/** @returns undefined for no TLS @throws {UserError} when a file can't be read */
export function tlsOptions(config: TlsConfig): ConnectionOptions | undefined {
  if (config === false) return undefined
  if (config === true) return {}
  const { ca_file, cert_file, key_file, server_name } = config
  return {
    ...(ca_file !== undefined && { ca: secretFile(ca_file) }),
    ...(cert_file !== undefined && { cert: secretFile(cert_file) }),
    ...(key_file !== undefined && { key: secretFile(key_file) }),
    ...(server_name !== undefined && { servername: server_name }),
  }
}

/** The text of a file, without its last line end. @throws {UserError} */
export function secretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd()
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${reason(error)}`, 2)
  }
}
