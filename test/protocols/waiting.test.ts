/** Many conversations that each begin something and end nothing: what waits of them is bounded together, and given back. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DicomOperation, WireEvent } from '../../protocols/events.ts'
import { bodyOf, type WebOperation } from '../../protocols/dicom/web/body.ts'
import { KeptBytes } from '../../protocols/kept-bytes.ts'
import { HeldBytes } from '../../protocols/hl7/held.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { CLIENT, type Dissector } from '../../protocols/protocol.ts'
import { tls } from '../../protocols/tls/index.ts'
import { waitingOf } from '../../protocols/waiting.ts'

const pseudonyms = new Pseudonyms(new Uint8Array(32))
const waiting = waitingOf(pseudonyms)

describe('pieces that never end', () => {
  test.each([['dissectors', () => new KeptBytes(LIMITS.tcp.keptTotalBytes)], ['HL7 segments', () => new HeldBytes()]] as const)('does who fills what %s may keep leave room for the headers and segments of all others?', (_what, make) => {
    const memory = make()
    while (memory.take(8192) !== null);
    expect(memory.take(1025)).toBeNull()
    for (let i = 0; i < 1000; i++) expect(memory.take(1024)?.length).toBeGreaterThanOrEqual(1024)
  })
})

describe('conversations that begin and never end', () => {
  test('do 4,000 handshakes of 60 KB without their last byte hold more than all together may, and is it given back?', () => {
    // A handshake message (a certificate chain) that claims 60,000 bytes, in records of 16,000; the last is missing.
    const record = new Uint8Array(5 + 16_000)
    record.set([22, 3, 3, 16_000 >> 8, 16_000 & 255])
    const first = record.slice()
    first.set([11, 0, 60_000 >> 8, 60_000 & 255], 5)
    const events: WireEvent[] = []
    const open: Dissector[] = []
    for (let i = 0; i < 4000; i++) {
      const dissector = tls.open({ flow: undefined as never, pseudonyms, afterGap: false, lost: () => 0, emit: (event) => events.push(event) })
      for (const bytes of [first, record, record]) expect(dissector.data(CLIENT, bytes, 0, bytes.length, 0)).toBe(bytes.length)
      open.push(dissector)
    }
    expect(waiting.used).toBeGreaterThan(LIMITS.waitingBytes / 2)
    expect(waiting.used).toBeLessThanOrEqual(LIMITS.waitingBytes)
    for (const dissector of open) dissector.end('idle', 0)
    expect(waiting.used).toBe(0)
    expect(events).toHaveLength(4000)
  })

  test('do 500 compressed bodies of 256 KB, and is one still read once they are over?', () => {
    const operation = (): WebOperation => ({ command: 'C-FIND', query: { matches: 0 }, dataset: null, web: { studies: [] } }) as unknown as DicomOperation as WebOperation
    const body = (): NonNullable<ReturnType<typeof bodyOf>> => bodyOf('application/dicom+json', 'gzip', operation(), pseudonyms)!
    const many = Array.from({ length: 500 }, body)
    const noise = new Uint8Array(LIMITS.dicom.encodedBytes)
    for (const one of many) one.feed(noise, 0, noise.length)
    expect(waiting.used).toBeLessThanOrEqual(LIMITS.waitingBytes)
    expect(many.filter((one) => one.isCut).length).toBe(500 - LIMITS.waitingBytes / LIMITS.dicom.encodedBytes)
    for (const one of many) one.end()
    expect(waiting.used).toBe(0)
    const whole = body()
    const packed = gzipSync('[]')
    for (let i = 0; i < packed.length; i++) whole.feed(packed, i, i + 1)
    whole.end()
    expect(whole.isCut).toBe(false)
    expect(waiting.used).toBe(0)
  })
})
