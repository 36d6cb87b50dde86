/** Messages byte for byte, as `inspect --message` shows them. */
import { expect, test } from 'vitest'
import { encode, frame, message, messageText, msh, obxDocument, pid } from '../../../fixtures/build/hl7.ts'
import { Decoder } from '../../../protocols/decoder.ts'
import { MessageView } from '../../../protocols/hl7/full-view.ts'
import { wholeMessages } from '../../../protocols/hl7/whole.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { CORPUS } from './corpus.ts'
import { cut, feed, frames, segments } from '../contract/wire.ts'
import type { Turns } from '../contract/wire.ts'

function wholeOf(turns: Turns, size: number): Buffer[] {
  const found: Buffer[] = []
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(32)), emit: () => {}, protocols: [wholeMessages(({ bytes }) => found.push(bytes))] })
  feed(decoder, frames(segments(turns, (bytes) => cut(bytes, size))))
  decoder.finish()
  expect(decoder.application.fault).toBeNull()
  return found
}

test.each([1, 100, 1448])('is a message what was sent, in segments of %i bytes, with documents and fields of any length?', (size) => {
  const sent = messageText([msh({ controlId: '1', type: 'ORU^R01' }), pid({ id: 'P1' }), obxDocument(1, 'QUJD'.repeat(4000)), `NTE|1||${'x'.repeat(9000)}`, 'NTE|2||end'])
  expect(wholeOf([[0, frame(encode(sent))], [0, frame(message(msh({ controlId: '2' })))]], size).map((bytes) => bytes.toString('latin1'))).toEqual([sent, messageText([msh({ controlId: '2' })])])
})

test('is every message of every conversation there, however it is cut?', () => {
  for (const [name, conversation] of Object.entries(CORPUS)) {
    const whole = wholeOf(conversation, 1448)
    expect(wholeOf(conversation, 7), name).toEqual(whole)
    for (const bytes of whole) expect(new MessageView(bytes).segments[0]!.name, name).toBe('MSH')
  }
})
