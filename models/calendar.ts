/**
 * What the hospital declares: planned changes, allowed edges, known public peers and its time zone. It is the only side information
 * of the models. A declared change lowers alerts about its hosts while it lasts to a note; it never hides a rule, and never concerns others.
 *
 *     { "tz": "Europe/Berlin",
 *       "public_peers": ["198.51.100.20"],
 *       "changes": [{ "event": "archive migration", "start": "2025-04-01T18:00:00Z", "end": "2025-04-04T06:00:00Z",
 *                     "hosts": ["10.1.0.145", "10.1.0.146"], "services": ["C-STORE"], "note": "old archive to new archive" }],
 *       "allowed_edges": [{ "from": "10.1.0.154", "to": "*", "services": ["C-ECHO"], "until": "2026-01-01T00:00:00Z", "note": "monitoring" }] }
 *
 * Times are RFC 3339 text or seconds since 1970. A change without hosts (a holiday) excuses nobody, because what a holiday does to everyone the models see for themselves;
 * only that many machines are silent together is expected then. Further fields are ignored.
 */
import { z } from 'zod'
import type { Micros } from '../protocols/events.ts'
import { fromRfc3339 } from '../protocols/time.ts'
import { HOUR, SECOND } from './clock.ts'

export interface DeclaredChange {
  event: string
  start: Micros
  end: Micros
  hosts: ReadonlySet<string>
  /** DIMSE commands, HL7 message types; `*` or absent: whatever they do. */
  services?: readonly string[]
  note: string
}

export interface AllowedEdge {
  /** An address, or * for any. */
  from: string
  to: string
  /** DIMSE commands, HL7 message types, or `*`. */
  services: readonly string[]
  until: Micros
  note: string
}

/** A device's addresses: the keys of a map, or a set. */
type Addresses = ReadonlyMap<string, unknown> | ReadonlySet<string>

/** Sessions that began in time may end a little later. */
const GRACE = HOUR

export class Calendar {
  readonly tz: string | undefined
  readonly changes: readonly DeclaredChange[]
  readonly publicPeers: ReadonlySet<string>
  readonly allowed: readonly AllowedEdge[]

  constructor(parts: { tz?: string | undefined; changes?: DeclaredChange[]; publicPeers?: string[]; allowed?: AllowedEdge[] } = {}) {
    this.tz = parts.tz
    this.changes = parts.changes ?? []
    this.publicPeers = new Set(parts.publicPeers)
    this.allowed = parts.allowed ?? []
  }

  /**
   * Why what `actor` does with `peer` is expected now, or undefined. The actor has to be named; a change that names several hosts is
   * between them, so it does not excuse what one of them does with somebody else.
   */
  excuse(at: Micros, actor: Addresses, peer: Addresses | null, service: string | null): string | undefined {
    for (const change of this.changes) {
      if (at < change.start || at > change.end + GRACE || !names(change.hosts, actor) || !includes(change.services, service)) continue
      if (change.hosts.size === 1 || peer === null || names(change.hosts, peer)) return change.note || change.event
    }
    for (const edge of this.allowed) {
      if (at > edge.until || !matches(edge.from, actor) || (edge.to !== '*' && (peer === null || !matches(edge.to, peer)))) continue
      if (includes(edge.services, service)) return edge.note || 'allowed edge'
    }
    return undefined
  }

  /** Is a change declared for no host in particular: a holiday? */
  ofEverybody(at: Micros): boolean {
    return this.changes.some(({ start, end, hosts }) => hosts.size === 0 && at >= start && at <= end + GRACE)
  }

  /** Whom the changes of now name together with a host. */
  *named(at: Micros, host: Addresses): Iterable<string> {
    for (const { start, end, hosts } of this.changes) {
      if (at < start || at > end + GRACE || !names(hosts, host)) continue
      for (const ip of hosts) if (!host.has(ip)) yield ip
    }
  }
}

function names(hosts: ReadonlySet<string>, addresses: Addresses): boolean {
  for (const ip of addresses.keys()) if (hosts.has(ip)) return true
  return false
}

const includes = (services: readonly string[] = ['*'], service: string | null): boolean =>
  services.includes('*') || (service !== null && services.includes(service))

const matches = (rule: string, addresses: Addresses): boolean => rule === '*' || addresses.has(rule)

const time = z.union([z.number().nonnegative().max(253_402_300_799), z.string()]).transform((value, context) => {
  const at = typeof value === 'number' ? Math.round(value * SECOND) : fromRfc3339(value)
  if (at !== undefined) return at
  context.addIssue({ code: 'custom', message: 'expected RFC 3339 text such as 2025-04-01T18:00:00Z, or seconds since 1970' })
  return z.NEVER
})

const schema = z.object({
  tz: z.string().refine(isZone, 'not a time zone name such as Europe/Berlin').optional(),
  public_peers: z.array(z.string()).default([]),
  changes: z.array(z.object({
    event: z.string().default(''), start: time, end: time, hosts: z.array(z.string()).default([]),
    services: z.array(z.string()).default(['*']), note: z.string().default(''),
  })).default([]),
  allowed_edges: z.array(z.object({
    from: z.string(), to: z.string(), services: z.array(z.string()).default(['*']), until: time.optional(), note: z.string().default(''),
  })).default([]),
})

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** @param json a parsed file. @throws {TypeError} one line for the user that names the field which is wrong */
export function parseCalendar(json: unknown): Calendar {
  const result = schema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new TypeError(`calendar: ${issue.path.length === 0 ? '' : `${issue.path.join('.')}: `}${issue.message}`)
  }
  const { tz, public_peers, changes, allowed_edges } = result.data
  for (const change of changes) {
    if (change.end < change.start) throw new TypeError(`calendar: a change (${change.note || change.event}) ends before it starts`)
  }
  return new Calendar({
    tz,
    publicPeers: public_peers,
    changes: changes.map((change) => ({ ...change, hosts: new Set(change.hosts) })),
    allowed: allowed_edges.map((edge) => ({ ...edge, until: edge.until ?? Infinity })),
  })
}
