/** gzip (any number of members) and zstd (any number of frames) around a capture, unpacked as it is read. */
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { SourceError, type ByteSource } from './bytes.ts'

/** Packed bytes unpacked at once: what comes out waits in memory, and a hostile file makes it a thousand times as much. */
const PACKED_BYTES = 32 * 1024

/** What was unpacked and not fetched yet, in front of a step that unpacks some more. */
abstract class Unpacked implements ByteSource {
  readonly #packed: ByteSource
  readonly #input = new Uint8Array(PACKED_BYTES)
  #ready: Uint8Array[] = []
  #taken = 0
  #over = false
  /** Kept back until everything before it was fetched. */
  #failure: SourceError | null = null

  constructor(packed: ByteSource) {
    this.#packed = packed
  }

  /** Unpacks one piece, or the end (null); `keep` takes what comes out. */
  protected abstract unpack(piece: Uint8Array | null): Promise<void>

  protected keep(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#ready.push(chunk)
  }

  async read(space: Uint8Array): Promise<number> {
    while (this.#taken === this.#ready.length && !this.#over) await this.#advance()
    let filled = 0
    while (filled < space.length && this.#taken < this.#ready.length) {
      const chunk = this.#ready[this.#taken]!
      const count = Math.min(chunk.length, space.length - filled)
      space.set(chunk.subarray(0, count), filled)
      filled += count
      if (count < chunk.length) this.#ready[this.#taken] = chunk.subarray(count)
      else this.#taken++
      if (this.#taken === this.#ready.length && !this.#over) await this.#advance()
    }
    if (filled === 0 && this.#failure !== null) throw this.#failure
    return filled
  }

  async #advance(): Promise<void> {
    this.#ready = []
    this.#taken = 0
    try {
      const count = await this.#packed.read(this.#input)
      this.#over = count === 0
      await this.unpack(this.#over ? null : this.#input.subarray(0, count))
    } catch (error) {
      this.#over = true
      this.#failure = error instanceof SourceError ? error : new SourceError(`packed data is corrupt: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  close(): Promise<void> {
    return this.#packed.close()
  }
}

export class Gunzip extends Unpacked {
  readonly #stream = createGunzip({ chunkSize: 256 * 1024 })
  #failed: (error: Error) => void = () => undefined

  constructor(packed: ByteSource) {
    super(packed)
    this.#stream.on('data', (chunk: Buffer) => this.keep(chunk))
    this.#stream.on('error', error => this.#failed(error))
  }

  protected override unpack(piece: Uint8Array | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failed = error => reject('code' in error && error.code === 'Z_BUF_ERROR' ? new SourceError('gzip data is cut off', true) : error)
      // Not when all is written but when all has come out.
      if (piece === null) this.#stream.once('end', resolve).end()
      else this.#stream.write(piece, error => { if (!error) resolve() })
    })
  }

  override async close(): Promise<void> {
    this.#stream.destroy()
    await super.close()
  }
}

/** Fault codes of fzstd. */
const UNEXPECTED_END = 5

export class Unzstd extends Unpacked {
  readonly #stream = new Decompress(chunk => this.keep(chunk))

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract of the base is asynchronous
  protected override async unpack(piece: Uint8Array | null): Promise<void> {
    try {
      // The decompressor keeps what it cannot use yet, so it gets bytes of its own.
      if (piece === null) this.#stream.push(new Uint8Array(0), true)
      else this.#stream.push(piece.slice())
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === UNEXPECTED_END) throw new SourceError('zstd data is cut off', true)
      throw error
    }
  }
}
