import fc from 'fast-check'
import HL7 from 'hl7-standard'
import { describe, expect, it } from 'vitest'
import type { Delimiters } from '../../../fixtures/build/hl7.ts'
import { DEFAULT_DELIMITERS, concat, encode, message, messageText, msh, pid, redelimit, segment } from '../../../fixtures/build/hl7.ts'
import { MessageView } from '../../../protocols/hl7/full-view.ts'

const view = (...segments: string[]): MessageView => new MessageView(message(...segments))

/** What hl7-standard gives by itself. */
function library(text: string): HL7 {
  const parsed = new HL7(text)
  parsed.transform()
  return parsed
}

describe('the whole message', () => {
  const oru = view(
    msh({ type: 'ORU^R01^ORU_R01', controlId: 'X1' }), 'PID|1||P1^^^HOSP&1.2.3&ISO^MR~N2^^^NHS||DOE^JANE^Q||19510203|F', 'OBR|1|PL1|FL1|80061^LIPID^L',
    'OBX|1|NM|2093-3^Cholesterol^LN||182|mg/dL', 'OBX|2|TX|x||a\\T\\b \\F\\ c\\.br\\d\\X41\\',
  )

  it('gives fields, repetitions, components and subcomponents by their numbers', () => {
    expect(oru.get('MSH-1')).toBe('|')
    expect(oru.get('MSH-2')).toBe('^~\\&')
    expect(oru.get('MSH-9.2')).toBe('R01')
    expect(oru.get('MSH-10')).toBe('X1')
    expect(oru.get('PID-3.1')).toBe('P1')
    expect(oru.get('PID-3(2).1')).toBe('N2')
    expect(oru.get('PID-3.4.2')).toBe('1.2.3')
    expect(oru.get('PID-5.2')).toBe('JANE')
    expect(oru.get('OBX-5', 1)).toBe('182')
    expect(oru.get('OBX-99')).toBe('')
    expect(oru.get('ZZZ-1')).toBe('')
    expect(oru.get('nonsense')).toBe('')
  })

  it('without escape sequences', () => {
    expect(oru.get('OBX-5', 2)).toBe('a&b | c\ndA')
    expect(view(msh(), 'NTE|1||\\H\\bold\\N\\ \\E\\ \\Q\\ \\C2842\\ x\\').get('NTE-3')).toBe('bold \\ \\Q\\  x\\')
  })

  it.each([
    ['8859/1', [0x4D, 0xFC], 'Mü'], ['8859/7', [0xC1], 'Α'], ['UNICODE UTF-8', [0xC5, 0x81], 'Ł'], ['ISO IR87', [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42], '山田'],
    ['GB 18030-2000', [0xD5, 0xC5, 0xCE, 0xB0], '张伟'], ['BIG-5', [0xB3, 0x5C, 0xA5, 0x5C], '許功'], ['', [0x95, 0x5C, 0x83, 0x7C], '表ポ'], ['', [0xC5, 0x81], 'Ł'], ['', [0x4D, 0xFC], 'Mü'],
  ])('in character set %j', (charset, name, text) => {
    const bytes = concat(encode(`${msh({ charset })}\rPID|1||P1||`), Uint8Array.from(name), encode('^GIVEN||1951\r'))
    const read = new MessageView(bytes)
    expect(read.get('PID-5.1')).toBe(text)
    expect(read.get('PID-5.2')).toBe('GIVEN')
    expect(read.get('PID-7')).toBe('1951')
  })
})

describe('does it agree with hl7-standard on ordinary messages?', () => {
  /** Values of letters and digits: what the library has no opinion about. */
  const word = fc.stringMatching(/^[A-Za-z0-9 .,-]{1,12}$/)
  const field = fc.oneof(word, fc.array(word, { minLength: 2, maxLength: 5 }).map(parts => parts.join('^')))
  const line = fc.tuple(fc.constantFrom('PID', 'NK1', 'PV1', 'OBX', 'ZAB'), fc.array(fc.option(field, { nil: '' }), { minLength: 1, maxLength: 12 }))

  it('field by field, component by component', () => {
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), lines => {
      const segments = lines.map(([name, fields]) => segment(name, Object.fromEntries(fields.map((value, i) => [i + 1, value]))))
      const text = messageText([msh(), ...segments])
      const theirs = library(text)
      const ours = new MessageView(encode(text))
      const seen: Record<string, number> = {}
      for (const [name, fields] of lines) {
        const occurrence = (seen[name] = (seen[name] ?? 0) + 1)
        fields.forEach((value, i) => {
          value.split('^').forEach((_part, j) => {
            const many = value.includes('^')
            const got = theirs.get(many ? `${name}.${i + 1}.${j + 1}` : `${name}.${i + 1}`, occurrence - 1)
            expect(ours.get(`${name}-${i + 1}.${j + 1}`, occurrence)).toBe(got ?? '')
          })
        })
      }
    }), { numRuns: 100 })
  })

  it('and its object of the message is given on demand', () => {
    const parsed = view(msh({ controlId: 'X1' }), pid({ id: 'P1' }), 'OBX|1|TX|x||a').standard()!
    expect(parsed.get('MSH.10')).toBe('X1')
    expect(parsed.get('PID.3.1')).toBe('P1')
    expect(Object.keys(parsed.transformed)).toEqual(['MSH', 'PID', 'OBX'])
  })
})

describe('is our view right where hl7-standard is wrong?', () => {
  it('escape sequences: the library leaves them', () => {
    const text = messageText([msh(), 'NTE|1||a\\F\\b'])
    expect(library(text).get('NTE.3')).toBe('a\\F\\b')
    expect(new MessageView(encode(text)).get('NTE-3')).toBe('a|b')
  })

  it('another field separator: the library finds nothing', () => {
    const text = redelimit(messageText([msh(), pid({ id: 'P1' })]), { field: '#', component: '@', repetition: '*', escape: '\\', subcomponent: '!' })
    expect(library(text).get('PID.3.1')).toBeFalsy()
    const ours = new MessageView(encode(text))
    expect(ours.get('PID-3.1')).toBe('P1')
    expect(ours.standard()!.get('PID.3.1')).toBe('P1')
  })

  it('another component separator: the library gives the whole field', () => {
    const text = redelimit(messageText([msh({ type: 'ADT^A01' })]), { ...DEFAULT_DELIMITERS, component: '$' }) + 'EVN|A01\r'
    expect(library(text).get('MSH.9')).toBe('ADT$A01')
    const ours = new MessageView(encode(text))
    expect(ours.get('MSH-9.2')).toBe('A01')
    expect(ours.standard()!.get('MSH.9.2')).toBe('A01')
  })

  it('mixed line ends: the library swallows a segment', () => {
    const text = `${msh()}\rPID|1||P1\rNK1|1|X\nPV1|1|I\r`
    expect(library(text).get('PV1.2')).toBeFalsy()
    const ours = new MessageView(encode(text))
    expect(ours.get('PV1-2')).toBe('I')
    expect(ours.standard()!.get('PV1.2')).toBe('I')
  })

  it('a message of one segment: the library throws', () => {
    expect(() => library(msh())).toThrow()
    const ours = new MessageView(encode(msh()))
    expect(ours.get('MSH-9.1')).toBe('ADT')
    expect(ours.standard()!.get('MSH.9.1')).toBe('ADT')
  })

  it('MSH-1: the library has none', () => {
    expect(library(messageText([msh(), 'EVN|A01'])).get('MSH.1')).toBeNull()
    expect(view(msh()).get('MSH-1')).toBe('|')
  })

  it('a segment name of other characters: the library refuses the message, also behind our view', () => {
    const text = messageText([msh(), 'pid|1||P1', 'PV1|1|I'])
    expect(() => library(text)).toThrow()
    const ours = new MessageView(encode(text))
    expect(ours.get('PV1-2')).toBe('I')
    expect(ours.standard()).toBeUndefined()
  })

  it('repetitions and subcomponents change the shape of what the library gives, never of ours', () => {
    const text = messageText([msh(), 'ZAB|x~y|a&b'])
    expect(library(text).get('ZAB.1')).not.toBe('x~y')
    const ours = new MessageView(encode(text))
    expect([ours.get('ZAB-1'), ours.get('ZAB-1(2)'), ours.get('ZAB-2'), ours.get('ZAB-2.1.2')]).toEqual(['x', 'y', 'a', 'b'])
  })
})

describe('what is written, is it read?', () => {
  const any = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7E }).map(code => String.fromCharCode(code)), maxLength: 20 })
  const separators = fc.shuffledSubarray([...'|^~\\&#@*!$%+:;/'], { minLength: 5, maxLength: 5 })
    .map(([field, component, repetition, escape, subcomponent]) => ({ field: field!, component: component!, repetition: repetition!, escape: escape!, subcomponent: subcomponent! }))

  /** A message with these texts as components of ZAB-1, properly escaped. */
  function written(parts: readonly string[], d: Delimiters): Uint8Array {
    const sequences = new Map([[d.field, 'F'], [d.component, 'S'], [d.repetition, 'R'], [d.escape, 'E'], [d.subcomponent, 'T']])
    const safe = (text: string): string => [...text].map(char => (sequences.has(char) ? d.escape + sequences.get(char)! + d.escape : char)).join('')
    return encode(`${redelimit(msh(), d)}\rZAB${d.field}${parts.map(safe).join(d.component)}\r`)
  }

  it('any text, in any component, with any separators', () => {
    fc.assert(fc.property(fc.array(any, { minLength: 1, maxLength: 5 }), separators, (parts, d) => {
      const ours = new MessageView(written(parts, d))
      expect(parts.map((_part, i) => ours.get(`ZAB-1.${i + 1}`))).toEqual(parts)
    }), { numRuns: 300 })
  })

  it('and in the usual separators it says the same', () => {
    fc.assert(fc.property(fc.array(any, { minLength: 1, maxLength: 5 }), separators, (parts, d) => {
      const again = new MessageView(encode(new MessageView(written(parts, d)).usualText()))
      expect(again.delimiters).toEqual(DEFAULT_DELIMITERS)
      expect(parts.map((_part, i) => again.get(`ZAB-1.${i + 1}`))).toEqual(parts)
    }), { numRuns: 300 })
  })
})
