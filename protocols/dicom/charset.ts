/**
 * Specific Character Set (0008,0005): PS3.3 C.12.1.1.2 and PS3.5 6.1. A decoder of text for the few values that are kept; it
 * never fails: what has no decoder here, or is not what it claims to be, is read one character a byte.
 */
import { TextDecoder } from 'node:util'
import { latin1 } from '../bytes.ts'

export type Decode = (b: Uint8Array, start: number, end: number) => string

/** Names that the platform's decoders go by. */
const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ['ISO_IR 101', 'iso-8859-2'], ['ISO_IR 109', 'iso-8859-3'], ['ISO_IR 110', 'iso-8859-4'], ['ISO_IR 144', 'iso-8859-5'], ['ISO_IR 127', 'iso-8859-6'],
  ['ISO_IR 126', 'iso-8859-7'], ['ISO_IR 138', 'iso-8859-8'], ['ISO_IR 148', 'windows-1254'], ['ISO_IR 203', 'iso-8859-15'], ['ISO_IR 166', 'windows-874'],
  ['ISO_IR 13', 'shift_jis'], ['ISO_IR 192', 'utf-8'], ['GB18030', 'gb18030'], ['GBK', 'gbk'],
])

/**
 * Escape sequences of code extension (PS3.5 table 6.1.2-3 and -4), without the ESC: what the bytes behind it are. A set of two bytes a
 * character is read with its high bits set, in a decoder that has it there; `prefix` is the shift that JIS X 0212 needs in EUC.
 */
const ESCAPES: ReadonlyMap<string, { encoding: string; isHighBitAdded?: true; prefix?: number }> = new Map([
  ['(B', { encoding: '' }], ['-A', { encoding: '' }],
  ['-B', { encoding: 'iso-8859-2' }], ['-C', { encoding: 'iso-8859-3' }], ['-D', { encoding: 'iso-8859-4' }], ['-L', { encoding: 'iso-8859-5' }],
  ['-G', { encoding: 'iso-8859-6' }], ['-F', { encoding: 'iso-8859-7' }], ['-H', { encoding: 'iso-8859-8' }], ['-M', { encoding: 'windows-1254' }],
  ['-b', { encoding: 'iso-8859-15' }], ['-T', { encoding: 'windows-874' }], ['(J', { encoding: 'shift_jis' }], [')I', { encoding: 'shift_jis' }],
  ['$B', { encoding: 'euc-jp', isHighBitAdded: true }], ['$@', { encoding: 'euc-jp', isHighBitAdded: true }], ['$(D', { encoding: 'euc-jp', isHighBitAdded: true, prefix: 0x8f }],
  ['$)C', { encoding: 'euc-kr' }], ['$)A', { encoding: 'gbk' }],
])

const ESC = 0x1b
const decoders = new Map<string, TextDecoder | null>()

function decoder(encoding: string): TextDecoder | null {
  let found = decoders.get(encoding)
  if (found === undefined) {
    try {
      found = new TextDecoder(encoding)
    } catch {
      // A build of the platform without this encoding.
      found = null
    }
    decoders.set(encoding, found)
  }
  return found
}

function isAscii(b: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (b[at]! >= 0x80 || b[at] === ESC) return false
  return true
}

const plain = (encoding: string): Decode => encoding === '' ? latin1 : (b, start, end) => {
  if (isAscii(b, start, end)) return latin1(b, start, end)
  return decoder(encoding)?.decode(b.subarray(start, end)) ?? latin1(b, start, end)
}

/** Text with code extension: each run in the set that the escape sequence before it designates. */
const extended = (initial: string): Decode => {
  const first = plain(initial)
  return (b, start, end) => {
    if (isAscii(b, start, end)) return latin1(b, start, end)
    let text = ''
    let read = first
    let from = start
    for (let at = start; at <= end; at++) {
      if (at < end && b[at] !== ESC) continue
      text += read(b, from, at)
      if (at >= end) break
      const three = latin1(b, at + 1, Math.min(end, at + 4))
      const sequence = ESCAPES.has(three) ? three : three.slice(0, 2)
      const set = ESCAPES.get(sequence)
      if (set === undefined) from = at + 1
      else {
        from = at + 1 + sequence.length
        read = set.isHighBitAdded ? shifted(set.encoding, set.prefix) : plain(set.encoding)
      }
      at = from - 1
    }
    return text
  }
}

const shifted = (encoding: string, prefix: number | undefined): Decode => (b, start, end) => {
  const bytes: number[] = []
  for (let at = start; at + 1 < end; at += 2) {
    if (prefix !== undefined) bytes.push(prefix)
    bytes.push(b[at]! | 0x80, b[at + 1]! | 0x80)
  }
  return decoder(encoding)?.decode(Uint8Array.from(bytes)) ?? latin1(b, start, end)
}

/** The default repertoire (PS3.5 6.1.1), and what is read where nothing better is known. */
export const DEFAULT: Decode = plain('')

const made = new Map<string, Decode>()

/** @param value of (0008,0005), backslashes and all */
export function charset(value: string): Decode {
  const names = value.split('\\').map((name) => name.trim())
  const single = names[0]!.replace('ISO 2022 IR ', 'ISO_IR ')
  const isExtended = names.length > 1 || names[0]!.startsWith('ISO 2022')
  const encoding = ENCODINGS.get(single) ?? ''
  const key = `${encoding}${isExtended ? '+' : ''}`
  let decode = made.get(key)
  if (decode === undefined) made.set(key, decode = isExtended ? extended(encoding) : plain(encoding))
  return decode
}
