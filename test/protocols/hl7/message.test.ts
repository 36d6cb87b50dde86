import { describe, expect, it } from 'vitest'
import type { Delimiters } from '../../../fixtures/build/hl7.ts'
import { concat, encode, frame, message, messageText, msh, obxDocument, pid, redelimit, segment } from '../../../fixtures/build/hl7.ts'
import type { Hl7Message } from '../../../protocols/events.ts'
import { readersOf } from '../../../protocols/hl7/readers.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { NOON, SITE, Wire } from './harness.ts'

function readBytes(bytes: Uint8Array): Hl7Message {
  const wire = new Wire().client(frame(bytes)).end()
  expect(wire.messages).toHaveLength(1)
  return wire.messages[0]!
}

const read = (...segments: string[]): Hl7Message => readBytes(message(...segments))

describe('the header', () => {
  it('gives who, what, when and how', () => {
    const header = {
      sendingApp: 'HISADT^1.2.3^ISO', sendingFacility: 'EXHOSP', receivingApp: 'ENGINE', receivingFacility: 'LAB', time: '20240305115500+0000',
      type: 'ADT^A08^ADT_A01', controlId: 'MSG00001', processingId: 'T^A', version: '2.5.1^USA', sequence: '17', acceptAck: 'AL', applicationAck: 'NE', charset: 'UNICODE UTF-8',
    }
    expect(read(msh(header), pid({ id: 'P1' }))).toMatchObject({
      message_type: 'ADT^A08', structure: 'ADT_A01', control_id: 'MSG00001', sending_app: 'HISADT', sending_facility: 'EXHOSP', receiving_app: 'ENGINE',
      receiving_facility: 'LAB', version: '2.5.1', processing_id: 'T', charset: 'UNICODE UTF-8', message_time: '20240305115500+0000', sequence: 17,
      ack_conditions: { accept: 'AL', application: 'NE' }, lag_ms: 5 * 60_000, started: NOON,
    })
  })

  it('may leave out nearly everything', () => {
    expect(read('MSH|^~\\&|A')).toMatchObject({ message_type: null, structure: null, control_id: '', sending_app: 'A', sending_facility: null, version: null, charset: null, message_time: null, complete: true })
  })

  it.each([['ADT', 'ADT', null], ['ADT^', 'ADT', null], ['ADT^A01', 'ADT^A01', null], ['ADT^A01^ADT_A01', 'ADT^A01', 'ADT_A01'], ['ADT^^ADT_A01', 'ADT', 'ADT_A01'], ['ORU^R01^ORU_R01^x', 'ORU^R01', 'ORU_R01']])(
    'MSH-9 %s is %s', (type, messageType, structure) => {
      expect(read(msh({ type }))).toMatchObject({ message_type: messageType, structure })
    })

  it('control ids of 199 characters are kept, longer ones than the cap are cut', () => {
    expect(read(msh({ controlId: 'X'.repeat(199) })).control_id).toBe('X'.repeat(199))
    expect(read(msh({ controlId: 'X'.repeat(5000) })).control_id).toBe('X'.repeat(LIMITS.hl7.textChars))
  })

  it.each([['0', 0], ['-1', -1], ['4711', 4711], ['', undefined], ['x', undefined], ['99999999999', undefined]])('MSH-13 %j is %j', (sequence, expected) => {
    expect(read(msh({ sequence })).sequence).toBe(expected)
  })
})

describe('versions', () => {
  // 2.1 has one component in MSH-9 and no MSH-12 components; 2.3.1 a structure; 2.5 moves the error to ERR-3; 2.7 declares a truncation character.
  const versions: [version: string, type: string, separators: string, error: string][] = [
    ['2.1', 'ADT', '^~\\&', 'ERR|PID^1^11^102'], ['2.2', 'ADT^A08', '^~\\&', 'ERR|PID^1^11^102'], ['2.3', 'ADT^A08', '^~\\&', 'ERR|PID^1^11^102&Data type error&HL70357'],
    ['2.3.1', 'ADT^A08^ADT_A01', '^~\\&', 'ERR|PID^1^11^102&x&HL70357~PV1^1^2^103'], ['2.4', 'ADT^A08^ADT_A01', '^~\\&', 'ERR|PID^1^11^102&x'],
    ['2.5', 'ADT^A08^ADT_A01', '^~\\&', 'ERR||PID^1^11|102^Data type error^HL70357|E'], ['2.5.1', 'ADT^A08^ADT_A01', '^~\\&', 'ERR||PID^1^11|102|E'],
    ['2.6', 'ADT^A08^ADT_A01', '^~\\&', 'ERR||PID^1^11|102|E'], ['2.7', 'ADT^A08^ADT_A01', '^~\\&#', 'ERR||PID^1^11|102|E'],
    ['2.7.1', 'ADT^A08^ADT_A01', '^~\\&#', 'ERR||PID^1^11|102|E'], ['2.8', 'ADT^A08^ADT_A01', '^~\\&#', 'ERR||PID^1^11|102|E'], ['2.8.2', 'ADT^A08^ADT_A01', '^~\\&#', 'ERR||PID^1^11|102|E'],
  ]
  it.each(versions)('is %s read, its message and its refusal?', (version, type, separators, error) => {
    const inVersion = (text: string): Uint8Array => encode(text.replaceAll('MSH|^~\\&', `MSH|${separators}`))
    const sent = messageText([msh({ controlId: '1', type, version }), 'EVN|A08', pid({ id: 'P1' }), 'PV1|1|I'])
    const refused = messageText([msh({ controlId: 'A1', type: 'ACK', version }), segment('MSA', { 1: 'AE', 2: '1' }), error])
    const wire = new Wire().client(frame(inVersion(sent))).server(frame(inVersion(refused))).end()
    expect(wire.codes).toEqual([])
    expect(wire.messages).toMatchObject([{
      version, message_type: type.split('^').slice(0, 2).join('^'), structure: type.split('^')[2] ?? null, patient: SITE.patient('P1'), complete: true,
      acks: [{ code: 'AE', error: '102' }],
    }])
  })
})

describe('MSH-7 against capture time', () => {
  it.each([
    ['20240305120000', 0], ['20240305115959', 1000], ['202403051200', 0], ['20240305130000+0100', 0], ['20240305070000-0500', 0],
    ['20240305115959.5', 500], ['20240305115959.7500+0000', 250], ['20240305', 12 * 3_600_000], ['20240229120000', 5 * 86_400_000],
  ])('%s', (time, lag) => {
    expect(read(msh({ time })).lag_ms).toBe(lag)
  })

  it.each(['', '2024', '20241305', '20240305256000', 'yesterday', '2024030512000'])('%j says nothing', time => {
    expect(read(msh({ time })).lag_ms).toBeUndefined()
  })
})

describe('separators', () => {
  const others: [string, Delimiters][] = [
    ['$%~\\&', { field: '$', component: '%', repetition: '~', escape: '\\', subcomponent: '&' }],
    ['#@*\\!', { field: '#', component: '@', repetition: '*', escape: '\\', subcomponent: '!' }],
    [',:;/+', { field: ',', component: ':', repetition: ';', escape: '/', subcomponent: '+' }],
  ]
  const usual = [msh({ type: 'ORM^O01^ORM_O01', controlId: '9' }), pid({ id: 'P1' }), 'ORC|NW|PL1^HIS|FL1^RIS']

  it.each(others)('%s', (_name, to) => {
    const event = readBytes(encode(redelimit(messageText(usual), to)))
    expect(event).toMatchObject({ message_type: 'ORM^O01', structure: 'ORM_O01', control_id: '9', sending_app: 'HIS', patient: SITE.patient('P1'), orders: [SITE.order('PL1'), SITE.order('FL1')] })
  })

  it.each(['^~\\&#', '^~\\', '^~', '^'])('MSH-2 of %s', encoding => {
    expect(readBytes(encode(messageText(usual).replace('^~\\&', encoding)))).toMatchObject({ message_type: 'ORM^O01', patient: SITE.patient('P1') })
  })

  it('that cannot be told apart are a violation', () => {
    const wire = new Wire().client(frame(encode('MSH|^^^^|A|B|C|D|20240305||ADT^A01|1|P|2.5\r'))).end()
    expect(wire.codes).toEqual(['hl7.delimiters'])
    expect(wire.messages).toHaveLength(1)
  })
})

describe('the patient', () => {
  const patientOf = (...fields: string[]): string | null => read(msh(), ...fields).patient

  it('is the pseudonym of PID-3.1, the same as for DICOM', () => {
    expect(patientOf('PID|1|X9|P100^^^HOSP^MR~Q200^^^NHS')).toBe(SITE.patient('P100'))
    expect(patientOf('PID|1||p100 ')).toBe(SITE.patient('P100'))
  })

  it('falls back to PID-2', () => {
    expect(patientOf('PID|1|P100')).toBe(SITE.patient('P100'))
    expect(patientOf('PID|1|P100|^^^HOSP')).toBe(SITE.patient('P100'))
  })

  it('is that of the first repetition that names one', () => {
    expect(patientOf('PID|1|X9|~P100^^^HOSP')).toBe(SITE.patient('P100'))
    expect(patientOf('PID|1|X9|^^^HOSP~""~ ~P100^^^HOSP~Q200')).toBe(SITE.patient('P100'))
    expect(patientOf('PID|1|P100|^^^HOSP~^^^NHS')).toBe(SITE.patient('P100'))
  })

  it('is null where there is none', () => {
    expect(patientOf('PID|1||""')).toBeNull()
    expect(patientOf('PID|1|""|""^^^HOSP')).toBeNull()
    expect(patientOf('PID|1')).toBeNull()
    expect(patientOf('PV1|1')).toBeNull()
  })

  it('is the one behind escape sequences', () => {
    expect(patientOf('PID|1||A\\T\\B\\X2D\\7')).toBe(SITE.patient('A&B-7'))
  })

  it('is the first of several', () => {
    expect(patientOf(pid({ id: 'A' }), pid({ id: 'B' }))).toBe(SITE.patient('A'))
  })

  it('never leaves as text', () => {
    const wire = new Wire().client(frame(message(msh(), 'PID|1|ALT77|P100^^^HOSP^MR||DOE^JANE||19510203|F', 'MRG|OLD55', 'ORC|NW|PL88|FL99'))).end()
    expect(JSON.stringify(wire.events)).not.toMatch(/P100|DOE|JANE|19510203|ALT77|OLD55|PL88|FL99/)
  })
})

describe('orders', () => {
  it('are the pseudonyms of placer, filler and accession numbers, each once', () => {
    const event = read(msh({ type: 'ORU^R01' }), pid({ id: 'P' }), 'ORC|RE|PL1^HIS|FL1', segment('OBR', { 1: '1', 2: 'PL1', 3: 'FL1', 4: '71020^CHEST', 18: 'ACC1', 19: 'X1', 24: 'RAD' }), segment('OBR', { 2: 'PL2', 4: '24627-2', 18: 'ACC1' }))
    expect(event.orders).toEqual(['PL1', 'FL1', 'ACC1', 'X1', 'PL2'].map(id => SITE.order(id)))
    expect(event).toMatchObject({ service: '71020', imaging: true })
  })

  it('of an imaging order include IPC-1', () => {
    expect(read(msh({ type: 'OMI^O23^OMI_O23' }), pid({ id: 'P' }), 'ORC|NW|PL1|FL1', 'IPC|ACC9|RP1|1.2.3|SPS1|CT')).toMatchObject({ imaging: true, orders: ['PL1', 'FL1', 'ACC9'].map(id => SITE.order(id)) })
  })

  it.each([['RAD', '', true], ['CT', '', true], ['LAB', '', false], ['CH', 'CT1', false], ['', 'CTHEAD', true], ['', 'MR-KNEE', true], ['', 'XR', true], ['', 'GLUCOSE', undefined], ['', '', undefined]])(
    'section %j and code %j: imaging %j', (section, code, imaging) => {
      expect(read(msh({ type: 'ORM^O01' }), segment('OBR', { 4: code, 24: section })).imaging).toBe(imaging)
    })

  it('that are deleted (two quotation marks) are none: all messages that say so would share one', () => {
    const event = read(msh({ type: 'ORM^O01' }), 'ORC|NW|PL1|""', segment('OBR', { 2: 'PL1', 3: '""^RIS', 18: '""', 19: '"X"' }))
    expect(event.orders).toEqual([SITE.order('PL1'), SITE.order('"X"')])
    expect(read(msh({ type: 'ADT^A40' }), 'MRG|""').merged).toEqual([])
  })

  it('are not more than the cap', () => {
    const many = Array.from({ length: 500 }, (_, i) => `ORC|NW|PL${i}`)
    expect(read(msh(), ...many)).toMatchObject({ segments: { MSH: 1, ORC: 500 }, orders: { length: LIMITS.hl7.identifiers } })
  })
})

describe('merges', () => {
  it('name the patients that go away', () => {
    const event = read(msh({ type: 'ADT^A40^ADT_A39' }), pid({ id: 'KEEP' }), 'MRG|OLD1^^^HOSP~OLD2^^^HOSP~OLD1', 'PID|1||KEEP2', 'MRG|OLD3')
    expect(event.merged).toEqual(['OLD1', 'OLD2', 'OLD3'].map(id => SITE.patient(id)))
    expect(event.patient).toBe(SITE.patient('KEEP'))
    expect(read(msh()).merged).toBeUndefined()
  })
})

describe('queries', () => {
  const query = (...segments: string[]): Hl7Message => read(msh({ type: 'QBP^Q22^QBP_Q21' }), ...segments)

  it('QPD: how many keys, how wide, how many answers', () => {
    expect(query('QPD|Q22^Find Candidates^HL7|Q1|@PID.5.1^DO*~@PID.8^F', 'RCP|I|10^RD').query).toEqual({ name: 'Q22', keys: 2, wildcard: true, limit: 10 })
    expect(query('QPD|Q22|Q1|@PID.5.1^DOE').query).toEqual({ name: 'Q22', keys: 1, wildcard: false, limit: null })
    expect(query('QPD|Q22|Q1').query).toEqual({ name: 'Q22', keys: 0, wildcard: true, limit: null })
  })

  it('a patient asked for by identifier is the patient', () => {
    expect(query('QPD|Q22|Q1|@PID.3.1^P100').patient).toBe(SITE.patient('P100'))
    expect(query('QPD|IHE PIX Query|Q1|P100^^^HOSP&1.2.3&ISO^PI').patient).toBe(SITE.patient('P100'))
    expect(query('QPD|Q22|Q1|@PID.5.1^DOE').patient).toBeNull()
    expect(query('QPD|Q22|Q1|@PID.30^Y').patient).toBeNull()
  })

  it('QRD', () => {
    expect(query('QRD|20240305|R|I|Q1|||25^RD|P100^DOE|DEM')).toMatchObject({ query: { name: 'DEM', keys: 1, wildcard: false, limit: 25 }, patient: SITE.patient('P100') })
    expect(query('QRD|20240305|R|I|Q1|||999^RD|*|DEM')).toMatchObject({ query: { keys: 1, wildcard: true, limit: 999 }, patient: null })
    expect(query('QRD|20240305|R|I|Q1|||1^RD||DEM').query).toMatchObject({ keys: 0, wildcard: true })
  })
})

describe('documents', () => {
  const base64 = (head: string, bytes = 600): string => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(bytes - head.length, 0x41)]).toString('base64')
  const documentOf = (...segments: string[]): unknown => read(msh({ type: 'ORU^R01' }), ...segments).documents

  it.each([
    ['%PDF-1.7', 'pdf'], ['\xFF\xD8\xFF\xE0', 'jpeg'], ['MZ\x90', 'windows executable'], ['\x7FELF', 'elf executable'], ['PK\x03\x04', 'zip'], ['#!/bin/sh\n', 'script'],
    ['<?xml version="1.0"?>', 'xml'], ['<!DOCTYPE html>', 'html'], ['{\\rtf1', 'rtf'], ['plain text', 'text'], ['\x01\x02\x03', 'unknown'], ['\0'.repeat(128) + 'DICM', 'dicom'],
  ])('%j is recognised as %s', (head, content) => {
    expect(documentOf(obxDocument(1, base64(head)))).toEqual([{ value_type: 'ED', declared: 'application/pdf', encoding: 'base64', bytes: 800, content }])
  })

  it('senders put the parts of ED where they like', () => {
    const data = base64('%PDF')
    expect(documentOf(`OBX|1|ED|x||PDF^Base64^${data}||||||F`)).toMatchObject([{ declared: 'pdf', encoding: 'base64', bytes: 800, content: 'pdf' }])
    expect(documentOf(`OBX|1|ED|x||SRC^AP^PDF^Hex^${Buffer.from('%PDF-1.7 and more').toString('hex')}`)).toMatchObject([{ encoding: 'hex', content: 'pdf', bytes: 34 }])
    expect(documentOf('OBX|1|RP|x||http://pacs/doc/17^RAD^image^jpeg')).toEqual([{ value_type: 'RP', declared: 'image/jpeg', encoding: null, bytes: 33, content: null }])
  })

  it('base64 hidden in another type is found by its size', () => {
    expect(documentOf(`OBX|1|TX|x||${base64('MZ', 3000)}`)).toEqual([{ value_type: 'TX', declared: null, encoding: 'base64', bytes: 4000, content: 'windows executable' }])
    expect(documentOf(`OBX|1|TX|x||${'normal text, long. '.repeat(200)}`)).toBeUndefined()
  })

  it('one that goes on in ADD segments, or in lines because its sender broke it, is as long as all of it', () => {
    const data = base64('%PDF', 3000)
    const goesOn = [{ value_type: 'ED', declared: 'application/pdf', encoding: 'base64', bytes: 4000, content: 'pdf' }]
    const first = `OBX|1|ED|x||^Application^PDF^Base64^${data.slice(0, 76)}`
    expect(documentOf(first, `ADD|${data.slice(76, 2000)}`, `ADD|${data.slice(2000)}`, 'NTE|1||and more')).toEqual(goesOn)
    expect(documentOf(first, data.slice(76, 152), data.slice(152), 'NTE|1||and more')).toEqual(goesOn)
    expect(documentOf(first, `ADD|${data.slice(76)}`, 'OBX|2|TX|x||a', `ADD|${data}`)).toEqual(goesOn)
  })

  it('one of megabytes is counted, not kept', () => {
    const data = base64('%PDF', 3_000_000)
    const bytes = frame(message(msh({ type: 'ORU^R01' }), pid({ id: 'P' }), obxDocument(1, data), 'NTE|1'))
    const cuts = Array.from({ length: Math.floor(bytes.length / 1460) }, (_, i) => (i + 1) * 1460)
    const wire = new Wire().client(bytes, cuts)
    expect(wire.end().messages).toMatchObject([{ complete: true, bytes: bytes.length - 3, segments: { OBX: 1, NTE: 1 }, documents: [{ content: 'pdf', encoding: 'base64' }] }])
    // What stands behind the value in its segment is counted with it, for it is no longer looked at.
    expect(wire.messages[0]!.documents![0]!.bytes - data.length).toBe('||||||F'.length)
  })
})

describe('continuation', () => {
  it('is told by DSC and MSH-14', () => {
    expect(read(msh(), 'DSC|P1|I').continuation).toBe('more')
    expect(read(msh({ continuation: 'P1' }), 'ADD|rest').continuation).toBe('rest')
    expect(read(msh()).continuation).toBeUndefined()
  })
})

describe('character sets', () => {
  const bytesOf = (...parts: (string | number[])[]): Uint8Array => concat(...parts.map(part => (typeof part === 'string' ? encode(part) : Uint8Array.from(part))))
  /** A doctor's name in OBR-16, and behind it the accession number in OBR-18. */
  const withName = (charset: string, ...name: (string | number[])[]): Uint8Array => bytesOf(`${msh({ type: 'ORM^O01', charset })}\rOBR|1|||CT||||||||||||`, ...name, '||ACC1|\r')

  const names: [string, string, (string | number[])[]][] = [
    ['ISO 8859-1', '8859/1', ['M', [0xFC], 'ller^Jos', [0xE9]]],
    ['UTF-8', 'UNICODE UTF-8', [[0xC5, 0x81], 'ukasz']],
    ['ISO-2022-JP', 'ISO IR87', [[0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x7C, 0x7C, 0x1B, 0x28, 0x42], '^', [0x1B, 0x24, 0x42, 0x42, 0x40, 0x1B, 0x28, 0x42]]],
    ['ISO-2022-JP, second', '~ISO IR87', [[0x1B, 0x24, 0x42, 0x7C, 0x7C, 0x1B, 0x28, 0x4A]]],
    ['Shift-JIS, declared', 'SHIFT_JIS', [[0x83, 0x7C, 0x95, 0x5C], '^', [0x83, 0x5E]]],
    ['GB18030', 'GB 18030-2000', [[0x81, 0x7C, 0xD5, 0xC5, 0x81, 0x30, 0x81, 0x30]]],
    ['Big5', 'BIG-5', [[0xB3, 0x5C, 0xA4, 0x7C], '^', [0xBB, 0x5C]]],
    ['Latin-1, undeclared', '', ['Jos', [0xE9]]],
    ['Latin-1 capitals, undeclared', '', [[0xC9], 'VA^', [0xC5], 'SA']],
    ['cp1252, undeclared', '', ['O', [0x92], 'Brien^', [0x93], 'Zo', [0xEB, 0x94]]],
    ['UTF-8, undeclared', '', [[0xE7, 0x8E, 0x8B], '^', [0xE5, 0xB0, 0x8F]]],
    ['Shift-JIS, undeclared', '', [[0x95, 0x5C, 0x8F, 0x5C], '^', [0x83, 0x5C, 0x94, 0x5C, 0x83, 0x7C]]],
    ['Big5, undeclared', '', [[0xB3, 0x5C, 0xA5, 0x5C], '^', [0xBB, 0x5C, 0xA4, 0x7C]]],
    ['ISO-2022-JP, undeclared', '', [[0x1B, 0x24, 0x42, 0x7C, 0x7C, 0x1B, 0x28, 0x42]]],
    ['Greek, undeclared', '', [[0xC4, 0xE9, 0xEF, 0xED, 0xFD, 0xF3, 0xE9, 0xEF, 0xF2], '^', [0xC1]]],
    ['ASCII declared, Latin-1 sent', 'ASCII', ['Jos', [0xE9]]],
  ]
  it.each(names)('%s: a name does not hide or make a separator', (_name, charset, name) => {
    expect(readBytes(withName(charset, ...name)).orders).toEqual([SITE.order('ACC1')])
  })

  // HL7 table 0211, version 2.8.2. What cannot be decoded must at least not hide a separator.
  const table = ['ASCII', '8859/1', '8859/2', '8859/3', '8859/4', '8859/5', '8859/6', '8859/7', '8859/8', '8859/9', '8859/15', 'ISO IR6', 'ISO IR14', 'ISO IR87', 'ISO IR159',
    'GB 18030-2000', 'KS X 1001', 'CNS 11643-1992', 'BIG-5', 'UNICODE', 'UNICODE UTF-8', 'UNICODE UTF-16', 'UNICODE UTF-32']
  it.each(table)('is a message that declares %s read?', charset => {
    const event = readBytes(withName(charset, 'PLAIN^NAME'))
    expect(event).toMatchObject({ charset, sending_app: 'HIS', orders: [SITE.order('ACC1')] })
  })

  it('texts that are kept are decoded', () => {
    const facility = (charset: string, bytes: number[]): string | null =>
      readBytes(bytesOf('MSH|^~\\&|A|', bytes, `|C|D|20240305||ADT^A01|1|P|2.5||||||${charset}\r`)).sending_facility
    expect(facility('8859/1', [0x4D, 0xFC])).toBe('Mü')
    expect(facility('8859/7', [0xC1])).toBe('Α')
    expect(facility('UNICODE UTF-8', [0xC5, 0x81])).toBe('Ł')
    expect(facility('', [0xC5, 0x81])).toBe('Ł')
    expect(facility('', [0x4D, 0xFC])).toBe('Mü')
    expect(facility('ISO IR87', [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x1B, 0x28, 0x42])).toBe('山')
    expect(facility('BIG-5', [0xB3, 0x5C])).toBe('許')
    expect(facility('GB 18030-2000', [0xD5, 0xC5])).toBe('张')
  })

  it('a patient id is the same in every set', () => {
    const patient = (charset: string, bytes: number[]): unknown => readBytes(bytesOf(`${msh({ charset })}\rPID|1||`, bytes, '\r')).patient
    expect(patient('8859/1', [0xC4, 0x31])).toBe(SITE.patient('Ä1'))
    expect(patient('UNICODE UTF-8', [0xC3, 0x84, 0x31])).toBe(SITE.patient('Ä1'))
  })
})

describe('hostile messages', () => {
  it('segment names make no properties of objects', () => {
    const event = read(msh(), '__proto__|1', 'constructor|x', 'toString', 'pid|1', '  |', 'AAA')
    expect(event.segments).toEqual({ MSH: 1, '?': 5, AAA: 1 })
    expect(Object.getPrototypeOf(event.segments)).toBe(Object.prototype)
  })

  it('words that begin like a segment are none', () => {
    const wire = new Wire().client(frame(message(msh({ controlId: '7' }), 'PIDX|1||P1', 'ORCHARD|PL1', 'MSHELL^~', 'MSH', 'MSH|A', 'BHS', 'PV1|1', 'PID|1||P2'))).end()
    expect(wire.messages).toMatchObject([{ control_id: '7', patient: SITE.patient('P2'), orders: [], segments: { MSH: 1, '?': 6, PV1: 1, PID: 1 } }])
    expect(wire.codes).toEqual([])
  })

  it('thousands of segment names are counted in bounded space', () => {
    const names = Array.from({ length: 3000 }, (_, i) => `Z${Math.floor(i / 36 % 36).toString(36)}${(i % 36).toString(36)}`.toUpperCase())
    const { segments } = read(msh(), ...names)
    expect(Object.keys(segments).length).toBeLessThanOrEqual(LIMITS.hl7.segmentKinds + 1)
    expect(Object.values(segments).reduce((sum, n) => sum + n, 0)).toBe(3001)
  })

  it('4,000 segments, a 70 kB field, a 100 kB header', () => {
    expect(read(msh(), ...new Array<string>(4000).fill('OBX|1|NM|x||1')).segments).toEqual({ MSH: 1, OBX: 4000 })
    expect(read(msh(), `NTE|1||${'x'.repeat(70_000)}`, pid({ id: 'P' }))).toMatchObject({ patient: SITE.patient('P'), segments: { NTE: 1 } })
    expect(read(`${msh()}|${'y'.repeat(100_000)}`, pid({ id: 'P' }))).toMatchObject({ message_type: 'ADT^A01', patient: SITE.patient('P') })
  })

  it('a block that never ends is counted to its end', () => {
    const wire = new Wire().client(encode('\x0B' + messageText([msh()])))
    const piece = encode(`OBX|1|TX|x||${'x'.repeat(60_000)}\r`)
    const endless = encode('z'.repeat(65_000))
    for (let i = 0; i < 50; i++) wire.client(piece)
    for (let i = 0; i < 200; i++) wire.client(endless)
    expect(wire.end().messages).toMatchObject([{ complete: false, segments: { MSH: 1, OBX: 50, '?': 1 } }])
  })

  it('many blocks that never end hold no more than the cap together, and give it back', () => {
    const pseudonyms = new Pseudonyms(new Uint8Array(32).fill(9))
    const { memory } = readersOf(pseudonyms)
    const start = encode('\x0B' + messageText([msh({ controlId: '1' })]) + 'OBX|1|TX|x||' + 'x'.repeat(7000))
    const wires = Array.from({ length: 6000 }, () => new Wire({ pseudonyms }).client(start))
    expect(memory.used).toBeLessThanOrEqual(LIMITS.hl7.heldTotalBytes)
    expect(memory.used).toBeGreaterThan(LIMITS.hl7.heldTotalBytes / 2)
    for (const wire of wires) wire.client(encode('more\rPV1|1\r\x1C\r'))
    expect(memory.used).toBe(0)
    for (const wire of wires) wire.end()
    // Those that found no room say so.
    expect(new Set(wires.map(wire => wire.messages[0]!.complete))).toEqual(new Set([true, false]))
    expect(wires.every(wire => wire.messages.length === 1 && wire.messages[0]!.control_id === '1')).toBe(true)
  })

  it('segments in UTF-16 are held in the same books, whatever their length', () => {
    const pseudonyms = new Pseudonyms(new Uint8Array(32).fill(11))
    const { memory } = readersOf(pseudonyms)
    const start = (note: number): Uint8Array => concat(encode('\x0B'), Buffer.from(`${messageText([msh({ controlId: '1' })])}NTE|1||${'x'.repeat(note)}`, 'utf16le'))
    const rest = Buffer.from('yy\rPV1|1\r\x1C\r', 'utf16le')
    for (const note of [3, 300, 5000, 9000]) {
      const wire = new Wire({ pseudonyms }).client(start(note))
      expect(memory.used).toBeGreaterThanOrEqual(Math.min(note, 8192))
      expect(memory.used).toBeLessThanOrEqual(Math.max(256, 2 * note))
      expect(wire.client(rest).end().messages).toMatchObject([{ control_id: '1', complete: true, segments: { MSH: 1, NTE: 1, PV1: 1 } }])
      expect(memory.used).toBe(0)
    }
    const wires = Array.from({ length: 6000 }, () => new Wire({ pseudonyms }).client(start(8000)))
    expect(memory.used).toBeLessThanOrEqual(LIMITS.hl7.heldTotalBytes + 6000 * LIMITS.smallBytes)
    for (const wire of wires) expect(wire.client(rest).end().messages).toMatchObject([{ control_id: '1', segments: { MSH: 1, NTE: 1, PV1: 1 } }])
    expect(memory.used).toBe(0)
  })
})
