/** An alert as a line of ArcSight Common Event Format (CEF:0). A pure function of the alert. */
import { stripVTControlCharacters } from 'node:util'
import type { Alert, Severity } from '../../../models/alert.ts'
import { withoutInvisible } from '../../../protocols/invisible.ts'
import { VERSION } from '../../version.ts'

const SEVERITY: Record<Severity, number> = { info: 1, low: 3, medium: 5, high: 8, critical: 10 }

/** Line ends have an escape of their own in values; no other control character may pass. */
const clean = (text: string): string => withoutInvisible(stripVTControlCharacters(text), '?', true)

/** In the head `\` and `|` are escaped, and line ends have no place. */
const head = (text: string): string => clean(text).replace(/[\r\n]+/g, ' ').replace(/[\\|]/g, '\\$&')

/** In a value `\`, `=` and line ends are escaped. */
const value = (text: string): string => clean(text).replace(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n')

/** IPv6 has keys of its own. */
function address(ip: string | undefined, v4: string, v6: string, label: string): [string, string][] {
  if (ip === undefined) return []
  return ip.includes(':') ? [[v6, ip], [`${v6}Label`, label]] : [[v4, ip]]
}

function labelled(key: string, label: string, text: string): [string, string][] {
  return text === '' ? [] : [[key, text], [`${key}Label`, label]]
}

const millis = (at: number): string => String(Math.floor(at / 1000))

/** One line, without its end. */
export function cefAlert(alert: Alert): string {
  const { device, peers: [peer], evidence: [leading] } = alert
  const fields: [string, string][] = [
    ['externalId', alert.id],
    ['rt', millis(alert.raised_at)], ['start', millis(alert.first_seen)], ['end', millis(alert.last_seen)],
    ['dvchost', alert.capture.sensor],
    ...address(device.ip[0], 'src', 'c6a2', 'Source IPv6 Address'),
    ...(device.mac[0] === undefined ? [] : [['smac', device.mac[0]] as [string, string]]),
    ['shost', device.name],
    ...address(peer?.ip[0], 'dst', 'c6a3', 'Destination IPv6 Address'),
    ...(peer?.mac[0] === undefined ? [] : [['dmac', peer.mac[0]] as [string, string]]),
    ...(peer === undefined ? [] : [['dhost', peer.name] as [string, string]]),
    ...(leading === undefined ? [] : [['cat', leading.group] as [string, string]]),
    ['cnt', String(alert.count)],
    ...labelled('cn1', 'Revision', String(alert.revision)),
    ...labelled('cfp1', 'Score', String(alert.score)),
    ...labelled('cs1', 'Device', device.id),
    ...labelled('cs2', 'Role', device.role),
    ...labelled('cs3', 'AE titles', device.ae_titles.join(' ')),
    ...labelled('cs4', 'ATT&CK', alert.attack.map((a) => a.technique).join(' ')),
    ...labelled('cs5', 'Community IDs', alert.flows.join(' ')),
    ...labelled('cs6', 'Evidence', alert.evidence.map((e) => e.text).join('; ')),
    ['msg', alert.explanation],
  ]
  const extension = fields.map(([key, text]) => `${key}=${value(text)}`).join(' ')
  return `CEF:0|wardwire|wardwire|${head(VERSION)}|${head(alert.detector)}|${head(alert.title)}|${SEVERITY[alert.severity]}|${extension}`
}
