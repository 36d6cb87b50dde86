/** The console of a service: served while it runs, its address for whoever may read what the service keeps. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError, reason } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { Console, type ConsoleSource } from './console.ts'
import { pageAssets } from './html.ts'

/** In the state folder: the address, token and all. */
const ADDRESS_FILE = 'console-address'

/**
 * The address holds the key, so it does not go into the log, which others read: to a terminal, or else to a file of the state folder that only its
 * owner can read and that ends with the console.
 * @throws {UserError} when the port is taken, or the address finds no place
 */
export async function serveConsole(source: ConsoleSource, port: number, stateFolder: string | undefined, log: Log): Promise<{ close(): Promise<void> }> {
  const desk = new Console(source, await pageAssets())
  const address = await desk.listen(port)
  const file = stateFolder === undefined ? undefined : join(stateFolder, ADDRESS_FILE)
  const close = async (): Promise<void> => {
    if (file !== undefined) rmSync(file, { force: true })
    await desk.close()
  }
  try {
    if (file !== undefined) {
      writeFileSync(file, `${address}\n`, { mode: 0o600 })
      // Where it was left by a run that was killed.
      chmodSync(file, 0o600)
    } else if (!process.stderr.isTTY) throw new Error('it needs --state, or a terminal, for its address')
    if (process.stderr.isTTY) process.stderr.write(`${address}\n`)
  } catch (error) {
    await close()
    throw new UserError(`the console cannot be opened: ${reason(error)}`, 2)
  }
  log.info(`the console is on ${new URL(address).origin}, for this machine only`, { ...(file !== undefined && { address_in: file }) })
  return { close }
}
