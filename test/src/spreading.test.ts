/** From packets to alerts: what calls by the clock, and what passes itself on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { LINUX } from '../../fixtures/build/conversation.ts'
import { jsonLines, wardwire } from './program.ts'
import { OUTSIDE, SmallHospital, START, scan, scanner } from './small-hospital.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardwire-spreading-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const DAY = 86_400e6
const stranger = { ip: '10.9.7.7', mac: '02:00:00:00:07:07', stack: LINUX }
const neighbour = { ip: '10.9.1.12', mac: '02:00:00:00:01:12', stack: LINUX }

test('does a capture in which a scanner begins to call out by the clock, and is reached and reaches on over SMB, end in both alerts?', async () => {
  const hospital = new SmallHospital()
  for (let day = 0; day < 7; day++) {
    for (let i = 0; i < 24; i++) {
      const at = START + day * DAY + i * 3600e6
      hospital.association(at, scan(day * 24 + i), [])
      if (day < 5) continue
      // From the sixth day on, every hour and a little early or late.
      hospital.call(at + 300e6 + (i % 3) * 40e6, OUTSIDE)
    }
  }
  hospital.call(START + 6 * DAY + 3600e6, scanner, 445, stranger).call(START + 6 * DAY + 4000e6, neighbour, 445)
  writeFileSync(join(folder, 'capture.pcap'), hospital.capture())
  const run = await wardwire(['replay', join(folder, 'capture.pcap'), '--alerts', join(folder, 'alerts.jsonl')], { env: { XDG_STATE_HOME: folder } })
  expect(run.code, run.stderr).toBe(0)
  const evidence = jsonLines(readFileSync(join(folder, 'alerts.jsonl'), 'utf8')).flatMap((alert) => alert['evidence'] as { detector: string; text: string }[])
  expect(evidence.find((e) => e.detector === 'beaconing')?.text).toContain(`with port 443 (TCP) of ${OUTSIDE.ip}, an address on the Internet`)
  expect(evidence.find((e) => e.detector === 'peer-to-peer')?.text).toContain('a host that had never come to it reached it over SMB, as a worm would')
})
