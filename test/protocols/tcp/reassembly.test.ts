/** Bytes of one direction in any order. Most cases are rows: what arrives, and what is told. */
import { describe, expect, test } from 'vitest'
import { ACK, FIN, Talk } from './talk.ts'

type Segment = [offset: number, text: string]

describe('in which order?', () => {
  test.each<[string, Segment[], string]>([
    ['are segments in order delivered at once?', [[0, 'abc'], [3, 'def']], 'abcdef'],
    ['does a segment that arrives early wait?', [[3, 'def'], [0, 'abc']], 'abcdef'],
    ['do many that arrive backwards?', [[8, 'i'], [6, 'gh'], [3, 'def'], [0, 'abc']], 'abcdefghi'],
    ['is a segment that arrives twice delivered once?', [[0, 'abc'], [0, 'abc'], [3, 'def'], [3, 'def']], 'abcdef'],
    ['is one that waits and arrives twice?', [[3, 'def'], [3, 'def'], [0, 'abc']], 'abcdef'],
    ['is a longer repetition used for what is new in it?', [[0, 'abc'], [0, 'abcdef']], 'abcdef'],
    ['does a segment across a waiting one fill both holes?', [[4, 'ef'], [1, 'bcdefgh'], [0, 'a']], 'abcdefgh'],
    ['does one that fills the hole and reaches beyond join up?', [[4, 'ef'], [0, 'abcdefg'], [7, 'h']], 'abcdefgh'],
    ['do touching neighbours join?', [[6, 'gh'], [2, 'cd'], [4, 'ef'], [0, 'ab']], 'abcdefgh'],
    ['is a keep-alive of one byte nothing?', [[0, 'abc'], [2, '\0'], [3, 'def']], 'abcdef'],
    ['is a keep-alive of no byte nothing?', [[0, 'abc'], [2, ''], [3, 'def']], 'abcdef'],
    ['is a zero-window probe data like any other?', [[0, 'abc'], [3, 'd'], [3, 'd'], [3, 'def']], 'abcdef'],
    ['does the first copy win when a later one differs?', [[0, 'abc'], [0, 'XYZ'], [3, 'def']], 'abcdef'],
    ['does the first copy win among those that wait?', [[3, 'def'], [2, 'XYZ'], [0, 'ab']], 'abXdef'],
  ])('%s', (_, segments, expected) => {
    const talk = new Talk().open()
    for (const [offset, text] of segments) talk.fromClient(offset, text)
    expect(talk.client).toBe(expected)
    expect(talk.tracker.counters.held).toBe(0)
  })
})

describe('sequence numbers', () => {
  test('do they wrap around in the middle of a stream, also out of order?', () => {
    const talk = new Talk({ isn: { client: 0xFFFFFFFB, server: 0x7FFFFFFE } }).open()
    talk.fromClient(0, 'ab').fromClient(4, 'ef').fromClient(2, 'cd').fromServer(2, 'yz', { ack: 6 }).fromServer(0, 'wx')
    expect([talk.client, talk.server]).toEqual(['abcdef', 'wxyz'])
  })

  test('do more than 4 GiB of a stream keep their place?', () => {
    const talk = new Talk()
    talk.skips = [5 * 2 ** 30]
    talk.open().fromClient(0, 'a')
    const step = 8 * 2 ** 20
    for (let at = 1; at < 1 + 5 * 2 ** 30; at += step) talk.fromClient(at, '', { length: step })
    talk.fromClient(1 + 5 * 2 ** 30, 'z')
    expect(talk.client).toBe('az')
    expect(talk.tracker.counters).toMatchObject({ skipped: 5 * 2 ** 30, delivered: 2, lost: 0 })
  })
})

describe('loss', () => {
  test('is a hole that nobody acknowledged waited for?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(4, 'ef')
    for (let i = 0; i < 200; i++) talk.wait(10_000).fromServer(i, '.', { ack: 2 })
    expect(talk.client).toBe('ab')
    expect(talk.fromClient(2, 'cd').client).toBe('abcdef')
  })

  test('is an acknowledged hole lost after 64 packets?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(4, 'ef').fromServer(0, '', { ack: 6 })
    for (let i = 0; i < 63; i++) talk.fromServer(0, '', { ack: 6 })
    expect(talk.client).toBe('ab')
    expect(talk.fromServer(0, '', { ack: 6 }).client).toBe('ab[2]ef')
  })

  test('is an acknowledged hole lost after 100 ms?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(4, 'ef').fromServer(0, '', { ack: 6 })
    expect(talk.wait(99_000).fromServer(0, '').client).toBe('ab')
    expect(talk.wait(1000).fromServer(0, '').client).toBe('ab[2]ef')
  })

  test('may the acknowledgement be captured before the data (a mirror port that swaps directions)?', () => {
    const talk = new Talk().open()
    for (let i = 0; i < 1000; i++) talk.fromServer(0, '', { ack: 2 * i + 2 }).wait(50_000).fromClient(2 * i, 'ab')
    expect(talk.client).toBe('ab'.repeat(1000))
    expect(talk.tracker.counters.lost).toBe(0)
  })

  test('are several acknowledged holes given up together?', () => {
    const talk = new Talk().open().fromClient(1, 'b').fromClient(3, 'd').fromClient(5, 'f').fromServer(0, '', { ack: 6 }).wait(100_000).fromServer(0, '')
    expect(talk.client).toBe('[1]b[1]d[1]f')
  })

  test('is a later hole still waited for when an earlier one is given up?', () => {
    const talk = new Talk().open().fromClient(1, 'b').fromClient(3, 'd').fromServer(0, '', { ack: 2 }).wait(100_000).fromServer(0, '', { ack: 2 })
    expect(talk.client).toBe('[1]b')
    expect(talk.fromClient(2, 'c').client).toBe('[1]bcd')
  })

  test('does each hole have its own time, also when one before it was filled late?', () => {
    const talk = new Talk().open().fromClient(1, 'b').fromServer(0, '', { ack: 2 }).wait(90_000).fromClient(0, 'a').wait(90_000)
    talk.fromClient(3, 'd').fromServer(0, '', { ack: 4 }).wait(90_000).fromServer(0, '', { ack: 4 })
    expect(talk.client).toBe('ab')
    expect(talk.wait(10_000).fromServer(0, '', { ack: 4 }).client).toBe('ab[1]d')
  })

  test('is what was acknowledged and never came lost, also when nothing follows?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, '', { ack: 10 }).wait(100_000).fromServer(0, 'xy', { ack: 10 })
    expect(talk.client).toBe('ab[8]')
    expect(talk.fromClient(10, 'k').client).toBe('ab[8]k')
  })

  test('is one acknowledged byte at the end taken for a FIN that was lost?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, '', { ack: 3 }).wait(200_000).fromServer(0, '', { ack: 3 }).finish()
    expect(talk.client).toBe('ab')
  })

  test('does a one-way stream give up a hole 16 KB further?', () => {
    const talk = new Talk().syn().fromClient(0, 'ab')
    for (let at = 4; at < 4 + 16_384; at += 1024) talk.fromClient(at, 'x'.repeat(1024))
    expect(talk.client).toBe(`ab[2]${'x'.repeat(16_384)}`)
    expect(talk.tracker.counters.holesByCap.aboveHole).toBe(1)
  })

  test('is a wrong acknowledgement far ahead not believed?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromServer(0, '', { ack: 1 << 30 }).fromClient(4, 'ef').wait(200_000).fromServer(0, '')
    expect(talk.client).toBe('ab')
    expect(talk.fromClient(2, 'cd').client).toBe('abcdef')
  })

  test('is much that was lost found after a few segments, and one wild segment ignored?', () => {
    const far = 50_000_000
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(900_000_000, 'wild').fromClient(2, 'cd')
    for (const offset of [0, 1, 2, 3, 4]) talk.fromClient(far + offset, 'vwxyz'[offset]!)
    expect(talk.client).toBe(`abcd[${far - 4 + 3}]yz`)
    expect(talk.tracker.counters.outOfReach).toBe(4 + 3)
  })

  test('do held bytes come out at the end, with what is missing said?', () => {
    const talk = new Talk().open().fromClient(2, 'cd').fromClient(6, 'gh').finish()
    expect(talk.recorder.entries).toEqual([{ from: 0, gap: 2 }, { from: 0, text: 'cd' }, { from: 0, gap: 2 }, { from: 0, text: 'gh' }, { end: 'end of capture' }])
  })
})

describe('caps', () => {
  const full = { client: 'ab[2]' }
  test.each([
    ['held bytes of a direction', { heldBytes: 3 * 64, pageBytes: 64 }, 'heldBytes'],
    ['held bytes of all', { heldTotalBytes: 3 * 64, pageBytes: 64 }, 'heldTotalBytes'],
    ['bytes above a hole', { aboveHole: 200 }, 'aboveHole'],
  ] as const)('does reaching "%s" cost the hole, and not what is held?', (_, limits, counter) => {
    const talk = new Talk({ limits }).open().fromClient(0, 'ab').fromServer(0, '', { ack: 2 })
    for (let at = 4; at < 404; at += 10) talk.fromClient(at, '0123456789')
    expect(talk.client).toBe(full.client + '0123456789'.repeat(40))
    expect(talk.tracker.counters.holesByCap[counter]).toBe(1)
  })

  test('does reaching the number of ranges cost the first hole?', () => {
    const talk = new Talk({ limits: { heldRanges: 4 } }).open()
    for (let at = 1; at < 12; at += 2) talk.fromClient(at, 'x')
    expect(talk.client).toBe('[1]x[1]x')
  })

  test('is held never more than the cap, whatever arrives?', () => {
    const limits = { heldTotalBytes: 8 * 64, heldBytes: 4 * 64, pageBytes: 64, heldRanges: 16 }
    const talk = new Talk({ limits })
    let state = 1
    const random = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 1) % n
    for (let i = 0; i < 20_000; i++) {
      talk.send({ sport: 50_000 + random(20), flags: ACK, seq: random(3000), payload: 'x'.repeat(1 + random(90)) })
      if (talk.tracker.counters.held > 8 * 64) expect.fail(`held ${talk.tracker.counters.held}`)
    }
  })
})

describe('what is not wanted', () => {
  const skipping = (skip: number): Talk => {
    const talk = new Talk()
    talk.skips = [skip]
    return talk.open()
  }

  test('is it passed over across segments?', () => {
    const talk = skipping(6).fromClient(0, 'ab').fromClient(2, 'cdef').fromClient(6, 'ghij')
    expect(talk.client).toBe('abij')
    expect(talk.tracker.counters).toMatchObject({ skipped: 6, delivered: 4 })
  })

  test('does a loss inside it cost nothing but a count?', () => {
    const talk = skipping(6).fromClient(0, 'ab').fromClient(4, 'ef').fromServer(0, '', { ack: 6 }).wait(100_000).fromServer(0, '').fromClient(6, 'ghij')
    expect(talk.client).toBe('abij')
    expect(talk.tracker.counters).toMatchObject({ lost: 2, skipped: 4 })
  })

  test('does a loss that begins in it tell only the rest?', () => {
    const talk = skipping(3).fromClient(0, 'ab').fromClient(7, 'hij').fromServer(0, '', { ack: 10 }).wait(100_000).fromServer(0, '')
    expect(talk.client).toBe('ab[2]hij')
  })

  test('do segments that wait need no memory while they lie in it?', () => {
    const talk = skipping(5_000_000).fromClient(0, 'ab').fromServer(0, '', { ack: 2 })
    for (let at = 1002; at < 5_000_002; at += 1000) talk.fromClient(at, 'x'.repeat(1000))
    expect(talk.tracker.counters.held).toBe(4_999_000)
    expect(talk.fromClient(2, 'x'.repeat(1000)).tracker.counters).toMatchObject({ held: 0, skipped: 5_000_000, lost: 0 })
    expect(talk.tracker.counters.holesByCap.heldBytes).toBe(0)
  })

  test('does nothing of a stream that is of no interest wait for anything?', () => {
    const talk = skipping(Infinity).fromClient(0, 'ab').fromClient(4, 'ef').finish()
    expect(talk.client).toBe('ab')
    expect(talk.flows[0]).toMatchObject({ bytes: [4, 0], lost: [2, 0] })
  })
})

describe('slicing', () => {
  test('is the missing end of a sliced segment a gap at once?', () => {
    const talk = new Talk().open().fromClient(0, 'ab', { length: 10 }).fromClient(10, 'kl')
    expect(talk.client).toBe('ab[8]kl')
    expect(talk.tracker.counters).toMatchObject({ sliced: 8, lost: 0 })
  })

  test('does it cost nothing where the bytes are not wanted?', () => {
    const talk = new Talk()
    talk.skips = [20]
    talk.open().fromClient(0, 'ab', { length: 10 }).fromClient(10, 'kl', { length: 10 }).fromClient(20, 'uvwx')
    expect(talk.client).toBe('abwx')
    expect(talk.tracker.counters).toMatchObject({ sliced: 0, skipped: 20 })
  })

  test('is a segment of which nothing was captured a gap, and its volume counted?', () => {
    const talk = new Talk().open().fromClient(0, '', { length: 1448 }).fromClient(1448, '', { length: 1448 }).finish()
    expect(talk.client).toBe('[1448][1448]')
    expect(talk.flows[0]).toMatchObject({ bytes: [2896, 0], lost: [0, 0] })
  })

  test('do sliced segments out of order come out in order?', () => {
    const talk = new Talk().open().fromClient(10, 'kl', { length: 10 }).fromClient(0, 'ab', { length: 10 }).fromClient(20, 'uv')
    expect(talk.client).toBe('ab[8]kl[8]uv')
  })
})

describe('the end of a stream', () => {
  test('do bytes that are missing before a FIN still come?', () => {
    const talk = new Talk().open().fromClient(0, 'ab').fromClient(4, 'ef', { flags: ACK | FIN })
    expect(talk.client).toBe('ab')
    expect(talk.fromClient(2, 'cd').client).toBe('abcdef')
  })

  test('are bytes behind a FIN not part of the stream?', () => {
    const talk = new Talk().open().fromClient(0, 'ab', { flags: ACK | FIN }).fromClient(2, 'cd').fromClient(1, 'bXYZ')
    expect(talk.client).toBe('ab')
    expect(talk.tracker.counters).toMatchObject({ afterEnd: 5, duplicate: 1 })
  })

  test('is urgent data part of the stream?', () => {
    expect(new Talk().open().fromClient(0, 'ab', { flags: ACK | 32 }).client).toBe('ab')
  })
})
