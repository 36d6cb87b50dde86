/**
 * DICOMweb (PS3.18) over HTTP/1.1: requests and answers of one connection, paired in order (RFC 9112 9.3.2), as operations. Requests that are
 * none of DICOMweb's have their place in the order, and no event.
 */
import type { DimseCommand, Micros, WebFacts } from '../../events.ts'
import { fieldOf, type HttpHead } from '../../http/head.ts'
import { HttpReader, type HttpSink } from '../../http/reader.ts'
import { LIMITS } from '../../limits.ts'
import { CLIENT, type Connection, type Direction, type Dissector, type End } from '../../protocol.ts'
import { emptyFacts, emptyQuery } from '../facts.ts'
import { bodyOf, type Body, type WebOperation } from './body.ts'
import { DOWNLOAD, isInstance, webRequest, type WebRequest } from './resource.ts'

const COMMANDS = { 'QIDO-RS': 'C-FIND', 'WADO-RS': 'C-GET', 'WADO-URI': 'C-GET', 'STOW-RS': 'C-STORE', download: 'C-GET', upload: 'C-STORE' } as const satisfies Record<WebFacts['transaction'], DimseCommand>

/** Memory of an operation without what the wire said, about. */
const EXCHANGE_BYTES = 800

/** What of a request goes into its operation, also into one that only the answer shows to be one. */
interface Asked {
  readonly at: Micros
  /** The how-manieth on the connection. */
  readonly number: number
  /** Scheme of its authorization. */
  readonly authorization: string | null
}

/** One request and its answer. */
interface Exchange {
  /** Memory that it takes, about: what is told of it are parts of the head's text. */
  readonly bytes: number
  /** Null where it is none of DICOMweb's, unless the answer turns out to be a DICOM file. */
  event: WebOperation | null
  readonly asked: Asked
  readonly isHead: boolean
  isRequestOver: boolean
  isRequestWhole: boolean
  isAnswerOver: boolean
  isLossy: boolean
}

/** An answer whose request was not seen: it came before anything said DICOM, or was lost. */
const unseen = (at: Micros, number: number): Exchange => ({ bytes: 0, event: null, asked: { at, number, authorization: null }, isHead: false, isRequestOver: true, isRequestWhole: true, isAnswerOver: false, isLossy: false })

/** Its scheme (RFC 9110 11.4); credentials are never kept. */
const authorizationOf = ({ text }: HttpHead): string | null => /^[A-Za-z][\w-]{0,19}(?=\s)/.exec(fieldOf(text, 'authorization') ?? '')?.[0] ?? null

/** The DIMSE status that an HTTP status comes to (PS3.18 table 8.5-1, PS3.7 annex C): success, warning, not authorized, and failure for the rest. */
function statusOf(http: number): string {
  if (http === 202) return 'B000'
  if (http < 300) return '0000'
  return http === 401 || http === 403 ? '0124' : 'C000'
}

class WebDissector implements Dissector {
  readonly #connection: Connection
  readonly #client: HttpReader
  readonly #server: HttpReader
  /** Requests in order; null stands for any number of lost ones. */
  #waiting: (Exchange | null)[] = []
  /** Exchanges whose request is being sent, and whose answer. */
  #asking: Exchange | null = null
  #answering: Exchange | null = null
  #requestBody: Body | null = null
  #answerBody: Body | null = null
  /** Bytes of all that wait. */
  #held = 0
  #requests = 0
  #at: Micros = 0

  constructor(connection: Connection) {
    this.#connection = connection
    this.#client = new HttpReader(this.#requestSink())
    this.#server = new HttpReader(this.#answerSink())
  }

  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    this.#at = at
    this.#reader(direction).feed(bytes, start, end, at)
    return end - start
  }

  needs(): number {
    return 1
  }

  gap(direction: Direction, missing: number, at: Micros): boolean {
    this.#at = at
    const open = direction === CLIENT ? this.#asking : this.#answering
    if (open !== null) open.isLossy = true
    this.#reader(direction).gap(missing, at)
    return true
  }

  end(_how: End, at: Micros): void {
    this.#at = at
    this.#client.end(at)
    this.#server.end(at)
    this.#tellWaiting()
  }

  holds(): number {
    return this.#held + this.#client.holds + this.#server.holds + (this.#requestBody?.holds ?? 0) + (this.#answerBody?.holds ?? 0)
  }

  forget(at: Micros): void {
    this.#at = at
    this.#requestBody?.forget()
    this.#answerBody?.forget()
    this.#client.forget()
    this.#server.forget()
    if (this.#waiting.length === 0) return
    this.#tellWaiting()
    this.#waiting.push(null)
  }

  #reader(direction: Direction): HttpReader {
    return direction === CLIENT ? this.#client : this.#server
  }

  // ------------------------------------------------------------------------------------------------- requests

  #requestSink(): HttpSink {
    return {
      head: (head, at) => {
        const request = webRequest(head)
        const asked = { at, number: ++this.#requests, authorization: authorizationOf(head) }
        const event = request === null ? null : this.#operation(request, asked)
        const exchange: Exchange = { bytes: EXCHANGE_BYTES + head.text.length, event, asked, isHead: head.method === 'HEAD', isRequestOver: false, isRequestWhole: false, isAnswerOver: false, isLossy: false }
        // Who does not send ahead has had the answers to the lost ones by now.
        if (this.#waiting[0] === null) this.#waiting.shift()
        this.#waiting.push(exchange)
        this.#held += exchange.bytes
        if (this.#waiting.length > LIMITS.dicom.webRequests) this.#give(this.#next())
        this.#asking = exchange
        this.#requestBody = event === null || event.command !== 'C-STORE' ? null : bodyOf(head.type, fieldOf(head.text, 'content-encoding'), event, this.#connection.pseudonyms)
        return true
      },
      body: (b, start, end) => { this.#requestBody?.feed(b, start, end) },
      loss: (missing) => { this.#requestBody?.loss(missing) },
      finish: (isWhole) => {
        const exchange = this.#asking!
        this.#requestBody?.end()
        if (this.#requestBody?.isCut === true) exchange.isLossy = true
        this.#requestBody = null
        this.#asking = null
        exchange.isRequestOver = true
        exchange.isRequestWhole = isWhole
        if (exchange.isAnswerOver) this.#give(exchange)
      },
      lost: () => { if (this.#waiting.at(-1) !== null) this.#waiting.push(null) },
    }
  }

  /** All fields in one order, so that all events have one shape. */
  #operation(request: WebRequest, { at, number, authorization }: Asked): WebOperation {
    const { flow, afterGap, pseudonyms } = this.#connection
    const { transaction, resource, study, series, instance, query } = request
    const command = COMMANDS[transaction]
    return {
      kind: 'dicom.operation', at, flow, complete: false, after_gap: afterGap, transport: 'dicomweb', command, calling_ae: null, called_ae: request.aet,
      invoker: 'client', message_id: number, context_id: 0, sop_class_uid: null, sop_instance_uid: instance, status: null, pending: 0, cancelled: false,
      dataset: {
        ...emptyFacts(null), study_uid: study, series_uid: series,
        patient: request.patient === null ? null : pseudonyms.patient(request.patient), accession: request.accession === null ? null : pseudonyms.order(request.accession),
      },
      query: query ?? (command === 'C-GET' ? retrieval(request) : null),
      move: command === 'C-GET' ? { destination_ae: null, completed: null, failed: null, warning: null, remaining: null } : null,
      web: {
        transaction, resource, http_status: null, instances: 0, studies: [], preambles: {}, authorization,
      },
      started: at, duration_ms: null,
    }
  }

  // -------------------------------------------------------------------------------------------------- answers

  #answerSink(): HttpSink {
    return {
      head: (head, at) => {
        const status = head.status ?? 0
        // 1xx: the answer is still to come (RFC 9110 15.2).
        if (status < 200) return true
        const isFile = status < 300 && isInstance(head.type)
        const isSeen = (this.#waiting[0] ?? null) !== null
        if (!isSeen && !isFile) return true
        const exchange = isSeen ? this.#next()! : unseen(at, this.#requests)
        this.#answering = exchange
        if (isFile && !exchange.isHead) exchange.event ??= this.#operation(DOWNLOAD, exchange.asked)
        const { event, isHead } = exchange
        if (event !== null) {
          event.web.http_status = status
          event.status = statusOf(status)
          if (status < 300 && !isHead) this.#answerBody = bodyOf(head.type, fieldOf(head.text, 'content-encoding'), event, this.#connection.pseudonyms)
        }
        return !isHead
      },
      body: (b, start, end) => { if (this.#answering?.event?.command !== 'C-STORE') this.#answerBody?.feed(b, start, end) },
      loss: (missing) => { this.#answerBody?.loss(missing) },
      finish: (isWhole, at) => {
        const exchange = this.#answering
        if (exchange === null) return
        this.#answering = null
        if (exchange.event?.command !== 'C-STORE') this.#answerBody?.end()
        if (this.#answerBody?.isCut === true) exchange.isLossy = true
        this.#answerBody = null
        exchange.isAnswerOver = true
        if (!isWhole) exchange.isLossy = true
        const { event } = exchange
        if (event !== null) event.duration_ms = Math.max(0, (at - event.started) / 1000)
        if (exchange.isRequestOver) this.#give(exchange)
      },
      lost: () => { this.#tellWaiting() },
    }
  }

  /** Their answers will not be known from others' any more, or there will be none. */
  #tellWaiting(): void {
    this.#held = 0
    for (const exchange of this.#waiting.splice(0)) if (exchange !== null) this.#give(exchange)
  }

  #next(): Exchange | null {
    const exchange = this.#waiting.shift()!
    this.#held -= exchange?.bytes ?? 0
    return exchange
  }

  #give(exchange: Exchange | null): void {
    if (exchange === null || exchange.event === null) return
    const { event, isRequestWhole, isLossy } = exchange
    event.complete = isRequestWhole && !isLossy
    event.at = this.#at
    event.after_gap ||= this.#connection.afterGap
    if (event.move !== null && event.web.http_status !== null) event.move.completed = event.web.instances
    this.#connection.emit(event)
  }
}

function retrieval({ study, series, instance }: WebRequest): WebOperation['query'] {
  const keys = [...(study === null ? [] : ['StudyInstanceUID']), ...(series === null ? [] : ['SeriesInstanceUID']), ...(instance === null ? [] : ['SOPInstanceUID'])]
  return { ...emptyQuery(), level: instance !== null ? 'IMAGE' : series !== null ? 'SERIES' : 'STUDY', keys }
}

export const open = (connection: Connection): Dissector => new WebDissector(connection)
