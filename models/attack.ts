/** MITRE ATT&CK Enterprise, version 15.1: the techniques that detectors name. Pinned, because later versions divide the tactics anew. */
import type { Attack } from './alert.ts'

export const ATTACK_VERSION = '15.1'

const TECHNIQUES: Record<string, readonly [name: string, tactic: string]> = {
  'T1018': ['Remote System Discovery', 'Discovery'],
  'T1020': ['Automated Exfiltration', 'Exfiltration'],
  'T1021.001': ['Remote Services: Remote Desktop Protocol', 'Lateral Movement'],
  'T1021.002': ['Remote Services: SMB/Windows Admin Shares', 'Lateral Movement'],
  'T1027.009': ['Obfuscated Files or Information: Embedded Payloads', 'Defense Evasion'],
  'T1029': ['Scheduled Transfer', 'Exfiltration'],
  'T1030': ['Data Transfer Size Limits', 'Exfiltration'],
  'T1036': ['Masquerading', 'Defense Evasion'],
  'T1046': ['Network Service Discovery', 'Discovery'],
  'T1048.003': ['Exfiltration Over Unencrypted Non-C2 Protocol', 'Exfiltration'],
  'T1071': ['Application Layer Protocol', 'Command and Control'],
  'T1074.002': ['Data Staged: Remote Data Staging', 'Collection'],
  'T1078': ['Valid Accounts', 'Defense Evasion'],
  'T1105': ['Ingress Tool Transfer', 'Command and Control'],
  'T1110.001': ['Brute Force: Password Guessing', 'Credential Access'],
  'T1110.003': ['Brute Force: Password Spraying', 'Credential Access'],
  'T1119': ['Automated Collection', 'Collection'],
  'T1200': ['Hardware Additions', 'Initial Access'],
  'T1210': ['Exploitation of Remote Services', 'Lateral Movement'],
  'T1213': ['Data from Information Repositories', 'Collection'],
  'T1486': ['Data Encrypted for Impact', 'Impact'],
  'T1489': ['Service Stop', 'Impact'],
  'T1499.002': ['Endpoint Denial of Service: Service Exhaustion Flood', 'Impact'],
  'T1499.004': ['Endpoint Denial of Service: Application or System Exploitation', 'Impact'],
  'T1001.003': ['Data Obfuscation: Protocol or Service Impersonation', 'Command and Control'],
  'T1552': ['Unsecured Credentials', 'Credential Access'],
  'T1557': ['Adversary-in-the-Middle', 'Credential Access'],
  'T1565.001': ['Data Manipulation: Stored Data Manipulation', 'Impact'],
  'T1565.002': ['Data Manipulation: Transmitted Data Manipulation', 'Impact'],
  'T1571': ['Non-Standard Port', 'Command and Control'],
  'T1572': ['Protocol Tunneling', 'Command and Control'],
}

export const isTechnique = (id: string): boolean => Object.hasOwn(TECHNIQUES, id)

export function techniques(ids: Iterable<string>): Attack[] {
  return [...new Set(ids)].flatMap((technique) => {
    const known = TECHNIQUES[technique]
    return known === undefined ? [] : [{ technique, name: known[0], tactic: known[1] }]
  })
}
