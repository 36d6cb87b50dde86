/** Receivers to deliver to: they note what they got, go away, come back, and can be made to take everything and answer nothing. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { configSchema, type SinkConfig } from '../../../src/config.ts'
import { HttpSink } from '../../../src/sinks/http.ts'
import { JsonlSink } from '../../../src/sinks/rotating-jsonl.ts'
import type { MakeSink } from '../../../src/sinks/sink.ts'
import { SyslogSink } from '../../../src/sinks/syslog.ts'

/** A native alert as far as tests look at it. */
export interface Got {
  id: string
  revision: number
  device: { id: string }
}

export interface Receiver {
  make: MakeSink
  /** What arrived, in order, repeats included. */
  got(): Got[] | Promise<Got[]>
  down(): Promise<void>
  up(): Promise<void>
  /** Takes everything and answers nothing; undefined where that can't be. */
  silence?: (silent: boolean) => void
  /** Whether an answer means that the alert is safe; syslog has none. */
  acknowledges: boolean
  remove(): Promise<void>
}

export const sinkConfig = <T extends SinkConfig['type']>(config: { type: T } & Record<string, unknown>): Extract<SinkConfig, { type: T }> =>
  configSchema.parse({ sinks: [config] }).sinks[0] as Extract<SinkConfig, { type: T }>

const places: string[] = []
process.once('exit', () => { for (const place of places) rmSync(place, { recursive: true, force: true }) })

/** A folder of its own, gone when the tests are. */
export function folder(): string {
  const place = mkdtempSync(join(tmpdir(), 'wardwire-sink-'))
  places.push(place)
  return place
}

/** Listens, goes away with all its connections, and comes back on the same port. */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
    })
  }

  get port(): number {
    return this.#port
  }

  async up(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async down(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }
}

export function jsonlReceiver(): Promise<Receiver> {
  const place = folder()
  const path = join(place, 'out', 'alerts.jsonl')
  const receiver: Receiver = {
    make: () => new JsonlSink(sinkConfig({ type: 'jsonl', path, max_bytes: 20_000, keep: 1000 })),
    got: () => readdirSync(join(place, 'out')).sort((a, b) => age(b) - age(a))
      .flatMap((name) => readFileSync(join(place, 'out', name), 'utf8').split('\n').slice(0, -1)).map((line) => JSON.parse(line) as Got),
    // The folder is not there: a file in its place.
    down: () => { rmSync(join(place, 'out'), { recursive: true, force: true }); writeFileSync(join(place, 'out'), ''); return Promise.resolve() },
    up: async () => { rmSync(join(place, 'out'), { recursive: true, force: true }); await import('node:fs/promises').then((fs) => fs.mkdir(join(place, 'out'))) },
    acknowledges: true,
    remove: () => { rmSync(place, { recursive: true, force: true }); return Promise.resolve() },
  }
  return receiver.up().then(() => receiver)
}

/** `alerts.jsonl` is the newest, `alerts.jsonl.7` older than `.6`. */
const age = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0)

/** Reads frames of octet counting (RFC 6587 section 3.4.1). @returns the messages, and what is left over */
export function syslogFrames(stream: Buffer): { messages: string[]; rest: Buffer } {
  const messages: string[] = []
  let rest = stream
  for (;;) {
    const space = rest.indexOf(0x20)
    if (space < 0) break
    const length = Number(rest.subarray(0, space).toString())
    if (!/^[1-9]\d*$/.test(rest.subarray(0, space).toString())) throw new Error(`no frame: ${rest.subarray(0, 40).toString()}`)
    if (rest.length < space + 1 + length) break
    messages.push(rest.subarray(space + 1, space + 1 + length).toString())
    rest = rest.subarray(space + 1 + length)
  }
  return { messages, rest }
}

export async function syslogReceiver(tls?: { key: string; cert: string; caFile: string }): Promise<Receiver & { messages: string[]; port: number }> {
  const messages: string[] = []
  const onSocket = (socket: Socket): void => {
    let left = Buffer.alloc(0)
    socket.on('error', () => {}).on('data', (data: Buffer) => {
      const { messages: more, rest } = syslogFrames(Buffer.concat([left, data]))
      left = Buffer.from(rest)
      messages.push(...more)
    })
  }
  const listener = new Listener(tls ? createTls(tls, onSocket).on('tlsClientError', () => {}) : createTcp(onSocket))
  await listener.up()
  const config = sinkConfig({
    type: 'syslog', host: '127.0.0.1', port: listener.port, format: 'native', max_bytes: 8192, tls: tls ? { ca_file: tls.caFile, server_name: 'pacs.example' } : false,
  })
  return {
    make: () => new SyslogSink(config, 'radiology'),
    messages, port: listener.port,
    got: () => messages.map((m) => JSON.parse(m.slice(m.indexOf('] ') + 2)) as Got),
    down: () => listener.down(), up: () => listener.up(),
    acknowledges: false,
    remove: () => listener.down(),
  }
}

export interface Request {
  path: string
  headers: IncomingMessage['headers']
  body: string
}

type Answer = (request: Request, response: ServerResponse) => void

/** An HTTP server; `answer` says what it does with a request. */
export async function httpServer(answer: Answer): Promise<{ listener: Listener; url: string; requests: Request[]; silence: (silent: boolean) => void }> {
  const requests: Request[] = []
  let silent = false
  const server = createHttp((incoming, response) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (data: string) => { body += data }).on('end', () => {
      if (silent) return
      const request = { path: incoming.url ?? '', headers: incoming.headers, body }
      requests.push(request)
      answer(request, response)
    })
  })
  const listener = new Listener(server)
  await listener.up()
  return { listener, url: `http://127.0.0.1:${listener.port}`, requests, silence: (s) => { silent = s } }
}

export async function webhookReceiver(): Promise<Receiver & { requests: Request[] }> {
  const { listener, url, requests, silence } = await httpServer((_, response) => response.writeHead(204).end())
  return {
    make: () => new HttpSink(sinkConfig({ type: 'webhook', url }), 'radiology'),
    requests, silence,
    got: () => requests.map(({ body }) => JSON.parse(body) as Got),
    down: () => listener.down(), up: () => listener.up(),
    acknowledges: true,
    remove: () => listener.down(),
  }
}

/** Splunk's collector: it takes events, and, where the token has it, says later that they are indexed. */
export async function splunkReceiver(indexerAck: boolean): Promise<Receiver & { url: string; requests: Request[]; indexed: Got[] }> {
  const place = folder()
  const tokenFile = join(place, 'token')
  writeFileSync(tokenFile, 'a-token\n')
  const indexed: Got[] = []
  const batches: { got: Got[]; asked: number }[] = []
  const { listener, url, requests, silence } = await httpServer((request, response) => {
    if (request.headers.authorization !== 'Splunk a-token') return response.writeHead(401).end('{"text":"Invalid token","code":4}')
    if (request.path === '/services/collector/ack') {
      const { acks: [id] } = JSON.parse(request.body) as { acks: [number] }
      const batch = batches[id]!
      // Indexed when it is asked for the second time.
      if (++batch.asked === 2) indexed.push(...batch.got)
      return response.end(JSON.stringify({ acks: { [id]: batch.asked >= 2 } }))
    }
    const got = request.body.split('\n').map((line) => (JSON.parse(line) as { event: Got }).event)
    batches.push({ got, asked: 0 })
    if (!indexerAck) indexed.push(...got)
    return response.end(JSON.stringify({ text: 'Success', code: 0, ...(indexerAck && { ackId: batches.length - 1 }) }))
  })
  return {
    make: () => new HttpSink(sinkConfig({ type: 'splunk', url, token_file: tokenFile }), 'radiology'),
    url, requests, indexed, silence,
    got: () => indexed,
    down: () => listener.down(), up: () => listener.up(),
    acknowledges: true,
    remove: async () => { rmSync(place, { recursive: true }); await listener.down() },
  }
}
