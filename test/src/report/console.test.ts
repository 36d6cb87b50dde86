/** Does the console serve the person who started it, live, and nobody else? */
import { createServer, request, type Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Alert } from '../../../models/alert.ts'
import { allow } from '../../../models/feedback.ts'
import { Engine } from '../../../models/engine.ts'
import { Console, type Change, type ConsoleSource, type Decision } from '../../../src/report/console.ts'
import { Gather } from '../../../src/report/gather.ts'
import { pageAssets } from '../../../src/report/html.ts'
import { StateSource } from '../../../src/report/state-source.ts'
import { State } from '../../../src/store/state.ts'
import { makeAlert, numbered } from '../alert.ts'
import { wardwire } from '../program.ts'
import { ordinaryDays } from '../small-hospital.ts'
import { executablePath, launch, NO_BROWSER, watched } from './browser.ts'
import { IMAGE, SCRIPT, TURNED } from './hostile.ts'

const assets = await pageAssets()
const hostile = (n: number): Alert => makeAlert({
  id: `a-${n}`, title: `${IMAGE} ${SCRIPT} ${n}`, explanation: `${TURNED} ${SCRIPT}`, hosts: [SCRIPT],
  device: { id: SCRIPT, role: IMAGE, name: `${SCRIPT}${'x'.repeat(500)}`, ip: [IMAGE], mac: [], ae_titles: [TURNED] },
})

/** A source whose decisions can be looked at. */
class Fake implements ConsoleSource {
  readonly gather = new Gather()
  readonly done: string[] = []
  listener: ((change: Change) => void) | undefined
  acknowledged: Record<string, Decision> = {}
  data = (): ReturnType<Gather['data']> => this.gather.data(new Engine({ onAlert: () => {} }), { version: '1', sensor: SCRIPT, files: [IMAGE] })
  decisions = (): Record<string, Decision> => this.acknowledged
  watch(listener: (change: Change) => void): () => void {
    this.listener = listener
    return () => { this.listener = undefined }
  }
  #note(what: string): string {
    this.done.push(what)
    return `done: ${what}`
  }
  acknowledge(id: string, on: boolean): string {
    this.acknowledged = on ? { [id]: { acknowledged: true } } : {}
    return this.#note(`${on ? 'acknowledge' : 'reopen'} ${id}`)
  }
  allow = (id: string, days: number, why: string): string => this.#note(`allow ${id} ${days} ${why}`)
  malicious = (id: string): string => this.#note(`malicious ${id}`)
  takeBack = (id: string): string => this.#note(`take-back ${id}`)
}

let source: Fake
let desk: Console
let url: URL
beforeEach(async () => {
  source = new Fake()
  source.gather.alert(hostile(1))
  desk = new Console(source, assets)
  url = new URL(await desk.listen(0))
})
afterEach(() => desk.close())

interface Said { status: number; body: string; headers: Record<string, string | string[] | undefined> }

function ask(path: string, { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: url.port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: response.statusCode!, body: text, headers: response.headers }))
    })
    asked.on('error', reject).end(body)
  })
}

const withToken = (more: Record<string, string> = {}): Record<string, string> => ({ authorization: `Bearer ${desk.token}`, ...more })
const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Said> =>
  ask(path, { method: 'POST', body, headers: withToken({ 'content-type': 'application/json', ...headers }) })

describe('who is answered', () => {
  test('does the page hold no data, and forbid everything but itself?', async () => {
    const page = await ask('/')
    expect(page.status).toBe(200)
    expect(page.body).not.toContain('alert(1)')
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/)
    expect(page.headers['cross-origin-resource-policy']).toBe('same-origin')
    expect(Object.keys(page.headers)).not.toContain('access-control-allow-origin')
  })

  test.each([
    ['a name that was made to point here', { host: 'evil.example' }],
    ['the right name with another port', { host: '127.0.0.1:1' }],
    ['a page from elsewhere', { origin: 'http://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }],
  ] as [string, Record<string, string>][])('is %s refused, even with the token?', async (_name, headers) => {
    for (const path of ['/', '/data', '/live']) expect((await ask(path, { headers: withToken(headers) })).status).toBe(403)
    expect((await post('/alerts/a-1/acknowledge', '{}', headers)).status).toBe(403)
    expect(source.done).toEqual([])
  })

  test('is a wrong token refused, wherever there is data or a decision?', async () => {
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: `Bearer ${'x'.repeat(desk.token.length)}` }, { authorization: desk.token }] as Record<string, string>[]) {
      for (const path of ['/data', '/live']) expect((await ask(path, { headers })).status).toBe(401)
      expect((await ask('/alerts/a-1/acknowledge', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' })).status).toBe(401)
    }
    expect((await ask(`/data?token=${desk.token}`)).status).toBe(401)
    expect(source.done).toEqual([])
  })

  test('are decisions taken as they are meant, and odd ones refused?', async () => {
    expect((await post('/alerts/a-1/allow', '{"days":14,"why":"ticket 7"}')).status).toBe(200)
    expect((await post('/alerts/a-1/malicious', '')).status).toBe(200)
    expect(source.done).toEqual(['allow a-1 14 ticket 7', 'malicious a-1'])
    expect((await post('/alerts/a-1/allow', '{"days":"9e9"}')).status).toBe(409)
    expect((await post('/alerts/a-1/explode', '{}')).status).toBe(404)
    expect((await post('/alerts/a-1/acknowledge', '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post('/alerts/a-1/acknowledge', `{"x":"${'y'.repeat(5000)}"}`)).status).toBe(413)
    expect((await post('/alerts/a-1/acknowledge', '[]')).status).toBe(413)
    expect((await ask('/../../etc/passwd', { headers: withToken() })).status).toBe(404)
    expect(source.done).toHaveLength(2)
  })
})

describe.skipIf(executablePath === undefined)('in the browser', () => {
  let browser: Browser
  let elsewhere: Server
  beforeAll(async () => {
    browser = await launch()
    elsewhere = createServer((_, response) => { response.setHeader('content-type', 'text/html').end('<title>elsewhere</title>') })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await browser.close()
    elsewhere.close()
  })

  test('do alerts appear as they are raised, and do decisions reach the source?', async () => {
    const { page, faults } = await watched(browser)
    await page.goto(url.href)
    await page.waitForSelector('nav')
    expect(page.url()).not.toContain(desk.token)
    await page.click('#to-alerts')
    await page.locator('details.alert').first().waitFor()
    expect(await page.locator('details.alert').count()).toBe(1)
    await expect.poll(() => page.locator('.live').innerText()).toBe('live')
    source.gather.alert(hostile(2))
    source.listener!({ alert: hostile(2) })
    await expect.poll(() => page.locator('details.alert').count()).toBe(2)
    expect(await page.locator('.live').innerText()).toContain('<img src=x onerror=alert(2)>')
    expect(await page.evaluate("document.querySelectorAll('#page img, #page script').length")).toBe(0)

    await page.locator('details.alert summary').first().click()
    await page.locator('details[open] input[type=number]').fill('7')
    await page.locator('details[open] input[maxlength]').fill('ticket 9')
    await page.locator('details[open] button', { hasText: 'Allow' }).click()
    await expect.poll(() => source.done.at(-1)).toMatch(/^allow a-[12] 7 ticket 9$/)
    await page.locator('details[open] button', { hasText: 'Acknowledge' }).click()
    await expect.poll(() => page.locator('details.alert').count()).toBe(1)
    await page.fill('#alert-search', 'no such thing')
    expect(await page.locator('details.alert').count()).toBe(0)
    expect(faults).toEqual([])
    await page.close()
  })

  test('can a page from elsewhere neither read nor decide, not even with the token?', async () => {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`)
    const outcome = await page.evaluate(`Promise.allSettled([
      fetch('${url.origin}/data', { headers: { authorization: 'Bearer ${desk.token}' } }).then((r) => r.text()),
      fetch('${url.origin}/data', { mode: 'no-cors' }).then((r) => r.text()),
      fetch('${url.origin}/alerts/a-1/malicious', { method: 'POST', mode: 'no-cors', body: '{}' }),
    ]).then((all) => all.map((one) => one.value ?? 'refused').map(String))`)
    expect(JSON.stringify(outcome)).not.toContain('a-1')
    expect(source.done).toEqual([])
    await page.close()
  })

  test('does it say what is missing when the token is?', async () => {
    const page = await browser.newPage()
    await page.goto(`${url.origin}/`)
    await page.waitForSelector('.lead')
    expect(await page.locator('.lead').innerText()).toContain('token')
    await page.close()
  })
})
if (executablePath === undefined) console.warn(NO_BROWSER)

describe('a console beside runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wardwire-console-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('does it see what another process saves, and keep what is acknowledged?', async () => {
    const capture = join(folder, 'days.pcap')
    const path = join(folder, 'state')
    writeFileSync(capture, ordinaryDays(2))
    const run = (): ReturnType<typeof wardwire> => wardwire(['replay', capture, '--state', path, '--report', join(folder, 'r.html')], { env: { XDG_STATE_HOME: folder } })
    expect((await run()).code).toBe(0)
    const state = new State(path)
    const beside = new StateSource(state)
    const changes: Change[] = []
    const end = beside.watch((change) => changes.push(change))
    try {
      expect(beside.data().devices.length).toBe(4)
      expect(beside.data().edges.length).toBeGreaterThan(0)
      expect((await run()).code).toBe(0)
      await expect.poll(() => changes.includes('data'), { timeout: 10_000 }).toBe(true)
      state.desk.acknowledge('a-7', 1)
      expect(new StateSource(state).decisions()['a-7']?.acknowledged).toBe(true)
      state.desk.acknowledge('a-7', null)
      expect(beside.decisions()).toEqual({})
      const alert = numbered(3)
      state.answer(allow(alert, 30, 'ticket 5'))
      expect(beside.decisions()[alert.id]?.answer).toMatch(/^Allowed until 20\d\d-.* \(ticket 5\)\.$/)
      expect(beside.takeBack(alert.id)).toContain('taken back')
      expect(beside.decisions()).toEqual({})
      expect(() => beside.allow('a-none', 3, '')).toThrow('no alert')
      expect(() => beside.acknowledge(numbered(1).id, true)).toThrow('no alert')
    } finally {
      end()
      await state.close()
    }
  })

  test('is a folder without a state one clear line?', async () => {
    const run = await wardwire(['console', '--state', join(folder, 'none'), '--port', '0'])
    expect([run.code, run.stderr]).toEqual([2, `wardwire: ${join(folder, 'none')} holds no state: give the folder that --state of replay or watch has written\n`])
  })
})
