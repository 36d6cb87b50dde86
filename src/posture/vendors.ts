/** Who made a network interface, by the first 24 bits of its hardware address (IEEE MA-L registry, package `oui-data`). */
import { createRequire } from 'node:module'

let registry: Record<string, string> | undefined

/** @param mac `aa:bb:cc:dd:ee:ff` @returns the organisation, or null where none is registered or the address is made up by its host */
export function vendorOf(mac: string): string | null {
  // The second bit of the first byte: locally administered (IEEE 802 8.4).
  if ((parseInt(mac.slice(0, 2), 16) & 2) !== 0) return null
  // Five megabytes, and only an inventory needs them.
  registry ??= createRequire(import.meta.url)('oui-data') as Record<string, string>
  return registry[mac.slice(0, 8).replaceAll(':', '').toUpperCase()]?.split('\n', 1)[0] ?? null
}
