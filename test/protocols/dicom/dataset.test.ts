/** PS3.5 section 7: is every element found where it is, in every encoding, from pieces of any size, and from bytes of any kind? */
import { deflateRawSync } from 'node:zlib'
import dcmjs from 'dcmjs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, le16, le32 } from '../../../fixtures/build/bytes.ts'
import { dataSet, el, encapsulated, sq, type Element } from '../../../fixtures/build/dicom.ts'
import { DataSetWalker, FRAGMENT, NO_VR, type Visitor } from '../../../protocols/dicom/dataset.ts'
import { keywords } from '../../../protocols/dicom/keywords.ts'
import { DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE } from '../../../protocols/dicom/uids.ts'
import { LIMITS } from '../../../protocols/limits.ts'

dcmjs.log.setLevel('silent')
dcmjs.log.getLogger('validation.dcmjs').setLevel('silent')

const hexTag = (tag: number): string => tag.toString(16).padStart(8, '0').toUpperCase()

/** Writes down all it is shown, with the sequences around it. */
class Recorder implements Visitor {
  readonly last: number = 0xffffffff
  readonly needed: number = 0xffffffff
  readonly found: string[] = []
  items = 0
  wants(): number {
    return LIMITS.dicom.valueBytes
  }
  enters(): boolean {
    return true
  }
  item(): void {
    this.items++
  }
  value(tag: number, vr: number, parent: number, b: Uint8Array, start: number, end: number, length: number): void {
    if (vr === FRAGMENT) return
    const code = vr === NO_VR ? '' : String.fromCharCode(vr >> 8, vr & 0xff)
    this.found.push(`${hexTag(parent)} ${hexTag(tag)} ${code} ${Buffer.from(b.subarray(start, end)).toString('hex')}${end - start === length ? '' : '...'}`)
  }
}

interface Walked { found: string[]; items: number; walker: DataSetWalker; isClean: boolean }

function walk(b: Uint8Array, syntax: string | null, cuts: readonly number[] = [], visitor = new Recorder()): Walked {
  const walker = new DataSetWalker()
  walker.begin(visitor, syntax)
  let from = 0
  for (const to of [...cuts, b.length]) {
    walker.feed(b, from, to)
    from = to
  }
  const isClean = walker.end()
  return { found: visitor.found, items: visitor.items, walker, isClean }
}

/** What dcmjs makes of the same bytes, in the same words. */
function oracle(b: Uint8Array, syntax: string): string[] {
  const exact = b.buffer.slice(b.byteOffset, b.byteOffset + b.length) as ArrayBuffer
  const dict = dcmjs.data.DicomMessage._read(new dcmjs.data.ReadBufferStream(exact, syntax !== EXPLICIT_BE, { noCopy: true }), syntax, { ignoreErrors: true })
  const lines: string[] = []
  const visit = (elements: typeof dict, parent: string): void => {
    for (const [tag, { vr, Value = [] }] of Object.entries(elements)) {
      if (vr === 'SQ') for (const inner of Value) visit(inner as typeof dict, tag)
      else lines.push(`${parent} ${tag} ${Value.map(String).join('\\').trimEnd()}`)
    }
  }
  visit(dict, hexTag(0))
  return lines
}

/** The walk in the oracle's words: values by the VR that was built. */
function spoken(found: readonly string[], vrs: ReadonlyMap<string, string>, isBig: boolean): string[] {
  return found.map((line) => {
    const [parent, tag, , hex = ''] = line.split(' ')
    const b = Buffer.from(hex, 'hex')
    const vr = vrs.get(tag!)
    const value = vr === 'US' ? String(isBig ? b.readUInt16BE() : b.readUInt16LE()) : vr === 'UL' ? String(isBig ? b.readUInt32BE() : b.readUInt32LE()) : b.toString('latin1').replace(/[ \0]+$/, '')
    return `${parent} ${tag} ${value}`
  })
}

const POOL: readonly (readonly [tag: number, vr: string])[] = [
  [0x00080016, 'UI'], [0x00080018, 'UI'], [0x00080060, 'CS'], [0x00080070, 'LO'], [0x00080080, 'LO'], [0x00081010, 'SH'], [0x00081030, 'LO'], [0x00100020, 'LO'], [0x00181020, 'LO'],
  [0x00181000, 'LO'], [0x0020000d, 'UI'], [0x0020000e, 'UI'], [0x00280010, 'US'], [0x00280011, 'US'], [0x00080301, 'US'], [0x00186018, 'UL'], [0x00402400, 'LT'],
]
const SEQUENCES = [0x00081110, 0x00081115, 0x00081140, 0x00400275, 0x00400340, 0x00082218]
const VRS = new Map(POOL.map(([tag, vr]) => [hexTag(tag), vr]))

const leaf = (tag: number, vr: string): fc.Arbitrary<Element> => {
  if (vr === 'US') return fc.integer({ min: 1, max: 65535 }).map((n) => el(tag, vr, n))
  if (vr === 'UL') return fc.integer({ min: 1, max: 0xffffffff }).map((n) => el(tag, vr, n))
  if (vr === 'UI') return fc.stringMatching(/^1(\.[1-9][0-9]{0,8}){1,5}$/).map((text) => el(tag, vr, text))
  return fc.stringMatching(/^[A-Z0-9][A-Z0-9_ ]{0,40}[A-Z0-9]$/).map((text) => el(tag, vr, text))
}
const leaves = fc.tuple(...POOL.map(([tag, vr]) => fc.option(leaf(tag, vr), { nil: undefined }))).map((list) => list.filter((e) => e !== undefined))
const nested = (depth: number): fc.Arbitrary<Element[]> => depth === 0 ? leaves : fc.tuple(
  leaves, fc.subarray(SEQUENCES, { maxLength: 2 }), fc.array(nested(depth - 1), { minLength: 1, maxLength: 3 }), fc.boolean(),
).map(([plain, tags, items, isUndefined]) => [...plain, ...tags.map((tag) => sq(tag, items.map((i) => (i.length > 0 ? i : [el(0x00080060, 'CS', 'CT')])), isUndefined))])

/** In the builder's order: ascending at every level. */
const flat = (elements: readonly Element[], parent = 0): string[] => [...elements].sort((a, b) => a.tag - b.tag).flatMap((e) =>
  e.vr === 'SQ' ? (e.value as Element[][]).flatMap((i) => flat(i, e.tag)) : [`${hexTag(parent)} ${hexTag(e.tag)} ${String(e.value as string | number)}`])
const sorted = (elements: readonly Element[]): Element[] => [...elements].sort((a, b) => a.tag - b.tag).map((e) => (e.vr === 'SQ' ? { ...e, value: (e.value as Element[][]).map(sorted) } : e))

const sample = sorted([
  el(0x00080005, 'CS', 'ISO_IR 100'), el(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'), el(0x00091001, 'LO', 'PRIVATE'), el(0x00091002, 'UN', Uint8Array.of(1, 2, 3, 4)),
  sq(0x00081110, []), sq(0x00081140, [[el(0x00080060, 'CS', 'CT'), sq(0x00400275, [[el(0x00081030, 'LO', 'DEEP')]], true)], []], true),
  sq(0x00082218, [[el(0x00080060, 'CS', 'MR')]]), el(0x00100020, 'LO', 'P100'), el(0x00280010, 'US', 512), el(0x00402400, 'LT', 'x'.repeat(300)),
])

describe('the walker', () => {
  test.each([IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE])('does it agree with dcmjs, element for element, in %s?', (syntax) => {
    fc.assert(fc.property(nested(3), (elements) => {
      fc.pre(elements.length > 0)
      const b = dataSet(sorted(elements), syntax)
      const { found, isClean, walker } = walk(b, syntax)
      expect(spoken(found, VRS, syntax === EXPLICIT_BE)).toEqual(oracle(b, syntax))
      expect(spoken(found, VRS, syntax === EXPLICIT_BE)).toEqual(flat(elements))
      expect([isClean, walker.isMalformed, walker.isOtherSyntax]).toEqual([true, false, false])
    }), { numRuns: 120 })
  })

  test.each([IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE])('does it find the same in %s cut at every byte, and byte by byte?', (syntax) => {
    const b = dataSet(sample, syntax)
    const whole = walk(b, syntax)
    expect(whole.found.length).toBe(10)
    expect(whole.items).toBe(4)
    for (let at = 1; at < b.length; at++) expect(walk(b, syntax, [at]).found).toEqual(whole.found)
    expect(walk(b, syntax, Array.from({ length: b.length - 1 }, (_, i) => i + 1)).found).toEqual(whole.found)
  })

  test.each([IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE])('does a data set in %s that ends anywhere give its beginning and no value that was cut?', (syntax) => {
    const b = dataSet(sample, syntax)
    const { found } = walk(b, syntax)
    for (let end = 0; end < b.length; end++) {
      const cut = walk(b.subarray(0, end), syntax)
      expect(cut.found).toEqual(found.slice(0, cut.found.length))
      expect(cut.walker.isMalformed).toBe(false)
    }
  })

  test.each([[IMPLICIT_LE, ''], [EXPLICIT_LE, 'CS'], [EXPLICIT_BE, 'CS']])('is %s guessed where nothing was negotiated?', (syntax, vr) => {
    expect(walk(dataSet(sample, syntax), null).found[0]).toBe(`00000000 00080005 ${vr} ${Buffer.from('ISO_IR 100').toString('hex')}`)
  })

  test('is a data set in another syntax than the negotiated one read, and said to be?', () => {
    for (const [negotiated, sent] of [[IMPLICIT_LE, EXPLICIT_LE], [EXPLICIT_LE, IMPLICIT_LE], [EXPLICIT_LE, EXPLICIT_BE], [JPEG_BASELINE, IMPLICIT_LE]] as const) {
      const { walker, found } = walk(dataSet(sample, sent), negotiated)
      expect([walker.isOtherSyntax, found.length]).toEqual([true, 10])
    }
  })

  test('are fragments of encapsulated pixel data walked over, and what stands behind them found?', () => {
    const b = dataSet([el(0x00080060, 'CS', 'CT'), encapsulated(new Uint8Array(1000), new Uint8Array(0), new Uint8Array(33_334)), el(0xfffcfffc, 'OB', new Uint8Array(6))], JPEG_BASELINE)
    const { found, isClean } = walk(b, JPEG_BASELINE)
    expect(found.map((line) => line.split(' ')[1])).toEqual(['00080060', 'FFFCFFFC'])
    expect(isClean).toBe(true)
  })

  test('is UN of undefined length read as implicit, whatever is around it (PS3.5 6.2.2)?', () => {
    const inner = dataSet([el(0x00100020, 'LO', 'P1')], IMPLICIT_LE)
    const b = bytes(dataSet([el(0x00080060, 'CS', 'CT')], EXPLICIT_LE), le16(0x0009), le16(0x1001), 'UN', le16(0), le32(0xffffffff),
      le16(0xfffe), le16(0xe000), le32(inner.length), inner, le16(0xfffe), le16(0xe0dd), le32(0), dataSet([el(0x0020000d, 'UI', '1.2')], EXPLICIT_LE))
    expect(walk(b, EXPLICIT_LE).found.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['00000000 00080060', '00091001 00100020', '00000000 0020000D'])
  })
})

describe('hostile data sets', () => {
  const open = (times: number): Uint8Array => bytes(...Array.from({ length: times }, () => bytes(le16(0x0008), le16(0x1140), le32(0xffffffff), le16(0xfffe), le16(0xe000), le32(0xffffffff))))

  test('does a nest of a hundred thousand sequences end the walk, in time?', () => {
    const b = open(100_000)
    const started = performance.now()
    expect(walk(b, IMPLICIT_LE).walker.isDone).toBe(true)
    expect(performance.now() - started).toBeLessThan(500)
  })

  test('are sequences of known length that are too deep passed over, and what stands behind them read?', () => {
    let b = dataSet([el(0x00080060, 'CS', 'CT')], IMPLICIT_LE)
    for (let depth = 0; depth < LIMITS.dicom.depth + 5; depth++) {
      b = bytes(le16(0x0008), le16(0x1140), le32(b.length + 8), le16(0xfffe), le16(0xe000), le32(b.length), b)
    }
    const { found, isClean } = walk(bytes(b, dataSet([el(0x00100020, 'LO', 'P1')], IMPLICIT_LE)), IMPLICIT_LE)
    expect([found.length, isClean]).toEqual([1, true])
  })

  test('is what claims more than its sequence holds malformed?', () => {
    const b = Uint8Array.from(dataSet([sq(0x00081140, [[el(0x00080060, 'CS', 'CT')]])], EXPLICIT_LE))
    b[b.length - 4] = 200
    expect(walk(b, EXPLICIT_LE).walker.isMalformed).toBe(true)
    expect(walk(dataSet([el(0x00080060, 'CS', 'CT'), el(0x0010ffff, '??', 'x')], EXPLICIT_LE), EXPLICIT_LE).walker.isMalformed).toBe(true)
  })

  test('is a value too short for an item a value, though an item’s tag begins with its bytes, however it is cut?', () => {
    const b = bytes(le16(0x0008), le16(0x2218), le32(1), 0xfe, 0xff, 0x00, 0xe0, le32(0), dataSet([el(0x00100020, 'LO', 'P1')], IMPLICIT_LE))
    const cuts = Array.from({ length: b.length }, (_, i) => i)
    for (const { found } of [walk(b, IMPLICIT_LE), walk(b, IMPLICIT_LE, cuts)]) expect(found[0]).toBe('00000000 00082218  fe')
  })

  test('does a deflated bomb inflate no more than its budget, and still tell its beginning?', () => {
    const bomb = new Uint8Array(deflateRawSync(bytes(dataSet([el(0x00080060, 'CS', 'CT')], EXPLICIT_LE), new Uint8Array(50_000_000))))
    const started = performance.now()
    expect(walk(bomb, DEFLATED_LE).found[0]).toMatch(/^00000000 00080060 CS/)
    expect(performance.now() - started).toBeLessThan(500)
  })

  test('does a million empty elements cost no more than the budget?', () => {
    const b = bytes(...Array.from({ length: 30_000 }, (_, i) => bytes(le16(0x0009 + 2 * (i >> 12)), le16(i & 0xfff), le32(0))))
    const visitor = new Recorder()
    walk(b, IMPLICIT_LE, [], visitor)
    expect(walk(b, IMPLICIT_LE).walker.isDone).toBe(true)
    expect(visitor.found.length).toBeLessThanOrEqual(LIMITS.dicom.elements)
  })

  test('do random bytes, and spoiled ones, ever throw, whatever they are said to be?', () => {
    const good = [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE].map((syntax) => dataSet(sample, syntax))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat(3), fc.nat(4), fc.integer({ min: 1, max: 64 }), (random, changes, of, as, size) => {
      const spoiled = Uint8Array.from(good[of]!)
      for (const [at, value] of changes) spoiled[at % spoiled.length] = value
      for (const b of [random, spoiled]) {
        const cuts = Array.from({ length: Math.floor(b.length / size) }, (_, i) => (i + 1) * size)
        const syntax = [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE, null][as]!
        expect(walk(b, syntax, cuts).found).toEqual(walk(b, syntax).found)
      }
    }), { numRuns: 1500 })
  })
})

test('are the keywords those of the dictionary?', () => {
  const names = dcmjs.data.DicomMetaDictionary.nameMap
  for (const [tag, keyword] of keywords) expect(names[keyword]?.tag, keyword).toBe(`(${hexTag(tag).slice(0, 4)},${hexTag(tag).slice(4)})`)
})
