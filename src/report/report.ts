/** `--report FILE`: gathers while a replay runs, and writes the page at its end. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Calendar } from '../../models/calendar.ts'
import type { DeclaredSegment } from '../../models/posture/segments.ts'
import { reason } from '../errors.ts'
import type { Pipeline } from '../pipeline.ts'
import { VERSION } from '../version.ts'
import type { ReportData } from './data.ts'
import { Gather } from './gather.ts'
import { pageAssets, pageHtml } from './html.ts'
import { postureView } from './posture-view.ts'

/** What runs: its devices and networks. */
export type Running = Pick<Pipeline, 'outlook' | 'posture'>

export interface ReportOf {
  sensor: string
  /** Captures as named on the command line. */
  files: string[]
  /** Networks that the site declares. */
  segments: readonly DeclaredSegment[]
}

export interface ReportAbout extends ReportOf {
  /** Where the alerts go as JSON lines: what the report's commands name, if it is a file. */
  alerts: string | undefined
  calendar: Calendar | undefined
}

/** What the report shows, of what was gathered so far. */
export const reportData = (gather: Gather, { outlook, posture }: Running, { sensor, files, segments }: ReportOf): ReportData => ({
  ...gather.data(outlook, { version: VERSION, sensor, files }),
  ...(posture && { posture: postureView(posture, [...outlook.view()], segments) }),
})

export class Report {
  readonly gather: Gather
  readonly #path: string
  readonly #about: ReportAbout
  readonly #say: (line: string) => void

  constructor(path: string, about: ReportAbout, say: (line: string) => void) {
    this.gather = new Gather(about.calendar?.tz)
    this.#path = path
    this.#about = about
    this.#say = say
  }

  /** What was gathered so far. */
  data(running: Running): ReportData {
    const { alerts } = this.#about
    // The report itself holds the alerts, so its commands work without any other file.
    const origin = alerts === undefined || alerts === '-' ? this.#path : alerts
    return { ...reportData(this.gather, running, this.#about), origin }
  }

  /** @returns false when it could not be written; the reason was said */
  async write(running: Running): Promise<boolean> {
    try {
      // Addresses and names of a network are nobody else's business.
      writeFileSync(resolve(this.#path), pageHtml(await pageAssets(), this.data(running)), { mode: 0o600 })
      return true
    } catch (error) {
      this.#say(`the report was not written to ${this.#path}: ${reason(error)}`)
      return false
    }
  }
}
