/** TLS handshake messages that travel in clear (RFC 8446 section 4, RFC 5246 section 7.4): bytes in, facts out, no state. */
import { X509Certificate, createHash } from 'node:crypto'
import { latin1, u16be } from '../bytes.ts'
import { LIMITS } from '../limits.ts'

export interface ClientHello {
  /** Highest version offered, without GREASE (RFC 8701). */
  version: number
  sni: string | null
  /** First protocol offered. */
  alpn: string | null
  ja4: string
}

export interface ServerHello {
  /** Version chosen: of the supported_versions extension where there is one. */
  version: number
  alpn: string | null
}

export interface CertificateFacts {
  subject: string | null
  issuer: string | null
  /** RFC 3339. */
  not_after: string | null
}

/** Extension types (IANA registry "TLS ExtensionType Values"). */
const SERVER_NAME = 0
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
const SUPPORTED_VERSIONS = 43

const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)

/** IANA name of a protocol version; unknown ones keep their number. */
export function versionName(version: number): string {
  switch (version) {
    case 0x0300: return 'SSL 3.0'
    case 0x0301: return 'TLS 1.0'
    case 0x0302: return 'TLS 1.1'
    case 0x0303: return 'TLS 1.2'
    case 0x0304: return 'TLS 1.3'
    default: return `0x${version.toString(16).padStart(4, '0')}`
  }
}

/** Walks length-prefixed lists; every read is inside `end`, and a bad length ends the walk. */
function * extensions(b: Uint8Array, start: number, end: number): Generator<{ type: number; at: number; end: number }> {
  if (start + 2 > end) return
  const stop = Math.min(end, start + 2 + u16be(b, start))
  let at = start + 2
  while (at + 4 <= stop) {
    const next = at + 4 + u16be(b, at + 2)
    if (next > stop) return
    yield { type: u16be(b, at), at: at + 4, end: next }
    at = next
  }
}

/** A list of 16-bit values behind a length of `lengthBytes`, without GREASE. */
function values16(b: Uint8Array, start: number, end: number, lengthBytes: 1 | 2): number[] {
  if (start + lengthBytes > end) return []
  const stop = Math.min(end, start + lengthBytes + (lengthBytes === 1 ? b[start]! : u16be(b, start)))
  const found: number[] = []
  for (let at = start + lengthBytes; at + 2 <= stop; at += 2) {
    const value = u16be(b, at)
    if (!isGrease(value)) found.push(value)
  }
  return found
}

/** ProtocolNameList (RFC 7301 section 3.1): its first name. */
function firstAlpn(b: Uint8Array, at: number, end: number): string | null {
  if (at + 3 > end) return null
  const length = b[at + 2]!
  return at + 3 + length > end ? null : latin1(b, at + 3, at + 3 + length)
}

/** ServerNameList (RFC 6066 section 3): the first host_name. */
function hostName(b: Uint8Array, at: number, end: number): string | null {
  if (at + 5 > end || b[at + 2] !== 0) return null
  const length = u16be(b, at + 3)
  return at + 5 + length > end ? null : latin1(b, at + 5, at + 5 + Math.min(length, LIMITS.tls.textBytes))
}

/** The body of a ClientHello (RFC 8446 section 4.1.2); undefined when it is cut or malformed. */
export function clientHello(b: Uint8Array, start: number, end: number): ClientHello | undefined {
  // legacy_version 2, random 32, session id <0..32>, cipher suites <2..>, compression <1..>, extensions
  let at = start + 34
  if (at + 1 > end) return undefined
  at += 1 + b[at]!
  if (at + 2 > end) return undefined
  const suites = values16(b, at, end, 2)
  at += 2 + u16be(b, at)
  if (at + 1 > end) return undefined
  at += 1 + b[at]!
  if (at > end) return undefined

  let version = u16be(b, start)
  let sni: string | null = null
  let alpn: string | null = null
  let signatures: number[] = []
  const types: number[] = []
  for (const extension of extensions(b, at, end)) {
    if (isGrease(extension.type)) continue
    types.push(extension.type)
    switch (extension.type) {
      case SERVER_NAME: sni = hostName(b, extension.at, extension.end); break
      case ALPN: alpn = firstAlpn(b, extension.at, extension.end); break
      case SIGNATURE_ALGORITHMS: signatures = values16(b, extension.at, extension.end, 2); break
      case SUPPORTED_VERSIONS: version = Math.max(0, ...values16(b, extension.at, extension.end, 1)) || version; break
    }
  }
  return { version, sni, alpn, ja4: ja4({ version, named: types.includes(SERVER_NAME), alpn, suites, types, signatures }) }
}

/** The body of a ServerHello (RFC 8446 section 4.1.3). */
export function serverHello(b: Uint8Array, start: number, end: number): ServerHello | undefined {
  let at = start + 34
  if (at + 1 > end) return undefined
  at += 1 + b[at]! + 3
  if (at > end) return undefined
  let version = u16be(b, start)
  let alpn: string | null = null
  for (const extension of extensions(b, at, end)) {
    if (extension.type === SUPPORTED_VERSIONS && extension.at + 2 <= extension.end) version = u16be(b, extension.at)
    if (extension.type === ALPN) alpn = firstAlpn(b, extension.at, extension.end)
  }
  return { version, alpn }
}

/** The first certificate of a Certificate message up to TLS 1.2 (RFC 5246 section 7.4.2). */
export function firstCertificate(b: Uint8Array, start: number, end: number): CertificateFacts | undefined {
  if (start + 6 > end) return undefined
  const length = (b[start + 3]! << 16) | u16be(b, start + 4)
  if (length === 0 || start + 6 + length > end) return undefined
  try {
    const certificate = new X509Certificate(b.subarray(start + 6, start + 6 + length))
    const expiry = new Date(certificate.validTo)
    return {
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      not_after: Number.isNaN(expiry.getTime()) ? null : expiry.toISOString(),
    }
  } catch {
    // Not a certificate that OpenSSL understands; hostile bytes are expected here.
    return undefined
  }
}

const oneLine = (name: string | undefined): string | null => name?.split('\n').join(', ').slice(0, LIMITS.tls.textBytes) ?? null

interface Ja4Input {
  version: number
  named: boolean
  alpn: string | null
  suites: number[]
  types: number[]
  signatures: number[]
}

const hex4 = (value: number): string => value.toString(16).padStart(4, '0')
const sorted = (list: number[]): string => list.map(hex4).sort().join(',')
const hash12 = (text: string): string => text === '' ? '000000000000' : createHash('sha256').update(text).digest('hex').slice(0, 12)
const JA4_VERSION: Record<number, string> = { 0x0304: '13', 0x0303: '12', 0x0302: '11', 0x0301: '10', 0x0300: 's3', 0x0002: 's2' }

/** JA4 (FoxIO, technical details): what the client offers, independent of the order it offers it in. */
function ja4({ version, named, alpn, suites, types, signatures }: Ja4Input): string {
  const count = (n: number): string => String(Math.min(n, 99)).padStart(2, '0')
  const head = `t${JA4_VERSION[version] ?? '00'}${named ? 'd' : 'i'}${count(suites.length)}${count(types.length)}${ja4Alpn(alpn)}`
  const kept = sorted(types.filter((type) => type !== SERVER_NAME && type !== ALPN))
  const signed = signatures.map(hex4).join(',')
  return `${head}_${hash12(sorted(suites))}_${hash12(signed === '' ? kept : `${kept}_${signed}`)}`
}

/** First and last character of the first ALPN; of its hexadecimal form where they are not alphanumeric. */
function ja4Alpn(alpn: string | null): string {
  if (alpn === null || alpn === '') return '00'
  const ends = alpn[0]! + alpn.at(-1)!
  if (/^[0-9A-Za-z]{2}$/.test(ends)) return ends
  const hex = Buffer.from(alpn, 'latin1').toString('hex')
  return hex[0]! + hex.at(-1)!
}
