/** The head of an HTTP/1.1 message (RFC 9112): start line and fields. */

export interface HttpHead {
  /** Of a request; null for a response. */
  readonly method: string | null
  /** Request target as sent (RFC 9112 3.2); empty for a response. */
  readonly target: string
  /** Of a response; null for a request. */
  readonly status: number | null
  /** Content-Length, bytes. */
  readonly length: number | undefined
  readonly isChunked: boolean
  /** Content-Type with its parameters, as sent. */
  readonly type: string
  /** Start line and fields, one character a byte. */
  readonly text: string
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'] as const
const REQUEST = new RegExp(`^(${METHODS.join('|')}) (\\S+) HTTP/1\\.[01]\\r?$`)
const RESPONSE = /^HTTP\/1\.[01] (\d{3})(?=\s|$)/

/** What a start line begins with. */
export const STARTS: readonly string[] = [...METHODS.map((method) => `${method} `), 'HTTP/1.']
const FIRST_BYTES = new Set(STARTS.map((start) => start.charCodeAt(0)))

/** May a start line begin with this byte? */
export const mayBeHttp = (first: number): boolean => FIRST_BYTES.has(first)
/** May a start line begin so, as far as it is here? */
export const mayBeStart = (text: string): boolean => STARTS.some((start) => (text.length < start.length ? start.startsWith(text) : text.startsWith(start)))
/** @param line without its LF */
export const isStartLine = (line: string): boolean => REQUEST.test(line) || RESPONSE.test(line)

/** The value of a field of a head's text; null where there is none. The name is one of ours, never the wire's. */
export function fieldOf(text: string, name: string): string | null {
  return new RegExp(`\\n${name}:[ \\t]*([^\\r\\n]*)`, 'i').exec(text)?.[1]?.trimEnd() ?? null
}

/** @param text start line and fields, the blank line included or not */
export function parseHead(text: string): HttpHead {
  const line = /^[^\n]*/.exec(text)![0]
  const request = REQUEST.exec(line)
  const response = RESPONSE.exec(line)
  const length = /^\d{1,15}$/.exec(fieldOf(text, 'content-length') ?? '')
  return {
    method: request?.[1] ?? null,
    target: request?.[2] ?? '',
    status: response === null ? null : Number(response[1]),
    length: length === null ? undefined : Number(length[0]),
    isChunked: /\bchunked$/i.test(fieldOf(text, 'transfer-encoding') ?? ''),
    type: fieldOf(text, 'content-type') ?? '',
    text,
  }
}
