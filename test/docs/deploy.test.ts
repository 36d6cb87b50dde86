/** Do the units and containers of docs/deploy call the program as it is: its commands, options, paths and ports? */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { wardwire } from '../src/program.ts'

const root = join(import.meta.dirname, '..', '..')
const deploy = join(root, 'docs', 'deploy')
const read = (...path: string[]): string => readFileSync(join(deploy, ...path), 'utf8')

/** What the service takes to end by itself, at most (`END_WITHIN` of src/service.ts), seconds. */
const END_WITHIN = Number(/const END_WITHIN = ([\d_]+)/.exec(readFileSync(join(root, 'src', 'service.ts'), 'utf8'))![1]!.replaceAll('_', '')) / 1000

// ---------------------------------------------------------------------------------------------------- what is deployed

interface Container {
  image?: string
  build?: { context: string; dockerfile: string }
  entrypoint?: string[]
  command: string[]
  environment?: Record<string, string>
  volumes?: string[]
  depends_on?: string[]
  stop_grace_period?: string
  read_only?: boolean
  cap_drop?: string[]
  cap_add?: string[]
  tmpfs?: string[]
}
const compose = parse(read('compose.yaml')) as { services: Record<string, Container>; volumes: Record<string, unknown> }
const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'wardwire')

/** Keys of a unit; one that comes twice has two values. */
function unit(name: string): Map<string, string[]> {
  const keys = new Map<string, string[]>()
  for (const [, key, value] of read('systemd', name).matchAll(/^([A-Za-z]+)=(.*)$/gm)) keys.set(key!, [...(keys.get(key!) ?? []), value!])
  return keys
}
const units = new Map(readdirSync(join(deploy, 'systemd')).map((name) => [name, unit(name)]))

/** Every call of the program: where it stands, and its words from the command on. */
const calls: [where: string, words: string[]][] = [
  ...ours.map(([name, { command }]): [string, string[]] => [`compose.yaml ${name}`, command]),
  ...[...units].flatMap(([name, keys]) => ['ExecStart', 'ExecStartPre', 'ExecReload'].flatMap((key) => (keys.get(key) ?? [])
    .filter((line) => line.includes(' wardwire ')).map((line): [string, string[]] => [`${name} ${key}`, line.slice(line.indexOf(' wardwire ') + 10).split(' ')]))),
]
const option = (words: readonly string[], name: string): string | undefined => words[words.indexOf(name) + 1]

describe('what docs/deploy calls', () => {
  /** Options of each command, and whether one takes a value. */
  const known = new Map<string, Map<string, boolean>>()
  beforeAll(async () => {
    await Promise.all([...new Set(calls.map(([, [command]]) => command!))].map(async (command) => {
      const { code, stdout } = await wardwire([command, '--help'])
      if (code !== 0) return
      known.set(command, new Map([...stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)( <)?/gm)].flatMap(([, short, long, value]) =>
        [short, long].filter((name) => name !== undefined).map((name): [string, boolean] => [name, value !== undefined]))))
    }))
  })

  test('are there calls of both halves in both places, and of a worker?', () => {
    expect(calls.map(([, [command]]) => command).sort()).toEqual(['capture', 'capture', 'check', 'check', 'check', 'detect', 'watch', 'watch'])
  })

  test.each(calls)('%s: does the program have the command, and every option?', (_, [command, ...words]) => {
    const options = known.get(command!)
    expect(options, command).toBeDefined()
    for (let i = 0; i < words.length; i++) {
      if (!words[i]!.startsWith('-')) {
        // The only one without a name.
        expect([command, i]).toEqual(['check', 0])
        continue
      }
      expect([...options!.keys()]).toContain(words[i])
      if (options!.get(words[i]!)!) expect(words[++i]).toMatch(/^[^-]/)
    }
  })

  test('do capturing and judging meet on the same socket, in a folder that is there for both?', () => {
    const sockets = calls.filter(([, words]) => words.includes('--socket')).map(([, words]) => option(words, '--socket'))
    expect(new Set(sockets).size).toBe(1)
    expect(sockets).toHaveLength(4)
    const folder = posix.dirname(sockets[0]!)
    expect(units.get('wardwire.service')!.get('RuntimeDirectory')).toEqual([posix.basename(folder)])
    for (const [, { volumes }] of ours) expect(volumes!.map((volume) => volume.split(':')[1])).toContain(folder)
  })

  test('may engine and worker write where they are told to, and nowhere else, and do they not meet?', () => {
    for (const name of ['wardwire.service', 'wardwire-worker.service']) {
      const keys = units.get(name)!
      const call = calls.find(([where]) => where === `${name} ExecStart`)![1]
      expect(option(call, '--state')).toBe(`/var/lib/${keys.get('StateDirectory')![0]}`)
      if (call.includes('--alerts')) expect(dirname(option(call, '--alerts')!)).toBe(`/var/log/${keys.get('LogsDirectory')![0]}`)
      expect(dirname(option(call, '--config')!)).toBe(`/etc/${keys.get('ConfigurationDirectory')![0]}`)
      expect(keys.get('ProtectSystem')).toEqual(['strict'])
    }
    const apart = (name: string): (string | undefined)[] => calls.filter(([where]) => /^wardwire.*ExecStart$/.test(where)).map(([, words]) => words.includes(name) ? option(words, name) : undefined).filter((value) => value !== undefined)
    for (const name of ['--state', '--metrics-port']) expect(new Set(apart(name)).size).toBe(2)
    for (const [, { command, volumes, read_only: readOnly }] of ours) {
      expect(readOnly).toBe(true)
      const mounted = volumes!.map((volume) => volume.split(':')[1])
      for (const path of command.filter((word) => word.startsWith('/'))) expect(mounted).toContain(path.endsWith('.sock') ? posix.dirname(path) : path)
    }
  })

  test('does only the half that captures have a right, and only that one?', () => {
    for (const name of ['wardwire.service', 'wardwire-worker.service']) expect(units.get(name)!.get('CapabilityBoundingSet')).toEqual([''])
    expect(units.get('wardwire-capture@.service')!.get('CapabilityBoundingSet')).toEqual(['CAP_NET_RAW'])
    for (const [name, { cap_drop: dropped, cap_add: added }] of ours) {
      expect(dropped).toEqual(['ALL'])
      expect(added).toEqual(name === 'capture' ? ['NET_RAW'] : undefined)
    }
  })

  test('are both given the time to end that the service may take?', () => {
    expect(Number(units.get('wardwire.service')!.get('TimeoutStopSec')![0])).toBeGreaterThan(END_WITHIN)
    expect(Number.parseInt(compose.services['engine']!.stop_grace_period!, 10)).toBeGreaterThan(END_WITHIN)
  })

  test('do the containers name each other, volumes and brokers that are there?', () => {
    for (const { depends_on: others = [], volumes = [] } of Object.values(compose.services)) {
      for (const other of others) expect(Object.keys(compose.services)).toContain(other)
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0])
    }
    const { command, build } = compose.services['engine']!
    expect(compose.services['kafka']!.environment!['KAFKA_ADVERTISED_LISTENERS']).toContain(`//${option(command, '--kafka')!}`)
    expect(join(deploy, build!.context, build!.dockerfile)).toBe(join(deploy, 'Dockerfile'))
  })

  test('does the image hold the program where it is called, and all that it is made of?', () => {
    const docker = read('Dockerfile')
    const { bin, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { wardwire: string }; files: string[] }
    const program = `${/^WORKDIR (\S+)$/m.exec(docker.slice(docker.lastIndexOf('\nFROM')))![1]}/${bin.wardwire}`
    expect(docker).toContain(`"${program}"`)
    expect(compose.services['capture']!.entrypoint).toEqual(['node-capture', program])
    expect(docker).toContain('/usr/local/bin/node-capture')
    const copied = [...docker.matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(([, path]) => path!)
    for (const path of copied.filter((path) => path !== 'node_modules')) expect(path === 'package.json' || files.some((file) => file === path || file.startsWith(`${path}/`) || path.startsWith(`${file}/`)), path).toBe(true)
    expect(copied).toEqual(expect.arrayContaining(['package.json', 'node_modules', 'dist']))
  })
})

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0
if (!hasAnalyze) console.log('The units are not verified: systemd-analyze is not here.')

test.skipIf(!hasAnalyze)('does systemd find nothing wrong with the units?', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wardwire-units-'))
  try {
    // The template is looked at as an instance of it.
    for (const name of units.keys()) writeFileSync(join(folder, name.replace('@.', '@mirror0.')), read('systemd', name))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...readdirSync(folder).map((name) => join(folder, name))], { encoding: 'utf8' })
    // What it says of other units of this machine is not ours.
    expect(stderr.split('\n').filter((line) => line.includes('wardwire'))).toEqual([])
    expect(status).toBe(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
