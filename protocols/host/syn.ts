/** Who makes such SYNs (RFC 9293 3.1): time to live, window, and which options in which order. Signatures as passive fingerprinting has long published them. */
import type { Packet } from '../net/packet.ts'
import type { Claim } from './claim.ts'
import { SYSTEMS, type System } from './systems.ts'

const ACK = 16
/** MSS, no-operation, SACK permitted, timestamps, window scale. */
const LETTERS: Record<number, string> = { 1: 'N', 2: 'M', 3: 'W', 4: 'S', 8: 'T' }

/** Windows of a SYN by the options of it; `*` any window. MSS 1460 and its neighbours of tunnels are multiples in these stacks. */
interface Signature {
  readonly ttl: number
  readonly options: string
  readonly system: System
  is(window: number, mss: number): boolean
}

const exactly = (...windows: number[]) => (window: number): boolean => windows.includes(window)
const segments = (...counts: number[]) => (window: number, mss: number): boolean => mss > 0 && counts.some((n) => window === n * mss || window === n * (mss - 12))
const either = (...tests: ((window: number, mss: number) => boolean)[]) => (window: number, mss: number): boolean => tests.some((t) => t(window, mss))
const any = (): boolean => true

const SYNS: readonly Signature[] = [
  { ttl: 64, options: 'MSTNW', system: SYSTEMS.linux5, is: either(exactly(64240, 65535), segments(44, 45)) },
  { ttl: 64, options: 'MSTNW', system: SYSTEMS.linux3Or4, is: either(exactly(29200), segments(20)) },
  { ttl: 64, options: 'MSTNW', system: SYSTEMS.linux3, is: either(exactly(14600), segments(10)) },
  { ttl: 64, options: 'MSTNW', system: SYSTEMS.linux26, is: either(exactly(5840, 5792), segments(4)) },
  { ttl: 64, options: 'MSTNW', system: SYSTEMS.linux, is: any },
  { ttl: 128, options: 'MNWNNS', system: SYSTEMS.windows7To81, is: exactly(8192) },
  { ttl: 128, options: 'MNWNNS', system: SYSTEMS.windows10Or11, is: exactly(64240, 65535, 62727, 64860, 65280) },
  { ttl: 128, options: 'MNNS', system: SYSTEMS.windowsXpOr2003, is: exactly(65535, 64512, 16384, 64240) },
  { ttl: 128, options: 'MNWNNTNNS', system: SYSTEMS.windowsXpOr2003, is: any },
  { ttl: 128, options: 'MNWNNS', system: SYSTEMS.windows, is: any },
  { ttl: 64, options: 'MNWNNTS', system: SYSTEMS.macos, is: any },
  { ttl: 64, options: 'MNWST', system: SYSTEMS.freebsd, is: any },
  { ttl: 64, options: 'M', system: SYSTEMS.embedded, is: (window) => window <= 16384 },
  { ttl: 255, options: 'M', system: SYSTEMS.embedded, is: any },
]

/** Answers agree to what was offered, so only time to live and window tell. */
const ANSWERS: readonly Signature[] = [
  { ttl: 64, options: '', system: SYSTEMS.linux5, is: exactly(64240, 65160) },
  { ttl: 64, options: '', system: SYSTEMS.linux3Or4, is: exactly(28960, 29200) },
  { ttl: 64, options: '', system: SYSTEMS.linux3, is: exactly(14480, 14600) },
  { ttl: 64, options: '', system: SYSTEMS.linux26, is: exactly(5792, 5840) },
  { ttl: 128, options: '', system: SYSTEMS.windows7To81, is: exactly(8192) },
]

/** @returns what the stack seems to be; undefined where nothing known makes such a SYN */
export function synClaim(packet: Packet): Claim | undefined {
  const { bytes, optionsEnd, window } = packet
  let options = ''
  let mss = 0
  for (let at = packet.options; at < optionsEnd && options.length < 20;) {
    const kind = bytes[at]!
    if (kind === 0) break
    const letter = LETTERS[kind] ?? '?'
    options += letter
    if (kind === 1) {
      at++
      continue
    }
    const length = bytes[at + 1]!
    if (length < 2) break
    if (kind === 2 && at + 4 <= optionsEnd) mss = bytes[at + 2]! << 8 | bytes[at + 3]!
    at += length
  }
  const ttl = packet.ttl <= 64 ? 64 : packet.ttl <= 128 ? 128 : 255
  const isAnswer = (packet.flags & ACK) !== 0
  // Padding behind the last option says nothing.
  const order = /^M$|^MN+$/.test(options) ? 'M' : options
  for (const signature of isAnswer ? ANSWERS : SYNS) {
    if (signature.ttl !== ttl || (!isAnswer && signature.options !== order) || !signature.is(window, mss)) continue
    return {
      system: signature.system, confidence: isAnswer ? 'low' : 'medium', hostname: null,
      evidence: `${isAnswer ? 'TCP SYN-ACK' : 'TCP SYN'}: time to live ${packet.ttl}, window ${window}, options ${options === '' ? 'none' : options}`,
      source: isAnswer ? 'syn-ack' : 'syn',
    }
  }
  return undefined
}
