/** HL7 messages whole, byte for byte, for a reader who asked for one (`wardwire inspect --message`): an `hl7` that tells bytes instead of events. */
import type { Flow, Micros } from '../events.ts'
import type { HttpReader } from '../http/reader.ts'
import { CLIENT, SERVER } from '../protocol.ts'
import type { Connection, Direction, Dissector, End, Protocol } from '../protocol.ts'
import { SegmentHash } from './body-hash.ts'
import { beginsAnywhere } from './dissector.ts'
import { HeldBytes } from './held.ts'
import { httpReader, mayCarryHl7, startsHttp } from './http.ts'
import { hl7 } from './index.ts'
import { BlockReader } from './mllp.ts'
import { MSH } from './segment-names.ts'
import type { BlockSink } from './segments.ts'

const CR = 0x0D
/** Nobody asks for the hashes of these. */
const UNKEYED = new SegmentHash(0, 0)
/** Bytes of a message that are kept; the rest is left out. A study report with pictures has some. */
const MOST = 16 * 1024 * 1024

export interface WholeMessage {
  flow: Flow
  direction: Direction
  /** When its block began. */
  at: Micros
  /** Its segments, each with a CR. */
  bytes: Buffer
}

export function wholeMessages(tell: (message: WholeMessage) => void): Protocol {
  const memory = new HeldBytes()
  return { ...hl7, open: (connection) => new WholeMessages(connection, memory, tell) }
}

class WholeMessages implements Dissector {
  readonly #sides: readonly [Side, Side]
  readonly #isMidstream: boolean
  #isHttp: boolean | undefined

  constructor(connection: Connection, memory: HeldBytes, tell: (message: WholeMessage) => void) {
    this.#isMidstream = beginsAnywhere(connection)
    const side = (direction: Direction): Side => new Side(memory, this.#isMidstream, (at, bytes) => { tell({ flow: connection.flow, direction, at, bytes }) })
    this.#sides = [side(CLIENT), side(SERVER)]
  }

  data(direction: Direction, bytes: Uint8Array, start: number, end: number, at: Micros): number {
    if (end <= start) return 0
    this.#sides[1 - direction]!.blocks.turn()
    this.#isHttp ??= this.#isMidstream ? startsHttp(bytes, start, end) : mayCarryHl7(bytes[start]!)
    const { blocks, http } = this.#sides[direction]
    if (this.#isHttp) http.feed(bytes, start, end, at)
    else blocks.feed(bytes, start, end, at)
    return end - start
  }

  needs(): number {
    return 1
  }

  gap(direction: Direction, missing: number, at: Micros): boolean {
    const { blocks, http } = this.#sides[direction]
    if (this.#isHttp === true) http.gap(missing, at)
    else blocks.gap(missing)
    return true
  }

  end(how: End, at: Micros): void {
    for (const { blocks, http } of this.#sides) {
      if (this.#isHttp === true) http.end(at)
      blocks.end(how === 'fin' || how === 'rst')
    }
  }
}

/** One direction: segments put together again. */
class Side implements BlockSink {
  readonly blocks: BlockReader
  readonly http: HttpReader
  readonly #tell: (at: Micros, bytes: Buffer) => void
  #parts: Uint8Array[] = []
  #size = 0
  #at: Micros = 0

  constructor(memory: HeldBytes, midstream: boolean, tell: (at: Micros, bytes: Buffer) => void) {
    this.#tell = tell
    this.blocks = new BlockReader(this, memory, UNKEYED, midstream)
    this.http = httpReader(this.blocks)
  }

  begin(_framing: unknown, at: Micros): void {
    this.#parts = []
    this.#size = 0
    this.#at = at
  }

  segment(b: Uint8Array, start: number, end: number, name: number, length: number): void {
    // A long one came in pieces, but for a header, of which nobody needs more than its beginning.
    if (length === end - start || name === MSH) this.piece(b, start, end)
    this.#add(Uint8Array.of(CR))
  }

  piece(b: Uint8Array, start: number, end: number): void {
    this.#add(Uint8Array.prototype.slice.call(b, start, end))
  }

  finish(): void {
    this.#tell(this.#at, Buffer.concat(this.#parts))
  }

  // What these say is told by the events of the same capture.
  loss(): void {}
  batchHeader(): void {}
  commit(): void {}
  oddity(): void {}

  #add(bytes: Uint8Array): void {
    if (this.#size + bytes.length > MOST) return
    this.#size += bytes.length
    this.#parts.push(bytes)
  }
}
