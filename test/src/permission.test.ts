/**
 * R26: what does judging need of the machine? The program under the permission model of Node: it may read itself and its input, write into one folder, and
 * nothing else: no child process, no worker, no other file. A seat belt against mistakes, not a sandbox; the sandbox is the unit's (docs/deploy/systemd).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallTroubles } from './small-hospital.ts'

const root = resolve(import.meta.dirname, '../..')
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

let program: string
let folder: string
let outside: string
beforeAll(async () => {
  // In the tree, because packages are looked for from there; and as deep as what is installed.
  program = mkdtempSync(join(root, '.permission-'))
  folder = mkdtempSync(join(tmpdir(), 'wardwire-permission-'))
  outside = mkdtempSync(join(tmpdir(), 'wardwire-outside-'))
  mkdirSync(join(folder, 'wardwire'))
  writeFileSync(join(folder, 'in.pcap'), smallTroubles(60))
  await build({ entryPoints: [join(root, 'src/cli.ts')], outdir: join(program, 'src'), bundle: true, splitting: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' })
})
afterAll(() => { for (const one of [program, folder, outside]) rmSync(one, { recursive: true, force: true }) })

const wardwire = (args: readonly string[], more: readonly string[] = [], input?: Uint8Array): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [PERMISSION, `--allow-fs-read=${root}/`, `--allow-fs-read=${folder}/`, `--allow-fs-write=${folder}/`, ...more, join(program, 'src', 'cli.js'), ...args],
    { encoding: 'utf8', env: { ...process.env, XDG_STATE_HOME: folder }, ...(input && { input }) })

describe('R26: least privilege', () => {
  test('does a replay need no more than to read its input, and to write where it is told?', () => {
    const { status, stdout, stderr } = wardwire(['replay', join(folder, 'in.pcap'), '--alerts', '-', '--inventory', join(folder, 'inventory.json')])
    expect(status, stderr).toBe(0)
    expect(stdout).toContain('"id":"a-')
    expect(readFileSync(join(folder, 'inventory.json'), 'utf8')).toContain('CT1')
  })

  test('does the service with a state need the database beside that, and no more?', () => {
    const { status, stderr } = wardwire(['watch', '-', '--state', join(folder, 'state'), '--alerts', join(folder, 'alerts.jsonl')], ['--allow-addons'], readFileSync(join(folder, 'in.pcap')))
    expect(status, stderr).toBe(0)
    expect(readFileSync(join(folder, 'alerts.jsonl'), 'utf8')).toContain('"id":"a-')
  })

  test('is what it was not given refused: a file elsewhere, and a process of its own?', () => {
    expect(wardwire(['replay', join(folder, 'in.pcap'), '--alerts', join(outside, 'alerts.jsonl')]).status).not.toBe(0)
    const { status, stderr } = wardwire(['watch', '-i', 'lo'], ['--allow-addons'])
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/restricted|permission denied/i)
  })
})
