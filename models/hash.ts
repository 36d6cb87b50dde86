/** Hashes for ids and bounded sets; not for secrets. */

/** 52 bits of a text (two multiplicative rounds): among 10,000 values a collision has a chance of 1 in 90 million. */
export function hash52(text: string, seed = 0): number {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x9e3779b1)
    b = Math.imul(b ^ c, 0x5f356495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return (b >>> 0) * 0x100000 + (a >>> 12)
}

export const shortId = (text: string): string => hash52(text).toString(36).padStart(11, '0')
