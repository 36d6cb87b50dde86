/** The keyed hash by which a replayed message is told from a changed one. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyHash, SegmentHash } from '../../../protocols/hl7/body-hash.ts'

const hashOf = (segments: readonly Uint8Array[], seedA = 1, seedB = 2): number => {
  const hash = new BodyHash(new SegmentHash(seedA, seedB))
  for (const segment of segments) hash.segment(segment, 0, segment.length, false)
  return hash.value()
}
const text = (...segments: string[]): Uint8Array[] => segments.map((segment) => Buffer.from(segment, 'latin1'))

describe('the hash of a body', () => {
  test('is a segment in pieces the same segment, wherever it is cut and wherever it lies?', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 6 }), fc.nat(3), (segment, cuts, shift) => {
      const moved = new Uint8Array(segment.length + shift)
      moved.set(segment, shift)
      const hash = new BodyHash(new SegmentHash(1, 2))
      const places = [0, ...cuts.map((cut) => Math.min(cut, segment.length)).sort((a, b) => a - b), segment.length]
      for (let i = 1; i < places.length; i++) hash.piece(moved, shift + places[i - 1]!, shift + places[i]!)
      hash.endPieces()
      expect(hash.value()).toBe(hashOf([segment]))
    }))
  })

  test('does every byte count, whatever its place in a word?', () => {
    const segment = Buffer.from('OBX|1|NM|GLU||101|mg/dl', 'latin1')
    const seen = new Set([hashOf([segment])])
    for (let i = 0; i < segment.length; i++) {
      const changed = Buffer.from(segment)
      changed[i]! ^= 1
      seen.add(hashOf([changed]))
    }
    expect(seen.size).toBe(segment.length + 1)
  })

  test('do zeros at the end and the borders of segments count?', () => {
    const bodies = [text('AB'), text('AB\0'), text('AB\0\0'), text('A', 'B'), text('ABCD'), text('ABCD', ''), text('AB', 'CD'), text('ABC', 'D'), text('ABC')]
    expect(new Set(bodies.map((body) => hashOf(body))).size).toBe(bodies.length)
  })

  test('does the search for the end of a segment find the first control character, and the same hash on the way?', () => {
    const plain = fc.integer({ min: 0x20, max: 0xFF })
    fc.assert(fc.property(fc.array(plain, { maxLength: 40 }), fc.nat(0x1F), fc.uint8Array({ maxLength: 12 }), fc.nat(9), (segment, control, behind, shift) => {
      const bytes = Uint8Array.of(...new Array<number>(shift).fill(control), ...segment, control, ...behind)
      const scanned = new SegmentHash(1, 2)
      const end = shift + segment.length
      expect(scanned.scan(bytes, shift, bytes.length)).toBe(end)
      expect(scanned.scan(bytes, shift, end)).toBe(end)
      scanned.scan(bytes, shift, bytes.length)
      const hashed = new SegmentHash(1, 2)
      hashed.of(Uint8Array.from(segment), 0, segment.length)
      expect([scanned.a, scanned.b]).toEqual([hashed.a, hashed.b])
    }))
  })

  test('does another key give another hash?', () => {
    expect(hashOf(text('PID|1'), 1, 2)).not.toBe(hashOf(text('PID|1'), 3, 4))
  })
})
