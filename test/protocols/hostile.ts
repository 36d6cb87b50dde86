/**
 * Traffic made to fill, confuse or blind the decoder, by seed, and honest conversations in its midst. Whoever can send packets into a watched network, or
 * hand over a capture, can send these.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as d from '../../fixtures/build/dicom.ts'
import * as h from '../../fixtures/build/hl7.ts'
import {
  ACK, FIN, PSH, RST, SYN, ethernet, fragment, ip, ipv4, join, macOf, tcpFrame, u16, u24, u32, u8, udp, udpFrame, vlan, type EtherPayload, type WireFrame,
} from '../../fixtures/build/frames.ts'
import type { Random } from '../../fixtures/build/random.ts'
import { Decoder } from '../../protocols/decoder.ts'
import type { Micros, WireEvent } from '../../protocols/events.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { SAMPLES } from './contract/samples.ts'
import { cert } from './tls/certificate.ts'
import { SITE_KEY, START, cut, feed, frames, segments, told, type Turns } from './contract/wire.ts'

export interface Attack {
  /** Ends the question of the test. */
  readonly name: string
  /** The `i`-th step: some frames, of about the time `at`. */
  step(i: number, at: Micros, random: Random): WireFrame[]
  /** How many steps show it; a soak makes more. */
  readonly steps: number
  /** It needs the honest conversations to be there: it begins when they have. */
  readonly within?: true
  /** Mebibytes that it may take at most, where a cap of its own allows more than usual. */
  readonly most?: number
  /** Counters of `dropped` that must have moved. */
  readonly told?: readonly string[]
}

const address = (i: number): string => `10.${100 + ((i >> 16) & 127)}.${(i >> 8) & 255}.${i & 255}`
const ENDS = { src: '10.66.0.1', dst: '10.66.0.2' }
const noise = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random.bits())
const text = (said: string): Uint8Array => Buffer.from(said, 'latin1')

/** A conversation that is begun and left open, each from another port and address. */
const open = (i: number, turns: Turns, at: Micros, serverPort = 104): WireFrame[] =>
  frames(segments(turns, (bytes) => cut(bytes, 1400), 0).map((segment) => ({ ...segment, at })), { close: false, ends: { client: address(i), clientPort: 1024 + (i % 60_000), server: '10.2.0.2', serverPort } })
    .map((frame) => ({ ...frame, at }))

const EXPLICIT = '1.2.840.10008.1.2.1'
const FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const FROM = { calling: 'EVIL', called: 'ARCHIVE', user: { maxLength: 0, implementationClass: '1.2.3.4', implementationVersion: 'EVIL', asyncOperations: [0, 0] as const } }
const opened: Turns = [
  [0, d.associateRq({ ...FROM, contexts: [{ id: 1, abstract: FIND, transfers: [EXPLICIT] }, { id: 3, abstract: CT, transfers: [EXPLICIT] }] })],
  [1, d.associateAc({ ...FROM, contexts: [{ id: 1, result: 0, transfer: EXPLICIT }, { id: 3, result: 0, transfer: EXPLICIT }] })],
]
/** A fragment whose header claims more than comes. */
const pieceOf = (context: number, control: number, claimed: number, bytes: Uint8Array): Uint8Array => join(u8(4, 0), u32(claimed + 6), u32(claimed + 2), u8(context, control), bytes)
const PIECE = 1
const DATA = 0

/** Sequences in sequences without an end. */
const deep = (levels: number): Uint8Array => join(...Array.from({ length: levels }, () => join(u8(0x08, 0, 0x40, 0x11), text('SQ'), u8(0, 0), u32(0xFFFFFFFF), u8(0xFE, 0xFF, 0, 0xE0), u32(0xFFFFFFFF))))

function nested(depth: number, random: Random): EtherPayload {
  let inner: EtherPayload & { protocol?: number } = ip(ENDS, udp({ sport: 4000, dport: 53, payload: u8(1) }))
  for (let i = 0; i < depth; i++) {
    const way = random.int(0, 3)
    if (way === 0) inner = vlan(random.int(0, 4095), inner, [0x8100, 0x88A8][random.int(0, 1)])
    else if (way === 1) inner = ipv4(ENDS, { protocol: 47, bytes: join(u16(0), u16(inner.etherType), inner.bytes) })
    else if (way === 2) inner = ipv4(ENDS, udp({ sport: 4000, dport: 4789, payload: join(u8(8, 0, 0, 0, 0, 0, 7, 0), ethernet(inner)) }))
    else inner = ip(random.chance(0.5) ? ENDS : { src: 'fd00::1', dst: 'fd00::2' }, inner.etherType === 0x0800 ? { protocol: 4, bytes: inner.bytes } : { protocol: 47, bytes: join(u16(0), u16(inner.etherType), inner.bytes) })
    if (inner.bytes.length > 60_000) break
  }
  return inner
}

export const ATTACKS: readonly Attack[] = [
  {
    name: 'IP fragments that overlap, are tiny, lie about their end, or are never finished', steps: 20_000, told: ['ip.fragment-bytes'],
    step: (i, at, random) => {
      const id = random.chance(0.3) ? 7 : i
      const from = { src: random.chance(0.5) ? address(random.int(0, 40)) : `fd00::${random.int(1, 40)}`, dst: '', id }
      from.dst = from.src.includes(':') ? 'fd00::99' : '10.66.0.2'
      const size = random.pick([0, 1, 8, 16, 64, 1400])
      const offset = random.pick([0, 8, 16, 1400 - (1400 % 8), 65_528, 8 * random.int(0, 8191)])
      return [{ bytes: ethernet(fragment(from, random.pick([6, 17]), offset, random.chance(0.8), noise(random, size))), at }]
    },
  },
  { name: 'tags and tunnels in tags and tunnels', steps: 2000, told: ['net.layers'], step: (_, at, random) => [{ bytes: ethernet(nested(random.int(1, 60), random)), at }] },
  {
    name: 'SYNs of invented addresses', steps: 150_000, told: ['tcp.conversations'],
    step: (i, at, random) => [tcpFrame({ src: address(i), dst: '10.2.0.2', sport: random.int(1, 65_535), dport: random.pick([104, 2575, 11_112]), flags: SYN, seq: random.bits(), at, srcMac: macOf(address(i)) })],
  },
  {
    name: 'segments far out of the window, forged resets and ends in the name of honest ends', steps: 20_000, within: true, told: ['tcp.out-of-reach'],
    step: (_, at, random) => {
      const { client, server, clientPort, serverPort } = random.pick(HONEST).ends
      const forward = random.chance(0.5)
      const far = { seq: (random.int(0x30000000, 0x60000000) * random.pick([1, 1.3])) >>> 0, ack: random.bits(), flags: random.pick([ACK, PSH | ACK, FIN | ACK, RST, RST | ACK]), payload: random.chance(0.5) ? u8() : noise(random, 20), at }
      return [tcpFrame(forward ? { src: client, dst: server, sport: clientPort, dport: serverPort, ...far } : { src: server, dst: client, sport: serverPort, dport: clientPort, ...far })]
    },
  },
  {
    name: 'holes that are never filled', steps: 12_000, most: 200, told: ['tcp.heldTotalBytes'],
    step: (i, at) => frames([{ from: 0, offset: 4000, ack: 0, bytes: u8(0x41), at }], { close: false, ends: { client: address(i), clientPort: 2000, server: '10.2.0.2', serverPort: 445 } }).map((frame) => ({ ...frame, at })),
  },
  {
    name: 'HTTP heads that never end', steps: 5000, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, join(text('GET /dicom-web/studies?PatientID=1 HTTP/1.1\r\nHost: a\r\n'), text(`X-${'a'.repeat(60)}: ${'b'.repeat(60)}\r\n`.repeat(120)))]], at, 8080),
  },
  {
    name: 'HTTP requests in a pipeline that nobody answers', steps: 1500, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, text(`GET /dicom-web/studies?PatientID=${'1'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(64))]], at, 8080),
  },
  {
    name: 'command sets of which the last piece never comes', steps: 5000, told: ['waitingBytes'],
    step: (i, at) => open(i, [...opened, [0, pieceOf(1, PIECE, 16_000, join(d.request('C-FIND', 1, { class: FIND }, {}, true), new Uint8Array(12_000)))]], at),
  },
  {
    name: 'values of queries of which the last byte never comes', steps: 10_000, told: ['waitingBytes'],
    step: (i, at) => open(i, [...opened, [0, join(d.message(1, d.request('C-FIND', 1, { class: FIND }, {}, true)), pieceOf(1, DATA, 5000, join(u8(0x20, 0, 0x0D, 0), text('UI'), u8(0, 16), new Uint8Array(4000).fill(0x31))))]], at),
  },
  {
    name: 'requests that nobody answers', steps: 1000, told: ['waitingBytes'],
    step: (i, at) => open(i, [...opened, [0, REQUESTS]], at),
  },
  {
    name: 'answers that name ever new patients', steps: 450, told: ['waitingBytes'],
    step: (i, at) => open(i, [...opened, [0, d.message(1, d.request('C-FIND', 1, { class: FIND }, {}, true), d.dataSet([d.el(0x00100020, 'LO', '')], EXPLICIT))], [1, MATCHES]], at),
  },
  { name: 'associations in which nothing is done', steps: 10_000, step: (i, at) => open(i, opened, at) },
  {
    name: 'associations that propose all that there is', steps: 250, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, ALL]], at),
  },
  {
    name: 'sequences in sequences, and lengths of 4 GB', steps: 4000,
    step: (i, at, random) => open(i, [...opened, [0, random.chance(0.5)
      ? d.message(1, d.request('C-FIND', 1, { class: FIND }, {}, true), deep(random.int(1, 400)))
      : join(d.message(3, d.request('C-STORE', 1, { class: CT, instance: '1.2.3' }, {}, true)), random.pick([
        join(u8(4, 0), u32(0xFFFFFFFF), u32(0xFFFFFFFB), u8(3, 0)), pieceOf(3, 2, 100_000, join(u8(0xE0, 0x7F, 0x10, 0), text('OB'), u8(0, 0), u32(0xFFFFFFFE), noise(random, 64))),
        join(u8(1, 0), u32(0xFFFFFFFF), noise(random, 64)), join(u8(9, 0), u32(0xFFFFFFFF)), join(u8(5, 0), u32(0xFFFFFFF0))]))]], at),
  },
  { name: 'TLS records without their last byte', steps: 5000, told: ['tcp.keptTotalBytes'], step: (i, at) => open(i, [[0, HANDSHAKE.subarray(0, [1300, 2500, 5000, 12_000, 12_000][i % 5])]], at, 443) },
  { name: 'TLS handshakes without their last record', steps: 3000, told: ['waitingBytes'], step: (i, at) => open(i, [[0, HANDSHAKE]], at, 443) },
  {
    name: 'compressed bodies that do not end', steps: 400, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, text('GET /dicom-web/studies HTTP/1.1\r\nHost: a\r\n\r\n')], [1, join(text('HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Encoding: gzip\r\nContent-Length: 999999\r\n\r\n'), BODY)]], at, 8080),
  },
  {
    name: 'HL7 messages that nobody acknowledges', steps: 800, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, MESSAGES]], at, 2575),
  },
  {
    name: 'HL7 messages whose numbers are to be remembered', steps: 1000, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, MESSAGES], [1, ANSWERS]], at, 2575),
  },
  {
    name: 'HL7 in HTTP with heads that never end', steps: 12_000, told: ['waitingBytes'],
    step: (i, at) => open(i, [[0, join(text('POST /hl7 HTTP/1.1\r\nContent-Type: application/hl7-v2\r\nContent-Length: 0\r\n\r\nPOST /hl7 HTTP/1.1\r\n'), text(`X-${'a'.repeat(60)}: ${'b'.repeat(60)}\r\n`.repeat(100)))]], at, 8080),
  },
  {
    name: 'a clock that jumps back and forth', steps: 4000,
    step: (i, at, random) => [udpFrame({ src: address(i % 50), dst: '10.66.0.2', sport: 4000, dport: 53, payload: u8(1), at: i % 9 === 0 ? random.pick([0, 1, at - 86_400_000_000 * random.int(1, 9000), at + 86_400_000_000 * random.int(1, 9000), LIMITS.capture.time]) : at })],
  },
  {
    name: 'noise in every layer', steps: 20_000,
    step: (i, at, random) => {
      const { bytes } = tcpFrame({ src: address(i % 500), dst: '10.2.0.2', sport: 1024 + (i % 500), dport: random.pick([104, 2575, 443, 8080]), flags: random.int(0, 63), seq: random.bits(), payload: noise(random, random.int(0, 60)), options: noise(random, random.int(0, 40)), at })
      for (let n = random.int(0, 4); n > 0; n--) bytes[random.int(12, bytes.length - 1)] = random.bits()
      return [{ bytes: random.chance(0.2) ? bytes.subarray(0, random.int(0, bytes.length)) : bytes, at, wireLength: random.chance(0.1) ? random.bits() : bytes.length }]
    },
  },
]

const REQUESTS = join(...Array.from({ length: 256 }, (_, id) => d.message(3, d.request('C-STORE', id, { class: CT, instance: `1.2.3.${id}` }))))
const MATCHES = join(...Array.from({ length: 2000 }, (_, n) => d.message(1, d.response('C-FIND', 1, 0xFF00, { class: FIND }, {}, true), d.dataSet([d.el(0x00100020, 'LO', `P${n}`)], EXPLICIT))))
/** As short as a message can be. */
const MESSAGES = join(...Array.from({ length: 512 }, (_, n) => h.frame(`MSH|^~\\&|||||||A|${n}\r`)))
const ANSWERS = join(...Array.from({ length: 512 }, (_, n) => h.frame(`MSH|^~\\&|||||||ACK|\rMSA|AA|${n}\r`)))
/** A message that claims 60,000 bytes, in records of 16,000. */
const HANDSHAKE = join(...[1, 0, 0].map((type) => join(u8(22, 3, 3), u16(16_000), type === 0 ? u8() : join(u8(type, 0), u16(60_000)), new Uint8Array(type === 0 ? 16_000 : 15_996))))
const BODY = new Uint8Array(200_000)
/** 128 contexts with 60 transfer syntaxes of 64 characters each. */
const ALL = d.associateRq({ ...FROM, contexts: Array.from({ length: 128 }, (_, n) => ({ id: 2 * n + 1, abstract: `1.2.${'3'.repeat(50)}.${n}`, transfers: Array.from({ length: 60 }, (_, t) => `1.9.${'7'.repeat(50)}.${n}.${t}`) })) })

// ------------------------------------------------------------------------------------------------------ honest ones

const of = (name: keyof typeof SAMPLES, sample: string): Turns => SAMPLES[name].find((one) => one.name === sample)!.turns
const ends = (n: number, serverPort: number): { client: string; server: string; clientPort: number; serverPort: number } => ({ client: `10.1.0.${n}`, server: `10.2.0.${n}`, clientPort: 50_000 + n, serverPort })

/** A session of TLS whose server sends a chain of certificates of several KB in one record. */
function longChain(): Turns {
  const [hello, [, answer], ...rest] = of('tls', 'a session of 1.2') as [Turns[number], Turns[number], ...Turns]
  const der = Uint8Array.from(Buffer.from(cert.replace(/-----[A-Z ]+-----/g, ''), 'base64'))
  const chain = join(...Array.from({ length: 6 }, () => join(u24(der.length), der)))
  const message = join(u8(11), u24(chain.length + 3), u24(chain.length), chain)
  const end = 5 + (answer[3]! << 8) + answer[4]!
  return [hello, [1, join(answer.subarray(0, end), u8(22, 3, 3), u16(message.length), message)], ...rest]
}

/** Conversations whose pieces are small, and of which two segments in five come in the wrong order. */
const HONEST = [
  { turns: of('dicom', 'stores'), ends: ends(1, 11_112) }, { turns: of('dicom', 'a query between echoes'), ends: ends(2, 104) }, { turns: of('dicom', 'DICOMweb'), ends: ends(3, 8080) },
  { turns: of('hl7', 'messages and acknowledgements'), ends: ends(4, 2575) }, { turns: of('hl7', 'HL7 in HTTP'), ends: ends(5, 80) }, { turns: of('tls', 'a session of 1.2'), ends: ends(6, 443) },
  { turns: longChain(), ends: ends(7, 443) },
]

function swapped<T>(list: readonly T[]): T[] {
  const out = [...list]
  for (let i = 4; i + 1 < out.length; i += 5) [out[i], out[i + 1]] = [out[i + 1]!, out[i]!]
  return out
}

const honestFrames = (): WireFrame[] => HONEST.flatMap(({ turns, ends: own }) => {
  const all = frames(segments(turns, (bytes) => cut(bytes, 100)), { ends: own })
  return [...all.slice(0, 3), ...swapped(all.slice(3, -3)), ...all.slice(-3)]
}).map((frame, i) => [frame, i] as const).sort(([a, i], [b, j]) => a.at - b.at || i - j).map(([frame]) => frame)

const isHonest = (event: WireEvent): boolean => 'flow' in event && HONEST.some(({ ends: own }) => event.flow.client.ip === own.client)

export interface Outcome {
  decoder: Decoder
  /** What was told of the honest conversations, and what should have been. */
  honest: string[]
  expected: string[]
  events: number
  /** Mebibytes of heap, and of buffers outside it, when the attack stood at its height, beside before; and how many it may be. */
  grown: number
  allowed: number
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const used = (): number => {
  // The second time for the buffers of what the first one found to be free.
  gc()
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}

/** What a conversation that a dissector reads may take by itself, in mebibytes. */
const CONVERSATION = 14 / 1024

/** Three quarters of the attack, then the honest conversations within the last quarter. */
export function suffer(attack: Attack, steps: number, random: Random): Outcome {
  const calm: WireEvent[] = []
  const reference = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => calm.push(event) })
  const honest = honestFrames()
  feed(reference, honest)
  reference.finish()
  const heard: WireEvent[] = []
  let events = 0
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(SITE_KEY), emit: (event) => { events++; if (isHonest(event)) heard.push(event) } })
  const before = used()
  const first = attack.within === true ? 0 : Math.floor(steps * 3 / 4)
  const begun = honest.findIndex(({ at }) => at > START)
  let i = 0
  for (; i < first; i++) feed(decoder, attack.step(i, START, random))
  honest.forEach((frame, n) => {
    const part = attack.within === true ? Math.max(0, (n - begun) / (honest.length - begun)) : (n + 1) / honest.length
    for (const stop = first + Math.floor((steps - first) * part); i < stop; i++) feed(decoder, attack.step(i, frame.at, random))
    feed(decoder, [frame])
  })
  const grown = used() - before
  const allowed = (attack.most ?? 165) + decoder.conversations * CONVERSATION
  decoder.finish()
  return { decoder, honest: words(heard), expected: words(calm.filter(isHonest)), events, grown, allowed }
}

/** What is told of them; of a conversation not when: one that is over is told of earlier where room is scarce, and what comes after that is told of once more. */
const words = (events: readonly WireEvent[]): string[] =>
  told(events.map((event) => (event.kind === 'flow' ? { ...event, at: 0 } : event))).filter((line) => !line.includes('"client":0,"server":0},"started"') || !line.includes('"unanswered"')).sort()
