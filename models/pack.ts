/** State to JSON and back. State is plain data with Maps and Sets; those are written as tagged arrays in their own order. */

export function pack(value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value].map(([k, v]) => [k, pack(v)]) }
  if (value instanceof Set) return { $set: [...value] }
  if (Array.isArray(value)) return value.map(pack)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, pack(v)]))
  }
  // JSON has no infinity, and a critical value may be one.
  return value === Infinity ? { $inf: 1 } : value
}

export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack)
  if (value === null || typeof value !== 'object') return value
  if ('$map' in value) return new Map((value.$map as [unknown, unknown][]).map(([k, v]) => [k, unpack(v)]))
  if ('$set' in value) return new Set(value.$set as unknown[])
  if ('$inf' in value) return Infinity
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpack(v)]))
}
