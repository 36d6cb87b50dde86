import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hl7Message, WireEvent } from '../../../protocols/events.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { CORPUS } from './corpus.ts'
import type { Conversation } from './corpus.ts'
import { MILLI, Wire } from './harness.ts'

const NAMES = Object.keys(CORPUS)

/** Feeds a conversation, a millisecond a turn, each turn cut where `cuts` says. */
function feed(conversation: Conversation, cuts: (length: number) => number[]): WireEvent[] {
  const wire = new Wire()
  conversation.forEach(([direction, bytes]) => {
    const at = cuts(bytes.length)
    if (direction === 0) wire.client(bytes, at)
    else wire.server(bytes, at)
    wire.wait(MILLI)
  })
  return wire.end().events
}

/** As text: comparing thousands of events field by field would take minutes. */
const told = (conversation: Conversation, cuts: (length: number) => number[] = () => []): string => JSON.stringify(feed(conversation, cuts), null, 1)

describe('are events the same however the bytes are cut?', () => {
  it.each(NAMES)('%s, byte by byte', name => {
    const conversation = CORPUS[name]!
    expect(told(conversation, length => Array.from({ length: length - 1 }, (_, i) => i + 1))).toBe(told(conversation))
  })

  it.each(NAMES.filter(name => name !== 'long segments'))('%s, in two at every byte', name => {
    const conversation = CORPUS[name]!
    const expected = told(conversation)
    const longest = Math.max(...conversation.map(([, bytes]) => bytes.length))
    for (let at = 1; at < longest; at++) expect(told(conversation, length => (at < length ? [at] : []))).toBe(expected)
  })

  it('at random places', () => {
    fc.assert(fc.property(fc.constantFrom(...NAMES), fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 12 }), (name, places) => {
      const conversation = CORPUS[name]!
      const cuts = [...new Set(places)].sort((a, b) => a - b)
      expect(told(conversation, length => cuts.filter(cut => cut < length))).toBe(told(conversation))
    }), { numRuns: 300 })
  })
})

/** What must hold whatever the bytes are. */
function sane(events: WireEvent[]): void {
  for (const event of events) {
    if (event.kind === 'violation' && event.offset >= 0) continue
    const texts = event.kind !== 'hl7.message' ? [] : [event.message_type, event.control_id, event.sending_app, event.version, event.message_time]
    const good = event.kind === 'hl7.message' && event.bytes >= 0 && event.orders.length <= LIMITS.hl7.identifiers
      && texts.every(text => (text?.length ?? 0) <= LIMITS.hl7.textChars) && Object.keys(event.segments).every(name => name === '?' || /^[A-Z][A-Z0-9]{2}$/.test(name))
    if (!good) throw new Error(`not sane: ${JSON.stringify(event)}`)
  }
}

/** A conversation, `size` bytes of which are lost in one turn. */
function lossy(name: string, turn: number, at: number, size: number): Wire {
  const wire = new Wire()
  CORPUS[name]!.forEach(([direction, bytes], n) => {
    const send = (part: Uint8Array): Wire => (direction === 0 ? wire.client(part) : wire.server(part))
    if (n !== turn) return send(bytes)
    send(bytes.subarray(0, at)).lose(direction, size)
    return send(bytes.subarray(at + size))
  })
  return wire.end()
}

describe('does loss at any place stay without harm?', () => {
  it.each(NAMES.filter(name => name !== 'long segments'))('%s', name => {
    for (const size of [1, 7, 150]) {
      for (let turn = 0; turn < CORPUS[name]!.length; turn++) {
        const length = CORPUS[name]![turn]![1].length
        for (let at = 0; at + size <= length; at += 3) {
          sane(lossy(name, turn, at, size).events)
        }
      }
    }
  })

  /** All that says what a message is. */
  const content = ({ direction, message_type, control_id, patient, orders, bytes, body, segments, documents, sending_app }: Hl7Message): string =>
    JSON.stringify([direction, message_type, control_id, patient, orders, bytes, body, segments, documents, sending_app])
  const answers = (events: Hl7Message[]): string[] => events.flatMap(event => [...event.acks.map(ack => `${event.control_id} ${ack.code} ${ack.control_id}`), ...(event.acknowledges === null ? [] : [`${event.acknowledges.control_id} ${event.acknowledges.code} ${event.control_id}`])])

  /** Without their first or last bytes these are other messages, which nobody can tell. */
  const AMBIGUOUS = ['long segments', 'marks inside fields', 'foreign blocks', 'byte order mark', 'STX and ETX', 'HTTP in chunks']

  it.each(NAMES.filter(name => !AMBIGUOUS.includes(name)))('%s: what is told as complete was sent, no answer is for another message, and nobody is accused', name => {
    const sent = new Wire()
    CORPUS[name]!.forEach(([direction, bytes]) => direction === 0 ? sent.client(bytes) : sent.server(bytes))
    sent.end()
    const contents = new Set(sent.messages.map(content))
    const answered = new Set(answers(sent.messages))
    for (const size of [1, 2, 5, 60, 130]) {
      for (let turn = 0; turn < CORPUS[name]!.length; turn++) {
        for (let at = 0; at + size <= CORPUS[name]![turn]![1].length; at++) {
          const { messages, codes } = lossy(name, turn, at, size)
          const wrong = [
            ...messages.filter(event => event.complete && event.acknowledges === null && !contents.has(content(event))).map(content),
            // Of an answer whose own header was cut, its control id is missing.
            ...answers(messages).filter(answer => !answered.has(answer) && !answer.endsWith(' null') && !answer.startsWith(' ')),
            ...codes.filter(code => !sent.codes.includes(code)),
          ]
          if (wrong.length > 0) expect.fail(`${size} bytes lost at ${at} of turn ${turn}: ${wrong.join(', ')}`)
        }
      }
    }
  })

  it('a loss between two messages leaves both whole', () => {
    const one = CORPUS['messages and acknowledgements']![0]![1]
    const wire = new Wire().client(one).lose(0, 500).client(one).end()
    expect(wire.messages.map(event => event.complete)).toEqual([true, true])
  })
})

describe('do mutated bytes stay without harm?', () => {
  /** Positions and values lean to the bytes that matter: marks, line ends, separators. */
  const value = fc.oneof(fc.constantFrom(0x0B, 0x1C, 0x0D, 0x0A, 0x02, 0x03, 0x06, 0x7C, 0x5E, 0x7E, 0x5C, 0x26, 0x1B, 0x00, 0xFF, 0xFE, 0x4D), fc.integer({ min: 0, max: 255 }))
  const edit = fc.record({ at: fc.nat(), value, kind: fc.constantFrom('set', 'insert', 'delete', 'repeat') })

  function mutate(bytes: Uint8Array, edits: readonly { at: number, value: number, kind: string }[]): Uint8Array {
    let list = [...bytes]
    for (const { at, value: byte, kind } of edits) {
      const i = list.length === 0 ? 0 : at % list.length
      if (kind === 'set') list[i] = byte
      else if (kind === 'insert') list.splice(i, 0, byte)
      else if (kind === 'delete') list.splice(i, 1 + (byte & 15))
      else list = [...list.slice(0, i), ...list.slice(Math.max(0, i - byte), i), ...list.slice(i)]
    }
    return Uint8Array.from(list)
  }

  it('and cutting them still changes nothing', () => {
    const names = NAMES.filter(name => name !== 'long segments')
    fc.assert(fc.property(fc.constantFrom(...names), fc.array(edit, { minLength: 1, maxLength: 8 }), fc.array(fc.nat({ max: 900 }), { maxLength: 6 }), (name, edits, places) => {
      const conversation = CORPUS[name]!.map(([direction, bytes]) => [direction, mutate(bytes, edits)] as const).filter(([, bytes]) => bytes.length > 0)
      sane(feed(conversation, () => []))
      const cuts = [...new Set(places)].filter(place => place > 0).sort((a, b) => a - b)
      expect(told(conversation, length => cuts.filter(cut => cut < length))).toBe(told(conversation))
    }), { numRuns: 1500 })
  })
})
