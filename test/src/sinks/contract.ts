/** What every sink must do, whatever it speaks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DELIVERY, type DeliveryOptions } from '../../../src/sinks/deliver.ts'
import { Publisher } from '../../../src/sinks/publisher.ts'
import type { MakeSink } from '../../../src/sinks/sink.ts'
import { State } from '../../../src/store/state.ts'
import { makeAlert, numbered } from '../alert.ts'
import type { Got, Receiver } from './receivers.ts'

export const never = new AbortController().signal

/** Delivery for tests: the same loop with short pauses. */
export const HASTY: DeliveryOptions = { ...DELIVERY, deadline: 1500, pause: { first: 50, longest: 200 } }

/** A publisher of one sink over a state of its own. */
export async function published(make: MakeSink, use: (publisher: Publisher, say: string[]) => Promise<void>, options = HASTY, outboxBytes = 64_000_000): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wardwire-publish-'))
  const state = new State(folder)
  const said: string[] = []
  const publisher = new Publisher(state, new Map([['the-sink', make]]), { sensor: 'radiology', outbox_bytes: outboxBytes }, (line) => said.push(line), options)
  try {
    await use(publisher, said)
  } finally {
    await publisher.drain(0)
    await state.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws when it does not come to pass */
export async function until(what: () => boolean | Promise<boolean>, within = 10_000): Promise<void> {
  const end = Date.now() + within
  while (!await what()) {
    if (Date.now() > end) throw new Error(`waited ${within} ms in vain for ${what.toString()}`)
    await sleep(20)
  }
}

export const ids = (got: Got[]): string[] => got.map(({ id }) => id)
export const unique = (got: Got[]): string[] => [...new Set(ids(got))]

/** Each device's alerts, repeats left out, must be in the order they were accepted in. */
export function expectOrder(got: Got[], count: number): void {
  for (const device of new Set(got.map((g) => g.device.id))) {
    const numbers = unique(got.filter((g) => g.device.id === device)).map((id) => Number(id.slice(3)))
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  }
  expect(new Set(ids(got)).size).toBe(count)
}

/**
 * @param setUp a receiver of its own for each question
 * @param options how patient delivery is with it
 */
export function contract(name: string, setUp: () => Promise<Receiver>, options = HASTY): void {
  describe(`the contract of a sink: ${name}`, () => {
    let receiver: Receiver
    beforeEach(async () => { receiver = await setUp() })
    afterEach(() => receiver.remove())

    test('does a batch arrive whole and in order?', async () => {
      const sink = receiver.make()
      const alerts = Array.from({ length: 25 }, (_, i) => numbered(i))
      await sink.send(alerts.slice(0, 20), never)
      await sink.send(alerts.slice(20), never)
      await sink.close()
      await until(async () => (await receiver.got()).length >= 25)
      expect(ids(await receiver.got())).toEqual(alerts.map((a) => a.id))
    })

    test('is hostile text one alert?', async () => {
      const sink = receiver.make()
      const title = 'CT\r\n\0\x1b[2J|=]"\\\n{"id":"forged"}'
      const device = { ...makeAlert().device, id: title, name: title }
      await sink.send([makeAlert({ title, explanation: title, device }), numbered(2)], never)
      await sink.close()
      await until(async () => (await receiver.got()).length >= 2)
      expect(await receiver.got()).toMatchObject([{ title, device: { name: title } }, { id: 'id-2' }])
    })

    test('is it told when the receiver is away, and does a new one deliver when it is back?', async () => {
      await receiver.down()
      const sink = receiver.make()
      await expect(sink.send([numbered(1)], never)).rejects.toThrow()
      await sink.close()
      await receiver.up()
      const next = receiver.make()
      await next.send([numbered(1)], never)
      await next.close()
      await until(async () => (await receiver.got()).length >= 1)
    })

    test('is nothing lost while the receiver comes and goes?', async () => {
      await published(receiver.make, async (publisher, said) => {
        for (let n = 0; n < 200; n++) {
          publisher.accept(numbered(n))
          await sleep(4)
          if (n === 60) await receiver.down()
          if (n === 120) {
            await until(() => publisher.deliveries[0]!.failing !== undefined, 20_000)
            await receiver.up()
          }
        }
        expect(await publisher.drain(30_000)).toEqual({ left: 0, lost: 0 })
        expect(said.filter((line) => line.includes('alerts wait'))).toHaveLength(1)
        expect(said.at(-1)).toContain('delivered again')
      }, options)
      await until(async () => ids(await receiver.got()).includes('id-199'))
      const got = await receiver.got()
      // What was sent before may be gone with the file, or, without acknowledgements, on its way.
      const from = receiver.acknowledges ? 62 : 80
      expect(unique(got).map((id) => Number(id.slice(3))).filter((n) => n >= from)).toEqual(Array.from({ length: 200 - from }, (_, i) => i + from))
      if (receiver.silence !== undefined) expectOrder(got, 200)
    })

    test('does it let go at once of a receiver that answers nothing, and send again when that one has woken up?', async () => {
      if (receiver.silence === undefined) return
      receiver.silence(true)
      await published(receiver.make, async (publisher) => {
        for (let n = 0; n < 5; n++) publisher.accept(numbered(n))
        await until(() => publisher.deliveries[0]!.failures >= 2, 20_000)
        expect(publisher.deliveries[0]!.failing).toMatch(/no answer within/)
        receiver.silence!(false)
        await until(async () => unique(await receiver.got()).length === 5, 30_000)
        expect(await publisher.drain(20_000)).toEqual({ left: 0, lost: 0 })
      }, options)
      expectOrder(await receiver.got(), 5)
    })
  })
}
