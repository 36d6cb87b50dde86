/** Can the archive be handed over: complete, checked, the same when made again, and patient data only where its name says so? */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, wardwire } from '../program.ts'
import { OUTSIDE, SmallHospital, START, scan } from '../small-hospital.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardwire-bundle-'))
const capture = join(folder, 'capture.pcap')
const alertsFile = join(folder, 'alerts.jsonl')
const state = join(folder, 'state')
const env = { XDG_STATE_HOME: folder }
let id = ''
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const hospital = new SmallHospital()
  for (let n = 0; n < 20; n++) {
    hospital.association(START + n * 60e6, scan(n))
    hospital.association(START + n * 60e6 + 30e6, scan(n), [], 'CT1', OUTSIDE)
  }
  writeFileSync(capture, hospital.capture())
  expect((await wardwire(['replay', capture, '--alerts', alertsFile, '--state', state, '--report', join(folder, 'report.html')], { env })).code).toBe(0)
  id = jsonLines(readFileSync(alertsFile, 'utf8')).find((a) => a['detector'] === 'public-address')!['id'] as string
})

describe('an evidence bundle', () => {
  test('does it hold alert, events, packets and baseline, with sums that check, and say that it holds patient data?', async () => {
    const out = join(folder, 'one.tar.gz')
    const run = await wardwire(['evidence', `${alertsFile}:${id}`, '--capture', capture, '--state', state, '-o', out], { env })
    expect(run.code, run.stderr).toBe(0)
    expect(run.stderr).toContain('PATIENT DATA')
    expect(statSync(out).mode & 0o077).toBe(0)
    expect(run.stdout).toBe(`${execFileSync('sha256sum', [out]).toString()}`)
    const at = join(folder, 'unpacked')
    mkdirSync(at)
    execFileSync('tar', ['-xzf', out, '-C', at])
    expect(readdirSync(at).sort()).toEqual(['README.txt', 'SHA256SUMS', id])
    expect(readdirSync(join(at, id)).sort()).toEqual(['alert.json', 'baseline.json', 'events.jsonl', 'packets-raw-patient-data.pcap'])
    execFileSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: at })
    const alert = JSON.parse(readFileSync(join(at, id, 'alert.json'), 'utf8')) as { device: { id: string }; flows: string[] }
    const events = jsonLines(readFileSync(join(at, id, 'events.jsonl'), 'utf8'))
    expect(events.some((e) => e['kind'] === 'dicom.operation')).toBe(true)
    for (const e of events) expect(alert.flows).toContain((e['flow'] as { community_id: string }).community_id)
    const baseline = JSON.parse(readFileSync(join(at, id, 'baseline.json'), 'utf8')) as { readings: Record<string, { stream: string; observed: number; expected: number }[]>; stored: object }
    expect(baseline.readings[alert.device.id]!.find((r) => r.stream === 'store.out')!.observed).toBe(20)
    expect(Object.keys(baseline.stored)).toContain(`device/${alert.device.id}`)
  })

  test('is it the same archive when it is made again, and the report as good a source as the file of alerts?', async () => {
    const sums: string[] = []
    for (const source of [alertsFile, join(folder, 'report.html')]) {
      const run = await wardwire(['evidence', `${source}:${id}`, '--capture', capture, '--state', state, '-o', join(folder, 'again.tar.gz')], { env })
      expect(run.code, run.stderr).toBe(0)
      sums.push(run.stdout)
    }
    expect(sums[0]).toBe(sums[1])
  })

  test('is a hostile id no path, and a missing alert one clear line?', async () => {
    const odd = '../../evil'
    const line = readFileSync(alertsFile, 'utf8').split('\n').find((l) => l.includes(`"id":"${id}"`))!
    writeFileSync(join(folder, 'odd.jsonl'), line.replaceAll(id, odd))
    const out = join(folder, 'odd.tar.gz')
    const run = await wardwire(['evidence', `${join(folder, 'odd.jsonl')}:${odd}`, '--capture', capture, '-o', out], { env })
    expect(run.code, run.stderr).toBe(0)
    expect(execFileSync('tar', ['-tzf', out]).toString()).not.toContain('..')
    const missing = await wardwire(['evidence', `${alertsFile}:a-none`, '--capture', capture, '-o', out], { env })
    expect([missing.code, missing.stderr.trim().split('\n').length]).toEqual([1, 1])
  })
})

test('is the conversation that a slice holds the one that inspect --flow shows, by its Community ID?', async () => {
  const out = join(folder, 'slice.pcap')
  expect((await wardwire(['slice', capture, '--alert', `${alertsFile}:${id}`, '-o', out], { env })).code).toBe(0)
  const alert = jsonLines(readFileSync(alertsFile, 'utf8')).findLast((a) => a['id'] === id)!
  const inspected = await wardwire(['inspect', out, '--flow', (alert['flows'] as string[])[0]!], { env })
  expect(inspected.code).toBe(0)
  expect(inspected.stdout).toContain('203.0.113.9')
})
