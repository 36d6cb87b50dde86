/**
 * `/livez`, `/readyz` and `/metrics`, on a listener of the service's own on the loopback interface.
 *
 * Alive means that the event loop turns: an answer is the proof. Ready means progress: frames can be captured, the state can be written,
 * and alerts leave. A receiver that is away makes it degraded, not unready, until alerts have stood still for too long: restarting would not help.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UserError, reason } from '../errors.ts'

/** One thing to be ready for: null is well, a text says what is not. */
export interface Check {
  name: string
  problem: string | null
  /** It is worth knowing, and no reason to take the service out. */
  degradedOnly?: boolean
}

export class HealthServer {
  readonly #server: Server

  constructor(checks: () => Check[], metrics: () => string) {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
        // One answer a connection: who asks seldom would else ask again on one that has just run out.
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' }).end(request.method === 'HEAD' ? undefined : body)
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET\n')
      switch (pathname) {
        case '/livez': return answer(200, 'ok\n')
        case '/readyz': {
          const found = checks()
          const isReady = found.every(({ problem, degradedOnly }) => problem === null || degradedOnly === true)
          const lines = found.map(({ name, problem, degradedOnly }) => `[${problem === null ? '+' : degradedOnly === true ? '~' : '-'}] ${name}${problem === null ? '' : `: ${problem}`}`)
          return answer(isReady ? 200 : 503, searchParams.has('verbose') ? `${[...lines, isReady ? 'ready' : 'not ready'].join('\n')}\n` : isReady ? 'ok\n' : 'not ready\n')
        }
        case '/metrics': return answer(200, metrics(), 'text/plain; version=0.0.4; charset=utf-8')
        default: return answer(404, 'here are /livez, /readyz and /metrics\n')
      }
    })
    // Nobody needs long for a line; whoever holds a connection open gets none of our memory.
    this.#server.requestTimeout = 5000
    this.#server.headersTimeout = 5000
    this.#server.maxConnections = 32
  }

  /** @param port 0: any. @returns the port. @throws {UserError} when it is taken */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(new UserError(`--metrics-port ${port}: cannot listen on 127.0.0.1: ${reason(error)}`, 1)))
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
