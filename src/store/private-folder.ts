/** A folder that only its owner may enter, with those above it where they are missing. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Step by step: `mkdirSync` with `recursive` does not come back where a file system refuses with ENOENT, as /proc does.
 * @throws what `mkdirSync` throws
 */
export function privateFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || isThere(dirname(path))) throw error
    privateFolder(dirname(path))
    privateFolder(path)
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
