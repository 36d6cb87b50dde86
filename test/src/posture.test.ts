/** Does the inventory that a user gets hold what was there, and stay a table whatever the wire says? */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InventoryItem } from '../../models/posture/inventory.ts'
import type { SegmentAudit } from '../../models/posture/segments.ts'
import { cell } from '../../src/posture/csv.ts'
import { inventoryCsv, inventoryCycloneDx, inventoryText } from '../../src/posture/inventory-forms.ts'
import { rulesNftables, segmentsText } from '../../src/posture/segment-forms.ts'
import { vendorOf } from '../../src/posture/vendors.ts'
import { wardwire } from './program.ts'
import { ordinaryDays } from './small-hospital.ts'

let folder: string
const file = (name: string): string => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-posture-'))
  writeFileSync(file('days.pcap'), ordinaryDays(2))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HOSTILE = ['=1+1', '+cmd', '-2', '@SUM(A1)', '\t=1', 'a"b', 'a,b', 'a\r\nb', '\u001b[31mred', '<script>', 'x'.repeat(500), '\u202edcba']

const item = (text: string): InventoryItem => ({
  id: 'dev-1', name: text, role: text, medical: true, modality: text, manufacturer: text, model: text, software: text, station: text, serial: text, institution: text,
  ip: '10.0.0.1', addresses: [{ ip: '10.0.0.1', mac: null, vlan: null, first: 0, last: 0, public: false }], mac_vendor: text, hostname: text, ae_titles: [text], called_ae_titles: [text],
  applications: [text], implementation: { class_uid: text, version_name: text, toolkit: text }, os: [{ name: text, eol: null, evidence: text, family: null, confidence: 'low', source: null }],
  system: { name: text, eol: text, evidence: text, family: null, confidence: 'low', source: null, past_end_of_life: false, agree: 1, disagree: 0 }, services_offered: [], services_used: [], peers: [], encrypted: 0,
  first_seen: 0, last_seen: 0, days: 1, confidence: 'low', evidence: [text],
})

describe('files', () => {
  test('are devices, services and rules of a capture written by the names of their files, and again from the state?', async () => {
    const run = await wardwire(['replay', file('days.pcap'), '--alerts', file('alerts.jsonl'), '--state', file('state'), '--inventory', file('inventory.json'), '--segments', file('rules.nft')])
    expect(run.code, run.stderr).toBe(0)
    const { devices } = JSON.parse(readFileSync(file('inventory.json'), 'utf8')) as { devices: (InventoryItem & { first_seen: string })[] }
    expect(devices.length).toBeGreaterThanOrEqual(3)
    expect(devices.some((d) => d.services_offered.some((s) => s.protocol === 'dicom'))).toBe(true)
    expect(devices[0]!.first_seen).toMatch(/^\d{4}-\d\d-\d\dT/)
    expect(readFileSync(file('rules.nft'), 'utf8')).toMatch(/tcp dport \d+ accept/)
    const listed = await wardwire(['inventory', '--state', file('state'), '--json'])
    expect(listed.code, listed.stderr).toBe(0)
    expect((JSON.parse(listed.stdout) as { devices: unknown }).devices).toEqual(devices)
    const audit = await wardwire(['segments', '--state', file('state')])
    expect(audit.stdout).toMatch(/Only medical: \d+ % of the networks here/)
  })

  test('is a folder without a state told in words, and left as it is?', async () => {
    const run = await wardwire(['inventory', '--state', file('nothing')])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('holds no state')
    expect(existsSync(file('nothing'))).toBe(false)
  })

  test('does a file that cannot be written leave the alerts and the state whole?', async () => {
    const run = await wardwire(['replay', file('days.pcap'), '--alerts', file('more.jsonl'), '--state', file('other'), '--inventory', join(folder, 'no', 'such', 'x.json')])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('cannot write')
    expect((await wardwire(['inventory', '--state', file('other')])).code).toBe(0)
  })
})

describe('hostile text', () => {
  test.each(HOSTILE)('does %j stay one cell that is no formula?', (text) => {
    const written = cell(text)
    expect(written).toMatch(/^"(?:[^"]|"")*"$/)
    expect(written).not.toMatch(/^"[=+\-@\t]/)
    expect(written).not.toMatch(/[\u0000-\u001f\u202e]/)
  })

  test('does every device stay one line, of every form?', () => {
    const items = HOSTILE.map(item)
    expect(inventoryCsv(items).trimEnd().split('\r\n')).toHaveLength(items.length + 1)
    // One line a device, the head, an empty line, and the share past end of life.
    expect(inventoryText(items).trimEnd().split('\n')).toHaveLength(items.length + 3)
    expect(inventoryText(items)).not.toMatch(/[\u001b\u202e]/)
    // Two on a terminal that the table is too wide for.
    expect(inventoryText(items, 80).trimEnd().split('\n')).toHaveLength(2 * items.length + 2)
    expect(inventoryText(items, 80)).not.toMatch(/[\u001b\u202e]/)
    expect((JSON.parse(inventoryCycloneDx(items)) as { components: unknown[] }).components).toHaveLength(items.length)
  })

  test('does an address that is none stay out of the rule set?', () => {
    const rule = { from: ['10.0.0.1; drop', '10.0.0.2'], to: '10.0.0.9', transport: 'tcp' as const, port: 104, protocol: 'dicom', conversations: 3, first: 0, last: 1 }
    const audit: SegmentAudit = {
      segments: [], shares: { medical: 0, other: 0, mixed: 0 }, field: { medical: 0, other: 0, mixed: 0 }, it_to_medical: [], exposed: [], blocked: [], failed: [],
      rules: [rule, { ...rule, to: '10.0.0.8 accept' }],
    }
    expect(rulesNftables(audit)).toContain('ip saddr { 10.0.0.2 } ip daddr 10.0.0.9 tcp dport 104 accept')
    expect(rulesNftables(audit)).not.toMatch(/drop\b(?!: "|$)|10\.0\.0\.8/m)
    expect(segmentsText(audit)).toContain('2 rules')
  })
})

test('who made an interface, and is a made-up address nobody\'s?', () => {
  expect(vendorOf('00:00:00:12:34:56')).toBe('XEROX CORPORATION')
  expect(vendorOf('02:4d:3d:8d:ca:39')).toBeNull()
})
