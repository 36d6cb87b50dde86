/** Alerts on their way out of the house: accepted, stored, delivered to every sink. One object for whoever has alerts. */
import type { Alert } from '../../models/alert.ts'
import type { Micros } from '../../protocols/events.ts'
import type { Config, KafkaConfig, SinkConfig } from '../config.ts'
import { Intake } from '../store/intake.ts'
import type { Outbox, Totals } from '../store/outbox.ts'
import type { State } from '../store/state.ts'
import { DELIVERY, Delivery, type DeliveryOptions } from './deliver.ts'
import { HttpSink } from './http.ts'
import { JsonlSink } from './rotating-jsonl.ts'
import { KafkaSink } from './kafka.ts'
import { isSelfAlert } from './self-alert.ts'
import type { MakeSink } from './sink.ts'
import { SyslogSink } from './syslog.ts'

/**
 * Makers of the sinks, by name. Kafka is one of them when it is given.
 * @param onlySelf to Kafka goes only what is about the sensor itself: alerts about the traffic come from the workers that judge its events
 */
export function sinkMakers(sinks: readonly SinkConfig[], kafka: KafkaConfig | undefined, sensor: string, onlySelf = false): Map<string, MakeSink> {
  const makers = new Map<string, MakeSink>()
  if (kafka !== undefined) {
    const make: MakeSink = () => new KafkaSink(kafka)
    makers.set('kafka', onlySelf ? Object.assign(make, { wants: isSelfAlert }) : make)
  }
  for (const config of sinks) makers.set(config.name, () => makeSink(config, sensor))
  return makers
}

function makeSink(config: SinkConfig, sensor: string): ReturnType<MakeSink> {
  switch (config.type) {
    case 'jsonl': return new JsonlSink(config)
    case 'syslog': return new SyslogSink(config, sensor)
    case 'splunk': case 'webhook': return new HttpSink(config, sensor)
  }
}

/** How a sink's queue stands. */
export interface SinkStanding {
  sink: string
  totals: Totals
  /** `raised_at` of the alert that waits the longest. */
  oldest: Micros | undefined
  failures: number
  /** Why nothing goes out at the moment. */
  failing: string | undefined
}

export class Publisher {
  readonly #intake: Intake
  readonly #outbox: Outbox
  readonly deliveries: readonly Delivery[]

  /**
   * Begins to deliver what the store still holds.
   * @param store where the outbox is
   * @param say hears in one line what goes wrong, and when it is right again
   * @throws {UserError} when the store can't hold alerts
   */
  constructor(store: State, makers: ReadonlyMap<string, MakeSink>, config: Pick<Config, 'sensor' | 'outbox_bytes'>, say: (line: string) => void, options: DeliveryOptions = DELIVERY) {
    const outbox = store.openOutbox([...makers.keys()], config.outbox_bytes, (sink, alert) => makers.get(sink)!.wants?.(alert) ?? true)
    this.#outbox = outbox
    this.deliveries = [...makers].map(([name, make]) => new Delivery(name, outbox, make, config.sensor, say, options))
    this.#intake = new Intake(outbox, () => { for (const delivery of this.deliveries) delivery.wake() }, say)
    for (const delivery of this.deliveries) delivery.start()
  }

  standing(): SinkStanding[] {
    return this.deliveries.map(({ name, failures, failing }) =>
      ({ sink: name, totals: this.#outbox.totals(name), oldest: this.#outbox.oldest(name), failures, failing }))
  }

  /** Why the store refuses alerts; undefined while it takes them. */
  get refusing(): string | undefined {
    return this.#intake.failing
  }

  /** Takes an alert; it is stored within a moment. */
  accept(alert: Alert): void {
    this.#intake.accept(alert)
  }

  /**
   * Stores what was accepted in the transaction of a checkpoint.
   * @param save opens the transaction and calls `add` in it: `(add) => state.save(model, through, key, add)`
   */
  checkpoint(save: (add: () => void) => void): void {
    this.#intake.storeWith(save)
  }

  /**
   * Stores and sends what waits, then ends.
   * @param within milliseconds it may take; `patient`: since the last acknowledgement
   * @returns how many alerts are left in the store, over all sinks, and how many are lost because the disk refuses them
   */
  async drain(within: number, patient = false): Promise<{ left: number; lost: number }> {
    const lost = this.#intake.close()
    const left = await Promise.all(this.deliveries.map((delivery) => delivery.drain(within, patient)))
    return { left: left.reduce((sum, n) => sum + n, 0), lost }
  }
}
