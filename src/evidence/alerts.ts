/** `FILE:ID` to the alert it names. FILE: alerts as JSON lines (the native form), or a report. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Alert } from '../../models/alert.ts'
import { UserError, reason } from '../errors.ts'
import { alertSchema } from '../schema.ts'
import { fromNative, nativeAlert } from '../sinks/formats/native.ts'

/** Of several revisions the last one counts. @throws {UserError} when there is none, or the file can't be read */
export async function findAlert(name: string): Promise<Alert> {
  const colon = name.lastIndexOf(':')
  if (colon <= 0 || colon === name.length - 1) throw new UserError(`${name}: name the alert as FILE:ID, the file being alerts as JSON lines, or a report`, 2)
  const path = name.slice(0, colon)
  const id = name.slice(colon + 1)
  let found: Alert | undefined
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) found = alertIn(line, id) ?? found
  } catch (error) {
    throw new UserError(`cannot read alerts from ${path}: ${reason(error)}`, 1)
  }
  if (found === undefined) throw new UserError(`${path} has no alert ${id}`, 1)
  return found
}

const REPORT_DATA = '<script type="application/json" id="data">'

function alertIn(line: string, id: string): Alert | undefined {
  if (!line.includes(id)) return undefined
  if (line.startsWith(REPORT_DATA)) return alertOfReport(line, id)
  return checked(json(line), id)
}

function checked(value: unknown, id: string): Alert | undefined {
  const parsed = alertSchema.safeParse(value)
  return parsed.success && parsed.data.id === id ? fromNative(parsed.data) : undefined
}

/** In a report times are numbers. */
function alertOfReport(line: string, id: string): Alert | undefined {
  const data = json(line.slice(REPORT_DATA.length, line.indexOf('</script>'))) as { alerts?: Alert[] } | undefined
  const alert = data?.alerts?.find((a) => a.id === id)
  try {
    return alert === undefined ? undefined : checked(json(nativeAlert(alert)), id)
  } catch {
    // A report that somebody changed may lack what an alert has.
    return undefined
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
