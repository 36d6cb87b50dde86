/** A file that only its owner may read, whatever its folder allows: it holds the site key, or what is only a pseudonym to those without it. */
import { chmodSync, closeSync, openSync } from 'node:fs'

/** Makes the file where it is new, and closes an older one to others. @returns the path */
export function privateFile(path: string): string {
  closeSync(openSync(path, 'a', 0o600))
  try {
    chmodSync(path, 0o600)
  } catch {
    // Somebody else's file that we may write: its owner decided.
  }
  return path
}
