/** The contract of a sink: whoever takes alerts out of the house. One test suite runs on every one (`test/src/sinks/contract.ts`). */
import type { Alert } from '../../models/alert.ts'

export interface Sink {
  /** It takes alerts one by one: a batch has one alert. */
  readonly single?: boolean
  /**
   * Hands over a batch, in order. Connects when it has to.
   *
   * Resolves when the receiver has taken responsibility for every alert of the batch; then they leave the outbox. Rejects otherwise, and
   * then all of them are sent again: a receiver may see an alert twice, under the same id. Only one call is under way at a time.
   * @param signal aborted when nobody waits for the answer any more
   * @throws {Refused} when sending the same again can't help
   */
  send(alerts: readonly Alert[], signal: AbortSignal): Promise<void>
  /** Lets go of connections and files, also in the middle of `send`. Never rejects. */
  close(): Promise<void>
}

/** Makes a sink, without connecting it. */
export interface MakeSink {
  (): Sink
  /** Other alerts do not wait for it; default: it gets every one. */
  readonly wants?: (alert: Alert) => boolean
}

/** The receiver will not take this batch, however often it is sent. */
export class Refused extends Error {}
