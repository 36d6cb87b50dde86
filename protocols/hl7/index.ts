/**
 * HL7 v2: messages in MLLP blocks, in HTTP, or bare, on any port.
 *
 * `mllp.ts` cuts bytes into blocks and segments (`http.ts` finds the bodies it is given), `msh.ts` and `message.ts` read the few fields that
 * matter, `exchange.ts` ties acknowledgements to messages, `dissector.ts` puts them together; `full-view.ts` is for people.
 */
import { MORE, NO, SERVER, YES, YES_REVERSED } from '../protocol.ts'
import type { Direction, Protocol, Verdict } from '../protocol.ts'
import { isText } from '../content.ts'
import { Hl7Dissector } from './dissector.ts'
import { isDigit, isSegmentName, opensBare, opensBlock } from './header.ts'
import { mayCarryHl7, probeHttp } from './http.ts'

const STX = 0x02, LF = 0x0A, VT = 0x0B, CR = 0x0D, FS = 0x1C, BLANK = 0x20

/** A length, a few keep-alive bytes or a byte order mark may stand in front of the first header. */
const IN_FRONT = 16
/** Bytes of a binary length in front. */
const LENGTH = 4
/** Text behind a VT that has not shown a header by then will not. */
const FOREIGN_TEXT = 512
/** Bytes of a header segment in which its type (MSH-9) stands at the latest. */
const TYPE_WITHIN = 1024

function probe(b: Uint8Array, start: number, end: number, direction: Direction, midstream: boolean): Verdict {
  if (midstream) return probeMidstream(b, start, end, direction)
  if (start === end) return MORE
  if (mayCarryHl7(b[start]!)) return probeHttp(b, start, end)
  let i = start
  for (; i < end && i < start + IN_FRONT; i++) {
    const c = b[i]!
    if (c === VT) return probeBlock(b, i + 1, end)
    const opens = opensBare(b, c === STX ? i + 1 : i, end)
    if (opens !== NO) return opens
    if (!mayStandInFront(c) && i >= start + LENGTH) return NO
  }
  return i === end && i < start + IN_FRONT ? MORE : NO
}

/** Line ends, blanks, NUL and other low control characters, byte order marks, digits of a length. */
const mayStandInFront = (c: number): boolean => c <= BLANK || isDigit(c) || c >= 0xEF || c === 0xBB || c === 0xBF

/** Behind the VT that starts a connection. */
function probeBlock(b: Uint8Array, start: number, end: number): Verdict {
  let i = start
  while (i < end && (b[i] === CR || b[i] === LF || b[i] === BLANK || b[i] === VT || b[i] === 0xEF || b[i] === 0xBB || b[i] === 0xBF || b[i]! >= 0xFE)) i++
  if (i === end) return MORE
  // UTF-16, either way round.
  const opens = opensBlock(b, b[i] === 0 ? i + 1 : i, end)
  if (opens === YES || (i + 1 < end && (b[i] === 0 || b[i + 1] === 0) && (b[i]! | b[i + 1]!) === 0x4D)) return YES
  return opens === MORE ? MORE : probeForeignBlock(b, start, end)
}

/**
 * VT without a header: HL7's marks around something else (a tunnel on an MLLP port), or another protocol that happens to begin with 0BH.
 * It is only taken for the former when the marks are whole, which chance gives to one connection in millions, or when it is plain text.
 */
function probeForeignBlock(b: Uint8Array, start: number, end: number): Verdict {
  for (let i = start; i + 1 < end; i++) {
    if (b[i] === FS && b[i + 1] === CR) return i + 2 === end || b[i + 2] === VT ? YES : NO
  }
  if (end - start < FOREIGN_TEXT) return MORE
  return isText(b, start, start + FOREIGN_TEXT) ? YES : NO
}

/** Anywhere in the bytes: a block's start, or a header that vouches for itself; else lines that look like segments. */
function probeMidstream(b: Uint8Array, start: number, end: number, direction: Direction): Verdict {
  let segments = 0
  for (let i = start; i < end; i++) {
    const c = b[i]!
    if (c === VT && opensBlock(b, i + 1, end) === YES) return turned(b, i + 1, end, direction)
    if ((c === 0x4D || c === 0x42 || c === 0x46) && (i === start || b[i - 1]! < BLANK) && opensBare(b, i, end) === YES) return turned(b, i, end, direction)
    if (c === CR && i + 4 < end && isSegmentName(b, i + 1) && b[i + 4] === 0x7C && ++segments === 3) return YES
  }
  if (end > start && mayCarryHl7(b[start]!)) return probeHttp(b, start, end)
  return end - start < TYPE_WITHIN ? MORE : NO
}

/**
 * Messages come from who opened the connection, acknowledgements from the other one. A connection whose opening was not seen is
 * turned by that; but only where it is clear: a header cut before its type says nothing.
 */
function turned(b: Uint8Array, header: number, end: number, direction: Direction): Verdict {
  const separator = b[header + 3]!
  const stop = Math.min(end, header + TYPE_WITHIN)
  let fields = 0
  for (let i = header; i < stop; i++) {
    if (b[i] === CR || b[i] === LF) return YES
    if (b[i] !== separator || ++fields !== 8) continue
    if (i + 3 >= stop) return end === stop ? MORE : YES
    const acknowledges = b[i + 1] === 0x41 && b[i + 2] === 0x43 && b[i + 3] === 0x4B
    return acknowledges === (direction === SERVER) ? YES : YES_REVERSED
  }
  return stop === end && end - header < TYPE_WITHIN ? MORE : YES
}

export const hl7: Protocol = {
  name: 'hl7',
  probe,
  open: connection => new Hl7Dissector(connection),
}
