/** Inventory and segmentation, cut down to what the page shows. */
import type { DeviceView } from '../../models/outlook.ts'
import type { Posture } from '../../models/posture/posture.ts'
import type { DeclaredSegment } from '../../models/posture/segments.ts'
import { inventory } from '../posture/write.ts'
import type { InventoryRow, PostureView } from './data.ts'

/** Devices, rows of each table, and services of one device. The commands `inventory` and `segments` have all of them. */
const MOST = { devices: 20_000, rows: 1000, services: 10, hosts: 20, text: 200 } as const

const cut = (text: string | null): string | null => (text === null ? null : text.slice(0, MOST.text))

export function postureView(posture: Posture, views: readonly DeviceView[], declared: readonly DeclaredSegment[]): PostureView {
  const audit = posture.segments(views, declared)
  return {
    inventory: inventory(posture, views).slice(0, MOST.devices).map((item): InventoryRow => ({
      id: item.id, name: item.name, role: item.role, medical: item.medical, ip: item.ip,
      manufacturer: cut(item.manufacturer), model: cut(item.model), software: cut(item.software), serial: cut(item.serial), station: cut(item.station), institution: cut(item.institution),
      mac_vendor: cut(item.mac_vendor), hostname: cut(item.hostname), implementation: item.implementation, os: item.os.slice(0, 4), system: item.system,
      services_offered: item.services_offered.slice(0, MOST.services), confidence: item.confidence, evidence: item.evidence.slice(0, 6),
    })),
    segments: {
      ...audit,
      it_to_medical: audit.it_to_medical.slice(0, MOST.rows), exposed: audit.exposed.slice(0, MOST.rows), blocked: audit.blocked.slice(0, MOST.rows), failed: audit.failed.slice(0, MOST.rows),
      rules: audit.rules.slice(0, MOST.rows).map((rule) => ({ ...rule, from: rule.from.slice(0, MOST.hosts) })),
    },
  }
}
