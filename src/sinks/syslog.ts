/**
 * Alerts as syslog (RFC 5424) over TLS (RFC 5425) or TCP (RFC 6587), framed by octet counting. Syslog has no acknowledgement: an alert counts as
 * delivered when the operating system has taken it for a connection that stands, so what is under way when it breaks may be lost.
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import type { Alert, Severity } from '../../models/alert.ts'
import type { SinkConfigOf } from '../config.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { VERSION } from '../version.ts'
import { fitted } from './formats/index.ts'
import type { Sink } from './sink.ts'
import { tlsOptions } from './tls-options.ts'

/** RFC 5424 table 2. */
const SEVERITY: Record<Severity, number> = { critical: 2, high: 3, medium: 4, low: 5, info: 6 }

/** PRINTUSASCII of bounded length (RFC 5424 section 6). */
const printUsAscii = (text: string, length: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, length) || '-'

/** One message, without its frame: at most `max_bytes` bytes where the smallest form of the alert allows it. */
export function syslogMessage(alert: Alert, config: Pick<SinkConfigOf<'syslog'>, 'facility' | 'format' | 'max_bytes'>, sensor: string): string {
  const priority = config.facility * 8 + SEVERITY[alert.severity]
  const host = printUsAscii(sensor === '' ? hostname() : sensor, 255)
  const head = `<${priority}>1 ${rfc3339(alert.raised_at)} ${host} wardwire - ${printUsAscii(alert.detector, 32)} [origin software="wardwire" swVersion="${VERSION}"] `
  return head + fitted(alert, config.format, config.max_bytes - head.length)
}

export class SyslogSink implements Sink {
  readonly #config: SinkConfigOf<'syslog'>
  readonly #sensor: string
  #socket: Socket | undefined

  constructor(config: SinkConfigOf<'syslog'>, sensor: string) {
    this.#config = config
    this.#sensor = sensor
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    if (this.#socket === undefined) await this.#connect()
    const frames = alerts.map((alert) => {
      const message = syslogMessage(alert, this.#config, this.#sensor)
      return `${Buffer.byteLength(message)} ${message}`
    })
    // Also of a connection that breaks, or has broken, the write is told.
    await new Promise<void>((resolve, reject) => {
      this.#socket!.write(frames.join(''), (error) => { if (error) reject(error); else resolve() })
    })
  }

  close(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      // What was written still goes out; a receiver that does not take it is left after a moment.
      const leave = (): void => { socket.destroy(); resolve() }
      setTimeout(leave, 1000).unref()
      socket.end(leave)
    })
  }

  async #connect(): Promise<void> {
    const { host, port } = this.#config
    const tls = tlsOptions(this.#config.tls)
    const socket = tls === undefined ? connectTcp(port, host) : connectTls({ host, port, ...tls })
    this.#socket = socket
    socket.on('error', () => {})
    // Receivers say nothing; reading shows when they go away.
    socket.resume().setKeepAlive(true, 30_000).setNoDelay(true)
    await once(socket, tls === undefined ? 'connect' : 'secureConnect')
  }
}
