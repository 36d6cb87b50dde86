/** `wardwire console --state DIR`: what a state holds, live on loopback, beside whatever run writes it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { Console } from '../report/console.ts'
import { pageAssets } from '../report/html.ts'
import { StateSource } from '../report/state-source.ts'
import { State } from '../store/state.ts'

export interface ConsoleOptions {
  state: string
  port: string
}

/** Ends on SIGINT or SIGTERM. @returns the exit code. @throws {UserError} on bad usage, or when the port is taken */
export async function consoleCommand({ state: folder, port: text }: ConsoleOptions): Promise<number> {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UserError(`--port ${text}: give a port from 0 to 65535`, 2)
  if (!existsSync(join(folder, 'wardwire.mdb'))) throw new UserError(`${folder} holds no state: give the folder that --state of replay or watch has written`, 2)
  const state = new State(folder)
  const desk = new Console(new StateSource(state), await pageAssets())
  try {
    const address = await desk.listen(port)
    process.stdout.write(`${address}\n`)
    process.stderr.write('wardwire: the console is for this machine only; the address holds the key to it. Ctrl-C ends it\n')
    await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
    return 0
  } finally {
    await desk.close()
    await state.close()
  }
}
