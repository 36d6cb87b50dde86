/** Documents inside OBX-5: encapsulated data (ED, HL7 v2.5.1 section 2.A.24), reference pointers (RP), and base64 hidden in other types. */
import { latin1 } from '../bytes.ts'
import type { Hl7Document } from '../events.ts'
import { documentContent } from '../content.ts'
import { wordOf } from './codes.ts'
import { componentStart, fieldEnd, fieldStart, splitFields, upTo } from './fields.ts'
import { PLAIN } from './charset.ts'
import type { Delimiters } from './header.ts'

/** A value of another type is only looked at when the segment is at least this long: no measurement is. */
const HIDDEN = 2048
/** Enough for every signature that `documentContent` knows, encoded. */
const HEAD_CHARS = 184

const ED = 0x4544
const RP = 0x5250

/** @param length of the whole segment, of which `b[start..end)` is the beginning. */
export function describeDocument(b: Uint8Array, start: number, end: number, length: number, d: Delimiters): Hl7Document | undefined {
  // OBX|1|ED|...: the value type is the second field.
  const set = upTo(b, start, end, d.field) + 1
  const type = upTo(b, set, end, d.field) + 1
  const typeEnd = upTo(b, type, end, d.field)
  const name = typeEnd - type === 2 ? (b[type]! << 8) | b[type + 1]! : 0
  if (name !== ED && name !== RP && length < HIDDEN) return undefined

  splitFields(b, start, end, d.field, 5, PLAIN)
  const value = fieldStart(5)
  if (value === 0) return undefined
  const valueEnd = fieldEnd(5)
  // Where the head ends inside the value, the value is taken to reach to the segment's end.
  const cut = valueEnd === end && length > end - start
  const bytesFrom = (at: number): number => (cut ? length - (at - start) : valueEnd - at)
  if (name === ED) return encapsulated(b, value, valueEnd, d, bytesFrom)
  if (name === RP) return { value_type: 'RP', declared: declaredAs(b, value, valueEnd, d, 3), encoding: null, bytes: bytesFrom(value), content: null }
  if (!/^[A-Za-z0-9+/]{128,}/.test(latin1(b, value, Math.min(valueEnd, value + HEAD_CHARS)))) return undefined
  const head = Buffer.from(latin1(b, value, value + HEAD_CHARS), 'base64')
  return { value_type: wordOf(latin1(b, type, Math.min(typeEnd, type + 3))), declared: null, encoding: 'base64', bytes: bytesFrom(value), content: documentContent(head) }
}

/** ED: source application ^ type of data ^ data subtype ^ encoding ^ data; senders leave out or shift the first ones. */
function encapsulated(b: Uint8Array, value: number, end: number, d: Delimiters, bytesFrom: (at: number) => number): Hl7Document {
  let part = value
  for (let n = 1; n <= 8 && part < end; n++) {
    const next = upTo(b, part, end, d.component)
    const encoding = encodingName(b, part, next)
    if (encoding !== undefined && n >= 2 && next < end) {
      const data = next + 1
      return { value_type: 'ED', declared: declaredAs(b, value, end, d, n - 2), encoding, bytes: bytesFrom(data), content: contentOf(b, data, end, encoding) }
    }
    part = next + 1
  }
  const data = componentStart(b, value, end, d.component, 5)
  const start = data > 0 ? data : value
  return { value_type: 'ED', declared: declaredAs(b, value, end, d, 2), encoding: null, bytes: bytesFrom(start), content: contentOf(b, start, end, 'base64') }
}

/** HL7 table 0299, and its lower-case cousins. A (no encoding) only counts as the fourth component would: behind something. */
function encodingName(b: Uint8Array, start: number, end: number): string | undefined {
  const size = end - start
  if (size !== 6 && size !== 3 && size !== 1) return undefined
  const text = latin1(b, start, end).toLowerCase()
  return text === 'base64' ? 'base64' : text === 'hex' ? 'hex' : text === 'a' ? 'a' : undefined
}

/** Component n and the one behind it: `application/pdf`. Where n is 0, only the first is there. */
function declaredAs(b: Uint8Array, value: number, end: number, d: Delimiters, n: number): string | null {
  const at = n < 1 ? value : componentStart(b, value, end, d.component, n)
  if (at < 0) return null
  const typeEnd = upTo(b, at, end, d.component)
  const type = latin1(b, at, Math.min(typeEnd, at + 32))
  const subtype = typeEnd < end && n > 0 ? latin1(b, typeEnd + 1, Math.min(upTo(b, typeEnd + 1, end, d.component), typeEnd + 33)) : ''
  const declared = type !== '' && subtype !== '' ? `${type}/${subtype}` : type + subtype
  return declared === '' ? null : wordOf(declared.toLowerCase())
}

function contentOf(b: Uint8Array, start: number, end: number, encoding: string): string {
  const head = latin1(b, start, Math.min(end, start + (encoding === 'hex' ? 2 * HEAD_CHARS : HEAD_CHARS)))
  return documentContent(Buffer.from(head, encoding === 'a' ? 'latin1' : encoding === 'hex' ? 'hex' : 'base64'))
}
