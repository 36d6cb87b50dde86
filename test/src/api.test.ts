import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { consumeAlerts, eventJson, readEvents, type AlertJson, type ConsumeOptions, type Severity, type WireEvent } from '../../src/api.ts'

const folder = join(import.meta.dirname, '../../fixtures/lab')
const captures = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pcap')).slice(0, 3).map((name) => join(folder, name)) : []
const siteKey = Buffer.alloc(32, 1)

async function all(paths: string[], onProblem?: (line: string) => void): Promise<WireEvent[]> {
  const events: WireEvent[] = []
  for await (const event of readEvents(paths, { siteKey, ...(onProblem && { onProblem }) })) events.push(event)
  return events
}

describe('readEvents', () => {
  test('does it give the events of captures, typed, in order, and the same each time?', async () => {
    const events = await all(captures)
    expect(events.length).toBeGreaterThan(captures.length)
    expect(events.filter((e) => e.kind === 'capture')).toHaveLength(1)
    expect(events.at(-1)!.kind).toBe('capture')
    expect((await all(captures)).map(eventJson)).toEqual(events.map(eventJson))
  })

  test.skipIf(!existsSync('/proc/self/fd'))('can a reader leave early, and are the files closed then?', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    for await (const _ of readEvents(captures, { siteKey })) break
    const before = open()
    for (let n = 0; n < 5; n++) {
      for await (const event of readEvents(captures, { siteKey })) {
        expect(event.kind).toBeTypeOf('string')
        break
      }
    }
    expect(open()).toBe(before)
  })

  test('is an input that cannot be read told to who listens, and thrown where nobody does, after the rest?', async () => {
    const lines: string[] = []
    const events = await all([captures[0]!, '/nowhere.pcap'], (line) => lines.push(line))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('/nowhere.pcap: ')
    expect(events.length).toBeGreaterThan(1)
    const seen: WireEvent[] = []
    await expect((async () => {
      for await (const event of readEvents([captures[0]!, '/nowhere.pcap'], { siteKey })) seen.push(event)
    })()).rejects.toThrow('/nowhere.pcap: ')
    expect(seen).toHaveLength(events.length)
  })
})

test('are alerts, options and events typed for whoever imports them? (told by the compiler)', () => {
  type Alert = ReturnType<typeof consumeAlerts> extends AsyncGenerator<infer T> ? T : never
  expectTypeOf<Alert>().toEqualTypeOf<AlertJson>()
  expectTypeOf<Alert['severity']>().toEqualTypeOf<Severity>()
  expectTypeOf<Alert['device']['ip']>().toEqualTypeOf<string[]>()
  expectTypeOf<Alert['evidence'][number]['observed']>().toEqualTypeOf<number | null>()
  expectTypeOf(consumeAlerts).parameter(0).toEqualTypeOf<ConsumeOptions>()
  expectTypeOf<ConsumeOptions>().toHaveProperty('fromBeginning').toEqualTypeOf<boolean | undefined>()
  expectTypeOf<Extract<WireEvent, { kind: 'dicom.operation' }>>().toHaveProperty('sop_class_uid')
  // @ts-expect-error a severity that there is not
  const wrong: ConsumeOptions = { severity: 'worst' }
  expect(wrong).toBeDefined()
})
