/** The console's data out of a state folder that any run may be writing: looked at every second, read again when it was saved. */
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import { UserError } from '../errors.ts'
import type { State } from '../store/state.ts'
import { VERSION } from '../version.ts'
import type { Change, ConsoleSource, Decision } from './console.ts'
import type { ReportData } from './data.ts'
import { Gather } from './gather.ts'

const EVERY = 1000

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
    engine.load(this.#state.model())
    const gathered = this.#state.desk.report as ReportData | undefined
    // Without a run that gathered, the devices are what is known.
    this.#data = gathered ?? new Gather().data(engine, { version: VERSION, sensor: '', files: [] })
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
    const found = new Map<string, Decision>()
    for (const id of this.#state.desk.acknowledged().keys()) found.set(id, { acknowledged: true })
    return Object.fromEntries(found)
  }

  #alert(id: string): Alert {
    const alert = this.data().alerts.find((a) => a.id === id)
    if (alert === undefined) throw new UserError(`there is no alert ${id}`, 2)
    return alert
  }

  acknowledge(id: string, on: boolean): string {
    this.#state.desk.acknowledge(this.#alert(id).id, on ? Date.now() : null)
    return on ? 'Acknowledged.' : 'Open again.'
  }

  allow(id: string, _days: number, _why: string): string {
    this.#alert(id)
    throw new UserError('answers are not kept by this version', 2)
  }

  malicious(id: string): string {
    return this.allow(id, 0, '')
  }

  takeBack(id: string): string {
    return this.allow(id, 0, '')
  }
}
