/** `wardwire watch --console`: the console inside a service, over what it is judging now. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Service, until } from '../service.ts'
import { State } from '../../../src/store/state.ts'
import { executablePath, goTo, isPainted, launch, watched } from './browser.ts'
import { wardwire } from '../program.ts'

let folder: string
let service: Service
const state = (): string => join(folder, 'state')
const demo = gunzipSync(readFileSync(join(import.meta.dirname, '../../../fixtures/demo/hospital.pcap.gz')))
/** So much of it has no alert yet that is more than a note. */
const QUIET = Math.round(demo.length / 2)

beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'wardwire-live-console-')) })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the console of a service', () => {
  let address: URL
  let token: string
  beforeAll(async () => {
    service = new Service(['watch', '-', '--state', state(), '--console', '0', '--alerts', join(folder, 'alerts.jsonl')], { env: { XDG_STATE_HOME: folder } })
    await service.says('the console is on')
    address = new URL(readFileSync(join(state(), 'console-address'), 'utf8').trim())
    token = address.hash.slice('#token='.length)
    await service.feed(demo.subarray(0, QUIET))
  })
  afterAll(async () => { await service.stop() })

  test('is its address for its owner alone, and in no log?', () => {
    expect(statSync(join(state(), 'console-address')).mode & 0o777).toBe(0o600)
    expect(token.length).toBeGreaterThan(20)
    expect(service.stderr + service.stdout).not.toContain(token)
    expect(address.hostname).toBe('127.0.0.1')
  })

  test('does it answer nobody without the token or from another origin?', async () => {
    expect((await fetch(`${address.origin}/data`)).status).toBe(401)
    const decide = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${address.origin}/alerts/a-1/acknowledge`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...headers } })
    expect((await decide({})).status).toBe(401)
    expect((await decide({ authorization: `Bearer ${token}`, origin: 'http://evil.example' })).status).toBe(403)
    expect((await decide({ authorization: `Bearer ${token}` })).status).toBe(409)
  })

  test.skipIf(executablePath === undefined)('do alerts arrive in the open page as they are raised, over devices, map and networks of now; is an answer heeded at once, and kept?', async () => {
    const browser = await launch()
    try {
      const { page, faults } = await watched(browser)
      await page.goto(address.href)
      await page.waitForSelector('nav')
      await page.click('#to-alerts')
      const alerts = page.locator('details.alert')
      await expect.poll(() => page.locator('.live').innerText()).toContain('live')
      const before = await alerts.count()
      const rest = service.feed(demo.subarray(QUIET))
      await expect.poll(() => alerts.count(), { timeout: 30_000 }).toBeGreaterThan(before)
      expect(await page.locator('.live').innerText()).toContain('new:')
      await rest

      await alerts.first().locator('summary').click()
      await expect.poll(() => page.locator('details[open]').first().innerText()).toContain(`--alert ${join(folder, 'alerts.jsonl')}:a-`)
      await page.locator('details[open] input[type=number]').fill('7')
      await page.locator('details[open] input[maxlength]').fill('ticket 9')
      await page.locator('details[open] button', { hasText: 'Allow' }).click()
      await expect.poll(() => page.locator('details[open]').first().innerText()).toContain('heeded from now on')

      await until(async () => {
        const { data } = await (await fetch(`${address.origin}/data`, { headers: { authorization: `Bearer ${token}` } })).json() as { data: { devices: unknown[]; edges: unknown[]; posture?: { inventory: unknown[] } } }
        return data.devices.length > 9 && data.edges.length > 9 && (data.posture?.inventory.length ?? 0) > 9
      })
      await page.reload()
      await page.waitForSelector('nav')
      await goTo(page, '#map')
      await expect.poll(() => isPainted(page, '#view-map canvas[data-id="layer2-node"]')).toBe(true)
      expect(faults).toEqual([])
    } finally {
      await browser.close()
    }
    expect(await service.stop()).toEqual({ code: 0, signal: null })
    expect(existsSync(join(state(), 'console-address'))).toBe(false)
    const kept = new State(state())
    expect(kept.feedback()).toMatchObject([{ kind: 'allow', why: 'ticket 9' }])
    await kept.close()
  })
})

test('is a console whose address would have to stand in a log refused?', async () => {
  const { code, stderr } = await wardwire(['watch', '-', '--console', '0'], { env: { XDG_STATE_HOME: folder } })
  expect([code, stderr.split('\n').at(-2)]).toEqual([2, 'wardwire: the console cannot be opened: it needs --state, or a terminal, for its address'])
})
