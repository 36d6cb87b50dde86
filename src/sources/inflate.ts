/** gzip (any number of members) and zstd (any number of frames) around a capture, unpacked as it is read. */
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { SourceError, type ByteSource } from './byte-source.ts'

/** Packed bytes unpacked at once: what comes out waits in memory, and a hostile file makes it a thousand times as much. */
const PACKED_BYTES = 32 * 1024

/** What was unpacked and not fetched yet, in front of a step that unpacks some more. */
abstract class Unpacked implements ByteSource {
  readonly #packed: ByteSource
  readonly #input = new Uint8Array(PACKED_BYTES)
  /** Packed bytes that were read, and not unpacked yet. */
  #left = this.#input.subarray(0, 0)
  #ready: Uint8Array[] = []
  #taken = 0
  #over = false
  /** Kept back until everything before it was fetched. */
  #failure: SourceError | null = null

  constructor(packed: ByteSource) {
    this.#packed = packed
  }

  /** Unpacks a piece, or the beginning of one, or the end (null); `keep` takes what comes out. @returns how many bytes it unpacked */
  protected abstract unpack(piece: Uint8Array | null): Promise<number>

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
      if (this.#left.length === 0) {
        const count = await this.#packed.read(this.#input)
        this.#over = count === 0
        this.#left = this.#input.subarray(0, count)
      }
      this.#left = this.#left.subarray(await this.unpack(this.#over ? null : this.#left))
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
  /** Everything has come out; what follows the last member is not ours to judge. */
  #ended = false
  #settle: (error?: Error | null) => void = () => undefined

  constructor(packed: ByteSource) {
    super(packed)
    this.#stream.on('data', (chunk: Buffer) => this.keep(chunk))
    this.#stream.on('error', error => this.#settle(error))
    this.#stream.on('end', () => {
      this.#ended = true
      this.#settle()
    })
    this.#stream.on('close', () => this.#settle(this.#ended ? null : new SourceError('was closed')))
  }

  protected override unpack(piece: Uint8Array | null): Promise<number> {
    const length = piece?.length ?? 0
    if (this.#ended) return Promise.resolve(length)
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        if (!error) resolve(length)
        else reject('code' in error && error.code === 'Z_BUF_ERROR' ? new SourceError('gzip data is cut off', true) : error)
      }
      // The end is waited for until all has come out, not only until all has gone in.
      if (piece === null) this.#stream.end()
      else this.#stream.write(piece, this.#settle)
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
  readonly #windows = new ZstdWindows()
  readonly #stream = new Decompress(chunk => this.keep(chunk))

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract of the base is asynchronous
  protected override async unpack(piece: Uint8Array | null): Promise<number> {
    const length = piece === null ? 0 : this.#windows.check(piece)
    try {
      // The decompressor keeps what it cannot use yet, so it gets bytes of its own.
      if (piece === null) this.#stream.push(new Uint8Array(0), true)
      else this.#stream.push(piece.slice(0, length))
      return length
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === UNEXPECTED_END) throw new SourceError('zstd data is cut off', true)
      throw error
    }
  }
}

/** Largest window unpacked: what the zstd tool itself allows unless told otherwise. */
const WINDOW_BYTES = 128 * 1024 * 1024
/** Blocks unpacked at once: four bytes may be a block, and each becomes up to 128 KB. */
const BLOCKS = 64

/**
 * Looks at every frame header (RFC 8878 3.1.1.1) before the decompressor does, which would set aside whatever a header claims.
 * Between headers it only counts: blocks say how long they are.
 */
class ZstdWindows {
  /** The start of a header that is not whole yet. */
  #held = Buffer.alloc(0)
  /** Bytes until the next header, of a frame or, inside one, of a block. */
  #skip = 0
  #inFrame = false
  #checksumBytes = 0

  /** @returns how many bytes of the piece may be unpacked at once */
  check(piece: Uint8Array): number {
    let rest = Buffer.concat([this.#held, piece])
    for (let blocks = 0; ; blocks++) {
      const passed = Math.min(this.#skip, rest.length)
      this.#skip -= passed
      rest = rest.subarray(passed)
      if (blocks === BLOCKS && rest.length > 0) {
        this.#held = Buffer.alloc(0)
        return piece.length - rest.length
      }
      if (this.#skip > 0 || !(this.#inFrame ? this.#block(rest) : this.#frame(rest))) break
    }
    this.#held = Buffer.from(rest)
    return piece.length
  }

  /** 3.1.1.2: last flag 1 bit, type 2 bits, size 21 bits. @returns false when it is not whole */
  #block(bytes: Buffer): boolean {
    if (bytes.length < 3) return false
    const header = bytes.readUIntLE(0, 3)
    const isLast = (header & 1) !== 0
    const isRunLength = (header >> 1 & 3) === 1
    this.#skip = 3 + (isRunLength ? 1 : header >>> 3) + (isLast ? this.#checksumBytes : 0)
    this.#inFrame = !isLast
    return true
  }

  /** Magic u32, descriptor u8, [window u8], [dictionary], [content size]; or a skippable frame. @returns false when it is not whole */
  #frame(bytes: Buffer): boolean {
    if (bytes.length < 8) return false
    if (bytes.readUInt32LE(0) >>> 4 === 0x184D2A5) {
      this.#skip = 8 + bytes.readUInt32LE(4)
      return true
    }
    const descriptor = bytes[4]!
    const isSingle = (descriptor & 0x20) !== 0
    const contentAt = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
    const contentBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!
    if (bytes.length < contentAt + contentBytes) return false
    const window = isSingle
      ? contentBytes === 8 ? Number(bytes.readBigUInt64LE(contentAt)) : bytes.readUIntLE(contentAt, contentBytes)
      : 2 ** (10 + (bytes[5]! >> 3)) * (1 + (bytes[5]! & 7) / 8)
    if (window > WINDOW_BYTES) throw new SourceError(`zstd data needs a window of ${Math.ceil(window / 2 ** 20)} MiB, more than the 128 MiB allowed: pack it again without --long`)
    this.#skip = contentAt + contentBytes
    this.#inFrame = true
    this.#checksumBytes = (descriptor & 4) !== 0 ? 4 : 0
    return true
  }
}
