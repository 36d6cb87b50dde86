/** Workers over a real Apache Kafka: does each site get exactly the alerts that one process would raise, whatever happens to the workers? */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { Engine } from '../../models/engine.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { consumeAlerts } from '../../src/api.ts'
import type { KafkaConfig } from '../../src/config.ts'
import { DETECT, Worker, type WorkerOptions } from '../../src/detect/worker.ts'
import { EVENT_PUBLISHING, EventPublisher } from '../../src/sinks/event-publisher.ts'
import { EventSpool } from '../../src/store/event-spool.ts'
import { Shelf } from '../../src/store/shelf.ts'
import { nativeAlert } from '../../src/sinks/formats/native.ts'
import { groupNames, topics } from '../../src/sinks/kafka-client.ts'
import { wardwire } from '../src/program.ts'
import { get, metricsOf, Service } from '../src/service.ts'
import { until } from '../src/sinks/contract.ts'
import { smallTroubles } from '../src/small-hospital.ts'
import { GUEST, SCRAM } from './broker.ts'
import { everythingIn } from './topic.ts'
import { named, useBroker, why } from './use-broker.ts'
import { troubledHospital } from './troubled-hospital.ts'

if (why !== undefined) console.log(`The tests of workers on Kafka are skipped: ${why}.`)

const root = join(import.meta.dirname, '..', '..')
const demo = join(root, 'fixtures', 'demo', 'hospital.pcap.gz')

describe.skipIf(why !== undefined)('workers', () => {
  const real = useBroker({ partitions: 4, session_seconds: 6 })
  const { fresh } = real
  const events = troubledHospital()

  /** What one process would say of a site, in order. */
  const expected = new Map<string, string[]>()
  function alone(site: string, given: readonly WireEvent[] = events): string[] {
    let alerts = expected.get(site)
    if (alerts === undefined) {
      alerts = []
      const engine = new Engine({ onAlert: (alert) => alerts!.push(nativeAlert(alert)), sensor: site, source: 'replay' })
      for (const event of given) engine.event(event)
      expected.set(site, alerts)
      expect(alerts.length).toBeGreaterThan(5)
    }
    return alerts
  }

  const sensor = (kafka: KafkaConfig, site: string, say: (line: string) => void = () => {}, input = 'test'): EventPublisher =>
    new EventPublisher(kafka, { sensor: site, site: undefined }, 'replay', input, say, { ...EVENT_PUBLISHING, batch: { count: 200, bytes: 200_000 }, deadline: 5000 })

  /** Publishes all events of a site in portions, with pauses between. */
  async function publish(kafka: KafkaConfig, site: string, { portions = 1, pause = 0, input = 'test' } = {}): Promise<void> {
    const publisher = sensor(kafka, site, undefined, input)
    for (let p = 0; p < portions; p++) {
      for (const event of events.slice(Math.floor(p * events.length / portions), Math.floor((p + 1) * events.length / portions))) publisher.accept(event)
      await publisher.drained()
      if (p < portions - 1) await sleep(pause)
    }
    expect(await publisher.close(20_000)).toEqual({ in: events.length, sent: events.length, lost: 0, waiting: 0 })
  }

  interface Running {
    worker: Worker
    said: string[]
    partitions: () => number[] | undefined
    stop: () => Promise<void>
  }
  function start(kafka: KafkaConfig, more: Partial<WorkerOptions> = {}): Running {
    const end = new AbortController()
    const said: string[] = []
    let partitions: number[] | undefined
    const worker = new Worker({
      kafka, group: 'detect', ...DETECT, checkpoint: { messages: 2000, milliseconds: 60_000 }, fetchBytes: 100_000, say: (line) => said.push(line),
      signal: end.signal, onJoined: (given) => { partitions = given }, ...more,
    })
    const run = worker.run()
    return { worker, said, partitions: () => partitions, stop: async () => { end.abort(); await run; await worker.close() } }
  }

  /** Alerts that a reader of committed records sees, by site, in the order of each device. */
  async function seen(kafka: KafkaConfig): Promise<Map<string, string[]>> {
    const bySite = new Map<string, string[]>()
    for (const { value, alert } of await everythingIn(real.address, topics(kafka.topic_prefix).alerts)) {
      bySite.set(alert.capture.sensor, [...(bySite.get(alert.capture.sensor) ?? []), value])
    }
    return bySite
  }
  const device = (line: string): string => (JSON.parse(line) as { device: { id: string } }).device.id
  /** Devices are in different partitions: only the order within one is anybody's business. */
  const byDevice = (lines: readonly string[]): string[] => [...lines].sort((a, b) => (device(a) < device(b) ? -1 : device(a) > device(b) ? 1 : 0))

  async function expectTheSame(kafka: KafkaConfig, sites: readonly string[], within = 30_000): Promise<void> {
    const total = sites.reduce((sum, site) => sum + alone(site).length, 0)
    await until(async () => [...(await seen(kafka)).values()].reduce((sum, lines) => sum + lines.length, 0) >= total, within)
    // Whoever says something twice may do so late.
    await sleep(500)
    const got = await seen(kafka)
    expect([...got.keys()].sort()).toEqual([...sites].sort())
    for (const site of sites) expect(byDevice(got.get(site)!)).toEqual(byDevice(alone(site)))
  }

  test.each([1, 2, 4, 8])('do %i workers that come and go while events arrive say what one process says, each alert once?', async (count) => {
    const kafka = fresh({ partitions: Math.max(4, count) })
    const sites = ['north', 'south', 'east', 'west', 'hill', 'lake', 'ward', 'gate'].slice(0, 2 + count)
    const publishing = Promise.all(sites.map((site) => publish(kafka, site, { portions: 4, pause: 400 })))
    const workers: Running[] = []
    for (let n = 0; n < count; n++) {
      workers.push(start(kafka))
      await sleep(300)
    }
    if (count > 1) {
      await until(() => workers.every(({ partitions }) => partitions() !== undefined) && workers.some(({ worker }) => worker.counts.in > 500), 20_000)
      await workers.shift()!.stop()
      workers.push(start(kafka))
    }
    await publishing
    await expectTheSame(kafka, sites)
    // Sites spread: once all have joined, the partitions that have some belong to several workers.
    const taken = new Set((await everythingIn(real.address, topics(kafka.topic_prefix).events)).map(({ partition }) => partition))
    const owners = (): number => workers.filter(({ partitions }) => partitions()?.some((partition) => taken.has(partition))).length
    await until(() => owners() >= Math.min(2, count, taken.size), 20_000)
    for (const { stop } of workers) await stop()
    for (const { worker } of workers) {
      const { in: read, judged, repeated, unreadable } = worker.sites
      expect(read).toBe(judged + repeated + unreadable)
      expect(worker.sites.missed).toBe(0)
    }
  })

  describe.skipIf(named !== undefined)('in processes of their own', () => {
    function spawned(file: string, ...args: string[]): ChildProcess {
      return spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, file), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    }

    test('does the demo hospital, its sensor and the workers killed or frozen at random moments, give the alerts of one process, each once?', async () => {
      const kafka = fresh({ session_seconds: 2 })
      const config = join(real.place, 'demo.yaml')
      writeFileSync(config, `kafka: { topic_prefix: ${kafka.topic_prefix}, partitions: 4, brokers: ['${real.address}'] }\nsensor: demo\nsite_key_file: ${join(real.place, 'key')}\n`)
      writeFileSync(join(real.place, 'key'), 'ab'.repeat(32))
      const list = join(real.place, 'demo.jsonl')
      const replay = ['replay', demo, '--config', config, '--publish-events', '--alerts', list]
      const worker = (): ChildProcess => spawned('worker.ts', real.address, kafka.topic_prefix, '2')

      let workers = [worker(), worker(), worker()]
      // A sensor that dies in the middle, and reads its capture again.
      const dying = await wardwire(replay, { kill: { signal: 'SIGKILL', after: 2000 } })
      const again = wardwire(replay)
      const sites = Promise.all(['north', 'south'].map((site) => publish(kafka, site, { portions: 8, pause: 1000 })))
      let over = false
      const killing = (async () => {
        // However quick the machine is, some of everything.
        for (let kills = 0; !over || kills < 4; kills++) {
          await sleep(1000 + Math.random() * 1500)
          const [victim, ...others] = workers
          if (kills % 3 === 1) {
            // A zombie: others take over meanwhile, and then it goes on with what it had in hand.
            victim!.kill('SIGSTOP')
            await sleep(3000)
            victim!.kill('SIGCONT')
            workers = [...others, victim!]
          } else {
            victim!.kill('SIGKILL')
            workers = [...others, worker()]
          }
        }
      })()
      const run = await again
      await sites
      over = true
      await killing
      expect(dying.signal).toBe('SIGKILL')
      expect({ code: run.code, err: run.stderr }).toMatchObject({ code: 0 })
      expected.set('demo', readFileSync(list, 'utf8').trimEnd().split('\n'))
      try {
        await expectTheSame(kafka, ['demo', 'north', 'south'], 60_000)
      } finally {
        for (const one of workers) one.kill('SIGKILL')
      }
    }, 180_000)

    test('do the events of a sensor that cannot wait wait on disk while the broker is away, also through its end, and do workers then say what one process says?', async () => {
      const kafka = fresh()
      const at = (name: string): string => join(real.place, name)
      writeFileSync(at('live-key'), 'cd'.repeat(32))
      writeFileSync(at('live.yaml'), `kafka: { topic_prefix: ${kafka.topic_prefix}, partitions: 4, brokers: ['${real.address}'] }\nsensor: live\nsite_key_file: ${at('live-key')}\n`)
      const frames = smallTroubles(600)
      const watch = (...args: string[]): Service => new Service(['watch', '-', '--config', at('live.yaml'), ...args])
      const judging = watch('--alerts', at('live.jsonl'))
      await judging.feed(frames)
      judging.child.stdin!.end()
      expect((await judging.ended).code, judging.stderr).toBe(0)
      expect(readFileSync(at('live.jsonl'), 'utf8')).toContain('"id":"a-')
      expected.set('live', readFileSync(at('live.jsonl'), 'utf8').trimEnd().split('\n'))

      const sensor = watch('--publish-events', '--state', at('live'), '--metrics-port', '0', '--alerts', at('of-the-sensor.jsonl'))
      const port = await sensor.port()
      const metric = async (name: string): Promise<number> => metricsOf((await get(port, '/metrics')).body).get(`wardwire_${name}`) ?? 0
      await sensor.feed(frames.subarray(0, frames.length / 4))
      await until(async () => await metric('events_published_total') > 300, 20_000)
      await real.own.kill()
      await sensor.feed(frames.subarray(frames.length / 4))
      await until(async () => await metric('event_spool_bytes') > 0, 20_000)
      expect((await get(port, '/readyz?verbose')).body).toMatch(/^\[~\] events: /m)
      const waiting = await metric('events_waiting')
      expect((await sensor.stop()).code, sensor.stderr).toBe(0)
      expect(waiting).toBeGreaterThan(1000)
      expect(sensor.stderr).toMatch(/\d+ events wait in the state for the next run/)
      expect(sensor.stderr).not.toMatch(/were lost/)

      await real.own.start()
      const next = watch('--publish-events', '--state', at('live'), '--alerts', at('of-the-next.jsonl'))
      next.child.stdin!.end()
      expect((await next.ended).code, next.stderr).toBe(0)
      const { stop, worker } = start(kafka)
      await expectTheSame(kafka, ['live'])
      expect(worker.sites).toMatchObject({ missed: 0, unreadable: 0, sites: 1 })
      await stop()
    }, 180_000)

    test('does `wardwire detect` say what it reads and did, and end with what it learned saved?', async () => {
      const kafka = fresh()
      await publish(kafka, 'north')
      const config = join(real.place, 'detect.yaml')
      writeFileSync(config, `kafka: { topic_prefix: ${kafka.topic_prefix}, partitions: 4 }\n`)
      const worker = new Service(['detect', '--kafka', real.address, '--config', config, '--metrics-port', '0'])
      const port = await worker.port()
      await expectTheSame(kafka, ['north'])
      expect(await get(port, '/readyz?verbose')).toEqual({ status: 200, body: '[+] group\n[+] work\nready\n' })
      const metrics = metricsOf((await get(port, '/metrics')).body)
      expect(metrics.get('wardwire_worker_messages_total')).toBe(events.length)
      expect(metrics.get('wardwire_worker_alerts_total')).toBe(alone('north').length)
      expect(metrics.get('wardwire_site_events{result="judged"}')).toBe(events.length)
      expect([...metrics].filter(([name]) => name.startsWith('wardwire_worker_lag_messages')).map(([, lag]) => lag)).toEqual([0])
      expect(await worker.stop()).toEqual({ code: 0, signal: null })
      expect(worker.stderr).toContain(`${kafka.topic_prefix}.detect reads ${kafka.topic_prefix}.events.v1 on ${real.address}: partitions 0 1 2 3`)
      expect(worker.stderr).toContain(`${events.length} events read (0 of them again, 0 foreign), ${alone('north').length} alerts`)
      // The next one begins behind the last event, so it reads none again.
      const next = start(kafka)
      await publish(kafka, 'late')
      await expectTheSame(kafka, ['north', 'late'])
      await next.stop()
      expect(next.worker.counts.replayed).toBe(0)
    })
  })

  test('does a worker with a state folder begin from it, and from the topic when the folder is behind?', async () => {
    const kafka = fresh()
    const shelf = new Shelf(join(real.place, 'shelf'), 'detect')
    const publisher = sensor(kafka, 'north')
    /** One worker after the other, each for a third of the events. */
    const third = async (n: number, more: Partial<WorkerOptions>): Promise<Worker['counts']> => {
      const { worker, stop } = start(kafka, more)
      for (const event of events.slice(Math.floor(n * events.length / 4), Math.floor((n + 1) * events.length / 4))) publisher.accept(event)
      await until(() => worker.counts.in - worker.counts.replayed >= publisher.books.in - Math.floor(n * events.length / 4), 20_000)
      await stop()
      return worker.counts
    }
    await third(0, { shelf })
    expect(await third(1, { shelf })).toMatchObject({ restores: 1, shelved: 1 })
    // Somebody without the folder goes on; then the folder is no longer the last word.
    await third(2, {})
    expect(await third(3, { shelf })).toMatchObject({ restores: 1, shelved: 0 })
    await shelf.close()
    await publisher.close(5000)
    await expectTheSame(kafka, ['north'])
  })

  test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('R17: does a worker whose disk is full go on, lose nothing, and keep a copy again when there is room?', async () => {
    const kafka = fresh()
    const folder = join(real.place, 'full')
    const child = spawn('bash', ['-c', 'ulimit -S -f 32; exec "$@"', 'bash', process.execPath, '--import', 'tsx', join(import.meta.dirname, 'worker.ts'), real.address, kafka.topic_prefix, '6', folder],
      { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
    let err = ''
    child.stderr.on('data', (data: Buffer) => { err += data.toString() })
    const publisher = sensor(kafka, 'north')
    for (const event of events.slice(0, 4000)) publisher.accept(event)
    await until(() => err.includes('no copy of the state is kept here for the moment'), 20_000)
    spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
    for (const event of events.slice(4000)) publisher.accept(event)
    expect(await publisher.close(20_000)).toMatchObject({ lost: 0, waiting: 0 })
    await expectTheSame(kafka, ['north'])
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(child.exitCode).toBe(0)
    const shelf = new Shelf(folder, 'detect')
    const next = start(kafka, { shelf })
    await publish(kafka, 'north', { input: 'another' })
    await until(() => next.worker.counts.restores > 0, 20_000)
    await next.stop()
    await shelf.close()
    expect(next.worker.counts.shelved).toBe(1)
  })

  describe.skipIf(named !== undefined)('trouble', () => {
    test('does a broker that is killed and comes back cost no alert and double none?', async () => {
      const kafka = fresh()
      const { stop, said } = start(kafka, { deadline: 4000 })
      const publisher = sensor(kafka, 'north')
      for (const event of events.slice(0, 4000)) publisher.accept(event)
      await until(() => publisher.books.waiting === 0)
      await real.own.kill()
      for (const event of events.slice(4000)) publisher.accept(event)
      await sleep(1500)
      await real.own.start()
      expect(await publisher.close(30_000)).toMatchObject({ sent: events.length, lost: 0, waiting: 0 })
      await expectTheSame(kafka, ['north'], 60_000)
      await stop()
      expect(said.filter((line) => /waits, because/.test(line)).length).toBeLessThan(5)
    })

    test('do events that go to disk while the broker is frozen, with a megabyte of memory, all arrive in order?', async () => {
      const kafka = fresh()
      const spool = new EventSpool(join(real.place, 'spool'), 100_000_000)
      const options = { ...EVENT_PUBLISHING, hold: { most: 1_000_000, spill: 300_000, low: 100_000 }, batch: { count: 200, bytes: 100_000 }, deadline: 1500, pause: { first: 50, longest: 300 } }
      const publisher = new EventPublisher(kafka, { sensor: 'north', site: undefined }, 'replay', 'test', () => {}, options, spool)
      const { stop } = start(kafka)
      for (const event of events.slice(0, 500)) publisher.accept(event)
      await until(() => publisher.books.waiting === 0, 20_000)
      real.own.freeze()
      for (const [i, event] of events.slice(500).entries()) {
        publisher.accept(event)
        if (i % 1000 === 0) await sleep(100)
      }
      expect(publisher.books).toMatchObject({ in: events.length, lost: 0 })
      expect(publisher.spooled).toBeGreaterThan(0)
      await until(() => publisher.failing !== undefined, 20_000)
      // Who is told to end does so in time, though nobody answers, and though there is much left; the next one goes on with it.
      const began = performance.now()
      const atFirst = await publisher.close(50)
      expect(performance.now() - began).toBeLessThan(4000)
      expect(publisher.isKept).toBe(true)
      real.own.thaw()
      const next = (): EventPublisher => new EventPublisher(kafka, { sensor: 'north', site: undefined }, 'replay', 'next', () => {}, options, spool)
      const second = next()
      await until(() => second.books.sent > 0, 20_000)
      const then = await second.close(50)
      expect(then.waiting).toBeGreaterThan(0)
      const last = await next().close(30_000)
      expect(last).toMatchObject({ in: then.waiting, lost: 0, waiting: 0 })
      expect(atFirst.lost + then.lost).toBe(0)
      expect(atFirst.sent + then.sent + last.sent).toBeGreaterThanOrEqual(events.length)
      await spool.close()
      await expectTheSame(kafka, ['north'], 60_000)
      await stop()
    })

    test('do events, workers and alerts pass over TLS with SCRAM?', async () => {
      const password = join(real.place, 'password')
      writeFileSync(password, SCRAM.password)
      const kafka = fresh({ brokers: [real.own.secure], tls: { ca_file: real.own.caFile }, sasl: { mechanism: 'scram-sha-512', username: SCRAM.username, password_file: password } })
      const { stop } = start(kafka)
      await publish(kafka, 'north')
      await expectTheSame(kafka, ['north'])
      await stop()
      for await (const alert of consumeAlerts({ kafka, fromBeginning: true })) {
        expect(alert.capture.sensor).toBe('north')
        break
      }
    })

    test('without the right to make topics, do sensor and worker say so, wait, and go on when somebody made them?', async () => {
      const password = join(real.place, 'guest')
      writeFileSync(password, GUEST.password)
      const kafka = fresh({ brokers: [real.own.secure], tls: { ca_file: real.own.caFile }, sasl: { mechanism: 'scram-sha-256', username: GUEST.username, password_file: password } })
      const admin = new Kafka({ brokers: [real.address], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      const deny = (resourceType: AclResourceTypes, resourceName: string, resourcePatternType = ResourcePatternTypes.LITERAL): Promise<boolean> => admin.createAcls({
        acl: [{ resourceType, resourceName, resourcePatternType, principal: `User:${GUEST.username}`, host: '*', operation: AclOperationTypes.CREATE, permissionType: AclPermissionTypes.DENY }],
      })
      const allow = (resourceType: AclResourceTypes, resourceName: string, resourcePatternType = ResourcePatternTypes.LITERAL): Promise<boolean> => admin.createAcls({
        acl: [{ resourceType, resourceName, resourcePatternType, principal: 'User:*', host: '*', operation: AclOperationTypes.ALL, permissionType: AclPermissionTypes.ALLOW }],
      })
      await allow(AclResourceTypes.CLUSTER, 'kafka-cluster')
      await deny(AclResourceTypes.CLUSTER, 'kafka-cluster')
      await allow(AclResourceTypes.TOPIC, kafka.topic_prefix, ResourcePatternTypes.PREFIXED)
      await deny(AclResourceTypes.TOPIC, kafka.topic_prefix, ResourcePatternTypes.PREFIXED)
      const complaints: string[] = []
      const publisher = sensor(kafka, 'north', (line) => complaints.push(line))
      const { stop, said } = start(kafka)
      for (const event of events) publisher.accept(event)
      await until(() => complaints.length > 0 && said.length > 0, 20_000)
      expect(complaints[0]).toMatch(/^events wait, because of: .*(does not host this topic|authorized)/)
      expect(said[0]).toMatch(/^work waits, because of: there is no topic .*events\.v1, and it may not be made from here/)
      const { alerts, events: eventTopic } = topics(kafka.topic_prefix)
      await admin.createTopics({ topics: [alerts, eventTopic, groupNames(kafka.topic_prefix, 'detect').changelog].map((topic) => ({ topic, numPartitions: 2, replicationFactor: 1 })) })
      await admin.disconnect()
      expect(await publisher.close(20_000)).toMatchObject({ sent: events.length, lost: 0 })
      await expectTheSame(kafka, ['north'])
      await stop()
    })
  })
})
