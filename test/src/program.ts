/** Runs the program as a user does, from its sources. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Run {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: Uint8Array
  env?: Record<string, string>
  /** Kill it with this signal once it has written something to standard error, or after `after` milliseconds. */
  kill?: { signal: NodeJS.Signals; after: number }
}

export function wardwire(args: string[], { input, env, kill }: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli.ts'), ...args], { cwd: root, env: { ...process.env, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    // A program that refuses its arguments may be gone before it reads its input.
    child.stdin.on('error', () => {}).end(input)
    if (kill) setTimeout(() => child.kill(kill.signal), kill.after)
  })
}

export const jsonLines = (text: string): Record<string, unknown>[] =>
  text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>)
