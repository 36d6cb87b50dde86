/** The console's data out of a state folder that any run may be writing: looked at every second, read again when it was saved. */
import { Engine } from '../../models/engine.ts'
import { owners, Posture } from '../../models/posture/posture.ts'
import type { State } from '../store/state.ts'
import { VERSION } from '../version.ts'
import type { Change, ConsoleSource, Decision } from './console.ts'
import type { ReportData } from './data.ts'
import { answerAllow, answerMalicious, decisionsOf, findIn, takeBack } from './decisions.ts'
import { edgesOf, Gather, latestOf } from './gather.ts'
import { postureView } from './posture-view.ts'

const EVERY = 1000
const NEXT_RUN = 'by the next run that starts from this state'

export class StateSource implements ConsoleSource {
  readonly #state: State
  #saves = -1
  #data: ReportData | undefined

  constructor(state: State) {
    this.#state = state
  }

  data(): ReportData {
    if (this.#data === undefined || this.#saves !== this.#state.saves) this.#read()
    return this.#data!
  }

  #read(): void {
    this.#saves = this.#state.saves
    const engine = new Engine({ onAlert: () => {}, freeze: true })
    const learned = new Map(this.#state.model())
    engine.load(learned)
    const posture = new Posture()
    posture.load(learned)
    const views = [...engine.view()]
    const kept = this.#state.desk.report
    const gathered = kept?.data as ReportData | undefined
    const now = new Gather().data(engine, { version: VERSION, sensor: '', files: [] })
    // A later run may not have gathered: then devices, conversations and networks are those of now, and the rest of then.
    const current = gathered !== undefined && kept?.saves === this.#saves ? gathered
      : { ...(gathered ?? now), devices: now.devices, edges: edgesOf(posture.conversations.pairs.values(), owners(views)), posture: postureView(posture, views, []) }
    this.#data = { ...current, alerts: latestOf(current.alerts, engine.incidents.kept.values()) }
  }

  watch(listener: (change: Change) => void): () => void {
    let known = new Map(this.data().alerts.map((a) => [a.id, a.revision]))
    const timer = setInterval(() => {
      if (this.#saves === this.#state.saves) return
      const { alerts } = this.data()
      for (const alert of alerts) if (known.get(alert.id) !== alert.revision) listener({ alert })
      known = new Map(alerts.map((a) => [a.id, a.revision]))
      listener('data')
    }, EVERY)
    return () => clearInterval(timer)
  }

  decisions(): Record<string, Decision> {
    return decisionsOf(this.#state)
  }

  acknowledge(id: string, on: boolean): string {
    this.#state.desk.acknowledge(findIn(this.data(), id).id, on ? Date.now() : null)
    return on ? 'Acknowledged.' : 'Open again.'
  }

  allow(id: string, days: number, why: string): string {
    return answerAllow(this.#state, findIn(this.data(), id), days, why, NEXT_RUN)
  }

  malicious(id: string): string {
    return answerMalicious(this.#state, findIn(this.data(), id), NEXT_RUN)
  }

  takeBack(id: string): string {
    return takeBack(this.#state, id)
  }
}
