/** DIMSE command sets (PS3.7 section 6.3 and annex E): implicit VR little endian, group 0000. */
import { u16le, u32le } from '../bytes.ts'
import type { DimseCommand } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { fieldText, titleText } from './pdu.ts'

/** Command Field (0000,0100) of requests (PS3.7 table E.1-1). Responses have the highest bit set. */
export const COMMANDS: ReadonlyMap<number, DimseCommand> = new Map([
  [0x0001, 'C-STORE'], [0x0010, 'C-GET'], [0x0020, 'C-FIND'], [0x0021, 'C-MOVE'], [0x0030, 'C-ECHO'], [0x0100, 'N-EVENT-REPORT'],
  [0x0110, 'N-GET'], [0x0120, 'N-SET'], [0x0130, 'N-ACTION'], [0x0140, 'N-CREATE'], [0x0150, 'N-DELETE'],
])
export const C_CANCEL = 0x0fff
export const RESPONSE = 0x8000
/** Command Data Set Type (0000,0800): no data set follows. */
const NO_DATA_SET = 0x0101

/** What was not in the command set is -1 or null. */
export class Command {
  field = -1
  /** Message ID (0000,0110) of a request. */
  messageId = -1
  /** Message ID Being Responded To (0000,0120). */
  respondedTo = -1
  hasDataSet = false
  /** (0000,0900) */
  status = -1
  /** Affected or requested SOP class and instance (0000,0002), (0000,0003), (0000,1000), (0000,1001). */
  sopClass: string | null = null
  sopInstance: string | null = null
  moveDestination: string | null = null
  /** (0000,1030) and (0000,1031) */
  moveOriginator: string | null = null
  moveOriginatorId = -1
  /** Event type (0000,1002) of N-EVENT-REPORT, action type (0000,1008) of N-ACTION. */
  type = -1
  /** Sub-operations (0000,1020) to (0000,1023). */
  remaining = -1
  completed = -1
  failed = -1
  warning = -1
  /** Group length (0000,0000) as it came. */
  groupLength = -1
  /** All elements could be read. */
  isWhole = false

  /** The DIMSE service; undefined for C-CANCEL and for fields that PS3.7 does not know. */
  service: DimseCommand | undefined = undefined

  get isResponse(): boolean {
    return (this.field & RESPONSE) !== 0
  }
}

/** Reads a whole command set. What cannot be read is missing from the answer, which then is not `isWhole`. */
export function readCommand(b: Uint8Array, start: number, end: number): Command {
  const command = new Command()
  let at = start
  while (at + 8 <= end) {
    const value = at + 8
    const next = value + u32le(b, at + 4)
    if (next > end || u16le(b, at) !== 0) break
    element(b, u16le(b, at + 2), value, next, command)
    at = next
  }
  command.isWhole = at === end
  command.service = COMMANDS.get(command.field & ~RESPONSE)
  return command
}

/** Group length (0000,0000): tag 4, length 4, value 4 (PS3.7 6.3.1). It counts what follows it. */
export const GROUP_LENGTH_ELEMENT = 12

/** @returns the bytes of a whole command set that begins here and that no chance makes; 0 when there is none */
export function commandSetAt(b: Uint8Array, start: number, end: number): number {
  if (end - start < GROUP_LENGTH_ELEMENT || u32le(b, start) !== 0 || u32le(b, start + 4) !== 4) return 0
  const length = GROUP_LENGTH_ELEMENT + u32le(b, start + 8)
  if (length > end - start || length > LIMITS.dicom.commandBytes) return 0
  const command = readCommand(b, start, start + length)
  return command.isWhole && (command.service !== undefined || command.field === C_CANCEL) ? length : 0
}

function element(b: Uint8Array, number: number, start: number, end: number, command: Command): void {
  const value = end - start < 2 ? -1 : u16le(b, start)
  switch (number) {
    case 0x0000: if (end - start === 4) command.groupLength = u32le(b, start); break
    case 0x0002: case 0x0003: command.sopClass = uidText(b, start, end); break
    case 0x0100: command.field = value; break
    case 0x0110: command.messageId = value; break
    case 0x0120: command.respondedTo = value; break
    case 0x0600: command.moveDestination = titleText(b, start, end); break
    case 0x0800: command.hasDataSet = value >= 0 && value !== NO_DATA_SET; break
    case 0x0900: command.status = value; break
    case 0x1000: case 0x1001: command.sopInstance = fieldText(b, start, end) || null; break
    case 0x1002: case 0x1008: command.type = value; break
    case 0x1020: command.remaining = value; break
    case 0x1021: command.completed = value; break
    case 0x1022: command.failed = value; break
    case 0x1023: command.warning = value; break
    case 0x1030: command.moveOriginator = titleText(b, start, end) || null; break
    case 0x1031: command.moveOriginatorId = value; break
  }
}

/** The last few SOP classes as text: nearly every command of a site names one of a handful. */
const recent: { bytes: Uint8Array; text: string }[] = []
let oldest = 0

function uidText(b: Uint8Array, start: number, end: number): string | null {
  const length = end - start
  for (let i = 0; i < recent.length; i++) {
    const { bytes, text } = recent[i]!
    if (bytes.length !== length) continue
    // Where UIDs differ is mostly at their end.
    let at = length
    while (at > 0 && bytes[at - 1] === b[start + at - 1]) at--
    if (at === 0) return text
  }
  const text = fieldText(b, start, end)
  if (text === '') return null
  if (length <= LIMITS.dicom.textBytes) {
    recent[oldest] = { bytes: b.slice(start, end), text }
    oldest = (oldest + 1) % LIMITS.dicom.recentUids
  }
  return text
}
