/** What do objects hold that is no picture, told by first bytes? */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bytes } from '../../../fixtures/build/bytes.ts'
import { dataSet, el, encapsulated, message, request, response, sq, type Element } from '../../../fixtures/build/dicom.ts'
import { CT_IMAGE, DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE } from '../../../protocols/dicom/uids.ts'
import type { DicomDocument, DicomOperation } from '../../../protocols/events.ts'
import type { Turns } from '../contract/wire.ts'
import { associated, CONTEXT } from './conversations.ts'
import { heard, only } from './harness.ts'

const noise = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 7919 + (i >> 3) * 31) & 0xff)
/** Of even length, as values are (PS3.5 7.1.1). */
const begins = (head: string, size = 3000): Uint8Array => bytes(Buffer.from(head, 'latin1'), noise(size - head.length))

const PROGRAM = begins('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0')
const ELF = begins('\x7fELF\x02\x01\x01\0')
const SCRIPT = begins('#!/bin/sh\ncurl ')
const ZIP = begins('PK\x03\x04\x14\0\0\0\x08\0')
const PART10 = (preamble: Uint8Array): Uint8Array => bytes(preamble, new Uint8Array(128 - preamble.length), 'DICM', noise(500))

const head = [el(0x00080016, 'UI', CT_IMAGE), el(0x00080060, 'CS', 'CT'), el(0x00100020, 'LO', 'P1'), el(0x0020000d, 'UI', '1.2.9'), el(0x0020000e, 'UI', '1.2.9.0')]
const geometry = [el(0x00280010, 'US', 64), el(0x00280011, 'US', 64)]
const privately = (value: Uint8Array, vr = 'UN'): Element[] => [el(0x00290010, 'LO', 'ARKADIA'), el(0x00291010, vr, value)]
const pixels = (value: Uint8Array, vr = 'OW'): Element => el(0x7fe00010, vr, value)

function stored(elements: Element[], syntax = EXPLICIT_LE, maxLength = 16384): DicomOperation {
  const sop = { class: CT_IMAGE, instance: '1.2.9.1' }
  const turns: Turns = [
    [0, message(CONTEXT.store, request('C-STORE', 1, sop, {}, true), dataSet([...head, ...elements], syntax), maxLength)],
    [1, message(CONTEXT.store, response('C-STORE', 1, 0, sop))],
  ]
  const wire = heard(associated(turns, syntax))
  expect(wire.codes).toEqual([])
  return only(wire.of('dicom.operation'))
}

const told = (elements: Element[], syntax?: string, maxLength?: number): DicomDocument[] | undefined => stored(elements, syntax, maxLength).dataset!.documents

describe('an object', () => {
  test.each([IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE])('does it tell in %s what its encapsulated document is, and what it is declared as?', (syntax) => {
    const document = [el(0x00420010, 'ST', 'REPORT'), el(0x00420011, 'OB', begins('%PDF-1.7\n', 900)), el(0x00420012, 'LO', 'application/pdf')]
    expect(told(document, syntax)).toEqual([{ element: 'EncapsulatedDocument', declared: 'application/pdf', bytes: 900, content: 'pdf' }])
  })

  test.each([
    ['a Windows program', PROGRAM, 'windows executable'], ['an ELF program', ELF, 'elf executable'], ['a script', SCRIPT, 'script'], ['a zip', ZIP, 'zip'], ['what bzip2 packed', begins('BZh61AY&SY'), 'archive'],
    ['a DICOM file', PART10(new Uint8Array(0)), 'dicom'], ['a DICOM file that is a program too', PART10(Buffer.from('MZ')), 'windows executable'],
  ])('is %s found in a private element, a document, and as pixels?', (_, value, content) => {
    for (const syntax of [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE]) {
      expect(told([...privately(value), ...geometry, pixels(noise(8192))], syntax)).toEqual([{ element: '00291010', declared: null, bytes: value.length, content }])
      expect(told([el(0x00420011, 'OB', value)], syntax)).toMatchObject([{ element: 'EncapsulatedDocument', content }])
      expect(told([...geometry, pixels(value)], syntax)).toMatchObject([{ element: 'PixelData', content }])
    }
  })

  test('is the first fragment looked at, and not the table of offsets in front of it?', () => {
    const jpeg = begins('\xff\xd8\xff\xe0')
    expect(told([...geometry, encapsulated(ELF, jpeg)], JPEG_BASELINE)).toEqual([{ element: 'PixelData', declared: null, bytes: ELF.length, content: 'elf executable' }])
    expect(told([...geometry, encapsulated(jpeg, ELF)], JPEG_BASELINE)).toBeUndefined()
  })

  test('is it found in units of any size, cut within its first bytes too?', () => {
    for (const maxLength of [12, 20, 46, 140, 262, 1000]) expect(told([...privately(PROGRAM), ...geometry, pixels(ELF)], EXPLICIT_LE, maxLength)).toHaveLength(2)
  })

  test('is it found within a sequence of undefined length, and is one of defined length passed over?', () => {
    const inside = (isUndefined: boolean): Element => sq(0x00291020, [[el(0x00291010, 'OB', PROGRAM)]], isUndefined)
    expect(told([inside(true), pixels(noise(8192))])).toHaveLength(1)
    expect(told([inside(false), pixels(ELF)])).toMatchObject([{ content: 'elf executable' }])
  })

  test('do pixels that begin with two bytes of a program by chance pass, and text, and pictures?', () => {
    const chance = [begins('MZ'), begins('MZ\xff\xff\xff\xff\xff\xff\xff\xff'), begins('#!'), begins('#!\x80\x80/'), begins('\x1f\x8b\x7f'), begins('BZh9zz'), begins('BZh:1AY'), begins('BM'), new Uint8Array(2000), noise(2000)]
    for (const value of chance) expect(told([...privately(value, 'OB'), ...geometry, pixels(value)])).toBeUndefined()
    expect(told([el(0x00291010, 'LT', 'MZ is how it begins'), ...geometry, pixels(noise(300))], IMPLICIT_LE)).toBeUndefined()
  })

  test('are no more told than sixteen, and none of what comes after the picture?', () => {
    const many = Array.from({ length: 40 }, (_, i) => el(0x00291010 + i, 'UN', ELF))
    expect(told([...many, pixels(noise(100))])).toHaveLength(16)
    expect(told([pixels(noise(100)), el(0x7fe11010, 'OB', ELF)])).toBeUndefined()
  })
})

describe('the study of a deflated object', () => {
  /** Nothing that deflates. */
  const digests = (size: number): Uint8Array => bytes(...Array.from({ length: size / 64 }, (_, i) => createHash('sha512').update(String(i)).digest()))
  const behind = (size: number): Element[] => [el(0x00091010, 'OB', digests(size)), ...geometry, pixels(digests(64_000))]

  test('is it known when twelve kilobytes that do not deflate stand in front of it?', () => {
    expect(stored(behind(12_032), DEFLATED_LE)).toMatchObject({ complete: true, dataset: { study_uid: '1.2.9', series_uid: '1.2.9.0', modality: 'CT' } })
    expect(stored(behind(12_032), DEFLATED_LE, 200)).toMatchObject({ dataset: { study_uid: '1.2.9' } })
  })

  test('is it given up behind more than the budget, and the rest counted?', () => {
    expect(stored(behind(40_000 - 40_000 % 64), DEFLATED_LE)).toMatchObject({ complete: true, dataset: { study_uid: null, modality: 'CT' } })
  })
})

describe('private elements', () => {
  const held = (elements: Element[], syntax = EXPLICIT_LE): number | undefined => stored(elements, syntax).dataset!.private_bytes

  test('are the bytes added up that may hold anything, and those of public elements not?', () => {
    expect(held([...privately(noise(3000)), el(0x00291011, 'OB', noise(500)), ...geometry, pixels(noise(8192))])).toBe(3500)
    expect(held([...geometry, pixels(noise(8192)), el(0x00420011, 'OB', noise(900))])).toBeUndefined()
  })

  test('where there is no VR, are all of them counted?', () => {
    expect(held([...privately(noise(3000)), ...geometry], IMPLICIT_LE)).toBe(3000 + 'ARKADIA '.length)
  })
})
