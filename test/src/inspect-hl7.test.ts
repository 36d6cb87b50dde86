/** An interface as `wardwire inspect` prints it, from its bytes. */
import { expect, test } from 'vitest'
import { acknowledgement, commitFrame, frame, message, msh, obxDocument, pid } from '../../fixtures/build/hl7.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { interfaceText } from '../../src/inspect/hl7.ts'
import { MILLI, Wire } from '../protocols/hl7/harness.ts'

const site = new Pseudonyms(new Uint8Array(32).fill(1), { remember: true })
const ack = (of: string, code: string, ...segments: string[]): Uint8Array => frame(acknowledgement({ controlId: `A${of}` }, { code, of, segments }))

const wire = new Wire({ pseudonyms: site })
  .client(frame(message(msh({ controlId: '1', type: 'ADT^A40^ADT_A39' }), pid({ id: 'KEPT' }), 'MRG|GONE'))).wait(30 * MILLI).server(ack('1', 'AA'))
  .client(frame(message(msh({ controlId: '2', type: 'QBP^Q22^QBP_Q21' }), 'QPD|Q22^Find^HL7|Q|@PID.5.1^D*', 'RCP|I|10^RD'))).wait(10 * MILLI).server(ack('2', 'AA', pid({ id: 'X1' }), pid({ id: 'X2' })))
  .client(frame(message(msh({ controlId: '3', type: 'ORU^R01' }), pid({ id: 'KEPT' }), 'ORC|RE|PL7', obxDocument(1, Buffer.from('%PDF-1.7'.padEnd(60)).toString('base64')), 'DSC|more|I')))
  .wait(10 * MILLI).server(ack('3', 'AE', 'ERR||PID^1^3|207^Application error^HL70357|E||||Patient KEPT unknown'))
  .client(frame(message(msh({ controlId: '4' }), pid({ id: 'KEPT' })))).server(commitFrame(false))
  .client(frame(message(msh({ controlId: '5' }), pid({ id: 'KEPT' })))).end()
const hidden = interfaceText(wire.messages, () => undefined, true).join('\n')
const plain = interfaceText(wire.messages, (pseudonym) => site.plain(pseudonym), true).join('\n')

test('are refusals, silence and rate told of an interface?', () => {
  expect(hidden).toMatch(/HIS\|HOSP -> ENGINE\|HOSP {3}5 messages \(.*2 ADT\^A01.*\), \d+ an hour, acknowledged in 10\.0 ms \(median\), .*refused: 1 AE, 1 NAK, unanswered: 1/)
  expect(hidden).toMatch(/ORU\^R01 +3 .*AE 207 after 10\.0 ms/)
  expect(hidden).toMatch(/ADT\^A01 +4 .*commit nak/)
  expect(hidden).toMatch(/ADT\^A01 +5 .*no acknowledgement/)
})

test('are merges, queries, documents and continuations told of a message?', () => {
  expect(plain).toMatch(/ADT\^A40 .*patient KEPT; takes over patient GONE/)
  expect(plain).toMatch(/QBP\^Q22 .*asks Q22 by 1 key with wildcards, 10 at most; 2 patients shown/)
  expect(plain).toMatch(/ORU\^R01 .*order PL7; carries pdf of \d+ bytes \(declared application\/pdf\); to be continued/)
})

test('is nobody named unless the reader asks for it?', () => {
  expect(hidden).not.toMatch(/KEPT|GONE|PL7|X1|unknown/)
  expect(hidden).toMatch(/takes over patient [0-9a-v]{16}/)
})
