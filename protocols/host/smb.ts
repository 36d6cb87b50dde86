/** SMB dialects ([MS-CIFS] 2.2.4.52, [MS-SMB2] 2.2.3) and the version and names of NTLM messages ([MS-NLMP] 2.2.1, 2.2.2.10). */
import { latin1, u16le, u32le } from '../bytes.ts'
import { nameClaim, safeName, systemClaim, type Claim } from './claim.ts'
import { nativeClaim } from './smb1.ts'
import { SYSTEMS, windowsOf, type System } from './systems.ts'

/** NetBIOS session header: type u8 = 0, length u24 (RFC 1002 4.3.1); then FFH or FEH and `SMB`. */
export const isSmb = (b: Uint8Array, at: number): boolean =>
  b[at] === 0 && (b[at + 4] === 0xFF || b[at + 4] === 0xFE) && b[at + 5] === 0x53 && b[at + 6] === 0x4D && b[at + 7] === 0x42

const NEGOTIATE = 0x72
/** [MS-SMB2] 2.2.3: the highest dialect that a client offers, and the first system that has it. */
const DIALECTS: Record<number, System> = {
  0x0202: SYSTEMS.windowsVista, 0x0210: SYSTEMS.windows7, 0x0300: SYSTEMS.windows8, 0x0302: SYSTEMS.windows81OrLater, 0x0311: SYSTEMS.windows10Or11,
}

/** @param start of a segment for which `isSmb` */
export function smbClaims(b: Uint8Array, start: number, end: number): Claim[] {
  const found: Claim[] = []
  const at = start + 4
  if (b[at] === 0xFF) {
    if (b[at + 4] === NEGOTIATE && (b[at + 9]! & 0x80) === 0) {
      const dialects = latin1(b, at + 35, Math.min(end, at + 35 + 512))
      // Systems that speak SMB 2 name it here too ([MS-SMB2] 3.2.4.2.2.1).
      if (dialects.includes('NT LM 0.12') && !dialects.includes('SMB 2.')) {
        found.push(systemClaim(SYSTEMS.windowsXpOr2003, 'smb', 'medium', 'SMB negotiation offers SMB 1 only (NT LM 0.12)'))
      }
    }
    const claim = nativeClaim(b, at, end)
    if (claim !== undefined) found.push(claim)
  } else if (u16le(b, at + 12) === 0 && (u32le(b, at + 16) & 1) === 0 && at + 64 + 36 <= end) {
    const claim = offered(b, at + 64, end)
    if (claim !== undefined) found.push(claim)
  }
  found.push(...ntlmClaims(b, at + 4, end))
  return found
}

/** SMB2 NEGOTIATE Request: StructureSize u16 = 36, DialectCount u16 ... Dialects u16[] at 36. */
function offered(b: Uint8Array, at: number, end: number): Claim | undefined {
  const count = Math.min(u16le(b, at + 2), 16)
  let highest = 0
  for (let i = 0; i < count && at + 38 + 2 * i <= end; i++) {
    const dialect = u16le(b, at + 36 + 2 * i)
    if (dialect <= 0x0311 && dialect > highest) highest = dialect
  }
  const system = DIALECTS[highest]
  return system && systemClaim(system, 'smb', highest === 0x0210 || highest === 0x0202 ? 'medium' : 'low', `SMB negotiation offers dialects up to ${highest.toString(16).padStart(4, '0')}H`)
}

const SIGNATURE = [0x4E, 0x54, 0x4C, 0x4D, 0x53, 0x53, 0x50, 0]

function ntlmClaims(b: Uint8Array, from: number, end: number): Claim[] {
  const last = Math.min(end - 40, from + 512)
  let at = from
  for (; at < last; at++) if (b[at] === 0x4E && SIGNATURE.every((byte, i) => b[at + i] === byte)) break
  if (at >= last) return []
  const type = u32le(b, at + 8)
  // NEGOTIATE, CHALLENGE and AUTHENTICATE: where their flags and version stand.
  const [flags, version] = type === 1 ? [12, 32] : type === 2 ? [20, 48] : type === 3 ? [60, 64] : [0, 0]
  if (flags === 0) return []
  const found: Claim[] = []
  if ((u32le(b, at + flags) & 0x0200_0000) !== 0 && at + version + 8 <= end) {
    const [major, minor, build] = [b[at + version]!, b[at + version + 1]!, u16le(b, at + version + 2)]
    const system = windowsOf(major, minor, build)
    // Samba says 6.1 build 0.
    if (system !== undefined && build > 0) found.push(systemClaim(system, 'ntlm', 'high', `NTLM version ${major}.${minor} build ${build}`))
  }
  if (type === 2) {
    const name = computerName(b, at, end)
    if (name !== null) found.push(nameClaim(name, 'ntlm-name', 'NTLM challenge names its computer'))
  }
  return found
}

/** TargetInfoFields at 40: length u16, maximum u16, offset u32; AV_PAIR: id u16, length u16, value; 1 is the NetBIOS computer name (UTF-16). */
function computerName(b: Uint8Array, message: number, end: number): string | null {
  const length = u16le(b, message + 40)
  let at = message + u32le(b, message + 44)
  const stop = Math.min(end, at + length)
  for (let pairs = 0; at + 4 <= stop && pairs < 16; pairs++) {
    const id = u16le(b, at)
    const size = u16le(b, at + 2)
    if (id === 0) return null
    if (id === 1 && at + 4 + size <= stop) return safeName(Buffer.from(b.buffer, b.byteOffset + at + 4, size).toString('utf16le'))
    at += 4 + size
  }
  return null
}
