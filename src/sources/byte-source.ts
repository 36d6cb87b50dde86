/** What a source of bytes is: it fills space that the reader offers. Trouble is told by `SourceError`, whose message is one plain clause. */

export interface ByteSource {
  /** Reads at least one byte into `space`; 0 means the end. */
  read(space: Uint8Array): Promise<number>
  close(): Promise<void>
}

/** Bytes as they lie in the file: what progress is measured in. */
export interface RawSource extends ByteSource {
  readonly position: number
  /** Ends a read that may wait for ever, as if the source were over. */
  interrupt(): void
}

export class SourceError extends Error {
  override readonly name = 'SourceError'
  /** Data was cut off, rather than wrong or out of reach. */
  readonly cut: boolean

  constructor(message: string, cut = false) {
    super(message)
    this.cut = cut
  }
}
