/**
 * The site's secret key behind every pseudonym. The same key gives the same pseudonym for the same person, so events of
 * different runs can be joined; without the key a pseudonym cannot be traced back.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { UserError, reason } from '../errors.ts'
import { privateFolder } from './private-folder.ts'

const KEY_BYTES = 32

/**
 * The key in force: the state's own, else the one in the file, else the user's.
 * @param state undefined without a state; `siteKey` is undefined while it is new
 * @param file named by the configuration
 * @param warn hears in one line what the user should know
 * @throws {UserError} when the file is not a key
 */
export function siteKeyOf(state: { readonly siteKey: Uint8Array | undefined } | undefined, file: string | undefined, warn: (line: string) => void): Uint8Array {
  const named = file === undefined ? undefined : readKeyFile(file, warn)
  const kept = state?.siteKey
  if (kept !== undefined && named !== undefined && !Buffer.from(kept).equals(named)) warn(`the state was begun with another site key than that of ${file}: it goes on with its own`)
  // A system user has no folder to keep a key in; a state keeps it.
  return kept ?? named ?? userKey(state === undefined ? warn : () => undefined)
}

/**
 * @param warn hears in one line when others than its owner can read or change the file
 * @throws {UserError} when the file is not a key: 64 hexadecimal digits
 */
export function readKeyFile(path: string, warn: (line: string) => void): Uint8Array {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
    if (isOpen(path)) warn(`the site key ${path} is open to other users, who can find out with it whom a pseudonym stands for: chmod 600 ${path}`)
  } catch (error) {
    throw new UserError(`cannot read the site key ${path}: ${reason(error)}`, 2)
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new UserError(`${path} is not a site key: it must hold 64 hexadecimal digits (openssl rand -hex 32)`, 2)
  return Buffer.from(text, 'hex')
}

/** Can others than its owner read or change it? A group that somebody else's file was opened to is the one that this program runs in. */
function isOpen(path: string): boolean {
  const { mode, uid } = statSync(path)
  return (mode & (uid === process.getuid?.() ? 0o077 : 0o007)) !== 0
}

/** Where a user without a state folder keeps the key. */
function userKeyPath(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'wardwire', 'site.key')
}

/**
 * The user's own key, made at the first use (readable by the user only).
 * @param warn hears in one line when it can't be kept, so that pseudonyms of this run fit no other, or is open to others
 */
export function userKey(warn: (line: string) => void): Uint8Array {
  const path = userKeyPath()
  const made = randomBytes(KEY_BYTES)
  try {
    privateFolder(dirname(path))
    // Exclusive: of two first runs at once, one makes the key and the other reads it.
    writeFileSync(path, `${made.toString('hex')}\n`, { flag: 'wx', mode: 0o600 })
    return made
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readKeyFile(path, warn)
    warn(`the site key cannot be kept at ${path} (${reason(error)}): pseudonyms of this run fit no other run`)
    return made
  }
}
