/**
 * A worker's own copy of what its partitions have in the changelog topic, so that a worker that starts again need not read the topic. Only a
 * copy: it counts when its checkpoint is the one that the group's last transaction names; else it is thrown away and made anew. So it may be lost,
 * left behind, or shared by workers of one machine.
 *
 *   [partition]        -> id of the checkpoint it holds
 *   [partition, key]   -> a record of the topic
 */
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { UserError, reason } from '../errors.ts'
import { privateFile } from './private-file.ts'
import { privateFolder } from './private-folder.ts'

export interface Record {
  key: string
  /** null: there is no such record any more. */
  value: Buffer | null
}

type Key = [partition: number] | [partition: number, key: string]

/** LMDB takes keys up to 1978 bytes; what has longer ones is not kept, so its partition is read from the topic. */
const MOST_KEY = 1500

export class Shelf {
  readonly #db: RootDatabase<Buffer, Key>

  /** @param group names the file. @throws {UserError} when the folder can't be used */
  constructor(folder: string, group: string) {
    try {
      privateFolder(folder)
      this.#db = open({ path: privateFile(join(folder, `${group}.mdb`)), encoding: 'binary', noSubdir: true, overlappingSync: false })
      this.#db.readerCheck()
    } catch (error) {
      throw new UserError(`cannot use ${folder} as the state folder: ${reason(error)}`, 2)
    }
  }

  /** The records of a partition, when they are those of this checkpoint. */
  take(partition: number, checkpoint: string): Map<string, Buffer> | undefined {
    if (this.#db.get([partition])?.toString() !== checkpoint) return undefined
    const records = new Map<string, Buffer>()
    for (const { key, value } of this.#db.getRange({ start: [partition, ''], end: [partition, '\uffff'] })) records.set(key[1]!, Buffer.from(value))
    return records
  }

  /**
   * All or nothing.
   * @param before the checkpoint that the changes are made to; undefined: `records` are all there are
   * @returns whether the shelf holds the checkpoint now; not when somebody else changed it meanwhile
   * @throws when the disk refuses: then the shelf holds what it held
   */
  put(partition: number, before: string | undefined, checkpoint: string, records: Iterable<Record>): boolean {
    return this.#db.transactionSync(() => {
      const mine = before !== undefined && this.#db.get([partition])?.toString() === before
      if (!mine) {
        for (const key of [...this.#db.getKeys({ start: [partition, ''], end: [partition, '\uffff'] })]) this.#db.removeSync(key)
        this.#db.removeSync([partition])
        if (before !== undefined) return false
      }
      for (const { key, value } of records) {
        if (Buffer.byteLength(key) > MOST_KEY) {
          this.#db.removeSync([partition])
          return false
        }
        if (value === null) this.#db.removeSync([partition, key])
        else this.#db.putSync([partition, key], value)
      }
      this.#db.putSync([partition], Buffer.from(checkpoint))
      return true
    })
  }

  async close(): Promise<void> {
    await this.#db.close()
  }
}
