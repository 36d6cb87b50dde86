/** A real browser for the pages, if the machine has one. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const executablePath = PATHS.find((path) => existsSync(path))

/** The line a skipped test leaves. */
export const NO_BROWSER = 'no Chromium on this machine (Debian: apt-get install chromium): the pages are not tested'

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

export interface Watched {
  page: Page
  /** What the page complained about, and what it tried to do that it must not. */
  faults: string[]
}

/** A page whose every complaint, dialog and request to anywhere else is noted. */
export async function watched(browser: Browser, options: Parameters<Browser['newPage']>[0] = {}): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options })
  const faults: string[] = []
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`) })
  page.on('pageerror', (error) => faults.push(`thrown: ${error.message}`))
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => { if (!/^(file|data|blob|http:\/\/(127\.0\.0\.1|localhost))/.test(request.url())) faults.push(`request: ${request.url()}`) })
  return { page, faults }
}

/** Whether something is painted on a canvas: more than one colour. */
export const isPainted = (page: Page, selector: string): Promise<boolean> => page.locator(selector).first().evaluate((element) => {
  const canvas = element as unknown as { width: number; height: number; getContext(kind: '2d'): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } } }
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const colours = new Set<number>()
  for (let i = 0; i < data.length && colours.size < 3; i += 4) colours.add((data[i]! << 24) | (data[i + 1]! << 16) | (data[i + 2]! << 8) | data[i + 3]!)
  return colours.size >= 3
})

export const goTo = async (page: Page, hash: string): Promise<void> => {
  await page.evaluate((to) => { (globalThis as unknown as { location: { hash: string } }).location.hash = to }, hash)
  await page.waitForTimeout(60)
}
