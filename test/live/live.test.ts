/** Live capture, from real tools, in a network namespace of the test's own. Skipped, with the reason, where that is not possible. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frame, message, msh, pid } from '../../fixtures/build/hl7.ts'
import { writeStudy } from '../../fixtures/build/lab/objects.ts'
import { has } from '../../fixtures/build/lab/tools.ts'
import { readCaptures } from '../../src/sources/captures.ts'
import { jsonLines, wardwire } from '../src/program.ts'
import { Service, until } from '../src/service.ts'

function missing(): string | null {
  try {
    createRequire(import.meta.url)('pcap')
  } catch {
    return 'the package pcap was not built (libpcap-dev)'
  }
  for (const tool of ['unshare', 'nsenter', 'ip', 'cc']) if (!has(tool)) return `${tool} is not installed`
  const tried = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'])
  return tried.status === 0 ? null : 'network namespaces can\'t be made (root is needed)'
}

const why = missing()
if (why !== null) console.log(`live capture is not tested: ${why}`)

let folder: string
let holder: ChildProcess
let inside: string[]
const at = (name: string): string => join(folder, name)
const read = (name: string): string => { try { return readFileSync(at(name), 'utf8') } catch { return '' } }
const lines = (name: string): Record<string, unknown>[] => jsonLines(read(name))
const run = (...command: string[]): string => execFileSync('nsenter', [...inside, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const watch = (...args: string[]): Service => new Service(['watch', ...args], { before: ['nsenter', ...inside], env: { XDG_STATE_HOME: folder } })
const blast = (address: string, rate: number, seconds: number): Promise<number> => new Promise((resolve, reject) => {
  const child = spawn('nsenter', [...inside, at('blast'), address, '9', '158', String(rate), String(seconds)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (text: Buffer) => { out += text.toString() })
  child.on('error', reject).on('close', () => resolve(Number(out)))
})
/** The capturing process of a service: the child of the process that the service is. */
function capturing(service: Service): number {
  for (const name of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const parent = Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))![1])
      if (parent === service.child.pid && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('live-child')) return Number(name)
    } catch {
      // Gone in the meantime.
    }
  }
  throw new Error('there is no capturing process')
}
const lastReport = (name: string): { frames: number; dropped: Record<string, number> } => lines(name).at(-1) as never

describe.skipIf(why !== null)('live capture', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wardwire-live-'))
    execFileSync('cc', ['-O2', '-o', at('blast'), join(import.meta.dirname, 'blast.c')])
    holder = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' })
    inside = ['-t', String(holder.pid), '-n']
    await until(() => readFileSync(`/proc/${holder.pid}/comm`, 'latin1').startsWith('sleep'))
    run('ip', 'link', 'set', 'lo', 'up')
    run('ip', 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'wire1')
    run('ip', 'addr', 'add', '10.99.0.1/24', 'dev', 'wire0')
    // Nobody answers there, so nothing but what we send is on the wire.
    run('ip', 'neigh', 'add', '10.99.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'wire0')
    for (const end of ['wire0', 'wire1']) {
      run('sysctl', '-qw', `net.ipv6.conf.${end}.disable_ipv6=1`)
      run('ip', 'link', 'set', end, 'up')
    }
  })
  afterAll(() => {
    holder.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test.skipIf(['storescp', 'storescu', 'echoscu', 'mllp_send', 'tcpdump'].some((tool) => !has(tool)))('R12: is what dcmtk and mllp_send say on lo told live as a replay of what was kept tells it, and of what tcpdump kept by itself: events, alerts and ids?', async () => {
    const study = writeStudy(at('objects'), 'CT', 1, 2)
    const files = readdirSync(at('objects'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.dcm')).map((name) => join(at('objects'), name))
    const messages = [1, 2, 3].map((n) => message(msh({ sendingApp: 'ADT1', type: 'ADT^A01^ADT_A01', controlId: `M${n}` }), pid({ id: `P${n}`, name: 'EXAMPLE^EVE' })))
    writeFileSync(at('messages.hl7'), Buffer.concat(messages.map((one) => frame(one))))
    const filter = 'tcp port 14104 or tcp port 14575'
    const background = (...command: string[]): ChildProcess => spawn('nsenter', [...inside, ...command], { stdio: 'ignore' })
    const archive = background('storescp', '-aet', 'ARCHIVE', '-od', folder, '14104')
    const engine = background(process.execPath, '--import', 'tsx', join(import.meta.dirname, 'mllp-server.ts'), '14575')
    // Local, and of the Internet all the same.
    run('ip', 'addr', 'add', '203.0.113.9/32', 'dev', 'lo')
    await until(() => run('ss', '-tln').split('\n').filter((line) => /:(14104|14575) /.test(line)).length >= 2)
    // One recording by itself, and one that goes to a second service as it is made.
    const tcpdump = background('tcpdump', '-i', 'lo', '-s', '262144', '--immediate-mode', '-U', '-Z', 'root', '-w', at('tcpdump.pcap'), filter)
    const piped = watch('-', '--events', at('piped.jsonl'), '--alerts', at('piped-alerts.jsonl'))
    const pipe = spawn('nsenter', [...inside, 'tcpdump', '-i', 'lo', '-s', '262144', '-U', '-Z', 'root', '-w', '-', filter], { stdio: ['ignore', 'pipe', 'ignore'] })
    pipe.stdout.on('data', (bytes: Buffer) => { appendFileSync(at('piped.pcap'), bytes) }).pipe(piped.child.stdin!)
    const service = watch('-i', 'lo', '--filter', filter, '--events', at('live.jsonl'), '--write', at('kept.pcapng'), '--alerts', at('live-alerts.jsonl'))
    await service.says('capturing from lo')
    await piped.says('capturing from stdin')
    await until(() => existsSync(at('tcpdump.pcap')) && statSync(at('tcpdump.pcap')).size > 0)
    run('echoscu', '-aet', 'CT1', '-aec', 'ARCHIVE', '127.0.0.1', '14104')
    run('storescu', '-aet', 'CT1', '-aec', 'ARCHIVE', '127.0.0.1', '14104', ...files)
    run('mllp_send', '-p', '14575', '-f', at('messages.hl7'), '127.0.0.1')
    for (let n = 0; n < 12; n++) run('storescu', '-aet', 'CT1', '-aec', 'OUTSIDE', '203.0.113.9', '14104', ...files)
    await pause(700)
    expect((await service.stop()).code, service.stderr).toBe(0)
    for (const one of [tcpdump, pipe]) {
      one.kill('SIGINT')
      await once(one, 'close')
    }
    expect((await piped.ended).code, piped.stderr).toBe(0)
    archive.kill('SIGKILL')
    engine.kill('SIGKILL')
    expect(study).toBeDefined()
    const live = lines('live.jsonl')
    expect(live.filter((e) => e['kind'] === 'dicom.operation').slice(0, 1 + files.length).map((o) => `${o['command'] as string} ${o['status'] as string}`))
      .toEqual(['C-ECHO 0000', ...files.map(() => 'C-STORE 0000')])
    expect(live.filter((e) => e['kind'] === 'hl7.message').map((m) => [m['control_id'], (m['acks'] as { code: string }[]).map(({ code }) => code)])).toEqual([1, 2, 3].map((n) => [`M${n}`, ['AA']]))
    expect(lines('live-alerts.jsonl').length).toBeGreaterThan(0)
    // How the capture itself went is told by each capture for itself.
    const events = (name: string): string[] => read(name).trim().split('\n').filter((line) => !line.includes('"kind":"capture"'))
    const alerts = (name: string): unknown[] => lines(name).map((alert) => ({ ...alert, capture: null }))
    const replay = async (kept: string): Promise<void> => {
      const replayed = await wardwire(['replay', at(kept), '--events', at(`${kept}.jsonl`), '--alerts', at(`${kept}-alerts.jsonl`)], { env: { XDG_STATE_HOME: folder } })
      expect(replayed.code, replayed.stderr).toBe(0)
    }
    for (const [kept, seen] of [['kept.pcapng', 'live'], ['piped.pcap', 'piped']] as const) {
      await replay(kept)
      expect(events(`${kept}.jsonl`), kept).toEqual(events(`${seen}.jsonl`))
      expect(alerts(`${kept}-alerts.jsonl`), kept).toEqual(alerts(`${seen}-alerts.jsonl`))
    }
    // The kernel gives each listener a time of its own, microseconds apart: all but times, and ids that are made from them, is the same.
    await replay('tcpdump.pcap')
    const timeless = (text: string): string => text
      .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, 'null').replace(/"(duration_ms|latency_ms|lag_ms)":[\d.]+/g, '').replace(/\b(a|dev)-[0-9a-z]{11}\b/g, '').replace(/"id":"[0-9a-f]{16}"/g, '')
    expect(events('tcpdump.pcap.jsonl').map(timeless)).toEqual(events('live.jsonl').map(timeless))
    expect(alerts('tcpdump.pcap-alerts.jsonl').map((alert) => timeless(JSON.stringify(alert)))).toEqual(alerts('live-alerts.jsonl').map((alert) => timeless(JSON.stringify(alert))))
  })

  test('are 100,000 packets of 200 bytes a second on a veth pair read without loss, and is nothing sent there (R30)?', async () => {
    const said = (): string => /"tx":\{[^}]*"packets":(\d+)/.exec(run('ip', '-s', '-j', 'link', 'show', 'wire1'))![1]!
    const before = said()
    const service = watch('-i', 'wire1', '--events', at('veth.jsonl'), '--alerts', at('veth-alerts.jsonl'))
    await service.says('capturing from wire1')
    expect(await blast('10.99.0.2', 100_000, 2)).toBe(200_000)
    await pause(1500)
    expect((await service.stop()).code, service.stderr).toBe(0)
    const { frames, dropped } = lastReport('veth.jsonl')
    expect({ frames, kernel: dropped['capture.kernel'] ?? 0, interface: dropped['capture.interface'] ?? 0 }).toEqual({ frames: 200_000, kernel: 0, interface: 0 })
    expect(read('veth-alerts.jsonl')).toBe('')
    expect(said()).toBe(before)
  })

  test('R21: does a reader that stands still lose, all of it counted, and told?', async () => {
    const service = watch('-i', 'wire1', '--events', at('still-stands.jsonl'), '--alerts', at('still-stands-alerts.jsonl'), '--buffer', '8')
    await service.says('capturing from wire1')
    const sent = await blast('10.99.0.2', 10_000, 0.2)
    await pause(500)
    const pid = capturing(service)
    process.kill(pid, 'SIGSTOP')
    const more = await blast('10.99.0.2', 100_000, 1)
    process.kill(pid, 'SIGCONT')
    await pause(2500)
    expect((await service.stop()).code, service.stderr).toBe(0)
    const { frames, dropped } = lastReport('still-stands.jsonl')
    expect(dropped['capture.kernel']).toBeGreaterThan(0)
    expect(frames + dropped['capture.kernel']!).toBe(sent + more)
    expect(frames).toBeGreaterThanOrEqual(sent)
    const [loss] = lines('still-stands-alerts.jsonl').filter((a) => a['detector'] === 'ops.capture_loss')
    expect(loss).toMatchObject({ severity: 'high', device: { role: 'sensor' } })
  })

  test('are no more bytes of a frame kept than --snaplen says, and its length on the wire all the same?', async () => {
    const service = watch('-i', 'wire1', '--snaplen', '100', '--write', at('short.pcapng'), '--alerts', at('short.jsonl'))
    await service.says('capturing from wire1')
    await blast('10.99.0.2', 1000, 0.05)
    await pause(500)
    expect((await service.stop()).code, service.stderr).toBe(0)
    const lengths: [kept: number, wire: number][] = []
    await readCaptures([at('short.pcapng')], { onFrame: ({ start, end, wireLength }) => lengths.push([end - start, wireLength]) })
    expect(lengths).toEqual(Array.from({ length: 50 }, () => [100, 200]))
  })

  test('R23: is a capturing process that is killed started again, and told?', async () => {
    const service = watch('-i', 'lo', '-i', 'wire1', '--alerts', at('killed.jsonl'), '--events', at('killed-events.jsonl'))
    await service.says('capturing from lo,wire1')
    const times = (text: string): number => service.stderr.split(text).length - 1
    for (const [kill, least] of [[1, 500], [2, 1000]] as const) {
      process.kill(capturing(service), 'SIGKILL')
      await until(() => times('capturing stopped: the capturing process was killed') === kill)
      const began = performance.now()
      await until(() => times('capturing goes on') === kill)
      // The pause before a new try doubles.
      expect(performance.now() - began).toBeGreaterThan(least - 100)
    }
    await blast('10.99.0.2', 1000, 0.1)
    await pause(1500)
    expect((await service.stop()).code).toBe(0)
    expect(lines('killed.jsonl').filter((a) => a['detector'] === 'ops.capture_restarted').map((a) => a['revision'])).toEqual([1, 2, 1, 2])
    expect(lastReport('killed-events.jsonl').frames).toBe(100)
  })

  test('is an interface that vanishes told by its name?', async () => {
    run('ip', 'link', 'add', 'gone0', 'type', 'veth', 'peer', 'name', 'gone1')
    for (const end of ['gone0', 'gone1']) run('ip', 'link', 'set', end, 'up')
    const service = watch('-i', 'gone1', '--alerts', at('gone.jsonl'))
    await service.says('capturing from gone1')
    run('ip', 'link', 'del', 'gone0')
    await service.says('capturing stopped: the interface gone1 is gone')
    expect((await service.stop()).code).toBe(0)
    expect(lines('gone.jsonl')[0]).toMatchObject({ detector: 'ops.capture_restarted' })
  })

  test('R26: with the right in a process of its own, does the engine have none, and do frames come over the socket, also after either was started again?', async () => {
    const socket = at('capture.sock')
    const engine = (name: string): Service => new Service(['watch', '--socket', socket, '--events', at(name)], { before: ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--no-new-privs'], env: { XDG_STATE_HOME: folder } })
    const first = engine('socket.jsonl')
    await first.says('watching')
    const capture = new Service(['capture', '-i', 'wire1', '--socket', socket], { before: ['nsenter', ...inside] })
    await first.says('capturing from socket')
    await blast('10.99.0.2', 1000, 0.1)
    await pause(500)
    expect((await first.stop()).code, first.stderr).toBe(0)
    expect(lastReport('socket.jsonl').frames).toBe(100)
    const second = engine('socket2.jsonl')
    await second.says('capturing from socket')
    await blast('10.99.0.2', 1000, 0.1)
    await pause(500)
    expect((await capture.stop()).code).toBe(0)
    expect((await second.stop()).code).toBe(0)
    expect(lastReport('socket2.jsonl').frames).toBe(100)
  })

  test.each([
    ['no such interface', ['-i', 'nope0'], 2, /there is no interface nope0; there are: .*lo/],
    ['a filter that is none', ['-i', 'lo', '--filter', 'tcp prt 104'], 2, /the capture filter is refused/],
  ])('is %s told in one clear line, with exit code 2?', async (_, args, expected, line) => {
    const service = watch(...args)
    expect((await service.ended).code).toBe(expected)
    expect(service.stderr.trim().split('\n').at(-1)).toMatch(line)
  })

  test.skipIf(!has('setpriv'))('is a missing right told in one clear line, with exit code 1?', async () => {
    const service = new Service(['watch', '-i', 'lo'], { before: ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--no-new-privs'], env: { XDG_STATE_HOME: folder } })
    expect((await service.ended).code).toBe(1)
    expect(service.stderr.trim().split('\n').at(-1)).toMatch(/capturing on lo is not permitted.*CAP_NET_RAW/)
  })

  test.each([
    ['not built', 'ERR_MODULE_NOT_FOUND', /live capture needs the package pcap, and it was not built.*apt-get install libpcap-dev.*npm rebuild pcap/],
    ['built for a library that is not there', 'ERR_DLOPEN_FAILED', /live capture needs the package pcap, and it cannot be loaded: libpcap\.so\.0\.8: cannot open/],
  ])('is a pcap that was %s told in one clear line, with exit code 1?', async (_, code, line) => {
    const service = new Service(['watch', '-i', 'lo'], { env: { XDG_STATE_HOME: folder, WITHOUT_PCAP: code, NODE_OPTIONS: `--require ${join(import.meta.dirname, 'without-pcap.cjs')}` } })
    expect((await service.ended).code).toBe(1)
    expect(service.stderr.trim().split('\n').at(-1)).toMatch(line)
  })

  test('does a quiet network still move the clock?', async () => {
    const service = watch('-i', 'wire1', '--alerts', at('still.jsonl'), '--metrics-port', '0')
    await service.says('capturing from wire1')
    await blast('10.99.0.2', 1000, 0.05)
    await pause(4000)
    // In the namespace, where the listener is.
    const lag = Number(/^wardwire_capture_lag_seconds (\S+)/m.exec(run('curl', '-s', `http://127.0.0.1:${await service.port()}/metrics`))![1])
    expect(lag).toBeGreaterThan(0.5)
    expect(lag).toBeLessThan(3)
    expect((await service.stop()).code).toBe(0)
  })
})
