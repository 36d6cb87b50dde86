import { describe, expect, test, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { SEVERITIES, type Alert } from '../../../models/alert.ts'
import { DELIVERY } from '../../../src/sinks/deliver.ts'
import { Refused, type Sink } from '../../../src/sinks/sink.ts'
import { Intake } from '../../../src/store/intake.ts'
import type { Losses } from '../../../src/store/losses.ts'
import type { Outbox } from '../../../src/store/outbox.ts'
import { numbered } from '../alert.ts'
import { HASTY, expectOrder, published, until } from './contract.ts'

/** A sink in memory that does what it is told. */
class Tame {
  readonly got: Alert[] = []
  made = 0
  closed = 0
  behave: (alerts: readonly Alert[]) => Promise<void> = () => Promise.resolve()

  make = (): Sink => {
    this.made += 1
    return {
      send: async (alerts) => {
        await this.behave(alerts)
        this.got.push(...alerts)
      },
      close: () => { this.closed += 1; return Promise.resolve() },
    }
  }
}

const ids = (alerts: readonly Alert[]): string[] => alerts.map((a) => a.id)

describe('delivery', () => {
  test('R16: does a lone alert leave within seconds, with the settings of service?', async () => {
    const tame = new Tame()
    await published(tame.make, async (publisher) => {
      await sleep(300)
      const from = performance.now()
      publisher.accept(numbered(1))
      await until(() => tame.got.length === 1, 5000)
      // It is gathered for 100 ms, and then nobody waits to look.
      expect(performance.now() - from).toBeLessThan(900)
    }, DELIVERY)
  })

  test('R15: is a sink that takes everything and answers nothing left at the deadline and made anew, again and again?', async () => {
    const tame = new Tame()
    tame.behave = () => new Promise(() => {})
    await published(tame.make, async (publisher) => {
      publisher.accept(numbered(1))
      await until(() => tame.closed >= 3)
      expect(tame.made - tame.closed).toBeLessThanOrEqual(1)
      tame.behave = () => Promise.resolve()
      await until(() => tame.got.length === 1)
      expect(await publisher.drain(1000)).toEqual({ left: 0, lost: 0 })
    }, { ...HASTY, deadline: 100 })
  })

  test('is a sink that hangs even when it is closed no reason to stop?', async () => {
    let made = 0
    const make = (): Sink => {
      made += 1
      return { send: () => made < 2 ? new Promise(() => {}) : Promise.resolve(), close: () => new Promise(() => {}) }
    }
    await published(make, async (publisher) => {
      publisher.accept(numbered(1))
      await until(() => made === 2)
      expect(await publisher.drain(5000)).toEqual({ left: 0, lost: 0 })
    }, { ...HASTY, deadline: 100 })
  })

  test('does the pause grow to its longest, and does new work not cut it short?', async () => {
    const tame = new Tame()
    const tries: number[] = []
    tame.behave = () => { tries.push(performance.now()); return Promise.reject(new Error('away')) }
    await published(tame.make, async (publisher) => {
      const end = performance.now() + 1500
      for (let n = 0; performance.now() < end; n++) {
        publisher.accept(numbered(n))
        await sleep(10)
      }
      // 20, 40, 80, 160, 320, 320, 320 ...: not one try for each alert.
      expect(tries.length).toBeGreaterThan(4)
      expect(tries.length).toBeLessThan(10)
    }, { ...HASTY, pause: { first: 20, longest: 320 } })
  })

  test('does only what is refused leave the queue unsent, wherever it is?', async () => {
    const tame = new Tame()
    tame.behave = (alerts) => alerts.some((a) => Number(a.id.slice(3)) % 7 === 3) ? Promise.reject(new Refused('no')) : Promise.resolve()
    await published(tame.make, async (publisher) => {
      for (let n = 0; n < 30; n++) publisher.accept(numbered(n))
      await until(() => tame.got.some((a) => a.detector === 'ops.alerts-lost'))
      expect(await publisher.drain(5000)).toEqual({ left: 0, lost: 0 })
    })
    const own = tame.got.filter((a) => a.detector !== 'ops.alerts-lost')
    expect(ids(own)).toEqual(Array.from({ length: 30 }, (_, i) => i).filter((n) => n % 7 !== 3).map((n) => `id-${n}`))
    expect(tame.got.filter((a) => a.detector === 'ops.alerts-lost').reduce((sum, a) => sum + a.count, 0)).toBe(4)
  })

  test('R14: is the backlog of an outage drained oldest first, while new alerts come in?', async () => {
    const tame = new Tame()
    tame.behave = () => Promise.reject(new Error('away'))
    await published(tame.make, async (publisher) => {
      for (let n = 0; n < 3000; n++) publisher.accept(numbered(n))
      await sleep(200)
      tame.behave = () => Promise.resolve()
      for (let n = 3000; n < 3100; n++) {
        publisher.accept(numbered(n))
        await sleep(2)
      }
      expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
    }, { ...HASTY, batch: { count: 100, bytes: 1e6 } })
    expectOrder(tame.got, 3100)
    expect(ids(tame.got)).toEqual(Array.from({ length: 3100 }, (_, i) => `id-${i}`))
  })

  test('R14: does an hour without the receiver lose nothing, ask it no more than twice a minute, and take no memory?', async () => {
    const tame = new Tame()
    let tries = 0
    tame.behave = () => { tries++; return Promise.reject(new Error('away')) }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await published(tame.make, async (publisher) => {
        const heaps: number[] = []
        for (let n = 0; n < 720; n++) {
          publisher.accept(numbered(n))
          await vi.advanceTimersByTimeAsync(5000)
          if (n % 180 === 179) heaps.push(process.memoryUsage().heapUsed / 1e6)
        }
        expect(tries).toBeGreaterThan(100)
        expect(tries).toBeLessThan(140)
        expect(publisher.standing()[0]!.totals.held).toBe(720)
        // 720 alerts are some 2 MB.
        expect(Math.min(...heaps.slice(2)) - Math.min(...heaps.slice(0, 2))).toBeLessThan(20)
        tame.behave = () => Promise.resolve()
        await vi.advanceTimersByTimeAsync(DELIVERY.pause.longest + 1000)
        publisher.accept(numbered(720))
        await vi.advanceTimersByTimeAsync(5000)
        expect(publisher.standing()[0]!.totals).toMatchObject({ held: 0, delivered: 721 })
      }, DELIVERY)
    } finally {
      vi.useRealTimers()
    }
    expect(ids(tame.got)).toEqual(Array.from({ length: 721 }, (_, i) => `id-${i}`))
  })

  test('does draining end at its time, and say what is left?', async () => {
    const tame = new Tame()
    tame.behave = () => new Promise(() => {})
    await published(tame.make, async (publisher) => {
      publisher.accept(numbered(1))
      publisher.accept(numbered(2))
      const from = performance.now()
      expect(await publisher.drain(300)).toEqual({ left: 2, lost: 0 })
      expect(performance.now() - from).toBeLessThan(1000)
    })
  })

  test('does a patient drain go on as long as alerts are acknowledged?', async () => {
    const tame = new Tame()
    tame.behave = () => sleep(100)
    await published(tame.make, async (publisher) => {
      for (let n = 0; n < 10; n++) publisher.accept(numbered(n))
      expect(await publisher.drain(400, true)).toEqual({ left: 0, lost: 0 })
    }, { ...HASTY, batch: { count: 1, bytes: 1e6 } })
  })

  test('R27: of a storm, do the critical alert and one summary with the count arrive?', async () => {
    const tame = new Tame()
    tame.behave = () => Promise.reject(new Error('away'))
    const count = 5000
    await published(tame.make, async (publisher, said) => {
      publisher.accept(numbered(0, 'critical'))
      for (let n = 1; n <= count; n++) publisher.accept(numbered(n, SEVERITIES[n % 3]))
      await until(() => said.length > 0)
      tame.behave = () => Promise.resolve()
      await until(() => tame.got.some((a) => a.detector === 'ops.alerts-lost'), 20_000)
      expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
    }, HASTY, 1_000_000)
    const [summary, ...more] = tame.got.filter((a) => a.detector === 'ops.alerts-lost')
    expect(more).toEqual([])
    const own = new Set(ids(tame.got).filter((id) => id.startsWith('id-')))
    expect(own).toContain('id-0')
    expect(own.size + summary!.count).toBe(count + 1)
    expect(own.size).toBeLessThan(400)
    expect(summary!.explanation).toMatch(/\d+ info, \d+ low, \d+ medium made room/)
  })
})

describe('the intake', () => {
  /** An outbox whose disk can refuse. */
  class Disk {
    full = true
    readonly stored: Alert[] = []
    lost = 0
    add(alerts: readonly Alert[], lost: Losses): void {
      if (this.full) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      this.stored.push(...alerts)
      this.lost += Object.values(lost.bySeverity).reduce((sum, n) => sum + n, 0)
    }
  }

  const intake = (disk: Disk, said: string[]): Intake =>
    new Intake(disk as unknown as Outbox, () => {}, (line) => said.push(line), { every: 5, retry: 20, hold: 100 })

  test('R17: while the disk refuses, is memory bounded, does the least severe go first, and does it heal by itself?', async () => {
    const disk = new Disk()
    const said: string[] = []
    const taken = intake(disk, said)
    taken.accept(numbered(0, 'critical'))
    for (let n = 1; n <= 1000; n++) taken.accept(numbered(n, n % 10 === 0 ? 'high' : 'low'))
    await until(() => taken.failing !== undefined)
    expect(taken.held).toBe(100)
    disk.full = false
    await until(() => disk.stored.length > 0)
    expect(disk.stored.filter((a) => a.severity === 'critical')).toHaveLength(1)
    expect(disk.stored.filter((a) => a.severity === 'high')).toHaveLength(99)
    expect(disk.lost).toBe(901)
    expect(said).toEqual(['alerts are held in memory, the store refuses them: no space left on the device', 'the store takes alerts again'])
  })

  test('does a growing alert take one place, in its latest form?', async () => {
    const disk = new Disk()
    const taken = intake(disk, [])
    for (let revision = 1; revision < 500; revision++) taken.accept({ ...numbered(1, SEVERITIES[revision % 5]), revision })
    disk.full = false
    expect(taken.store()).toBe(true)
    expect(disk.stored).toMatchObject([{ id: 'id-1', revision: 499 }])
    await sleep(30)
    expect(disk.stored).toHaveLength(1)
  })

  test('do alerts stay when the transaction that was to take them along fails, and go with the next?', async () => {
    const disk = new Disk()
    disk.full = false
    const taken = intake(disk, [])
    taken.accept(numbered(1))
    expect(() => taken.storeWith(() => { throw new Error('another run has saved') })).toThrow('another run')
    expect(disk.stored).toEqual([])
    await until(() => disk.stored.length === 1)
    taken.accept(numbered(2))
    taken.storeWith((add) => add())
    expect(ids(disk.stored)).toEqual(['id-1', 'id-2'])
  })

  test('is what the disk refuses to the end counted?', () => {
    const taken = intake(new Disk(), [])
    taken.accept(numbered(1))
    taken.accept(numbered(2))
    expect(taken.close()).toBe(2)
  })
})
