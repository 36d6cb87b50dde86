/** PS3.8 9.3.2 to 9.3.8: every unit and item is read as it was meant. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { be32, bytes, hex } from '../../../fixtures/build/bytes.ts'
import { abort, associateAc, associateRj, associateRq, item, pdu, releaseRp, releaseRq, type UserInformation } from '../../../fixtures/build/dicom.ts'
import { AssociateReader, type Associate } from '../../../protocols/dicom/associate.ts'
import { Faults } from '../../../protocols/dicom/faults.ts'
import { abortOf, isShortUnit, rejectOf } from '../../../protocols/dicom/pdu.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { CT_IMAGE, EXPLICIT_LE, IMPLICIT_LE, VERIFICATION } from '../../../protocols/dicom/uids.ts'
import { names, Wire } from './harness.ts'

const codes: string[] = []
const faults = new Faults({
  flow: { id: '', transport: 'tcp', client: { ip: '', port: 0, mac: null }, server: { ip: '', port: 0, mac: null }, vlan: [], community_id: '', midstream: false },
  pseudonyms: names, afterGap: false, lost: () => 0, emit: (event) => { if (event.kind === 'violation') codes.push(event.code) },
})

/** Reads a whole unit in pieces of `size` bytes. */
function read(unit: Uint8Array, size = unit.length): Associate {
  codes.length = 0
  faults.clear()
  const reader = new AssociateReader(unit[0] === 2, unit.length - 6, faults)
  let from = 6
  for (let end = from + size; !reader.isComplete; end += size) {
    expect(end - size).toBeLessThan(unit.length)
    for (let used = -1; used !== 0 && !reader.isComplete;) {
      used = reader.read(unit, from, Math.min(end, unit.length), from, 0)
      expect(reader.needs).toBeLessThanOrEqual(LIMITS.dicom.itemBytes + 4)
      from += used
    }
  }
  return reader.associate
}

const EMPTY = { application_context: '1.2.840.10008.3.1.1.1', contexts: [], class_uid: null, version_name: null, user_identity: null, identity_accepted: false, bytes: expect.any(Number) as number, roles: [],
  async_operations: null, extended: [], common_extended: [], unknown_items: [], version: 1 }

describe('A-ASSOCIATE-RQ', () => {
  test('is one that was written down by hand read field by field?', () => {
    const unit = hex(`
      01 00 000000b0                                     // A-ASSOCIATE-RQ, 176 bytes
      0001 0000                                          // protocol version 1
      53544f5245534350 2020202020202020                  // called   "STORESCP"
      4354312020202020 2020202020202020                  // calling  "CT1"
      ${'00'.repeat(32)}
      10 00 0015 312e322e3834302e31303030382e332e312e312e31 // application context
      20 00 002e 01 00 00 00                             // presentation context 1
        30 00 0011 312e322e3834302e31303030382e312e31    //   abstract syntax 1.2.840.10008.1.1
        40 00 0011 312e322e3834302e31303030382e312e32    //   transfer syntax 1.2.840.10008.1.2
      50 00 001d                                         // user information
        51 00 0004 00004000                              //   maximum length 16384
        52 00 0003 312e32                                //   implementation class 1.2
        55 00 0006 544553545f31                          //   implementation version TEST_1
        5a 00 0000                                       //   an item nobody knows
    `)
    expect(unit.length - 6).toBe(0xb0)
    expect(read(unit)).toEqual({
      ...EMPTY, calling_ae: 'CT1', called_ae: 'STORESCP', maximum_length: 16384, class_uid: '1.2', version_name: 'TEST_1', unknown_items: [0x5a],
      contexts: [{ id: 1, abstract_syntax: VERIFICATION, transfer_syntaxes: [IMPLICIT_LE], result: null, transfer_syntax: null }],
    })
    expect(codes).toEqual([])
  })

  const everything: UserInformation = {
    maxLength: 0, implementationClass: '1.2.3', implementationVersion: 'V 1', async: { invoked: 0, performed: 5 },
    roles: [{ sopClass: CT_IMAGE, scu: false, scp: true }, { sopClass: VERIFICATION, scu: true, scp: true }],
    extended: [{ sopClass: CT_IMAGE, information: Uint8Array.of(1, 0, 1) }], commonExtended: [{ sopClass: CT_IMAGE, service: '1.2.840.10008.4.2', related: ['1.2.3', '1.2.4'] }],
    identity: { type: 2, primary: 'doctor', secondary: 'hunter2' }, others: [{ type: 0x77, value: new Uint8Array(3) }],
  }

  test.each([1, 2, 3, 5, 7, 64, 1000])('are all items read in pieces of %i bytes?', (size) => {
    const unit = associateRq({ calling: 'A', called: 'B', contexts: [], user: everything })
    expect(read(unit, size)).toEqual({
      ...EMPTY, calling_ae: 'A', called_ae: 'B', maximum_length: 0, class_uid: '1.2.3', version_name: 'V 1', async_operations: { invoked: 0, performed: 5 },
      roles: [{ sop_class_uid: CT_IMAGE, scu: false, scp: true }, { sop_class_uid: VERIFICATION, scu: true, scp: true }],
      extended: [{ sop_class_uid: CT_IMAGE, bytes: 3 }], common_extended: [{ sop_class_uid: CT_IMAGE, service_class_uid: '1.2.840.10008.4.2', related: ['1.2.3', '1.2.4'] }],
      user_identity: { type: 2, has_passcode: true }, unknown_items: [0x77],
    })
  })

  test.each([
    [{ type: 1, primary: 'doctor' }, false], [{ type: 2, primary: 'doctor', secondary: '' }, false], [{ type: 2, primary: 'doctor', secondary: 'x' }, true],
    [{ type: 3, primary: 'ticket' }, true], [{ type: 4, primary: 'x'.repeat(5000) }, true], [{ type: 5, primary: '' }, false],
  ])('does user identity %o carry a secret in clear?', (identity, hasPasscode) => {
    expect(read(associateRq({ calling: 'A', called: 'B', contexts: [], user: { identity } })).user_identity).toEqual({ type: identity.type, has_passcode: hasPasscode })
  })

  const uid = fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 1, maxLength: 8 }).map((parts) => `1.2.${parts.join('.')}`)
  const title = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_ ]{0,14}[A-Za-z0-9_]$/)
  const request = fc.record({
    calling: title, called: title,
    contexts: fc.uniqueArray(fc.record({ id: fc.nat(127).map((n) => 2 * n + 1), abstract: uid, transfers: fc.array(uid, { minLength: 1, maxLength: 5 }) }), { selector: (c) => c.id, minLength: 1, maxLength: 12 }),
    user: fc.record({
      maxLength: fc.nat(0xffffffff), implementationClass: uid, implementationVersion: title, async: fc.record({ invoked: fc.nat(65535), performed: fc.nat(65535) }),
      roles: fc.array(fc.record({ sopClass: uid, scu: fc.boolean(), scp: fc.boolean() }), { maxLength: 5 }),
      extended: fc.array(fc.record({ sopClass: uid, information: fc.uint8Array({ maxLength: 20 }) }), { maxLength: 3 }),
      commonExtended: fc.array(fc.record({ sopClass: uid, service: uid, related: fc.array(uid, { maxLength: 3 }) }), { maxLength: 3 }),
    }),
  })

  test('does whatever is built come back, cut anywhere?', () => {
    fc.assert(fc.property(request, fc.integer({ min: 1, max: 300 }), (rq, size) => {
      const said = read(associateRq(rq), size)
      expect(said).toMatchObject({
        calling_ae: rq.calling, called_ae: rq.called, maximum_length: rq.user.maxLength, class_uid: rq.user.implementationClass, version_name: rq.user.implementationVersion, async_operations: rq.user.async,
        contexts: rq.contexts.map((c) => ({ id: c.id, abstract_syntax: c.abstract, transfer_syntaxes: c.transfers, result: null, transfer_syntax: null })),
        roles: rq.user.roles.map((r) => ({ sop_class_uid: r.sopClass, scu: r.scu, scp: r.scp })),
        extended: rq.user.extended.map((e) => ({ sop_class_uid: e.sopClass, bytes: e.information.length })),
        common_extended: rq.user.commonExtended.map((c) => ({ sop_class_uid: c.sopClass, service_class_uid: c.service, related: c.related })),
      })
      expect(codes.filter((code) => code !== 'uid.form')).toEqual([])
    }), { numRuns: 150 })
  })
})

describe('A-ASSOCIATE-AC', () => {
  test('does whatever is built come back?', () => {
    const contexts = [0, 1, 2, 3, 4].map((result) => ({ id: 2 * result + 1, result, transfer: EXPLICIT_LE }))
    const said = read(associateAc({ calling: 'A', called: 'B', contexts, user: { identityResponse: Uint8Array.of(1, 2) } }))
    expect(said.contexts.map((c) => [c.id, c.result, c.transfer_syntax])).toEqual([[1, 0, EXPLICIT_LE], [3, 1, null], [5, 2, null], [7, 3, null], [9, 4, null]])
    expect(said.identity_accepted).toBe(true)
    expect(codes).toEqual([])
  })

  test('is a refusal with an empty transfer syntax no fault, as many stacks send it?', () => {
    read(associateAc({ calling: 'A', called: 'B', contexts: [{ id: 1, result: 3, transfer: '' }] }))
    expect(codes).toEqual([])
  })
})

describe('the short units', () => {
  test('are they what the standard says, byte by byte?', () => {
    expect(associateRj(2, 3, 1)).toEqual(hex('03 00 00000004 00 02 03 01'))
    expect(releaseRq()).toEqual(hex('05 00 00000004 00000000'))
    expect(releaseRp()).toEqual(hex('06 00 00000004 00000000'))
    expect(abort(2, 6)).toEqual(hex('07 00 00000004 00 00 02 06'))
    for (const unit of [associateRj(2, 3, 1), releaseRq(), releaseRp(), abort(2, 6)]) expect(isShortUnit(unit, 0)).toBe(true)
  })

  test('do all values come back?', () => {
    for (const result of [1, 2]) for (const source of [1, 2, 3]) for (const reason of [1, 2, 3, 7]) expect(rejectOf(associateRj(result, source, reason), 6)).toEqual({ result, source, reason })
    for (const source of [0, 1, 2]) for (const reason of [0, 1, 2, 4, 5, 6]) expect(abortOf(abort(source, reason), 6)).toEqual({ source, reason })
  })
})

describe('hostile associations', () => {
  test('does one that claims megabytes hold no more than an item, and tell what it told?', () => {
    const wire = new Wire()
    const proposed = item(0x20, bytes(1, 0, 0, 0, item(0x30, CT_IMAGE), ...Array.from({ length: 2500 }, (_, i) => item(0x40, `1.2.${i}`))))
    const huge = pdu(1, bytes(0, 1, 0, 0, 'PACS'.padEnd(16), 'EVIL'.padEnd(16), new Uint8Array(32), proposed))
    huge.set(be32(3_000_000), 2)
    for (let at = 0; at < huge.length; at += 100) wire.say(0, huge.subarray(at, at + 100))
    wire.end('rst')
    expect(wire.kept).toBeLessThan(200)
    expect(wire.codes).toEqual(['associate.length'])
    expect(wire.of('dicom.association')).toMatchObject([{ result: 'unseen', complete: false, calling_ae: 'EVIL', called_ae: 'PACS', ended: 'reset' }])
  })

  test('are lists bounded, however many there are?', () => {
    const contexts = Array.from({ length: 400 }, (_, i) => ({ id: i % 256, abstract: CT_IMAGE, transfers: Array.from({ length: 100 }, () => IMPLICIT_LE) }))
    const said = read(associateRq({ calling: 'A', called: 'B', contexts, user: { roles: Array.from({ length: 900 }, () => ({ sopClass: '1.2', scu: true, scp: true })), others: Array.from({ length: 99 }, () => ({ type: 0x90, value: new Uint8Array(0) })) } }))
    expect(said.contexts.length).toBe(LIMITS.dicom.contexts)
    expect(said.contexts[0]!.transfer_syntaxes.length).toBe(LIMITS.dicom.transferSyntaxes)
    expect(said.roles.length).toBe(LIMITS.dicom.contexts)
    expect(said.unknown_items.length).toBe(LIMITS.dicom.unknownItems)
  })

  test('does a unit of any bytes end where its length says?', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 68, maxLength: 600 }), fc.integer({ min: 1, max: 200 }), (body, size) => {
      for (const type of [1, 2]) read(pdu(type, body), size)
    }), { numRuns: 300 })
  })
})
