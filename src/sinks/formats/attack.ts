/** MITRE ATT&CK names as identifiers and addresses. */
import type { Attack } from '../../../models/alert.ts'

/** attack.mitre.org/tactics/enterprise */
const TACTICS = new Map([
  ['reconnaissance', 'TA0043'], ['resource development', 'TA0042'], ['initial access', 'TA0001'], ['execution', 'TA0002'],
  ['persistence', 'TA0003'], ['privilege escalation', 'TA0004'], ['defense evasion', 'TA0005'], ['credential access', 'TA0006'],
  ['discovery', 'TA0007'], ['lateral movement', 'TA0008'], ['collection', 'TA0009'], ['exfiltration', 'TA0010'],
  ['command and control', 'TA0011'], ['impact', 'TA0040'],
])

/** The identifier of a tactic, by its name; undefined for one that is not of the enterprise matrix. */
export function tacticId({ tactic }: Attack): string | undefined {
  return TACTICS.get(tactic.toLowerCase().replaceAll('-', ' '))
}

/** T1048.003 is sub-technique 003 of T1048. */
export const isSubtechnique = (attack: Attack): boolean => attack.technique.includes('.')

export const parentTechnique = (attack: Attack): string => attack.technique.split('.', 1)[0]!

export const techniqueUrl = (technique: string): string => `https://attack.mitre.org/techniques/${technique.replace('.', '/')}/`

export const tacticUrl = (id: string): string => `https://attack.mitre.org/tactics/${id}/`
