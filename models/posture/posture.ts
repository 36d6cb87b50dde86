/**
 * What the network looks like, beside what happens in it: every device with its make and services, and which networks they share. Events in,
 * tables out; judges nothing. Costs a look-up an event, and nothing where nobody asked for it.
 */
import type { Micros, WireEvent } from '../../protocols/events.ts'
import type { DeviceView } from '../outlook.ts'
import { chunks, unchunk, unpack, pack } from '../pack.ts'
import { Conversations, type Pair } from './conversations.ts'
import { Hosts, type Host } from './hosts.ts'
import { inventoryOf, type InventoryItem } from './inventory.ts'
import { auditSegments, type DeclaredSegment, type SegmentAudit } from './segments.ts'

export class Posture {
  readonly conversations = new Conversations()
  readonly hosts = new Hosts()

  event(event: WireEvent): void {
    switch (event.kind) {
      case 'dicom.operation':
        this.hosts.operation(event)
        return this.conversations.use(event)
      case 'hl7.message': return this.conversations.use(event)
      case 'dicom.association': return this.hosts.association(event)
      case 'host': return this.hosts.facts(event)
      case 'flow':
        this.hosts.flow(event)
        return this.conversations.ended(event)
      default: return undefined
    }
  }

  /** @param views every device of the engine */
  inventory(views: readonly DeviceView[]): InventoryItem[] {
    return inventoryOf(views, this.hosts.known, this.conversations.pairs.values(), owners(views))
  }

  segments(views: readonly DeviceView[], declared: readonly DeclaredSegment[] = []): SegmentAudit {
    const { pairs, failed } = this.conversations
    return auditSegments({ items: this.inventory(views), pairs: pairs.values(), failed, owner: owners(views), declared })
  }

  *save(): Iterable<[string, unknown]> {
    const { failed, beyond } = this.conversations
    yield ['posture', pack({ failed, beyond })]
    yield* chunks('posture/pairs', [...this.conversations.pairs.values()])
    yield* chunks('posture/hosts', [...this.hosts.known])
  }

  load(entries: Map<string, unknown>): void {
    const saved = entries.get('posture')
    if (saved === undefined) return
    const { failed, beyond } = unpack(saved) as { failed: Map<string, number>; beyond: number }
    for (const [ip, n] of failed) this.conversations.failed.set(ip, n)
    this.conversations.beyond = beyond
    for (const pair of unchunk('posture/pairs', entries) as Pair[]) this.conversations.pairs.set(`${pair.client}>${pair.server}`, pair)
    for (const [ip, host] of unchunk('posture/hosts', entries) as [string, Host][]) this.hosts.known.set(ip, host)
  }
}

/** Who has an address now; of several, who used it last. */
export function owners(views: Iterable<DeviceView>): Map<string, string> {
  const found = new Map<string, { id: string; last: Micros }>()
  for (const { id, addresses } of views) {
    for (const { ip, last } of addresses) {
      const other = found.get(ip)
      if (other === undefined || other.last < last) found.set(ip, { id, last })
    }
  }
  return new Map([...found].map(([ip, { id }]) => [ip, id]))
}
