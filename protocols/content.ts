/** What bytes look like, from their beginning: for documents inside messages, and for what travels where HL7 should. */
import { latin1 } from './bytes.ts'

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
  if (size >= 64 && different >= 0.85 * 256 * (1 - Math.exp(-size / 256))) return 'random or encrypted bytes'
  return 'binary'
}
