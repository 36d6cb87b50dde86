/**
 * What hostile floods make the models remember: invented senders, callers, targets and contacts, from one address or from thousands, within a day.
 *
 *     node --import tsx --expose-gc test/bench/model-flood.ts [events]
 *
 * Of each flood: heap after collection, devices, values remembered and forgotten, the largest saved device. Caps: models/directory.ts, models/baseline/recall.ts.
 */
import type { WireEvent } from '../../protocols/events.ts'
import { MEMORIES } from '../../models/baseline/novelty.ts'
import { Engine } from '../../models/engine.ts'
import { DAY, association, at, flow, flowEnd, host, message, store, study, type Host } from '../models/build.ts'

const EVENTS = Number(process.argv[2] ?? 300_000)
const archive = host('ARCHIVE', '10.1.1.1')
const one = '10.9.9.9'
const ip = (n: number): string => `10.${100 + ((n >> 16) & 63)}.${(n >> 8) & 255}.${n & 255}`
const sends = (from: Host, i: number, when: number): WireEvent => store(flow(from, archive), when, from.name, study(`s${i}`, `p${i}`, 0))

const FLOODS: Record<string, (i: number, when: number) => WireEvent> = {
  'HL7 applications, one address': (i, when) => message(flow(host('X', one), archive), when, host(`APP${i}`, one), archive, `ADT^A${i % 90}`, `p${i}`),
  'HL7 applications, 20,000 addresses': (i, when) => {
    const from = host(`APP${i}`, ip(i % 20_000))
    return message(flow(from, archive), when, from, archive, `ADT^A${i % 90}`, `p${i}`)
  },
  'AE titles, one address': (i, when) => association(flow(host(`AE${i}`, one), archive), when, `AE${i}`, { 'C-ECHO': 1 }),
  'AE titles, 20,000 addresses': (i, when) => sends(host(`AE${i}`, ip(i % 20_000)), i, when),
  'addresses': (i, when) => sends(host(`AE${i}`, ip(i)), i, when),
  'targets': (i, when) => association(flow(host('SCAN', one), host('T', ip(i))), when, 'SCAN', { 'C-ECHO': 1 }),
  'everybody to everybody': (i, when) => sends(host(`M${i % 2000}`, ip(i % 2000)), i, when),
  'contacts of 2,000': (i, when) => flowEnd(flow(host(`M${i % 2000}`, ip(i % 2000)), host('T', ip(3000 + (i % 7))), 1 + Math.floor(i / 2000)), when, null),
}

for (const [name, event] of Object.entries(FLOODS)) {
  const engine = new Engine({ onAlert: () => undefined })
  const begun = process.cpuUsage()
  for (let i = 0; i < EVENTS; i++) engine.event(event(i, at(0, 8) + Math.floor(i * (DAY / EVENTS))))
  const { user, system } = process.cpuUsage(begun)
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed
  let values = 0
  for (const { memories } of engine.devices.values()) for (const memory of MEMORIES) values += memories[memory].known.size
  const largest = Math.max(...[...engine.save()].filter(([key]) => key.startsWith('device/')).map(([, saved]) => JSON.stringify(saved).length))
  console.log(`${name}: ${(heap / 1e6).toFixed(0)} MB heap, ${engine.devices.size} devices, ${values} values remembered, ${engine.counts.forgotten} forgotten, largest device saved in ${(largest / 1000).toFixed(0)} kB, ${((user + system) / EVENTS).toFixed(0)} µs an event`)
}
