/** What bytes look like, from their beginning: for documents inside messages, and for what travels where HL7 should. */
import { latin1, u16be, u16le, u32be, u32le } from './bytes.ts'

/** Names of what a document's first decoded bytes are. */
export type DocumentContent =
  | 'pdf' | 'jpeg' | 'png' | 'gif' | 'tiff' | 'bmp' | 'rtf' | 'xml' | 'html' | 'text' | 'dicom' | 'office' | 'zip' | 'gzip' | 'archive'
  | 'windows executable' | 'elf executable' | 'script' | 'java class' | 'empty' | 'unknown'

/** Signatures at offset 0; the first that fits wins. */
const SIGNATURES: readonly (readonly [string, DocumentContent])[] = [
  ['%PDF', 'pdf'],
  ['\xFF\xD8\xFF', 'jpeg'],
  ['\x89PNG', 'png'],
  ['GIF8', 'gif'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['BM', 'bmp'],
  ['{\\rtf', 'rtf'],
  ['\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1', 'office'],
  ['PK\x03\x04', 'zip'],
  ['\x1F\x8B', 'gzip'],
  ["7z\xBC\xAF'\x1C", 'archive'],
  ['Rar!', 'archive'],
  ['BZh', 'archive'],
  ['\xFD7zXZ', 'archive'],
  ['MZ', 'windows executable'],
  ['\x7FELF', 'elf executable'],
  ['\xCA\xFE\xBA\xBE', 'java class'],
  ['#!', 'script'],
]

/** @param head the first decoded bytes; 132 are enough for every kind. */
export function documentContent(head: Uint8Array): DocumentContent {
  if (head.length === 0) return 'empty'
  const text = latin1(head, 0, Math.min(head.length, 256))
  for (const [signature, content] of SIGNATURES) if (text.startsWith(signature)) return content
  if (text.slice(128, 132) === 'DICM') return 'dicom'
  const words = text.replace(/^\xEF\xBB\xBF/, '').trimStart().toLowerCase()
  if (words.startsWith('<!doctype html') || words.startsWith('<html')) return 'html'
  if (words.startsWith('<?xml') || /^<[a-z]/.test(words)) return 'xml'
  if (words.startsWith('<script') || words.startsWith('powershell')) return 'script'
  return isText(head, 0, head.length) ? 'text' : 'unknown'
}

/** What runs, and what unpacks to what may. */
export const PROGRAMS: ReadonlySet<string> = new Set<DocumentContent>(['windows executable', 'elf executable', 'script', 'java class'])
export const ARCHIVES: ReadonlySet<string> = new Set<DocumentContent>(['zip', 'gzip', 'archive'])
const HIDDEN_STARTS: ReadonlySet<number> = new Set(SIGNATURES.filter(([, content]) => PROGRAMS.has(content) || ARCHIVES.has(content)).map(([signature]) => signature.charCodeAt(0)))
const DICM = 0x4449434d
/** The preamble of a DICOM file (PS3.10 7.1). */
const PREAMBLE = 128

/**
 * A program, an archive or a DICOM file where pictures or numbers belong, which may begin with anything: what is named has more than two bytes
 * that chance would have to make. Null for all else, mostly after one look.
 */
export function hiddenContent(b: Uint8Array, start: number, end: number): DocumentContent | null {
  const isFile = end - start >= PREAMBLE + 4 && u32be(b, start + PREAMBLE) === DICM
  if (!isFile && !HIDDEN_STARTS.has(b[start]!)) return null
  const content = documentContent(b.subarray(start, end))
  switch (content) {
    case 'windows executable': return isFile || isDosHeader(b, start, end) ? content : null
    case 'script': return isText(b, start, Math.min(end, start + 12)) && (b[start + 2] === 0x2f || b[start + 3] === 0x2f) ? content : null
    case 'gzip': return b[start + 2] === 8 && b[start + 3]! < 0x20 ? content : null
    // Behind BZh come the size of blocks and the digits of pi.
    case 'archive': return b[start] !== 0x42 || (b[start + 3]! >= 0x31 && b[start + 3]! <= 0x39 && u16be(b, start + 4) === 0x3141) ? content : null
    case 'elf executable': case 'java class': case 'zip': case 'dicom': return content
    default: return null
  }
}

/** A DOS header: bytes of the last page (below 512), pages, and paragraphs of the header itself; or where a PE header is to be found. */
function isDosHeader(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 16) return false
  const header = u16le(b, start + 8)
  if (u16le(b, start + 2) < 512 && u16le(b, start + 4) > 0 && header >= 2 && header <= 64) return true
  const next = end - start < 64 ? 0 : u32le(b, start + 60)
  return next >= 64 && next < 0x1000
}

/** Printable ASCII, blanks and line ends. */
export function isText(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = b[i]!
    if (c < 0x20 ? c !== 0x0A && c !== 0x0D && c !== 0x09 : c > 0x7E) return false
  }
  return true
}

const BASE64 = /^[A-Za-z0-9+/_-]{24,}={0,2}$/

/** Foreign bytes in plain words: 'TLS', 'an SSH banner', 'HTTP', 'base64 text', 'text', 'random or encrypted bytes' ... */
export function looksLike(b: Uint8Array, start: number, end: number): string {
  const size = end - start
  if (size >= 3 && b[start]! >= 0x14 && b[start]! <= 0x17 && b[start + 1] === 3 && b[start + 2]! <= 4) return 'TLS'
  const text = latin1(b, start, end)
  if (text.startsWith('SSH-')) return 'SSH'
  if (/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH|TRACE) \S+ HTTP\/\d|^HTTP\/\d/.test(text)) return 'HTTP'
  if (size >= 6 && b[start]! >= 1 && b[start]! <= 7 && b[start + 1] === 0 && b[start + 2] === 0 && text.includes('1.2.840.10008')) return 'DICOM'
  if (text.startsWith('MZ') || text.startsWith('\x7FELF')) return 'an executable'
  if (BASE64.test(text.replace(/[\r\n]/g, ''))) return 'base64 text'
  if (/^\s*<(\?xml|[A-Za-z!])/.test(text)) return 'XML'
  if (/^\s*[{[]\s*["{[\]}]/.test(text)) return 'JSON'
  if (isText(b, start, end)) return 'text'
  return binaryLook(b, start, end)
}

/** What has no structure. */
export const RANDOM = 'random or encrypted bytes'

/** Random bytes fill a sample of n bytes with about 256 (1 - e^(-n/256)) different values; 85 % of that is far above any structured format. */
function binaryLook(b: Uint8Array, start: number, end: number): string {
  const seen = new Uint8Array(256)
  let different = 0
  for (let i = start; i < end; i++) {
    if (seen[b[i]!] === 0) different++
    seen[b[i]!] = 1
  }
  if (different === 1) return b[start] === 0 ? 'zeros' : 'one byte repeated'
  const size = end - start
  if (size >= 64 && different >= 0.85 * 256 * (1 - Math.exp(-size / 256))) return RANDOM
  return 'binary'
}
