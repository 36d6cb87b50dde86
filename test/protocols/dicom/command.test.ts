/** PS3.7: does every command that is built come back, in whatever fragments and units it travels (PS3.8 annex E)? */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, be32 } from '../../../fixtures/build/bytes.ts'
import { COMMAND_FIELD, commandSet, dataSet, pData, pdu, request, response, type CommandName, type CommandSet } from '../../../fixtures/build/dicom.ts'
import { C_CANCEL, readCommand } from '../../../protocols/dicom/command.ts'
import { CT_IMAGE, EXPLICIT_LE } from '../../../protocols/dicom/uids.ts'
import { associated, CONTEXT, scan } from './conversations.ts'
import { heard, only } from './harness.ts'

const NAMES = Object.keys(COMMAND_FIELD) as CommandName[]
const u16 = fc.nat(0xffff)
const uid = fc.stringMatching(/^1(\.[1-9][0-9]{0,8}){1,6}$/)
const title = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,15}$/)
/** What some command of PS3.7 annex E has, in any combination. */
const more = fc.record({
  MoveDestination: title, Priority: fc.constantFrom(0, 1, 2), ErrorComment: fc.stringMatching(/^[a-z ]{0,63}$/), ErrorID: u16, EventTypeID: u16,
  NumberOfRemainingSuboperations: u16, NumberOfCompletedSuboperations: u16, NumberOfFailedSuboperations: u16, NumberOfWarningSuboperations: u16,
  MoveOriginatorApplicationEntityTitle: title, MoveOriginatorMessageID: u16,
}, { requiredKeys: [] })
const sop = fc.record({ class: uid, instance: uid }, { requiredKeys: [] })

const number = (value: number | undefined): number => value ?? -1

describe('a command set', () => {
  test.each(NAMES)('does a %s request come back, whatever is in it?', (name) => {
    fc.assert(fc.property(u16, sop, more, fc.boolean(), (id, named, fields: CommandSet, hasDataSet) => {
      const b = request(name, id, named, fields, hasDataSet)
      const isCancel = name === 'C-CANCEL'
      expect(readCommand(b, 0, b.length)).toMatchObject({
        field: COMMAND_FIELD[name], isResponse: false, isWhole: true, groupLength: b.length - 12, hasDataSet, messageId: isCancel ? -1 : id, respondedTo: isCancel ? id : -1,
        service: isCancel ? undefined : name, sopClass: named.class ?? null, sopInstance: named.instance ?? null, status: -1, moveDestination: fields.MoveDestination ?? null,
        moveOriginator: fields.MoveOriginatorApplicationEntityTitle ?? null, moveOriginatorId: number(fields.MoveOriginatorMessageID), type: number(fields.EventTypeID),
        remaining: number(fields.NumberOfRemainingSuboperations), completed: number(fields.NumberOfCompletedSuboperations),
        failed: number(fields.NumberOfFailedSuboperations), warning: number(fields.NumberOfWarningSuboperations),
      })
    }), { numRuns: 60 })
  })

  test.each(NAMES.filter((name) => name !== 'C-CANCEL'))('does a %s response come back, with any status?', (name) => {
    fc.assert(fc.property(u16, u16, sop, more, fc.boolean(), (id, status, named, fields: CommandSet, hasDataSet) => {
      const b = response(name, id, status, named, fields, hasDataSet)
      expect(readCommand(b, 0, b.length)).toMatchObject({
        field: COMMAND_FIELD[name] | 0x8000, isResponse: true, service: name, isWhole: true, hasDataSet, respondedTo: id, messageId: -1, status, sopClass: named.class ?? null, sopInstance: named.instance ?? null,
        remaining: number(fields.NumberOfRemainingSuboperations), completed: number(fields.NumberOfCompletedSuboperations),
      })
    }), { numRuns: 60 })
  })

  test('is one that is cut anywhere, or any bytes at all, read without a fault, and never said to be whole?', () => {
    const whole = request('C-MOVE', 5, { class: '1.2.3' }, { MoveDestination: 'WS2' })
    for (let end = 1; end < whole.length; end++) {
      const command = readCommand(whole, 0, end)
      expect(command.isWhole && command.groupLength === end - 12).toBe(false)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (b) => { expect(() => readCommand(b, 0, b.length)).not.toThrow() }), { numRuns: 300 })
    expect(readCommand(commandSet({ CommandField: C_CANCEL }), 0, 28).service).toBeUndefined()
  })
})

describe('units and fragments', () => {
  /** Cuts into pieces of the sizes, in turn. */
  const pieces = (b: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
    const found: Uint8Array[] = []
    for (let at = 0, i = 0; at < b.length; i++) {
      const size = sizes[i % sizes.length]!
      found.push(b.subarray(at, at + size))
      at += size
    }
    return found
  }
  const id = CONTEXT.store
  const operation = (units: Uint8Array): unknown => {
    const { flow: _, ...event } = only(heard(associated([[0, units], [1, bytes(pData({ context: id, command: true, last: true, data: response('C-STORE', 9, 0, { class: CT_IMAGE }) }))]])).of('dicom.operation'))
    return event
  }

  test('does a message in any legal fragments, any number of them in a unit, empty ones too, say the same?', () => {
    const command = request('C-STORE', 9, { class: CT_IMAGE, instance: '1.2.9.1' }, {}, true)
    const data = dataSet(scan(1, 400), EXPLICIT_LE)
    const expected = operation(bytes(pData({ context: id, command: true, last: true, data: command }), pData({ context: id, command: false, last: true, data })))
    const sizes = fc.array(fc.integer({ min: 1, max: 150 }).map((n) => 2 * n), { minLength: 1, maxLength: 5 })
    fc.assert(fc.property(sizes, sizes, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean(), (commandSizes, dataSizes, perUnit, hasEmptyEnd, hasEmptyMiddle) => {
      const fragments = (isCommand: boolean, all: Uint8Array[]): { context: number; command: boolean; last: boolean; data: Uint8Array }[] => {
        const empty = new Uint8Array(0)
        const list = [...(hasEmptyMiddle ? all.flatMap((piece) => [piece, empty]) : all), ...(hasEmptyEnd ? [empty] : [])]
        return list.map((piece, i) => ({ context: id, command: isCommand, last: i === list.length - 1, data: piece }))
      }
      const pdvs = [...fragments(true, pieces(command, commandSizes)), ...fragments(false, pieces(data, dataSizes))]
      const units: Uint8Array[] = []
      for (let at = 0, i = 0; at < pdvs.length; i++) {
        units.push(pData(...pdvs.slice(at, at + perUnit[i % perUnit.length]!)))
        at += perUnit[i % perUnit.length]!
      }
      expect(operation(bytes(...units))).toEqual(expected)
    }), { numRuns: 150 })
  })

  test('is a fragment that overruns its unit a violation, and the next unit read?', () => {
    const wrong = pdu(4, bytes(be32(500), id, 3, new Uint8Array(20)))
    const wire = heard(associated([[0, wrong], [0, pData({ context: CONTEXT.echo, command: true, last: true, data: request('C-ECHO', 3, { class: '1.2.840.10008.1.1' }) })]]))
    expect(wire.codes).toEqual(['pdv.length'])
    expect(only(wire.of('dicom.operation'))).toMatchObject({ command: 'C-ECHO', message_id: 3 })
  })
})
