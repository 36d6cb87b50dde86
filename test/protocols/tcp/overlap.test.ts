/**
 * Ptacek and Newsham, "Insertion, Evasion, and Denial of Service" (1998): ten ways two ranges can lie, either one first, with the same or other
 * bytes. One policy answers all: what came first stays, and a conflict is said once.
 */
import { describe, expect, test } from 'vitest'
import { Talk } from './talk.ts'

/** Offsets of the ranges; both lie above a hole of two bytes. */
const GEOMETRIES: [string, first: [number, number], second: [number, number]][] = [
  ['equal', [10, 20], [10, 20]],
  ['same start, shorter', [10, 20], [10, 15]],
  ['same start, longer', [10, 20], [10, 25]],
  ['same end, shorter', [10, 20], [15, 20]],
  ['same end, longer', [10, 20], [5, 20]],
  ['inside', [10, 20], [13, 17]],
  ['around', [10, 20], [5, 25]],
  ['over the front', [10, 20], [5, 15]],
  ['over the back', [10, 20], [15, 25]],
  ['only touching', [10, 20], [20, 25]],
]
const END = 30
const ORIGINAL = Array.from({ length: END }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
const part = (text: string, [from, to]: readonly [number, number]): string => text.slice(from, to)

/** What keep-first makes of segments in this order. */
function oracle(segments: readonly [range: readonly [number, number], text: string][]): { text: string; conflicts: boolean } {
  const bytes = new Array<string | undefined>(END)
  let conflicts = false
  for (const [[from], text] of segments) {
    for (let i = 0; i < text.length; i++) {
      if (bytes[from + i] !== undefined && bytes[from + i] !== text[i]) conflicts = true
      bytes[from + i] ??= text[i]
    }
  }
  return { text: bytes.join(''), conflicts }
}

describe.each(GEOMETRIES)('%s', (_, a, b) => {
  describe.each([['first', a, b], ['second', b, a]] as const)('the %s range arrives first', (_order, early, late) => {
    describe.each([['the same', ORIGINAL], ['other', ORIGINAL.toUpperCase()]])('with %s bytes', (_bytes, second) => {
      const segments: [readonly [number, number], string][] = [[early, part(ORIGINAL, early)], [late, part(second, late)]]
      const rest: [readonly [number, number], string][] = [[[0, END], ORIGINAL]]

      test('do the bytes that arrived first stay while both wait above a hole?', () => {
        const talk = new Talk().open()
        for (const [[from], text] of [...segments, ...rest]) talk.fromClient(from, text)
        const expected = oracle([...segments, ...rest])
        expect(talk.client).toBe(expected.text)
        expect(talk.conflicts.length).toBe(expected.conflicts ? 1 : 0)
      })

      test('do the bytes that were delivered stay?', () => {
        const talk = new Talk().open()
        const all: typeof segments = [[[0, early[0]], part(ORIGINAL, [0, early[0]])], ...segments, ...rest]
        for (const [[from], text] of all) talk.fromClient(from, text)
        const expected = oracle(all)
        expect(talk.client).toBe(expected.text)
        expect(talk.conflicts.length).toBe(expected.conflicts ? 1 : 0)
      })
    })
  })
})

test('is a conflict with what was delivered long ago not looked for?', () => {
  const talk = new Talk({ limits: { historyBytes: 16 } }).open().fromClient(0, 'abcdefgh').fromClient(8, 'i'.repeat(40)).fromClient(0, 'ABCDEFGH')
  expect(talk.conflicts).toEqual([])
})

test('is a conflict at the edge of what is remembered seen?', () => {
  const talk = new Talk({ limits: { historyBytes: 16 } }).open().fromClient(0, 'abcdefgh').fromClient(8, 'ijklmnop').fromClient(16, 'qrst')
  expect(talk.fromClient(0, 'ABCDefgh').conflicts).toEqual([])
  expect(talk.fromClient(0, 'abcdEfgh').conflicts).toEqual([{ from: 0, offset: 0 }])
})

test('is a conflict said once a conversation, and counted each time?', () => {
  const talk = new Talk().open().fromClient(0, 'abc').fromServer(0, 'xyz')
  for (let i = 0; i < 5; i++) talk.fromClient(0, 'ABC').fromServer(0, 'XYZ')
  expect(talk.conflicts.map(({ from }) => from)).toEqual([0])
  expect(talk.tracker.counters.conflicts).toBe(10)
})
