/** Escape sequences of text fields (HL7 v2.5.1 section 2.7): \F\ \S\ \T\ \R\ \E\ \P\ \Xdd..\ \Cxxyy\ \Mxxyyzz\ \H\ \N\ \.br\ \Zdd..\ */
import type { Charset } from './charset.ts'
import { NONE } from './header.ts'
import type { Delimiters } from './header.ts'

/** Separators as characters. */
export interface TextDelimiters {
  readonly field: string
  readonly component: string
  readonly repetition: string
  readonly escape: string
  readonly subcomponent: string
}

const charOf = (c: number): string => (c === NONE ? '' : String.fromCharCode(c))

export function asText(d: Readonly<Delimiters>): TextDelimiters {
  return {
    field: charOf(d.field), component: charOf(d.component), repetition: charOf(d.repetition),
    escape: charOf(d.escape), subcomponent: charOf(d.subcomponent),
  }
}

/**
 * Text without its escape sequences. Highlighting and character-set switches vanish, formatting commands become line ends or blanks, hexadecimal
 * data becomes text in the message's character set; what is no sequence stays as it is.
 */
export function unescapeText(text: string, d: TextDelimiters, charset: Charset): string {
  if (d.escape === '' || !text.includes(d.escape)) return text
  let out = ''
  let at = 0
  for (;;) {
    const open = text.indexOf(d.escape, at)
    const close = open < 0 ? -1 : text.indexOf(d.escape, open + 1)
    if (close < 0) return out + text.slice(at)
    const meaning = decodeSequence(text.slice(open + 1, close), d, charset)
    if (meaning === undefined) {
      // The second mark may begin a real sequence.
      out += text.slice(at, close)
      at = close
    } else {
      out += text.slice(at, open) + meaning
      at = close + 1
    }
  }
}

function decodeSequence(sequence: string, d: TextDelimiters, charset: Charset): string | undefined {
  switch (sequence) {
    case 'F': return d.field
    case 'S': return d.component
    case 'T': return d.subcomponent
    case 'R': return d.repetition
    case 'E': return d.escape
    // Version 2.7 and later: the truncation character of MSH-2's fifth place, nearly always `#`.
    case 'P': return '#'
    case 'H': case 'N': return ''
  }
  if (/^X([0-9A-Fa-f]{2})+$/.test(sequence)) return new TextDecoder(charset.label ?? 'utf-8').decode(Buffer.from(sequence.slice(1), 'hex'))
  if (/^[CM]([0-9A-Fa-f]{2}){2,3}$/.test(sequence)) return ''
  if (/^Z[0-9A-Za-z]*$/.test(sequence)) return ''
  if (/^\.(br|sp\d*|ce)$/.test(sequence)) return '\n'
  if (/^\.(sk\s*\d+)$/.test(sequence)) return ' '
  if (/^\.(fi|nf|in\s*[+-]?\d*|ti\s*[+-]?\d*)$/.test(sequence)) return ''
  return undefined
}
