/**
 * What people at the console leave in the state folder, and what the last run gathered for them to look at. Written beside a run, in
 * small transactions that never disturb its save.
 *
 *   desk/report             what `report/gather.ts` gathered
 *   desk/acknowledged/<id>  when an alert was acknowledged (wall clock, milliseconds)
 */
import type { RootDatabase } from 'lmdb'
import { UserError, reason } from '../errors.ts'

const REPORT = 'desk/report'
const ACKNOWLEDGED = 'desk/acknowledged/'
const AFTER_ACKNOWLEDGED = 'desk/acknowledged0'
/** More than anybody reads in a year; the oldest goes first. */
const MOST_ACKNOWLEDGED = 20_000

export class Desk {
  readonly #db: RootDatabase<unknown, string>

  constructor(db: RootDatabase<unknown, string>) {
    this.#db = db
  }

  /** What was gathered last (the caller knows its type), and with which save of the state. */
  get report(): { saves: number; data: unknown } | undefined {
    return this.#db.get(REPORT) as { saves: number; data: unknown } | undefined
  }

  /** Within the transaction of a save. */
  putReport(data: unknown, saves: number): void {
    this.#db.putSync(REPORT, { saves, data })
  }

  acknowledged(): Map<string, number> {
    return new Map([...this.#db.getRange({ start: ACKNOWLEDGED, end: AFTER_ACKNOWLEDGED })].map(({ key, value }) => [key.slice(ACKNOWLEDGED.length), value as number]))
  }

  /** @param at milliseconds of the wall clock, or null to take it back. @throws {UserError} when the disk refuses */
  acknowledge(id: string, at: number | null): void {
    try {
      this.#db.transactionSync(() => {
        if (at === null) {
          this.#db.removeSync(ACKNOWLEDGED + id)
          return
        }
        const past = this.acknowledged()
        if (past.size >= MOST_ACKNOWLEDGED) this.#db.removeSync(ACKNOWLEDGED + [...past].sort((a, b) => a[1] - b[1])[0]![0])
        this.#db.putSync(ACKNOWLEDGED + id, at)
      })
    } catch (error) {
      throw new UserError(`the acknowledgement was not saved: ${reason(error)}`, 1)
    }
  }
}
