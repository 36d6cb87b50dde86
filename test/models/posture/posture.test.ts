/** Who is here, what are they, and which networks do they share? */
import { describe, expect, test } from 'vitest'
import { Engine } from '../../../models/engine.ts'
import { CONVERSATION_LIMITS, Conversations } from '../../../models/posture/conversations.ts'
import { HOST_LIMITS } from '../../../models/posture/hosts.ts'
import { Posture } from '../../../models/posture/posture.ts'
import { rangeOf } from '../../../models/posture/segments.ts'
import { toolkitOf } from '../../../models/posture/toolkits.ts'
import type { WireEvent } from '../../../protocols/events.ts'
import { association, at, find, flow, flowEnd, host, HOUR, message, START, store, study, WORKLIST_FIND, type Host } from '../build.ts'

const CT = host('CT1', '10.1.1.11')
const PACS = host('PACS', '10.1.1.5')
const WORKSTATION = host('WS', '10.1.1.71')
const OFFICE = host('PC', '10.1.1.200')
const STRANGER = host('X', '10.1.1.77')
const LAB = host('LAB', '10.1.2.20')
const ENGINE = host('ENGINE', '10.1.2.30')
const CLOUD = host('CLOUD', '203.0.113.9', null)

const make = (software: string): { manufacturer: string; model: string; software: string } => ({ manufacturer: 'Acme', model: 'Scan 64', software })
const between = (client: Host, server: Host, port: number, day: number, hour: number, protocol: 'dicom' | 'hl7' | 'tls' | null): WireEvent =>
  flowEnd(flow(client, server, port), at(day, hour), protocol)

/** A scanner that was updated on the sixth day, its archive, and a laboratory. */
function week(more: (day: number) => WireEvent[] = () => []): { posture: Posture; engine: Engine } {
  const engine = new Engine({ onAlert: () => {} })
  const posture = new Posture()
  for (let day = 0; day < 7; day++) {
    const images = flow(CT, PACS, 11112)
    const results = flow(LAB, ENGINE, 2575)
    const events: WireEvent[] = []
    for (let i = 0; i < 12; i++) {
      events.push(
        find(images, at(day, 9, i), 'CT1', 1, { sop_class_uid: WORKLIST_FIND }),
        store(images, at(day, 9, i), 'CT1', study(`${day}.${i}`, `p${i}`, day, make(day < 5 ? '1.0' : '1.1'))),
        message(results, at(day, 9, i), LAB, ENGINE, 'ORU^R01', `p${i}`),
      )
    }
    events.push(association(images, at(day, 10), 'CT1', { 'C-STORE': 12 }, { called_ae: 'PACS' }), flowEnd(images, at(day, 10), 'dicom'), flowEnd(results, at(day, 10), 'hl7'), ...more(day))
    for (const event of events) {
      posture.event(event)
      engine.event(event)
    }
  }
  engine.finish(START + 7 * 24 * HOUR)
  return { posture, engine }
}

describe('inventory', () => {
  test('does a scanner tell what it is, from its own images, and since when?', () => {
    const { posture, engine } = week()
    const ct = posture.inventory([...engine.view()]).find((i) => i.ip === CT.ip)!
    expect(ct).toMatchObject({ role: 'modality:CT', medical: true, modality: 'CT', manufacturer: 'Acme', model: 'Scan 64', software: '1.0', ae_titles: ['CT1'] })
    expect(ct.services_used).toEqual([{ transport: 'tcp', port: 11112, protocol: 'dicom', users: 1, conversations: 7 }])
    expect(ct.evidence.join()).toContain('make from 60 of 84 images')
  })

  test('is whoever passes on the images of others called by the make of those?', () => {
    const { posture, engine } = week((day) => [store(flow(PACS, WORKSTATION), at(day, 11), 'PACS', study(`${day}.1`, 'p1', day, make('1.0')))])
    expect(posture.inventory([...engine.view()]).find((i) => i.ip === PACS.ip)!.manufacturer).toBeNull()
  })

  test('is whoever scanners store on an archive, though it answers nobody, and whoever an archive sends to not?', () => {
    const MR = host('MR1', '10.1.1.12')
    const VAULT = host('VAULT', '10.1.1.6')
    const BURNER = host('BURNER', '10.1.1.7')
    const sends = (from: Host, to: Host, day: number): WireEvent[] => {
      const on = flow(from, to, 104)
      return [...Array.from({ length: 8 }, (_, i) => store(on, at(day, 12, i), from.name, study(`${from.name}${day}.${i}`, `p${i}`, day, { modality: from.name.slice(0, 2) }))), flowEnd(on, at(day, 13), 'dicom')]
    }
    const { posture, engine } = week((day) => [...sends(CT, VAULT, day), ...sends(MR, VAULT, day), ...sends(PACS, BURNER, day)])
    const items = posture.inventory([...engine.view()])
    const roleOf = ({ ip }: Host): string | undefined => items.find((i) => i.ip === ip)?.role
    expect([roleOf(VAULT), roleOf(BURNER)]).toEqual(['archive', 'sink'])
    expect([...engine.view()].find(({ ip }) => ip === VAULT.ip)?.role).toBe('sink')
    expect(items.find((i) => i.ip === VAULT.ip)?.evidence).toContain('an archive, because 2 scanners store on it')
  })

  test('do tables stay within their caps, whoever knocks?', () => {
    const conversations = new Conversations()
    const posture = new Posture()
    for (let i = 0; i < CONVERSATION_LIMITS.pairs + 10; i++) {
      const event = flowEnd(flow(host('', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, null), PACS, i & 0xFFFF), START + i, null)
      conversations.ended(event)
      if (i < HOST_LIMITS.hosts + 10) posture.event(event)
    }
    expect(conversations.pairs.size).toBeLessThanOrEqual(CONVERSATION_LIMITS.pairs)
    expect(conversations.pairs.size + conversations.beyond).toBe(CONVERSATION_LIMITS.pairs + 10)
    expect(posture.hosts.known.size).toBeLessThanOrEqual(HOST_LIMITS.hosts)
    expect(posture.hosts.known.size).toBeGreaterThan(0.9 * HOST_LIMITS.hosts)
    for (let port = 0; port < 100; port++) conversations.ended(flowEnd(flow(host('', '10.0.0.1', null), PACS, port), START + port, null))
    expect(conversations.pairs.get(`10.0.0.1>${PACS.ip}`)!.ports.length).toBeLessThanOrEqual(CONVERSATION_LIMITS.ports)
  })

  test('does a saved posture go on where it was?', () => {
    const whole = week()
    const loaded = new Posture()
    loaded.load(new Map(JSON.parse(JSON.stringify([...whole.posture.save()])) as [string, unknown][]))
    const views = [...whole.engine.view()]
    expect(loaded.inventory(views)).toEqual(whole.posture.inventory(views))
    expect(loaded.segments(views)).toEqual(whole.posture.segments(views))
  })

  test.each([['1.2.276.0.7230010.3.0.3.6.7', 'OFFIS DCMTK'], ['1.2.40.0.13.1.3', 'dcm4che'], ['1.2.276.0.72300109', null], [null, null]])('whose toolkit is %s? %s', (uid, owner) => {
    expect(toolkitOf(uid)).toBe(owner)
  })
})

describe('segments', () => {
  const mixed = (): ReturnType<typeof week> => week((day) => [
    between(OFFICE, PACS, 445, day, 12, null), ...(day === 6 ? [between(PACS, CLOUD, 443, day, 13, 'tls'), between(STRANGER, PACS, 11112, day, 14, 'dicom')] : []),
  ])

  test('is a network that office hosts share with scanners mixed, and one of medical devices alone not?', () => {
    const { posture, engine } = mixed()
    const audit = posture.segments([...engine.view()])
    expect(Object.fromEntries(audit.segments.map((s) => [s.name, s.kind]))).toEqual({ '10.1.1.0/24': 'mixed', '10.1.2.0/24': 'medical', 'the Internet': 'internet' })
    expect(audit.shares).toEqual({ medical: 0.5, other: 0, mixed: 0.5 })
    expect(audit.it_to_medical.map((c) => `${c.client}>${c.server} ${c.services.join()}`)).toEqual(['10.1.1.200>10.1.1.5 tcp/445'])
    expect(audit.exposed.map((c) => c.server)).toEqual(['203.0.113.9'])
  })

  test('do the rules allow what has settled, and name what they would have stopped?', () => {
    const { posture, engine } = mixed()
    const { rules, blocked } = posture.segments([...engine.view()])
    expect(rules.find((r) => r.to === '10.1.1.5' && r.port === 11112)!.from).toEqual(['10.1.1.11'])
    expect(blocked.map((c) => c.client)).toEqual(['10.1.1.77'])
  })

  test('are two VLANs of one subnet two networks, and devices of both named with theirs?', () => {
    const tagged = (vlan: number, from: Host, to: Host, port: number, day: number, protocol: 'dicom' | null): WireEvent => flowEnd(flow(from, to, port, { vlan: [vlan] }), at(day, 12), protocol)
    const A = host('A', '10.1.9.11')
    const B = host('B', '10.1.9.12')
    const C = host('C', '10.1.9.13')
    const { posture, engine } = week((day) => [tagged(20, A, B, 104, day, 'dicom'), tagged(30, C, OFFICE, 445, day, null)])
    const views = [...engine.view()]
    const found = posture.segments(views).segments.filter((s) => s.subnet === '10.1.9.0/24').map((s) => [s.vlan, s.kind, s.devices])
    expect(found).toEqual([['20', 'medical', 2], ['30', 'other', 1]])
    expect(posture.inventory(views).find((i) => i.ip === A.ip)?.addresses[0]?.vlan).toBe('20')
  })

  test('are networks called what the site calls them?', () => {
    const { posture, engine } = mixed()
    const names = posture.segments([...engine.view()], [{ name: 'Radiology', cidr: '10.1.1.0/25' }, { name: 'Office', cidr: '10.1.1.128/25' }]).segments.map((s) => `${s.name}: ${s.kind}`)
    expect(names).toEqual(expect.arrayContaining(['Radiology: medical', 'Office: other']))
  })

  test.each([['10.0.0.0/8', true], ['2001:db8::/32', true], ['10.0.0.0', false], ['10.0.0.0/33', false], ['10.0.0.300/8', false], ['::1/129', false], ['a/b', false]])('is %s CIDR notation? %s', (cidr, yes) => {
    expect(rangeOf(cidr) !== undefined).toBe(yes)
  })
})
