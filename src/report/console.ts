/**
 * The live console: the report's page over HTTP on loopback, with alerts as they are raised and answers to them.
 *
 * Nothing of it is for anybody but the person who started it: it listens on loopback only, answers no request whose Host is not its own
 * (DNS rebinding) or whose Origin is another, and gives data and takes decisions only with the token that was printed at the start.
 *
 *     GET /                      the page, without any data
 *     GET /data                  ReportData and decisions
 *     GET /live                  server-sent events: `alert` (an alert), `data` (fetch /data again)
 *     POST /alerts/ID/DECISION   acknowledge, reopen, allow {days, why}, malicious, take-back
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Alert } from '../../models/alert.ts'
import { UserError, reason } from '../errors.ts'
import type { Assets } from './bundle.ts'
import type { ReportData } from './data.ts'
import { contentSecurityPolicy, pageHtml } from './html.ts'

/** What people decided about an alert. */
export interface Decision {
  acknowledged?: boolean
  /** What was answered, as a sentence. */
  answer?: string
}

export type Change = { alert: Alert } | 'data'

/** Where the console has its data from, and where decisions go. Decisions answer with a sentence for the person who decided. */
export interface ConsoleSource {
  data(): ReportData
  decisions(): Record<string, Decision>
  /** @returns ends it */
  watch(listener: (change: Change) => void): () => void
  acknowledge(id: string, on: boolean): string
  allow(id: string, days: number, why: string): string
  malicious(id: string): string
  takeBack(id: string): string
}

/** Where the console listens, unless told otherwise. */
export const CONSOLE_PORT = '8474'

/** Bytes of a request body; decisions have below 1 KB. */
const BODY = 4096
/** Pages open at once. */
const READERS = 16
/** A proxy or a laptop that sleeps shows within so many milliseconds. */
const HEARTBEAT = 15_000
/** Bytes that a page may leave unread before it is told to come back. */
const UNREAD = 4 * 1024 * 1024

export class Console {
  readonly token = randomBytes(24).toString('base64url')
  readonly #source: ConsoleSource
  readonly #assets: Assets
  readonly #server: Server
  readonly #readers = new Set<ServerResponse>()
  #unwatch: (() => void) | undefined
  #heart: NodeJS.Timeout | undefined
  #port = 0

  constructor(source: ConsoleSource, assets: Assets) {
    this.#source = source
    this.#assets = assets
    this.#server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000 }, (request, response) => {
      void this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** @param port 0: any that is free. @returns the address to open, token and all. @throws {UserError} when the port is taken */
  async listen(port: number): Promise<string> {
    try {
      await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(port, '127.0.0.1', resolve))
    } catch (error) {
      throw new UserError(`the console cannot listen on 127.0.0.1:${port}: ${reason(error)}`, 1)
    }
    this.#port = (this.#server.address() as AddressInfo).port
    this.#unwatch = this.#source.watch((change) => this.#tell(change))
    this.#heart = setInterval(() => { for (const reader of this.#readers) reader.write(': still here\n\n') }, HEARTBEAT)
    // The token stands behind the #, which browsers send to nobody.
    return `http://127.0.0.1:${this.#port}/#token=${this.token}`
  }

  async close(): Promise<void> {
    clearInterval(this.#heart)
    this.#unwatch?.()
    for (const reader of this.#readers) reader.end()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]!
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
    if (!this.#isOwn(request)) return refuse(response, 403, 'this console answers only its own page')
    if (request.method === 'GET' && path === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(pageHtml(this.#assets, null))
      return
    }
    if (!this.#hasToken(request)) return refuse(response, 401, 'open the address that was printed at the start: it holds the token')
    if (request.method === 'GET' && path === '/data') return sendJson(response, 200, { data: this.#source.data(), decisions: this.#source.decisions() })
    if (request.method === 'GET' && path === '/live') return this.#follow(request, response)
    const decision = /^\/alerts\/([^/]{1,300})\/([a-z-]{1,20})$/.exec(path)
    if (request.method === 'POST' && decision !== null) return this.#decide(decodeURIComponent(decision[1]!), decision[2]!, request, response)
    refuse(response, 404, 'no such page')
  }

  #headers(): Record<string, string> {
    return {
      'content-security-policy': `${contentSecurityPolicy(this.#assets, "'self'")}; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin',
    }
  }

  /** A name that was made to point here is another Host; a page from elsewhere has another Origin, and browsers say so. */
  #isOwn(request: IncomingMessage): boolean {
    const { host, origin } = request.headers
    const site = request.headers['sec-fetch-site']
    if (host !== `127.0.0.1:${this.#port}` && host !== `localhost:${this.#port}`) return false
    if (origin !== undefined && origin !== `http://${host}`) return false
    // `none`: the person typed or opened the address.
    return site === undefined || site === 'same-origin' || (site === 'none' && request.method === 'GET')
  }

  #hasToken(request: IncomingMessage): boolean {
    const given = Buffer.from(request.headers.authorization ?? '')
    const wanted = Buffer.from(`Bearer ${this.token}`)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }

  #follow(request: IncomingMessage, response: ServerResponse): void {
    if (this.#readers.size >= READERS) return refuse(response, 503, `${READERS} pages are open already`)
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.write(': hello\n\n')
    this.#readers.add(response)
    request.on('close', () => this.#readers.delete(response))
    response.on('error', () => this.#readers.delete(response))
  }

  #tell(change: Change): void {
    const text = change === 'data' ? 'event: data\ndata: {}\n\n' : `event: alert\ndata: ${JSON.stringify(change.alert)}\n\n`
    for (const reader of this.#readers) {
      if (reader.writableLength > UNREAD) {
        // It fetches everything when it comes back, so nothing is lost to it.
        reader.destroy()
        this.#readers.delete(reader)
      } else reader.write(text)
    }
  }

  async #decide(id: string, decision: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return refuse(response, 415, 'send JSON')
    const body = await bodyOf(request)
    if (body === undefined) return refuse(response, 413, 'too long, or no JSON object')
    try {
      const said = this.#decided(id, decision, body)
      if (said === undefined) return refuse(response, 404, 'no such decision')
      sendJson(response, 200, { said, decisions: this.#source.decisions() })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      refuse(response, 409, error.message)
    }
  }

  #decided(id: string, decision: string, body: Record<string, unknown>): string | undefined {
    switch (decision) {
      case 'acknowledge': return this.#source.acknowledge(id, true)
      case 'reopen': return this.#source.acknowledge(id, false)
      case 'allow': {
        const { days, why } = body
        if (typeof days !== 'number' || !(days >= 1 && days <= 366)) throw new UserError('give a number of days from 1 to 366', 2)
        return this.#source.allow(id, days, typeof why === 'string' ? why.slice(0, 200) : '')
      }
      case 'malicious': return this.#source.malicious(id)
      case 'take-back': return this.#source.takeBack(id)
      default: return undefined
    }
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', connection: 'close' })
  response.end(JSON.stringify({ error: why }))
}

/** @returns undefined when it is too long or no JSON object */
async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > BODY) return undefined
    parts.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}
