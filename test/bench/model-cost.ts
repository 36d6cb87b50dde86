/**
 * What the models cost: memory of many devices in one process, and bytes of state of each.
 *
 *     node --import tsx --expose-gc test/bench/model-cost.ts [devices] [days] [--default-heap]
 */
import { Engine } from '../../models/engine.ts'
import { keepHeapSmall } from '../../src/heap.ts'
import { MINUTE, SECOND, association, at, find, flow, host, message, store, study } from '../models/build.ts'

const DEVICES = Number(process.argv[2] ?? 5000)
const DAYS = Number(process.argv[3] ?? 5)
const ARCHIVES = Array.from({ length: Math.ceil(DEVICES / 250) }, (_, i) => host(`ARCHIVE${i}`, `10.1.1.${i + 1}`))

// As the services do.
if (!process.argv.includes('--default-heap')) keepHeapSmall()
const engine = new Engine({ onAlert: () => undefined })
let events = 0
const began = process.cpuUsage()
for (let day = 0; day < DAYS; day++) {
  for (let hour = 8; hour < 18; hour += 2) {
    for (let d = 0; d < DEVICES; d++) {
      const device = host(`DEV${d}`, `10.${20 + (d >> 14)}.${(d >> 7) & 127}.${(d & 127) + 1}`)
      const archive = ARCHIVES[d % ARCHIVES.length]!
      const on = flow(device, archive)
      const when = at(day, hour) + d * 1000
      engine.event(find(on, when, device.name, 3))
      for (let i = 0; i < 3; i++) engine.event(store(on, when + SECOND, device.name, study(`${day}.${hour}.${d}`, `p${d}.${day}.${hour}`, day)))
      engine.event(association(on, when + MINUTE, device.name, { 'C-STORE': 3, 'C-FIND': 1 }))
      if (d % 10 === 0) engine.event(message(on, when + MINUTE, device, archive, 'ADT^A08', `p${d}`))
      events += d % 10 === 0 ? 6 : 5
    }
  }
}
const used = process.cpuUsage(began)
globalThis.gc?.()
const rss = process.memoryUsage.rss()
const peak = process.resourceUsage().maxRSS * 1024
const sizes = [...engine.save()].filter(([key]) => key.startsWith('device/')).map(([, value]) => JSON.stringify(value).length).sort((a, b) => a - b)
const { heapUsed } = process.memoryUsage()
console.log(JSON.stringify({
  devices: sizes.length, days: DAYS, events, cpu_us_per_event: Math.round((used.user + used.system) / events * 10) / 10,
  rss_mb: Math.round(rss / 1e6), peak_mb: Math.round(peak / 1e6), heap_mb: Math.round(heapUsed / 1e6),
  state_bytes_per_device: { median: sizes[sizes.length >> 1], p99: sizes[Math.floor(sizes.length * 0.99)], most: sizes.at(-1) },
}))
