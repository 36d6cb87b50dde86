/** Frame -> event -> alert, wired. Whoever has frames (files, a live interface) pushes them in; what comes out goes to the callbacks. */
import { Engine, type Ablation } from '../models/engine.ts'
import type { Alert } from '../models/alert.ts'
import { Posture } from '../models/posture/posture.ts'
import type { Calendar } from '../models/calendar.ts'
import type { Frame } from '../protocols/capture/frame.ts'
import { Decoder } from '../protocols/decoder.ts'
import type { EventKind, Micros, WireEvent } from '../protocols/events.ts'
import { Pseudonyms } from '../protocols/phi.ts'

export interface PipelineOptions {
  siteKey: Uint8Array
  sensor: string
  source: string
  communityIdSeed: number
  calendar?: Calendar | undefined
  learnUntil?: Micros | undefined
  freeze?: boolean
  /** Keep what inventory and segments are made of. */
  posture?: boolean
  /** Parts of the model left out, for measurements. */
  without?: readonly Ablation[] | undefined
  /** What was learned before (`learned`). */
  learned?: Iterable<[string, unknown]>
  onEvent?: ((event: WireEvent) => void) | undefined
  onAlert(alert: Alert): void
}

export class Pipeline {
  readonly #decoder: Decoder
  readonly #engine: Engine
  readonly posture: Posture | undefined
  /** Events by kind. */
  readonly events = new Map<EventKind, number>()

  constructor(options: PipelineOptions) {
    const { onEvent, calendar, learnUntil } = options
    this.#engine = new Engine({
      onAlert: (alert) => options.onAlert(alert),
      sensor: options.sensor,
      source: options.source,
      freeze: options.freeze ?? false,
      ...(options.without && { without: options.without }),
      ...(calendar && { calendar }),
      ...(learnUntil !== undefined && { learnUntil }),
    })
    this.posture = options.posture === true ? new Posture() : undefined
    if (options.learned) {
      const learned = new Map(options.learned)
      this.#engine.load(learned)
      this.posture?.load(learned)
    }
    this.#decoder = new Decoder({
      pseudonyms: new Pseudonyms(options.siteKey),
      communityIdSeed: options.communityIdSeed,
      emit: (event) => {
        this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1)
        onEvent?.(event)
        this.posture?.event(event)
        this.#engine.event(event)
      },
    })
  }

  frame(frame: Frame): void {
    this.#decoder.frame(frame)
  }

  /** Capture time, as far as it has come. */
  get through(): Micros {
    return this.#decoder.now
  }

  /** The input is over: conversations end, and the engine says its last word. `truncated`: it ended in the middle of a record. */
  finish(truncated = false): void {
    this.#decoder.finish(truncated)
    this.#engine.finish(this.through)
  }

  /** The engine's devices and expectations, to look at. */
  get outlook(): Pick<Engine, 'view' | 'readings'> {
    return this.#engine
  }

  /** What was learned so far. */
  *learned(): Iterable<[string, unknown]> {
    yield* this.#engine.save()
    if (this.posture !== undefined) yield* this.posture.save()
  }
}
