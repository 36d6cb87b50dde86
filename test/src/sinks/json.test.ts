import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../models/alert.ts'
import type { EventOf, Flow } from '../../../protocols/events.ts'
import { fromRfc3339, rfc3339 } from '../../../protocols/time.ts'
import { eventJson } from '../../../src/sinks/event-json.ts'
import { nativeAlert } from '../../../src/sinks/formats/native.ts'
import { JsonLines } from '../../../src/sinks/jsonl.ts'
import { alertText, printable } from '../../../src/sinks/terminal.ts'

const at = Date.UTC(2026, 2, 3, 4, 5, 6) * 1000 + 7
const flow: Flow = {
  id: 'f1', transport: 'tcp', vlan: [12], community_id: '1:x', midstream: false,
  client: { ip: '10.1.2.3', port: 40000, mac: null }, server: { ip: '10.1.0.9', port: 104, mac: '00:11:22:33:44:55' },
}
const violation: EventOf<'violation'> = {
  kind: 'violation', at, flow, complete: true, after_gap: false, protocol: 'dicom', code: 'pdu.length', section: 'PS3.8 9.3', offset: 3, detail: 'text',
}
const alert: Alert = {
  schema: 'wardwire.alert/1', id: 'a1', revision: 2, raised_at: at, first_seen: at, last_seen: at, severity: 'high', score: 5.25, detector: 'new-peer',
  title: 'CT1\x1b[2J\r\nspoofed line', explanation: 'Because <script>alert(1)</script> \u202e backwards.',
  device: { id: 'd1', role: 'modality:CT', name: 'CT1', ip: ['10.1.2.3'], mac: [], ae_titles: ['CT1'] }, peers: [], hosts: ['10.1.2.3'],
  evidence: [{ detector: 'new-peer', group: 'novelty', at, p: 1e-6, observed: 94, expected: 2, unit: 'studies', text: 'seen', flows: [] }],
  attack: [], flows: [], count: 3, baseline: { days: 4, events: 5, state: 'armed' }, capture: { sensor: 's', source: 'replay', loss: 0 },
}

describe('times', () => {
  test('are they UTC with microseconds, and read back the same?', () => {
    expect(rfc3339(at)).toBe('2026-03-03T04:05:06.000007Z')
    expect(fromRfc3339(rfc3339(at))).toBe(at)
    expect(fromRfc3339('2026-03-03T05:05:06.0000079+01:00')).toBe(at)
  })

  test('is a time that a broken capture claims still a time?', () => {
    expect(rfc3339(-5)).toBe('1970-01-01T00:00:00.000000Z')
    expect(rfc3339(Number.NaN)).toBe('1970-01-01T00:00:00.000000Z')
    expect(rfc3339(2 ** 62)).toMatch(/^9999-12-31T23:59:59/)
  })

  test.each(['yesterday', '2026-03-03', '2026-13-03T00:00:00Z', ''])('is %j refused as a time?', (text) => {
    expect(fromRfc3339(text)).toBeUndefined()
  })
})

describe('events as JSON', () => {
  test('does a line hold what the contract says, in its form?', () => {
    expect(JSON.parse(eventJson(violation))).toEqual({
      v: 1, ...violation, at: '2026-03-03T04:05:06.000007Z',
      flow: { id: 'f1', client: flow.client, server: flow.server, vlan: [12], community_id: '1:x', midstream: false },
    })
  })

  test('is hostile text one field of one line?', () => {
    const line = eventJson({ ...violation, detail: '","kind":"forged"\n\u2028\0' })
    expect(line).not.toContain('\n')
    expect((JSON.parse(line) as { kind: string }).kind).toBe('violation')
  })
})

describe('alerts', () => {
  test('is every time of a native alert text?', () => {
    const parsed = JSON.parse(nativeAlert(alert)) as { raised_at: string; evidence: { at: string }[]; title: string }
    expect(parsed.raised_at).toBe('2026-03-03T04:05:06.000007Z')
    expect(parsed.evidence[0]!.at).toBe('2026-03-03T04:05:06.000007Z')
    expect(parsed.title).toBe(alert.title)
  })

  test('can text from the wire command the terminal?', () => {
    const text = alertText(alert, { colour: false, width: 100 })
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    expect(text).toContain('CT1??spoofed line')
    expect(printable('ab\x1b]0;title\x07c')).not.toContain('\x1b')
  })
})

describe('the JSON lines writer', () => {
  test('does everything arrive, in order, whatever its size?', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wardwire-jsonl-'))
    const file = join(folder, 'out.jsonl')
    const lines = new JsonLines(file)
    for (let i = 0; i < 20_000; i++) {
      lines.write(JSON.stringify({ i, fill: 'x'.repeat(i % 97) }))
      if (i % 5000 === 0) await lines.drained()
    }
    await lines.close()
    const read = readFileSync(file, 'utf8').split('\n')
    expect(read.pop()).toBe('')
    expect(read.map((line) => (JSON.parse(line) as { i: number }).i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i))
    rmSync(folder, { recursive: true })
  })

  test('is a file that cannot be written a clear error?', async () => {
    const lines = new JsonLines('/nowhere/at/all.jsonl')
    lines.write('{}')
    await expect(lines.close()).rejects.toThrow(/cannot write \/nowhere\/at\/all.jsonl: no such file or folder/)
  })
})
