/**
 * Character sets of HL7 table 0211 (MSH-18), and the ones found in the field. They matter twice: some have multi-byte characters
 * whose later bytes look like separators (Shift-JIS 83 7C is one katakana, not a letter and a `|`), and what is kept as text
 * must be decoded.
 */

/** How far a character reaches: whether a byte below 80H may belong to the character before it. */
export type Reach = typeof PLAIN | typeof SHIFT_JIS | typeof DOUBLE | typeof ISO_2022
/** Every byte below 80H is itself: ASCII, ISO 8859, UTF-8, EUC. */
export const PLAIN = 0
/** Lead 81-9F, E0-FC; trail 40-7E, 80-FC. */
export const SHIFT_JIS = 1
/** GB 18030, GBK, Big5: lead 81-FE; trail 30-39, 40-7E, 80-FE. */
export const DOUBLE = 2
/** ISO 2022: ESC $ B starts two-byte characters of 21-7E, ESC ( B ends them. */
export const ISO_2022 = 3

export interface Charset {
  readonly reach: Reach
  /** Name for `TextDecoder`; null: not declared, or not known. */
  readonly label: string | null
}

const UNDECLARED: Charset = { reach: PLAIN, label: null }

/** Upper-cased, blanks and punctuation removed. */
const KNOWN: Record<string, Charset> = {
  ASCII: { reach: PLAIN, label: 'latin1' },
  ISOIR6: { reach: PLAIN, label: 'latin1' },
  UNICODE: { reach: PLAIN, label: 'utf-8' },
  UNICODEUTF8: { reach: PLAIN, label: 'utf-8' },
  UTF8: { reach: PLAIN, label: 'utf-8' },
  // The block reader turns UTF-16 into UTF-8 before anything is read.
  UNICODEUTF16: { reach: PLAIN, label: 'utf-8' },
  UTF16: { reach: PLAIN, label: 'utf-8' },
  ISOIR87: { reach: ISO_2022, label: 'iso-2022-jp' },
  ISOIR159: { reach: ISO_2022, label: 'iso-2022-jp' },
  ISO2022JP: { reach: ISO_2022, label: 'iso-2022-jp' },
  ISOIR13: { reach: SHIFT_JIS, label: 'shift_jis' },
  ISOIR14: { reach: SHIFT_JIS, label: 'shift_jis' },
  SHIFTJIS: { reach: SHIFT_JIS, label: 'shift_jis' },
  SJIS: { reach: SHIFT_JIS, label: 'shift_jis' },
  MS932: { reach: SHIFT_JIS, label: 'shift_jis' },
  WINDOWS31J: { reach: SHIFT_JIS, label: 'shift_jis' },
  EUCJP: { reach: PLAIN, label: 'euc-jp' },
  GB18030: { reach: DOUBLE, label: 'gb18030' },
  GB180302000: { reach: DOUBLE, label: 'gb18030' },
  GBK: { reach: DOUBLE, label: 'gb18030' },
  GB2312: { reach: DOUBLE, label: 'gb18030' },
  BIG5: { reach: DOUBLE, label: 'big5' },
  KSX1001: { reach: PLAIN, label: 'euc-kr' },
  EUCKR: { reach: PLAIN, label: 'euc-kr' },
}

/** MSH-18, whose repetitions name further sets that escape sequences switch to: the widest of them is what must be reckoned with. */
export function charsetOf(declared: string): Charset {
  let found = UNDECLARED
  for (const name of declared.split(/[~^]/, 4)) {
    const charset = named(name)
    if (charset.label !== null && (found.label === null || charset.reach > found.reach)) found = charset
  }
  return found
}

function named(name: string): Charset {
  const key = name.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (Object.hasOwn(KNOWN, key)) return KNOWN[key]!
  const latin = /^(?:ISO)?8859(\d{1,2})$/.exec(key)
  if (latin !== null) return { reach: PLAIN, label: decodable(`iso-8859-${latin[1]!}`) }
  const windows = /^(?:WINDOWS|CP)(125\d)$/.exec(key)
  if (windows !== null) return { reach: PLAIN, label: `windows-${windows[1]!}` }
  return UNDECLARED
}

function decodable(label: string): string | null {
  try {
    new TextDecoder(label)
    return label
  } catch {
    return null
  }
}

const isLead = (reach: Reach, c: number): boolean => (reach === SHIFT_JIS ? (c >= 0x81 && c <= 0x9F) || (c >= 0xE0 && c <= 0xFC) : c >= 0x81 && c <= 0xFE)
const isTrail = (reach: Reach, c: number): boolean =>
  (c >= 0x40 && c <= 0x7E) || (c >= 0x80 && c <= (reach === SHIFT_JIS ? 0xFC : 0xFE)) || (reach === DOUBLE && c >= 0x30 && c <= 0x39)

/** Bytes of the character at `b[at]`; at least 1. With ISO 2022: of the whole stretch up to the escape that returns to ASCII. */
export function characterBytes(reach: Reach, b: Uint8Array, at: number, end: number): number {
  if (reach === PLAIN) return 1
  if (reach !== ISO_2022) return at + 1 < end && isLead(reach, b[at]!) && isTrail(reach, b[at + 1]!) ? 2 : 1
  if (b[at] !== ESC || isAscii2022(b, at, end)) return 1
  let i = at + 1
  while (i < end && !(b[i] === ESC && isAscii2022(b, i, end))) i++
  return i - at
}

const ESC = 0x1B
/** ESC ( B (ASCII) or ESC ( J (JIS Roman). */
const isAscii2022 = (b: Uint8Array, at: number, end: number): boolean => at + 2 < end && b[at + 1] === 0x28 && (b[at + 2] === 0x42 || b[at + 2] === 0x4A)

/**
 * What an undeclared text is likely to be. Only told apart as far as separators go: a line of Latin-1 names must not lose the `|` behind
 * an accented letter, and a line of Japanese ones must not gain one.
 */
export function guessReach(b: Uint8Array, start: number, end: number): Reach {
  let high = false
  for (let i = start; i < end; i++) {
    if (b[i]! >= 0x80) high = true
    else if (b[i] === ESC && b[i + 1] === 0x24) return ISO_2022
  }
  if (!high || isUtf8(b, start, end)) return PLAIN
  // Of single-byte text most bytes around an accented letter are letters; of double-byte text nearly none are.
  for (const reach of [SHIFT_JIS, DOUBLE] as const) {
    const { pairs, closedEarly, letters, broken, c1 } = census(reach, b, start, end)
    if (broken === 0 && pairs >= 2 && pairs > letters && (c1 > 0 || closedEarly > pairs / 2)) return reach
  }
  return PLAIN
}

/** Counts over the stretches (between sure separators) that have bytes of 80H and more, read as double-byte text. */
function census(reach: Reach, b: Uint8Array, start: number, end: number): { pairs: number, closedEarly: number, letters: number, broken: number, c1: number } {
  let pairs = 0, closedEarly = 0, letters = 0, broken = 0, c1 = 0
  let stretchLetters = 0
  let stretchHigh = false
  for (let i = start; i <= end; i++) {
    const c = i < end ? b[i]! : 0x7C
    if (c >= 0x80) {
      stretchHigh = true
      if (c < 0xA0) c1++
      if (characterBytes(reach, b, i, end) === 2) {
        pairs++
        if (b[i + 1]! < 0x80) closedEarly++
        i++
      } else if (reach === DOUBLE || c < 0xA1 || c > 0xDF) {
        broken++
      }
    } else if (c === 0x7C || c === 0x5E || c === 0x7E) {
      if (stretchHigh) letters += stretchLetters
      stretchLetters = 0
      stretchHigh = false
    } else if ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7A) {
      stretchLetters++
    }
  }
  return { pairs, closedEarly, letters, broken, c1 }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

function isUtf8(b: Uint8Array, start: number, end: number): boolean {
  try {
    strictUtf8.decode(b.subarray(start, end))
    return true
  } catch {
    return false
  }
}

/** Text of bytes that are not all ASCII. Never fails; what the set does not know becomes U+FFFD. */
export function decodeText(charset: Charset, b: Uint8Array, start: number, end: number): string {
  const bytes = b.subarray(start, end)
  if (charset.label !== null) return new TextDecoder(charset.label).decode(bytes)
  if (isUtf8(b, start, end)) return strictUtf8.decode(bytes)
  const reach = guessReach(b, start, end)
  return new TextDecoder(reach === SHIFT_JIS ? 'shift_jis' : reach === ISO_2022 ? 'iso-2022-jp' : reach === DOUBLE ? 'gb18030' : 'windows-1252').decode(bytes)
}
