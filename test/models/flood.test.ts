/**
 * What a sender of cheap packets can do to what is remembered: a table that is full must neither cost more than an empty one, nor forget those who
 * are there every day for names and addresses that were invented a moment ago, nor grow.
 */
import { describe, expect, test } from 'vitest'
import { MEMORIES, use } from '../../models/baseline/novelty.ts'
import { MOST_OF_DEVICE, boundDevice } from '../../models/baseline/recall.ts'
import { DAY, HOUR, MINUTE } from '../../models/clock.ts'
import { loadDevice, newDevice, saveDevice, type Device } from '../../models/device.ts'
import { Directory } from '../../models/directory.ts'
import { RESIDENT_LIMITS } from '../../models/residents.ts'
import { NAME_LIMITS, type Claim } from '../../models/names.ts'
import { Engine } from '../../models/engine.ts'
import { Conversations, CONVERSATION_LIMITS } from '../../models/posture/conversations.ts'
import { HOST_LIMITS, Hosts } from '../../models/posture/hosts.ts'
import { makeRoom } from '../../protocols/room.ts'
import { association, at, failedFlow, flow, flowEnd, host, message, move, operation } from './build.ts'

const address = (i: number): string => `10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`
const hardware = (i: number): string => `06:00:${[24, 16, 8, 0].map((bits) => ((i >> bits) & 255).toString(16).padStart(2, '0')).join(':')}`
const CT = host('CT1', '10.0.1.5', '02:00:00:00:01:05')
const PACS = host('PACS', '10.0.0.1', '02:00:00:00:00:01')

function call(directory: Directory, ae: string, from: typeof CT, at: number): Claim | undefined {
  const on = flow(from, PACS)
  const ends = directory.ends(on, at)
  ends.client.last = ends.server.last = at
  return directory.calling(ends, on, ae, at)
}

/** A scanner that has called for a week. */
function known(): Directory {
  const directory = new Directory()
  for (let d = 0; d < 7; d++) {
    for (let m = 7 * 60; m < 19 * 60; m += 10) call(directory, 'CT1', CT, d * DAY + m * MINUTE)
    for (const device of directory.devices.values()) device.lived = d + 1
  }
  return directory
}
const LATER = 7 * DAY + 8 * HOUR

test('does a table that is full forget the least worth, and of equals the first, a sixteenth at once?', () => {
  const table = new Map(Array.from({ length: 32 }, (_, i) => [`k${i}`, i % 2]))
  expect(makeRoom(table, 33)).toEqual([])
  expect(makeRoom(table, 32, (worth) => worth).map(([key]) => key)).toEqual(['k0', 'k2'])
  expect(makeRoom(table, 30).map(([key]) => key)).toEqual(['k1', 'k3'])
  expect(table.size).toBe(28)
})

describe('invented senders', () => {
  test('do 30,000 addresses, each of which does something once, leave the device that is known for a week?', () => {
    const directory = known()
    const scanner = directory.known(CT.ip)!.id
    for (let i = 0; i < 1.5 * RESIDENT_LIMITS.devices; i++) {
      const { client } = directory.ends(flow(host('', address(i), null), PACS), LATER + i)
      client.last = LATER + i
      client.deeds.set('C-ECHO>', 1)
    }
    expect(directory.devices.size).toBeLessThanOrEqual(RESIDENT_LIMITS.devices)
    expect(directory.known(CT.ip)?.id).toBe(scanner)
  })

  test('do 60,000 hardware addresses take no more room than there is, and is the one in use still known?', () => {
    const directory = known()
    for (let i = 0; i < 60_000; i++) directory.ends(flow(host('', '10.0.9.9', hardware(i)), PACS), LATER + i)
    expect(directory.state.byMac.size).toBeLessThanOrEqual(RESIDENT_LIMITS.macs)
    expect(directory.state.byMac.has(CT.mac!)).toBe(true)
  })

  test('do 60,000 invented AE titles leave the one that is used every day, so that a borrower of it is told?', () => {
    const directory = known()
    const reader = host('WS1', '10.0.2.7', '02:00:00:00:02:07')
    for (let d = 0; d < 3; d++) call(directory, 'WS1', reader, 4 * DAY + d * DAY)
    for (let i = 0; i < 1.2 * NAME_LIMITS.names; i++) call(directory, `T${i}`, reader, LATER + i)
    expect(directory.state.names.size).toBeLessThanOrEqual(NAME_LIMITS.names)
    expect(call(directory, 'CT1', reader, LATER + MINUTE)).toMatchObject({ kind: 'borrowed', name: 'ae:CT1' })
  })

  test('do they push hosts that are there every day out of the inventory, or pairs out of the audit of networks?', () => {
    const hosts = new Hosts()
    const conversations = new Conversations()
    for (const day of [0, 1]) {
      const real = flowEnd(flow(CT, PACS), day * DAY + HOUR, 'dicom')
      hosts.flow(real)
      conversations.ended(real)
    }
    for (let i = 0; i < 1.2 * CONVERSATION_LIMITS.pairs; i++) {
      const from = flow(host('', address(i), null), PACS, 9)
      hosts.flow(failedFlow(from, LATER + i, 'unanswered'))
      conversations.ended(flowEnd(from, LATER + i, null))
    }
    expect(hosts.known.get(CT.ip)?.spoke.get('dicom')).toBe(2)
    expect(hosts.known.size).toBeLessThanOrEqual(HOST_LIMITS.hosts)
    expect(conversations.pairs.get(`${CT.ip}>${PACS.ip}`)?.flows).toBe(2)
    // Room for whoever is new, too.
    conversations.ended(flowEnd(flow(host('', '10.0.3.3', null), CT), LATER + DAY, null))
    expect(conversations.pairs.has(`10.0.3.3>${CT.ip}`)).toBe(true)
  })

  test('does an impostor that uses two addresses in turn escape, when the owner of the name is heard again?', () => {
    const directory = known()
    call(directory, 'CT1', CT, LATER)
    call(directory, 'CT1', host('', '10.0.9.66', '02:00:00:00:09:66'), LATER + 2 * MINUTE)
    call(directory, 'CT1', host('', '10.0.9.67', '02:00:00:00:09:67'), LATER + 4 * MINUTE)
    expect(call(directory, 'CT1', CT, LATER + 10 * MINUTE)).toMatchObject({ kind: 'conflict', ownerIp: CT.ip })
  })

  test('do a thousand addresses under one name stay a few addresses of one device?', () => {
    const directory = known()
    for (let i = 0; i < 1000; i++) call(directory, 'CT1', host('', address(i), null), LATER + i * 10 * MINUTE)
    for (const device of directory.devices.values()) expect(device.ips.size).toBeLessThanOrEqual(17)
    expect(directory.state.byIp.size).toBeLessThanOrEqual(1003)
    expect(directory.state.byIp.size).toBeLessThanOrEqual(16 * directory.devices.size + 16)
  })
})

describe('a device that names itself, and whom it asks, otherwise each time', () => {
  /** A reader that has looked for a week, then invents; and what is left of both. */
  function flooded(): { reader: Device; archive: Device } {
    const engine = new Engine({ onAlert: () => undefined })
    const viewer = host('WS1', '10.0.2.7', '02:00:00:00:02:07')
    for (let d = 0; d < 7; d++) {
      for (let m = 7 * 60; m < 19 * 60; m += 30) {
        const on = flow(viewer, PACS)
        const when = at(d, 0, m)
        engine.event(move(on, when, 'WS1', 'WS1'))
        engine.event(association(on, when, 'WS1', { 'C-MOVE': 1 }))
        engine.event(flowEnd(on, when, 'dicom'))
      }
    }
    for (let i = 0; i < 10_000; i++) {
      const on = flow(viewer, PACS, 1024 + i)
      const when = at(7, 8) + i * 100_000
      const invented = `INVENTED-${i}`.padEnd(16, '-')
      engine.event(move(on, when, invented, invented))
      engine.event(operation(on, when, invented, 'C-STORE', { sop_class_uid: `1.2.3.${i}`.padEnd(64, '.1') }))
      engine.event(association(on, when, invented, {}, { called_ae: invented }))
      engine.event(message(on, when, { ...viewer, name: invented }, PACS, `Z${i}^${invented}`, 'p'))
      engine.event(flowEnd(on, when, 'dicom'))
    }
    const of = (ip: string): Device => [...engine.devices.values()].find((device) => device.ips.has(ip))!
    return { reader: of(viewer.ip), archive: of(PACS.ip) }
  }
  const remembered = (memories: Device['memories']): number => MEMORIES.reduce((sum, name) => sum + memories[name].known.size, 0)

  test('is its state bounded, and are the habits of its week still known?', () => {
    const { reader, archive } = flooded()
    for (const device of [reader, archive]) {
      expect(remembered(device.memories)).toBeLessThanOrEqual(MOST_OF_DEVICE)
      expect(JSON.stringify(saveDevice(device)).length).toBeLessThan(100_000)
    }
    const { called, contact, destination, peer, service } = reader.memories
    expect(called.known.get('WS1>ANY')?.settled).toBe(true)
    expect(destination.known.get('WS1')?.settled).toBe(true)
    expect(contact.known.get(`${PACS.ip}:104`)?.settled).toBe(true)
    expect(service.known.get('C-MOVE>')?.settled).toBe(true)
    expect(peer.known.get(archive.id)?.settled).toBe(true)
  })

  test('is a state that was saved with more than it may hold still read, and brought within it while it learns?', () => {
    const device = newDevice('dev-1', 1, 0, 0)
    for (const name of MEMORIES) {
      for (let i = 0; i < 500; i++) for (let day = 0; day < (i < 10 ? 4 : 1); day++) use(device.memories[name], `v${i}`, 1, day * DAY + i, day, 9)
    }
    const { memories } = loadDevice(JSON.parse(JSON.stringify(saveDevice(device))))
    for (let i = 0; i < 100; i++) boundDevice(memories)
    expect(remembered(memories)).toBeLessThanOrEqual(MOST_OF_DEVICE)
    for (const name of MEMORIES) expect(memories[name].known.get('v5')?.settled).toBe(true)
  })
})
