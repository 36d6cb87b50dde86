/**
 * Cuts the packets of an alert out of captures, in two passes: the first finds the conversations and their times, the second copies
 * every frame of theirs as it was captured, tunnels and all. Fragments carry no ports, so all between the two hosts at that time are taken.
 */
import { randomBytes } from 'node:crypto'
import type { Alert } from '../../models/alert.ts'
import type { Frame } from '../../protocols/capture/frame.ts'
import { Decoder } from '../../protocols/decoder.ts'
import type { Micros, WireEvent } from '../../protocols/events.ts'
import { LIMITS } from '../../protocols/limits.ts'
import { ipText } from '../../protocols/net/address.ts'
import { FRAGMENT, FrameDecoder, PACKET } from '../../protocols/net/decode.ts'
import { Packet, TCP } from '../../protocols/net/packet.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { UserError, reason } from '../errors.ts'
import { readCaptures, type CaptureProblem } from '../sources/captures.ts'
import { CaptureWriter, type CaptureShape } from './capture-writer.ts'
import { Wanted, type Conversation } from './conversations.ts'

export interface SliceOptions {
  communityIdSeed: number
  /** For the pseudonyms of `onEvent`; without it nobody needs them. */
  siteKey?: Uint8Array
  /** Every event of the alert's conversations, when its conversation is known to belong to it. */
  onEvent?: (event: WireEvent) => void
}

export interface SliceResult {
  conversations: number
  frames: number
  bytes: number
  format: 'pcap' | 'pcapng'
  problems: CaptureProblem[]
}

/** Events kept of one conversation until its end tells whether it is the alert's; further ones are left out. */
const EVENTS_KEPT = 20_000

/** @param files captures; not standard input, which can't be read twice. @throws {UserError} when the output can't be written, or nothing was found */
export async function slice(files: readonly string[], alert: Alert, out: string, options: SliceOptions): Promise<SliceResult> {
  if (files.includes('-')) throw new UserError('standard input cannot be cut: the capture is read twice, so give a file', 2)
  const found = await find(files, alert, options)
  if (found.conversations.length === 0) {
    throw new UserError(`no conversation of alert ${alert.id} is in ${files.join(', ')}${found.problems.length > 0 ? ` (${found.problems[0]!.path}: ${found.problems[0]!.text})` : ''}`, 1)
  }
  const writer = opened(out, found.shape)
  const cut = new Cut(found.conversations)
  try {
    await readCaptures(files, { onFrame: (frame) => { if (cut.has(frame)) writer.write(frame) } })
    writer.close()
  } catch (error) {
    throw new UserError(`cannot write ${out}: ${reason(error)}`, 1)
  }
  return { conversations: found.conversations.length, frames: writer.frames, bytes: writer.bytes, format: writer.format, problems: found.problems }
}

function opened(path: string, shape: CaptureShape): CaptureWriter {
  try {
    return new CaptureWriter(path, shape)
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${reason(error)}`, 1)
  }
}

interface Found {
  conversations: Conversation[]
  shape: CaptureShape
  problems: CaptureProblem[]
}

async function find(files: readonly string[], alert: Alert, options: SliceOptions): Promise<Found> {
  const wanted = new Wanted(alert)
  const conversations: Conversation[] = []
  const waiting = new Map<object, WireEvent[]>()
  const linkTypes = new Set<number>()
  let nanos = false
  const decoder = new Decoder({
    pseudonyms: new Pseudonyms(options.siteKey ?? randomBytes(32)), communityIdSeed: options.communityIdSeed,
    emit: (event) => {
      if (!('flow' in event) || !wanted.mayBe(event.flow)) return
      const said = waiting.get(event.flow) ?? []
      if (options.onEvent !== undefined && said.length < EVENTS_KEPT) said.push(event)
      waiting.set(event.flow, said)
      if (event.kind !== 'flow') return
      waiting.delete(event.flow)
      if (!wanted.is(event)) return
      conversations.push({ flow: event.flow, started: event.started, ended: event.ended_at })
      for (const one of said) options.onEvent?.(one)
    },
  })
  const { problems, truncated } = await readCaptures(files, {
    onFrame: (frame) => {
      linkTypes.add(frame.linkType)
      nanos ||= (frame.nanos ?? 0) !== 0
      decoder.frame(frame)
    },
  })
  decoder.finish(truncated)
  return { conversations, shape: { linkTypes: [...linkTypes], nanos }, problems }
}

/** Tells which frames belong to the conversations. */
class Cut {
  readonly #net = new FrameDecoder()
  readonly #packet = new Packet()
  /** By both ends; several conversations may have had the same. */
  readonly #times = new Map<string, { from: Micros; to: Micros }[]>()
  readonly #hosts = new Map<string, { from: Micros; to: Micros }[]>()
  /** The smaller port, then the larger: most packets need no more to be passed over. */
  readonly #ports = new Set<number>()

  constructor(conversations: Conversation[]) {
    for (const { flow, started, ended } of conversations) {
      // What comes when both ends have closed still belongs to them.
      const time = { from: started, to: ended + LIMITS.tcp.closedAge }
      const { client, server } = flow
      this.#ports.add(portsOf(client.port, server.port))
      add(this.#times, `${flow.transport} ${both(`${client.ip} ${client.port}`, `${server.ip} ${server.port}`)}`, time)
      add(this.#hosts, both(client.ip, server.ip), time)
    }
  }

  has(frame: Frame): boolean {
    const packet = this.#packet
    const outcome = this.#net.decode(frame, packet)
    if (outcome === FRAGMENT) return this.#hosts.size > 0 && isWithin(this.#hosts.get(both(ipText(packet.addresses, 0), ipText(packet.addresses, 4))), frame.at)
    if (outcome !== PACKET || !this.#ports.has(portsOf(packet.sourcePort, packet.destinationPort))) return false
    const source = `${ipText(packet.addresses, 0)} ${packet.sourcePort}`
    const destination = `${ipText(packet.addresses, 4)} ${packet.destinationPort}`
    return isWithin(this.#times.get(`${packet.transport === TCP ? 'tcp' : 'udp'} ${both(source, destination)}`), frame.at)
  }
}

const portsOf = (a: number, b: number): number => (a < b ? a * 65_536 + b : b * 65_536 + a)
const both = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
const isWithin = (times: { from: Micros; to: Micros }[] | undefined, at: Micros): boolean => times?.some(({ from, to }) => at >= from && at <= to) ?? false

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
