import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CaptureReader, FRAME, MORE, type Statistics } from '../../../protocols/capture/reader.ts'
import { PcapngWriter } from '../../../src/sources/pcapng-writer.ts'

type Said = { frame: number; at: number; nanos: number; wire: number; linkType: number; bytes: string } | Statistics

function read(bytes: Uint8Array): { said: Said[]; problem: string | null } {
  const reader = new CaptureReader(4096)
  const said: Said[] = []
  reader.onStatistics = (statistics) => said.push(statistics)
  let from = 0
  for (;;) {
    const step = reader.next()
    if (step === FRAME) {
      said.push({ frame: reader.interfaceId, at: reader.at, nanos: reader.nanos, wire: reader.wireLength, linkType: reader.linkType, bytes: Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString('hex') })
    } else if (step === MORE) {
      const space = reader.space()
      const count = Math.min(space.length, bytes.length - from)
      space.set(bytes.subarray(from, from + count))
      from += count
      if (count === 0) reader.finish()
      else reader.filled(count)
    } else return { said, problem: reader.problem?.text ?? null }
  }
}

test('does the reader of captures read back what was written: frames, times, interfaces, and statistics at their place?', () => {
  const frame = fc.record({ id: fc.nat(1), at: fc.integer({ min: 0, max: 2 ** 52 }), bytes: fc.uint8Array({ maxLength: 300 }), more: fc.nat(70_000) })
  const statistics = fc.record({ interfaceId: fc.nat(1), at: fc.integer({ min: 0, max: 2 ** 52 }), kernelDrops: fc.nat(), interfaceDrops: fc.nat() })
  fc.assert(fc.property(fc.array(fc.oneof(frame, statistics), { maxLength: 60 }), fc.integer({ min: 16, max: 4000 }), (parts, room) => {
    const writer = new PcapngWriter(room)
    writer.section()
    writer.interface({ name: 'mirror0', linkType: 1, snapLength: 262_144 })
    writer.interface({ name: 'größer', linkType: 276, snapLength: 0 })
    const expected: Said[] = []
    for (const part of parts) {
      if ('bytes' in part) {
        const { id, at, bytes, more } = part
        writer.packet(id, at, bytes, 0, bytes.length, bytes.length + more)
        expected.push({ frame: id, at, nanos: 0, wire: bytes.length + more, linkType: id === 0 ? 1 : 276, bytes: Buffer.from(bytes).toString('hex') })
      } else {
        writer.statistics(part, 5)
        expected.push(part)
      }
    }
    expect(read(Buffer.from(writer.take()))).toEqual({ said: expected, problem: null })
  }), { numRuns: 200 })
})

test('are nanoseconds kept, to the last one, and with one resolution for all times?', () => {
  const at = Date.UTC(2026, 1, 2) * 1000 + 123_456
  const writer = new PcapngWriter(64, true)
  writer.section()
  writer.interface({ linkType: 113, snapLength: 0 })
  // A time of a number of microseconds has lost its last digits: the nanoseconds come beside it.
  for (const nanos of [0, 1, 789, 999]) writer.packet(0, at + nanos / 1000, new Uint8Array(3), 1, 3, 70, nanos)
  writer.statistics({ interfaceId: 0, at, kernelDrops: 1, interfaceDrops: 0 })
  const { said, problem } = read(Buffer.from(writer.take()))
  expect(problem).toBeNull()
  expect(said.slice(0, 4)).toMatchObject([0, 1, 789, 999].map((nanos) => ({ nanos, wire: 70, linkType: 113, bytes: '0000' })))
  expect(said[4]).toMatchObject({ at })
})

test('are statistics that make no sense passed over?', () => {
  const writer = new PcapngWriter()
  writer.section()
  writer.statistics({ interfaceId: 7, at: 5, kernelDrops: 1, interfaceDrops: 1 })
  writer.interface({ name: '', linkType: 1, snapLength: 0 })
  writer.statistics({ interfaceId: 0, at: 2 ** 60, kernelDrops: 1, interfaceDrops: 0 })
  expect(read(Buffer.from(writer.take()))).toEqual({ said: [{ interfaceId: 0, at: null, kernelDrops: 1, interfaceDrops: 0 }], problem: null })
})
