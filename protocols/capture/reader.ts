/**
 * Capture files and streams, pcap and pcapng, to frames. A pull reader that knows neither files nor promises:
 *
 *     const reader = new CaptureReader()
 *     for (;;) {
 *       const step = reader.next()
 *       if (step === FRAME) use(reader)                  // the reader is the frame: valid until the next call of next()
 *       else if (step === END) break                     // reader.problem says why, if anything was wrong
 *       else {                                           // MORE
 *         const count = read(reader.space())
 *         if (count === 0) reader.finish()
 *         else reader.filled(count)
 *       }
 *     }
 *
 * Nothing is allocated for a record. How the stream is cut into chunks never shows in the frames.
 */
import { u32be } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { isPcapMagic, PCAP_HEADER_BYTES, PcapRecords } from './pcap.ts'
import { PcapngBlocks, SECTION_HEADER } from './pcapng.ts'
import { END, MORE, RecordWindow, type Step } from './window.ts'

export { END, FRAME, MORE, type CaptureProblem, type Statistics, type Step } from './window.ts'

export class CaptureReader extends RecordWindow {
  /** Records read: frames handed out. */
  frames = 0
  #pcap: PcapRecords | null = null
  #pcapng: PcapngBlocks | null = null
  #finished = false

  /** @param chunkBytes how large `space()` is */
  constructor(chunkBytes: number = LIMITS.capture.chunkBytes) {
    super(chunkBytes)
  }

  next(): Step {
    if (this.problem !== null) return END
    const step = this.#pcap !== null ? this.#pcap.next(this) : this.#pcapng !== null ? this.#pcapng.next(this) : this.#begin()
    if (step > 0) this.frames++
    return step === MORE && this.#finished ? this.#end() : step
  }

  /** No more bytes come. */
  finish(): void {
    this.#finished = true
  }

  /** The first bytes tell the format. */
  #begin(): Step {
    const { bytes, from, to } = this
    if (to - from < 4) return MORE
    if (u32be(bytes, from) === SECTION_HEADER) {
      this.#pcapng = new PcapngBlocks()
      return this.#pcapng.next(this)
    }
    if (!isPcapMagic(bytes, from)) return this.stop('not a capture', 'not a capture file (neither pcap nor pcapng)')
    if (to - from < PCAP_HEADER_BYTES) return MORE
    this.#pcap = new PcapRecords(this)
    return this.problem === null ? this.#pcap.next(this) : END
  }

  #end(): Step {
    if (this.received === 0) return this.stop('empty', 'the file is empty')
    if (this.from === this.to) return END
    if (this.#pcap === null && this.#pcapng === null && this.received < 4) return this.stop('not a capture', 'not a capture file (too short)')
    return this.stop('cut', `cut off at byte ${this.received}, in the middle of a record`)
  }
}
