/** State to JSON and back. State is plain data with Maps and Sets; those are written as tagged arrays in their own order. */

export function pack(value: unknown): unknown {
  if (value instanceof Map) return { $map: [...(value as Map<unknown, unknown>)].map(([k, v]): [unknown, unknown] => [k, pack(v)]) }
  if (value instanceof Set) return { $set: [...(value as Set<unknown>)] }
  if (Array.isArray(value)) return (value as unknown[]).map(pack)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, pack(v)]))
  }
  // JSON has no infinity, and a critical value may be one.
  return value === Infinity ? { $inf: 1 } : value
}

export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(unpack)
  if (value === null || typeof value !== 'object') return value
  if ('$map' in value) return new Map((value.$map as [unknown, unknown][]).map(([k, v]) => [k, unpack(v)]))
  if ('$set' in value) return new Set(value.$set as unknown[])
  if ('$inf' in value) return Infinity
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpack(v)]))
}

/** Items of one entry, where there may be many. */
const CHUNK = 1000

/** A long list as several entries: `key/0`, `key/1` ... */
export function* chunks(key: string, all: readonly unknown[]): Iterable<[string, unknown]> {
  for (let i = 0; i < all.length; i += CHUNK) yield [`${key}/${i / CHUNK}`, pack(all.slice(i, i + CHUNK))]
}

export function unchunk(key: string, entries: Map<string, unknown>): unknown[] {
  const all: unknown[] = []
  for (let i = 0; entries.has(`${key}/${i}`); i++) all.push(...(unpack(entries.get(`${key}/${i}`)) as unknown[]))
  return all
}
