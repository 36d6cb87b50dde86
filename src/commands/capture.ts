/** `wardwire capture -i IFACE`: the capturing process alone, for units that part the right to capture from everything else. */
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { UserError, reason } from '../errors.ts'
import { childProgram } from '../sources/live.ts'
import { FAULTS } from '../sources/live-options.ts'
import { liveOptions, type CaptureOptions } from './capture-options.ts'

const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** The pause between two tries to connect, milliseconds. */
const PAUSE = 1000

/**
 * Writes frames as pcapng to standard output, or to a stream socket on which `wardwire watch --socket` listens.
 * @returns the exit code. @throws {UserError} on bad usage, and when it can't capture
 */
export async function capture({ socket, ...options }: CaptureOptions & { socket?: string }): Promise<number> {
  const live = liveOptions(options)
  if (socket === undefined && process.stdout.isTTY) throw new UserError('standard output is a terminal: pipe it into wardwire watch -, or name a --socket', 2)
  let isOver = false
  const stop = new AbortController()
  const end = (): void => { isOver = true; stop.abort() }
  process.once('SIGTERM', end).once('SIGINT', end)
  while (!isOver) {
    const to = socket === undefined ? undefined : await connected(socket, stop.signal)
    if (isOver) break
    const code = await captureTo(to, live, stop.signal)
    if (socket === undefined || code !== 0) return code
    // The engine went away: it is waited for. What passes meanwhile is not seen, and the engine says so.
  }
  return 0
}

async function connected(path: string, signal: AbortSignal): Promise<Socket> {
  for (let said = false; ; said = true) {
    const socket = createConnection(path)
    const problem = await new Promise<Error | null>((resolve) => socket.once('connect', () => resolve(null)).once('error', resolve))
    if (problem === null || signal.aborted) return socket.on('error', () => {})
    if (!said) say(`waiting for wardwire watch --socket ${path} (${reason(problem)})`)
    await sleep(PAUSE, undefined, { signal }).catch(() => {})
  }
}

/** @returns 0 when it was stopped or nobody reads any more, else what the capturing process ended with */
function captureTo(socket: Socket | undefined, live: ReturnType<typeof liveOptions>, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    // What the engine does not read is not read here either (pipe waits), so the capturing process waits, and the kernel counts what it loses.
    const child = spawn(process.execPath, [...process.execArgv, childProgram(), JSON.stringify(live)], { stdio: ['ignore', socket === undefined ? 'inherit' : 'pipe', 'pipe'] })
    createInterface(child.stderr!).on('line', say)
    if (socket !== undefined) {
      child.stdout!.pipe(socket)
      socket.on('close', () => child.kill('SIGTERM'))
    }
    const end = (): void => { child.kill('SIGTERM') }
    signal.addEventListener('abort', end)
    child.on('close', (code) => {
      signal.removeEventListener('abort', end)
      socket?.end()
      const fault = Object.values(FAULTS).find((f) => f.code === code)
      resolve(fault?.exit ?? (code === 0 || signal.aborted ? 0 : 1))
    })
  })
}
