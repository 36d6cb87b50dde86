/** The inventory as JSON, CSV, CycloneDX and readable text: pure functions of its items. */
import type { InventoryItem, Service } from '../../models/posture/inventory.ts'
import { endOfLifeOf, type EndOfLife } from '../../models/posture/systems.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { printable } from '../sinks/terminal.ts'
import { VERSION } from '../version.ts'
import { csv } from './csv.ts'

/** Fields that are capture times. */
const TIMES = new Set(['first', 'last', 'first_seen', 'last_seen'])

/** JSON with times as RFC 3339 text. */
export const json = (value: unknown): string =>
  `${JSON.stringify(value, (key, v: unknown) => (TIMES.has(key) && typeof v === 'number' ? rfc3339(v) : v), 1)}\n`

const serviceText = (s: Service): string => `${s.transport}/${s.port}${s.protocol === null ? '' : ` ${s.protocol}`}`

const COLUMNS: readonly (readonly [name: string, value: (item: InventoryItem) => string | number | null])[] = [
  ['id', (i) => i.id], ['name', (i) => i.name], ['role', (i) => i.role], ['modality', (i) => i.modality], ['manufacturer', (i) => i.manufacturer], ['model', (i) => i.model],
  ['software', (i) => i.software], ['serial', (i) => i.serial], ['station', (i) => i.station], ['institution', (i) => i.institution], ['ip', (i) => i.ip],
  ['addresses', (i) => i.addresses.map((a) => a.ip).join(' ')], ['mac', (i) => [...new Set(i.addresses.flatMap((a) => a.mac ?? []))].join(' ')], ['mac_vendor', (i) => i.mac_vendor],
  ['vlan', (i) => [...new Set(i.addresses.flatMap((a) => a.vlan ?? []))].join(' ')], ['hostname', (i) => i.hostname],
  ['ae_titles', (i) => i.ae_titles.join(' | ')], ['called_ae_titles', (i) => i.called_ae_titles.join(' | ')], ['applications', (i) => i.applications.join(' | ')],
  ['implementation_class_uid', (i) => i.implementation.class_uid], ['implementation_version', (i) => i.implementation.version_name], ['toolkit', (i) => i.implementation.toolkit],
  ['os', (i) => i.system?.name ?? null], ['os_end_of_life', (i) => i.system?.eol ?? null], ['os_past_end_of_life', (i) => (i.system === null ? null : String(i.system.past_end_of_life))],
  ['os_confidence', (i) => i.system?.confidence ?? null], ['os_evidence', (i) => i.os.map((o) => `${o.name}: ${o.evidence}`).join(' | ')],
  ['services_offered', (i) => i.services_offered.map(serviceText).join(' | ')], ['services_used', (i) => i.services_used.map(serviceText).join(' | ')],
  ['peers', (i) => i.peers.length], ['encrypted_share', (i) => Math.round(1000 * i.encrypted) / 1000],
  ['first_seen', (i) => rfc3339(i.first_seen)], ['last_seen', (i) => rfc3339(i.last_seen)], ['confidence', (i) => i.confidence], ['evidence', (i) => i.evidence.join('; ')],
]

/** The inventory as published: every device, and how many scanners run what nobody mends any more. */
export const inventoryJson = (items: readonly InventoryItem[]): string => json({ schema: 'wardwire.inventory/1', end_of_life: endOfLifeOf(items), devices: items })

export const inventoryCsv = (items: readonly InventoryItem[]): string => csv(COLUMNS.map(([name]) => name), items.map((item) => COLUMNS.map(([, value]) => value(item))))

/** CycloneDX 1.6 bill of materials: each device a component of type `device`, what has no field of its own a property. */
export function inventoryCycloneDx(items: readonly InventoryItem[]): string {
  const property = (name: string, value: string | null): { name: string; value: string }[] => (value === null || value === '' ? [] : [{ name: `wardwire:${name}`, value }])
  return json({
    bomFormat: 'CycloneDX', specVersion: '1.6', version: 1,
    metadata: { tools: { components: [{ type: 'application', name: 'wardwire', version: VERSION }] } },
    components: items.map((i) => ({
      type: 'device', 'bom-ref': i.id, name: i.model ?? i.name, ...(i.manufacturer !== null && { manufacturer: { name: i.manufacturer } }), ...(i.software !== null && { version: i.software }),
      properties: [
        ...property('role', i.role), ...property('modality', i.modality), ...property('serial', i.serial), ...property('station', i.station), ...property('institution', i.institution),
        ...property('ip', i.ip), ...i.addresses.flatMap((a) => property('mac', a.mac)), ...i.ae_titles.flatMap((t) => property('ae_title', t)),
        ...property('os', i.system?.name ?? null), ...property('os_end_of_life', i.system?.eol ?? null), ...property('mac_vendor', i.mac_vendor), ...property('hostname', i.hostname),
        ...property('implementation_class_uid', i.implementation.class_uid), ...property('implementation_version', i.implementation.version_name), ...property('confidence', i.confidence),
      ],
    })),
  })
}

/**
 * A table for the terminal, medical devices first.
 * @param width columns of the terminal; where the table is wider, each device takes two lines
 */
export function inventoryText(items: readonly InventoryItem[], width = Infinity): string {
  const rows = [...items].sort((a, b) => Number(b.medical) - Number(a.medical) || (a.role < b.role ? -1 : a.role > b.role ? 1 : a.name < b.name ? -1 : 1)).map((i) => [
    i.name, i.role, i.ip, [i.manufacturer, i.model, i.software].filter((x) => x !== null).join(' ') || i.implementation.toolkit || i.mac_vendor || '',
    i.system?.name ?? '', i.system?.eol === null || i.system === null ? '' : `${i.system.eol}${i.system.past_end_of_life ? ' PAST' : ''}`,
    i.services_offered.slice(0, 3).map(serviceText).join(', '), rfc3339(i.last_seen).slice(0, 16).replace('T', ' '), i.confidence,
  ])
  const whole = table(['device', 'role', 'address', 'make or software', 'system', 'end of life', 'offers', 'last seen', 'sure'], rows)
  const fits = whole.slice(0, -1).split('\n').every((line) => line.length <= width)
  return `${fits ? whole : twoLines(rows)}\n${endOfLifeText(endOfLifeOf(items))}`
}

function twoLines(rows: readonly (readonly string[])[]): string {
  const [, ...first] = table(['device', 'role', 'address', 'make or software'], rows.map((row) => row.slice(0, 4))).slice(0, -1).split('\n')
  return rows.map(([, , , , system, ends, offers, last, sure], i) => {
    const second = [system === '' ? 'system unknown' : system, ends === '' ? '' : `end of life ${ends}`, offers, `seen ${last}`, `sure: ${sure}`]
    return `${first[i]}\n    ${second.filter((text) => text !== '').map((text) => short(printable(text!))).join('; ')}\n`
  }).join('')
}

function endOfLifeText({ imaging, known, past, share, field }: EndOfLife): string {
  if (share === null) return `Imaging devices: ${imaging}; none of them showed its operating system.\n`
  return `Imaging devices past the end of life of their operating system: ${past} of ${known} whose system could be told (${Math.round(100 * share)} %; published field figure ${Math.round(100 * field)} %), ${imaging} seen.\n`
}

const WIDEST = 44

/** Columns aligned; text from the wire stripped of what a terminal would obey. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [head, ...rows.map((row) => row.map((text) => short(printable(text))))]
  const widths = head.map((_, column) => Math.max(...shown.map((row) => row[column]!.length)))
  return shown.map((row) => `${row.map((text, column) => text.padEnd(widths[column]!)).join('  ').trimEnd()}\n`).join('')
}

const short = (text: string): string => (text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text)
