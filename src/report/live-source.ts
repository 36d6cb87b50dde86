/** The console's data out of a run that goes on in this process: alerts as they are raised, everything else as often as the run has time for it. */
import type { Alert } from '../../models/alert.ts'
import type { WireEvent } from '../../protocols/events.ts'
import type { Pipeline } from '../pipeline.ts'
import type { State } from '../store/state.ts'
import type { Change, ConsoleSource, Decision } from './console.ts'
import type { ReportData } from './data.ts'
import { answerAllow, answerMalicious, decisionsOf, findIn, takeBack } from './decisions.ts'
import { Gather, latestOf } from './gather.ts'
import { reportData, type ReportOf } from './report.ts'

/** Between two gatherings, milliseconds; and at least so many times what one takes, for frames wait meanwhile. */
const EVERY = 5000
const SHARE = 20
const HEEDED = 'from now on'

export interface LiveOf {
  pipeline: Pipeline
  /** Where decisions are kept. */
  state: State
  /** IANA name of the site's time zone. */
  zone: string | undefined
  /** As configured now; `origin`: the file that has the alerts, for the commands that the page shows. */
  about(): ReportOf & { origin: string | undefined }
}

export class LiveSource implements ConsoleSource {
  readonly #gather: Gather
  readonly #of: LiveOf
  readonly #listeners = new Set<(change: Change) => void>()
  #data: Omit<ReportData, 'alerts'> | undefined
  /** When data may be gathered again, by the clock of this process. */
  #next = 0
  /** Something happened since it was gathered. */
  #isStale = true

  constructor(of: LiveOf) {
    this.#of = of
    this.#gather = new Gather(of.zone)
  }

  /** Before the engine has it. */
  event(event: WireEvent): void {
    this.#gather.event(event, this.#of.pipeline.outlook)
    this.#isStale = true
  }

  alert(alert: Alert): void {
    this.#gather.alert(alert)
    for (const listener of this.#listeners) listener({ alert })
  }

  /** The alerts of now, those of before a restart among them; the rest may be some seconds old. */
  data(): ReportData {
    if (this.#data === undefined || (this.#isStale && performance.now() >= this.#next)) this.#read()
    return { ...this.#data!, alerts: latestOf(this.#gather.alerts, this.#of.pipeline.outlook.incidents.kept.values()) }
  }

  #read(): void {
    const began = performance.now()
    const { origin, ...of } = this.#of.about()
    this.#data = { ...reportData(this.#gather, this.#of.pipeline, of), ...(origin !== undefined && { origin }) }
    this.#isStale = false
    const now = performance.now()
    this.#next = now + Math.max(EVERY, SHARE * (now - began))
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    const timer = setInterval(() => { if (this.#isStale && performance.now() >= this.#next) listener('data') }, EVERY)
    return () => {
      clearInterval(timer)
      this.#listeners.delete(listener)
    }
  }

  decisions(): Record<string, Decision> {
    return decisionsOf(this.#of.state)
  }

  acknowledge(id: string, on: boolean): string {
    this.#of.state.desk.acknowledge(findIn(this.data(), id).id, on ? Date.now() : null)
    return on ? 'Acknowledged.' : 'Open again.'
  }

  allow(id: string, days: number, why: string): string {
    return this.#heed(answerAllow(this.#of.state, findIn(this.data(), id), days, why, HEEDED))
  }

  malicious(id: string): string {
    return this.#heed(answerMalicious(this.#of.state, findIn(this.data(), id), HEEDED))
  }

  takeBack(id: string): string {
    return this.#heed(takeBack(this.#of.state, id))
  }

  #heed(said: string): string {
    this.#of.pipeline.heed(this.#of.state.feedback())
    return said
  }
}
