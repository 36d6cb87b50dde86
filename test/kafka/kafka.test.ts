/** Against a real Apache Kafka: our own where Java and Maven are, else the one that KAFKA_BOOTSTRAP names (then without what needs to kill it). */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import { consumeAlerts, type AlertJson, type ConsumeOptions } from '../../src/api.ts'
import { consume } from '../../src/commands/consume.ts'
import { configSchema, type KafkaConfig } from '../../src/config.ts'
import { nativeAlert } from '../../src/sinks/formats/native.ts'
import { topics } from '../../src/sinks/kafka-client.ts'
import { KafkaSink } from '../../src/sinks/kafka.ts'
import { makeAlert, numbered } from '../src/alert.ts'
import { HASTY, contract, expectOrder, ids, published, unique, until } from '../src/sinks/contract.ts'
import { blocks } from '../docs/blocks.ts'
import { SCRAM } from './broker.ts'
import { everythingIn } from './topic.ts'
import { named, useBroker, why } from './use-broker.ts'

if (why !== undefined) console.log(`The Kafka tests are skipped: ${why}.`)
test.runIf(process.env['WARDWIRE_REQUIRE']?.split(',').includes('kafka'))('is there a broker, where one is required?', () => { expect(why).toBeUndefined() })

const root = join(import.meta.dirname, '..', '..')
const tsx = ['--import', 'tsx']

describe.skipIf(why !== undefined)('Kafka', () => {
  const real = useBroker({ partitions: 3 })
  const { fresh } = real
  const alertsOf = async (config: KafkaConfig): Promise<AlertJson[]> => (await everythingIn(real.address, topics(config.topic_prefix).alerts)).map(({ alert }) => alert)

  describe('producing', () => {
    test('does a message carry the alert, its device as key, and CloudEvents headers?', async () => {
      const config = fresh({ partitions: 4 })
      const sink = new KafkaSink(config)
      await sink.send([makeAlert()])
      await sink.close()
      const [message, ...more] = await everythingIn(real.address, `${config.topic_prefix}.alerts.v1`)
      expect(more).toEqual([])
      expect(message).toMatchObject({
        key: 'dev-ct1', value: nativeAlert(makeAlert()),
        headers: {
          ce_specversion: '1.0', ce_id: 'a1b2c3', ce_source: '/sensor/radiology', ce_type: 'wardwire.alert.v1', ce_time: '2026-03-03T04:05:06.000007Z',
          ce_subject: 'dev-ct1', ce_revision: '2', 'content-type': 'application/json',
        },
      })
    })

    test('does the client set no timer in the past, of which Node 24 warns?', async () => {
      const timers = vi.spyOn(globalThis, 'setTimeout')
      const sink = new KafkaSink(fresh())
      await sink.send([numbered(1)])
      await sleep(50)
      await sink.close()
      expect(timers.mock.calls.length).toBeGreaterThan(0)
      expect(timers.mock.calls.filter(([, delay]) => (delay ?? 0) < 0)).toEqual([])
      timers.mockRestore()
    })

    test('is the topic made with the settings asked for, and left alone when it is there?', async () => {
      const config = fresh({ partitions: 5, retention_days: 3 })
      for (const partitions of [5, 7]) {
        const sink = new KafkaSink({ ...config, partitions })
        await sink.send([numbered(partitions)])
        await sink.close()
      }
      const admin = new Kafka({ brokers: [real.address], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      const { topics: [found] } = await admin.fetchTopicMetadata({ topics: [`${config.topic_prefix}.alerts.v1`] })
      const { resources: [settings] } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: `${config.topic_prefix}.alerts.v1`, configNames: ['retention.ms', 'cleanup.policy'] }] })
      await admin.disconnect()
      expect(found!.partitions).toHaveLength(5)
      expect(settings!.configEntries.map((e) => [e.configName, e.configValue]).sort()).toEqual([['cleanup.policy', 'delete'], ['retention.ms', String(3 * 86_400_000)]])
    })

    test('without leave to make the topic, does the alert wait until somebody makes it?', async () => {
      const config = fresh({ create_topics: false })
      await published(() => new KafkaSink(config), async (publisher) => {
        publisher.accept(numbered(1))
        await until(() => publisher.deliveries[0]!.failing !== undefined, 20_000)
        expect(publisher.deliveries[0]!.failing).toMatch(/does not host this topic/)
        const admin = new Kafka({ brokers: [real.address], logLevel: logLevel.NOTHING }).admin()
        await admin.connect()
        await admin.createTopics({ topics: [{ topic: topics(config.topic_prefix).alerts, numPartitions: 1, replicationFactor: 1 }] })
        await admin.disconnect()
        expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
      }, { ...HASTY, deadline: 20_000 })
      expect(ids(await alertsOf(config))).toEqual(['id-1'])
    })

    test('is an alert larger than a message may be cut to its essence, and do its neighbours arrive?', async () => {
      const config = fresh()
      const huge = makeAlert({ id: 'id-1', evidence: Array.from({ length: 3000 }, () => ({ ...makeAlert().evidence[0]!, text: 'x'.repeat(1000) })) })
      const sink = new KafkaSink(config)
      await sink.send([numbered(0), huge, numbered(2)])
      await sink.close()
      expect(ids(await alertsOf(config)).sort()).toEqual(['id-0', 'id-1', 'id-2'])
    })

    test('is what a topic with small messages refuses passed over, and counted?', async () => {
      const config = fresh()
      const admin = new Kafka({ brokers: [real.address], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: topics(config.topic_prefix).alerts, numPartitions: 1, replicationFactor: 1, configEntries: [{ name: 'max.message.bytes', value: '4000' }] }] })
      await admin.disconnect()
      await published(() => new KafkaSink(config), async (publisher, said) => {
        for (const n of [0, 1, 2]) publisher.accept(n === 1 ? { ...numbered(1), explanation: 'x'.repeat(9000) } : numbered(n))
        await until(async () => (await alertsOf(config)).some((a) => a.detector === 'ops.alerts-lost'), 20_000)
        expect(said).toContain('the-sink refuses alert id-1: MESSAGE_TOO_LARGE')
      }, { ...HASTY, deadline: 20_000 })
      expect(ids(await alertsOf(config)).slice(0, 2)).toEqual(['id-0', 'id-2'])
    })
  })

  describe('reading', () => {
    const read = async (config: KafkaConfig, count: number, more: Partial<ConsumeOptions> = {}): Promise<AlertJson[]> => {
      const got: AlertJson[] = []
      for await (const alert of consumeAlerts({ kafka: config, fromBeginning: true, ...more })) {
        got.push(alert)
        if (got.length === count) break
      }
      return got
    }

    test('does every alert come back as it was sent, each device\'s in order?', async () => {
      const config = fresh()
      const sink = new KafkaSink(config)
      const sent = Array.from({ length: 300 }, (_, i) => numbered(i))
      await sink.send(sent.slice(0, 200))
      await sink.send(sent.slice(200))
      await sink.close()
      const got = await read(config, 300)
      expectOrder(got, 300)
      expect(new Map(got.map((a) => [a.id, JSON.stringify(a)]))).toEqual(new Map(sent.map((a) => [a.id, nativeAlert(a)])))
    })

    test('are lesser alerts left out, and what is no alert passed over and told?', async () => {
      const config = fresh({ partitions: 1 })
      const sink = new KafkaSink(config)
      await sink.send([numbered(0, 'low'), numbered(1, 'high')])
      const producer = new Kafka({ brokers: [real.address], logLevel: logLevel.NOTHING }).producer()
      await producer.connect()
      const bad = ['not JSON', '{"schema":"wardwire.alert/1"}', 'null', ''].map((value) => ({ key: 'x', value }))
      const newer = { key: 'x', value: JSON.stringify({ ...JSON.parse(nativeAlert(numbered(2, 'critical'))) as object, invented_later: 1 }) }
      await producer.send({ topic: topics(config.topic_prefix).alerts, messages: [...bad, newer] })
      await producer.disconnect()
      await sink.close()
      const skipped: string[] = []
      const got = await read(config, 2, { severity: 'medium', onSkipped: ({ offset }, reason) => skipped.push(`${offset}: ${reason.slice(0, 8)}`) })
      expect(ids(got)).toEqual(['id-1', 'id-2'])
      expect(got[1]).toHaveProperty('invented_later', 1)
      expect(skipped).toHaveLength(4)
    })

    test('does a reader from now on see only what comes after it said it is ready?', async () => {
      const config = fresh()
      const sink = new KafkaSink(config)
      await sink.send([numbered(0)])
      const got = await read(config, 2, { fromBeginning: false, onReady: () => { void sink.send([numbered(1), numbered(4)]) } })
      expect(ids(got)).toEqual(['id-1', 'id-4'])
      await sink.close()
    })

    test('does a group go on where it was, with the alert in hand again?', async () => {
      const config = fresh({ partitions: 1 })
      const sink = new KafkaSink(config)
      await sink.send(Array.from({ length: 10 }, (_, i) => numbered(i)))
      await sink.close()
      const first = await read(config, 4, { group: 'analysts' })
      const then = await read(config, 7, { group: 'analysts' })
      expect(ids(first)).toEqual(['id-0', 'id-1', 'id-2', 'id-3'])
      // The fourth was given out, but nobody came back for the fifth.
      expect(ids(then)).toEqual(['id-3', 'id-4', 'id-5', 'id-6', 'id-7', 'id-8', 'id-9'])
    })

    test('does a signal end the reading, and a broker that is not there fail it?', async () => {
      const config = fresh()
      const sink = new KafkaSink(config)
      await sink.send([numbered(0)])
      await sink.close()
      const end = new AbortController()
      const got = await read(config, 99, { fromBeginning: false, signal: end.signal, onReady: () => end.abort() })
      expect(got).toEqual([])
      await expect(read({ ...config, brokers: ['127.0.0.1:1'] }, 1)).rejects.toThrow(/ECONNREFUSED/)
    })

    test('does `wardwire consume` print lists, JSON lines, and say when it cannot?', async () => {
      const config = fresh()
      const sink = new KafkaSink(config)
      await sink.send([makeAlert(), { ...numbered(7, 'low'), title: 'CT1\x1b[2J' }])
      await sink.close()
      const file = join(real.place, 'consume.yaml')
      writeFileSync(file, `kafka: { topic_prefix: ${config.topic_prefix}, brokers: ['${real.address}'] }\n`)
      const run = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => wardwire('consume', '--config', file, '--from-beginning', ...args)
      const [list, json, none] = await Promise.all([run('--count', '2'), run('--json', '--severity', 'high', '--count', '1'), run('--kafka', '127.0.0.1:1')])
      expect(list).toMatchObject({ code: 0 })
      expect(list.out).toContain('CT1 sends far more than it ever did')
      expect(list.out).not.toContain('\x1b')
      expect(json.out.trimEnd()).toBe(nativeAlert(makeAlert()))
      expect(none.code).toBe(1)
      expect(none.err).toMatch(/cannot read from Kafka at 127.0.0.1:1: .*ECONNREFUSED/)
      await expect(consume({ kafka: real.address, severity: 'worst' })).rejects.toThrow(/give one of info, low/)
      await expect(consume({})).rejects.toThrow(/--kafka needs brokers/)
    })
  })

  // The engine is a later piece of the house; from then on this is never skipped.
  test.skipIf(!existsSync(join(root, 'models', 'engine.ts')))('does `wardwire replay --kafka` publish what it lists, with and without a state?', async () => {
    const capture = join(root, 'fixtures', 'demo', 'hospital.pcap.gz')
    for (const more of [[], ['--state', join(real.place, 'replayed')]]) {
      const config = fresh()
      const file = join(real.place, 'replay.yaml')
      writeFileSync(file, `kafka: { topic_prefix: ${config.topic_prefix} }\n`)
      const list = join(real.place, 'alerts.jsonl')
      const { code, err } = await wardwire('replay', capture, '--config', file, '--kafka', real.address, '--alerts', list, ...more)
      expect({ code, err }).toMatchObject({ code: 0 })
      const latest = new Map(readFileSync(list, 'utf8').trimEnd().split('\n').map((line) => [(JSON.parse(line) as AlertJson).id, line]))
      expect(latest.size).toBeGreaterThan(0)
      const published = new Map((await everythingIn(real.address, topics(config.topic_prefix).alerts)).map(({ alert, value }) => [alert.id, value]))
      expect(published).toEqual(latest)
    }
  }, 120_000)

  test('does the program of docs/integrations/kafka.md print what comes, each revision once?', async () => {
    const config = configSchema.parse({ kafka: { brokers: [real.address] } }).kafka
    const id = `doc-${randomUUID()}`
    const sink = new KafkaSink(config)
    const grown = { ...makeAlert({ id }), revision: 3 }
    await sink.send([makeAlert({ id }), makeAlert({ id }), numbered(1, 'low'), grown])
    await sink.close()
    const program = join(real.place, 'consumer.mts')
    const [code] = blocks('kafka.md', 'ts')
    writeFileSync(program, code!.replace("'wardwire'", JSON.stringify(join(root, 'src', 'api.ts'))).replace("'ticketing'", `'${id}'`))
    const child = spawn(process.execPath, [...tsx, program, real.address], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (data: Buffer) => { out += data.toString() })
    await until(() => out.includes('revision 3'), 20_000)
    child.kill()
    await once(child, 'close')
    expect(out.split('\n').filter((line) => line.includes(id))).toEqual([2, 3].map((revision) => `high CT1: CT1 sends far more than it ever did (${id}, revision ${revision})`))
  })

  describe.skipIf(named !== undefined)('security', () => {
    const secure = (more: object = {}): object => {
      const password = join(real.place, 'password')
      writeFileSync(password, `${SCRAM.password}\n`)
      return { brokers: [real.own.secure], tls: { ca_file: real.own.caFile }, sasl: { mechanism: 'scram-sha-512', username: SCRAM.username, password_file: password }, ...more }
    }

    test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('do alerts pass over TLS with %s, there and back?', async (mechanism) => {
      const settings = secure() as { sasl: object }
      const config = fresh({ ...settings, sasl: { ...settings.sasl, mechanism } })
      const sink = new KafkaSink(config)
      await sink.send([numbered(1)])
      await sink.close()
      for await (const alert of consumeAlerts({ kafka: config, fromBeginning: true })) {
        expect(alert.id).toBe('id-1')
        break
      }
    })

    test('are a wrong password, an unknown authority and a listener without TLS told for what they are, and does the alert wait?', async () => {
      const wrong = join(real.place, 'wrong')
      writeFileSync(wrong, 'guess')
      const settings = secure() as { sasl: object }
      const reasons: [object, RegExp][] = [
        [secure({ sasl: { ...settings.sasl, password_file: wrong } }), /[Aa]uthentication failed/],
        [secure({ tls: true }), /self-signed|certificate/],
        [secure({ tls: false }), /./],
      ]
      await Promise.all(reasons.map(async ([config, reason]) => {
        const kafka = fresh(config)
        await published(() => new KafkaSink(kafka), async (publisher) => {
          publisher.accept(numbered(1))
          await until(() => publisher.deliveries[0]!.failing !== undefined, 20_000)
          expect(publisher.deliveries[0]!.failing).toMatch(reason)
          expect(await publisher.drain(0)).toEqual({ left: 1, lost: 0 })
        }, { ...HASTY, deadline: 15_000 })
      }))
    })
  })

  describe.skipIf(named !== undefined)('as a sink', () => {
    contract('Kafka', () => {
      const config = fresh({ partitions: 1 })
      return Promise.resolve({
        make: () => new KafkaSink(config),
        got: () => { real.own.thaw(); return alertsOf(config) },
        down: () => real.own.kill(), up: () => real.own.start(),
        silence: (silent: boolean) => { if (silent) real.own.freeze(); else real.own.thaw() },
        acknowledges: true,
        remove: () => Promise.resolve(),
      })
    }, { ...HASTY, deadline: 3000 })
  })

  describe.skipIf(named !== undefined)('faults', () => {
    test('R15: is a broker that takes connections and answers nothing left at the deadline, with no promise stuck?', async () => {
      const sockets = new Set<Socket>()
      const mute = createServer((socket) => { sockets.add(socket); socket.on('error', () => {}).resume() }).listen(0, '127.0.0.1')
      await once(mute, 'listening')
      const config = { ...fresh(), brokers: [`127.0.0.1:${(mute.address() as AddressInfo).port}`] }
      let made = 0
      await published(() => { made += 1; return new KafkaSink(config) }, async (publisher) => {
        publisher.accept(numbered(1))
        await until(() => made >= 4, 20_000)
        expect(publisher.deliveries[0]!.failing).toBe('no answer within 0.5 s')
        // The real one is back under the same configuration.
        config.brokers = [real.address]
        expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
      }, { ...HASTY, deadline: 500 })
      for (const socket of sockets) socket.destroy()
      mute.close()
      expect(ids(await alertsOf(config))).toEqual(['id-1'])
    })

    test('R15: does a broker that freezes in the middle cost no alert, and no more than one repeat an id for each rebuilt producer?', async () => {
      const config = fresh()
      let made = 0
      await published(() => { made += 1; return new KafkaSink(config) }, async (publisher) => {
        publisher.accept(numbered(0))
        await until(async () => (await alertsOf(config)).length === 1)
        real.own.freeze()
        for (let n = 1; n < 100; n++) publisher.accept(numbered(n))
        await until(() => publisher.deliveries[0]!.failures >= 2, 20_000)
        real.own.thaw()
        expect(await publisher.drain(30_000)).toEqual({ left: 0, lost: 0 })
      }, { ...HASTY, deadline: 1200 })
      const got = await alertsOf(config)
      expectOrder(got, 100)
      const repeats = Math.max(...unique(got).map((id) => got.filter((a) => a.id === id).length))
      expect(repeats).toBeLessThanOrEqual(made)
    })

    test('R13: is wardwire killed at random moments no loss and no invention?', async () => {
      const config = fresh()
      const folder = join(real.place, 'killed')
      let accepted = -1
      let next = 0
      for (let kill = 0; kill < 15; kill++) {
        const child = producer(folder, config, next)
        await child.accepted
        await sleep(Math.random() * 400)
        child.process.kill('SIGKILL')
        await child.ended
        accepted = Math.max(accepted, child.last())
        // What was accepted last may be more than what could be printed: the next one begins well behind it.
        next = accepted + 20
      }
      const end = producer(folder, config, next, 10)
      await end.ended
      expect(end.err()).toContain('left 0')
      const got = await alertsOf(config)
      const arrived = new Set(ids(got))
      const all = runs.get(folder)!
      // Each run's numbers, from its first to the last it said is accepted; the four after that may have been accepted as well.
      for (const run of all) expect(run.missing(arrived)).toEqual([])
      const possible = new Set(all.flatMap((run) => Array.from({ length: run.last() - run.from + 5 }, (_, i) => `id-${run.from + i}`)))
      expect([...arrived].filter((id) => !possible.has(id))).toEqual([])
      expectOrder(got, arrived.size)
    }, 120_000)

    test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('R17: are alerts kept through a full disk and a frozen broker, and delivered when both are healed?', async () => {
      const config = fresh()
      real.own.freeze()
      try {
        const child = producer(join(real.place, 'full'), config, 0, 2000, 6 * 1024)
        await until(() => child.err().includes('alerts are held in memory'), 20_000)
        expect(child.process.exitCode).toBeNull()
        spawnSync('prlimit', ['--pid', String(child.process.pid), '--fsize=unlimited'])
        await until(() => child.err().includes('the store takes alerts again'), 20_000)
        real.own.thaw()
        await child.ended
        expect(child.err()).toContain('left 0')
      } finally {
        real.own.thaw()
      }
      expectOrder(await alertsOf(config), 2000)
    }, 120_000)

    test('R27: does a critical alert get through a storm that outgrows the disk it may use, with one summary of the rest?', async () => {
      const config = fresh()
      real.own.freeze()
      try {
        await published(() => new KafkaSink(config), async (publisher) => {
          publisher.accept(numbered(0, 'critical'))
          for (let n = 1; n < 5000; n++) {
            publisher.accept(numbered(n, 'low'))
            if (n % 500 === 0) await sleep(120)
          }
          real.own.thaw()
          await until(async () => (await alertsOf(config)).some((a) => a.detector === 'ops.alerts-lost'), 30_000)
          expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
        }, { ...HASTY, deadline: 3000 }, 1_000_000)
      } finally {
        real.own.thaw()
      }
      const got = await alertsOf(config)
      const summaries = [...new Map(got.filter((a) => a.detector === 'ops.alerts-lost').map((a) => [a.id, a])).values()]
      expect(summaries).toHaveLength(1)
      expect(unique(got)).toContain('id-0')
      // An alert may have been on its way when it was shed: it arrived, and is counted as lost as well.
      expect(unique(got).length - 1 + summaries[0]!.count).toBeGreaterThanOrEqual(5000)
    }, 120_000)
  })

  /** Runs of the producer, by state folder. */
  const runs = new Map<string, Producer[]>()

  interface Producer {
    process: ChildProcess
    from: number
    accepted: Promise<unknown>
    ended: Promise<unknown>
    last: () => number
    err: () => string
    missing: (arrived: Set<string>) => number[]
  }

  /** @param limit kilobytes that no file may grow beyond */
  function producer(folder: string, config: KafkaConfig, from: number, count?: number, limit?: number): Producer {
    const args = [...tsx, join(import.meta.dirname, 'producer.ts'), folder, real.address, config.topic_prefix, String(from), ...(count === undefined ? [] : [String(count)])]
    const child = limit === undefined
      ? spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('bash', ['-c', `ulimit -S -f ${limit}; exec "$@"`, 'bash', process.execPath, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (data: Buffer) => { out += data.toString() })
    child.stderr.on('data', (data: Buffer) => { err += data.toString() })
    const last = (): number => Number(out.slice(0, out.lastIndexOf('\n')).split('\n').at(-1) || from - 1)
    const run: Producer = {
      process: child, from, last,
      accepted: Promise.race([once(child.stdout, 'data'), once(child, 'exit')]),
      ended: once(child, 'close'),
      err: () => err,
      missing: (arrived) => Array.from({ length: last() - from + 1 }, (_, i) => from + i).filter((n) => !arrived.has(`id-${n}`)),
    }
    runs.set(folder, [...(runs.get(folder) ?? []), run])
    return run
  }

  async function wardwire(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [...tsx, join(root, 'src', 'cli.ts'), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (data: Buffer) => { out += data.toString() })
    child.stderr.on('data', (data: Buffer) => { err += data.toString() })
    await once(child, 'close')
    return { code: child.exitCode, out, err }
  }
})
