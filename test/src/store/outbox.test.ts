import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SEVERITIES, type Alert } from '../../../models/alert.ts'
import type { Outbox, Totals } from '../../../src/store/outbox.ts'
import { State } from '../../../src/store/state.ts'
import { makeAlert, numbered } from '../alert.ts'

const key = Buffer.alloc(32, 7)
const MEGABYTE = 1024 * 1024
let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'wardwire-outbox-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function withOutbox(use: (outbox: Outbox, state: State) => void | Promise<void>, maxBytes = 64 * MEGABYTE, sinks = ['kafka']): Promise<void> {
  const state = new State(folder)
  try {
    await use(state.openOutbox(sinks, maxBytes), state)
  } finally {
    await state.close()
  }
}

const ids = (outbox: Outbox, sink = 'kafka'): string[] => outbox.next(sink, 10_000, 1e9).map(({ alert }) => alert.id)
const balance = (t: Totals): number => t.accepted - t.delivered - t.superseded - t.shed - t.refused - t.corrupt - t.held

describe('the queue', () => {
  test('does an alert come back whole, and leave when it is acknowledged?', () => withOutbox((outbox) => {
    outbox.add([makeAlert()])
    const batch = outbox.next('kafka', 10, 1e6)
    expect(batch.map(({ alert }) => alert)).toEqual([makeAlert()])
    outbox.acknowledge('kafka', batch)
    expect(outbox.next('kafka', 10, 1e6)).toEqual([])
    expect(outbox.totals('kafka')).toMatchObject({ accepted: 1, delivered: 1, held: 0, bytes: 0 })
  }))

  test('do alerts of all severities leave in the order they came?', () => withOutbox((outbox) => {
    const alerts = Array.from({ length: 100 }, (_, i) => numbered(i, SEVERITIES[(i * 7) % 5]))
    outbox.add(alerts)
    expect(ids(outbox)).toEqual(alerts.map((a) => a.id))
    expect(outbox.next('kafka', 7, 1e9).map(({ alert }) => alert.id)).toEqual(alerts.slice(0, 7).map((a) => a.id))
  }))

  test('is a batch bounded in bytes, but never empty while something waits?', () => withOutbox((outbox) => {
    outbox.add([numbered(1), numbered(2), numbered(3)])
    const size = JSON.stringify(numbered(1)).length
    expect(outbox.next('kafka', 10, 10)).toHaveLength(1)
    expect(outbox.next('kafka', 10, size * 2.5)).toHaveLength(2)
  }))

  test('does a newer revision take the place of the one that waits?', () => withOutbox((outbox) => {
    outbox.add([numbered(1), numbered(2)])
    outbox.add([{ ...numbered(1, 'critical'), revision: 5 }, { ...numbered(2), revision: 1 }])
    expect(outbox.next('kafka', 10, 1e9).map(({ alert }) => [alert.id, alert.revision, alert.severity])).toEqual([['id-1', 5, 'critical'], ['id-2', 1, 'medium']])
    expect(outbox.totals('kafka')).toMatchObject({ accepted: 4, superseded: 2, held: 2 })
  }))

  test('does a revision that came while the older one was sent stay, and follow?', () => withOutbox((outbox) => {
    outbox.add([numbered(1), numbered(2)])
    const sent = outbox.next('kafka', 10, 1e9)
    outbox.add([{ ...numbered(1, 'critical'), revision: 2 }])
    outbox.acknowledge('kafka', sent)
    expect(outbox.next('kafka', 10, 1e9).map(({ alert }) => [alert.id, alert.revision])).toEqual([['id-1', 2]])
  }))

  test('does one sink that is away hold up no other?', () => withOutbox((outbox) => {
    outbox.add([numbered(1), numbered(2)])
    outbox.acknowledge('syslog', outbox.next('syslog', 10, 1e9))
    expect(ids(outbox, 'syslog')).toEqual([])
    expect(ids(outbox, 'kafka')).toEqual(['id-1', 'id-2'])
  }, MEGABYTE, ['kafka', 'syslog']))

  test('does an alert wait only for sinks that want it, and does what waits from before stay, whatever is wanted now?', async () => {
    await withOutbox((outbox) => outbox.add([numbered(1)]), MEGABYTE, ['kafka', 'syslog'])
    const state = new State(folder)
    const outbox = state.openOutbox(['kafka', 'syslog'], MEGABYTE, (sink, { severity }) => sink !== 'kafka' || severity === 'critical')
    outbox.add([numbered(2), numbered(3, 'critical')])
    expect(ids(outbox, 'kafka')).toEqual(['id-1', 'id-3'])
    expect(ids(outbox, 'syslog')).toEqual(['id-1', 'id-2', 'id-3'])
    expect(outbox.totals('kafka')).toMatchObject({ accepted: 2, held: 2 })
    await state.close()
  })

  test('does everything survive a restart, and go on in order?', async () => {
    await withOutbox((outbox) => outbox.add([numbered(1), numbered(2, 'low')]))
    await withOutbox((outbox) => {
      outbox.add([numbered(3, 'critical')])
      expect(ids(outbox)).toEqual(['id-1', 'id-2', 'id-3'])
    })
  })

  test('do models and alerts change in one transaction?', () => withOutbox((outbox, state) => {
    state.save([['device/a', 1]], 1, key, () => outbox.add([numbered(1)]))
    const breaksOff = function * (): Generator<[string, unknown]> {
      yield ['device/a', 2]
      throw new Error('half-way')
    }
    expect(() => state.save(breaksOff(), 2, key, () => outbox.add([numbered(2)]))).toThrow(/half-way/)
    const unwritable = { toJSON: () => { throw new Error('no such alert') } } as unknown as Alert
    expect(() => state.save([['device/a', 3]], 3, key, () => outbox.add([numbered(3), unwritable]))).toThrow(/no such alert/)
    expect([...state.model()]).toEqual([['device/a', 1]])
    expect(ids(outbox)).toEqual(['id-1'])
  }))

  test('is the queue what a plain list would be, whatever is done in whatever order?', async () => {
    const action = fc.oneof(
      fc.record({ do: fc.constant('add' as const), n: fc.nat(12), revision: fc.integer({ min: 1, max: 4 }), severity: fc.constantFrom(...SEVERITIES) }),
      fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant('acknowledge' as const) }),
      fc.record({ do: fc.constant('refuse' as const) }))
    let run = 0
    const state = new State(folder)
    fc.assert(fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const sink = `s${run++}`
      const outbox = state.openOutbox([sink], 64 * MEGABYTE)
      let model: Alert[] = []
      let inFlight: ReturnType<Outbox['next']> = []
      const here = (alert: Alert): boolean => model.some((a) => a.id === alert.id && a.revision === alert.revision)
      for (const a of actions) {
        if (a.do === 'add') {
          const alert = { ...numbered(a.n, a.severity), revision: a.revision }
          outbox.add([alert])
          const at = model.findIndex(({ id }) => id === alert.id)
          if (at < 0) model.push(alert)
          else if (model[at]!.revision < alert.revision) model[at] = alert
        } else if (a.do === 'send') {
          inFlight = outbox.next(sink, a.count, 1e9)
          expect(inFlight.map(({ alert }) => alert)).toEqual(model.slice(0, a.count))
        } else if (a.do === 'acknowledge') {
          outbox.acknowledge(sink, inFlight)
          model = model.filter((alert) => !inFlight.some((w) => w.alert.id === alert.id && w.alert.revision === alert.revision))
          inFlight = []
        } else if (inFlight.length > 0 && here(inFlight[0]!.alert)) {
          const waiting = inFlight.shift()!
          outbox.refuse(sink, waiting)
          model = model.filter(({ id }) => id !== waiting.alert.id)
        }
        expect(outbox.next(sink, 100, 1e9).map(({ alert }) => alert)).toEqual(model)
        expect(balance(outbox.totals(sink))).toBe(0)
        expect(outbox.totals(sink).held).toBe(model.length)
      }
    }), { numRuns: 60 })
    await state.close()
  })
})

describe('the bound', () => {
  test('does the least severe go first, of those the oldest, each counted?', () => withOutbox((outbox) => {
    outbox.add([numbered(0, 'critical'), ...Array.from({ length: 50 }, (_, i) => numbered(i + 1, i % 2 === 0 ? 'low' : 'medium'))])
    const totals = outbox.totals('kafka')
    expect(totals.shed).toBe(51 - totals.held)
    expect(totals.losses.bySeverity).toEqual({ low: 25, medium: totals.shed - 25 })
    const left = ids(outbox)
    expect(left[0]).toBe('id-0')
    expect(left.at(-1)).toBe('id-50')
    expect(left.slice(1).map((id) => Number(id.slice(3)))).toEqual(Array.from({ length: left.length - 1 }, (_, i) => 50 - 2 * (left.length - 2 - i)))
    expect(balance(totals)).toBe(0)
  }, 64 * 1024))

  test('R27: does a critical alert survive a storm, in a file that stays within its bound?', () => withOutbox((outbox) => {
    const bound = 2 * MEGABYTE
    outbox.add([numbered(0, 'critical')])
    for (let n = 1; n <= 10_000; n += 100) outbox.add(Array.from({ length: 100 }, (_, i) => numbered(n + i, 'medium')))
    const totals = outbox.totals('kafka')
    expect(ids(outbox)[0]).toBe('id-0')
    expect(totals.bytes).toBeLessThanOrEqual(bound)
    expect(totals.shed + totals.held).toBe(10_001)
    // The reserve of 4 MB is part of the file.
    expect(statSync(join(folder, 'wardwire.mdb')).size).toBeLessThan(2 * bound + 6 * MEGABYTE)
  }, 2 * MEGABYTE))

  test('does one alert in its growing form take the room of one?', () => withOutbox((outbox) => {
    for (let revision = 1; revision <= 200; revision++) outbox.add([{ ...numbered(1), revision }])
    expect(outbox.totals('kafka')).toMatchObject({ held: 1, shed: 0, superseded: 199 })
    expect(outbox.next('kafka', 5, 1e9)[0]!.alert.revision).toBe(200)
  }, 64 * 1024))

  test('do losses become one alert, once?', () => withOutbox((outbox) => {
    outbox.add(Array.from({ length: 60 }, (_, i) => numbered(i, 'low')))
    const { shed } = outbox.totals('kafka')
    outbox.acknowledge('kafka', outbox.next('kafka', 5, 1e9))
    const tallies: unknown[] = []
    const report = (): void => outbox.reportLosses('kafka', (losses) => {
      tallies.push(losses)
      return numbered(1000, 'high')
    })
    report()
    report()
    expect(tallies).toHaveLength(1)
    expect(tallies[0]).toMatchObject({ bySeverity: { low: shed }, from: numbered(0).raised_at, to: numbered(shed - 1).raised_at })
    expect(ids(outbox).at(-1)).toBe('id-1000')
    expect(outbox.totals('kafka')).toMatchObject({ shed, losses: { bySeverity: {} } })
  }, 64 * 1024))

  test('does opening a large backlog cost little memory, whatever its size?', async () => {
    await withOutbox((outbox) => {
      for (let n = 0; n < 20_000; n += 500) outbox.add(Array.from({ length: 500 }, (_, i) => numbered(n + i)))
    }, 512 * MEGABYTE)
    global.gc?.()
    const before = process.memoryUsage().heapUsed
    await withOutbox((outbox) => {
      expect(outbox.next('kafka', 100, 1e6)).toHaveLength(100)
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(40 * MEGABYTE)
      expect(outbox.totals('kafka').held).toBe(20_000)
    }, 512 * MEGABYTE)
  })
})

/**
 * Runs a script beside the state of this test; `state`, `outbox` and `numbered` are at hand.
 * @param limit no file may grow beyond so many bytes (the store's library says so on standard error each time)
 */
function child(script: string, limit?: number): ReturnType<typeof spawn> {
  const here = JSON.stringify(import.meta.dirname)
  const source = `
    import { State } from ${here.slice(0, -1)}/../../../src/store/state.ts"
    import { numbered } from ${here.slice(0, -1)}/../alert.ts"
    const state = new State(${JSON.stringify(folder)})
    const outbox = state.openOutbox(['kafka'], 64 * 1024 * 1024)
    ${script}`
  const run = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', source]
  return limit === undefined
    ? spawn(run[0]!, run.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    : spawn('bash', ['-c', `ulimit -S -f ${limit / 1024}; exec "$@"`, 'bash', ...run], { stdio: ['pipe', 'pipe', 'ignore'] })
}

async function output(process: ReturnType<typeof spawn>): Promise<string> {
  let out = ''
  process.stdout!.on('data', (data: Buffer) => { out += data.toString() })
  await once(process, 'close')
  return out
}

describe('faults', () => {
  test('R13: does every alert that was accepted survive a kill, and is none invented?', async () => {
    for (const delay of [0, 15, 40, 90]) {
      const writer = child(`
        for (let n = 0; ; n += 3) {
          outbox.add([numbered(n), numbered(n + 1), numbered(n + 2)])
          process.stdout.write((n + 2) + '\\n')
          if (n % 30 === 27) outbox.acknowledge('kafka', outbox.next('kafka', 5, 1e9))
        }`)
      let out = ''
      writer.stdout!.on('data', (data: Buffer) => { out += data.toString() })
      await once(writer.stdout!, 'data')
      await new Promise((resolve) => setTimeout(resolve, delay))
      writer.kill('SIGKILL')
      await once(writer, 'close')
      const accepted = Number(out.split('\n').at(-2))
      await withOutbox((outbox) => {
        const held = ids(outbox).map((id) => Number(id.slice(3)))
        const { delivered } = outbox.totals('kafka')
        // In order, without a hole, from the first that was not acknowledged to the last accepted (or the one transaction after it).
        expect(held).toEqual(Array.from({ length: held.length }, (_, i) => delivered + i))
        expect(held.at(-1)).toBeGreaterThanOrEqual(accepted)
        expect(held.at(-1)! - accepted).toBeLessThanOrEqual(3)
        expect(balance(outbox.totals('kafka'))).toBe(0)
      })
      rmSync(folder, { recursive: true })
    }
  })

  test.each([5, 6.25, 8])('R17: is a disk full at %f MB an error and no crash, are alerts still delivered, and does it heal?', async (megabytes) => {
    // The limit on the size of files makes every write of the store beyond it fail, as a full disk does.
    const writer = child(`
      let n = 0, failed = 0
      while (failed < 3) try { outbox.add([numbered(n)]); n++ } catch { failed++ }
      for (let i = 0; i < n; i += 50) outbox.acknowledge('kafka', outbox.next('kafka', 50, 1e9))
      const drained = outbox.totals('kafka').held
      outbox.add([numbered(n)])
      process.stdout.write(JSON.stringify({ n, drained, held: outbox.totals('kafka').held }))`, megabytes * MEGABYTE)
    const out = await output(writer)
    const { n, drained, held } = JSON.parse(out) as { n: number; drained: number; held: number }
    expect(n).toBeGreaterThan(500)
    expect({ drained, held }).toEqual({ drained: 0, held: 1 })
    await withOutbox((outbox) => expect(ids(outbox)).toEqual([`id-${n}`]))
  })

  test('R17: with a disk that was full from the first minute on, do alerts still pass through?', async () => {
    await withOutbox(() => {})
    const size = statSync(join(folder, 'wardwire.mdb')).size
    const writer = child(`
      let passed = 0
      for (; passed < 300; passed++) {
        outbox.add([numbered(passed)])
        outbox.acknowledge('kafka', outbox.next('kafka', 50, 1e9))
      }
      process.stdout.write(String(passed))`, Math.ceil(size / MEGABYTE) * MEGABYTE)
    expect(await output(writer)).toBe('300')
  })

  test('R18: is a record with any byte changed counted and passed over, and nothing else lost?', async () => {
    const file = join(folder, 'wardwire.mdb')
    await withOutbox((outbox) => outbox.add([numbered(1), numbered(2), numbered(3)]))
    const whole = readFileSync(file)
    const json = JSON.stringify(numbered(2))
    const at = whole.indexOf(json)
    for (let offset = -8; offset < json.length; offset += 13) {
      const damaged = Buffer.from(whole)
      // Every copy of the record in the file, also in pages that are free.
      for (let found = at; found >= 0; found = whole.indexOf(json, found + 1)) damaged[found + offset]! ^= 0x15
      rmSync(`${file}-lock`, { force: true })
      writeFileSync(file, damaged)
      await withOutbox((outbox) => {
        expect(ids(outbox)).toEqual(['id-1', 'id-3'])
        expect(outbox.totals('kafka')).toMatchObject({ corrupt: 1, held: 2 })
        expect(balance(outbox.totals('kafka'))).toBe(0)
        // The same alert, accepted again, is delivered.
        outbox.add([numbered(2)])
        expect(ids(outbox)).toEqual(['id-1', 'id-3', 'id-2'])
      })
    }
    expect(at).toBeGreaterThan(0)
  })

  test('R18: is a record whose key is damaged counted, and does nothing behind it get out of reach?', async () => {
    const file = join(folder, 'wardwire.mdb')
    await withOutbox((outbox) => outbox.add(Array.from({ length: 40 }, (_, i) => numbered(i))))
    const whole = readFileSync(file)
    // Keys of the queue have two numbers of ten bytes between sink and id; those of the index have none.
    const keys = [...whole.toString('latin1').matchAll(/kafka\0[^]{20}id-20/g)].map((match) => match.index)
    for (const [offset, lost] of [[18, 0], [8, 0], [0, 1]] as const) {
      const damaged = Buffer.from(whole)
      for (const at of keys) damaged[at + offset]! ^= 0x40
      expect(damaged.equals(whole)).toBe(false)
      rmSync(`${file}-lock`, { force: true })
      writeFileSync(file, damaged)
      await withOutbox((outbox) => {
        outbox.add([numbered(1000)])
        const left = ids(outbox)
        expect(left).toHaveLength(41 - lost)
        expect(left).toContain('id-1000')
        expect(outbox.totals('kafka').corrupt).toBe(lost)
        expect(balance(outbox.totals('kafka'))).toBe(0)
        outbox.acknowledge('kafka', outbox.next('kafka', 100, 1e9))
        expect(ids(outbox)).toEqual([])
      })
    }
  })
})
