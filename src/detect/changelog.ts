/**
 * What the sites of a partition have learned, as records of a compacted topic: key = JSON of [site, entry, part], value = a part of the entry's
 * deflated JSON. Only what changed since the last time is written. The parts exist because a broker takes messages of a megabyte at most.
 */
import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Bytes of one part. */
const PART = 400_000

export interface Change {
  key: string
  /** null: the part is gone. */
  value: Buffer | null
}

/** Entries by name, by site. The site '' is the partition itself. */
export type Entries = Map<string, Map<string, unknown>>

const keyOf = (site: string, entry: string, part: number): string => JSON.stringify([site, entry, part])

interface Written {
  digest: string
  parts: number
}

/** Knows what the topic holds, and tells what has to be written so that it holds something else. */
export class Changelog {
  /** By site and entry. */
  #written = new Map<string, Written>()

  /** @param entries all of the state. @returns all of its records */
  records(entries: Iterable<[site: string, entry: string, value: unknown]>): Change[] {
    return new Changelog().changes(entries).changes
  }

  /** @param entries all of the state. @returns what differs from what was written; `done` is called when it is written */
  changes(entries: Iterable<[site: string, entry: string, value: unknown]>): { changes: Change[]; done: () => void } {
    const changes: Change[] = []
    const now = new Map<string, Written>()
    for (const [site, entry, value] of entries) {
      const json = JSON.stringify(value)
      const id = JSON.stringify([site, entry])
      const before = this.#written.get(id)
      const digest = createHash('sha1').update(json).digest('base64')
      if (before?.digest === digest) {
        now.set(id, before)
        continue
      }
      const bytes = deflateRawSync(json)
      const parts = Math.max(1, Math.ceil(bytes.length / PART))
      now.set(id, { digest, parts })
      for (let part = 0; part < parts; part++) changes.push({ key: keyOf(site, entry, part), value: bytes.subarray(part * PART, (part + 1) * PART) })
      for (let part = parts; part < (before?.parts ?? 0); part++) changes.push({ key: keyOf(site, entry, part), value: null })
    }
    for (const [id, { parts }] of this.#written) {
      if (now.has(id)) continue
      const [site, entry] = JSON.parse(id) as [string, string]
      for (let part = 0; part < parts; part++) changes.push({ key: keyOf(site, entry, part), value: null })
    }
    return { changes, done: () => { this.#written = now } }
  }

  /** Takes what the topic holds: the latest value of each key. @returns the entries */
  read(records: ReadonlyMap<string, Buffer>): Entries {
    const parts = new Map<string, Buffer[]>()
    for (const [key, value] of records) {
      const [site, entry, part] = JSON.parse(key) as [string, string, number]
      const id = JSON.stringify([site, entry])
      const list = parts.get(id)
      if (list === undefined) parts.set(id, [])
      ;(list ?? parts.get(id)!)[part] = value
    }
    const entries: Entries = new Map()
    this.#written = new Map()
    for (const [id, list] of parts) {
      const [site, entry] = JSON.parse(id) as [string, string]
      const json = inflateRawSync(Buffer.concat(list)).toString()
      this.#written.set(id, { digest: createHash('sha1').update(json).digest('base64'), parts: list.length })
      const ofSite = entries.get(site) ?? new Map<string, unknown>()
      ofSite.set(entry, JSON.parse(json))
      entries.set(site, ofSite)
    }
    return entries
  }
}
