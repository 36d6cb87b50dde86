/** DIMSE command sets (PS3.7 section 6.3 and annex E): implicit VR little endian, group 0000. */
import { u16le, u32le } from '../bytes.ts'
import type { DimseCommand } from '../events.ts'
import { fieldText } from './pdu.ts'

/** Command Field (0000,0100) of requests (PS3.7 table E.1-1). Responses have the highest bit set. */
export const COMMANDS: ReadonlyMap<number, DimseCommand> = new Map([
  [0x0001, 'C-STORE'], [0x0010, 'C-GET'], [0x0020, 'C-FIND'], [0x0021, 'C-MOVE'], [0x0030, 'C-ECHO'], [0x0100, 'N-EVENT-REPORT'],
  [0x0110, 'N-GET'], [0x0120, 'N-SET'], [0x0130, 'N-ACTION'], [0x0140, 'N-CREATE'], [0x0150, 'N-DELETE'],
])
export const C_CANCEL = 0x0fff
export const RESPONSE = 0x8000
/** Command Data Set Type (0000,0800): no data set follows. */
const NO_DATA_SET = 0x0101

export interface Command {
  field: number
  /** Message ID (0000,0110) of a request. */
  messageId: number
  /** Message ID Being Responded To (0000,0120). */
  respondedTo: number
  hasDataSet: boolean
  /** (0000,0900); -1 where there is none. */
  status: number
  sopClass: string | null
  sopInstance: string | null
  moveDestination: string | null
  moveOriginator: string | null
  /** Sub-operations (0000,1020..1023): remaining, completed, failed, warning. */
  subOperations: [number | null, number | null, number | null, number | null]
}

/** @returns undefined when there is no Command Field in it */
export function parseCommand(b: Uint8Array, end: number): Command | undefined {
  const command: Command = {
    field: -1, messageId: 0, respondedTo: 0, hasDataSet: false, status: -1, sopClass: null, sopInstance: null,
    moveDestination: null, moveOriginator: null, subOperations: [null, null, null, null],
  }
  for (let at = 0; at + 8 <= end;) {
    const start = at + 8
    const next = start + u32le(b, at + 4)
    if (next > end || u16le(b, at) !== 0) break
    element(b, u16le(b, at + 2), start, next, command)
    at = next
  }
  return command.field === -1 ? undefined : command
}

function element(b: Uint8Array, number: number, start: number, end: number, command: Command): void {
  if (number === 0x0002 || number === 0x0003) command.sopClass = fieldText(b, start, end)
  else if (number === 0x1000 || number === 0x1001) command.sopInstance = fieldText(b, start, end)
  else if (number === 0x0600) command.moveDestination = fieldText(b, start, end)
  else if (number === 0x1030) command.moveOriginator = fieldText(b, start, end)
  else if (end - start >= 2) {
    const value = u16le(b, start)
    switch (number) {
      case 0x0100: command.field = value; break
      case 0x0110: command.messageId = value; break
      case 0x0120: command.respondedTo = value; break
      case 0x0800: command.hasDataSet = value !== NO_DATA_SET; break
      case 0x0900: command.status = value; break
      case 0x1020: case 0x1021: case 0x1022: case 0x1023: command.subOperations[number - 0x1020] = value; break
    }
  }
}
