/** Who is who: told apart are a device that moved, one that was replaced, a shared address, a failover, and two hosts with one name. */
import { beforeEach, describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../models/clock.ts'
import { Directory } from '../../models/directory.ts'
import type { Claim } from '../../models/names.ts'
import type { Flow, Micros } from '../../protocols/events.ts'

let directory: Directory
let n = 0

beforeEach(() => {
  directory = new Directory()
})

const flow = (ip: string, mac: string | null, server = '10.0.0.1'): Flow => ({
  id: `f${++n}`, transport: 'tcp', client: { ip, port: 40_000, mac }, server: { ip: server, port: 104, mac: '02:00:00:00:00:01' }, vlan: [],
  community_id: `1:${n}`, midstream: false,
})

/** A client calls itself `ae` at a time; answers the device behind it and what was found odd. */
function call(ae: string, ip: string, at: Micros, mac: string | null = `02:00:${ip.replaceAll('.', ':')}`): { id: string; claim: Claim | undefined } {
  const f = flow(ip, mac)
  const claim = directory.calling(directory.ends(f, at), f, ae, at)
  return { id: directory.ends(f, at).client.id, claim }
}

/** Days of a device that calls every ten minutes from 07:00 to 19:00. */
function days(ae: string, ip: string, count: number, mac?: string): void {
  for (let d = 0; d < count; d++) {
    for (let m = 7 * 60; m < 19 * 60; m += 10) call(ae, ip, d * DAY + m * MINUTE, mac)
    for (const device of directory.devices.values()) device.lived = d + 1
  }
}

const noon = (day: number): Micros => day * DAY + 12 * HOUR

describe('one device', () => {
  test('is a new lease (same hardware address, the old address silent) the same device?', () => {
    days('CT1', '10.0.1.5', 5, '02:aa:aa:aa:aa:aa')
    const before = call('CT1', '10.0.1.5', 5 * DAY - HOUR, '02:aa:aa:aa:aa:aa')
    const after = call('CT1', '10.0.1.77', noon(5), '02:aa:aa:aa:aa:aa')
    expect(after).toEqual({ id: before.id, claim: undefined })
  })

  test('is a replacement (new hardware, the old host silent first) the same device?', () => {
    days('CT1', '10.0.1.5', 5)
    const before = call('CT1', '10.0.1.5', 5 * DAY - 5 * HOUR)
    for (let i = 0; i < 50; i++) expect(call('CT1', '10.0.1.77', noon(5) + i * HOUR)).toEqual({ id: before.id, claim: undefined })
  })

  test('is a host on the Internet that calls itself as a device here another one, however long that is silent?', () => {
    days('WS1', '10.0.1.5', 5)
    const before = call('WS1', '10.0.1.5', 5 * DAY - 5 * HOUR)
    for (let i = 0; i < 3; i++) {
      const { id, claim } = call('WS1', '93.184.215.14', noon(7) + i * MINUTE, '02:00:00:00:00:fe')
      expect(id).not.toBe(before.id)
      expect(claim?.kind).toBe(i === 0 ? 'borrowed' : undefined)
    }
    expect(call('WS1', '10.0.1.5', 8 * DAY).id).toBe(before.id)
  })

  test('is a failover that comes back the same device, and no conflict?', () => {
    for (let m = 0; m < 5 * 24 * 60; m += 5) call('ENGINE', '10.0.1.5', m * MINUTE)
    for (let m = 0; m < 300; m += 5) expect(call('ENGINE', '10.0.1.6', 5 * DAY + m * MINUTE).claim).toBeUndefined()
    for (let m = 300; m < 600; m += 5) expect(call('ENGINE', '10.0.1.5', 5 * DAY + m * MINUTE).claim).toBeUndefined()
    const [first] = [...directory.devices.values()].filter((device) => device.aes.has('ENGINE'))
    expect(first!.ips.size).toBe(2)
  })

  test('are devices behind one translated address still several?', () => {
    for (const [i, ae] of ['US1', 'US2', 'US3'].entries()) days(ae, `10.0.1.${i + 1}`, 3)
    const ids = ['US1', 'US2', 'US3'].map((ae) => call(ae, '10.0.9.9', noon(4), '02:bb:bb:bb:bb:bb').id)
    expect(new Set(ids).size).toBe(3)
    // And days later, when one of them comes late.
    expect(['US1', 'US2', 'US3'].map((ae) => call(ae, '10.0.9.9', noon(9), '02:bb:bb:bb:bb:bb').id)).toEqual(ids)
    // One of them moves out again, seen with the translator's hardware address still.
    expect(call('US2', '10.0.9.10', noon(12), '02:bb:bb:bb:bb:bb').id).toBe(ids[1])
  })
})

describe('two devices', () => {
  test('is a stranger who uses a name told as soon as its owner speaks again?', () => {
    days('CT1', '10.0.1.5', 5)
    const owner = call('CT1', '10.0.1.5', noon(5))
    expect(call('CT1', '10.0.9.66', noon(5) + 2 * MINUTE).claim).toBeUndefined()
    const { claim } = call('CT1', '10.0.1.5', noon(5) + 10 * MINUTE)
    expect(claim).toMatchObject({ kind: 'conflict', rivalIp: '10.0.9.66', ownerIp: '10.0.1.5' })
    expect(claim!.owner.id).toBe(owner.id)
    expect(claim!.rival.id).not.toBe(owner.id)
    expect(claim!.rival.ips.has('10.0.9.66')).toBe(true)
    expect(claim!.owner.ips.has('10.0.9.66')).toBe(false)
  })

  test('is a known device that borrows a name told at once, and again when the owner speaks?', () => {
    days('CT1', '10.0.1.5', 5)
    days('READ1', '10.0.2.5', 5)
    call('READ1', '10.0.2.5', noon(5))
    call('CT1', '10.0.1.5', noon(5))
    expect(call('CT1', '10.0.2.5', noon(5) + MINUTE).claim).toMatchObject({ kind: 'borrowed', rivalIp: '10.0.2.5' })
    expect(call('CT1', '10.0.1.5', noon(5) + 5 * MINUTE).claim).toMatchObject({ kind: 'conflict', rivalIp: '10.0.2.5' })
  })

  test('is a name that a pool has shared since the first day nobody’s?', () => {
    for (let m = 0; m < 3 * 24 * 60; m += 10) for (const last of [5, 6, 7]) expect(call('POOL', `10.0.2.${last}`, m * MINUTE + last * MINUTE).claim).toBeUndefined()
  })

  test.each([
    ['that spoke once in the name of another address a moment ago', 9 * DAY, true],
    ['that has had several addresses for days', 4 * DAY, false],
  ])('is a device that is suddenly heard through a machine %s told of as rerouted, or taken to be behind a router?', (_which, spoke, isTold) => {
    const evil = '02:ee:ee:ee:ee:ee'
    days('LAB', '10.0.1.5', 9)
    call('', '10.0.1.66', spoke, evil)
    call('', '10.0.1.67', spoke + MINUTE, evil)
    call('LAB', '10.0.1.5', noon(9), evil)
    expect(directory.known('10.0.1.5')!.detour?.mac).toBe(isTold ? evil : undefined)
  })

  test('does a router make no two hosts one?', () => {
    const router = '02:cc:cc:cc:cc:cc'
    const a = call('A', '10.7.0.1', HOUR, router)
    const b = call('B', '10.7.0.2', 3 * HOUR, router)
    const c = call('C', '10.7.0.3', 5 * DAY, router)
    expect(new Set([a.id, b.id, c.id]).size).toBe(3)
  })

  test('nor the way to the Internet, however long one of them was silent?', () => {
    const gateway = '02:dd:dd:dd:dd:dd'
    const a = call('A', '198.51.100.1', HOUR, gateway)
    const b = call('B', '203.0.113.5', 30 * DAY, gateway)
    expect(a.id).not.toBe(b.id)
  })
})

test('is an address found answering through another live device told?', () => {
  days('CT1', '10.0.1.5', 3)
  days('READ1', '10.0.2.5', 3)
  const t = noon(3)
  call('READ1', '10.0.2.5', t)
  for (const device of directory.devices.values()) device.last = t
  directory.ends(flow('10.0.1.5', '02:00:10:0:2:5'), t + MINUTE)
  const [id] = directory.state.byIp.get('10.0.1.5')!
  expect(directory.devices.get(id!)!.detour).toMatchObject({ ip: '10.0.1.5', through: 'READ1 (10.0.2.5)', since: t + MINUTE, passed: 0 })
})
