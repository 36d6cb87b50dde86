/** What a device does, judged by what it was seen doing; "unknown" until that is enough. */
import { latestModality } from './deeds.ts'
import { mature, type Device } from './device.ts'

/** Uses of services before a role is given. */
const ENOUGH = 20

const of = (device: Device, deed: string): number => device.deeds.get(deed) ?? 0

/** @returns modality:CT ..., archive, workstation, ris, engine, hl7-source, hl7-receiver, gateway, sink, monitor, or unknown */
export function roleOf(device: Device): string {
  let all = 0
  for (const n of device.deeds.values()) all += n
  if (all < ENOUGH) return 'unknown'
  const sent = of(device, 'C-STORE>')
  const received = of(device, 'C-STORE<')
  const asked = of(device, 'C-FIND>') + of(device, 'C-MOVE>') + of(device, 'C-GET>')
  const answered = of(device, 'C-FIND<') + of(device, 'C-MOVE<') + of(device, 'C-GET<')
  const worklist = of(device, 'MWL<') + of(device, 'MPPS<')
  const hl7Out = of(device, 'HL7>')
  const hl7In = of(device, 'HL7<')
  // Whoever follows a worklist is a scanner, also when others come and use it as a server.
  const scans = of(device, 'MWL>') >= ENOUGH && received + answered < sent / 4
  // Servers first: what others come for is the surest sign.
  if (!scans && received >= 5 && answered >= 5 && answered >= asked) return 'archive'
  if (worklist >= 10) return 'ris'
  if (of(device, 'MWL>') + of(device, 'MPPS>') >= 5 || (sent >= 5 && asked < sent / 4 && received < sent / 4)) {
    if (sent > 0 || of(device, 'MWL>') >= ENOUGH) return `modality:${latestModality(device)}`
  }
  if (asked >= 5) return 'workstation'
  if (sent >= 5 && received >= 5) return 'gateway'
  if (received >= 5) return 'sink'
  if (hl7Out >= 10 && hl7In >= 10 && of(device, 'HL7-peers') >= 2) return 'engine'
  if (hl7Out >= 10) return 'hl7-source'
  if (hl7In >= 10) return 'hl7-receiver'
  if (of(device, 'C-ECHO>') >= ENOUGH) return 'monitor'
  return 'unknown'
}

/** Role without its detail: modality:CT and modality:MR are both modalities. */
export const family = (role: string): string => role.split(':', 1)[0]!

/** Media, and gateways and readers elsewhere, who may be known for long and yet be seen too seldom to have a role: they get what people ask for, in piles that have one reason each. */
export const isOutlet = (device: Device): boolean => device.role === 'sink' || device.role === 'gateway' || (device.role === 'unknown' && mature(device))

/**
 * Who may send images to whom without anybody wondering. Modalities feed archives, readers and media; archives feed everybody that keeps
 * or reads; nobody feeds a modality, and readers feed archives. An unknown party makes no pair illegal.
 */
const RECEIVERS: Record<string, readonly string[]> = {
  modality: ['archive', 'workstation', 'gateway', 'sink', 'ris'],
  archive: ['archive', 'workstation', 'gateway', 'sink'],
  workstation: ['archive', 'workstation', 'gateway', 'sink'],
  gateway: ['archive', 'workstation', 'gateway', 'sink'],
  sink: ['archive', 'gateway', 'sink', 'workstation'],
}

/** Is it odd for a `from` to use this service of a `to`, whoever they are? */
export function legal(service: string, from: string, to: string): boolean {
  const a = family(from)
  const b = family(to)
  if (a === 'unknown' || b === 'unknown') return true
  if (service === 'C-STORE') return RECEIVERS[a]?.includes(b) ?? false
  if (service === 'HL7') return !['modality', 'monitor', 'sink'].includes(a) && !['modality', 'monitor', 'sink'].includes(b)
  if (service === 'C-FIND' || service === 'C-MOVE' || service === 'C-GET') return b === 'archive' || b === 'ris'
  return true
}
