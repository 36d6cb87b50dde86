/** What the standards forbid and a listener can prove. One table: code, section, and the sentence that is said about it. */
import type { Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Connection } from '../protocol.ts'

/** `{a}` and `{b}` stand for the two numbers that are given with a report. Nothing of the wire's text ever gets in. */
export const FAULTS = {
  'pdu.type': ['PS3.8 9.3.1', 'a unit of type {a}, which is none of the seven'],
  'pdu.length': ['PS3.8 9.3', 'a unit of type {a} claims {b} bytes'],
  'pdu.over-maximum': ['PS3.8 D.1.1', 'a P-DATA-TF of {a} bytes to a side that takes {b}'],
  'pdu.misunderstood': ['PS3.8 9.3.8', 'the server ends the association because of what it was sent (A-ABORT, reason {a})'],
  'pdu.out-of-place': ['PS3.8 9.2.3', 'a unit of type {a} sent in state Sta{b}'],

  'associate.version': ['PS3.8 9.3.2', 'protocol version {a} lacks bit 0'],
  'associate.title': ['PS3.8 9.3.2', 'an application entity title is empty or not of the default repertoire'],
  'associate.length': ['PS3.8 9.3.2', 'an A-ASSOCIATE unit claims {b} bytes'],
  'associate.item-length': ['PS3.8 9.3.1', 'an item of type {a} claims more bytes than the {b} that are left'],
  'associate.no-application-context': ['PS3.8 9.3.2.1', 'no application context item'],
  'associate.no-contexts': ['PS3.8 9.3.2.2', 'no presentation context item'],
  'associate.no-user-information': ['PS3.8 9.3.2.3', 'no user information item, or no maximum length in it'],
  'context.id': ['PS3.8 9.3.2.2', 'presentation context id {a} is not odd'],
  'context.repeated': ['PS3.8 9.3.2.2', 'presentation context id {a} is proposed twice'],
  'context.syntaxes': ['PS3.8 9.3.2.2', 'presentation context {a} has {b} transfer syntaxes, or no abstract syntax'],
  'context.result': ['PS3.8 9.3.3.2', 'presentation context {a} is answered with result {b}'],
  'context.not-proposed': ['PS3.8 9.3.3.2', 'presentation context {a} is answered, but was not proposed'],
  'uid.form': ['PS3.5 9.1', 'a unique identifier is longer than 64 characters or has others than digits and dots'],

  'pdv.length': ['PS3.8 9.3.5.1', 'a fragment claims {a} bytes in a unit with {b} left'],
  'pdv.odd': ['PS3.8 E.1', 'a fragment of {a} bytes'],
  'pdv.control': ['PS3.8 E.2', 'message control header {a}'],
  'pdv.context': ['PS3.8 9.3.5.1', 'a fragment on presentation context {a}, which was not accepted'],
  'message.interleaved': ['PS3.8 E.1', 'a fragment on presentation context {a} within a message on {b}'],
  'message.no-command': ['PS3.7 6.3', 'a data set fragment that no command announced'],
  'message.no-data-set': ['PS3.7 6.3', 'a command where the data set of the one before should follow'],

  'command.form': ['PS3.7 6.3.1', 'a command set of {a} bytes that cannot be read to its end'],
  'command.group-length': ['PS3.7 6.3.1', 'group length {a} in a command set of {b} bytes'],
  'command.unknown': ['PS3.7 E.1', 'command field {a}'],
  'command.element': ['PS3.7 E.1', 'a command of field {a} lacks a mandatory element'],
  'dimse.message-id': ['PS3.7 E.1', 'message id {a} is used again while it is in use'],
  'dimse.window': ['PS3.7 D.3.3.3', 'a request beyond the {b} that may wait for their responses, with message id {a}'],
  'dimse.response': ['PS3.7 8.1', 'a response to message id {a}, which nobody waits for'],
  'dimse.context': ['PS3.7 8.1', 'a response on presentation context {a} to a request on {b}'],

  'dataset.form': ['PS3.5 7.1', 'an element after {a} bytes of a data set does not fit'],
  'dataset.syntax': ['PS3.5 10', 'a data set that is not in the transfer syntax of presentation context {a}'],
} as const satisfies Record<string, readonly [section: string, sentence: string]>

export type FaultCode = keyof typeof FAULTS

/** Reports faults of one connection: a few of each, and not where bytes that are missing explain them. */
export class Faults {
  readonly #connection: Connection
  readonly #said = new Map<FaultCode, number>()
  /** All that were found in the present association, said or not. */
  count = 0
  /** False once the dissector itself lost its place: what it finds from then on is a guess. */
  isSure = true
  /** Both sides were heard: what the one says can be judged by what the other did. */
  isTwoSided = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** What looks wrong may be our own loss or the middle of something. */
  get isTrusted(): boolean {
    const { afterGap, flow } = this.#connection
    return this.isSure && !afterGap && !flow.midstream && this.#connection.lost(0) === 0 && this.#connection.lost(1) === 0
  }

  /** @param offset of the sender's stream */
  report(code: FaultCode, offset: number, at: Micros, a = 0, b = 0): void {
    if (!this.isTrusted) return
    this.count++
    const said = this.#said.get(code) ?? 0
    if (said >= LIMITS.dicom.violationsPerCode) return
    this.#said.set(code, said + 1)
    const [section, sentence] = FAULTS[code]
    this.#connection.emit({
      kind: 'violation', at, flow: this.#connection.flow, complete: true, after_gap: false, protocol: 'dicom', code, section, offset,
      detail: sentence.replace('{a}', String(a)).replace('{b}', String(b)),
    })
  }

  /** A new association begins on the connection. */
  clear(): void {
    this.count = 0
    this.#said.clear()
  }
}
