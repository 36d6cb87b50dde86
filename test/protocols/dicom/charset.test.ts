/** PS3.5 6.1 and annexes H to K, PS3.3 C.12.1.1.2: is text read in the character sets that data sets declare? */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hex } from '../../../fixtures/build/bytes.ts'
import { charset } from '../../../protocols/dicom/charset.ts'

const read = (declared: string, bytes: string): string => {
  const b = hex(bytes)
  return charset(declared)(b, 0, b.length)
}

describe('the examples of the standard', () => {
  test.each([
    ['H.3.1', '\\ISO 2022 IR 87', '59616d6164615e5461726f753d1b24423b3345441b28425e1b244242404f3a1b28423d1b2442246424 5e24401b28425e1b2442243f246d24261b2842', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
    ['H.3.2', 'ISO 2022 IR 13\\ISO 2022 IR 87', 'd4cfc0de5ec0dbb33d1b24423b3345441b284a5e1b244242404f3a1b284a3d1b2442246424 5e24401b284a5e1b2442243f246d24261b284a', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
    ['I.2', '\\ISO 2022 IR 149', '486f6e675e47696c646f6e673d1b242943fbf35e1b242943d1ced4d73d1b242943c8ab5e1b242943b1e6b5bf', 'Hong^Gildong=洪^吉洞=홍^길동'],
    ['J.1', 'ISO_IR 192', '57616e675e5869616f446f6e673de78e8b5ee5b08fe4b89c3d', 'Wang^XiaoDong=王^小东='],
    ['J.3', 'GB18030', '57616e675e5869616f446f6e673dcdf55ed0a1b6ab3d', 'Wang^XiaoDong=王^小东='],
    ['K.2', '\\ISO 2022 IR 58', '5a68616e675e5869616f446f6e673d1b242941d5c55e1b242941d0a1b6ab3d', 'Zhang^XiaoDong=张^小东='],
  ])('%s', (_, declared, bytes, text) => {
    expect(read(declared, bytes)).toBe(text)
  })
})

describe('single-byte sets', () => {
  test.each([
    ['ISO_IR 100', 'e4f6fc', 'äöü'], ['ISO_IR 101', 'b1e6ea', 'ąćę'], ['ISO_IR 144', 'bbee', 'Лю'], ['ISO_IR 126', 'c4e9', 'Δι'],
    ['ISO_IR 148', 'fdf0fe', 'ığş'], ['ISO_IR 166', 'a1a2', 'กข'], ['ISO_IR 13', 'd4cf', 'ﾔﾏ'], ['ISO_IR 203', 'a4', '€'],
  ])('is %s read?', (declared, bytes, text) => {
    expect(read(declared, bytes)).toBe(text)
  })
})

describe('what is not as it should be', () => {
  test('is text in an unknown set, or none, read a character a byte?', () => {
    expect(read('ISO_IR 999', 'e441')).toBe('äA')
    expect(read('', 'e441')).toBe('äA')
  })

  test('does an unknown or cut escape sequence cost no more than itself?', () => {
    expect(read('\\ISO 2022 IR 87', '411b2a5a42')).toMatch(/^A.*B$/s)
    expect(read('\\ISO 2022 IR 87', '411b')).toBe('A')
  })

  test('do any bytes under any declaration ever throw?', () => {
    const declared = fc.constantFrom('', 'ISO_IR 13', 'ISO_IR 192', 'GB18030', 'GBK', '\\ISO 2022 IR 87', 'ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159', '\\ISO 2022 IR 149', '\\ISO 2022 IR 58', '\\\\\\')
    const byte = fc.oneof(fc.constantFrom(0x1b, 0x24, 0x28, 0x29, 0x42, 0x44, 0x4a, 0x5c), fc.nat(255))
    fc.assert(fc.property(declared, fc.array(byte, { maxLength: 40 }), (name, list) => {
      const b = Uint8Array.from(list)
      expect(typeof charset(name)(b, 0, b.length)).toBe('string')
    }), { numRuns: 500 })
  })
})
