/** `wardwire baseline` on the state that a replay of the demo has left. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { State } from '../../src/store/state.ts'
import { FIXTURES } from '../fixtures/replay.ts'
import { jsonLines, wardwire, type Run } from './program.ts'

let folder: string
let state: string
let alerts: Record<string, unknown>[]
const run = (...args: string[]): Promise<Run> => wardwire(args, { env: { XDG_STATE_HOME: folder } })
const latest = (): string => alerts.at(-1)!['id'] as string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-baseline-'))
  state = join(folder, 'state')
  const { stdout, stderr, code } = await run('replay', `${FIXTURES}/demo/hospital.pcap.gz`, '--state', state, '--alerts', '-')
  expect(code, stderr).toBe(0)
  alerts = [...new Map(jsonLines(stdout).map((alert) => [alert['id'], alert])).values()]
  expect(alerts.length).toBeGreaterThan(3)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('baseline', () => {
  test('does it say what is known of each device, readable and as JSON?', async () => {
    const { code, stdout } = await run('baseline', '--state', state)
    expect(code).toBe(0)
    expect(stdout).toMatch(/HBR_CT1 {2}modality:CT {2}10\.40\.8\.111/)
    expect(stdout).toMatch(/high from 5\.1 \(0\.02 a day\)/)
    const { stdout: one } = await run('baseline', '--state', state, '--device', 'HBR_CT1', '--json')
    const json = JSON.parse(one) as { devices: { name: string; counts: { stream: string; per_day: number }[]; state: string }[]; thresholds: { derived: boolean } }
    expect(json.devices.map(({ name }) => name)).toEqual(['HBR_CT1'])
    expect(json.devices[0]!.counts.find(({ stream }) => stream === 'store.out')!.per_day).toBeGreaterThan(1)
  })

  test('does it compute alerts of the run again, and say so?', async () => {
    for (const { id } of alerts.slice(-2)) {
      const { code, stdout } = await run('baseline', 'explain', '--state', state, id as string, '--json')
      expect(code).toBe(0)
      const { evidence } = JSON.parse(stdout) as { evidence: { p: number | null; computed: number | null; agrees: boolean }[] }
      for (const one of evidence) {
        expect(one.agrees).toBe(true)
        if (one.p !== null) expect(Math.abs(one.computed! / one.p - 1)).toBeLessThan(1e-9)
      }
    }
    const { stdout } = await run('baseline', 'explain', '--state', state, latest())
    expect(stdout).toContain('every rarity computed again is the one in the alert')
    expect(stdout).toMatch(/negative binomial with mean [\d.]+ and size/)
  })

  test('is no line longer than a terminal, and is it said that events came since the alert was told?', async () => {
    const texts = [await run('baseline', '--state', state), await run('baseline', 'explain', '--state', state, latest())].map(({ stdout }) => stdout)
    for (const line of texts.join('').split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    expect(texts[1]!.replace(/\s+/g, ' ')).toMatch(/\d+ events, \d+ of them since revision \d+ was told/)
  })

  test('may the state be named before what is asked of it, and is it asked for where it is missing?', async () => {
    expect((await run('baseline', '--state', state, 'explain', latest())).stdout).toContain(latest())
    const { code, stderr } = await run('baseline', 'explain', latest())
    expect(code).toBe(2)
    expect(stderr).toContain("wardwire: required option '--state <folder>' not specified")
  })

  test('is an answer kept, listed, taken back, and does it never touch what a run has learned?', async () => {
    const before = new State(state)
    const model = JSON.stringify([...before.model()])
    await before.close()
    const { code, stdout } = await run('baseline', 'allow', '--state', state, latest(), '--days', '7', '--why', 'ticket 4711')
    expect(code).toBe(0)
    expect(stdout).toMatch(/up to \d+ .*; what goes beyond is told as ever/)
    expect((await run('baseline', '--state', state)).stdout).toContain('(ticket 4711)')
    const after = new State(state)
    const [feedback] = after.feedback()
    expect(feedback).toMatchObject({ kind: 'allow', alert: latest(), why: 'ticket 4711' })
    expect(JSON.stringify([...after.model()].filter(([key]) => key !== 'feedback'))).toBe(model)
    // Somebody else's answer in the middle of a run does not stop that run from saving.
    after.answer({ ...feedback!, alert: 'a-other' })
    expect(() => after.save(after.model(), after.savedThrough, after.siteKey!)).not.toThrow()
    await after.close()
    expect((await run('baseline', 'take-back', '--state', state, latest())).code).toBe(0)
    expect((await run('baseline', 'take-back', '--state', state, latest())).code).toBe(1)
  })

  test.each([
    ['a folder without a state', ['baseline', '--state', '/nonexistent/state'], /holds no state/],
    ['an alert that is not kept', ['baseline', 'explain', '--state', 'STATE', 'a-none'], /keeps no alert a-none/],
    ['no state', ['baseline', 'explain', 'a-none'], /--state/],
    ['days that are none', ['baseline', 'allow', '--state', 'STATE', 'a-none', '--days', 'never'], /--days never/],
    ['a device that is unknown', ['baseline', '--state', 'STATE', '--device', 'NOBODY'], /no device NOBODY/],
  ])('is %s refused in words?', async (_what, args, message) => {
    const { code, stderr } = await run(...args.map((arg) => (arg === 'STATE' ? state : arg)))
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})
