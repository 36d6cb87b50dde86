/**
 * Reading numbers and text from bounded bytes. Offsets are the caller's, checked once per structure ("is the last field
 * there?"); a read past the end of the array gives 0 bits, never an exception, so a missed check cannot crash a sensor.
 */

export const u16be = (b: Uint8Array, o: number): number => (b[o]! << 8) | b[o + 1]!
export const u16le = (b: Uint8Array, o: number): number => b[o]! | (b[o + 1]! << 8)
/** Unsigned 32 bits as a number (not the signed result of `<<`). */
export const u32be = (b: Uint8Array, o: number): number => ((b[o]! << 24) | (b[o + 1]! << 16) | (b[o + 2]! << 8) | b[o + 3]!) >>> 0
export const u32le = (b: Uint8Array, o: number): number => (b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)) >>> 0

/** The platform's own, which takes any view of bytes. */
const { latin1Slice } = Buffer.prototype as unknown as { latin1Slice: (this: Uint8Array, start: number, end: number) => string }
/** Up to this length a character after the other is quicker than a call into the runtime (measured: equal at 8). */
const SHORT = 8

/** Bytes as text, one character a byte (ISO 8859-1): never fails, keeps every byte recognisable. */
export function latin1(b: Uint8Array, start: number, end: number): string {
  const stop = Math.min(end, b.length)
  if (stop - start > SHORT) return latin1Slice.call(b, start, stop)
  let text = ''
  for (let i = start; i < stop; i++) text += String.fromCharCode(b[i]!)
  return text
}
