/** What went wrong, in words for the person who ran the program, with the exit code of the command-line contract. */
export class UserError extends Error {
  readonly exitCode: 1 | 2

  /**
   * @param message one sentence: what is wrong and what to do
   * @param exitCode 1: input or sink failed; 2: bad usage or configuration
   */
  constructor(message: string, exitCode: 1 | 2) {
    super(message)
    this.name = 'UserError'
    this.exitCode = exitCode
  }
}

/** The short reason of an operating-system error: `no such file`, `permission denied`. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code
  switch (code) {
    case 'ENOENT': return 'no such file or folder'
    case 'EACCES': case 'EPERM': return 'permission denied'
    case 'EISDIR': return 'is a folder'
    case 'EEXIST': return 'there is a file of that name'
    case 'ENOTDIR': return 'a part of the path is not a folder'
    case 'ENOSPC': return 'no space left on the device'
    case 'EPIPE': return 'the reader went away'
    default: return error instanceof Error ? error.message : String(error)
  }
}
