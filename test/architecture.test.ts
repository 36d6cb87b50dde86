/** Does the house keep its own laws? Read from the imports of every source file. */
import { readFileSync, readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const ROOMS = ['protocols', 'models', 'src'] as const
type Room = (typeof ROOMS)[number]

interface Source {
  file: string
  room: Room
  text: string
  imports: { specifier: string; typeOnly: boolean }[]
}

function importsOf(text: string, file: string): Source['imports'] {
  const found: Source['imports'] = []
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly
      found.push({ specifier: node.moduleSpecifier.text, typeOnly })
    }
    if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteral(argument)) found.push({ specifier: argument.text, typeOnly: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return found
}

const sources: Source[] = ROOMS.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(room, name)
      const text = readFileSync(join(root, file), 'utf8')
      return { file, room, text, imports: importsOf(text, file) }
    }))

const isPackage = (specifier: string): boolean =>
  !specifier.startsWith('.') && !specifier.startsWith('node:') && !builtinModules.includes(specifier)
const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')

/** Bundled at installation, and needed by nothing that runs later. */
const BUILD_ONLY = ['esbuild', 'rolldown', 'uplot', 'cytoscape']

/** Where each package of package.json may be imported. */
const HOMES: Record<string, string[]> = {
  pcap: ['src/sources/live-child.ts'],
  pino: ['src/telemetry/log.ts'],
  kafkajs: ['src/sources/', 'src/sinks/', 'src/detect/'],
  dcmjs: ['protocols/dicom/'],
  'hl7-standard': ['protocols/hl7/'],
  'simple-statistics': ['models/baseline/'],
  fzstd: ['src/sources/'],
  lmdb: ['src/store/'],
  commander: ['src/cli.ts'],
  yaml: ['src/config.ts', 'src/commands/check.ts'],
  uplot: ['src/report/page/charts.ts', 'src/report/page/main.ts'],
  cytoscape: ['src/report/page/map.ts'],
  esbuild: ['src/report/bundle.ts'],
  rolldown: ['src/rooms.ts'],
  tar: ['src/evidence/'],
  'oui-data': ['src/posture/'],
  zod: ['src/config.ts', 'src/schema.ts', 'models/calendar.ts'],
}

const MAY_IMPORT: Record<Room, readonly Room[]> = { protocols: ['protocols'], models: ['models', 'protocols'], src: ROOMS }

/** What of protocols/ models/ may read: the vocabulary, and pure helpers about what it says. */
const VOCABULARY = ['protocols/events.ts', 'protocols/phi.ts', 'protocols/time.ts', 'protocols/invisible.ts', 'protocols/room.ts', 'protocols/net/address.ts', 'protocols/dicom/uids.ts', 'protocols/dicom/names.ts', 'protocols/content.ts']

describe('imports', () => {
  test.each(ROOMS)('does every import of %s/ point the way data flows?', (room) => {
    const wrong = sources.filter((s) => s.room === room).flatMap((s) => s.imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => relative(root, resolve(root, dirname(s.file), specifier)))
      .filter((target) => !MAY_IMPORT[room].includes(target.split('/')[0] as Room))
      .map((target) => `${s.file} -> ${target}`))
    expect(wrong).toEqual([])
  })

  test('is there no circle of imports, in models/ of types neither?', () => {
    const importsOfFile = new Map(sources.map((s) => [s.file, s.imports.filter(({ specifier, typeOnly }) => specifier.startsWith('.') && (!typeOnly || s.room === 'models')).map(({ specifier }) => relative(root, resolve(root, dirname(s.file), specifier)))]))
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (path.includes(file) || done.has(file)) return
      for (const next of importsOfFile.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of importsOfFile.keys()) visit(file, [])
    expect(circles).toEqual([])
  })

  test('does models/ read nothing of protocols/ but the vocabulary?', () => {
    const wrong = sources.filter((s) => s.room === 'models').flatMap((s) => s.imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => relative(root, resolve(root, dirname(s.file), specifier)))
      .filter((target) => target.startsWith('protocols/') && !VOCABULARY.includes(target))
      .map((target) => `${s.file} -> ${target}`))
    expect(wrong).toEqual([])
  })

  test('is every dependency imported only in its one home?', () => {
    const wrong = sources.flatMap((s) => s.imports
      .filter(({ specifier }) => isPackage(specifier))
      .filter(({ specifier }) => !(HOMES[packageOf(specifier)] ?? []).some((home) => s.file.startsWith(home)))
      .map(({ specifier }) => `${s.file} -> ${specifier}`))
    expect(wrong).toEqual([])
  })

  test('are all imported packages declared, at an exact version?', () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>
    const atBuild = Object.fromEntries(Object.entries(devDependencies!).filter(([name]) => BUILD_ONLY.includes(name)))
    const declared = { ...dependencies, ...optionalDependencies, ...atBuild }
    for (const version of Object.values(declared)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    const used = new Set(sources.flatMap((s) => s.imports.map((i) => i.specifier)).filter(isPackage).map(packageOf))
    expect([...used].filter((name) => !(name in declared))).toEqual([])
  })
})

describe('purity', () => {
  const pure = sources.filter((s) => s.room !== 'src')

  test('do protocols/ and models/ touch no file, network or process?', () => {
    const allowed = new Set(['node:crypto', 'node:zlib', 'node:util', 'node:buffer', 'node:module'])
    const wrong = pure.flatMap((s) => s.imports
      .filter(({ specifier }) => specifier.startsWith('node:') || builtinModules.includes(specifier))
      .filter(({ specifier }) => !allowed.has(specifier))
      .map(({ specifier }) => `${s.file} -> ${specifier}`))
    expect(wrong).toEqual([])
  })

  test('is capture time their only clock, and is there no chance in them?', () => {
    const forbidden = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b|\bsetTimeout\b|\bsetInterval\b|\bMath\.random\b/
    expect(pure.filter((s) => forbidden.test(s.text)).map((s) => s.file)).toEqual([])
  })
})

describe('passive (R30)', () => {
  /** Who may open or listen on a socket, and what for. */
  const SOCKETS: Record<string, string> = {
    'src/sinks/http.ts': 'to the receivers that are configured', 'src/sinks/syslog.ts': 'to the receiver that is configured',
    'src/sources/live.ts': 'a stream socket on this machine', 'src/commands/capture.ts': 'a stream socket on this machine', 'src/sources/bytes.ts': 'a pipe',
    'src/telemetry/health.ts': 'listens on loopback', 'src/report/console.ts': 'listens on loopback',
  }
  const NETWORK = /^(node:)?(net|tls|dgram|dns|http|https|http2|dns\/promises)$/

  test('does nothing open a socket but whoever delivers alerts, captures, or answers on loopback?', () => {
    const found = sources.filter((s) => s.imports.some(({ specifier, typeOnly }) => NETWORK.test(specifier) && !typeOnly) || /\bfetch\(|\bWebSocket\b/.test(s.text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '')))
    expect(found.map((s) => s.file).filter((file) => !(file in SOCKETS) && !file.startsWith('src/report/page/'))).toEqual([])
    expect(Object.keys(SOCKETS).filter((file) => !found.some((s) => s.file === file))).toEqual([])
  })

  test('does the capturing process never send: is `inject` of the library not called by anybody?', () => {
    expect(sources.filter((s) => /\binject\s*\(|\.inject\b/.test(s.text)).map((s) => s.file)).toEqual([])
  })
})

describe('the top level', () => {
  test('does it hold what the design names, and nothing else?', () => {
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'docs', 'eslint.config.js', 'fixtures', 'models', 'package-lock.json', 'package.json',
      'protocols', 'src', 'test', 'tsconfig.build.json', 'tsconfig.json', 'vitest.config.ts']
    const present = readdirSync(root).filter((name) => !name.startsWith('.') && !['node_modules', 'dist', 'coverage'].includes(name))
    expect(present.sort()).toEqual(expected.sort())
  })
})
