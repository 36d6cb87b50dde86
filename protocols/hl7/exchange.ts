/**
 * Messages and their acknowledgements on one connection (HL7 v2.5.1 section 2.9).
 *
 * When is a message told? As soon as nothing more is expected of its acknowledgements:
 * - answered by AA, AE, AR, CE, CR or a code of its own: at once;
 * - answered by CA: at once where MSH-16 is NE; where it is AL, when the application's answer comes; else with the next message of its
 *   sender, or with that answer;
 * - answered with MSA-5 D (delayed mode): when the answer after the work comes, or as one that is
 * - unanswered: when `acknowledgementWait` has passed, whether anything comes on the connection or not; when `messages` newer ones of its sender came, or at the end.
 *
 * An acknowledgement that comes after its message was told, or whose message was not seen here, is told by itself. Everything hangs
 * on capture time and the order of the bytes, so the same capture gives the same events.
 */
import type { Hl7Ack, Hl7Acknowledges, Hl7Message, Hl7Repeat, Micros } from '../events.ts'
import { LIMITS } from '../limits.ts'
import type { Direction } from '../protocol.ts'
import type { Answer, Taken } from './answer.ts'
import { Sender, hashText } from './sender.ts'
import type { Sent } from './sender.ts'

export class Exchange {
  readonly #emit: (event: Hl7Message) => void
  readonly #earlierElsewhere: (direction: Direction, app: string | null, controlId: string, hash: number) => Sent | undefined
  #senders: readonly [Sender, Sender] = [new Sender(), new Sender()]

  /** @param earlierElsewhere finds a message of this side's sending application and control id that came over another connection */
  constructor(emit: (event: Hl7Message) => void, earlierElsewhere: (direction: Direction, app: string | null, controlId: string, hash: number) => Sent | undefined) {
    this.#emit = emit
    this.#earlierElsewhere = earlierElsewhere
  }

  /** A message that is no acknowledgement is complete; its last byte came at `at`. */
  message(direction: Direction, event: Hl7Message, at: Micros): void {
    const sender = this.#senders[direction]
    if (sender.soft > 0) this.#tellSoft(sender)
    const controlId = event.control_id ?? ''
    const hash = hashText(controlId)
    const earlier = controlId === '' ? undefined : (sender.find(controlId, hash) ?? this.#earlierElsewhere(direction, event.sending_app, controlId, hash))
    if (earlier !== undefined) event.repeat = repeatOf(earlier, event, at)
    const leaving = sender.leaving()
    if (leaving !== undefined) this.#tell(sender, leaving)
    sender.add(event, controlId, hash, at)
  }

  /**
   * An acknowledgement is complete; `direction` is who sent it, and its last byte came at `at`.
   *
   * @returns what it acknowledges when it must be told by itself; undefined when it became part of its message.
   */
  acknowledgement(direction: Direction, answer: Answer, at: Micros): Hl7Acknowledges | undefined {
    const own = this.#senders[direction]
    if (answer.controlId !== null) own.acknowledges(answer.controlId)
    const other = this.#senders[1 - direction]!
    const sent = answer.of === '' ? oldestUnnamed(other) : other.answeredBy(answer.of)
    if (sent === undefined || sent.event === null) {
      const to = sent !== undefined ? 'answered' : other.acknowledgedAs(answer.of) ? 'acknowledgement' : answer.of !== '' && answer.of === other.batchId ? 'batch' : 'unseen'
      return { control_id: answer.of, code: answer.code, to, patients: answer.patients, error: answer.error }
    }
    this.#join(other, sent, sent.event, answer, at)
    return undefined
  }

  /** An acknowledgement that came on another connection, of something that side `of` may have sent on this one. */
  elsewhere(of: Direction, answer: Answer, at: Micros): Taken {
    const sender = this.#senders[of]
    const sent = answer.of === '' ? undefined : sender.answeredBy(answer.of)
    if (sent === undefined) return 'unknown'
    if (sent.event === null) return 'late'
    this.#join(sender, sent, sent.event, answer, at)
    return 'taken'
  }

  #join(sender: Sender, sent: Sent, event: Hl7Message, answer: Answer, at: Micros): void {
    const ack: Hl7Ack = {
      code: answer.code,
      control_id: answer.controlId,
      message_type: answer.messageType,
      bytes: answer.bytes,
      patients: answer.patients,
      latency_ms: (at - sent.at) / 1000,
      error: answer.error,
    }
    // A list that is pushed to reserves room for many; nearly all messages have one.
    if (event.acks.length === 0) event.acks = [ack]
    else event.acks.push(ack)
    sent.answered = answer.code
    if (answer.isDelayed) return
    if (answer.code !== 'CA') this.#tell(sender, sent)
    else this.#commit(sender, sent)
  }

  /** Commit acknowledgement of MLLP release 2 by `direction`: it has no id, so it is for the oldest message without one. */
  transportCommit(direction: Direction, good: boolean): void {
    const other = this.#senders[1 - direction]!
    for (let n = other.oldest; n < other.count; n++) {
      const sent = other.at(n)
      if (sent.event === null || sent.event.commit !== undefined) continue
      sent.event.commit = good ? 'ack' : 'nak'
      this.#soften(other, sent)
      return
    }
  }

  batch(direction: Direction, controlId: string): void {
    this.#senders[direction].batchId = controlId
  }

  /** Tells what waited too long. Cheap: called with every piece. */
  expire(at: Micros): void {
    this.#expire(this.#senders[0], at)
    this.#expire(this.#senders[1], at)
  }

  /** When the message that waits longest has waited too long; `Infinity` where none waits. */
  due(): Micros {
    return Math.min(this.#senders[0].waitsSince(), this.#senders[1].waitsSince()) + LIMITS.hl7.acknowledgementWait
  }

  /** What one side sent. */
  sentBy(direction: Direction): Sender {
    return this.#senders[direction]
  }

  /** Bytes of memory, about, of messages that wait for an acknowledgement, and of what is remembered of others. */
  get holds(): number {
    return this.#senders[0].holds + this.#senders[1].holds
  }

  /** Others need the room: what waits is told, as messages of whose acknowledgements nothing is known. */
  forget(): void {
    for (const sender of this.#senders) {
      for (let n = sender.oldest; n < sender.count; n++) {
        const { event } = sender.at(n)
        if (event !== null) event.complete = false
      }
    }
    this.end()
    this.#senders = [new Sender(), new Sender()]
  }

  /** The connection is over: tells everything that waits, in the order it came. */
  end(): void {
    const [a, b] = this.#senders
    let m = a.oldest
    let n = b.oldest
    while (m < a.count || n < b.count) {
      const first = n >= b.count || (m < a.count && a.at(m).at <= b.at(n).at)
      if (first) this.#tell(a, a.at(m++))
      else this.#tell(b, b.at(n++))
    }
  }

  /** CA: whether more comes is a matter of MSH-16. */
  #commit(sender: Sender, sent: Sent): void {
    const application = sent.event?.ack_conditions?.application
    if (application === 'NE') this.#tell(sender, sent)
    else if (application !== 'AL') this.#soften(sender, sent)
  }

  #soften(sender: Sender, sent: Sent): void {
    if (!sent.soft) sender.soft++
    sent.soft = true
  }

  #tellSoft(sender: Sender): void {
    for (let n = sender.oldest; n < sender.count; n++) {
      const sent = sender.at(n)
      if (sent.soft) this.#tell(sender, sent)
    }
  }

  #expire(sender: Sender, at: Micros): void {
    while (sender.oldest < sender.count) {
      const sent = sender.at(sender.oldest)
      if (sent.event !== null) {
        if (at - sent.at < LIMITS.hl7.acknowledgementWait) return
        this.#tell(sender, sent)
      }
      sender.oldest++
    }
  }

  #tell(sender: Sender, sent: Sent): void {
    const event = sender.take(sent)
    if (event !== null) this.#emit(event)
  }
}

function oldestUnnamed(sender: Sender): Sent | undefined {
  for (let n = sender.oldest; n < sender.count; n++) {
    const sent = sender.at(n)
    if (sent.event !== null && sent.controlId === '') return sent
  }
  return undefined
}

function repeatOf(earlier: Sent, event: Hl7Message, at: Micros): Hl7Repeat {
  return { same_body: earlier.body === event.body, answered: earlier.answered, after_ms: (at - earlier.at) / 1000 }
}
