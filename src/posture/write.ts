/** Inventory and segments of a run or a state, with the makers of their network interfaces, into files by the ending of their names. */
import { writeFileSync } from 'node:fs'
import type { DeviceView } from '../../models/outlook.ts'
import type { InventoryItem } from '../../models/posture/inventory.ts'
import type { Posture } from '../../models/posture/posture.ts'
import type { SegmentAudit } from '../../models/posture/segments.ts'
import { UserError, reason } from '../errors.ts'
import { inventoryCsv, inventoryCycloneDx, inventoryJson, json } from './inventory-forms.ts'
import { rulesCsv, rulesNftables } from './segment-forms.ts'
import { vendorOf } from './vendors.ts'

export function inventory(posture: Posture, views: Iterable<DeviceView>): InventoryItem[] {
  const items = posture.inventory([...views])
  const shared = sharedMacs(items)
  for (const item of items) {
    for (const { mac } of item.addresses) if (mac !== null && !shared.has(mac)) item.mac_vendor ??= vendorOf(mac)
  }
  return items
}

/** Devices of one hardware address from which on it is taken to be a router's. */
const ROUTER = 4

/** Hardware addresses in front of so many devices that they say nothing of them. */
function sharedMacs(items: readonly InventoryItem[]): Set<string> {
  const users = new Map<string, number>()
  for (const { addresses } of items) for (const mac of new Set(addresses.map((a) => a.mac))) if (mac !== null) users.set(mac, (users.get(mac) ?? 0) + 1)
  return new Set([...users].filter(([, n]) => n >= ROUTER).map(([mac]) => mac))
}

/** `.csv`, `.cdx.json` (CycloneDX), else JSON. @throws {UserError} */
export function writeInventory(path: string, items: readonly InventoryItem[]): void {
  write(path, path.endsWith('.csv') ? inventoryCsv(items) : path.endsWith('.cdx.json') ? inventoryCycloneDx(items) : inventoryJson(items))
}

/** `.csv` and `.nft` give the rules, else JSON with everything. @throws {UserError} */
export function writeSegments(path: string, audit: SegmentAudit): void {
  write(path, path.endsWith('.csv') ? rulesCsv(audit) : path.endsWith('.nft') ? rulesNftables(audit) : json({ schema: 'wardwire.segments/1', ...audit }))
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${reason(error)}`, 1)
  }
}
