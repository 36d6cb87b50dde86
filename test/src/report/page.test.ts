/** Is the report something to look at, in a real browser, whatever the wire said? */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, wardwire } from '../program.ts'
import { executablePath, goTo, isPainted, launch, NO_BROWSER, watched } from './browser.ts'
import { hostileCapture } from './hostile.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardwire-report-'))
const report = join(folder, 'report.html')
const url = `file://${report}`
let browser: Browser
let alerts: Record<string, unknown>[] = []

beforeAll(async () => {
  const run = await wardwire(['replay', 'fixtures/demo/hospital.pcap.gz', '--report', report, '--alerts', join(folder, 'alerts')], { env: { XDG_STATE_HOME: folder } })
  expect(run.code, run.stderr).toBe(0)
  const revisions = jsonLines(readFileSync(join(folder, 'alerts'), 'utf8'))
  alerts = [...new Map(revisions.map((a) => [a['id'], a])).values()]
  if (executablePath !== undefined) browser = await launch()
  else console.warn(NO_BROWSER)
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the file', () => {
  test('does it forbid everything but what is in it?', () => {
    const html = readFileSync(report, 'utf8')
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'none'")
    expect(policy).not.toContain('unsafe')
    // No attribute of the page itself fetches anything.
    expect(html.slice(0, html.indexOf('<style')) + html.slice(html.indexOf('<body>'), html.indexOf('<script'))).not.toMatch(/(src|href)=/)
  })
})

describe.skipIf(executablePath === undefined)('in the browser', () => {
  test.each(['light', 'dark'] as const)('is every view drawn without a complaint (%s)?', async (colorScheme) => {
    const { page, faults } = await watched(browser, { colorScheme })
    await page.goto(url)
    for (const view of ['summary', 'alerts', 'timeline', 'map', 'devices', 'networks', 'unseen']) {
      await goTo(page, view)
      await page.waitForSelector(`#view-${view} .content > *`)
      expect(await page.locator('section.shown').count()).toBe(1)
    }
    expect(await page.locator('#view-unseen').innerText()).toContain('not recognised')
    expect(faults).toEqual([])
    await page.close()
  })

  test('is every alert reachable, with its explanation, evidence and the command that cuts its packets?', async () => {
    const { page, faults } = await watched(browser)
    await page.goto(url)
    expect(alerts.length).toBeGreaterThan(3)
    for (const alert of alerts) {
      await goTo(page, `alert=${alert['id'] as string}`)
      const card = page.locator(`#alert-${alert['id'] as string}`)
      await card.locator('.why').first().waitFor()
      const text = await card.innerText()
      expect(text).toContain(alert['title'])
      expect(text).toContain((alert['explanation'] as string).slice(0, 80))
      expect(text).toContain(`--alert ${join(folder, 'alerts')}:${alert['id'] as string}`)
      expect(await card.locator('tbody tr').count()).toBe((alert['evidence'] as unknown[]).length)
    }
    expect(faults).toEqual([])
    await page.close()
  })

  test('does the first page say how old the systems are and what the networks mix, beside the published figures?', async () => {
    const { page } = await watched(browser)
    await page.goto(url)
    await page.waitForSelector('nav')
    const text = await page.locator('#view-summary').innerText()
    expect(text).toMatch(/\d of \d imaging devices that show a system runs? one past its end of life \(\d+ %; published: 83 %\)/)
    expect(text).toMatch(/\d of \d networks? mix(es)? medical devices with other hosts \(\d+ %; published: 72 %\)/)
    await page.close()
  })

  test('do map and charts show what the replay saw?', async () => {
    const { page, faults } = await watched(browser)
    await page.goto(`${url}#map`)
    await page.waitForFunction('window.wardwireMap')
    const drawn = await page.evaluate<{ nodes: number; edges: number }>('window.wardwireMap')
    expect(drawn.nodes).toBeGreaterThan(15)
    expect(drawn.edges).toBeGreaterThan(20)
    expect(await isPainted(page, '#view-map canvas[data-id="layer2-node"]')).toBe(true)
    await goTo(page, 'timeline')
    await page.waitForSelector('#view-timeline .u-wrap canvas')
    expect(await isPainted(page, '#view-timeline canvas')).toBe(true)
    await goTo(page, `device=${(alerts[0]!['device'] as { id: string }).id}`)
    await page.waitForSelector('#view-device figure canvas')
    expect(await isPainted(page, '#view-device figure canvas')).toBe(true)
    expect(await page.locator('#view-device figcaption').first().innerText()).toMatch(/observed, .* expected/)
    expect(faults).toEqual([])
    await page.close()
  })

  test('can the map be read on a phone, and does the page stay within it?', async () => {
    const { page, faults } = await watched(browser, { viewport: { width: 390, height: 844 } })
    await page.goto(`${url}#map`)
    await page.waitForFunction('window.wardwireMap')
    const letters = (): Promise<number> => page.evaluate('window.wardwireMap.letters')
    const upright = await letters()
    expect(upright).toBeGreaterThan(8)
    for (const view of ['summary', 'alerts', 'timeline', 'map', 'devices', 'networks', 'unseen']) {
      await goTo(page, view)
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBe(390)
    }
    // Turned, it is drawn anew: stages side by side.
    await goTo(page, 'map')
    await page.setViewportSize({ width: 844, height: 390 })
    await expect.poll(letters).not.toBe(upright)
    expect(faults).toEqual([])
    await page.close()
  })

  test('can it be used by keyboard alone, and is every control named?', async () => {
    const { page } = await watched(browser)
    await page.goto(url)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    for (let i = 0; i < 2; i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#view-alerts.shown')
    await page.locator('#view-alerts summary').first().focus()
    await page.keyboard.press('Enter')
    await page.locator('#view-alerts details[open] .why').first().waitFor()
    for (const view of ['alerts', 'map', 'devices']) {
      await goTo(page, view)
      const nameless = await page.evaluate(`[...document.querySelectorAll('section.shown button, section.shown input, section.shown select, section.shown a')]
        .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length > 0))).map((e) => e.outerHTML)`)
      expect(nameless).toEqual([])
    }
    await page.close()
  })

  test('does paper hold all of it?', async () => {
    const { page, faults } = await watched(browser, { colorScheme: 'dark', viewport: { width: 760, height: 1000 } })
    await page.goto(url)
    await page.waitForSelector('nav')
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await page.emulateMedia({ media: 'print' })
    const text = await page.locator('main').innerText()
    for (const alert of alerts) {
      expect(text).toContain(alert['title'])
      expect(text).toContain(`--alert ${join(folder, 'alerts')}:${alert['id'] as string}`)
    }
    // Drawn there and then: paper waits for no frame.
    await expect.poll(() => page.evaluate("document.querySelector('#view-map img')?.naturalWidth ?? 0")).toBeGreaterThan(600)
    expect(await isPainted(page, '#view-timeline canvas')).toBe(true)
    const over = await page.evaluate("[...document.querySelectorAll('table, canvas, img')].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 80))")
    expect(over).toEqual([])
    expect(text).toContain('What was not seen')
    expect(await page.locator('nav').isVisible()).toBe(false)
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await page.emulateMedia({ media: 'screen' })
    expect(await page.locator('section:visible').count()).toBe(1)
    expect(faults).toEqual([])
    await page.close()
  })

  test('does text from the wire stay text?', async () => {
    const capture = join(folder, 'hostile.pcap')
    const hostile = join(folder, "it's <hostile>.html")
    writeFileSync(capture, hostileCapture())
    const run = await wardwire(['replay', capture, '--report', hostile], { env: { XDG_STATE_HOME: folder } })
    expect(run.code, run.stderr).toBe(0)
    const html = readFileSync(hostile, 'utf8')
    expect(html.match(/<script/g)?.length).toBe(2)
    expect(html).not.toContain('<img')
    const { page, faults } = await watched(browser)
    await page.goto(`file://${encodeURI(hostile)}`)
    await goTo(page, 'map')
    const nodes = (): Promise<number> => page.evaluate('window.wardwireMap.nodes')
    await page.waitForFunction('window.wardwireMap')
    const all = await nodes()
    await page.getByLabel('Network', { exact: true }).selectOption('10.9.2.0/24')
    expect(await nodes()).toBeLessThan(all)
    expect(await nodes()).toBeGreaterThan(1)
    for (const view of ['summary', 'alerts', 'timeline', 'map', 'devices', 'networks', 'unseen']) {
      await goTo(page, view)
      await page.waitForSelector(`#view-${view} .content > *`)
      expect(await page.evaluate("document.querySelectorAll('main img, main script, main svg, main b, main i').length"), view).toBe(0)
      expect(await page.locator(`#view-${view}`).innerText()).not.toMatch(/[\u0007\u001b\u202e]/)
    }
    await goTo(page, 'devices')
    let pages = ''
    for (const id of await page.locator('#view-devices tbody a').evaluateAll((links) => links.map((a) => (a as unknown as { hash: string }).hash))) {
      await goTo(page, id.slice(1))
      pages += await page.locator('#view-device').innerText()
    }
    expect(pages).toContain('<b>CT</b>')
    expect(pages).toContain('</script><script>alert(1)')
    expect(faults).toEqual([])
    await page.close()
  })
})
