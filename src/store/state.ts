/**
 * What was learned, between runs: one LMDB environment in the state folder. Everything of one save changes in one transaction,
 * so a run that is killed at any moment leaves the state of the save before.
 *
 *   meta           { version, generation, savedThrough }
 *   key            the site key, hexadecimal
 *   model/<name>   what the engine saves, one value a device
 *   feedback/<id>  what analysts answered to alerts: written beside a run, heeded by the next one that starts from the state
 *
 *   desk/...       what the console shows and keeps (`desk.ts`)
 *
 * The outbox lies beside it in databases of its own (`outbox.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { Alert } from '../../models/alert.ts'
import type { Feedback } from '../../models/feedback.ts'
import { UserError, reason } from '../errors.ts'
import { Desk } from './desk.ts'
import { Outbox } from './outbox.ts'
import { privateFile } from './private-file.ts'
import { privateFolder } from './private-folder.ts'

/** Grows when older states can't be read any more. */
const VERSION = 3

interface Meta {
  version: number
  /** Counts saves: tells when another run saved since this one loaded. */
  generation: number
  /** Capture time up to which the state has learned, microseconds. */
  savedThrough: number
}

/** The file that makes a folder a state folder. */
export const STATE_FILE = 'wardwire.mdb'

const MODEL = 'model/'
/** Sorts behind every key that begins with `model/`. */
const AFTER_MODEL = 'model0'
const FEEDBACK = 'feedback/'
const AFTER_FEEDBACK = 'feedback0'
const MOST_FEEDBACK = 1000

export class State {
  readonly #folder: string
  readonly #db: RootDatabase<unknown, string>
  #generation: number
  readonly savedThrough: number
  #temporary = false

  /** Opens the folder, making it when it is new. @throws {UserError} when it can't be used */
  constructor(folder: string) {
    this.#folder = folder
    try {
      privateFolder(folder)
      // Without overlapping sync a transaction that has returned is on the disk, and small ones are six times as fast.
      this.#db = open({ path: privateFile(join(folder, STATE_FILE)), encoding: 'json', noSubdir: true, overlappingSync: false })
      // Readers that were killed would hold pages for ever, and the file would grow.
      this.#db.readerCheck()
    } catch (error) {
      throw new UserError(`cannot use ${folder} as the state folder: ${reason(error)}`, 2)
    }
    const meta = this.#db.get('meta') as Meta | undefined
    if (meta !== undefined && meta.version !== VERSION) {
      throw new UserError(`the state in ${folder} has version ${meta.version}, this program reads ${VERSION}: use the program that wrote it, or a new folder`, 2)
    }
    this.#generation = meta?.generation ?? 0
    this.savedThrough = meta?.savedThrough ?? 0
  }

  /** The key kept with the state, if it has one yet. */
  get siteKey(): Uint8Array | undefined {
    const hex = this.#db.get('key') as string | undefined
    return hex === undefined ? undefined : Buffer.from(hex, 'hex')
  }

  /** What the engine saved last. */
  * model(): Iterable<[string, unknown]> {
    for (const { key, value } of this.#db.getRange({ start: MODEL, end: AFTER_MODEL })) yield [key.slice(MODEL.length), value]
    const feedback = this.feedback()
    if (feedback.length > 0) yield ['feedback', feedback]
  }

  /** What analysts answered, by alert and answer. */
  feedback(): Feedback[] {
    return [...this.#db.getRange({ start: FEEDBACK, end: AFTER_FEEDBACK })].map(({ value }) => value as Feedback)
  }

  /**
   * Keeps an answer; a new one to the same alert replaces it. It may be given while a run uses the state, and never disturbs its save.
   * @throws {UserError} when the disk refuses, or there are too many
   */
  answer(feedback: Feedback): void {
    const key = `${FEEDBACK}${feedback.alert}/${feedback.kind}`
    try {
      this.#db.transactionSync(() => {
        const past = [...this.#db.getRange({ start: FEEDBACK, end: AFTER_FEEDBACK })]
        if (past.length >= MOST_FEEDBACK) throw new Error(`${MOST_FEEDBACK} answers are kept already: take some back`)
        this.#db.putSync(key, feedback)
      })
    } catch (error) {
      throw new UserError(`the answer was not saved to ${this.#folder}: ${reason(error)}`, 1)
    }
  }

  /** Takes an answer back. @returns whether there was one */
  takeBack(alert: string): boolean {
    let found = false
    this.#db.transactionSync(() => {
      for (const kind of ['allow', 'malicious']) found = this.#db.removeSync(`${FEEDBACK}${alert}/${kind}`) || found
    })
    return found
  }

  /** What the console reads and writes beside runs. */
  get desk(): Desk {
    return new Desk(this.#db)
  }

  /** How often the state was saved, by whichever run: tells when there is something new to read. */
  get saves(): number {
    return (this.#db.get('meta') as Meta | undefined)?.generation ?? 0
  }

  /**
   * The alerts that wait for the sinks.
   * @param sinks names of the sinks
   * @param maxBytes disk space for each sink's queue
   * @throws {UserError} when the disk refuses
   */
  openOutbox(sinks: readonly string[], maxBytes: number, wants?: (sink: string, alert: Alert) => boolean): Outbox {
    try {
      return new Outbox(this.#db, sinks, maxBytes, wants)
    } catch (error) {
      throw new UserError(`cannot keep alerts in ${this.#folder}: ${reason(error)}`, 1)
    }
  }

  /**
   * Replaces the saved model, all or nothing.
   * @param through capture time up to which it has learned
   * @param also changes with it, in the same transaction
   * @throws {UserError} when another run saved in between, or the disk refuses
   */
  save(model: Iterable<[string, unknown]>, through: number, siteKey: Uint8Array, also: () => void = () => {}): void {
    let saved: boolean
    try {
      saved = this.#db.transactionSync(() => {
        const meta = this.#db.get('meta') as Meta | undefined
        if ((meta?.generation ?? 0) !== this.#generation) return false
        const stale = new Set(this.#db.getKeys({ start: MODEL, end: AFTER_MODEL }))
        for (const [name, value] of model) {
          stale.delete(MODEL + name)
          this.#db.putSync(MODEL + name, value)
        }
        for (const key of stale) this.#db.removeSync(key)
        also()
        this.#db.putSync('key', Buffer.from(siteKey).toString('hex'))
        this.#db.putSync('meta', { version: VERSION, generation: this.#generation + 1, savedThrough: through } satisfies Meta)
        return true
      })
    } catch (error) {
      throw new UserError(`the state was not saved to ${this.#folder}: ${reason(error)}`, 1)
    }
    if (!saved) throw new UserError(`the state was not saved: another run has saved to ${this.#folder} since this one began`, 1)
    this.#generation += 1
  }

  /** A state that lasts until it is closed. */
  static temporary(): State {
    const state = new State(mkdtempSync(join(tmpdir(), 'wardwire-')))
    state.#temporary = true
    return state
  }

  async close(): Promise<void> {
    await this.#db.close()
    if (this.#temporary) rmSync(this.#folder, { recursive: true, force: true })
  }
}
