/**
 * How long a large report takes to make and to open: 10,000 devices, 100,000 operations, 2,000 alerts.
 *
 *     npx tsx test/bench/report.ts [FILE]
 */
import { statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DayReading, DeviceView } from '../../models/outlook.ts'
import type { DicomOperation, Flow, FlowEnd } from '../../protocols/events.ts'
import { Gather } from '../../src/report/gather.ts'
import { pageAssets, pageHtml } from '../../src/report/html.ts'
import { makeAlert } from '../src/alert.ts'
import { executablePath, goTo, launch, watched } from '../src/report/browser.ts'

const DEVICES = 10_000
const OPERATIONS = 100_000
const DAYS = 14
const ALERTS = 2000
const START = Date.UTC(2026, 1, 2) * 1000

const ROLES = ['modality:CT', 'modality:MR', 'modality:DX', 'workstation', 'hl7-source', 'unknown']
const ip = (n: number): string => `10.${n >> 14}.${(n >> 6) & 255}.${(n & 63) + 1}`
const views: DeviceView[] = Array.from({ length: DEVICES }, (_, n) => ({
  id: `dev-${n}`, name: `DEVICE_${n}`, role: n < 20 ? 'archive' : ROLES[n % ROLES.length]!, ip: ip(n),
  addresses: [{ ip: ip(n), mac: '02:00:00:00:00:01', first: START, last: START + DAYS * 86_400e6, public: false }],
  ae_titles: [`AE_${n}`], applications: [], implementation: '1.2.3', version: 'V1', host: null, modalities: {}, first: START, last: START, events: n, days: DAYS,
}))
const readings: [string, DayReading[]][] = views.map(({ id }) => [id, ['store.out', 'images.out', 'query', 'retrieve', 'matches'].map((stream) => ({ stream, unit: stream, observed: 10, expected: 9.5, high: 30, days: 9 }))])
const outlook = { view: () => views, readings: () => readings } as unknown as Parameters<Gather['data']>[0]

const flowOf = (client: number, server: number): Flow => ({
  id: 'x', transport: 'tcp', client: { ip: ip(client), port: 50_000, mac: null }, server: { ip: ip(server), port: 104, mac: null }, vlan: [], community_id: '1:x', midstream: false,
})

const gather = new Gather()
const began = process.cpuUsage()
for (let i = 0; i < OPERATIONS; i++) {
  const at = START + Math.floor((i / OPERATIONS) * DAYS * 86_400e6)
  const flow = flowOf(i % DEVICES, (i * 7) % 20)
  const common = { at, flow, complete: true, after_gap: false }
  gather.event({ ...common, kind: 'dicom.operation', command: 'C-STORE', dataset: { bytes: 500_000 } } as unknown as DicomOperation, outlook)
  gather.event({ ...common, kind: 'flow', protocol: 'dicom', state: 'established', bytes: { client: 500_000, server: 300 }, started: at, ended_at: at } as unknown as FlowEnd, outlook)
}
for (let i = 0; i < ALERTS; i++) {
  const alert = makeAlert({ id: `a-${i}`, severity: (['low', 'medium', 'high'] as const)[i % 3]!, raised_at: START + i * 60e6 })
  gather.alert({ ...alert, device: { ...alert.device, id: `dev-${i * 3}` } })
}
const gathered = process.cpuUsage(began)
const data = gather.data(outlook, { version: 'bench', sensor: 'bench', files: ['bench.pcap'] })
const path = process.argv[2] ?? join(tmpdir(), 'wardwire-report-bench.html')
writeFileSync(path, pageHtml(await pageAssets(), data))
const made = process.cpuUsage(began)
const seconds = (u: NodeJS.CpuUsage): string => ((u.user + u.system) / 1e6).toFixed(2)
console.log(`gathered ${2 * OPERATIONS} events in ${seconds(gathered)} s of processor time, file of ${(statSync(path).size / 1e6).toFixed(1)} MB after ${seconds(made)} s`)
if (executablePath === undefined) process.exit()
const browser = await launch()
const { page, faults } = await watched(browser)
const timed = async (what: string, act: () => Promise<unknown>): Promise<void> => {
  const from = performance.now()
  await act()
  console.log(`${what}: ${(performance.now() - from).toFixed(0)} ms`)
}
await timed('open, summary drawn', async () => {
  await page.goto(`file://${path}`)
  await page.waitForSelector('#view-summary .tiles')
})
await timed('alerts', async () => {
  await goTo(page, 'alerts')
  await page.waitForSelector('#view-alerts details')
})
await timed('devices', async () => {
  await goTo(page, 'devices')
  await page.waitForSelector('#view-devices tbody tr')
})
await timed('map', async () => {
  await goTo(page, 'map')
  await page.waitForFunction('window.wardwireMap')
})
console.log('map', JSON.stringify(await page.evaluate('window.wardwireMap')))
await timed('timeline', async () => {
  await goTo(page, 'timeline')
  await page.waitForSelector('#view-timeline canvas')
})
await page.screenshot({ path: '/tmp/report/bigt.png' })
await goTo(page, 'map')
await page.waitForTimeout(1500)
await page.screenshot({ path: '/tmp/report/big-map.png' })
console.log(faults.length === 0 ? 'no complaints' : faults)
await browser.close()
