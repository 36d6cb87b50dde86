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

export interface ReportAbout {
  /** Captures as named on the command line. */
  files: string[]
  /** Where the alerts go as JSON lines: what the report's commands name, if it is a file. */
  alerts: string | undefined
  calendar: Calendar | undefined
  sensor: string
  /** Networks that the site declares. */
  segments: readonly DeclaredSegment[]
}

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
  data({ outlook, posture }: Pick<Pipeline, 'outlook' | 'posture'>): ReportData {
    const { files, alerts, sensor } = this.#about
    // The report itself holds the alerts, so its commands work without any other file.
    const origin = alerts === undefined || alerts === '-' ? this.#path : alerts
    return {
      ...this.gather.data(outlook, { version: VERSION, sensor, files }), origin,
      ...(posture && { posture: postureView(posture, [...outlook.view()], this.#about.segments) }),
    }
  }

  /** @returns false when it could not be written; the reason was said */
  async write(pipeline: Pick<Pipeline, 'outlook' | 'posture'>): Promise<boolean> {
    try {
      // Addresses and names of a network are nobody else's business.
      writeFileSync(resolve(this.#path), pageHtml(await pageAssets(), this.data(pipeline)), { mode: 0o600 })
      return true
    } catch (error) {
      this.#say(`the report was not written to ${this.#path}: ${reason(error)}`)
      return false
    }
  }
}
