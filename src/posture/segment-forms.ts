/** The segmentation audit as readable text, CSV and nftables: pure functions of it. */
import type { Rule, SegmentAudit } from '../../models/posture/segments.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { csv } from './csv.ts'
import { table } from './inventory-forms.ts'

const percent = (share: number): string => `${Math.round(100 * share)} %`
const SHOWN = 40

export function segmentsText({ segments, shares, field, it_to_medical, exposed, rules, blocked, failed }: SegmentAudit): string {
  const kinds = (of: Record<string, number>): string => Object.entries(of).map(([kind, n]) => `${n} ${kind}`).join(', ')
  const contacts = (list: SegmentAudit['exposed']): string => table(['from', 'to', 'how', 'conversations', 'from network'],
    list.slice(0, SHOWN).map((c) => [c.client, c.server, c.services.join(', '), String(c.conversations), c.client_segment])) + rest(list.length)
  return [
    table(['network', 'kind', 'devices', 'medical', 'who'], segments.map((s) => [s.name, s.kind, String(s.devices), String(s.medical), kinds(s.kinds)])),
    `Only medical: ${percent(shares.medical)} of the networks here (published field figure ${percent(field.medical)}); mixed: ${percent(shares.mixed)} (${percent(field.mixed)}); no medical device: ${percent(shares.other)} (${percent(field.other)}).\n`,
    `Hosts without DICOM or HL7 in conversation with medical devices: ${it_to_medical.length}\n${it_to_medical.length > 0 ? contacts(it_to_medical) : ''}`,
    `Medical devices in conversation with public addresses: ${exposed.length}\n${exposed.length > 0 ? contacts(exposed) : ''}`,
    `What the traffic to medical devices needs: ${rules.length} rules\n${table(['to', 'service', 'from', 'conversations'], rules.slice(0, SHOWN).map((r) => [r.to, serviceOf(r), r.from.join(' '), String(r.conversations)]))}${rest(rules.length)}`,
    `Seen, but not settled enough to be a need; these rules would stop it: ${blocked.length}\n${blocked.length > 0 ? contacts(blocked) : ''}`,
    `Hosts whose attempts nobody answered or accepted: ${failed.length}\n${failed.length > 0 ? table(['from', 'attempts'], failed.slice(0, SHOWN).map((f) => [f.client, String(f.attempts)])) + rest(failed.length) : ''}`,
  ].join('\n')
}

const rest = (n: number): string => (n > SHOWN ? `and ${n - SHOWN} more (--json has all)\n` : '')

const serviceOf = (r: Rule): string => `${r.transport}/${r.port}${r.protocol === null ? '' : ` ${r.protocol}`}`

export const rulesCsv = ({ rules }: SegmentAudit): string => csv(['to', 'transport', 'port', 'protocol', 'from', 'conversations', 'first', 'last'],
  rules.map((r) => [r.to, r.transport, r.port, r.protocol, r.from.join(' '), r.conversations, rfc3339(r.first), rfc3339(r.last)]))

/** An address as it may stand in a rule set: hexadecimal digits, dots and colons, nothing else. */
const ADDRESS = /^[0-9a-f.:]{2,45}$/

/**
 * The rules as a rule set for `nft -f`: what was seen is accepted, the rest to the same hosts is logged. It drops nothing until its last
 * lines are changed, because what was not seen (a yearly job) may be needed as well.
 */
export function rulesNftables({ rules }: SegmentAudit): string {
  const lines = ['table inet wardwire {', ' chain medical {', '  type filter hook forward priority filter; policy accept;', '  ct state established,related accept']
  const guarded = new Set<string>()
  for (const { to, from, transport, port } of rules) {
    const sources = from.filter((ip) => ADDRESS.test(ip))
    if (!ADDRESS.test(to) || sources.length === 0) continue
    const family = to.includes(':') ? 'ip6' : 'ip'
    guarded.add(`${family} daddr ${to}`)
    lines.push(`  ${family} saddr { ${sources.join(', ')} } ${family} daddr ${to} ${transport} dport ${port} accept`)
  }
  for (const host of guarded) lines.push(`  ${host} log prefix "wardwire would drop: " # drop`)
  return `${lines.join('\n')}\n }\n}\n`
}
