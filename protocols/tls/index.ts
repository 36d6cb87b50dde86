/**
 * What is visible of an encrypted session: one `tls.session` from the handshake; the rest is counted by the flow.
 * RFC 8446 section 5.1: a record is type 1, legacy version 2, length 2, fragment.
 */
import { u16be } from '../bytes.ts'
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import { CLIENT, LOST, MORE, NO, SERVER, YES, YES_REVERSED } from '../protocol.ts'
import type { Connection, Direction, Dissector, End, Protocol, Verdict } from '../protocol.ts'
import { clientHello, firstCertificate, serverHello, versionName } from './hello.ts'
import type { CertificateFacts, ClientHello, ServerHello } from './hello.ts'

const RECORD_HEADER = 5
/** 2^14 and what protection may add (RFC 5246 section 6.2.3). */
const MAX_FRAGMENT = 16384 + 2048

const CHANGE_CIPHER_SPEC = 20
const ALERT = 21
const HANDSHAKE = 22
const APPLICATION_DATA = 23

const CLIENT_HELLO = 1
const SERVER_HELLO = 2
const CERTIFICATE = 11

const isRecord = (b: Uint8Array, at: number): boolean =>
  b[at]! >= CHANGE_CIPHER_SPEC && b[at]! <= APPLICATION_DATA && b[at + 1] === 3 && b[at + 2]! <= 4 && u16be(b, at + 3) <= MAX_FRAGMENT && u16be(b, at + 3) > 0

class TlsDissector implements Dissector {
  readonly #connection: Connection
  /** Handshake bytes of each direction that wait for the end of their message; undefined once nothing in clear will follow. */
  readonly #handshake: [Uint8Array | undefined, Uint8Array | undefined] = [new Uint8Array(0), new Uint8Array(0)]
  #needs = RECORD_HEADER
  #client: ClientHello | undefined
  #server: ServerHello | undefined
  #certificate: CertificateFacts | undefined
  #emitted = false
  /** What waited was forgotten. */
  #isCut = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    let from = start
    while (from < end) {
      if (from + RECORD_HEADER > end) {
        this.#needs = RECORD_HEADER
        return from - start
      }
      if (!isRecord(bytes, from)) return LOST
      const next = from + RECORD_HEADER + u16be(bytes, from + 3)
      const type = bytes[from]!
      if (type === HANDSHAKE && this.#handshake[direction]) {
        if (next > end) {
          this.#needs = next - from
          return from - start
        }
        this.#gather(direction, bytes.subarray(from + RECORD_HEADER, next))
      } else if (type !== HANDSHAKE && type !== ALERT) {
        // What follows in this direction is protected; from the server, all that is to be had in clear is had.
        this.#handshake[direction] = undefined
        if (direction !== CLIENT) this.#emit(at, true)
      }
      from = next
    }
    return from - start
  }

  needs(): number {
    return this.#needs
  }

  gap(direction: Direction): boolean {
    this.#handshake[direction] = undefined
    return false
  }

  holds(): number {
    return (this.#handshake[CLIENT]?.length ?? 0) + (this.#handshake[SERVER]?.length ?? 0)
  }

  forget(): void {
    this.#isCut = true
    this.#handshake[CLIENT] = this.#handshake[SERVER] = undefined
  }

  end(_how: End, at: Micros): void {
    this.#emit(at, this.#server !== undefined)
  }

  /** Adds a fragment and reads the messages that are whole: type 1, length 3, body (RFC 8446 section 4). */
  #gather(direction: Direction, fragment: Uint8Array): void {
    const held = this.#handshake[direction]!
    let b = fragment
    if (held.length > 0) {
      b = new Uint8Array(held.length + fragment.length)
      b.set(held)
      b.set(fragment, held.length)
    }
    let at = 0
    while (at + 4 <= b.length) {
      const next = at + 4 + ((b[at + 1]! << 16) | u16be(b, at + 2))
      if (next > b.length) break
      this.#message(b, b[at]!, at + 4, next)
      at = next
    }
    // The fragment is a view of the wire: what waits is copied. Beyond the limits, later messages go unread.
    this.#handshake[direction] = b.length - at > LIMITS.tls.handshakeBytes ? undefined : b.slice(at)
  }

  #message(b: Uint8Array, type: number, start: number, end: number): void {
    if (type === CLIENT_HELLO) this.#client ??= clientHello(b, start, end)
    else if (type === SERVER_HELLO) this.#server ??= serverHello(b, start, end)
    else if (type === CERTIFICATE) this.#certificate ??= firstCertificate(b, start, end)
  }

  #emit(at: Micros, complete: boolean): void {
    if (this.#emitted) return
    this.#emitted = true
    const { flow, afterGap } = this.#connection
    const version = this.#server?.version ?? this.#client?.version
    this.#connection.emit({
      kind: 'tls.session', at, flow, complete: complete && !this.#isCut, after_gap: afterGap,
      version: version === undefined ? null : versionName(version),
      sni: this.#client?.sni ?? null,
      alpn: this.#server?.alpn ?? this.#client?.alpn ?? null,
      ja4: this.#client?.ja4 ?? null,
      certificate: this.#certificate ?? null,
    })
  }
}

/** A hello at the beginning; elsewhere two records in a row, since one header alone is too little to tell. */
function probe(bytes: Uint8Array, start: number, end: number, direction: Direction, midstream: boolean): Verdict {
  const length = end - start
  if (length > 0 && (bytes[start]! < CHANGE_CIPHER_SPEC || bytes[start]! > APPLICATION_DATA)) return NO
  if (length > 1 && bytes[start + 1] !== 3) return NO
  if (length < RECORD_HEADER + 1) return MORE
  if (!isRecord(bytes, start)) return NO
  if (bytes[start] === HANDSHAKE) {
    const type = bytes[start + RECORD_HEADER]!
    if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return NO
    return (type === CLIENT_HELLO) === (direction === CLIENT) ? YES : YES_REVERSED
  }
  const second = start + RECORD_HEADER + u16be(bytes, start + 3)
  if (!midstream || second + RECORD_HEADER > end) return NO
  return isRecord(bytes, second) ? YES : NO
}

export const tls: Protocol = { name: 'tls', probe, open: (connection) => new TlsDissector(connection) }
