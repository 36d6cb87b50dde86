/**
 * A service under load for as long as you like: `npx tsx test/soak/watch.ts [MINUTES] [MEBIBYTES_A_SECOND]` (default: 60 and 2). `wardwire watch -` is fed day after day of a
 * hospital whose devices get into trouble, and publishes to a file and to a receiver that goes away for ten seconds of each minute. At the end every alert that it told
 * of must have come to both; and what it holds must not grow: the least heap in use of each tenth of the time after the first third is looked at, and a line
 * through them may rise by less than a mebibyte a minute (R29). Exit code 1 where one of them does not hold.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { linearRegression } from 'simple-statistics'
import { get, lines, metricsOf, Service } from '../src/service.ts'
import { manyTroubles } from '../src/small-hospital.ts'

const [minutes = 60, rate = 2] = process.argv.slice(2).map(Number)
/** A capture file begins with so many bytes of its own; days after the first go without. */
const FILE_HEADER = 24
const SLICE = 64 * 1024
const MIB = 1024 * 1024

const folder = mkdtempSync(join(tmpdir(), 'wardwire-soak-'))
const at = (name: string): string => join(folder, name)

const received = new Set<string>()
const receiver = createServer((request, response) => {
  const isAway = Date.now() / 1000 % 60 < 10
  let body = ''
  request.on('data', (text: Buffer) => { body += text.toString() }).on('end', () => {
    if (!isAway) for (const [, id] of body.matchAll(/"schema":"wardwire.alert\/1","id":"([^"]+)"/g)) received.add(id!)
    response.writeHead(isAway ? 503 : 200).end()
  })
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))

writeFileSync(at('config.yaml'), `sinks: [{ type: jsonl, path: ${at('delivered.jsonl')} }, { type: webhook, url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/" }]\nservice: { checkpoint_seconds: 20 }\n`)
const service = new Service(['watch', '-', '--state', at('state'), '--publish', '--config', at('config.yaml'), '--alerts', at('accepted.jsonl'), '--metrics-port', '0'], { env: { XDG_STATE_HOME: folder } })
const port = await service.port()

const began = Date.now()
const passed = (): number => (Date.now() - began) / 60_000
/** [minute, bytes] */
const heaps: [number, number][] = []
let fed = 0
let days = 0
let unanswered = 0
let isOver = false
const looking = setInterval(() => {
  get(port, '/metrics').then(({ body }) => {
    const metrics = metricsOf(body)
    heaps.push([passed(), metrics.get('nodejs_heap_used_bytes')!])
    if (heaps.length % 30 === 0) {
      console.log(`${passed().toFixed(1)} min: ${days} days, ${(fed / MIB).toFixed(0)} MiB, heap ${(heaps.at(-1)![1] / MIB).toFixed(0)} MiB, resident ${(metrics.get('process_resident_memory_bytes')! / MIB).toFixed(0)} MiB, lag p99 ${(1000 * metrics.get('nodejs_eventloop_lag_p99_seconds')!).toFixed(0)} ms`)
    }
  }).catch(() => { unanswered++ })
}, 1000)
void service.ended.then(() => { isOver = true })

for (; passed() < minutes && !isOver; days++) {
  const bytes = manyTroubles(days).subarray(days === 0 ? 0 : FILE_HEADER)
  for (let from = 0; from < bytes.length; from += SLICE) {
    const slice = bytes.subarray(from, from + SLICE)
    await service.feed(slice)
    fed += slice.length
    const ahead = fed / (rate * MIB) - (Date.now() - began) / 1000
    if (ahead > 0) await pause(1000 * ahead)
  }
}
clearInterval(looking)
service.child.stdin!.end()
const { code } = await service.ended
receiver.close()

const accepted = new Set(lines(at('accepted.jsonl')).map((a) => a['id'] as string))
const delivered = new Set(lines(at('delivered.jsonl')).map((a) => a['id'] as string))
const missing = [...accepted].filter((id) => !delivered.has(id) || !received.has(id))
const settled = heaps.filter(([minute]) => minute > minutes / 3)
const width = (minutes - minutes / 3) / 10
const least = Array.from({ length: 10 }, (_, i) => settled.filter(([minute]) => Math.min(9, Math.floor((minute - minutes / 3) / width)) === i))
  .filter((window) => window.length > 0).map((window): [number, number] => [window[0]![0], Math.min(...window.map(([, heap]) => heap)) / MIB])
const slope = linearRegression(least).m
console.log(`${days} days, ${(fed / MIB).toFixed(0)} MiB in ${passed().toFixed(1)} min; exit code ${code}; ${accepted.size} alerts accepted, ${missing.length} missing; least heap in use ${least.map(([, heap]) => heap.toFixed(1)).join(' ')} MiB: ${slope.toFixed(2)} MiB a minute`)
if (unanswered > 0) console.log(`${unanswered} of ${unanswered + heaps.length} times its metrics could not be read`)
if (code !== 0) console.log(service.stderr)
rmSync(folder, { recursive: true, force: true })
process.exitCode = missing.length > 0 || accepted.size === 0 || slope >= 1 || code !== 0 ? 1 : 0
