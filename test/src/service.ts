/** A running `wardwire watch`, to be fed, signalled and asked. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { jsonLines } from './program.ts'

const root = join(import.meta.dirname, '../..')

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
}

export class Service {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''

  /** @param before a command to run it with, such as `nsenter ...` */
  constructor(args: readonly string[], { before = [], env }: { before?: readonly string[]; env?: Record<string, string> } = {}) {
    const command = [...before, process.execPath, '--import', 'tsx', join(root, 'src/cli.ts'), ...args]
    this.child = spawn(command[0]!, command.slice(1), { cwd: root, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => { this.stdout += text })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
    this.child.stdin!.on('error', () => {})
    this.ended = new Promise((resolve, reject) => this.child.on('error', reject).on('close', (code, signal) => resolve({ code, signal })))
  }

  /** Writes to its standard input, no faster than it reads. */
  async feed(bytes: Uint8Array): Promise<void> {
    if (!this.child.stdin!.write(bytes)) await Promise.race([new Promise((resolve) => this.child.stdin!.once('drain', resolve)), this.ended])
  }

  /** Waits for a line of its log. */
  async says(text: string | RegExp, within = 30_000): Promise<void> {
    await until(() => typeof text === 'string' ? this.stderr.includes(text) : text.test(this.stderr), () => `${String(text)} in:\n${this.stderr}`, within)
  }

  /** The port of its health listener. */
  async port(): Promise<number> {
    await this.says('health and metrics on')
    return Number(/health and metrics on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.stderr)![1])
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal)
    return this.ended
  }
}

export async function until(condition: () => boolean | Promise<boolean>, what: () => string | Promise<string> = () => 'a condition', within = 30_000): Promise<void> {
  for (const end = Date.now() + within; !await condition();) {
    if (Date.now() > end) throw new Error(`waited in vain for ${await what()}`)
    await pause(50)
  }
}

export async function get(port: number, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

/** Values of a metrics page, by name and labels as they are written. */
export function metricsOf(page: string): Map<string, number> {
  return new Map(page.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at), Number(line.slice(at + 1))]
  }))
}

/** The JSON lines of a file; of one that is not there, none. A last line that was cut off by a kill is left out. */
export function lines(path: string): Record<string, unknown>[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  return jsonLines(text.slice(0, text.lastIndexOf('\n') + 1))
}
