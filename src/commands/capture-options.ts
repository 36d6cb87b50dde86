/** What `watch` and `capture` are told about capturing. */
import { UserError } from '../errors.ts'
import { LIVE, type LiveOptions } from '../sources/live-options.ts'

export interface CaptureOptions {
  interface?: string[]
  filter?: string
  snaplen?: string
  buffer?: string
}

/** @throws {UserError} */
export function liveOptions({ interface: interfaces = [], filter = LIVE.filter, snaplen, buffer }: CaptureOptions): LiveOptions {
  if (interfaces.length === 0) throw new UserError('name an interface with -i', 2)
  const twice = interfaces.find((name, i) => interfaces.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`the interface ${twice} is named twice: its frames would be counted twice`, 2)
  return {
    interfaces, filter,
    snapLength: snaplen === undefined ? LIVE.snapLength : whole('--snaplen', snaplen, 64, 1_048_576),
    bufferBytes: buffer === undefined ? LIVE.bufferBytes : whole('--buffer', buffer, 1, 1024) * 1024 * 1024,
  }
}

/** @throws {UserError} */
export function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) throw new UserError(`${option} ${text}: give a whole number from ${least} to ${most}`, 2)
  return value
}
