/** What a device is there for, as far as that is counted: by it others of its role show how busy a day is, and its silence shows. */
import type { CountStream } from './baseline/counts.ts'
import type { Device } from './device.ts'
import { family } from './role.ts'

/** The stream that counts it, by role. */
const WORK: Record<string, string> = { modality: 'store.out', workstation: 'retrieve', 'hl7-source': 'hl7.out', engine: 'hl7.out', ris: 'hl7.out' }

/** What counts the work of its role, if anything does. */
export function workStream(device: Device): CountStream | undefined {
  const name = WORK[family(device.role)]
  return name === undefined ? undefined : device.streams.get(name)
}
