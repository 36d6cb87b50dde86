/** Does what is written to the changelog, change by change, always read back as the state of the last change? And the copy on disk? */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { Changelog, type Change } from '../../../src/detect/changelog.ts'
import { Shelf } from '../../../src/store/shelf.ts'

const place = mkdtempSync(join(tmpdir(), 'wardwire-shelf-test-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

type Entry = [string, string, unknown]
const apply = (topic: Map<string, Buffer>, changes: readonly Change[]): void => {
  for (const { key, value } of changes) {
    if (value === null) topic.delete(key)
    else topic.set(key, value)
  }
}
/** The default order of arrays is that of their text with commas, which may be the same for two. */
const byJson = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
const flat = (entries: ReturnType<Changelog['read']>): Entry[] =>
  [...entries].flatMap(([site, ofSite]) => [...ofSite].map(([name, value]): Entry => [site, name, value])).sort(byJson)

const states = fc.array(fc.uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.jsonValue()), { selector: ([site, entry]) => JSON.stringify([site, entry]), maxLength: 12 }), { minLength: 1, maxLength: 8 })

test('does a reader of the topic, and the copy on disk, hold the state of the last checkpoint, whoever writes it?', async () => {
  const shelf = new Shelf(place, 'property')
  let run = 0
  fc.assert(fc.property(states, fc.integer({ min: 0, max: 7 }), (steps, restart) => {
    const topic = new Map<string, Buffer>()
    let changelog = new Changelog()
    const partition = run++
    let before: string | undefined
    for (const [n, entries] of steps.entries()) {
      if (n === restart) {
        changelog = new Changelog()
        changelog.read(topic)
      }
      const { changes, done } = changelog.changes(entries)
      apply(topic, changes)
      done()
      expect(shelf.put(partition, before, `c${n}`, changes)).toBe(true)
      before = `c${n}`
      const want = JSON.parse(JSON.stringify(entries)) as Entry[]
      expect(flat(new Changelog().read(topic))).toEqual(want.sort(byJson))
      expect([...shelf.take(partition, before)!].sort(byJson)).toEqual([...topic].sort(byJson))
      expect(changelog.changes(entries).changes).toEqual([])
    }
  }), { numRuns: 25 })
  await shelf.close()
})

test('is an entry larger than a message cut into parts, and do the parts go when it shrinks?', () => {
  const topic = new Map<string, Buffer>()
  const changelog = new Changelog()
  // Hardly compressible.
  const large = Array.from({ length: 150_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 0).toString(36))
  for (const value of [large, 'small', [...large, ...large]]) {
    const { changes, done } = changelog.changes([['site', 'names', value]])
    apply(topic, changes)
    done()
    expect(Math.max(...[...topic.values()].map((part) => part.length))).toBeLessThanOrEqual(400_000)
    expect(flat(new Changelog().read(topic))).toEqual([['site', 'names', value]])
  }
  expect(topic.size).toBeGreaterThan(2)
})

test('is a copy that is not of the checkpoint asked for not taken, and one that somebody else changed not added to?', async () => {
  const shelf = new Shelf(place, 'other')
  const record = (text: string): Change => ({ key: JSON.stringify(['s', text, 0]), value: Buffer.from(text) })
  expect(shelf.put(1, undefined, 'a', [record('one')])).toBe(true)
  expect(shelf.put(2, undefined, 'z', [record('two')])).toBe(true)
  expect(shelf.take(1, 'b')).toBeUndefined()
  // Another worker of this machine took over meanwhile.
  expect(shelf.put(1, undefined, 'theirs', [record('three')])).toBe(true)
  expect(shelf.put(1, 'a', 'b', [record('four')])).toBe(false)
  expect(shelf.take(1, 'b')).toBeUndefined()
  expect(shelf.take(1, 'theirs')).toBeUndefined()
  expect([...shelf.take(2, 'z')!.values()].map(String)).toEqual(['two'])
  // A key longer than the store takes.
  expect(shelf.put(3, undefined, 'c', [record('x'.repeat(2000))])).toBe(false)
  expect(shelf.take(3, 'c')).toBeUndefined()
  await shelf.close()
})
