/**
 * Figures for docs/scaling.md, and the proof behind them: captures through sensor -> events topic -> workers that are killed over and over -> alerts
 * topic must give the alerts of one process, each once.
 *
 *   node --expose-gc --import tsx test/kafka/scaling.ts CAPTURE...
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine } from '../../models/engine.ts'
import { eventJson, readEvents } from '../../src/api.ts'
import { configSchema, type KafkaConfig } from '../../src/config.ts'
import { Changelog } from '../../src/detect/changelog.ts'
import { Site } from '../../src/detect/site.ts'
import { DETECT, Worker } from '../../src/detect/worker.ts'
import { EventPublisher } from '../../src/sinks/event-publisher.ts'
import { nativeAlert } from '../../src/sinks/formats/native.ts'
import { topics } from '../../src/sinks/kafka-client.ts'
import { Broker } from './broker.ts'
import { everythingIn } from './topic.ts'

const captures = process.argv.slice(2)
const say = (line: string): void => console.log(line)
const cpu = (): number => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }
const heap = (): number => { global.gc?.(); global.gc?.(); return process.memoryUsage().heapUsed }
const SITE = 'hospital'


const broker = await Broker.start()
const config = (prefix: string, more: object = {}): KafkaConfig =>
  configSchema.parse({ kafka: { brokers: [broker.plain], topic_prefix: prefix, partitions: 4, session_seconds: 6, ...more } }).kafka

// One process: what is right.
const lines: string[] = []
const expected: string[] = []
const engine = new Engine({ onAlert: (alert) => expected.push(nativeAlert(alert)), sensor: SITE, source: 'replay' })
const devices = new Set<string>()
let first = Infinity
let last = 0
const publisher = new EventPublisher(config('one'), { sensor: SITE, site: undefined }, 'replay', captures.join(' '), say)
for await (const event of readEvents(captures, { siteKey: Buffer.alloc(32, 7), onProblem: say })) {
  lines.push(eventJson(event))
  first = Math.min(first, event.at)
  last = Math.max(last, event.at)
  if ('flow' in event) devices.add(event.flow.client.ip).add(event.flow.server.ip)
  engine.event(event)
  publisher.accept(event)
  if (lines.length % 5000 === 0) await publisher.drained()
}
await publisher.close(60_000)
const days = (last - first) / 86_400e6
const json = lines.reduce((sum, line) => sum + line.length, 0)
say(`${captures.length} captures, ${days.toFixed(1)} days, ${devices.size} addresses: ${lines.length} events, ${(json / lines.length).toFixed(0)} bytes of JSON each, ${expected.length} alerts and revisions`)
say(`busiest hour: ${busiest()} events; mean ${(lines.length / days / 86_400).toFixed(2)} events/s`)
say(`broker's log: ${(logBytes('one.events.v1') / lines.length).toFixed(0)} bytes an event`)

// What judging costs, without Kafka and with it.
let began = cpu()
const site = new Site({ onAlert: () => {} })
lines.forEach((line, n) => site.take(line, { sensor: SITE, source: 'replay', stream: 's', n }))
say(`a worker's judging: ${((cpu() - began) / lines.length * 1e6).toFixed(1)} us of processor time an event`)
const state = [...site.save()].map(([name, value]): [string, string] => [name, JSON.stringify(value)])
say(`state of the site: ${state.length} entries, ${(state.reduce((sum, [, value]) => sum + value.length, 0) / 1e3).toFixed(0)} kB of JSON`)
const changelog = new Changelog()
const gather = (): number => {
  const since = cpu()
  changelog.changes([...site.save()].map(([name, value]): [string, string, unknown] => [SITE, name, value])).done()
  return (cpu() - since) * 1000
}
const gathered = Array.from({ length: 7 }, gather).sort((a, b) => a - b)
say(`gathering a checkpoint: ${gathered[3]!.toFixed(0)} ms of processor time (median of 7)`)
const empty = heap()
const held = Array.from({ length: 50 }, () => {
  const one = new Site({ onAlert: () => {} })
  one.load(new Map(state.map(([name, value]): [string, unknown] => [name, JSON.parse(value)])))
  return one
})
say(`memory of a site: ${((heap() - empty) / held.length / 1e6).toFixed(2)} MB of heap`)
held.length = 0

for (const [name, checkpoint] of [['as it is', DETECT.checkpoint], ['a checkpoint every 5000', { messages: 5000, milliseconds: 1e9 }]] as const) {
  const end = new AbortController()
  const kafka = config('one')
  const group = `g${checkpoint.messages}`
  began = cpu()
  const wall = performance.now()
  const worker = new Worker({ kafka, group, ...DETECT, checkpoint, say, signal: end.signal })
  const run = worker.run()
  while (worker.counts.in < lines.length) await sleep(20)
  const spent = cpu() - began
  const took = (performance.now() - wall) / 1000
  // Not its ordinary end: what was not saved must be read again.
  await sleep(500)
  const { transactions, checkpoints, changelog: written } = worker.counts
  end.abort()
  await run
  await worker.close()
  say(`worker, ${name}: ${(lines.length / took).toFixed(0)} events/s, ${(spent / lines.length * 1e6).toFixed(1)} us of processor time an event, ${transactions} transactions, ${checkpoints} checkpoints of ${(written / Math.max(1, checkpoints) / 1e3).toFixed(1)} kB`)
  const again = new AbortController()
  const next = new Worker({ kafka, group, ...DETECT, checkpoint, say, signal: again.signal })
  const resumed = next.run()
  const more = new EventPublisher(kafka, { sensor: SITE, site: undefined }, 'replay', `more ${group}`, say)
  more.accept({ kind: 'capture', at: last, frames: 0, bytes: 0, dropped: {}, gaps: 0, truncated: false })
  await more.close(10_000)
  while (next.counts.restores === 0 || next.counts.in === 0) await sleep(20)
  say(`restored in ${next.counts.restoring.toFixed(0)} ms from a changelog of ${(logBytes(`one.${group}.changelog.v1`) / 1e3).toFixed(0)} kB in the log; ${next.counts.replayed} messages read again`)
  again.abort()
  await resumed
  await next.close()
}

// The proof.
const kafka = config('proof', { session_seconds: 1 })
const worker = (): ChildProcess => spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'worker.ts'), broker.plain, 'proof', '1'], { stdio: 'ignore' })
let workers = [worker(), worker()]
const sensor = new EventPublisher(kafka, { sensor: SITE, site: undefined }, 'replay', 'proof', say)
let over = false
let kills = 0
const killing = (async () => {
  while (!over) {
    await sleep(1500 + Math.random() * 1500)
    const [victim, ...others] = workers
    if (kills++ % 3 === 1) {
      victim!.kill('SIGSTOP')
      await sleep(1800)
      victim!.kill('SIGCONT')
      workers = [...others, victim!]
    } else {
      victim!.kill('SIGKILL')
      workers = [...others, worker()]
    }
  }
})()
let n = 0
for await (const event of readEvents(captures, { siteKey: Buffer.alloc(32, 7), onProblem: say })) {
  sensor.accept(event)
  if (++n % Math.ceil(lines.length / 15) === 0) {
    await sensor.drained()
    await sleep(1000)
  }
}
await sensor.close(60_000)
over = true
await killing
let got: string[] = []
for (let tries = 0; tries < 60 && got.length < expected.length; tries++) {
  await sleep(1000)
  got = (await everythingIn(broker.plain, topics('proof').alerts)).map(({ value }) => value)
}
await sleep(1500)
got = (await everythingIn(broker.plain, topics('proof').alerts)).map(({ value }) => value)
const same = JSON.stringify([...got].sort()) === JSON.stringify([...expected].sort())
say(`${kills} workers killed or frozen: ${got.length} alerts and revisions of ${expected.length} expected: ${same ? 'the same, each once' : 'NOT THE SAME'}`)
for (const one of workers) one.kill('SIGKILL')
await broker.remove()

process.exitCode = same ? 0 : 1

function logBytes(topic: string): number {
  const data = join(broker.folder, 'data')
  return readdirSync(data).filter((name) => name.startsWith(`${topic}-`)).flatMap((name) => readdirSync(join(data, name)).filter((file) => file.endsWith('.log')).map((file) => statSync(join(data, name, file)).size))
    .reduce((sum, size) => sum + size, 0)
}

function busiest(): number {
  const hours = new Map<string, number>()
  for (const line of lines) {
    const hour = /"at":"(.{13})/.exec(line)![1]!
    hours.set(hour, (hours.get(hour) ?? 0) + 1)
  }
  return Math.max(...hours.values())
}
