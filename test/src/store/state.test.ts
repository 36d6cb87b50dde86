import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventSpool } from '../../../src/store/event-spool.ts'
import { Shelf } from '../../../src/store/shelf.ts'
import { State } from '../../../src/store/state.ts'
import { readKeyFile, siteKeyOf, userKey } from '../../../src/store/site-key.ts'
import { FIXTURES } from '../../fixtures/replay.ts'
import { wardwire } from '../program.ts'

const key = Buffer.alloc(32, 7)
let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'wardwire-state-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('is nothing of a state, of what waits or of a shelf open to others, in a folder that is, and is an older file closed?', async () => {
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'group.mdb'), '', { mode: 0o644 })
  const state = new State(folder)
  state.save([['site', 1]], 1, key)
  const spool = new EventSpool(folder, 1e6)
  const shelf = new Shelf(folder, 'group')
  const modes = readdirSync(folder).filter((name) => !name.endsWith('-lock')).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])
  await Promise.all([state.close(), spool.close(), shelf.close()])
  expect(Object.fromEntries(modes)).toEqual({ 'wardwire.mdb': '600', 'events.mdb': '600', 'group.mdb': '600' })
})

describe('state', () => {
  test('does a save come back as it was, with the key and the time?', async () => {
    const model: [string, unknown][] = [['device/a', { n: 1.5, names: ['CT1'] }], ['site', [1, null, 'x']]]
    const first = new State(folder)
    first.save(model, 123_456, key)
    await first.close()
    const second = new State(folder)
    expect([...second.model()]).toEqual(model)
    expect(second.savedThrough).toBe(123_456)
    expect(Buffer.from(second.siteKey!)).toEqual(key)
    await second.close()
  })

  test('does a device that is forgotten vanish from the next save?', async () => {
    const state = new State(folder)
    state.save([['device/a', 1], ['device/b', 2]], 1, key)
    state.save([['device/b', 3]], 2, key)
    expect([...state.model()]).toEqual([['device/b', 3]])
    await state.close()
  })

  test('does a save that fails half-way leave the one before?', async () => {
    const state = new State(folder)
    state.save([['device/a', 1]], 1, key)
    const breaksOff = function * (): Generator<[string, unknown]> {
      yield ['device/a', 2]
      throw new Error('half-way')
    }
    expect(() => state.save(breaksOff(), 2, key)).toThrow(/not saved.*half-way/)
    expect([...state.model()]).toEqual([['device/a', 1]])
    await state.close()
  })

  test('is a save refused when another run has saved since?', async () => {
    const mine = new State(folder)
    const theirs = new State(folder)
    theirs.save([['device/a', 'theirs']], 5, key)
    expect(() => mine.save([['device/a', 'mine']], 4, key)).toThrow(/another run has saved/)
    expect([...theirs.model()]).toEqual([['device/a', 'theirs']])
    await mine.close()
    await theirs.close()
  })

  test('is a folder that is none refused with a clear line?', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(() => new State(file)).toThrow(/cannot use .* as the state folder/)
  })

  test('does a run killed in the middle of its saves leave a whole one?', async () => {
    const script = `
      import { State } from ${JSON.stringify(join(import.meta.dirname, '../../../src/store/state.ts'))}
      const state = new State(${JSON.stringify(folder)})
      process.stdout.write('ready')
      for (let n = 1; ; n++) state.save(Array.from({ length: 200 }, (_, i) => ['device/' + i, { n, fill: 'x'.repeat(500) }]), n, Buffer.alloc(32, 7))`
    for (const delay of [5, 20, 60]) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, delay))
      child.kill('SIGKILL')
      await once(child, 'exit')
      const state = new State(folder)
      const saves = new Set([...state.model()].map(([, value]) => (value as { n: number }).n))
      // Either nothing was saved yet, or exactly one save, whole.
      expect(saves.size).toBeLessThanOrEqual(1)
      if (saves.size === 1) {
        expect([...state.model()]).toHaveLength(200)
        expect([...saves]).toEqual([state.savedThrough])
      }
      await state.close()
      rmSync(join(folder, 'wardwire.mdb'), { force: true })
      rmSync(join(folder, 'wardwire.mdb-lock'), { force: true })
    }
  })
})

describe('site key', () => {
  test('is the user\'s key made once, for the user alone, and read again?', () => {
    process.env['XDG_STATE_HOME'] = folder
    try {
      const made = userKey(() => expect.unreachable())
      expect(Buffer.from(userKey(() => expect.unreachable()))).toEqual(Buffer.from(made))
      expect(statSync(join(folder, 'wardwire', 'site.key')).mode & 0o077).toBe(0)
    } finally {
      delete process.env['XDG_STATE_HOME']
    }
  })

  test('is a run without a place for the key told so in one line, and goes on?', () => {
    writeFileSync(join(folder, 'file'), '')
    process.env['XDG_STATE_HOME'] = join(folder, 'file')
    const lines: string[] = []
    try {
      expect(userKey((line) => lines.push(line))).toHaveLength(32)
    } finally {
      delete process.env['XDG_STATE_HOME']
    }
    expect(lines).toHaveLength(1)
  })

  test.each(['/proc/nothing/state', '/proc/state', '/dev/null/state'])('is a folder that cannot be made (%s) refused in words, and at once?', async (place) => {
    const { code, stderr } = await wardwire(['replay', join(FIXTURES, 'cases', readdirSync(join(FIXTURES, 'cases')).find((name) => name.endsWith('.pcap'))!), '--state', place], { kill: { signal: 'SIGKILL', after: 30_000 } })
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^wardwire: cannot use ${place} as the state folder: .+\n$`))])
  })

  test('is a file that holds no key refused, saying how to make one?', () => {
    const file = join(folder, 'key')
    writeFileSync(file, 'secret')
    expect(() => readKeyFile(file, () => {})).toThrow(/64 hexadecimal digits/)
  })

  test('is a key that other users can read or change told of, with what to do, and one that they cannot not?', () => {
    const file = join(folder, 'open.key')
    writeFileSync(file, 'ab'.repeat(32))
    for (const [mode, isOpen] of [[0o600, false], [0o400, false], [0o640, true], [0o644, true], [0o602, true]] as const) {
      chmodSync(file, mode)
      const lines: string[] = []
      expect(readKeyFile(file, (line) => lines.push(line))).toHaveLength(32)
      expect(lines).toEqual(isOpen ? [expect.stringContaining(`chmod 600 ${file}`)] : [])
    }
  })

  test('does a state go on with the key it was begun with, and say so where the configuration names another?', () => {
    const file = join(folder, 'other.key')
    writeFileSync(file, 'ab'.repeat(32), { mode: 0o600 })
    const lines: string[] = []
    const own = new Uint8Array(32).fill(7)
    expect(siteKeyOf({ siteKey: own }, file, (line) => lines.push(line))).toEqual(own)
    expect(lines).toEqual([expect.stringContaining('begun with another site key')])
    expect(siteKeyOf({ siteKey: undefined }, file, (line) => lines.push(line))).toEqual(Buffer.from('ab'.repeat(32), 'hex'))
    expect(lines).toHaveLength(1)
  })
})
