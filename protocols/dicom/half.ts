/** One direction of a connection: where it is in its units, and the message that it is sending. */
import type { Micros } from '../events.ts'
import type { Connection } from '../protocol.ts'
import type { AssociateReader } from './associate.ts'
import { DataSetWalker } from './dataset.ts'
import { FactsReader } from './facts.ts'
import type { Pending } from './operations.ts'
import { PDU_HEADER } from './pdu.ts'

const EMPTY = new Uint8Array(0)

export class Half {
  /** The A-ASSOCIATE that is being read. */
  associate: AssociateReader | null = null
  /** Bytes of a P-DATA-TF that are still to come, and of the fragment within it. */
  pdu = 0
  pdv = 0
  contextId = 0
  control = 0
  /** Bytes of a unit that say nothing. */
  unread = 0
  needs = PDU_HEADER
  /** Bytes done with: the place in the sender's stream. */
  offset = 0
  /** `offset` where the present association began. */
  began = 0
  isSearching = false

  // The message.
  command: Uint8Array = EMPTY
  commandLength = 0
  messageContext = 0
  started: Micros = 0
  /** A data set follows, and whose: a request's, a query's match, or nobody's. */
  expectsDataSet = false
  request: Pending | null = null
  dataSetBytes = 0
  /** Bytes of the direction that were lost before the data set. */
  lostBefore = 0
  /** Parts of the data set were forgotten. */
  isCut = false
  /** Data set bytes that no command announced: it was not seen. */
  strayBytes = 0
  readonly walker = new DataSetWalker()
  readonly facts: FactsReader

  constructor(connection: Connection) {
    this.facts = new FactsReader(connection.pseudonyms)
  }

  /** Bytes held of pieces that have not ended. */
  get holds(): number {
    return this.command.length + this.walker.holds
  }

  /** What is held goes unread: a command whose rest is then no command, and values of a data set. */
  forget(): void {
    if (this.commandLength > 0) this.lose()
    this.command = EMPTY
    if (this.walker.isDone) return
    this.walker.forget()
    this.isCut = true
  }

  /** Where a unit begins is not known any more. The message goes on when its next fragment is found. */
  lose(): void {
    this.associate = null
    this.pdu = this.pdv = this.unread = 0
    this.commandLength = 0
    this.walker.isDone = true
    this.isSearching = true
  }
}
