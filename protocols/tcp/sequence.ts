/**
 * Sequence numbers of TCP (RFC 9293 section 3.4): 32 bits that wrap around. They are kept as signed 32-bit integers, which a
 * JavaScript engine handles without allocating; only differences mean anything.
 */

/** How far `a` is ahead of `b`; negative when it is behind. Right while they are less than 2 GiB apart. */
export const ahead = (a: number, b: number): number => (a - b) | 0

/** `by` may be any number of bytes, also beyond 4 GiB. */
export const advance = (seq: number, by: number): number => (seq + by) | 0
