/** What is built, framed, cut and read again: is it what was built? */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Delimiters } from '../../../fixtures/build/hl7.ts'
import { DEFAULT_DELIMITERS, acknowledgement, encode, frame, messageText, msh, redelimit, segment } from '../../../fixtures/build/hl7.ts'
import { MessageView } from '../../../protocols/hl7/full-view.ts'
import { MILLI, SITE, Wire } from './harness.ts'

const ODD: Delimiters = { field: '$', component: '%', repetition: '+', escape: '\\', subcomponent: '!' }
/** Letters that no separator is among. */
const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/)
const orNothing = fc.option(word, { nil: '' })
const name = fc.stringMatching(/^[A-Z][A-Z0-9]{2}$/).filter((text) => !/^(MSH|FHS|BHS|BTS|FTS|PID|MRG|MSA|ERR|ORC|OBR|OBX|IPC|ZDS|QRD|QPD|RCP|DSC)$/.test(text))

const header = fc.record({
  sendingApp: word, sendingFacility: orNothing, receivingApp: orNothing, receivingFacility: orNothing, type: fc.constantFrom('ADT^A08^ADT_A01', 'ORM^O01', 'ORU^R01^ORU_R01', 'SIU^S12'),
  controlId: word, processingId: fc.constantFrom('P', 'T', 'D'), version: fc.constantFrom('2.1', '2.3', '2.5.1', '2.8'), sequence: fc.nat(99_999).map(String),
  acceptAck: fc.constantFrom('AL', 'NE'), applicationAck: fc.constantFrom('AL', 'ER'), charset: fc.constantFrom('', 'ASCII', 'UNICODE UTF-8', '8859/1'),
})
const message = fc.record({
  header, patient: word, merged: fc.uniqueArray(word, { maxLength: 4 }), orders: fc.uniqueArray(fc.tuple(word, word, word), { maxLength: 4, selector: ([placer]) => placer }),
  others: fc.array(fc.tuple(name, fc.array(orNothing, { maxLength: 12 })), { maxLength: 10 }),
})
type Built = typeof message extends fc.Arbitrary<infer T> ? T : never

const segmentsOf = ({ header: h, patient, merged, orders, others }: Built): string[] => [
  msh(h), segment('PID', { 3: `${patient}^^^HOSP^MR`, 5: 'DOE^JANE' }), ...(merged.length > 0 ? [segment('MRG', { 1: merged.join('~') })] : []),
  ...orders.flatMap(([placer, filler, accession]) => [segment('ORC', { 2: placer, 3: `${filler}^RIS` }), segment('OBR', { 2: placer, 3: filler, 18: accession })]),
  ...others.map(([of, fields]) => [of, ...fields].join('|')),
]

describe('what is built, framed and cut', () => {
  const cutAt = fc.array(fc.nat(2000), { maxLength: 8 })

  test('is it told as it was built, in any separators?', () => {
    fc.assert(fc.property(message, cutAt, fc.constantFrom(DEFAULT_DELIMITERS, ODD), (built, places, separators) => {
      const text = redelimit(messageText(segmentsOf(built)), separators)
      const bytes = frame(encode(text))
      const cuts = [...new Set(places)].filter((place) => place > 0 && place < bytes.length).sort((a, b) => a - b)
      const { controlId } = built.header
      const wire = new Wire().client(bytes, cuts).wait(7 * MILLI).server(frame(acknowledgement({ controlId: 'A' }, { code: 'AA', of: controlId }))).server(frame(acknowledgement({ controlId: 'B' }, { code: 'AA', of: controlId }))).end()
      const counts = new Map<string, number>()
      for (const line of segmentsOf(built)) counts.set(line.slice(0, 3), (counts.get(line.slice(0, 3)) ?? 0) + 1)
      const { header: h } = built
      const [type, trigger, structure] = h.type.split('^')
      expect(wire.codes).toEqual([])
      expect(wire.messages[0]).toMatchObject({
        complete: true, bytes: text.length, control_id: controlId, message_type: `${type!}^${trigger!}`, structure: structure ?? null,
        sending_app: h.sendingApp, sending_facility: h.sendingFacility || null, receiving_app: h.receivingApp || null, receiving_facility: h.receivingFacility || null,
        processing_id: h.processingId, version: h.version, sequence: Number(h.sequence), ack_conditions: { accept: h.acceptAck, application: h.applicationAck }, charset: h.charset || null,
        patient: SITE.patient(built.patient), segments: Object.fromEntries(counts),
      })
      // A number that ORC and OBR share, or two orders, is one order.
      expect(wire.messages[0]!.orders).toEqual([...new Set(built.orders.flat().map((id) => SITE.order(id)))])
      expect(wire.messages[0]!.merged ?? []).toEqual([...new Set(built.merged.map((id) => SITE.patient(id)))])
      expect(wire.messages[0]!.acks[0]).toMatchObject({ code: 'AA', control_id: 'A', latency_ms: 7 })
    }), { numRuns: 400 })
  })

  test('is every field in the whole view what was written, and the view in the usual separators the message?', () => {
    fc.assert(fc.property(message, fc.constantFrom(DEFAULT_DELIMITERS, ODD), (built, separators) => {
      const lines = segmentsOf(built)
      const view = new MessageView(encode(redelimit(messageText(lines), separators)))
      expect(view.segments.map((one) => one.name)).toEqual(lines.map((line) => line.slice(0, 3)))
      for (const [i, line] of lines.entries()) {
        const written = line.split('|').slice(1)
        if (i > 0) expect(view.segments[i]!.fields.slice(1).map((_, n) => view.segments[i]!.value({ field: n + 1 }))).toEqual(written.map((field) => /^[^~^&]*/.exec(field)![0]))
      }
      expect(view.usualText()).toBe(messageText(lines))
    }), { numRuns: 200 })
  })
})
