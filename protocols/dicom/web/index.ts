/** DICOMweb (PS3.18) over HTTP/1.1, recognised by what is asked for, on any port. */
import { latin1 } from '../../bytes.ts'
import { isStartLine, mayBeHttp, mayBeStart, parseHead } from '../../http/head.ts'
import { LIMITS } from '../../limits.ts'
import { CLIENT, LATER, MORE, NO, SERVER, YES, YES_REVERSED, type Direction, type Protocol, type Verdict } from '../../protocol.ts'
import { open } from './dissector.ts'
import { DICOM_TYPE, webRequest } from './resource.ts'

/** Other HTTP may turn to DICOMweb later: a viewer is loaded, and then its images. */
function probe(b: Uint8Array, start: number, end: number, direction: Direction): Verdict {
  if (start === end) return MORE
  if (!mayBeHttp(b[start]!)) return NO
  const isAll = end - start >= LIMITS.tcp.probeBytes
  const text = latin1(b, start, Math.min(end, start + LIMITS.tcp.probeBytes))
  const stop = text.indexOf('\n')
  if (stop < 0) {
    if (!mayBeStart(text)) return NO
    return isAll ? NO : MORE
  }
  if (!isStartLine(text.slice(0, stop).trimEnd())) return NO
  const blank = /\n\r?\n/.exec(text)
  const head = parseHead(blank === null ? text : text.slice(0, blank.index + 1))
  if (head.status !== null) {
    if (DICOM_TYPE.test(head.type)) return direction === SERVER ? YES : YES_REVERSED
  } else if (webRequest(head) !== null) return direction === CLIENT ? YES : YES_REVERSED
  return blank === null && !isAll ? MORE : LATER
}

/** Its events, and what `flow` calls it, are DICOM's. */
export const dicomweb: Protocol = { name: 'dicom', probe, open }
