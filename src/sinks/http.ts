/**
 * Alerts by HTTP: to Splunk's HTTP Event Collector, or to a webhook.
 *
 * Splunk: a batch is one request. Where the token has indexer acknowledgement, the answer names an ackId, and the batch counts as delivered when the
 * indexers say so; elsewhere the answer 200 counts, which only says that the collector has it. Webhook: a request an alert, in order, with CloudEvents
 * headers (HTTP binding, binary mode); any 2xx counts.
 */
import { randomUUID } from 'node:crypto'
import { request as requestHttp, Agent as HttpAgent } from 'node:http'
import { request as requestHttps, Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Alert } from '../../models/alert.ts'
import { withoutInvisible } from '../../protocols/invisible.ts'
import type { SinkConfigOf } from '../config.ts'
import { cloudEventHeaders } from './cloudevents.ts'
import { FORMATS } from './formats/index.ts'
import { Refused, type Sink } from './sink.ts'
import { secretFile, tlsOptions } from './tls-options.ts'

/** Bytes read of an answer; the rest is of no interest. */
const ANSWER = 64 * 1024
/** How often Splunk is asked whether a batch is indexed, milliseconds. */
const ACK_EVERY = 500

type HttpConfig = SinkConfigOf<'splunk'> | SinkConfigOf<'webhook'>

/**
 * Answers about the alert itself, which it would get again. All others may change with time or configuration, and the alert waits. For Splunk:
 * no data, invalid data format, event field required, event field blank, error in indexed fields.
 */
const REFUSALS = new Set([400, 413, 422])
const SPLUNK_REFUSALS = new Set([5, 6, 12, 13, 15])

export class HttpSink implements Sink {
  readonly single: boolean
  readonly #config: HttpConfig
  readonly #sensor: string
  readonly #agent: HttpAgent
  readonly #authorization: string | undefined
  /** Splunk keeps acknowledgements by channel. */
  readonly #channel = randomUUID()

  /** @throws {UserError} when a file that the configuration names can't be read */
  constructor(config: HttpConfig, sensor: string) {
    this.single = config.type === 'webhook'
    this.#config = config
    this.#sensor = sensor
    const options = { keepAlive: true, maxSockets: 1 }
    this.#agent = config.url.startsWith('https:') ? new HttpsAgent({ ...options, ...tlsOptions(config.tls) }) : new HttpAgent(options)
    if (config.type === 'splunk') this.#authorization = `Splunk ${secretFile(config.token_file)}`
    else if (config.authorization_file !== undefined) this.#authorization = secretFile(config.authorization_file)
  }

  async send(alerts: readonly Alert[], signal: AbortSignal): Promise<void> {
    if (this.#config.type === 'splunk') return this.#splunk(alerts, this.#config, signal)
    for (const alert of alerts) {
      const body = FORMATS[this.#config.format](alert)
      const headers = { ...cloudEventHeaders(alert, 'ce-'), ...(this.#config.format === 'cef' && { 'content-type': 'text/plain; charset=utf-8' }) }
      await this.#post(this.#config.url, headers, body, signal)
    }
  }

  close(): Promise<void> {
    this.#agent.destroy()
    return Promise.resolve()
  }

  async #splunk(alerts: readonly Alert[], config: SinkConfigOf<'splunk'>, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-splunk-request-channel': this.#channel }
    const { index, sourcetype, format } = config
    const envelopes = alerts.map((alert) => {
      const text = FORMATS[format](alert)
      return JSON.stringify({
        time: alert.last_seen / 1e6, host: this.#sensor, source: 'wardwire', sourcetype, index,
        event: format === 'cef' ? text : JSON.parse(text) as object,
        fields: { alert_id: alert.id, severity: alert.severity },
      })
    })
    const answer = await this.#post(new URL('/services/collector/event', config.url), headers, envelopes.join('\n'), signal)
    const { ackId } = parsed<{ ackId?: number }>(answer)
    while (ackId !== undefined) {
      await sleep(ACK_EVERY, undefined, { signal })
      const state = await this.#post(new URL('/services/collector/ack', config.url), headers, JSON.stringify({ acks: [ackId] }), signal)
      if (parsed<{ acks?: Record<string, boolean> }>(state).acks?.[ackId] === true) return
    }
  }

  /** @returns the answer's text @throws {Refused} when the request itself is what is wrong */
  async #post(url: string | URL, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<string> {
    const request = this.#config.url.startsWith('https:') ? requestHttps : requestHttp
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      request(url, {
        method: 'POST', agent: this.#agent, signal,
        headers: { ...headers, 'content-length': Buffer.byteLength(body), ...(this.#authorization !== undefined && { authorization: this.#authorization }) },
      }, (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (data: string) => { if (answer.length < ANSWER) answer += data })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: answer })).on('error', reject)
      }).on('error', reject).end(body)
    })
    if (status >= 200 && status < 300) return text
    const why = `HTTP ${status} ${withoutInvisible(text.slice(0, 200), ' ').trim()}`
    const refused = REFUSALS.has(status) && (this.#config.type === 'webhook' || status !== 400 || SPLUNK_REFUSALS.has(parsed<{ code: number }>(text).code ?? 0))
    throw refused ? new Refused(why) : new Error(why)
  }
}

function parsed<T extends object>(text: string): Partial<T> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<T>
  } catch {
    return {}
  }
}
