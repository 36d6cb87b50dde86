/** SMB 1 session setup: both sides name their system, `Windows 7 Professional 7601 Service Pack 1` ([MS-CIFS] 2.2.4.53, [MS-SMB] 2.2.4.6). */
import { latin1, u16le } from '../bytes.ts'
import { safeProduct, systemClaim, type Claim } from './claim.ts'
import { SYSTEMS, windowsOf, type System } from './systems.ts'

const SESSION_SETUP = 0x73
const UNICODE = 0x8000
const CHARACTERS = 96

/** NativeOS, the first that fits; what says `Windows 10` or later is told by its build. */
const NAMES: readonly (readonly [pattern: RegExp, system: System])[] = [
  [/^Windows (5\.0|2000)/, SYSTEMS.windows2000], [/^Windows (5\.1|2002)/, SYSTEMS.windowsXp], [/^Windows (5\.2|Server 2003)/, SYSTEMS.windows2003],
  [/^Windows (7|Server 2008 R2)/, SYSTEMS.windows7], [/^Windows (Vista|Server (\(R\) )?2008)/, SYSTEMS.windowsVista], [/^Windows (8\.1|Server 2012 R2)/, SYSTEMS.windows81],
  [/^Windows (8|Server 2012)/, SYSTEMS.windows8], [/^Windows CE/, SYSTEMS.windowsCe],
]

/** @param at of the SMB header, 32 bytes; the WordCount behind it tells request from response, and whether a security blob comes first */
export function nativeClaim(b: Uint8Array, at: number, end: number): Claim | undefined {
  if (b[at + 4] !== SESSION_SETUP) return undefined
  const words = at + 33
  const wordCount = b[at + 32]!
  const isReply = (b[at + 9]! & 0x80) !== 0
  const data = words + 2 * wordCount + 2
  let text: number
  // How many strings stand before it: account and domain.
  let before = 0
  if (isReply && wordCount === 3) text = data
  else if (isReply && wordCount === 4) text = data + u16le(b, words + 6)
  else if (!isReply && wordCount === 12) text = data + u16le(b, words + 14)
  else if (!isReply && wordCount === 13) {
    text = data + u16le(b, words + 14) + u16le(b, words + 16)
    before = 2
  } else return undefined
  const isWide = (u16le(b, at + 10) & UNICODE) !== 0
  if (isWide && ((text - at) & 1) === 1) text++
  for (; before > 0; before--) text = after(b, text, end, isWide)
  if (text >= end) return undefined
  const name = stringAt(b, text, end, isWide)
  const system = systemOf(name)
  return system && systemClaim(system, 'smb-native', system === SYSTEMS.linux ? 'low' : 'high', `SMB session names its system: ${safeProduct(name)}`)
}

function systemOf(name: string): System | undefined {
  const found = NAMES.find(([pattern]) => pattern.test(name))
  if (found !== undefined) return found[1]
  if (/^Windows (1\d|Server 20[12]\d)/.test(name)) return windowsOf(10, 0, Number(/ (\d{5})\b/.exec(name)?.[1] ?? 0))
  // Samba says so on any Unix; most are Linux.
  return name.startsWith('Unix') ? SYSTEMS.linux : undefined
}

/** Of the string, as far as it is there. */
function stringAt(b: Uint8Array, from: number, end: number, isWide: boolean): string {
  const stop = Math.min(after(b, from, end, isWide), from + CHARACTERS * (isWide ? 2 : 1))
  const text = isWide ? Buffer.from(b.buffer, b.byteOffset + from, stop - from).toString('utf16le') : latin1(b, from, stop)
  return text.replaceAll('\0', '')
}

/** Where the next string begins. */
function after(b: Uint8Array, from: number, end: number, isWide: boolean): number {
  let at = from
  if (!isWide) {
    while (at < end && b[at] !== 0) at++
    return Math.min(end, at + 1)
  }
  while (at + 1 < end && (b[at] !== 0 || b[at + 1] !== 0)) at += 2
  return Math.min(end, at + 2)
}
