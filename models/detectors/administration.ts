/** What the detectors of spreading share: the services by which hosts are administered, share files or keep data, and who uses them by trade. */
import type { FlowEnd } from '../../protocols/events.ts'
import type { Device } from '../device.ts'

const SERVICES: Record<number, string> = {
  21: 'FTP', 22: 'SSH', 23: 'Telnet', 135: 'RPC', 139: 'SMB', 445: 'SMB', 512: 'rexec', 513: 'rlogin', 514: 'rsh', 1433: 'SQL Server', 1521: 'Oracle', 3306: 'MySQL',
  3389: 'RDP', 5432: 'PostgreSQL', 5800: 'VNC', 5900: 'VNC', 5985: 'WinRM', 5986: 'WinRM',
}
/** Who has such conversations with so many hosts by habit is an administrator, a backup or a patch server: a further host is its work. */
const ADMINISTRATOR = 3

/** What spreads from host to host uses one of these. */
export const administrationOf = (port: number): string | undefined => SERVICES[port]

/** Both sides said something: a refusal or a look at an open port is a matter of fan-out. */
export const talked = ({ transport, state, flow, bytes }: FlowEnd): boolean => transport === 'tcp' && state === 'established' && !flow.midstream && bytes.client > 0 && bytes.server > 0

export function administers(device: Device, port: number): boolean {
  const suffix = `:${port}`
  let hosts = 0
  for (const [value, habit] of device.memories.contact.known) {
    if (habit.settled && value.endsWith(suffix) && ++hosts >= ADMINISTRATOR) return true
  }
  return false
}
