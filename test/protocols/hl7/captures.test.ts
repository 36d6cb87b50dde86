/**
 * Captures of real programs, where somebody put them: the folder WARDWIRE_CAPTURES (`../shared/captures` unless told), with its expected
 * results in `truth/`. Without it these tests are skipped.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Decoder } from '../../../protocols/decoder.ts'
import type { Hl7Message, WireEvent } from '../../../protocols/events.ts'
import { readCaptures } from '../../../src/sources/captures.ts'
import { SITE } from './harness.ts'

const folder = resolve(import.meta.dirname, '../../..', process.env.WARDWIRE_CAPTURES ?? '../shared/captures')
const truthOf = (name: string): Truth => JSON.parse(readFileSync(join(folder, 'truth', name), 'utf8')) as Truth
const truths = existsSync(join(folder, 'truth'))
  ? readdirSync(join(folder, 'truth')).filter(name => /^(h\d|x03|x04|n\d|hl7-|negative).*\.json$/.test(name) && existsSync(join(folder, truthOf(name).file))).sort()
  : []

/** What the expected results leave out on purpose: messages inside a batch, in HTTP, or in other frames than MLLP. */
const BESIDES: Record<string, readonly string[]> = {
  'h08-batch': ['BM0', 'BM1', 'BM2', 'BM3', 'BM4'],
  'h18-http': ['HH1', 'HH2'],
  'x04-framing-2': ['G4', 'G5', 'G11', 'G12'],
}

interface Expected {
  kind?: string
  note?: string
  src: string
  dst: string
  type: string
  control_id: string
  ack_code?: string
  ack_of?: string
  bytes_known?: boolean
}

interface Truth {
  file: string
  summary: { hl7: { messages: number, acks: number } }
  reference: { hl7?: { list: Expected[] } }
}

const address = (endpoint: string): string => endpoint.split(' ')[0]!
const shortType = (type: string): string => type.split('^').slice(0, 2).join('^').replace(/\^$/, '')

async function messagesOf(file: string): Promise<Hl7Message[]> {
  const messages: Hl7Message[] = []
  const keep = (event: WireEvent): void => { if (event.kind === 'hl7.message') messages.push(event) }
  const decoder = new Decoder({ emit: keep, pseudonyms: SITE })
  const { truncated } = await readCaptures([file], { onFrame: frame => { decoder.frame(frame) } })
  decoder.finish(truncated)
  return messages
}

function told(events: readonly Hl7Message[]): { messages: string[], acknowledgements: string[] } {
  const messages: string[] = []
  const acknowledgements: string[] = []
  for (const event of events) {
    if (event.acknowledges !== null) {
      acknowledgements.push(`${event.acknowledges.control_id} ${event.acknowledges.code}`)
      continue
    }
    const { client, server } = event.flow
    const [from, to] = event.direction === 'client' ? [client, server] : [server, client]
    messages.push(`${event.message_type} ${event.control_id} ${from.ip} ${to.ip}`)
    acknowledgements.push(...event.acks.map(ack => `${event.control_id} ${ack.code}`))
  }
  return { messages: messages.sort(), acknowledgements: acknowledgements.sort() }
}

function expected({ reference }: Truth): { messages: string[], acknowledgements: string[] } {
  const list = (reference.hl7?.list ?? []).filter(one => one.kind === 'MSH' && one.bytes_known !== false)
  return {
    messages: list.filter(one => !one.ack_code).map(one => `${shortType(one.type)} ${one.control_id} ${address(one.src)} ${address(one.dst)}`).sort(),
    acknowledgements: list.filter(one => one.ack_code && one.ack_of).map(one => `${one.ack_of} ${one.ack_code}`).sort(),
  }
}

describe.skipIf(truths.length === 0)(`captures of real programs${truths.length === 0 ? ` (skipped: no folder ${folder}; set WARDWIRE_CAPTURES)` : ''}`, () => {
  it.each(truths)('%s: is every message and acknowledgement there, and nothing else?', async name => {
    const truth = truthOf(name)
    const events = await messagesOf(join(folder, truth.file))
    if (truth.reference.hl7?.list.some(one => one.note !== undefined)) {
      // Its list is shortened; the totals are not.
      const own = events.filter(event => event.acknowledges === null)
      expect({ messages: own.length, acks: own.flatMap(event => event.acks).length }).toEqual({ messages: truth.summary.hl7.messages, acks: truth.summary.hl7.acks })
      return
    }
    const besides = BESIDES[name.replace('.json', '')] ?? []
    const isBeside = (event: Hl7Message): boolean => besides.includes(event.control_id ?? '') && event.batch === (name === 'h08-batch.json')
    const { messages, acknowledgements } = expected(truth)
    const without = told(events.filter(event => !isBeside(event)))
    expect(without.messages).toEqual(messages)
    expect(events.filter(isBeside).map(event => event.control_id).sort()).toEqual([...besides].sort())
    // The acknowledgements of messages that are left out count all the same, but for those in HTTP.
    expect(name === 'h18-http.json' ? [] : told(events).acknowledgements).toEqual(acknowledgements)
  })
})
