/** `wardwire watch` as a service, fed on standard input: what needs no right to capture. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { State } from '../../src/store/state.ts'
import { conversationsIn, killed } from './kills.ts'
import { get, lines as linesOf, metricsOf, Service, until } from './service.ts'
import { wardwire } from './program.ts'
import { manyTroubles, ordinaryDays, smallTroubles } from './small-hospital.ts'

let folder: string
let demo: Uint8Array
const at = (name: string): string => join(folder, name)
const env = (): { XDG_STATE_HOME: string } => ({ XDG_STATE_HOME: folder })
const watch = (args: string[]): Service => new Service(['watch', '-', ...args], { env: env() })
const read = (name: string): string => { try { return readFileSync(at(name), 'utf8') } catch { return '' } }
const lines = (name: string): Record<string, unknown>[] => linesOf(at(name))
/** Alerts of the traffic, the latest revision of each, without what differs by how they were captured. */
const ofTraffic = (alerts: Record<string, unknown>[]): unknown[] => [...new Map(alerts.filter((a) => !(a['detector'] as string).startsWith('ops.')).map((a) => [a['id'], { ...a, capture: null }])).values()]
const config = (name: string, lines: string): string => {
  writeFileSync(at(name), lines)
  return at(name)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-watch-'))
  demo = gunzipSync(readFileSync(join(import.meta.dirname, '../../fixtures/demo/hospital.pcap.gz')))
  // What the others are measured by.
  const live = watch(['--alerts', at('live.jsonl'), '--events', at('live-events.jsonl'), '--write', at('kept.pcapng')])
  await live.feed(demo)
  live.child.stdin!.end()
  if ((await live.ended).code !== 0) throw new Error(live.stderr)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('live and replay are one path', () => {
  test('R12: do the same frames give the same alerts with the same ids, and the same events?', async () => {
    const replayed = await wardwire(['replay', at('kept.pcapng'), '--alerts', at('replayed.jsonl'), '--events', at('replayed-events.jsonl')], { env: env() })
    expect(replayed.code, replayed.stderr).toBe(0)
    expect(ofTraffic(lines('live.jsonl')).length).toBeGreaterThan(3)
    expect(ofTraffic(lines('replayed.jsonl'))).toEqual(ofTraffic(lines('live.jsonl')))
    const events = (name: string): string[] => read(name).split('\n').filter((line) => !line.includes('"kind":"capture"'))
    expect(events('replayed-events.jsonl')).toEqual(events('live-events.jsonl'))
  })
})

test('does a user without a home folder, as services are run by, keep the site key in the state, and hear of it only where there is none?', async () => {
  const nowhere = { env: { XDG_STATE_HOME: '/dev/null' } }
  const runs = [['--state', at('homeless')], []].map((args) => new Service(['watch', '-', ...args, '--events', '-'], nowhere))
  for (const run of runs) {
    await run.feed(ordinaryDays(1))
    run.child.stdin!.end()
    expect((await run.ended).code, run.stderr).toBe(0)
  }
  expect(runs[0]!.stderr).not.toContain('site key')
  expect(runs[1]!.stderr).toContain('the site key cannot be kept')
  const state = new State(at('homeless'))
  expect(state.siteKey).toHaveLength(32)
  await state.close()
})

describe('signals', () => {
  test('R19: does SIGTERM in the middle of a stream end every conversation, save, deliver, and exit 0?', async () => {
    const settings = config('term.yaml', `sinks: [{ type: jsonl, path: ${at('term.jsonl')} }]`)
    const service = watch(['--state', at('term'), '--publish', '--config', settings, '--events', at('term-events.jsonl')])
    await service.feed(demo.subarray(0, 30_000_000))
    const began = Date.now()
    expect(await service.stop()).toEqual({ code: 0, signal: null })
    expect(Date.now() - began).toBeLessThan(20_000)
    expect(lines('term-events.jsonl').at(-1)).toMatchObject({ kind: 'capture' })
    expect(lines('term-events.jsonl').filter((e) => e['kind'] === 'flow').length).toBeGreaterThan(1000)
    // What comes again after the restart is known; the rest is news.
    const next = watch(['--state', at('term'), '--publish', '--config', settings])
    await next.feed(demo)
    next.child.stdin!.end()
    expect((await next.ended).code).toBe(0)
    expect(next.stderr).toMatch(/\d+ frames were passed over/)
    expect(new Set(lines('term.jsonl').map((a) => a['id'])).size).toBeGreaterThan(3)
  })

  test('R19: does a second signal end it at once, though a receiver holds it up?', async () => {
    const hole = createServer(() => {})
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve))
    const { port } = hole.address() as { port: number }
    const settings = config('hole.yaml', `service: { no_traffic_minutes: 0.01 }\nsinks: [{ type: syslog, host: 127.0.0.1, port: ${port}, tls: false }, { type: webhook, url: "http://127.0.0.1:${port}/" }]`)
    const service = watch(['--state', at('second'), '--publish', '--config', settings, '--alerts', at('second.jsonl')])
    await service.says('watching')
    await until(() => read('second.jsonl').includes('ops.no_traffic'))
    await pause(300)
    service.child.kill('SIGTERM')
    await service.says('because of SIGTERM')
    const began = Date.now()
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual({ code: 143, signal: null })
    expect(Date.now() - began).toBeLessThan(3000)
    hole.close()
  })

  test('R25: is a bad configuration refused with the reason, the old one kept, and a good one taken with no conversation lost?', async () => {
    const first = at('first.jsonl')
    const settings = config('hup.yaml', `sinks: [{ type: jsonl, path: ${first} }]`)
    const service = watch(['--state', at('hup'), '--publish', '--config', settings, '--alerts', at('hup.jsonl'), '--events', at('hup-events.jsonl'), '--metrics-port', '0'])
    const port = await service.port()
    await service.feed(demo.subarray(0, 40_000_001))
    config('hup.yaml', 'sinks: [{ type: jsonl, pfad: x }]')
    service.child.kill('SIGHUP')
    await service.says(/refused, the old one stays.*hup\.yaml.*path/)
    expect((await get(port, '/readyz?verbose')).body).toMatch(/\[~\] config: .*hup\.yaml/)
    config('hup.yaml', `sinks: [{ type: jsonl, path: ${at('second-sink.jsonl')} }]\nservice: { no_traffic_minutes: 0.02 }`)
    service.child.kill('SIGHUP')
    await service.says('the new configuration is in force')
    const metrics = metricsOf((await get(port, '/metrics')).body)
    expect(metrics.get('wardwire_config_reloads_total{result="refused"}')).toBe(1)
    expect(metrics.get('wardwire_config_reloads_total{result="ok"}')).toBe(1)
    await service.feed(demo.subarray(40_000_001))
    service.child.stdin!.end()
    expect((await service.ended).code).toBe(0)
    // As if nothing had happened, but for the sink.
    expect(ofTraffic(lines('hup.jsonl'))).toEqual(ofTraffic(lines('live.jsonl')))
    expect(new Set([...lines('first.jsonl'), ...lines('second-sink.jsonl')].map((a) => a['id']))).toEqual(new Set(lines('hup.jsonl').map((a) => a['id'])))
    expect(lines('second-sink.jsonl').length).toBeGreaterThan(0)
  })
})

describe('kills', () => {
  test('R13, R20: killed at random moments and started again, does it go on, and does every alert that was accepted arrive?', async () => {
    const folder = at('killed')
    mkdirSync(folder)
    const result = await killed(folder, demo, conversationsIn(read('live-events.jsonl')), 4)
    expect(result).toMatchObject({ missing: [], invented: [] })
    expect(result.delivered).toBeGreaterThan(3)
  })
})

describe('health', () => {
  test('R23: with no frames, does readyz say no and why, and an alert too, and is both over when frames come?', async () => {
    const settings = config('quiet.yaml', 'service: { no_traffic_minutes: 0.03 }')
    const service = watch(['--config', settings, '--alerts', at('quiet.jsonl'), '--metrics-port', '0'])
    const port = await service.port()
    expect(await get(port, '/livez')).toEqual({ status: 200, body: 'ok\n' })
    await until(async () => (await get(port, '/readyz')).status === 503)
    expect((await get(port, '/readyz?verbose')).body).toMatch(/^\[-\] capture: no frame for \d+ s$/m)
    await until(() => lines('quiet.jsonl').some((a) => a['detector'] === 'ops.no_traffic'))
    await service.feed(ordinaryDays(1))
    await until(() => lines('quiet.jsonl').some((a) => a['detector'] === 'ops.no_traffic' && a['revision'] === 2))
    expect((await get(port, '/nothing')).status).toBe(404)
    expect((await service.stop()).code).toBe(0)
  })

  test('is a sink that takes nothing told by readyz, a metric and an alert, while the service goes on?', async () => {
    const settings = config('stalled.yaml', `service: { no_traffic_minutes: 0.01, stalled_minutes: 0.02 }\nsinks: [{ type: webhook, url: "http://127.0.0.1:47999/" }, { type: jsonl, path: ${at('stalled-sink.jsonl')} }]`)
    const service = watch(['--state', at('stalled'), '--publish', '--config', settings, '--metrics-port', '0'])
    const port = await service.port()
    await until(async () => /\[-\] sink webhook: /.test((await get(port, '/readyz?verbose')).body))
    await until(() => lines('stalled-sink.jsonl').some((a) => a['detector'] === 'ops.outbox_growing'))
    const metrics = metricsOf((await get(port, '/metrics')).body)
    expect(metrics.get('wardwire_spool_alerts{sink="webhook"}')).toBeGreaterThan(0)
    expect(metrics.get('wardwire_sink_errors_total{sink="webhook",code="send"}')).toBeGreaterThan(0)
    expect(metrics.get('wardwire_sink_sent_total{sink="jsonl"}')).toBeGreaterThan(0)
    service.child.kill('SIGTERM')
    await service.says('because of SIGTERM')
    service.child.kill('SIGTERM')
    await service.ended
  })

  test('does a sensor that publishes events judge nothing, leave what was learned as it was, and tell only of itself?', async () => {
    const before = watch(['--state', at('sensor'), '--alerts', at('judged.jsonl')])
    await before.feed(ordinaryDays(2))
    before.child.stdin!.end()
    expect((await before.ended).code, before.stderr).toBe(0)
    const learned = async (): Promise<unknown[]> => (JSON.parse((await wardwire(['baseline', '--state', at('sensor'), '--json'])).stdout) as { devices: unknown[] }).devices
    const were = await learned()
    expect(were.length).toBeGreaterThan(2)

    const settings = config('sensor.yaml', `service: { no_traffic_minutes: 0.01, checkpoint_seconds: 0.2 }\nkafka: { brokers: ['127.0.0.1:1'] }`)
    const service = watch(['--state', at('sensor'), '--publish-events', '--config', settings, '--metrics-port', '0'])
    await service.says('judging nothing here: events go to the workers')
    const port = await service.port()
    await service.feed(manyTroubles(5))
    const metrics = async (): Promise<Map<string, number>> => metricsOf((await get(port, '/metrics')).body)
    await until(async () => (await metrics()).get('wardwire_spool_alerts{sink="kafka"}') === 1)
    await until(async () => (await metrics()).get('wardwire_checkpoints_total{result="ok"}')! > 2)
    const counts = await metrics()
    expect(counts.get('wardwire_events_total{kind="dicom.association"}')).toBeGreaterThan(40)
    expect([...counts].filter(([name, count]) => name.startsWith('wardwire_findings_total') && count > 0)).toEqual([])
    await service.stop('SIGKILL')
    expect(service.stdout).toContain('No traffic is captured')
    expect(service.stdout.match(/^(INFO|LOW|MEDIUM|HIGH|CRITICAL) .*$/gm)!.filter((line) => !/traffic is captured/i.test(line))).toEqual([])
    expect(await learned()).toEqual(were)
  })

  test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('R17: is a disk that is full told by readyz, does the service go on, and is it well again by itself when there is room?', async () => {
    const settings = config('full.yaml', `service: { checkpoint_seconds: 0.2, no_traffic_minutes: 60 }\nkafka: { brokers: ['127.0.0.1:1'] }`)
    const service = watch(['--state', at('full'), '--publish-events', '--alerts', at('full.jsonl'), '--config', settings, '--metrics-port', '0'])
    const port = await service.port()
    // From now on no file may be written beyond this, as if it were the end of the disk.
    spawnSync('prlimit', ['--pid', String(service.child.pid), '--fsize=100000:unlimited'])
    await service.feed(smallTroubles(150))
    await until(async () => /^\[-\] state: /m.test((await get(port, '/readyz?verbose')).body), async () => (await get(port, '/readyz?verbose')).body)
    expect((await get(port, '/readyz')).status).toBe(503)
    await until(async () => metricsOf((await get(port, '/metrics')).body).get('wardwire_checkpoints_total{result="failed"}')! > 0)
    spawnSync('prlimit', ['--pid', String(service.child.pid), '--fsize=unlimited:unlimited'])
    await until(async () => (await get(port, '/readyz')).status === 200)
    expect(service.stderr).toContain('what is learned can be saved again')
    expect((await service.stop()).code, service.stderr).toBe(0)
    expect(service.stderr).toMatch(/[1-9]\d* events wait in the state for the next run/)
  })

  test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('R17: is it told by readyz as well where it is events that the disk has no room for?', async () => {
    const service = watch(['--state', at('full-sensor'), '--publish-events', '--config', config('full-sensor.yaml', `kafka: { brokers: ['127.0.0.1:1'] }`), '--metrics-port', '0'])
    const port = await service.port()
    spawnSync('prlimit', ['--pid', String(service.child.pid), '--fsize=1000:unlimited'])
    await service.feed(smallTroubles(600))
    await until(async () => /^\[-\] state: /m.test((await get(port, '/readyz?verbose')).body), async () => (await get(port, '/readyz?verbose')).body)
    spawnSync('prlimit', ['--pid', String(service.child.pid), '--fsize=unlimited:unlimited'])
    await service.says('the disk takes events again')
    expect((await get(port, '/readyz?verbose')).body).toContain('[+] state')
    await service.stop('SIGKILL')
  })

  test('R21: with more to read than it can, does it answer at once all the same?', { retry: 2 }, async () => {
    const service = watch(['--metrics-port', '0', '--alerts', at('busy.jsonl'), '--state', at('busy')])
    const port = await service.port()
    await service.feed(demo.subarray(0, 5_000_000))
    await get(port, '/metrics')
    await service.feed(demo.subarray(5_000_000))
    const lag = metricsOf((await get(port, '/metrics')).body).get('nodejs_eventloop_lag_p99_seconds')
    expect(lag).toBeGreaterThan(0)
    expect(lag).toBeLessThan(0.2)
    await service.stop('SIGKILL')
  })

  test('is the page of metrics what Prometheus reads, with the names of the design, the books balanced, and nothing of the wire in a label?', async () => {
    const service = watch(['--metrics-port', '0', '--alerts', at('metrics.jsonl')])
    const port = await service.port()
    await service.feed(demo.subarray(0, 20_000_000))
    await until(async () => (metricsOf((await get(port, '/metrics')).body).get('wardwire_events_total{kind="flow"}') ?? 0) > 500)
    const { body } = await get(port, '/metrics')
    for (const line of body.trim().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{([a-z]+="[A-Za-z0-9_.,:-]*",?)+\})? -?[0-9.e+-]+)$/)
    for (const name of ['frames_total', 'frames_dropped_total', 'capture_lag_seconds', 'tcp_connections', 'tcp_held_bytes', 'tcp_gaps_total', 'tcp_gap_bytes_total', 'tcp_overlap_conflicts_total',
      'limit_reached_total', 'weird_total', 'events_total', 'findings_total', 'alerts_total', 'alerts_suppressed_total', 'spool_bytes', 'spool_oldest_seconds', 'spool_dropped_total',
      'sink_sent_total', 'sink_errors_total', 'profiles', 'checkpoint_timestamp_seconds', 'build_info'].map((n) => `wardwire_${n}`).concat('nodejs_eventloop_lag_seconds')) {
      expect(body).toContain(`# TYPE ${name} `)
    }
    expect(body).not.toMatch(/\d+\.\d+\.\d+\.\d+|1\.2\.840/)
    await service.stop()
  })
})

describe('usage', () => {
  test.each([
    ['no source', ['watch']],
    ['two sources', ['watch', '-', '-i', 'lo']],
    ['a file', ['watch', 'monday.pcap']],
    ['an interface twice', ['watch', '-i', 'lo', '-i', 'lo']],
    ['a port that is none', ['watch', '-', '--metrics-port', '70000']],
    ['a buffer of nothing', ['watch', '-i', 'lo', '--buffer', '0']],
    ['sinks that are not configured', ['watch', '-', '--publish']],
    ['a configuration that is not there', ['watch', '-', '--config', '/nowhere.yaml']],
  ])('is %s exit code 2, with one line?', async (_, args) => {
    const { code, stderr } = await wardwire(args, { env: env() })
    expect(code).toBe(2)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('is a stream that is no capture exit code 1, and an empty one no failure?', async () => {
    const text = await wardwire(['watch', '-', '--alerts', at('none.jsonl')], { env: env(), input: Buffer.from('no capture at all, whatever it is called') })
    expect(text.code).toBe(1)
    expect(text.stderr).toMatch(/not a capture file/)
    expect((await wardwire(['watch', '-', '--alerts', at('none.jsonl')], { env: env(), input: new Uint8Array() })).code).toBe(0)
  })
})
