/**
 * A whole message, for people: every field decoded and without escapes, on demand. Not for the hot path; `message.ts` is.
 *
 * hl7-standard builds its object of a message behind this view: it is handed the segments in the usual separators with one kind of
 * line end, which avoids most of what it gets wrong by itself (other separators, mixed line ends, MSH.1, escapes; the tests name each).
 */
import HL7 from 'hl7-standard'
import type { Charset } from './charset.ts'
import { PLAIN, charsetOf, decodeText } from './charset.ts'
import { asText, unescapeText } from './escapes.ts'
import type { TextDelimiters } from './escapes.ts'
import { fieldEnd, fieldStart, splitFields } from './fields.ts'
import { USUAL, isSegmentNext, readDelimiters } from './header.ts'
import { flatLatin1 } from './lens.ts'
import { MSH, nameAt } from './segment-names.ts'
import { YES } from '../protocol.ts'

const CR = 0x0D, LF = 0x0A

/** Where a value stands: numbers from 1, as in the standard; missing ones mean the first. */
export interface Place {
  field: number
  repetition?: number
  component?: number
  subcomponent?: number
}

export class SegmentView {
  readonly name: string
  /** Decoded, with separators and escape sequences as sent. */
  readonly text: string
  readonly #delimiters: TextDelimiters
  readonly #charset: Charset
  #fields: string[] | undefined

  constructor(text: string, delimiters: TextDelimiters, charset: Charset) {
    this.text = text
    this.name = text.slice(0, 3)
    this.#delimiters = delimiters
    this.#charset = charset
  }

  /** Fields by number; 0 is the name. In a header segment 1 is the separator. */
  get fields(): readonly string[] {
    if (this.#fields === undefined) {
      this.#fields = split(this.text, this.#delimiters.field)
      if (isHeader(this.name)) this.#fields.splice(1, 0, this.#delimiters.field)
    }
    return this.#fields
  }

  /** Repetitions of a field, each a list of components. A field of separators (MSH-1, MSH-2) is one value. */
  repetitions(field: number): string[][] {
    const text = this.fields[field] ?? ''
    if (isHeader(this.name) && field <= 2) return [[text]]
    return split(text, this.#delimiters.repetition).map(repetition => split(repetition, this.#delimiters.component))
  }

  /** The values of a component without their escape sequences. */
  subcomponents({ field, repetition = 1, component = 1 }: Place): string[] {
    const raw = this.repetitions(field)[repetition - 1]?.[component - 1] ?? ''
    if (isHeader(this.name) && field <= 2) return [raw]
    return split(raw, this.#delimiters.subcomponent).map((text) => unescapeText(text, this.#delimiters, this.#charset))
  }

  /** One of them; empty where there is none. */
  value(place: Place): string {
    return this.subcomponents(place)[(place.subcomponent ?? 1) - 1] ?? ''
  }
}

export class MessageView {
  readonly delimiters: TextDelimiters
  readonly charset: Charset
  readonly segments: readonly SegmentView[]

  /** @param bytes one message (or batch) without its frame. */
  constructor(bytes: Uint8Array) {
    const d = { ...USUAL }
    const lines = splitSegments(bytes)
    const [start, end] = lines.find(([from]) => isHeader(flatLatin1(bytes, from, from + 3))) ?? [0, 0]
    if (end > start) readDelimiters(bytes, start, end, d)
    this.delimiters = asText(d)
    this.charset = declaredCharset(bytes, lines, d.field)
    this.segments = lines.map(([from, to]) => new SegmentView(decodeText(this.charset, bytes, from, to), this.delimiters, this.charset))
  }

  /** `get('PID-3.1')`, `get('OBX-5', 2)` of the second OBX; separated by `-` and `.` as in the standard. Empty where there is nothing. */
  get(path: string, occurrence = 1): string {
    const match = /^([A-Z][A-Z0-9]{2})-(\d+)(?:\((\d+)\))?(?:\.(\d+))?(?:\.(\d+))?$/.exec(path)
    if (match === null) return ''
    const [, name, field, repetition = '1', component = '1', subcomponent = '1'] = match
    const place = { field: Number(field), repetition: Number(repetition), component: Number(component), subcomponent: Number(subcomponent) }
    return this.segments.filter(segment => segment.name === name)[occurrence - 1]?.value(place) ?? ''
  }

  /** The message in the usual separators, segments ended by CR; data that looks like one of these is escaped. */
  usualText(): string {
    const usual = asText(USUAL)
    const { delimiters: d } = this
    return this.segments.map(segment => (isHeader(segment.name) ? `${segment.name}|^~\\&|` + translate(segment.fields.slice(3).join(d.field), d, usual) : translate(segment.text, d, usual)) + '\r').join('')
  }

  /** hl7-standard's object of the message; undefined where it refuses the message. Its values still have their escape sequences. */
  standard(): HL7 | undefined {
    try {
      const parsed = new HL7(this.usualText(), { lineEndings: '\r' })
      parsed.transform()
      return parsed
    } catch {
      return undefined
    }
  }
}

const isHeader = (name: string): boolean => name === 'MSH' || name === 'FHS' || name === 'BHS'

const split = (text: string, separator: string): string[] => (separator === '' ? [text] : text.split(separator))

/** Ends at CR, at CR LF, and at LF in front of another segment; empty ones are left out. */
function splitSegments(b: Uint8Array): [number, number][] {
  const lines: [number, number][] = []
  let start = 0
  for (let i = 0; i <= b.length; i++) {
    const ends = i === b.length || b[i] === CR || (b[i] === LF && (i === start || i + 4 >= b.length || isSegmentNext(b, i + 1, b.length) === YES))
    if (!ends) continue
    if (i > start) lines.push([start, i])
    start = i + 1
  }
  return lines
}

/** MSH-18 of the first MSH. */
function declaredCharset(b: Uint8Array, lines: readonly [number, number][], separator: number): Charset {
  const header = lines.find(([start, end]) => end - start > 3 && nameAt(b, start) === MSH)
  if (header === undefined) return charsetOf('')
  splitFields(b, header[0], header[1], separator, 17, PLAIN)
  return charsetOf(flatLatin1(b, fieldStart(17), fieldEnd(17)))
}

const ROLES = { F: 'field', S: 'component', T: 'subcomponent', R: 'repetition', E: 'escape' } as const

/**
 * Text with the separators `from`, in the separators `to`. The sequences \F\ \S\ \T\ \R\ \E\ stand for whatever the separators are, so they
 * become the character they stood for; a character that `to` would take for a separator becomes a sequence.
 */
function translate(text: string, from: TextDelimiters, to: TextDelimiters): string {
  const separators = new Map<string, string>()
  const data = new Map<string, string>()
  for (const [letter, role] of Object.entries(ROLES)) {
    data.set(to[role], to.escape + letter + to.escape)
    if (from[role] !== '' && role !== 'escape') separators.set(from[role], to[role])
  }
  const asData = (char: string): string => data.get(char) ?? char
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    const close = char === from.escape ? text.indexOf(from.escape, i + 1) : -1
    const sequence = close < 0 ? '' : text.slice(i + 1, close)
    if (Object.hasOwn(ROLES, sequence)) {
      out += asData(from[ROLES[sequence as keyof typeof ROLES]])
      i = close
    } else if (/^[A-Z.][A-Za-z0-9 +-]*$/.test(sequence)) {
      out += to.escape + sequence + to.escape
      i = close
    } else {
      out += separators.get(char) ?? asData(char)
    }
  }
  return out
}
